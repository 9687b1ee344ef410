// SPDX-License-Identifier: MIT
// In: a table of measurements. Out: for each row what we predict and how far off that is, per row,
// per source and overall. Only in the command line: the page does not carry it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "envelope/predict.h"

namespace envelope {

/// error = predicted/measured - 1, of the time where a speed was measured; a skipped row has a
/// reason and no error.
struct ValidatedRow {
  std::string id, source_id, device;
  std::string_view quantity;  ///< mem_gib, tokens_per_s_per_gpu, gpu_hours ...
  double measured = kNone, predicted = kNone, error = kNone;
  double step = kNone;      ///< Seconds predicted for a step, where a speed is measured.
  std::string skipped;      ///< Why there is no prediction; empty when there is one.
  bool moe = false;         ///< The model has experts.
  bool unscorable = false;  ///< The file itself says that the row cannot be scored.
  std::string note;         ///< What was not stated and taken as usual.
  std::string link;         ///< The scenario that was predicted.
};

/// Rows that have something in common: where they are from, or the device.
struct ValidatedGroup {
  std::string name;
  double rows = 0, median_abs = kNone, p90_abs = kNone, mean_signed = kNone;
};

struct Validation {
  FileKind kind = FileKind::unknown;
  std::vector<ValidatedRow> rows;
  std::vector<ValidatedGroup> sources, devices;  ///< Those with a prediction, most rows first.
  ValidatedGroup moe;                            ///< Models with experts.
  /// Rows of the file, those without a prediction, and of these the ones it calls unscorable.
  double all = 0, skipped = 0, unscorable = 0;
  double median_abs = kNone, p90_abs = kNone, mean_of_source_medians = kNone;
  Problems problems;  ///< Of the file as a whole; then there are no rows.
};

Validation validate(std::string_view csv);

/// `share` of the sorted values lies below the result: linear between the two nearest, as in NumPy
/// and spreadsheets (p = share*(n - 1)). kNone without values.
double percentile(std::vector<double> values, double share);

/// {"file", "rows", "sources", "summary"}; docs/validate.md has the members.
std::string validation_json(std::string_view file, const Validation& v);

/// A table by source, the summary, the rows that are furthest off and why rows were skipped; with
/// `rows` a line for each row as well.
std::string validation_text(const Validation& v, bool rows);

}  // namespace envelope
