// SPDX-License-Identifier: MIT
// Rules across fields. The estimate still runs; each problem says what does not go together.
#pragma once

#include "envelope/problem.h"
#include "envelope/scenario.h"

namespace envelope {

Problems check(const Scenario& scenario);

/// Whether the framework takes ZeRO-2 and 3 together with a pipeline.
bool shards_in_pipeline(const Scenario& scenario);

}  // namespace envelope
