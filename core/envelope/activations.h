// SPDX-License-Identifier: MIT
// In: one layer's architecture, the software, the method. Out: bytes that one layer leaves for the
// backward pass, per token, in two parts: what tensor parallelism divides, and what only sequence
// parallelism does. Checked against the closed forms of Korthikanti et al. 2022.
// A token of an encoder-decoder model passes one of the two stacks, so a layer sees every other
// token of a batch: bytes are per token of the batch. Decoder layers have cross-attention; layers
// are alike here, and each counts the mean.
// Neglected: version 2 of LLaMA-Adapter on cross-attention, uneven load of experts, tensors of a
// few values per token, and the encoder's output, which is kept once for all decoder layers.
#pragma once

#include "envelope/architecture.h"

namespace envelope {

/// Bytes per token of one layer.
struct Kept {
  double whole = 0;  ///< Residual stream, norms and their outputs: divided by sequence parallelism.
  double split = 0;  ///< Heads and inner MLP: divided by tensor parallelism.
  double gathered = 0;  ///< Inputs of experts that tensor parallelism shares: divided by neither.
};

struct Activations {
  Kept dense, moe;                    ///< All that a layer's backward pass reads.
  Kept dense_stored, moe_stored;      ///< What is kept until then, with recomputation.
  Kept dense_gradient, moe_gradient;  ///< Gradients in flight while one layer goes backward.
  double compute_bytes = 2;           ///< Of one value in a matrix product's output.
  double loss_bytes = 0;              ///< Per token and row of the vocabulary.
  double share = 1;  ///< Of the layers that the gradient passes (LLaMA-Adapter skips two).
};

Activations activations(const Scenario& scenario, const Architecture& a, const Ledger& note);

}  // namespace envelope
