// SPDX-License-Identifier: MIT
// In: a table of measured speeds. Out: for each source and model the layout that was published
// beside the one that the planner would choose for the same run. Only in the command line.
// The planner may use what the row's framework has in its year; the number of GPUs, the batch, the
// length of sequences, the precision, the formats of the states and whether sequences are split
// over TP are as published. A published layout that does not fit by our estimate ran all the same:
// both have as much memory as it takes. Neglected: what experts knew of their cluster and the model
// does not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "envelope/math.h"
#include "envelope/problem.h"

namespace envelope {

struct StudyRow {
  std::string id, source_id, model, device;
  double gpus = 0;
  double measured = kNone;   ///< Seconds of a step.
  double published = kNone;  ///< The published layout, predicted; seconds of a step.
  /// The planner's best, with the kind of recomputation as published and with any; kNone when it
  /// finds none.
  double ours = kNone, free = kNone;
  double lacks = 0;  ///< Share of memory by which the published layout does not fit, as estimated.
  std::string published_label, label, free_label;  ///< "TP 8, PP 16, DP 128; micro-batch 1 ..."
  std::string outside;                             ///< Why the published layout is not searched.
  std::string published_link, link, free_link;
};

struct Study {
  std::vector<StudyRow> rows;
  Problems problems;
};

/// Of each source and model on at least so many GPUs, whose layout is stated, the row that was
/// measured to be the fastest per GPU; of equals the first.
Study study(std::string_view csv, double least_gpus = 64);

/// A table in Markdown, and the sentence that sums it up.
std::string study_text(const Study& study);

}  // namespace envelope
