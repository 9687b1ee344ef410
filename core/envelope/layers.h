// SPDX-License-Identifier: MIT
// Which layers of the stack are of which kind, and what one linear layer is made of.
#pragma once

#include "envelope/ledger.h"
#include "envelope/scenario.h"

namespace envelope {

/// Some layers keep a state and not keys and values. Only decoders and encoders have such.
bool hybrid(const Model& model);

/// Tokens that one training sequence is: of an image its patches and the class token, whatever
/// run.seq says. In formulas "arch.image_tokens" with a vision transformer, else "run.seq".
double sequence_length(const Scenario& scenario);

/// Layers of a range, by kind. attention + linear = layers; global + local = attention;
/// dense + moe = mlp, the layers that have an MLP.
struct LayerCount {
  double layers = 0, attention = 0, linear = 0, global = 0, local = 0, mlp = 0, dense = 0, moe = 0;
};

/// The layers [from, to) of the stack, counted from 0. Without loops: cheap enough for each stage.
LayerCount layers_between(const Model& model, double from, double to);

/// The same as formulas for the whole stack, chosen by the model's pattern.
struct LayerFormulas {
  Formula attention, linear, mlp, global;
};
LayerFormulas layer_formulas(const Model& model);

/// Widths of one linear layer. Mamba: channels, each a head of size 1. Mamba-2: heads and groups.
/// Gated DeltaNet and lightning attention: value heads and key heads.
struct LinearLayer {
  double inner = 0;     ///< Value heads x size: what the output projection reads.
  double keys = 0;      ///< Key heads x state size.
  double input = 0;     ///< Width of the input projection.
  double channels = 0;  ///< Of the short convolution.
  double state = 0;     ///< Values of the state, one sequence.
  double conv = 0;      ///< Values that the convolution remembers, one sequence.
  double matrices = 0;  ///< Weights that multiply each token, the convolution among them.
  double other = 0;     ///< Biases, decays, step sizes and norms.
  double sides = 0;     ///< Rows + columns of the matrices.
  double macs = 0;      ///< Multiply-adds of the state for one token, in the recurrent form.
};
LinearLayer linear_layer(const Model& model);

struct LinearFormulas {
  Formula keys, input, channels, matrices, other, sides, macs;
};
LinearFormulas linear_formulas(const Model& model);

}  // namespace envelope
