// SPDX-License-Identifier: MIT
// In: FLOPs, accelerator, utilisation if one is given. Out: the peak, and the pace of a run whose
// utilisation is assumed or taken from published runs. Where the step is predicted, the pace
// follows from it, after the layout.
#pragma once

#include "envelope/compute.h"
#include "envelope/memory.h"

namespace envelope {

struct Pace {
  FlopsPerSecond peak;     ///< Dense, of one GPU.
  bool supported = true;   ///< The accelerator has a peak for this precision.
  Seconds gpu_time_ideal;  ///< At the peak: the same however many GPUs share the work.
  bool predicted = false;  ///< The step will tell; all below is empty.
  FlopsPerSecond achieved;
  double mfu = 0;  ///< In the FLOP convention of the scenario.
  Seconds gpu_time;
  double fast = 1, slow = 1;  ///< Factors on time: published runs' 90th and 10th percentile.
};
Pace pace(const Scenario& scenario, const Architecture& a, const Compute& c, const Memory& m,
          const Ledger& note);

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
