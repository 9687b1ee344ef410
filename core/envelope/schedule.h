// SPDX-License-Identifier: MIT
// In: the pipeline's schedule, ranks, chunks and micro-batches, and the seconds of each pass. Out:
// the seconds of the pipeline part of a step, in closed form. timeline.h places each pass.
// A step lasts from the first pass of a rank to its last, on the rank that takes longest.
// For equal ranks the closed form is the simulated time, where no rank's backward pass is shorter
// than its forward pass and no weight gradient is longer than that; V-Half and V-Min, whose passes
// move, within 1 % on average and 12 % at most. With one longer or shorter rank at an end: exact
// for 1F1B and GPipe, within 2 % on average and 11 % at most for the others. Neglected: the chunks
// of a rank are alike; sending takes no time of the accelerator that computes, only delays the one
// that waits; ranks do not wait for one another before the optimizer.
#pragma once

#include "envelope/scenario.h"

namespace envelope {

/// Seconds that one rank works on one micro-batch, all its chunks together. With DualPipe, where a
/// rank has a stage of each direction, half of the sum of both.
struct Passes {
  double forward = 0;
  double backward = 0;  ///< Gradient of the inputs; with what is computed again.
  double weight = 0;    ///< Gradient of the weights. Schedules that do not delay it do it at once.
  double sum() const { return forward + backward + weight; }
};

struct Pipeline {
  Schedule schedule = Schedule::one_f_one_b;
  double stages = 1;         ///< Ranks.
  double chunks = 1;         ///< Virtual stages of a rank; only 1F1B has a choice.
  double micro_batches = 1;  ///< Of both directions together.
  Passes first, middle, last;
  double send = 0;  ///< Seconds from a rank's pass to that of its neighbour.
};

/// Seconds. The parts sum to the total.
struct PipelineTime {
  double total = 0;
  double busy = 0;    ///< The slowest rank works.
  double bubble = 0;  ///< It waits for passes of others.
  double send = 0;    ///< It waits for what they send.
};

/// In closed form, without allocation.
PipelineTime pipeline_time(const Pipeline& pipeline);

/// Chunks that each rank has under this schedule.
int chunks_of(const Pipeline& pipeline);

}  // namespace envelope
