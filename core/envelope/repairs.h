// SPDX-License-Identifier: MIT
// In: a scenario and the problems of its layout. Out: with each, the nearest values that end it, as
// patches. Each was tried: with it the problem is gone and no other rule is broken that was kept.
// Neglected: what needs more than one change but for the layers of the first and last stage.
#pragma once

#include "envelope/problem.h"
#include "envelope/scenario.h"

namespace envelope {

/// `problems` are those of check(scenario).
void repair(const Scenario& scenario, Problems& problems);

}  // namespace envelope
