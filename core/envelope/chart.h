// SPDX-License-Identifier: MIT
// In: a scenario, one or two inputs and an output. Out: the values worth drawing, the output at
// each of them, and which cannot run as they are. Neglected: inputs that would have to move along.
#pragma once

#include <string>
#include <vector>

#include "envelope/link.h"

namespace envelope {

inline constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

/// One axis: an input and its values. Choices by their index, flags as 0 or 1; rows of the catalog
/// by their names.
struct Side {
  const Field* field = nullptr;
  std::vector<double> values;
  std::vector<std::string> names;
  std::size_t now = kNowhere;  ///< Where the scenario stands.
  bool log = false;            ///< Evenly spread in the logarithm.
  std::string why;             ///< Why these values.

  std::size_t size() const { return names.empty() ? values.size() : names.size(); }
  /// As a patch has it.
  Value value(std::size_t i) const;
};

enum class Mark : unsigned char { none, too_large, broken };

struct Chart {
  Side x, y;  ///< y is empty in a chart of one input.
  const Metric* metric = nullptr;
  double now = kNone;
  // For each point, y fastest.
  std::vector<double> values;
  std::vector<Mark> marks;
  std::vector<std::size_t> reasons;    ///< Of what is broken; kNowhere elsewhere.
  std::vector<std::string> sentences;  ///< The reasons, each once.
};

/// Empty `values`, with a problem, where there is nothing to draw. Ranges and the output are chosen
/// where they are not given.
Chart chart(const Scenario& scenario, const ChartKeys& keys, Problems& problems);

/// What people ask for first: cost, or time where nothing has a price.
const Metric& usual_metric(const Scenario& scenario);

}  // namespace envelope
