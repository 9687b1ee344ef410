// SPDX-License-Identifier: MIT
#include "envelope/layers.h"

#include <algorithm>
#include <cmath>

namespace envelope {
namespace {

/// The first `n` layers of the stack.
LayerCount first_layers(const Model& m, double n) {
  LayerCount c;
  c.layers = c.attention = n;
  if (hybrid(m)) {
    const double every = m.attention_every;
    const double offset = given(m.attention_offset) ? m.attention_offset : every - 1;
    c.attention = every > 0 ? std::max(0.0, std::floor((n - offset + every - 1) / every)) : 0;
    c.linear = n - c.attention;
    c.mlp = (m.attention_mlp ? c.attention : 0) + (m.linear_mlp ? c.linear : 0);
  } else {
    c.mlp = n;
  }
  if (m.experts > 0) c.moe = std::max(0.0, std::floor((c.mlp - m.first_dense) / m.moe_every));
  c.dense = c.mlp - c.moe;
  c.global = m.window == 0        ? c.attention
             : m.global_every > 0 ? std::floor(c.attention / m.global_every)
                                  : 0;
  c.local = c.attention - c.global;
  return c;
}

}  // namespace

bool hybrid(const Model& m) {
  return m.linear != Linear::none && (m.kind == ModelKind::decoder || m.kind == ModelKind::encoder);
}

double sequence_length(const Scenario& s) {
  if (s.model.kind != ModelKind::vit) return s.run.seq;
  const double side = std::floor(s.model.image / s.model.patch);
  return side * side + 1;
}

LayerCount layers_between(const Model& m, double from, double to) {
  const LayerCount a = first_layers(m, from), b = first_layers(m, to);
  return {b.layers - a.layers, b.attention - a.attention,
          b.linear - a.linear, b.global - a.global,
          b.local - a.local,   b.mlp - a.mlp,
          b.dense - a.dense,   b.moe - a.moe};
}

LayerFormulas layer_formulas(const Model& m) {
  LayerFormulas f = {"model.layers", "", "model.layers", "arch.attention_layers"};
  if (hybrid(m)) {
    f.attention = m.attention_every == 0 ? ""
                  : given(m.attention_offset)
                      ? "max(0, floor((model.layers - model.attention_offset + "
                        "model.attention_every - 1)/model.attention_every))"
                      : "floor(model.layers/model.attention_every)";
    f.linear = "model.layers - arch.attention_layers";
    f.mlp =
        "model.attention_mlp*arch.attention_layers + "
        "model.linear_mlp*arch.linear_layers";
  }
  if (m.window > 0)
    f.global = m.global_every > 0 ? "floor(arch.attention_layers/model.global_every)" : "";
  return f;
}

LinearLayer linear_layer(const Model& m) {
  LinearLayer l;
  const double d = m.hidden, N = m.state_dim, R = m.dt_rank, H = m.linear_heads;
  l.inner = H * m.linear_head_dim;
  l.keys = m.linear_groups * N;
  l.state = l.inner * N;
  l.macs = 2 * l.state;  // update of the state, and reading it
  switch (m.linear) {
    case Linear::none:
      return {};
    case Linear::mamba:
      l.keys = N;
      l.input = 2 * l.inner;
      l.channels = l.inner;
      l.matrices = l.inner * (R + 2 * N) + R * l.inner;
      l.sides = l.inner + (R + 2 * N) + R + l.inner;
      l.other = l.inner * N + 2 * l.inner + (m.linear_norm ? R + 2 * N : 0);
      break;
    case Linear::mamba_2:
      l.input = 2 * l.inner + 2 * l.keys + H;
      l.channels = l.inner + 2 * l.keys;
      l.other = 3 * H + (m.linear_norm ? l.inner : 0);
      break;
    case Linear::gated_deltanet:
      l.input = 2 * l.inner + 2 * l.keys + 2 * H;
      l.channels = l.inner + 2 * l.keys;
      l.other = 2 * H + (m.linear_norm ? m.linear_head_dim : 0);
      l.macs = 3 * l.state;  // the state is read once more, for what it says of the new key
      break;
    case Linear::lightning:
      l.input = 2 * l.inner + 2 * l.keys;
      l.channels = l.inner + 2 * l.keys;
      l.other = m.linear_norm ? l.inner : 0;
      break;
  }
  if (m.conv_kernel > 0) l.other += m.conv_bias ? l.channels : 0;
  l.conv = l.channels * std::max(0.0, m.conv_kernel - 1);
  l.matrices += d * l.input + l.inner * d + l.channels * m.conv_kernel;
  l.sides += d + l.input + l.inner + d;
  return l;
}

LinearFormulas linear_formulas(const Model& m) {
  switch (m.linear) {
    case Linear::none:
      break;
    case Linear::mamba:
      return {
          "model.state_dim",
          "2*arch.linear_inner",
          "arch.linear_inner",
          "model.hidden*arch.linear_input + arch.linear_inner*(model.dt_rank + 2*model.state_dim) "
          "+ model.dt_rank*arch.linear_inner + arch.linear_inner*model.hidden + "
          "arch.conv_channels*model.conv_kernel",
          "arch.linear_inner*model.state_dim + 2*arch.linear_inner + "
          "model.linear_norm*(model.dt_rank + 2*model.state_dim) + "
          "min(1, model.conv_kernel)*model.conv_bias*arch.conv_channels",
          "2*model.hidden + arch.linear_input + 3*arch.linear_inner + 2*model.dt_rank + "
          "2*model.state_dim",
          "2*arch.state_values"};
    case Linear::mamba_2:
      return {"model.linear_groups*model.state_dim",
              "2*arch.linear_inner + 2*arch.linear_keys + model.linear_heads",
              "arch.linear_inner + 2*arch.linear_keys",
              "model.hidden*arch.linear_input + arch.linear_inner*model.hidden + "
              "arch.conv_channels*model.conv_kernel",
              "3*model.linear_heads + model.linear_norm*arch.linear_inner + "
              "min(1, model.conv_kernel)*model.conv_bias*arch.conv_channels",
              "2*model.hidden + arch.linear_input + arch.linear_inner",
              "2*arch.state_values"};
    case Linear::gated_deltanet:
      return {"model.linear_groups*model.state_dim",
              "2*arch.linear_inner + 2*arch.linear_keys + 2*model.linear_heads",
              "arch.linear_inner + 2*arch.linear_keys",
              "model.hidden*arch.linear_input + arch.linear_inner*model.hidden + "
              "arch.conv_channels*model.conv_kernel",
              "2*model.linear_heads + model.linear_norm*model.linear_head_dim + "
              "min(1, model.conv_kernel)*model.conv_bias*arch.conv_channels",
              "2*model.hidden + arch.linear_input + arch.linear_inner",
              "3*arch.state_values"};
    case Linear::lightning:
      return {"model.linear_groups*model.state_dim",
              "2*arch.linear_inner + 2*arch.linear_keys",
              "arch.linear_inner + 2*arch.linear_keys",
              "model.hidden*arch.linear_input + arch.linear_inner*model.hidden + "
              "arch.conv_channels*model.conv_kernel",
              "model.linear_norm*arch.linear_inner + "
              "min(1, model.conv_kernel)*model.conv_bias*arch.conv_channels",
              "2*model.hidden + arch.linear_input + arch.linear_inner",
              "2*arch.state_values"};
  }
  return {};
}

}  // namespace envelope
