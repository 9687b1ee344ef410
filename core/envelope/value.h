// SPDX-License-Identifier: MIT
// A value as a person or a program gives it, and the patch: a flat map from field path to value.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace envelope {

using Value = std::variant<double, bool, std::string>;

/// Paths and values in the order given. A scenario is defaults plus a patch.
using Patch = std::vector<std::pair<std::string, Value>>;

/// The last value of `path`, or null.
const Value* find(const Patch& patch, std::string_view path);

/// Reads a number as people write it: `15.6T`, `8x64`, `2^14`, `40%`, `80GB`, `80GiB`, `$2.50/h`,
/// `97 d 4 h`, `1_000`, `1,000,000`, `1e+12`, `3.8 × 10²⁵`. `unit` is the canonical unit of the
/// field ("byte", "second", "ratio" ...): it decides what a suffix may mean. False, and `out` stays
/// as it was, when the text is not a finite number or could be two.
bool parse_number(std::string_view text, std::string_view unit, double& out);

/// ASCII letters in lower case, whatever the locale.
std::string lower_case(std::string_view text);

/// Edits between two words, for "did you mean": inserted, removed, changed or swapped letters.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// In quotes, for messages; a long text is cut between characters.
std::string quoted(std::string_view text);

/// The text of a value, for messages: numbers in their shortest form.
std::string text_of(const Value& value);

/// Shortest decimal that reads back as the same double; plain for 1e-3 <= |x| < 1e6, otherwise with
/// an exponent that is a multiple of three: `15.6e12`. Never a plus sign, never trailing zeros.
std::string number_text(double x);

}  // namespace envelope
