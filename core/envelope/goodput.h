// SPDX-License-Identifier: MIT
// In: training time, GPUs, bytes of a checkpoint, failures. Out: the wall-clock time of the whole
// run, and what takes the part of it that does not train: checkpoints, work lost in failures,
// restarts, evaluation. Failures come at random (Young 1974, Daly 2006).
// Neglected: failures while restarting and a second one while work is repeated; spares that wait;
// what people decide by hand, such as going back before a spike of the loss.
#pragma once

#include "envelope/memory.h"
#include "envelope/time.h"

namespace envelope {

struct Goodput {
  double share = 1;  ///< Of the wall-clock time that trains.
  Seconds wall;      ///< Of the whole run.
};

/// A known GPU time of the run holds its interruptions already: then there is nothing to add.
Goodput goodput(const Scenario& scenario, const Memory& m, const Time& t, double gpus,
                const Ledger& note);

}  // namespace envelope
