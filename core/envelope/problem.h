// SPDX-License-Identifier: MIT
// What is wrong with which field, and what to do. Empty means good.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "envelope/value.h"

namespace envelope {

/// error: the value was not used. warning: used or ignored, look at it. note: nothing is wrong.
enum class Severity : unsigned char { error, warning, note };

/// A change after which the problem is gone.
struct Repair {
  std::string label;  ///< "Tensor parallel: 4"
  Patch patch;
};

struct Problem {
  std::string path;  ///< Field path, or the raw key when no field has it.
  Severity severity = Severity::error;
  std::string_view code;             ///< Stable word: not_a_number, out_of_range, unknown_field ...
  std::string message;               ///< What is wrong with which value, and why.
  std::string hint;                  ///< What to do.
  std::string value;                 ///< What was typed, unchanged.
  std::vector<Repair> repairs = {};  ///< The nearest legal values, where repair() found any.
};
using Problems = std::vector<Problem>;

inline bool has_error(const Problems& problems) {
  for (const Problem& p : problems)
    if (p.severity == Severity::error) return true;
  return false;
}

}  // namespace envelope
