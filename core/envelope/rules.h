// SPDX-License-Identifier: MIT
// Rules across fields. The estimate still runs; each problem says what does not go together.
#pragma once

#include "envelope/problem.h"
#include "envelope/scenario.h"

namespace envelope {

Problems check(const Scenario& scenario);

}  // namespace envelope
