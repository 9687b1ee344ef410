// SPDX-License-Identifier: MIT
// In: a scenario with an unknown and what is asked of it: a deadline, dollars, speed; the memory
// always. Out: the scenario with the unknown found, by bisection on the whole estimate, and what
// stops it from being better.
// The estimate is not always monotone: what is returned meets everything asked, and the next legal
// value beyond does not; a range of solutions narrower than a factor of two may be overlooked. Time
// and cost are those of training itself (time.total, cost.total), as the deadline is; interruptions
// come on top (goodput.h). Neglected: the scatter of the prediction.
#pragma once

#include <string>
#include <vector>

#include "envelope/estimate.h"
#include "envelope/family.h"
#include "envelope/patch.h"

namespace envelope {

/// What stops the unknown.
enum class Binding : unsigned char { none, time, cost, memory, speed, work };
std::string_view binding_id(Binding binding);

struct Solved {
  const Field* field = nullptr;  ///< That the answer is put into.
  double value = kNone;          ///< kNone where the question makes no sense here.
  Binding binding = Binding::none;
  bool met = false;     ///< Everything asked is met. If not, the value is the nearest there is.
  std::string message;  ///< A sentence.
  Scenario scenario;    ///< With the value, and nothing unknown.
  Patch patch;          ///< That makes it of the scenario asked about.
};

/// Only for a scenario whose `solve.unknown` is not none.
Solved solve(const Scenario& scenario);

/// Legal values of the unknown by position, rising. Positions are whole numbers with gaps.
class Ladder {
 public:
  explicit Ladder(const Scenario& scenario);
  Ladder(const Ladder&) = delete;
  Ladder& operator=(const Ladder&) = delete;

  /// Whether there is anything to look for.
  bool any() const { return given(first()); }
  double first() const { return next(0); }
  double last() const { return last_; }
  /// The least position not below; kNone behind the last.
  double next(double position) const;
  /// Where to start looking: near what is usual, not what the field happens to say.
  double start() const { return start_; }
  /// The scenario with the value of a position, and nothing unknown.
  Scenario at(double position) const;
  /// The least value is looked for, not the largest.
  bool least() const { return least_; }

 private:
  void choose_lengths();
  /// The least usual length not below, as a position.
  double usual_length(double position) const;
  void list_gpus();
  void list_micro_batches();

  Scenario s_;
  Unknown unknown_;
  bool serve_ = false, least_ = false;
  double unit_ = 1, least_position_ = 1, most_ = 0, start_ = 1, last_ = 0;
  double step_ = 1, long_step_ = 1;  ///< Of lengths, in positions.
  Family family_;
  std::vector<double> listed_;  ///< Where legal values follow no simple step.
};

}  // namespace envelope
