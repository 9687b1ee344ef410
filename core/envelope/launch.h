// SPDX-License-Identifier: MIT
// In: a scenario, and the launcher that someone chose. Out: which launchers can run it, and for one
// of them the files and commands that do; what it cannot express, as sentences. Keys and flags are
// those that core/catalog/launchers.json lists for that version, nothing else: a test reads every
// text back.
// Neglected: learning rates, data and checkpoints, which are the person's own and stand as named
// variables.
#pragma once

#include <string_view>
#include <vector>

#include "envelope/launch_job.h"
#include "envelope/problem.h"

namespace envelope {

/// The rows of core/catalog/launchers.json.
const std::vector<Launcher>& launchers();

/// With the launcher of that id, or with the one that the scenario's software suggests.
Launch launch(const Scenario& scenario, std::string_view id, Problems& problems);

}  // namespace envelope
