// SPDX-License-Identifier: MIT
// In: the model. Out: parameter counts by kind, exact, and the widths that FLOPs and bytes need.
// Neglected: rotary buffers, quantization constants and anything a checkpoint stores besides
// parameters; the vision part of a multimodal model is one number (model.extra_params).
#pragma once

#include "envelope/ledger.h"
#include "envelope/scenario.h"
#include "envelope/shape.h"

namespace envelope {

Architecture architecture(const Scenario& scenario, const Ledger& note);

}  // namespace envelope
