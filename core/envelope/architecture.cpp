// SPDX-License-Identifier: MIT
#include "envelope/architecture.h"

#include <algorithm>
#include <cmath>

namespace envelope {
namespace {

struct Norms {
  double size;
  std::string_view formula;
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
  a.layers = L;
  a.decoder_layers = two_stacks ? note("arch.decoder_layers", std::max(0.0, L - m.encoder_layers),
                                       "max(0, model.layers - model.encoder_layers)")
                                : L;
  a.cross_layers = two_stacks ? a.decoder_layers : 0;
  const double blocks = two_stacks ? note("arch.attention_blocks", L + a.cross_layers,
                                          "model.layers + arch.decoder_layers")
                                   : note("arch.attention_blocks", L, "model.layers");

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
  else if (m.relative_projection)
    per_block =
        note("arch.attention_block", d * (2 * a.qk_width + a.k_width + a.v_width + a.o_width),
             "model.hidden*(2*arch.qk_width + arch.k_width + arch.v_width + arch.o_width)");
  else
    per_block = note("arch.attention_block", d * (a.qk_width + a.k_width + a.v_width + a.o_width),
                     "model.hidden*(arch.qk_width + arch.k_width + arch.v_width + arch.o_width)");
  a.attention =
      note("params.attention", blocks * per_block, "arch.attention_blocks*arch.attention_block");

  const double g = note("arch.mlp_matrices", m.gated ? 3.0 : 2.0);
  const bool moe = m.experts > 0;
  a.moe_layers =
      moe ? note("arch.moe_layers", std::max(0.0, std::floor((L - m.first_dense) / m.moe_every)),
                 "max(0, floor((model.layers - model.first_dense)/model.moe_every))")
          : note("arch.moe_layers", 0.0);
  const double dense =
      note("arch.dense_layers", L - a.moe_layers, "model.layers - arch.moe_layers");
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
    a.experts = note("params.experts", a.moe_layers * m.experts * one,
                     "arch.moe_layers*model.experts*arch.expert");
    if (m.shared_ffn > 0)
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
  }

  const double qkv_bias = m.qkv_bias && !mla ? a.qk_width + a.k_width + a.v_width : 0;
  if (mla)
    a.biases = note("params.biases",
                    blocks * (m.out_bias ? d : 0) + dense * (m.mlp_bias ? (g - 1) * f + d : 0) +
                        (m.head_bias ? m.vocab : 0),
                    "arch.attention_blocks*model.out_bias*model.hidden + "
                    "arch.dense_layers*model.mlp_bias*((arch.mlp_matrices - 1)*model.ffn + "
                    "model.hidden) + model.head_bias*model.vocab");
  else
    a.biases = note("params.biases",
                    blocks * (qkv_bias + (m.out_bias ? d : 0)) +
                        dense * (m.mlp_bias ? (g - 1) * f + d : 0) + (m.head_bias ? m.vocab : 0),
                    "arch.attention_blocks*(model.qkv_bias*(arch.qk_width + arch.k_width + "
                    "arch.v_width) + model.out_bias*model.hidden) + "
                    "arch.dense_layers*model.mlp_bias*((arch.mlp_matrices - 1)*model.ffn + "
                    "model.hidden) + model.head_bias*model.vocab");

  // Global layers: every n-th where there is a window, else all of them.
  if (m.window > 0)
    a.global_layers = m.global_every > 0
                          ? note("arch.global_layers", std::floor(L / m.global_every),
                                 "floor(model.layers/model.global_every)")
                          : note("arch.global_layers", 0.0);
  else
    a.global_layers = note("arch.global_layers", L, "model.layers");
  a.local_layers =
      note("arch.local_layers", L - a.global_layers, "model.layers - arch.global_layers");

  a.matrix_sides =
      note("arch.matrix_sides",
           blocks * (4 * d + a.qk_width + a.k_width + a.v_width + a.o_width) + dense * g * (d + f) +
               a.moe_layers * m.experts * g * (d + m.moe_ffn),
           "arch.attention_blocks*(4*model.hidden + arch.qk_width + arch.k_width + arch.v_width + "
           "arch.o_width) + arch.dense_layers*arch.mlp_matrices*(model.hidden + model.ffn) + "
           "arch.moe_layers*model.experts*arch.mlp_matrices*(model.hidden + model.moe_ffn)");
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
    a.norms = note("params.norms",
                   (L * m.norms_per_layer + (m.final_norm ? 1 : 0) + (m.embed_norm ? 1 : 0) +
                    a.moe_layers * m.residual_norms) *
                           n.size +
                       L * inner,
                   "(model.layers*model.norms_per_layer + model.final_norm + model.embed_norm + "
                   "arch.moe_layers*model.residual_norms)*arch.norm_size + "
                   "model.layers*arch.inner_norms");
  }

