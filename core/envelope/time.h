// SPDX-License-Identifier: MIT
// In: the pace, or the predicted step, and a number of GPUs. Out: wall-clock time, steps, GPU time
// and utilisation of the run. Neglected: interruptions (goodput.h); stragglers.
#pragma once

#include "envelope/layout.h"
#include "envelope/pace.h"

namespace envelope {

struct Time {
  Seconds total, ideal, step;
  double steps = 0;
  Seconds gpu_time;
  double mfu = 0;  ///< In the FLOP convention of the scenario.
  double hfu = 0;
  FlopsPerSecond achieved;
  double fast = 1, slow = 1;  ///< Factors on time: ends of the band.
  bool band() const { return fast != slow; }
};
/// The largest part of a step that is no work of the model: its metric and its seconds.
struct Setback {
  std::string_view metric;
  double seconds;
};
Setback largest_setback(const StepTime& step);

Time time(const Scenario& scenario, const Architecture& a, const Compute& c, const Pace& pace,
          const Layout& layout, const Ledger& note);

}  // namespace envelope
