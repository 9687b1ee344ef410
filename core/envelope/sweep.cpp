// SPDX-License-Identifier: MIT
#include "envelope/sweep.h"

#include <cmath>

namespace envelope {

std::size_t points(std::span<const Axis> axes) {
  std::size_t n = 1;
  for (const Axis& axis : axes) n *= axis.values.size();
  return n;
}

std::vector<double> sweep(const Scenario& scenario, std::span<const Axis> axes,
                          std::span<const Metric* const> metrics) {
  const std::size_t count = points(axes), width = axes.size() + metrics.size();
  std::vector<double> out;
  out.reserve(count * width);
  std::vector<Step> steps;
  steps.reserve(256);
  Scenario s = scenario;
  for (std::size_t point = 0; point < count; ++point) {
    std::size_t rest = point;
    const std::size_t row = out.size();
    out.resize(row + width, kNone);
    for (std::size_t a = axes.size(); a-- > 0;) {
      const Axis& axis = axes[a];
      const double value = axis.values[rest % axis.values.size()];
      rest /= axis.values.size();
      out[row + a] = value;
      set_number(*axis.field, s, value);
    }
    steps.clear();
    estimate(s, Ledger(steps));
    for (const Step& step : steps)
      for (std::size_t m = 0; m < metrics.size(); ++m)
        if (metrics[m]->id == step.id) out[row + axes.size() + m] = step.value;
  }
  return out;
}

std::vector<double> spaced(const Field& field, double from, double to, std::size_t count,
                           bool log) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) {
    const double t = count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0;
    double x = log ? exponential(logarithm(from) + t * (logarithm(to) - logarithm(from)))
                   : from + t * (to - from);
    if (i == 0) x = from;
    if (i + 1 == count && count > 1) x = to;
    if (field.flags & kWhole) x = std::round(x);
    values.push_back(x);
  }
  return values;
}

}  // namespace envelope