  // Projections into and out of a narrower embedding (OPT 350M, ALBERT).
  const double projections = given(m.embed_dim) && e != d ? note("arch.projections", 2 * e * d,
                                                                 "2*arch.embed_dim*model.hidden")
                                                          : note("arch.projections", 0.0);
  a.other =
      note("params.other",
           projections + m.learned_positions * d + m.token_types * d + (m.pooler ? d * d + d : 0) +
               2 * m.relative_buckets * m.heads + (m.sinks ? L * m.heads : 0) + m.extra_params,
           "arch.projections + model.learned_positions*model.hidden + "
           "model.token_types*model.hidden + model.pooler*(model.hidden^2 + model.hidden) + "
           "2*model.relative_buckets*model.heads + model.sinks*model.layers*model.heads + "
           "model.extra_params");

  // The head multiplies each token even when its weights are those of the embedding.
  const double routed = a.moe_layers * m.top_k * (m.gated ? 3 : 2) * d * m.moe_ffn;
  if (a.moe_layers > 0)
    a.matmul = note("params.matmul",
                    a.attention + a.mlp + routed + a.shared_experts + a.moe_layers * d * m.experts +
                        projections + head_matrix,
                    m.shared_ffn > 0
                        ? "params.attention + params.mlp + "
                          "arch.moe_layers*model.top_k*arch.mlp_matrices*model.hidden*model.moe_ffn"
                          " + params.shared_experts + arch.moe_layers*model.hidden*model.experts + "
                          "arch.projections + arch.head_matrix"
                        : "params.attention + params.mlp + "
                          "arch.moe_layers*model.top_k*arch.mlp_matrices*model.hidden*model.moe_ffn"
                          " + arch.moe_layers*model.hidden*model.experts + arch.projections + "
                          "arch.head_matrix");
  else if (m.kind == ModelKind::encoder_decoder)  // a token passes one stack or the other
    a.matmul = note("params.matmul", (a.attention + a.mlp) / 2 + head_matrix,
                    "(params.attention + params.mlp)/2 + arch.head_matrix");
  else
    a.matmul = note("params.matmul", a.attention + a.mlp + projections + head_matrix,
                    "params.attention + params.mlp + arch.projections + arch.head_matrix");
}

/// The parameters that a method trains.
double trainable(const Scenario& s, const Architecture& a, const Ledger& note) {
  const Model& m = s.model;
  if (s.run.task != Task::finetune || s.tune.method == Method::full)
    return note("params.trainable", a.total, "params.total");
  if (given(s.tune.trainable)) return note("params.trainable", s.tune.trainable, "tune.trainable");
  // Nothing is known of the matrices: the reduction of the LoRA paper, 10,000 times.
  if (!a.known) return note("params.trainable", a.total / 10000, "params.total/10000");

  const double d = m.hidden, r = s.tune.rank;
  const bool mla = m.attention == Attention::mla;
  double sides = 0;
  if (s.tune.targets == Targets::query_value)
    sides = note("tune.attention_sides", 2 * d + a.qk_width + a.v_width,
                 "2*model.hidden + arch.qk_width + arch.v_width");
  else if (mla && m.q_rank > 0)
    sides = note("tune.attention_sides",
                 (d + m.q_rank) + (m.q_rank + a.qk_width) + (d + m.kv_rank + m.rope_dim) +
                     (m.kv_rank + m.heads * (m.nope_dim + m.v_dim)) + (a.o_width + d),
                 "(model.hidden + model.q_rank) + (model.q_rank + arch.qk_width) + "
                 "(model.hidden + model.kv_rank + model.rope_dim) + (model.kv_rank + "
                 "model.heads*(model.nope_dim + model.v_dim)) + (arch.o_width + model.hidden)");
  else
    sides = note("tune.attention_sides", 4 * d + a.qk_width + a.k_width + a.v_width + a.o_width,
                 "4*model.hidden + arch.qk_width + arch.k_width + arch.v_width + arch.o_width");
  const double attention = note("tune.attention_adapters", r * sides * (a.layers + a.cross_layers),
                                "tune.rank*tune.attention_sides*arch.attention_blocks");
  if (s.tune.targets != Targets::all_linear)
    return note("params.trainable", attention, "tune.attention_adapters");
  const double g = m.gated ? 3 : 2, dense = m.layers - a.moe_layers;
  const double mlp = note(
      "tune.mlp_adapters",
      r * g *
          (dense * (d + m.ffn) +
           a.moe_layers * (m.experts * (d + m.moe_ffn) + (m.shared_ffn > 0 ? d + m.shared_ffn : 0) +
                           (m.residual_ffn > 0 ? d + m.residual_ffn : 0))),
      m.shared_ffn > 0
          ? "tune.rank*arch.mlp_matrices*(arch.dense_layers*(model.hidden + model.ffn) + "
            "arch.moe_layers*(model.experts*(model.hidden + model.moe_ffn) + model.hidden + "
            "model.shared_ffn))"
      : m.residual_ffn > 0
          ? "tune.rank*arch.mlp_matrices*(arch.dense_layers*(model.hidden + model.ffn) + "
            "arch.moe_layers*(model.experts*(model.hidden + model.moe_ffn) + model.hidden + "
            "model.residual_ffn))"
          : "tune.rank*arch.mlp_matrices*(arch.dense_layers*(model.hidden + model.ffn) + "
            "arch.moe_layers*model.experts*(model.hidden + model.moe_ffn))");
  return note("params.trainable", attention + mlp, "tune.attention_adapters + tune.mlp_adapters");
}

