// SPDX-License-Identifier: MIT
// "Show the work" of the operations: seconds of one micro-batch in one layer, from the widths of
// the model and the rates of the device. Apart from operations.cpp because it runs once an edit and
// not in a search. Formulas are literals, put together by macros: the ledger keeps views of them.
#include <algorithm>

#include "envelope/compute.h"
#include "envelope/formats.h"
#include "envelope/operations.h"

namespace envelope {
namespace {

// A product of M x K by K x N: arithmetic, with what is lost at the ends of K and in the last wave
// of output tiles, or memory traffic.
#define PRODUCT(m, n, k, peak)                                                                \
  "max(2*" m "*" n "*" k "/" peak "*(1 + physics.depth/" k ")*(1 + physics.outputs/(" m "*" n \
  ")), (step.operand_bytes*(" m "*" k " + " n "*" k ") + step.value_bytes*" m "*" n           \
  ")/step.memory_rate) + physics.ramp"
// The same for each of the experts on a GPU, in one kernel.
#define GROUPED(m, n, k)                                                            \
  "max(2*" m "*" n "*" k "*op.local_experts/step.expert_rate*(1 + physics.depth/" k \
  ")*(1 + physics.outputs/(" m "*" n                                                \
  "*op.local_experts)), op.local_experts*("                                         \
  "step.operand_bytes*(" m "*" k " + " n "*" k ") + step.value_bytes*" m "*" n      \
  ")/step.memory_rate) + physics.ramp"
// Values that are cast to fewer bits on the way in, and 4-bit weights that are unpacked.
#define CAST(values, weights) \
  " + (step.cast_bytes*" values " + step.unpack_bytes*" weights ")/step.memory_rate"

/// Formulas of linear layers: plain, and in fewer bits; with gradients of the weights, and without.
struct Matrix {
  Literal id, forward_id, backward_id;
  Formula forward, forward_low, trained, trained_low, frozen, frozen_low;
};
#define NAMES(id) id, "op." id "_forward", "op." id "_backward"
#define LINEAR(m, n, k)                                                                  \
  PRODUCT(m, n, k, "step.product_rate"),                                                 \
      PRODUCT(m, n, k, "step.product_rate") CAST(m "*" k, n "*" k),                      \
      PRODUCT(m, k, n, "step.product_rate") " + " PRODUCT(k, n, m, "step.product_rate"), \
      PRODUCT(m, k, n, "step.product_rate") " + " PRODUCT(k, n, m, "step.product_rate")  \
          CAST(m "*" n, n "*" k),                                                        \
      PRODUCT(m, k, n, "step.product_rate"),                                             \
      PRODUCT(m, k, n, "step.product_rate") CAST(m "*" n, n "*" k)

#define UP GROUPED("op.expert_tokens", "op.expert_up_width", "model.hidden")
#define UP_INPUT GROUPED("op.expert_tokens", "model.hidden", "op.expert_up_width")
#define UP_WEIGHTS GROUPED("model.hidden", "op.expert_up_width", "op.expert_tokens")
#define DOWN GROUPED("op.expert_tokens", "model.hidden", "op.expert_width")
#define DOWN_INPUT GROUPED("op.expert_tokens", "op.expert_width", "model.hidden")
#define DOWN_WEIGHTS GROUPED("op.expert_width", "model.hidden", "op.expert_tokens")
#define EXPERT_WEIGHTS "op.local_experts*model.hidden*(op.expert_up_width + op.expert_width)"
#define CAST_IN CAST("op.expert_rows*(model.hidden + op.expert_width)", EXPERT_WEIGHTS)
#define CAST_BACK CAST("op.expert_rows*(op.expert_up_width + model.hidden)", EXPERT_WEIGHTS)

constexpr Matrix kLinear[] = {
    {NAMES("down"), LINEAR("step.spread", "op.down_width", "model.hidden")},
    {NAMES("query"), LINEAR("step.tokens", "op.query_width", "op.query_input")},
    {NAMES("key_value"), LINEAR("step.tokens", "op.key_value_width", "model.kv_rank")},
    {NAMES("qkv"), LINEAR("step.tokens", "op.qkv_width", "model.hidden")},
    {NAMES("output"), LINEAR("step.tokens", "model.hidden", "op.output_width")},
    {NAMES("linear"), LINEAR("step.tokens", "op.linear_width", "model.hidden")},
    {NAMES("up"), LINEAR("step.tokens", "op.up_width", "model.hidden")},
    {NAMES("down_mlp"), LINEAR("step.tokens", "model.hidden", "op.ffn_width")},
    {NAMES("shared_up"), LINEAR("step.tokens", "op.shared_up_width", "model.hidden")},
    {NAMES("shared_down"), LINEAR("step.tokens", "model.hidden", "op.shared_width")},
    {NAMES("experts"), UP " + " DOWN, UP " + " DOWN CAST_IN,
     UP_INPUT " + " UP_WEIGHTS " + " DOWN_INPUT " + " DOWN_WEIGHTS,
     UP_INPUT " + " UP_WEIGHTS " + " DOWN_INPUT " + " DOWN_WEIGHTS CAST_BACK,
     UP_INPUT " + " DOWN_INPUT, UP_INPUT " + " DOWN_INPUT CAST_BACK},
};

/// Formulas of work that only moves bytes, backward over forward, and its number of kernels.
struct Moves {
  Literal id, bytes_id, forward_id, backward_id;
  Formula bytes, forward, backward;
};
#define MOVES(id, bytes, kernels, back)                                                     \
  {                                                                                         \
    id, "op." id "_bytes", "op." id "_forward", "op." id "_backward", bytes,                \
        "op." id "_bytes/step.pointwise_rate + step.kernels*" kernels "*physics.ramp",      \
        back "*op." id "_bytes/step.pointwise_rate + step.kernels*" kernels "*physics.ramp" \
  }

constexpr Moves kMoves[] = {
    MOVES("rope",
          "2*step.value_bytes*step.tokens*(arch.qk_width/layout.tp + arch.k_width/op.kv_ways)", "1",
          "1.6"),
    MOVES("norms", "10*step.value_bytes*step.spread*model.hidden", "6", "1.6"),
    MOVES("activation", "step.value_bytes*step.tokens*arch.mlp_matrices*model.ffn/layout.tp", "1",
          "1.6"),
    MOVES("permute", "4*step.value_bytes*op.expert_rows*model.hidden", "10", "1.6"),
    MOVES("expert_activation", "step.value_bytes*op.expert_rows*arch.mlp_matrices*op.expert_width",
          "2", "1.6"),
    MOVES("embedding", "2*step.value_bytes*step.spread*model.hidden", "1", "2"),
};

// The head stays in 16 bits; a head trained beside adapters has gradients of its own.
#define LOSS " + op.loss_bytes/step.pointwise_rate"
#define HEAD PRODUCT("step.tokens", "op.head_width", "model.hidden", "step.rate16")
#define HEAD_INPUT PRODUCT("step.tokens", "model.hidden", "op.head_width", "step.rate16")
#define HEAD_WEIGHTS PRODUCT("model.hidden", "op.head_width", "step.tokens", "step.rate16")

/// Peak that counts for work in 16 bits, or wider where the run is.
Formula peak_name(const Scenario& s) {
  const Gpu& g = s.gpu;
  const Precision p = s.run.precision;
  if (p == Precision::fp32 && given(g.fp32)) return "gpu.fp32";
  if (p == Precision::tf32 && given(g.tf32)) return "gpu.tf32";
  if (p == Precision::fp16 && given(g.fp16)) return "gpu.fp16";
  return given(g.bf16)   ? "gpu.bf16"
         : given(g.fp16) ? "gpu.fp16"
         : given(g.fp32) ? "gpu.fp32"
                         : "1e12";
}

void explain_machine(const Scenario& s, const Machine& x, const Operations& all, const Loud& note) {
  const Physics& k = x.physics;
  const auto has = [&](auto which) { return std::any_of(all.begin(), all.end(), which); };
  const bool flash = s.run.flash && has([](auto& op) { return op.id == "attention"; });
  const bool state = has([](auto& op) { return op.id == "state"; });
  note("physics.bandwidth", k.bandwidth);
  note("physics.depth", k.depth);
  note("physics.outputs", k.outputs);
  note("physics.ramp", k.ramp);
  const double peak = x.peak16 / s.gpu.reach16;
  note("step.peak", peak, peak_name(s));
  note("step.rate16", x.peak16, "step.peak*gpu.reach16");
  const Precision p = s.run.precision;
  note("step.product_rate", x.peak,
       x.operand == x.value   ? "step.rate16"
       : p == Precision::fp8  ? "gpu.fp8*gpu.reach8"
       : p == Precision::int8 ? "gpu.int8*gpu.reach8"
                              : "gpu.fp4*gpu.reach4");
  if (flash || state)
    note("step.attention_rate", x.attention, "step.peak*gpu.reach_attention*stack.attention");
  note("step.memory_rate", x.bandwidth, "gpu.bandwidth*physics.bandwidth");
  switch (s.stack.kernels) {
    case Kernels::fused:
      note("physics.fused", k.fused);
      break;
    case Kernels::compiled:
      note("physics.compiled", k.compiled);
      break;
    case Kernels::eager:
      note("physics.eager", k.eager);
      break;
  }
  note("step.pointwise_rate", 1 / x.pointwise,
       s.stack.kernels == Kernels::fused      ? "step.memory_rate/physics.fused"
       : s.stack.kernels == Kernels::compiled ? "step.memory_rate/physics.compiled"
                                              : "step.memory_rate/physics.eager");
  note("step.kernels", x.apart ? 3.0 : 1.0);
  note("step.value_bytes", x.value);
  note("step.operand_bytes", x.operand);
  if (x.cast > 0 || x.unpack > 0) {
    if (x.cast > 0) note("physics.quantize", k.quantize);
    if (x.unpack > 0) note("physics.dequantize", k.dequantize);
    note("step.cast_bytes", x.cast > 0 ? k.quantize : 0, x.cast > 0 ? "physics.quantize" : "0");
    note("step.unpack_bytes", x.unpack > 0 ? k.dequantize : 0,
         x.unpack > 0 ? "physics.dequantize" : "0");
  }
}

/// Widths on one GPU, the sizes of its products.
void explain_widths(const Scenario& s, const Architecture& a, const Ways& w, const Machine& x,
                    const Loud& note) {
  const Model& m = s.model;
  const double t = w.tp;
  const double ways =
      note("op.kv_ways", kv_ways(m, t),
           m.attention == Attention::mla ? "layout.tp" : "min(layout.tp, model.kv_heads)");
  if (a.attention_layers > 0) {
    if (m.attention == Attention::mla) {
      note("op.down_width", m.q_rank + m.kv_rank + m.rope_dim,
           "model.q_rank + model.kv_rank + model.rope_dim");
      note("op.query_width", m.heads * (m.nope_dim + m.rope_dim) / t,
           "model.heads*(model.nope_dim + model.rope_dim)/layout.tp");
      note("op.query_input", m.q_rank > 0 ? m.q_rank : m.hidden,
           m.q_rank > 0 ? "model.q_rank" : "model.hidden");
      note("op.key_value_width", m.heads * (m.nope_dim + m.v_dim) / t,
           "model.heads*(model.nope_dim + model.v_dim)/layout.tp");
    } else {
      note("op.qkv_width", a.qk_width / t + (a.k_width + a.v_width) / ways,
           "arch.qk_width/layout.tp + (arch.k_width + arch.v_width)/op.kv_ways");
    }
    note("op.output_width", a.o_width / t, "arch.o_width/layout.tp");
  }
  if (a.linear_layers > 0)
    note("op.linear_width", a.linear_layer.matrices / m.hidden / t,
         "arch.linear_matrices/model.hidden/layout.tp");
  const double matrices = m.gated ? 2 : 1;
  if (a.dense_layers > 0 && m.ffn > 0) {
    note("op.up_width", matrices * m.ffn / t, "(arch.mlp_matrices - 1)*model.ffn/layout.tp");
    note("op.ffn_width", m.ffn / t, "model.ffn/layout.tp");
  }
  if (a.moe_layers > 0) {
    const bool limited = s.run.capacity > 0;
    if (w.ep > 1) note("physics.imbalance", x.physics.imbalance);
    const double most = note("op.imbalance", busiest(s, w, x.physics),
                             limited    ? "run.capacity"
                             : w.ep > 1 ? "physics.imbalance"
                                        : "1");
    const double local = note("op.local_experts", m.experts / w.ep, "model.experts/cluster.ep");
    note("step.expert_rate", expert_rate(x, local),
         local > 1 ? "step.product_rate*gpu.reach_experts" : "step.product_rate");
    const double rows =
        note("op.expert_rows",
             s.run.micro_batch * sequence_length(s) / w.cp * m.top_k / t * w.etp * most,
             "step.tokens*model.top_k/layout.tp*rank.etp*op.imbalance");
    note("op.expert_tokens", rows / local, "op.expert_rows/op.local_experts");
    note("op.expert_width", m.moe_ffn / w.etp, "model.moe_ffn/rank.etp");
    note("op.expert_up_width", matrices * m.moe_ffn / w.etp,
         "(arch.mlp_matrices - 1)*op.expert_width");
    if (const double shared = m.shared_ffn + m.residual_ffn; shared > 0) {
      note("op.shared_width", shared / t, "(model.shared_ffn + model.residual_ffn)/layout.tp");
      note("op.shared_up_width", matrices * shared / t, "(arch.mlp_matrices - 1)*op.shared_width");
    }
  }
  if (s.run.task == Task::finetune && s.tune.method != Method::full) {
    Formula count = "arch.mlp_matrices";
    if (s.tune.targets == Targets::query_value) count = "2";
    if (s.tune.targets == Targets::attention) count = "4";
    if (s.tune.targets == Targets::all_linear) count = "4 + arch.mlp_matrices";
    if (s.tune.targets == Targets::custom)
      count = "tune.q + tune.k + tune.v + tune.o + tune.gate + tune.up + tune.down";
    note("op.adapted", adapted(s.tune, m), count);
  }
  if (const bool vit = m.kind == ModelKind::vit; (vit ? m.classes : m.vocab) > 0)
    note("op.head_width", (vit ? m.classes : m.vocab) / t,
         vit ? "model.classes/layout.tp" : "model.vocab/layout.tp");
}

void explain_attention(const Scenario& s, const Architecture& a, const Ways& w, const Machine& x,
                       const Operation& op, const Loud& note) {
  const double width = (a.qk_width + a.o_width) / w.tp;
  const double tokens = s.run.micro_batch * sequence_length(s) / w.cp;
  if (s.run.flash) {
    note("physics.softmax", x.physics.softmax);
    note("physics.backward", x.physics.backward);
    note("op.attention_width", width, "(arch.qk_width + arch.o_width)/layout.tp");
    note("op.keys", keys_of(s, a),
         a.cross_layers > 0
             ? "min(compute.attended_full, compute.attended_causal + 32*arch.attention_blocks)/"
               "(arch.attention_blocks/2)"
             : "min(compute.attended_full, compute.attended_causal + 64*arch.attention_layers)/"
               "arch.attention_layers");
    note("op.attention_forward", op.seconds.forward,
         "2*step.tokens*op.keys*(op.attention_width + 2*physics.softmax*model.heads/layout.tp)/("
         "step.attention_rate*(1 + physics.softmax/128)) + physics.ramp");
    note("op.attention_backward", op.seconds.backward,
         "2.5*(op.attention_forward - physics.ramp)/physics.backward + 2*physics.ramp");
    return;
  }
  note("op.attention_width", width, "(arch.qk_width + arch.o_width)/layout.tp");
  const double keys = note("op.keys", keys_of(s, a),
                           a.cross_layers > 0 ? "compute.attended_full/(arch.attention_blocks/2)"
                                              : "compute.attended_full/arch.attention_layers");
  const double scores = note("op.scores", tokens * keys * s.model.heads / w.tp,
                             "step.tokens*op.keys*model.heads/layout.tp");
  note("op.attention_products", op.seconds.forward - 11 * scores / x.bandwidth,
       "2*step.tokens*op.keys*op.attention_width/step.rate16*(1 + physics.depth/2/model.head_dim) "
       "+ 2*physics.ramp");
  note("op.attention_forward", op.seconds.forward,
       "op.attention_products + 11*op.scores/step.memory_rate");
  note("op.attention_backward", op.seconds.backward,
       "2*op.attention_products + 12*op.scores/step.memory_rate");
}

}  // namespace

void explain(const Scenario& s, const Architecture& a, const Ways& w, const Machine& x,
             const Operations& all, const Ledger& ledger) {
  if constexpr (kSays == Says::results) return;
  const Loud note(ledger);
  const bool adapters = s.run.task == Task::finetune && s.tune.method != Method::full;
  const bool low = x.cast > 0 || x.unpack > 0;
  explain_machine(s, x, all, note);
  explain_widths(s, a, w, x, note);
  for (const Operation& op : all) {
    const double forward = op.seconds.forward, backward = op.seconds.backward;
    for (const Matrix& one : kLinear)
      if (op.id == one.id) {
        const bool none = forward == 0;  // a matrix that the model does not have
        note(one.forward_id, forward, none ? "" : low ? one.forward_low : one.forward);
        note(one.backward_id, backward,
             none       ? ""
             : adapters ? (low ? one.frozen_low : one.frozen)
                        : (low ? one.trained_low : one.trained));
      }
    for (const Moves& one : kMoves)
      if (op.id == one.id) {
        note(one.bytes_id, op.bytes.forward, one.bytes);
        note(one.forward_id, forward, one.forward);
        note(one.backward_id, backward, one.backward);
      }
    if (op.id == "adapters") {
      note("op.adapters_bytes", op.bytes.forward,
           "3.5*step.value_bytes*op.adapted*step.tokens*model.hidden/layout.tp");
#define THIN "step.tokens*params.trainable_active/model.layers/layout.tp/step.rate16"
#define MOVED "op.adapters_bytes/step.pointwise_rate + step.kernels*3*op.adapted*physics.ramp"
      note("op.adapters_forward", forward, MOVED " + 2*" THIN);
      note("op.adapters_backward", backward, MOVED " + 4*" THIN);
    }
    if (op.id == "attention") explain_attention(s, a, w, x, op, note);
    if (op.id == "state") {
      note("op.state_forward", forward,
           "2*arch.linear_macs*step.tokens/layout.tp/step.attention_rate + 4*step.value_bytes*"
           "step.tokens*arch.linear_inner/layout.tp/step.memory_rate");
      note("op.state_backward", backward, "2*op.state_forward");
    }
    if (op.id == "router") {
      note("op.router_forward", forward,
           "2*step.spread*model.experts*model.hidden/step.rate16 + 20*step.spread*model.experts/"
           "step.pointwise_rate");
      note("op.router_backward", backward,
           "4*step.spread*model.experts*model.hidden/step.rate16 + 20*step.spread*model.experts/"
           "step.pointwise_rate");
    }
    if (op.id == "head") {
      const double passes = s.stack.loss == Loss::eager ? 3 : 1.75;
      note("op.loss_bytes",
           passes * x.value * s.run.micro_batch * sequence_length(s) / w.cp *
               (s.model.kind == ModelKind::vit ? s.model.classes : s.model.vocab) / w.tp,
           s.stack.loss == Loss::eager ? "3*step.value_bytes*step.tokens*op.head_width"
                                       : "1.75*step.value_bytes*step.tokens*op.head_width");
      note("op.head_forward", forward, HEAD LOSS);
      note("op.head_backward", backward,
           !adapters     ? HEAD_INPUT " + " HEAD_WEIGHTS LOSS
           : s.tune.head ? HEAD_INPUT " + " HEAD LOSS
                         : HEAD_INPUT LOSS);
    }
  }
}

}  // namespace envelope
