// SPDX-License-Identifier: MIT
// In: a scenario. Out: the fewest GPUs that hold it under any legal layout, and that layout.
// Neglected: speed; the planner weighs it.
#pragma once

#include <string>

#include "envelope/estimate.h"
#include "envelope/patch.h"

namespace envelope {

struct Least {
  double gpus = kNone;  ///< kNone when no legal layout holds it.
  std::string label;    ///< "TP 8, PP 2"
  Patch patch;          ///< To be applied on top of the scenario.
};

/// Tries tensor parallelism within the scale-up domain and the heads, pipelines of up to 16 stages
/// (64 where none of these holds it), and expert parallelism that divides the experts. None breaks
/// a rule (rules.h) that the scenario keeps; everything else stays as the scenario has it, but for
/// ZeRO-2 and 3, which become ZeRO-1 where the framework has no pipeline with them.
Least least_layout(const Scenario& scenario, const Report& report);

}  // namespace envelope
