// SPDX-License-Identifier: MIT
#include "envelope/activations.h"

#include <algorithm>

#include "envelope/weights.h"

namespace envelope {
namespace {

/// Bytes kept of each value, by the kernels. `trained` is false for the frozen base of an adapter.
/// The input of a frozen matrix is needed by nobody, but the products of bitsandbytes keep it.
struct Rates {
  double norm;    ///< Of a norm's input.
  double linear;  ///< Of a matrix product's input that is a norm's output.
  double head;    ///< Of queries, keys, values and the attention output.
  double output;  ///< Of the attention output once more, as the input of the projection.
  double mlp;     ///< Of each unit of the MLP's inner width, all its tensors together.
  double score;   ///< Of an attention score.
};

Rates rates(const Scenario& s, double c, bool trained, bool keeps_inputs) {
  const Kernels kernels = s.stack.kernels;
  const bool eager = kernels == Kernels::eager, compiled = kernels == Kernels::compiled;
  const bool rms = s.model.norm == Norm::rmsnorm;
  // 8-bit and 4-bit products keep their inputs in 8 bit.
  const bool low = s.run.precision == Precision::fp8 || s.run.precision == Precision::fp4 ||
                   s.run.precision == Precision::int8;
  // Each with its scale: FP32 for a block of 128, one byte for 32 (MX) or 16 (NVFP4) values.
  double scale = 0;
  if (s.run.scales == Scales::block) scale = 4.0 / 128;
  if (s.run.scales == Scales::microscaling)
    scale = s.run.precision == Precision::fp4 ? 1.0 / 16 : 1.0 / 32;
  const double narrow = 1 + scale;
  const double input = !keeps_inputs ? 0 : low && trained ? narrow : c;
  Rates r;
  // RMSNorm written out in PyTorch works in FP32, and keeps the normalised values for its weight.
  r.norm = eager && rms ? 4 + (trained ? c : 0) : c;
  r.linear = compiled ? 0 : input;  // computed again from the norm's input
  r.head = c;
  r.output = eager ? input : low && trained ? narrow : 0;
  const double activation = s.model.gated ? (eager ? 3 : 2) : 1;  // gate, its activation, up
  r.mlp = activation * c + (compiled ? 0 : input);                // and the product
  // Softmax output; in eager code FP32 and its 16-bit copy. With dropout the mask and the result.
  r.score = (eager ? 4 + c : c) + (s.run.dropout ? 1 + c : 0);
  return r;
}

/// Adapters on this layer: how often the hidden state and each inner width is an adapter's input,
/// and the width of their outputs.
struct Adapted {
  double hidden = 0, attention = 0, inner = 0;
  double attention_out = 0, inner_out = 0;
  double attention_hidden_out = 0, inner_hidden_out = 0;
  bool any = false;
};

Adapted adapted(const Scenario& s, const Architecture& a) {
  const Tune& t = s.tune;
  Adapted out;
  if (s.run.task != Task::finetune || (t.method != Method::lora && t.method != Method::qlora))
    return out;
  const bool custom = t.targets == Targets::custom, all = t.targets == Targets::all_linear;
  const bool mlp = all || t.targets == Targets::mlp;
  const bool attention = all || t.targets == Targets::attention;
  const bool q = custom ? t.q : attention || t.targets == Targets::query_value;
  const bool k = custom ? t.k : attention;
  const bool v = custom ? t.v : attention || t.targets == Targets::query_value;
  const bool o = custom ? t.o : attention;
  const bool gate = s.model.gated && (custom ? t.gate : mlp);
  const bool up = custom ? t.up : mlp, down = custom ? t.down : mlp;
  // With dropout each adapter has its own input; without it they share one.
  const double in_attention = t.dropout ? q + k + v : q || k || v;
  const double in_mlp = t.dropout ? gate + up : gate || up;
  out.hidden = in_attention + in_mlp;
  out.attention = o;
  out.inner = down;
  out.attention_out = q * a.qk_width + k * a.k_width + v * a.v_width;
  out.inner_out = static_cast<double>(gate) + up;
  out.attention_hidden_out = o;
  out.inner_hidden_out = down;
  out.any = q || k || v || o || gate || up || down;
  return out;
}

}  // namespace

Activations activations(const Scenario& s, const Architecture& a, const Ledger& note) {
  const Model& m = s.model;
  const double h = m.hidden;
  const bool tuned = s.run.task == Task::finetune && s.tune.method != Method::full;
  const bool v2 = tuned && s.tune.method == Method::adapter_v2;
  const bool prompts = tuned && (v2 || s.tune.method == Method::adapter);
  const bool eager = s.stack.kernels == Kernels::eager;

  Activations out;
  const double c = out.compute_bytes =
      note("act.compute_bytes",
           s.run.precision == Precision::fp32 || s.run.precision == Precision::tf32 ? 4.0 : 2.0);
  const bool inputs_kept =
      !tuned || quantized_on_load(s.tune.method == Method::qlora ? s.tune.base : s.states.weights);
  const Rates r = rates(s, c, !tuned, inputs_kept);
  note("act.norm_bytes", r.norm);
  note("act.linear_bytes", r.linear);
  note("act.mlp_bytes", r.mlp);

  // A parallel block normalises once; its two norms, if there are two, read the same values.
  const double norms = note("act.norms", m.parallel ? 1.0 : std::max(1.0, m.norms_per_layer));
  const double inputs = note("act.linear_inputs", m.parallel && m.norms_per_layer < 2 ? 1.0 : 2.0);
  const double dropped = note("act.dropout_bytes", s.run.dropout ? 2.0 : 0.0);
  double whole = note("act.residual", h * (norms * r.norm + inputs * r.linear + dropped),
                      "model.hidden*(act.norms*act.norm_bytes + act.linear_inputs*"
                      "act.linear_bytes + act.dropout_bytes)");

  // Queries, keys and values. Eager code repeats keys and values for every query head.
  const bool mla = m.attention == Attention::mla;
  const bool repeat = eager && !mla && a.k_width < a.qk_width;
  const double kv =
      repeat ? note("act.kv_width", 2 * a.qk_width, "2*arch.qk_width")
      : mla  ? note("act.kv_width", a.k_width + a.v_width, "arch.k_width + arch.v_width")
             : note("act.kv_width", a.k_width + a.v_width, "arch.k_width + arch.v_width");
  note("act.head_bytes", r.head);
  note("act.output_bytes", r.output);
  double heads = note("act.heads", r.head * (a.qk_width + kv + a.o_width) + r.output * a.o_width,
                      "act.head_bytes*(arch.qk_width + act.kv_width + arch.o_width) + "
                      "act.output_bytes*arch.o_width");
  if (m.qk_norm != QkNorm::none)
    heads = note("act.heads_normed", heads + r.norm * (a.qk_width + a.k_width),
                 "act.heads + act.norm_bytes*(arch.qk_width + arch.k_width)");
  else
    heads = note("act.heads_normed", heads, "act.heads");
  // In a hybrid some layers keep a state instead: their projections, convolution and output.
  // Layers are alike here: each counts the mean of the two kinds.
  if (a.linear_layers > 0) {
    const LinearLayer& n = a.linear_layer;
    const double linear = note("act.linear", c * (n.input + n.channels + 2 * n.inner),
                               "act.compute_bytes*(arch.linear_input + arch.conv_channels + "
                               "2*arch.linear_inner)");
    heads =
        note("act.heads_mixed", (a.attention_layers * heads + a.linear_layers * linear) / a.layers,
             "(arch.attention_layers*act.heads_normed + arch.linear_layers*act.linear)/"
             "model.layers");
  } else {
    heads = note("act.heads_mixed", heads, "act.heads_normed");
  }
  const double latents =
      mla ? note("act.latents", c * (2 * m.q_rank + 2 * m.kv_rank + m.rope_dim),
                 "act.compute_bytes*(2*model.q_rank + 2*model.kv_rank + model.rope_dim)")
          : note("act.latents", 0.0);
  // Fused attention keeps one FP32 number a head, else every score is kept.
  note("act.score_bytes", r.score);
  const double scores =
      s.run.flash ? note("act.scores", 4 * m.heads, "4*model.heads")
                  : note("act.scores", r.score * m.heads * sequence_length(s),
                         m.kind == ModelKind::vit ? "act.score_bytes*model.heads*arch.image_tokens"
                                                  : "act.score_bytes*model.heads*run.seq");

  const double without = a.layers - a.moe_layers;
  const double share = without > 0 ? a.dense_layers / without : 0;
  double mlp = note("act.mlp", r.mlp * m.ffn * share,
                    share == 1    ? "act.mlp_bytes*model.ffn"
                    : without > 0 ? "act.mlp_bytes*model.ffn*arch.dense_layers/(model.layers - "
                                    "arch.moe_layers)"
                                  : "0");
  double experts = 0, routed = 0;
  if (a.moe_layers > 0) {
    const double copies =
        note("act.token_copies", m.top_k * (s.run.capacity > 0 ? s.run.capacity : 1),
             s.run.capacity > 0 ? "model.top_k*run.capacity" : "model.top_k");
    experts = note("act.experts",
                   r.mlp * (copies * m.moe_ffn + m.shared_ffn + m.residual_ffn) + 8 * m.experts,
                   "act.mlp_bytes*(act.token_copies*model.moe_ffn + model.shared_ffn + "
                   "model.residual_ffn) + 8*model.experts");
    // What is sent to the experts, and what comes back before it is weighted.
    routed = note("act.routed", copies * (r.linear + c) * h,
                  "act.token_copies*(act.linear_bytes + act.compute_bytes)*model.hidden");
  }

  if (tuned) {
    const Adapted on = adapted(s, a);
    const Format f = s.tune.adapter == Format::none ? s.states.weights : s.tune.adapter;
    // The input in the adapter's own format; a dropped copy and its mask.
    const double in = note("act.adapter_bytes", std::max(c, std::min(4.0, bytes_per_value(f))) +
                                                    (s.tune.dropout ? 1 : 0));
    const double result = note("act.adapter_output_bytes", eager && on.any ? c : 0.0);
    note("act.adapters_on_hidden", on.hidden);
    note("act.adapters_on_attention", on.attention);
    note("act.adapters_on_inner", on.inner);
    note("act.adapter_outputs", on.attention_out);
    whole = note("act.residual_adapted", whole + in * on.hidden * h,
                 "act.residual + act.adapter_bytes*act.adapters_on_hidden*model.hidden");
    heads =
        note("act.heads_adapted", heads + in * on.attention * a.o_width + result * on.attention_out,
             "act.heads_mixed + act.adapter_bytes*act.adapters_on_attention*arch.o_width + "
             "act.adapter_output_bytes*act.adapter_outputs");
    mlp = note("act.mlp_adapted", mlp + in * on.inner * m.ffn,
               "act.mlp + act.adapter_bytes*act.adapters_on_inner*model.ffn");
    if (prompts)  // attention to the learned tokens has an output of its own, and a gate
      heads = note("act.heads_prompted", heads + 2 * c * a.o_width,
                   "act.heads_adapted + 2*act.compute_bytes*arch.o_width");
    if (v2) {  // a scale on each product keeps the product, a trained norm its normalised values
      const double g = m.gated ? 2 : 1;
      heads = note("act.heads_scaled", heads + c * (a.qk_width + a.k_width + a.v_width),
                   "act.heads_prompted + act.compute_bytes*(arch.qk_width + arch.k_width + "
                   "arch.v_width)");
      mlp = note("act.mlp_scaled", mlp + c * g * m.ffn,
                 "act.mlp_adapted + act.compute_bytes*(arch.mlp_matrices - 1)*model.ffn");
      whole = note("act.residual_scaled", whole + c * (2 + norms) * h,
                   "act.residual_adapted + act.compute_bytes*(2 + act.norms)*model.hidden");
    }
  }

  note("act.whole", whole + latents,
       v2      ? "act.residual_scaled + act.latents"
       : tuned ? "act.residual_adapted + act.latents"
               : "act.residual + act.latents");
  note("act.split", heads + scores + mlp,
       v2        ? "act.heads_scaled + act.scores + act.mlp_scaled"
       : prompts ? "act.heads_prompted + act.scores + act.mlp_adapted"
       : tuned   ? "act.heads_adapted + act.scores + act.mlp_adapted"
                 : "act.heads_mixed + act.scores + act.mlp");
  out.dense = {whole + latents, heads + scores + mlp, 0};
  out.moe = {whole + latents, heads + scores + experts, routed};
  out.share = s.run.task == Task::finetune && prompts && a.layers > 2
                  ? note("act.share", (a.layers - 2) / a.layers, "(model.layers - 2)/model.layers")
                  : note("act.share", 1.0, "1");

  // While a layer goes backward: gradients of its widest product, and of two hidden states.
  const double g = m.gated ? 3 : 2;
  out.dense_gradient = {2 * c * h, c * g * m.ffn, 0};
  if (a.moe_layers > 0) {
    const double copies = m.top_k * (s.run.capacity > 0 ? s.run.capacity : 1);
    out.moe_gradient = {2 * c * h, c * g * (copies * m.moe_ffn + m.shared_ffn + m.residual_ffn),
                        c * copies * h};
  }

  switch (s.run.recompute) {
    case Recompute::none:
      out.dense_stored = out.dense;
      out.moe_stored = out.moe;
      break;
    case Recompute::selective:  // the attention core: scores, or the one number a head
      out.dense_stored = {out.dense.whole, out.dense.split - scores, 0};
      out.moe_stored = {out.moe.whole, out.moe.split - scores, routed};
      break;
    case Recompute::pointwise: {
      // torchtitan's policy: the layer's input, the attention output and every second product.
      const double products = note("act.products_kept", a.qk_width + a.v_width + a.o_width + m.ffn,
                                   "arch.qk_width + arch.v_width + arch.o_width + model.ffn");
      const double hidden = m.gated ? 2 : 1;
      out.dense_stored = {c * hidden * h + latents, c * products + 4 * m.heads, 0};
      out.moe_stored = {c * hidden * h + latents,
                        c * (a.qk_width + a.v_width + a.o_width) + 4 * m.heads +
                            c * (m.top_k * m.moe_ffn + m.shared_ffn),
                        routed};
      break;
    }
    case Recompute::full:
      out.dense_stored = out.moe_stored = {c * h, 0, 0};
      break;
  }
  note("act.stored_whole", out.dense_stored.whole,
       s.run.recompute == Recompute::full        ? "act.compute_bytes*model.hidden"
       : s.run.recompute != Recompute::pointwise ? "act.whole"
       : m.gated                                 ? "2*act.compute_bytes*model.hidden + act.latents"
                                                 : "act.compute_bytes*model.hidden + act.latents");
  note("act.stored_split", out.dense_stored.split,
       s.run.recompute == Recompute::full        ? "0"
       : s.run.recompute == Recompute::pointwise ? "act.compute_bytes*act.products_kept + "
                                                   "4*model.heads"
       : s.run.recompute == Recompute::none      ? "act.split"
                                                 : "act.split - act.scores");
  if (a.moe_layers > 0) {
    const double inner = out.moe.split - heads - scores;
    note("act.moe_split", heads + scores + inner,
         v2        ? "act.heads_scaled + act.scores + act.experts"
         : prompts ? "act.heads_prompted + act.scores + act.experts"
         : tuned   ? "act.heads_adapted + act.scores + act.experts"
                   : "act.heads_mixed + act.scores + act.experts");
    note("act.moe_stored_split", out.moe_stored.split,
         s.run.recompute == Recompute::full ? "0"
         : s.run.recompute == Recompute::pointwise
             ? "act.compute_bytes*(arch.qk_width + arch.v_width + arch.o_width) + "
               "4*model.heads + act.compute_bytes*(model.top_k*model.moe_ffn + model.shared_ffn)"
         : s.run.recompute == Recompute::none ? "act.moe_split"
                                              : "act.moe_split - act.scores");
    note("act.moe_stored_routed", out.moe_stored.gathered,
         s.run.recompute == Recompute::full ? "0" : "act.routed");
  }

  // The loss: logits in 16 bit, an FP32 copy, its softmax and gradient, as the code has it.
  const bool known_head = m.kind != ModelKind::vit;
  double loss = 0;
  switch (s.stack.loss) {
    case Loss::eager:  // plain PyTorch: logits, FP32 and shifted copies, log-softmax
      loss = eager ? 14 : c + 4;
      break;
    case Loss::fused:
      loss = c + c;
      break;
    case Loss::chunked:  // logits and gradient in 16 bit, one chunk of eight in FP32
      loss = c + c + 1;
      break;
  }
  out.loss_bytes = note("act.loss_bytes", known_head ? loss : 0.0);
  return out;
}

}  // namespace envelope
