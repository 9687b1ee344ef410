// SPDX-License-Identifier: MIT
// In: a scenario and other values of some inputs. Out: an output there, and what speaks against it:
// a rule that is broken, or memory that is too small.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "envelope/estimate.h"
#include "envelope/fields.h"
#include "envelope/metrics.h"
#include "envelope/problem.h"

namespace envelope {

/// A value of one input. Choices by their index, flags as 0 or 1; names by their text.
struct Setting {
  const Field* field;
  double value = kNone;
  std::string_view name = {};
};

struct Outcome {
  double value = kNone;  ///< NaN where the output does not apply.
  bool legal = true, fits = true;
  std::string why;  ///< The rule that is broken.
};

/// Runs of one scenario with a few inputs changed. Choosing another row of the catalog brings along
/// what the row sets, as it does on the page.
class Trials {
 public:
  Trials(const Scenario& base, const Metric& metric);

  Scenario with(std::span<const Setting> settings) const;
  /// Problems that the scenario itself has do not count against another one where `own` is true.
  Outcome run(const Scenario& s, bool own = false);
  /// A rule that `s` breaks and the scenario itself does not; empty when there is none.
  std::string breaks(const Scenario& s) const;
  /// The value that is nearest to `value`, on the way to `end`, and breaks no rule that the
  /// scenario keeps; NaN where none is found. Only whole numbers are looked at.
  double legal(const Field& field, double value, double end) const;

  /// The present value of an input: as given, or else as the pipeline chose it.
  double present(const Field& field) const;
  /// Any output of the scenario itself.
  double metric(std::string_view id) const;

 private:
  const Scenario& base_;
  Patch patch_;  ///< What makes the scenario.
  const Metric& metric_;
  std::vector<Step> own_, steps_;
  Problems problems_;
  std::size_t value_at_ = 0, free_at_ = 0;  ///< Where the ledger had them last.
};

}  // namespace envelope
