// SPDX-License-Identifier: MIT
// What is known of a model once its parameters are counted; architecture.h fills it in.
#pragma once

#include "envelope/layers.h"
#include "envelope/units.h"

namespace envelope {

/// Parameters of one layer, by what it is made of. Sums over the layers are in Architecture.
struct LayerParams {
  double attention = 0;        ///< Projections of one attention.
  double attention_other = 0;  ///< Its biases, inner norms and sinks.
  double linear = 0;           ///< Weights of one linear layer that multiply each token.
  double linear_other = 0;     ///< Its biases, decays and norms.
  double mlp = 0, mlp_biases = 0;
  double expert = 0, shared = 0, router = 0, residual = 0;  ///< Biases included.
  double norms = 0;                                         ///< Of a layer that has an MLP.
};

struct Architecture {
  bool known = true;  ///< False when only the number of parameters is known.
  double layers = 0, decoder_layers = 0, cross_layers = 0, moe_layers = 0;
  double attention_layers = 0, linear_layers = 0, mlp_layers = 0, dense_layers = 0;
  double local_layers = 0, global_layers = 0;                  ///< Of the attention layers.
  double qk_width = 0, k_width = 0, v_width = 0, o_width = 0;  ///< heads x size, of one layer
  LinearLayer linear_layer;                                    ///< Zero where there is none.
  LayerParams layer;
  double embedding = 0, attention = 0, linear = 0, mlp = 0, experts = 0, shared_experts = 0,
         router = 0, norms = 0, biases = 0, head = 0, other = 0;
  double head_matrix = 0;  ///< Makes the logits; stored once more, or shared with the embedding.
  double mtp = 0;          ///< Parameters of the MTP modules, whether they are trained or not.
  double mtp_trained = 0;  ///< MTP modules that run: those of the model in training, else none.
  double mtp_matmul = 0;   ///< Weights of one of them that multiply each token, head included.
  double routed = 0;       ///< Weights of the chosen experts, in `matmul`.
  double total = 0;        ///< All parameters; MTP modules only where they are trained.
  double active = 0;       ///< All but the unselected routed experts.
  double matmul = 0;       ///< Active parameters that multiply each token; head in, embedding out.
  double state_values = 0, conv_values = 0;  ///< Kept for a sequence, in one linear layer.
  FlopsPerToken state_flops;    ///< Updating and reading the states of the linear layers.
  double trainable = 0;         ///< Parameters the optimizer updates.
  double trainable_active = 0;  ///< Adapter weights that multiply each token.
  double trained_matmul = 0;    ///< Weights of the model itself, trained beside adapters.
  double trained_embedding = 0, trained_head = 0;  ///< Trained in full beside adapters.
  double prefix_layers = 0;                        ///< Attention layers that see a learned prefix.
  double matrix_sides = 0;  ///< Sum of rows + columns over all matrices (Adafactor).
};

}  // namespace envelope
