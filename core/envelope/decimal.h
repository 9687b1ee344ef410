// SPDX-License-Identifier: MIT
// Doubles from decimal digits and back, exactly rounded, with whole numbers alone. The library's
// ways there differ in what they offer from one compiler to the next, and bring 8 kB into a
// browser.
#pragma once

#include <string>
#include <string_view>

namespace envelope {

/// The double nearest to `digits` (ASCII, without a point) times ten to the power of `exponent`,
/// ties to even; infinite when there is none so large, zero when there is none so small.
double nearest_double(std::string_view digits, long exponent);

struct Digits {
  std::string text;  ///< As many as asked for; the first is not zero.
  int exponent = 0;  ///< Ten to this is the place of the first.
};

/// The first `count` decimal digits of a finite x > 0, rounded, ties to even.
Digits first_digits(double x, int count);

}  // namespace envelope
