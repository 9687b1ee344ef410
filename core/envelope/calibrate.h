// SPDX-License-Identifier: MIT
// In: a scenario and one measurement of it. Out: the software overhead with which the prediction
// gives that measurement back. It is an input like any other, so it is in the link, and what
// follows from it holds for other numbers of GPUs, layouts and models on the same software.
#pragma once

#include "envelope/patch.h"

namespace envelope {

enum class Measured : unsigned char { step, tokens_per_s_per_gpu, mfu };

/// A patch with stack.overhead; empty, with a problem, where no overhead gives the measurement.
Patch calibrate(const Scenario& scenario, Measured quantity, double value, Problems& problems);

}  // namespace envelope
