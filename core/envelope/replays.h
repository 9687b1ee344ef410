// SPDX-License-Identifier: MIT
// Replays: the calculations of other people's documents, done again live. Each item is a figure as
// the document prints it beside ours, with the link that opens the scenario.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "envelope/math.h"

namespace envelope {

struct ReplayItem {
  std::string label, figure, link, metric;
  std::string baseline, baseline_metric;  ///< Compared with another scenario or metric ...
  std::string op;                         ///< ... as ratio, saving (1 - ratio) or difference.
  std::string verdict, why;  ///< same, explained, or added where the document prints no number
  std::string unit;
  double expected = kNone;    ///< The figure in canonical units; kNone when none is printed.
  double tolerance = 0;       ///< Half the rounding of the printed figure, relative.
  double value = kNone;       ///< Ours.
  double difference = kNone;  ///< Ours over theirs, less one.
};

struct Replay {
  std::string id, document, place, title, note;
  std::vector<ReplayItem> items;
};

struct Document {
  std::string id, title, author, date, url, kind;
};

struct Example {
  std::string id, task, title, link;
};

struct ReplayBook {
  std::vector<Document> documents;
  std::vector<Replay> replays;
};

/// The scenarios that the first page offers.
const std::vector<Example>& examples();

/// What is compiled in, not yet computed.
const ReplayBook& replay_book();

/// The same with each item's value and difference.
std::vector<Replay> computed_replays();

/// Value of one metric in the scenario of a link; NaN when it does not apply there.
double metric_of_link(std::string_view link, std::string_view metric);

}  // namespace envelope
