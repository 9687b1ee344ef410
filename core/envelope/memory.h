// SPDX-License-Identifier: MIT
// In: architecture, formats, method. Out: bytes of weights, gradients, optimizer states,
// activations, logits and KV cache of the whole model, undivided.
// Neglected: fragmentation, and what implementations keep or drop beyond the stored tensors of one
// layer; activations are an estimate and say so.
#pragma once

#include "envelope/architecture.h"

namespace envelope {

struct Memory {
  Bytes weights, gradients, master, optimizer, activations, logits, kv_cache;
  Bytes states;  ///< Weights, gradients, master copy and optimizer states.
  Bytes total;   ///< By components, or by the blog's rule where that is asked for.
  bool by_rule = false;
};

Memory memory(const Scenario& scenario, const Architecture& a, const Ledger& note);

/// Bytes per parameter of everything the optimizer needs, weights included.
double state_bytes(const States& states);

}  // namespace envelope
