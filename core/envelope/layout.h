// SPDX-License-Identifier: MIT
// In: bytes of the whole model, GPU time, layout (TP, PP, DP with ZeRO). Out: how many GPUs it
// takes to fit and to meet a deadline, bytes on the fullest GPU, and what each kind of parallelism
// sends. Neglected: what tensor parallelism replicates (norms), uneven stages, interleaving,
// gathered layers of ZeRO-3 in flight.
#pragma once

#include "envelope/memory.h"
#include "envelope/time.h"

namespace envelope {

struct Layout {
  double tp = 1, pp = 1, dp = 1;
  double to_fit = kNone;        ///< GPUs that hold everything; kNone when no number would.
  double for_deadline = kNone;  ///< GPUs that meet the deadline, if there is one.
  double used = 1;
  Bytes per_gpu, capacity, free;
  bool fits = false;
};

Layout layout(const Scenario& scenario, const Architecture& a, const Memory& m, const Work& w,
              const Ledger& note);

}  // namespace envelope
