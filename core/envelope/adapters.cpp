// SPDX-License-Identifier: MIT
#include "envelope/adapters.h"

#include <algorithm>

namespace envelope {

AdapterTargets adapter_targets(const Scenario& s) {
  const Tune& t = s.tune;
  if (s.run.task != Task::finetune || (t.method != Method::lora && t.method != Method::qlora))
    return {};
  const bool custom = t.targets == Targets::custom, all = t.targets == Targets::all_linear;
  const bool mlp = all || t.targets == Targets::mlp;
  const bool attention = all || t.targets == Targets::attention;
  const bool query_value = attention || t.targets == Targets::query_value;
  return {.query = custom ? t.q : query_value,
          .key = custom ? t.k : attention,
          .value = custom ? t.v : query_value,
          .out = custom ? t.o : attention,
          .gate = s.model.gated && (custom ? t.gate : mlp),
          .up = custom ? t.up : mlp,
          .down = custom ? t.down : mlp,
          .linear = all};
}

namespace {

/// Inputs plus outputs of the attention matrices of one block that have an adapter. With MLA the
/// query adapters are on both query projections, those of key and value on the way to the latent
/// and from it.
double attention_sides(const Scenario& s, const Architecture& a, const AdapterTargets& t,
                       const Ledger& note) {
  const Model& m = s.model;
  const double d = m.hidden;
  double q = 0, k = 0, v = 0;
  if (m.attention == Attention::mla) {
    q = m.q_rank > 0 ? note("tune.query_sides", d + 2 * m.q_rank + a.qk_width,
                            "model.hidden + 2*model.q_rank + arch.qk_width")
                     : note("tune.query_sides", d + a.qk_width, "model.hidden + arch.qk_width");
    k = note("tune.key_sides", d + m.kv_rank + m.rope_dim,
             "model.hidden + model.kv_rank + model.rope_dim");
    v = note("tune.value_sides", m.kv_rank + m.heads * (m.nope_dim + m.v_dim),
             "model.kv_rank + model.heads*(model.nope_dim + model.v_dim)");
  } else {
    q = note("tune.query_sides", d + (m.attention_gate ? 2 : 1) * a.qk_width,
             "model.hidden + (1 + model.attention_gate)*arch.qk_width");
    k = note("tune.key_sides", d + a.k_width, "model.hidden + arch.k_width");
    v = note("tune.value_sides", d + a.v_width, "model.hidden + arch.v_width");
  }
  const double o = note("tune.out_sides", a.o_width + d, "arch.o_width + model.hidden");
  const double sum = (t.query ? q : 0) + (t.key ? k : 0) + (t.value ? v : 0) + (t.out ? o : 0);
  switch (s.tune.targets) {
    case Targets::query_value:
      return note("tune.attention_sides", sum, "tune.query_sides + tune.value_sides");
    case Targets::attention:
    case Targets::all_linear:
      return note("tune.attention_sides", sum,
                  "tune.query_sides + tune.key_sides + tune.value_sides + tune.out_sides");
    case Targets::mlp:
      return note("tune.attention_sides", sum);
    case Targets::custom:
      break;
  }
  return note("tune.attention_sides", sum,
              "tune.q*tune.query_sides + tune.k*tune.key_sides + tune.v*tune.value_sides + "
              "tune.o*tune.out_sides");
}

void lora(const Scenario& s, Architecture& a, const Ledger& note) {
  const Model& m = s.model;
  const double d = m.hidden, r = s.tune.rank;
  const AdapterTargets t = adapter_targets(s);
  const double blocks = a.attention_layers + a.cross_layers;
  const double attention =
      note("tune.attention_adapters", r * attention_sides(s, a, t, note) * blocks,
           "tune.rank*tune.attention_sides*arch.attention_blocks");

  const double matrices = (t.gate ? 1 : 0) + (t.up ? 1 : 0) + (t.down ? 1 : 0);
  const bool all = s.tune.targets == Targets::all_linear || s.tune.targets == Targets::mlp;
  note("tune.mlp_targets", matrices,
       s.tune.targets != Targets::custom ? (all ? "arch.mlp_matrices" : "")
       : m.gated                         ? "tune.gate + tune.up + tune.down"
                                         : "tune.up + tune.down");
  const auto sides = [&](double width) { return width > 0 ? d + width : 0; };
  const double experts = s.tune.experts ? m.experts * (d + m.moe_ffn) : 0;
  const double mlp_sides =
      note("tune.mlp_sides",
           a.dense_layers * (d + m.ffn) +
               a.moe_layers * (experts + sides(m.shared_ffn) + sides(m.residual_ffn)),
           "arch.dense_layers*(model.hidden + model.ffn) + arch.moe_layers*("
           "tune.experts*model.experts*(model.hidden + model.moe_ffn) + "
           "min(1, model.shared_ffn)*(model.hidden + model.shared_ffn) + "
           "min(1, model.residual_ffn)*(model.hidden + model.residual_ffn))");
  const double mlp = note("tune.mlp_adapters", r * matrices * mlp_sides,
                          "tune.rank*tune.mlp_targets*tune.mlp_sides");
  a.expert_adapters = note("tune.expert_adapters", r * matrices * a.moe_layers * experts,
                           "tune.rank*tune.mlp_targets*arch.moe_layers*tune.experts*model.experts*"
                           "(model.hidden + model.moe_ffn)");
  const bool linear = t.linear && a.linear_layers > 0;
  const double state =
      linear ? note("tune.linear_adapters", r * a.linear_layers * a.linear_layer.sides,
                    "tune.rank*arch.linear_layers*arch.linear_sides")
             : 0;
  a.trainable = note("tune.adapters", attention + mlp + state,
                     linear ? "tune.attention_adapters + tune.mlp_adapters + tune.linear_adapters"
                            : "tune.attention_adapters + tune.mlp_adapters");
  // Adapters of experts that a token does not choose rest.
  const double resting = s.tune.experts ? std::max(0.0, m.experts - m.top_k) : 0;
  if (a.moe_layers > 0 && matrices > 0 && s.tune.experts)
    a.trainable_active = note("params.trainable_active",
                              a.trainable - r * matrices * a.moe_layers * resting * (d + m.moe_ffn),
                              "tune.adapters - tune.rank*tune.mlp_targets*arch.moe_layers*"
                              "max(0, model.experts - model.top_k)*(model.hidden + model.moe_ffn)");
  else
    a.trainable_active = note("params.trainable_active", a.trainable, "tune.adapters");
}

/// LLaMA-Adapter (Zhang et al. 2023): in all attention layers but the first two a prefix and one
/// gate a head. Version 2 adds a scale and a bias to each output of each linear layer, and trains
/// the norms.
void llama_adapter(const Scenario& s, Architecture& a, const Ledger& note) {
  const Model& m = s.model;
  const double d = m.hidden;
  a.prefix_layers = note("tune.prefix_layers", std::max(0.0, a.attention_layers - 2),
                         "max(0, arch.attention_layers - 2)");
  const double prefix = note("tune.prefix_params", a.prefix_layers * (s.tune.prefix * d + m.heads),
                             "tune.prefix_layers*(tune.prefix*model.hidden + model.heads)");
  note("params.trainable_active", 0.0);
  if (s.tune.method == Method::adapter) {
    note("tune.expert_adapters", 0.0);
    a.trainable = note("tune.adapters", prefix, "tune.prefix_params");
    return;
  }
  const bool mla = m.attention == Attention::mla;
  const double attention =
      mla ? note("tune.attention_outputs",
                 m.q_rank + a.qk_width + m.kv_rank + m.rope_dim + m.heads * (m.nope_dim + m.v_dim) +
                     d,
                 "model.q_rank + arch.qk_width + model.kv_rank + model.rope_dim + "
                 "model.heads*(model.nope_dim + model.v_dim) + model.hidden")
          : note("tune.attention_outputs",
                 (m.attention_gate ? 2 : 1) * a.qk_width + a.k_width + a.v_width + d,
                 "(1 + model.attention_gate)*arch.qk_width + arch.k_width + arch.v_width + "
                 "model.hidden");
  const double g = m.gated ? 3 : 2;
  const auto outputs = [&](double width) { return width > 0 ? (g - 1) * width + d : 0; };
  const double mlp =
      note("tune.mlp_outputs",
           a.dense_layers * outputs(m.ffn) +
               a.moe_layers * (m.experts * (outputs(m.moe_ffn) + 1) + outputs(m.shared_ffn) +
                               outputs(m.residual_ffn)),
           "arch.dense_layers*((arch.mlp_matrices - 1)*model.ffn + model.hidden) + "
           "arch.moe_layers*(model.experts*((arch.mlp_matrices - 1)*model.moe_ffn + "
           "min(1, model.moe_ffn)*model.hidden + 1) + (arch.mlp_matrices - 1)*(model.shared_ffn + "
           "model.residual_ffn) + (min(1, model.shared_ffn) + min(1, model.residual_ffn))*"
           "model.hidden)");
  // The one more output of each expert is the router's, on every rank.
  a.expert_adapters =
      note("tune.expert_adapters", 2 * a.moe_layers * m.experts * outputs(m.moe_ffn),
           "2*arch.moe_layers*model.experts*((arch.mlp_matrices - 1)*model.moe_ffn + "
           "min(1, model.moe_ffn)*model.hidden)");
  const bool mamba = m.linear == Linear::mamba;
  const double linear =
      a.linear_layers == 0
          ? note("tune.linear_outputs", 0.0)
          : note("tune.linear_outputs",
                 a.linear_layers *
                     (a.linear_layer.input + d +
                      (mamba ? m.dt_rank + 2 * m.state_dim + a.linear_layer.inner : 0)),
                 mamba ? "arch.linear_layers*(arch.linear_input + model.hidden + model.dt_rank + "
                         "2*model.state_dim + arch.linear_inner)"
                       : "arch.linear_layers*(arch.linear_input + model.hidden)");
  const bool vit = m.kind == ModelKind::vit;
  const double head = note("tune.head_outputs", vit ? m.classes + m.projection : m.vocab,
                           vit ? "model.classes + model.projection" : "model.vocab");
  const double blocks = a.attention_layers + a.cross_layers;
  a.trainable =
      note("tune.adapters", prefix + 2 * (blocks * attention + mlp + linear + head) + a.norms,
           "tune.prefix_params + 2*(arch.attention_blocks*tune.attention_outputs + "
           "tune.mlp_outputs + tune.linear_outputs + tune.head_outputs) + params.norms");
}

/// Prefix tuning (Li and Liang 2021): keys and values of the prefix, in each attention layer.
void prefix_tuning(const Scenario& s, Architecture& a, const Ledger& note) {
  a.prefix_layers = note("tune.prefix_layers", a.attention_layers, "arch.attention_layers");
  note("params.trainable_active", 0.0);
  note("tune.expert_adapters", 0.0);
  a.trainable = note("tune.adapters", a.prefix_layers * s.tune.prefix * (a.k_width + a.v_width),
                     "tune.prefix_layers*tune.prefix*(arch.k_width + arch.v_width)");
}

/// Embedding and head trained in full beside the adapters; a tied matrix is trained once. The
/// embedding is looked up, so only the head costs FLOPs.
void whole_modules(const Scenario& s, Architecture& a, const Ledger& note) {
  const bool embed = s.tune.embed, head = s.tune.head;
  const bool own = a.head > 0;  // a head that is not the embedding
  const double both = (embed || (head && !own) ? a.embedding : 0) + (head && own ? a.head : 0);
  if (!embed && !head) {
    a.trainable = note("params.trainable", a.trainable, "tune.adapters");
    return;
  }
  a.trained_embedding = embed || (head && !own) ? a.embedding : 0;
  a.trained_head = head && own ? a.head : 0;
  a.trainable = note("params.trainable", a.trainable + both,
                     head && own && embed ? "tune.adapters + params.embedding + params.head"
                     : head && own        ? "tune.adapters + params.head"
                                          : "tune.adapters + params.embedding");
  a.trained_matmul = head || !own ? note("tune.trained_matmul", a.head_matrix,
                                         a.head_matrix > 0 ? "arch.head_matrix" : "")
                                  : note("tune.trained_matmul", 0.0);
}

}  // namespace

void adapters(const Scenario& s, Architecture& a, const Ledger& note) {
  if (s.run.task != Task::finetune || s.tune.method == Method::full) {
    a.trainable = note("params.trainable", a.total, "params.total");
    a.trainable_active = a.active;
    return;
  }
  if (given(s.tune.trainable) || !a.known) {
    // Nothing is known of the matrices: the reduction of the LoRA paper, 10,000 times.
    a.trainable = given(s.tune.trainable)
                      ? note("params.trainable", s.tune.trainable, "tune.trainable")
                      : note("params.trainable", a.total / 10000, "params.total/10000");
    a.trainable_active = note("params.trainable_active", a.trainable, "params.trainable");
    note("tune.expert_adapters", 0.0);
    return;
  }
  switch (s.tune.method) {
    case Method::adapter:
    case Method::adapter_v2:
      llama_adapter(s, a, note);
      break;
    case Method::prefix:
      prefix_tuning(s, a, note);
      break;
    default:
      lora(s, a, note);
  }
  whole_modules(s, a, note);
}

}  // namespace envelope
