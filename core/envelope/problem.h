// SPDX-License-Identifier: MIT
// What is wrong with which field, and what to do. Empty means good.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace envelope {

/// error: the value was not used. warning: used or ignored, look at it. note: nothing is wrong.
enum class Severity : unsigned char { error, warning, note };

struct Problem {
  std::string path;  ///< Field path, or the raw key when no field has it.
  Severity severity = Severity::error;
  std::string_view code;  ///< Stable word: not_a_number, out_of_range, unknown_field ...
  std::string message;    ///< What is wrong with which value, and why.
  std::string hint;       ///< What to do.
  std::string value;      ///< What was typed, unchanged.
};
using Problems = std::vector<Problem>;

inline bool has_error(const Problems& problems) {
  for (const Problem& p : problems)
    if (p.severity == Severity::error) return true;
  return false;
}

}  // namespace envelope
