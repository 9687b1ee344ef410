// SPDX-License-Identifier: MIT
// In: architecture, formats, method, activations of a layer. Out: bytes of weights, gradients,
// optimizer states, activations, logits and KV cache of the whole model, undivided.
// Neglected: what a layout replicates or pads; ranks.h counts that.
#pragma once

#include "envelope/activations.h"

namespace envelope {

struct Memory {
  Bytes checkpoint;  ///< What a checkpoint of training holds.
  Bytes weights, gradients, master, optimizer, activations, logits, kv_cache;
  Bytes adapter_weights;  ///< Of the weights, where a base is frozen.
  Bytes states;           ///< Weights, gradients, master copy and optimizer states.
  Bytes total;            ///< By components, or by the blog's rule where that is asked for.
  bool by_rule = false;
  // Bytes per stored parameter: matrices of the layers, routed experts, everything else, adapters.
  double matrix_bytes = 0, expert_bytes = 0, other_bytes = 0, adapter_bytes = 0;
  // Bytes per trained parameter of an adapter, or of the model; and of modules trained beside.
  double gradient_bytes = 0, master_bytes = 0, optimizer_bytes = 0;
  double module_weight = 0, module_gradient = 0, module_optimizer = 0;
};

Memory memory(const Scenario& scenario, const Architecture& a, const Activations& act,
              const Ledger& note);

/// Bytes per parameter of everything the optimizer needs, weights included.
double state_bytes(const States& states);

}  // namespace envelope
