// SPDX-License-Identifier: MIT
// In: a scenario and an output. Out: how far the output moves when each input alone goes to the
// ends of its plausible range; a tornado. Neglected: inputs that move together, and what lies
// between the ends. Ranges are a table with a reason for each row, in sensitivity.cpp.
#pragma once

#include <string>
#include <vector>

#include "envelope/fields.h"
#include "envelope/metrics.h"

namespace envelope {

struct SensitivityEnd {
  Value input;  ///< As a patch has it.
  double value = kNone;
  std::string note;  ///< Why it is another than meant, or what speaks against it.
};

struct SensitivityRow {
  const Field* field;
  Value now;  ///< Chosen values stand in where the input is empty.
  SensitivityEnd low, high;
  std::string why;  ///< Where the range comes from.
  double swing = 0;
};

struct Sensitivity {
  const Metric* metric = nullptr;
  double value = kNone;
  std::vector<SensitivityRow> rows;  ///< The largest swing first; without those that do not matter.
};

Sensitivity sensitivity(const Scenario& scenario, const Metric& metric);

}  // namespace envelope
