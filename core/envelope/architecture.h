// SPDX-License-Identifier: MIT
// In: the model. Out: parameter counts by kind, exact, and the widths that FLOPs and bytes need.
// Neglected: rotary buffers, quantization constants and anything a checkpoint stores besides
// parameters; the vision part of a multimodal model is one number (model.extra_params).
#pragma once

#include "envelope/ledger.h"
#include "envelope/scenario.h"

namespace envelope {

struct Architecture {
  bool known = true;  ///< False when only the number of parameters is known.
  double layers = 0, decoder_layers = 0, cross_layers = 0, moe_layers = 0;
  double local_layers = 0, global_layers = 0;
  double qk_width = 0, k_width = 0, v_width = 0, o_width = 0;  ///< heads x size, of one layer
  double embedding = 0, attention = 0, mlp = 0, experts = 0, shared_experts = 0, router = 0,
         norms = 0, biases = 0, head = 0, other = 0;
  double head_matrix = 0;  ///< Makes the logits; stored once more, or shared with the embedding.
  double total = 0;        ///< All parameters.
  double active = 0;       ///< All but the unselected routed experts.
  double matmul = 0;       ///< Active parameters that multiply each token; head in, embedding out.
  double trainable = 0;    ///< Parameters the optimizer updates.
  double trainable_active = 0;  ///< Of those, what works on each token.
  double matrix_sides = 0;      ///< Sum of rows + columns over all matrices (Adafactor).
};

Architecture architecture(const Scenario& scenario, const Ledger& note);

/// Layers of a range, by kind. attention + linear = layers; global + local = attention;
/// dense + moe = mlp, the layers that have an MLP.
struct LayerCount {
  double layers = 0, attention = 0, linear = 0, global = 0, local = 0, mlp = 0, dense = 0, moe = 0;
};

/// The layers [from, to) of the stack, counted from 0. Without loops: cheap enough for each stage.
LayerCount layers_between(const Model& model, double from, double to);

/// Some layers keep a state and not keys and values. Only decoders and encoders have such.
bool hybrid(const Model& model);

}  // namespace envelope
