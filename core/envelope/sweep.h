// SPDX-License-Identifier: MIT
// Any inputs against any outputs: axes are data, one odometer, no field known by name.
#pragma once

#include <span>
#include <vector>

#include "envelope/estimate.h"
#include "envelope/fields.h"
#include "envelope/metrics.h"

namespace envelope {

struct Axis {
  const Field* field;
  std::vector<double> values;
};

/// Points of the product of the axes, last axis fastest.
std::size_t points(std::span<const Axis> axes);

/// Row-major: for each point the values of the axes, then the metrics; NaN where one does not
/// apply.
std::vector<double> sweep(const Scenario& scenario, std::span<const Axis> axes,
                          std::span<const Metric* const> metrics);

/// `count` values from `from` to `to`, evenly spaced, or evenly in the logarithm. Counts and other
/// whole fields are rounded.
std::vector<double> spaced(const Field& field, double from, double to, std::size_t count, bool log);

}  // namespace envelope
