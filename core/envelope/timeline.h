// SPDX-License-Identifier: MIT
// In: a pipeline as in schedule.h. Out: where each pass of each rank lies in time. Ranks keep the
// order that the schedule's authors publish, and a pass starts as soon as its rank is free and what
// it needs has arrived. For drawing, and to check the closed forms; not in the hot path.
// Neglected: as in schedule.h. A forward and a backward pass that DualPipe overlaps follow one
// another, as their computation does.
#pragma once

#include <vector>

#include "envelope/schedule.h"

namespace envelope {

enum class PassKind : unsigned char { forward, backward, weight };

/// One pass of a rank, of one micro-batch through one chunk. Counts begin at 0, seconds at the
/// first pass of the first rank.
struct PlacedPass {
  int stage = 0;
  PassKind kind = PassKind::forward;  ///< A backward that also does the weights is a backward.
  int micro_batch = 0, chunk = 0;
  double start = 0, end = 0;
};

struct Timeline {
  int stages = 1, chunks = 1, micro_batches = 1;
  double seconds = 0;  ///< From the first pass of a rank to its last, where this is longest.
  std::vector<PlacedPass> slots;  ///< By rank, in the order of time.
};

/// The passes of the first `shown` micro-batches, as if there were no more.
Timeline timeline(const Pipeline& pipeline, int shown);

/// Micro-batches of which about `slots` passes at most are drawn; not more than there are.
int shown_micro_batches(const Pipeline& pipeline, int slots = 2000);

}  // namespace envelope
