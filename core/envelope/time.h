// SPDX-License-Identifier: MIT
// In: FLOPs, accelerator, assumed or known utilisation. Out: GPU time of the run, then, for a
// number of GPUs, wall-clock time and steps. Neglected: how utilisation changes with the layout; it
// is assumed here, from published runs.
#pragma once

#include "envelope/compute.h"

namespace envelope {

/// Work in GPU-seconds: the same however many GPUs share it.
struct Work {
  FlopsPerSecond peak, achieved;  ///< Of one GPU: dense peak, and what is reached.
  double mfu = 0;                 ///< In the FLOP convention of the scenario.
  Seconds gpu_time, gpu_time_ideal;
  Seconds gpu_time_low, gpu_time_high;  ///< From the 90th and 10th percentile of published MFU.
  bool band = false;                    ///< Whether low and high are known.
  bool supported = true;                ///< The accelerator has a peak for this precision.
};
Work work(const Scenario& scenario, const Architecture& a, const Compute& c, const Ledger& note);

struct Time {
  Seconds total, ideal, step;
  double steps = 0;
};
Time time(const Scenario& scenario, const Compute& c, const Work& w, double gpus,
          const Ledger& note);

/// The dense peak of the accelerator for the scenario's precision; kNone when it has none.
double peak_of(const Gpu& gpu, Precision precision);

/// What published training runs reached: MFU against the dense peak of that precision, FLOPs with
/// full attention, sequences of 8192 tokens or fewer. Tenth percentile, median, ninetieth.
struct Utilisation {
  std::string_view accelerator;  ///< Beginning of the catalog id; empty matches any.
  Precision precision;
  bool moe;
  double above, below;  ///< Total parameters.
  double low, median, high;
  int rows;
};
const Utilisation& utilisation(const Scenario& scenario, const Architecture& a);

}  // namespace envelope