/// Of those, the adapters that work on each token: those of experts it does not choose rest.
double trainable_active(const Scenario& s, const Architecture& a, const Ledger& note) {
  const Model& m = s.model;
  if (s.run.task != Task::finetune || s.tune.method == Method::full) return a.active;
  const bool counted =
      a.moe_layers > 0 && s.tune.targets == Targets::all_linear && !given(s.tune.trainable);
  if (!counted) return note("params.trainable_active", a.trainable, "params.trainable");
  const double g = m.gated ? 3 : 2, resting = std::max(0.0, m.experts - m.top_k);
  return note("params.trainable_active",
              a.trainable - s.tune.rank * g * a.moe_layers * resting * (m.hidden + m.moe_ffn),
              "params.trainable - tune.rank*arch.mlp_matrices*arch.moe_layers*"
              "max(0, model.experts - model.top_k)*(model.hidden + model.moe_ffn)");
}

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

LayerCount layers_between(const Model& m, double from, double to) {
  const LayerCount a = first_layers(m, from), b = first_layers(m, to);
  return {b.layers - a.layers, b.attention - a.attention,
          b.linear - a.linear, b.global - a.global,
          b.local - a.local,   b.mlp - a.mlp,
          b.dense - a.dense,   b.moe - a.moe};
}

Architecture architecture(const Scenario& s, const Ledger& note) {
  const Model& m = s.model;
  Architecture a;
  if (m.kind == ModelKind::size_only) {
    a.known = false;
    a.total = note("params.total", m.params, "model.params");
    a.active = given(m.active) ? note("params.active", m.active, "model.active")
                               : note("params.active", a.total, "params.total");
    a.matmul = note("params.matmul", a.active, "params.active");
    a.trainable = trainable(s, a, note);
    a.trainable_active = trainable_active(s, a, note);
    return a;
  }

  blocks(m, a, note);
  m.kind == ModelKind::vit ? vision(m, a, note) : text(m, a, note);
  const double dense = a.embedding + a.attention + a.mlp + a.shared_experts + a.router + a.norms +
                       a.biases + a.head + a.other;
  if (a.moe_layers > 0) {
    const std::string_view total =
        m.shared_ffn > 0
            ? "params.embedding + params.attention + params.mlp + params.experts + "
              "params.shared_experts + params.router + params.norms + params.biases + params.head "
              "+ params.other"
            : "params.embedding + params.attention + params.mlp + params.experts + params.router + "
              "params.norms + params.biases + params.head + params.other";
    a.total = note("params.total", dense + a.experts, total);
    a.active = note("params.active", dense + a.experts * m.top_k / m.experts,
                    "params.total - params.experts + params.experts*model.top_k/model.experts");
  } else {
    a.total = note("params.total", dense,
                   "params.embedding + params.attention + params.mlp + params.norms + "
                   "params.biases + params.head + params.other");
    a.active = m.kind == ModelKind::encoder_decoder
                   ? note("params.active", dense - (a.attention + a.mlp) / 2,
                          "params.total - (params.attention + params.mlp)/2")
                   : note("params.active", dense, "params.total");
  }
  a.trainable = trainable(s, a, note);
  a.trainable_active = trainable_active(s, a, note);
  return a;
}

}  // namespace envelope
