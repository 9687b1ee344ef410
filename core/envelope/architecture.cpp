// SPDX-License-Identifier: MIT
// Over 400 lines because each count stands beside its formula.
#include "envelope/architecture.h"

#include <algorithm>
#include <cmath>

#include "envelope/adapters.h"

namespace envelope {
namespace {

struct Norms {
  double size;
  Formula formula;
};

Norms norm_size(const Model& m) {
  switch (m.norm) {
    case Norm::rmsnorm:
    case Norm::layernorm_nobias:
      return {m.hidden, "model.hidden"};
    case Norm::layernorm:
      return {2 * m.hidden, "2*model.hidden"};
    case Norm::nonparametric:
      break;
  }
  return {0, "0"};
}

/// The layers that keep a state.
void linear_layers(const Model& m, Architecture& a, const Ledger& note) {
  const LinearLayer l = a.linear_layer = linear_layer(m);
  const LinearFormulas formula = linear_formulas(m);
  note("arch.linear_inner", l.inner, "model.linear_heads*model.linear_head_dim");
  note("arch.linear_keys", l.keys, formula.keys);
  note("arch.linear_input", l.input, formula.input);
  note("arch.conv_channels", l.channels, formula.channels);
  a.state_values = note("arch.state_values", l.state, "arch.linear_inner*model.state_dim");
  a.conv_values =
      note("arch.conv_values", l.conv, "arch.conv_channels*max(0, model.conv_kernel - 1)");
  a.layer.linear = note("arch.linear_matrices", l.matrices, formula.matrices);
  a.layer.linear_other = note("arch.linear_other", l.other, formula.other);
  note("arch.linear_sides", l.sides, formula.sides);
  note("arch.linear_macs", l.macs, formula.macs);
  a.linear = note("params.linear", a.linear_layers * (l.matrices + l.other),
                  "arch.linear_layers*(arch.linear_matrices + arch.linear_other)");
  a.state_flops = note("flops.linear_state", FlopsPerToken{2 * a.linear_layers * l.macs},
                       "2*arch.linear_layers*arch.linear_macs");
}

/// Attention, feed-forward and router: what every block of the stack holds.
void blocks(const Model& m, Architecture& a, const Ledger& note) {
  const double d = m.hidden, f = m.ffn, L = m.layers;
  const bool mla = m.attention == Attention::mla;
  if (mla) {
    a.qk_width = note("arch.qk_width", m.heads * (m.nope_dim + m.rope_dim),
                      "model.heads*(model.nope_dim + model.rope_dim)");
    a.k_width = note("arch.k_width", a.qk_width, "arch.qk_width");
    a.v_width = note("arch.v_width", m.heads * m.v_dim, "model.heads*model.v_dim");
    a.o_width = note("arch.o_width", a.v_width, "arch.v_width");
  } else {
    a.qk_width = note("arch.qk_width", m.heads * m.head_dim, "model.heads*model.head_dim");
    a.k_width = note("arch.k_width", m.kv_heads * m.head_dim, "model.kv_heads*model.head_dim");
    a.v_width = note("arch.v_width", a.k_width, "arch.k_width");
    a.o_width = note("arch.o_width", a.qk_width, "arch.qk_width");
  }

  // A decoder layer of an encoder-decoder model attends twice: to itself and to the encoder.
  const bool two_stacks = m.kind == ModelKind::encoder_decoder;
  const LayerCount count = layers_between(m, 0, L);
  const LayerFormulas formula = layer_formulas(m);
  a.layers = L;
  a.decoder_layers = two_stacks ? note("arch.decoder_layers", std::max(0.0, L - m.encoder_layers),
                                       "max(0, model.layers - model.encoder_layers)")
                                : L;
  a.cross_layers = two_stacks ? a.decoder_layers : 0;
  a.attention_layers = note("arch.attention_layers", count.attention, formula.attention);
  a.linear_layers = note("arch.linear_layers", count.linear, formula.linear);
  a.mlp_layers = note("arch.mlp_layers", count.mlp, formula.mlp);
  const double blocks =
      two_stacks
          ? note("arch.attention_blocks", L + a.cross_layers, "model.layers + arch.decoder_layers")
          : note("arch.attention_blocks", a.attention_layers, "arch.attention_layers");

  double per_block = 0;
  if (mla && m.q_rank > 0)
    per_block = note("arch.attention_block",
                     d * m.q_rank + m.q_rank * a.qk_width + d * (m.kv_rank + m.rope_dim) +
                         m.kv_rank * m.heads * (m.nope_dim + m.v_dim) + a.o_width * d,
                     "model.hidden*model.q_rank + model.q_rank*arch.qk_width + "
                     "model.hidden*(model.kv_rank + model.rope_dim) + "
                     "model.kv_rank*model.heads*(model.nope_dim + model.v_dim) + "
                     "arch.o_width*model.hidden");
  else if (mla)
    per_block = note("arch.attention_block",
                     d * a.qk_width + d * (m.kv_rank + m.rope_dim) +
                         m.kv_rank * m.heads * (m.nope_dim + m.v_dim) + a.o_width * d,
                     "model.hidden*arch.qk_width + model.hidden*(model.kv_rank + model.rope_dim) "
                     "+ model.kv_rank*model.heads*(model.nope_dim + model.v_dim) + "
                     "arch.o_width*model.hidden");
  else if (m.relative_projection || m.attention_gate)
    per_block =
        note("arch.attention_block",
             d * ((1 + (m.relative_projection ? 1 : 0) + (m.attention_gate ? 1 : 0)) * a.qk_width +
                  a.k_width + a.v_width + a.o_width),
             "model.hidden*((1 + model.relative_projection + model.attention_gate)*arch.qk_width + "
             "arch.k_width + arch.v_width + arch.o_width)");
  else
    per_block = note("arch.attention_block", d * (a.qk_width + a.k_width + a.v_width + a.o_width),
                     "model.hidden*(arch.qk_width + arch.k_width + arch.v_width + arch.o_width)");
  a.layer.attention = per_block;
  a.attention =
      note("params.attention", blocks * per_block, "arch.attention_blocks*arch.attention_block");

  const double g = note("arch.mlp_matrices", m.gated ? 3.0 : 2.0);
  const bool moe = m.experts > 0;
  a.moe_layers = moe ? note("arch.moe_layers", count.moe,
                            "max(0, floor((arch.mlp_layers - model.first_dense)/model.moe_every))")
                     : note("arch.moe_layers", 0.0);
  const double dense = a.dense_layers =
      note("arch.dense_layers", count.dense, "arch.mlp_layers - arch.moe_layers");
  a.layer.mlp = g * d * f;
  a.mlp = note("params.mlp", dense * g * d * f + a.moe_layers * g * d * m.residual_ffn,
               "arch.dense_layers*arch.mlp_matrices*model.hidden*model.ffn + "
               "arch.moe_layers*arch.mlp_matrices*model.hidden*model.residual_ffn");
  if (moe) {
    // Biases of an expert: one per up or gate projection, plus the output.
    const double one = m.expert_bias
                           ? note("arch.expert", g * d * m.moe_ffn + (g - 1) * m.moe_ffn + d,
                                  "arch.mlp_matrices*model.hidden*model.moe_ffn + "
                                  "(arch.mlp_matrices - 1)*model.moe_ffn + model.hidden")
                           : note("arch.expert", g * d * m.moe_ffn,
                                  "arch.mlp_matrices*model.hidden*model.moe_ffn");
    a.layer.expert = one;
    a.layer.residual = g * d * m.residual_ffn;
    a.experts = note("params.experts", a.moe_layers * m.experts * one,
                     "arch.moe_layers*model.experts*arch.expert");
    if (m.shared_ffn == 0)
      note("params.shared_experts", 0.0);
    else
      a.shared_experts =
          m.expert_bias ? note("params.shared_experts",
                               a.moe_layers * (g * d * m.shared_ffn + (g - 1) * m.shared_ffn + d),
                               "arch.moe_layers*(arch.mlp_matrices*model.hidden*model.shared_ffn + "
                               "(arch.mlp_matrices - 1)*model.shared_ffn + model.hidden)")
                        : note("params.shared_experts", a.moe_layers * g * d * m.shared_ffn,
                               "arch.moe_layers*arch.mlp_matrices*model.hidden*model.shared_ffn");
    a.router = note("params.router",
                    a.moe_layers * (d * m.experts + (m.router_bias ? m.experts : 0) +
                                    (m.score_bias ? m.experts : 0) + (m.shared_gate ? d : 0)),
                    "arch.moe_layers*(model.hidden*model.experts + "
                    "model.router_bias*model.experts + model.score_bias*model.experts + "
                    "model.shared_gate*model.hidden)");
    if (a.moe_layers > 0) {
      a.layer.shared = a.shared_experts / a.moe_layers;
      a.layer.router = a.router / a.moe_layers;
    }
  }

  const double gates = m.attention_gate ? 2 : 1;
  const double qkv_bias = m.qkv_bias && !mla ? gates * a.qk_width + a.k_width + a.v_width : 0;
  a.layer.attention_other = qkv_bias + (m.out_bias ? d : 0);
  a.layer.mlp_biases = m.mlp_bias ? (g - 1) * f + d : 0;
  if (mla)
    a.biases = note(
        "params.biases",
        blocks * a.layer.attention_other + dense * a.layer.mlp_biases + (m.head_bias ? m.vocab : 0),
        "arch.attention_blocks*model.out_bias*model.hidden + "
        "arch.dense_layers*model.mlp_bias*((arch.mlp_matrices - 1)*model.ffn + "
        "model.hidden) + model.head_bias*model.vocab");
  else
    a.biases = note(
        "params.biases",
        blocks * a.layer.attention_other + dense * a.layer.mlp_biases + (m.head_bias ? m.vocab : 0),
        "arch.attention_blocks*(model.qkv_bias*((1 + model.attention_gate)*"
        "arch.qk_width + arch.k_width + arch.v_width) + model.out_bias*model.hidden) + "
        "arch.dense_layers*model.mlp_bias*((arch.mlp_matrices - 1)*model.ffn + "
        "model.hidden) + model.head_bias*model.vocab");

  // Global layers: every n-th where there is a window, else all of them.
  a.global_layers = note("arch.global_layers", count.global, formula.global);
  a.local_layers =
      note("arch.local_layers", count.local, "arch.attention_layers - arch.global_layers");
  if (a.linear_layers > 0) linear_layers(m, a, note);

  const double sides = blocks * (4 * d + a.qk_width + a.k_width + a.v_width + a.o_width) +
                       dense * g * (d + f) + a.moe_layers * m.experts * g * (d + m.moe_ffn) +
                       a.linear_layers * a.linear_layer.sides;
  a.matrix_sides =
      a.linear_layers > 0
          ? note("arch.matrix_sides", sides,
                 "arch.attention_blocks*(4*model.hidden + arch.qk_width + arch.k_width + "
                 "arch.v_width + arch.o_width) + arch.dense_layers*arch.mlp_matrices*(model.hidden "
                 "+ model.ffn) + arch.moe_layers*model.experts*arch.mlp_matrices*(model.hidden + "
                 "model.moe_ffn) + arch.linear_layers*arch.linear_sides")
          : note("arch.matrix_sides", sides,
                 "arch.attention_blocks*(4*model.hidden + arch.qk_width + arch.k_width + "
                 "arch.v_width + arch.o_width) + arch.dense_layers*arch.mlp_matrices*(model.hidden "
                 "+ model.ffn) + arch.moe_layers*model.experts*arch.mlp_matrices*(model.hidden + "
                 "model.moe_ffn)");
}

/// A vision transformer: patch embedding, class token and positions, blocks, head.
void vision(const Model& m, Architecture& a, const Ledger& note) {
  const double d = m.hidden, p = m.patch;
  const double side = std::floor(m.image / p);
  const double tokens =
      note("arch.image_tokens", side * side + 1, "floor(model.image/model.patch)^2 + 1");
  a.embedding = note("params.embedding", 3 * p * p * d + (m.patch_bias ? d : 0),
                     "3*model.patch^2*model.hidden + model.patch_bias*model.hidden");
  a.head = note("params.head", (m.classes > 0 ? d * m.classes + m.classes : 0) + d * m.projection,
                "model.hidden*model.classes + model.classes + model.hidden*model.projection");
  const Norms n = norm_size(m);
  note("arch.norm_size", n.size, n.formula);
  a.norms = note("params.norms", (2 * m.layers + 1 + (m.pre_norm ? 1 : 0)) * n.size,
                 "(2*model.layers + 1 + model.pre_norm)*arch.norm_size");
  a.other = note("params.other", d + tokens * d + m.extra_params,
                 "model.hidden + arch.image_tokens*model.hidden + model.extra_params");
  a.matmul = note("params.matmul", a.attention + a.mlp + 3 * p * p * d,
                  "params.attention + params.mlp + 3*model.patch^2*model.hidden");
}

/// A text model: token embedding, norms, head and the few things that hang on beside.
void text(const Model& m, Architecture& a, const Ledger& note) {
  const double d = m.hidden, V = m.vocab, L = m.layers;
  const double e = given(m.embed_dim) ? note("arch.embed_dim", m.embed_dim, "model.embed_dim")
                                      : note("arch.embed_dim", d, "model.hidden");
  a.embedding = note("params.embedding", V * e, "model.vocab*arch.embed_dim");
  const double head_matrix = a.head_matrix =
      note("arch.head_matrix", V * e, "model.vocab*arch.embed_dim");
  a.head = m.tied ? note("params.head", 0.0) : note("params.head", head_matrix, "arch.head_matrix");

  const Norms n = norm_size(m);
  note("arch.norm_size", n.size, n.formula);
  if (m.kind == ModelKind::encoder_decoder) {
    a.norms = note("params.norms", (2 * a.layers + a.decoder_layers + 2) * n.size,
                   "(2*model.layers + arch.decoder_layers + 2)*"
                   "arch.norm_size");
  } else {
    double inner = 0;
    if (m.attention == Attention::mla)
      inner = note("arch.inner_norms", m.kv_rank + m.q_rank, "model.kv_rank + model.q_rank");
    else if (m.qk_norm == QkNorm::per_head)
      inner = note("arch.inner_norms", 2 * m.head_dim, "2*model.head_dim");
    else if (m.qk_norm == QkNorm::full)
      inner = note("arch.inner_norms", a.qk_width + a.k_width, "arch.qk_width + arch.k_width");
    else
      inner = note("arch.inner_norms", 0.0);
    // A layer without an MLP has half of the norms.
    a.layer.norms = m.norms_per_layer * n.size;
    a.layer.attention_other += inner + (m.sinks ? m.heads : 0);
    a.norms = note("params.norms",
                   (m.norms_per_layer * (L + a.mlp_layers) / 2 + (m.final_norm ? 1 : 0) +
                    (m.embed_norm ? 1 : 0) + a.moe_layers * m.residual_norms) *
                           n.size +
                       a.attention_layers * inner,
                   "(model.norms_per_layer*(model.layers + arch.mlp_layers)/2 + model.final_norm + "
                   "model.embed_norm + arch.moe_layers*model.residual_norms)*arch.norm_size + "
                   "arch.attention_layers*arch.inner_norms");
  }

  // Projections into and out of a narrower embedding (OPT 350M, ALBERT).
  const double projections = given(m.embed_dim) && e != d ? note("arch.projections", 2 * e * d,
                                                                 "2*arch.embed_dim*model.hidden")
                                                          : note("arch.projections", 0.0);
  a.other = note("params.other",
                 projections + m.learned_positions * d + m.token_types * d +
                     (m.pooler ? d * d + d : 0) + 2 * m.relative_buckets * m.heads +
                     (m.sinks ? a.attention_layers * m.heads : 0) + m.extra_params,
                 "arch.projections + model.learned_positions*model.hidden + "
                 "model.token_types*model.hidden + model.pooler*(model.hidden^2 + model.hidden) + "
                 "2*model.relative_buckets*model.heads + "
                 "model.sinks*arch.attention_layers*model.heads + model.extra_params");

  // The head multiplies each token even when its weights are those of the embedding.
  a.routed = a.moe_layers * m.top_k * (m.gated ? 3 : 2) * d * m.moe_ffn;
  const double linear = a.linear_layers * a.layer.linear;
  const Literal matmul = a.mtp_trained > 0 ? "params.main_matmul" : "params.matmul";
  if (a.moe_layers > 0) {
    note("arch.routed", a.routed,
         "arch.moe_layers*model.top_k*arch.mlp_matrices*model.hidden*model.moe_ffn");
    a.matmul = note(matmul,
                    a.attention + linear + a.mlp + a.routed + a.shared_experts +
                        a.moe_layers * d * m.experts + projections + head_matrix,
                    a.linear_layers > 0
                        ? "params.attention + arch.linear_layers*arch.linear_matrices + params.mlp "
                          "+ arch.routed + params.shared_experts + "
                          "arch.moe_layers*model.hidden*model.experts + arch.projections + "
                          "arch.head_matrix"
                        : "params.attention + params.mlp + arch.routed + params.shared_experts + "
                          "arch.moe_layers*model.hidden*model.experts + arch.projections + "
                          "arch.head_matrix");
  } else if (m.kind == ModelKind::encoder_decoder) {  // a token passes one stack or the other
    a.matmul = note("params.matmul", (a.attention + a.mlp) / 2 + head_matrix,
                    "(params.attention + params.mlp)/2 + arch.head_matrix");
  } else {
    a.matmul = note(matmul, a.attention + linear + a.mlp + projections + head_matrix,
                    a.linear_layers > 0
                        ? "params.attention + arch.linear_layers*arch.linear_matrices + params.mlp "
                          "+ arch.projections + arch.head_matrix"
                        : "params.attention + params.mlp + arch.projections + arch.head_matrix");
  }
}

/// Modules that predict further tokens (DeepSeek-V3): one more layer each, on a projection of the
/// last hidden state and the next embedding, with norms on both and one behind; embedding and head
/// are the model's own.
void further_tokens(const Model& m, Architecture& a, const Ledger& note) {
  const double d = m.hidden, n = norm_size(m).size, g = m.gated ? 3 : 2;
  const bool moe = a.moe_layers > 0, mla = m.attention == Attention::mla;
  note("arch.attention_other", a.layer.attention_other,
       mla ? "model.out_bias*model.hidden + arch.inner_norms + model.sinks*model.heads"
           : "model.qkv_bias*((1 + model.attention_gate)*arch.qk_width + arch.k_width + "
             "arch.v_width) + model.out_bias*model.hidden + arch.inner_norms + "
             "model.sinks*model.heads");
  const double mlp = moe ? m.experts * a.layer.expert + a.layer.shared + a.layer.router +
                               a.layer.residual + m.residual_norms * n
                         : a.layer.mlp + a.layer.mlp_biases;
  const double one =
      note("arch.mtp_module",
           a.layer.attention + a.layer.attention_other + mlp + a.layer.norms + 2 * d * d + 3 * n,
           moe ? "arch.attention_block + arch.attention_other + model.experts*arch.expert + "
                 "(params.shared_experts + params.router)/arch.moe_layers + "
                 "arch.mlp_matrices*model.hidden*model.residual_ffn + "
                 "model.residual_norms*arch.norm_size + model.norms_per_layer*arch.norm_size + "
                 "2*model.hidden^2 + 3*arch.norm_size"
               : "arch.attention_block + arch.attention_other + "
                 "arch.mlp_matrices*model.hidden*model.ffn + model.mlp_bias*((arch.mlp_matrices - "
                 "1)*model.ffn + model.hidden) + model.norms_per_layer*arch.norm_size + "
                 "2*model.hidden^2 + 3*arch.norm_size");
  a.mtp = note("params.mtp", m.mtp_layers * one, "model.mtp_layers*arch.mtp_module");
  if (a.mtp_trained == 0) return;
  const double chosen =
      moe ? m.top_k * g * d * m.moe_ffn + a.layer.shared + d * m.experts + a.layer.residual
          : a.layer.mlp;
  const double matmul = a.mtp_matmul =
      note("arch.mtp_matmul", a.layer.attention + chosen + 2 * d * d + a.head_matrix,
           moe ? "arch.attention_block + arch.mlp_matrices*model.hidden*(model.top_k*model.moe_ffn "
                 "+ model.residual_ffn) + params.shared_experts/arch.moe_layers + "
                 "model.hidden*model.experts + 2*model.hidden^2 + arch.head_matrix"
               : "arch.attention_block + arch.mlp_matrices*model.hidden*model.ffn + "
                 "2*model.hidden^2 + arch.head_matrix");
  a.matmul = note("params.matmul", a.matmul + m.mtp_layers * matmul,
                  "params.main_matmul + model.mtp_layers*arch.mtp_matmul");
  if (moe) a.routed = a.routed * (1 + m.mtp_layers / a.moe_layers);
}

/// MTP modules are part of the model where the model itself is trained, and nowhere else.
double trained_modules(const Scenario& s) {
  const bool all = s.run.task == Task::pretrain ||
                   (s.run.task == Task::finetune && s.tune.method == Method::full);
  return all && s.model.kind == ModelKind::decoder ? s.model.mtp_layers : 0;
}

void totals(const Model& m, Architecture& a, const Ledger& note) {
  const double dense = a.embedding + a.attention + a.linear + a.mlp + a.shared_experts + a.router +
                       a.norms + a.biases + a.head + a.other;
  const bool moe = a.moe_layers > 0, linear = a.linear_layers > 0, mtp = a.mtp_trained > 0;
  a.total = note(mtp ? "params.main" : "params.total", dense + a.experts,
                 moe && linear
                     ? "params.embedding + params.attention + params.linear + params.mlp + "
                       "params.experts + params.shared_experts + params.router + params.norms + "
                       "params.biases + params.head + params.other"
                 : moe    ? "params.embedding + params.attention + params.mlp + params.experts + "
                            "params.shared_experts + params.router + params.norms + params.biases + "
                            "params.head + params.other"
                 : linear ? "params.embedding + params.attention + params.linear + params.mlp + "
                            "params.norms + params.biases + params.head + params.other"
                          : "params.embedding + params.attention + params.mlp + params.norms + "
                            "params.biases + params.head + params.other");
  if (mtp) a.total = note("params.total", a.total + a.mtp, "params.main + params.mtp");
  const double rest = m.experts - m.top_k;  // experts of a layer that a token does not choose
  if (moe && mtp)
    a.active =
        note("params.active", a.total - (a.moe_layers + m.mtp_layers) * rest * a.layer.expert,
             "params.total - (arch.moe_layers + model.mtp_layers)*(model.experts - "
             "model.top_k)*arch.expert");
  else if (moe)
    a.active = note("params.active", dense + a.experts * m.top_k / m.experts,
                    "params.total - params.experts + params.experts*model.top_k/model.experts");
  else if (m.kind == ModelKind::encoder_decoder)
    a.active = note("params.active", a.total - (a.attention + a.mlp) / 2,
                    "params.total - (params.attention + params.mlp)/2");
  else
    a.active = note("params.active", a.total, "params.total");
}

}  // namespace

Architecture architecture(const Scenario& s, const Ledger& note) {
  const Model& m = s.model;
  Architecture a;
  if (m.kind == ModelKind::size_only) {
    a.known = false;
    a.total = note("params.total", m.params, "model.params");
    a.active = given(m.active) ? note("params.active", m.active, "model.active")
                               : note("params.active", a.total, "params.total");
    a.matmul = note("params.matmul", a.active, "params.active");
  } else {
    a.mtp_trained = trained_modules(s);
    blocks(m, a, note);
    m.kind == ModelKind::vit ? vision(m, a, note) : text(m, a, note);
    if (m.mtp_layers > 0 && m.kind == ModelKind::decoder) further_tokens(m, a, note);
    totals(m, a, note);
  }
  adapters(s, a, note);
  return a;
}

}  // namespace envelope
