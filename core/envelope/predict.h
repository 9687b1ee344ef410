// SPDX-License-Identifier: MIT
// In: one row of a table of measurements. Out: what is measured in it, and what the core says about
// the same quantity, or why it says nothing.
#pragma once

#include <string>
#include <string_view>

#include "envelope/columns.h"
#include "envelope/math.h"

namespace envelope {

/// The quantity of a row and the column it is measured in.
struct Measurand {
  std::string_view name, column;
  /// Tokens per second: the error is that of the time, which is the other way round.
  bool rate = false;
};
Measurand measure_of(FileKind kind, const Record& row);

/// The number in a column; kNone where there is none.
double number_at(const Record& row, std::string_view column);

/// The measurement in the unit of the quantity; kNone when there is none.
double measured_in(const Measurand& quantity, const Record& row);

struct Prediction {
  double value = kNone;  ///< In the unit of the quantity.
  double step = kNone;   ///< Seconds of a step, where a speed is measured.
  bool moe = false;      ///< The model has experts.
  std::string skipped;   ///< Why there is no value; empty when there is one.
  std::string note;      ///< What was not stated and is taken as usual.
  std::string link;      ///< The scenario.
};
Prediction predict(FileKind kind, const Record& row, const Measurand& quantity);

}  // namespace envelope
