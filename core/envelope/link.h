// SPDX-License-Identifier: MIT
// The only file that knows the form of a link: text <-> patch.
//
//   v=1&d=2026-11&task=serve&model=llama-3.1-70b&n=8&b.gpu=h200-sxm&x=batch,1,256&z=cost.per-hour
//
// `v` is the version of the defaults, `d` the month of the catalog; then only what differs from the
// defaults, in table order, in the alphabet a-z 0-9 . , - = & and ending in a letter or digit. Last
// what a chart shows: `x` and `y` are the keys of inputs, with the ends of a range or without, and
// `z` is a metric.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "envelope/metrics.h"
#include "envelope/patch.h"

namespace envelope {

/// What a chart shows: one or two inputs against an output. Empty where the link says nothing.
struct ChartKeys {
  struct Side {
    const Field* field = nullptr;
    double from = kNone, to = kNone;  ///< Both or neither.
  };
  Side x, y;  ///< y only with x.
  const Metric* metric = nullptr;
};

struct Link {
  Patch patch;  ///< Scenario A. Values are text; `apply` reads them.
  std::vector<std::pair<char, Patch>> compare;  ///< b, c, d: to be applied to scenario A.
  ChartKeys chart;
  Problems problems;  ///< Nothing is dropped silently.
};

/// Reads any text: a whole URL, a fragment, a query; with HTML entities, double percent-encoding,
/// `1e+12`, `;` as separator, `:~:text=`, trailing punctuation, field paths as keys. What embeds
/// and trackers append is passed over. Total: bad parts become problems, and all text is valid
/// UTF-8.
Link decode(std::string_view text);

/// The canonical link of a scenario: opening it gives the same scenario and the same link.
std::string encode(const Scenario& scenario);

/// The same with comparison columns, each written as its difference from A, and a chart.
std::string encode(const Scenario& a, const std::vector<std::pair<char, Scenario>>& others,
                   const ChartKeys& chart = {});

/// The pairs of a chart alone: `x=n,64,4096&z=cost.total`.
std::string encode(const ChartKeys& chart);

}  // namespace envelope
