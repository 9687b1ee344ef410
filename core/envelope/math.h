// SPDX-License-Identifier: MIT
// pow, exp and log under our own names, so that every use can be found: these alone differ between
// libms in the last place (1 ulp). Everything else in the core is bit-identical on all platforms.
#pragma once

#include <cmath>
#include <limits>

namespace envelope {

inline double power(double base, double exponent) { return std::pow(base, exponent); }
inline double exponential(double x) { return std::exp(x); }
inline double logarithm(double x) { return std::log(x); }

/// Marks an optional number that was not given, or a result that does not apply.
inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
inline bool given(double x) { return !std::isnan(x); }

}  // namespace envelope
