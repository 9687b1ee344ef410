// SPDX-License-Identifier: MIT
#include "envelope/activations.h"

#include <algorithm>

#include "envelope/adapters.h"
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
/// and the width of those on queries, keys and values.
struct Adapted {
  double attention_in = 0, mlp_in = 0;  ///< Of the hidden state.
  double attention = 0, inner = 0;
  double attention_out = 0;
};

Adapted adapted(const Scenario& s, const Architecture& a) {
  const AdapterTargets t = adapter_targets(s);
  Adapted out;
  // With dropout each adapter has its own input; without it they share one.
  const bool apart = s.tune.dropout;
  const double q = t.query, k = t.key, v = t.value, gate = t.gate, up = t.up;
  out.attention_in = apart ? q + k + v : t.query || t.key || t.value;
  out.mlp_in = apart ? gate + up : t.gate || t.up;
  out.attention = t.out;
  out.inner = t.down;
  out.attention_out = q * a.qk_width + k * a.k_width + v * a.v_width;
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

  // Of the tokens of a batch, those that pass one layer.
  const bool two_stacks = m.kind == ModelKind::encoder_decoder;
  const double passed = note("act.passed", two_stacks ? 0.5 : 1.0);
  // Attentions in a layer, on average: cross-attention has its own norm, queries, keys and values.
  const double blocks = two_stacks ? note("act.blocks", 1 + a.cross_layers / a.layers,
                                          "1 + arch.decoder_layers/model.layers")
                                   : 1;

  // A parallel block normalises once; its two norms, if there are two, read the same values.
  const double norms =
      note("act.norms", (m.parallel ? 1.0 : std::max(1.0, m.norms_per_layer)) + blocks - 1);
  const double inputs =
      note("act.linear_inputs", (m.parallel && m.norms_per_layer < 2 ? 1.0 : 2.0) + blocks - 1);
  const double dropped = note("act.dropout_bytes", s.run.dropout ? 1 + blocks : 0.0);
  double whole = note("act.residual", h * (norms * r.norm + inputs * r.linear + dropped),
                      "model.hidden*(act.norms*act.norm_bytes + act.linear_inputs*"
                      "act.linear_bytes + act.dropout_bytes)");

  // Queries, keys and values. Eager code repeats keys and values for every query head.
  const bool mla = m.attention == Attention::mla;
  const bool repeat = eager && !mla && a.k_width < a.qk_width;
  const double kv =
      repeat ? note("act.kv_width", 2 * a.qk_width, "2*arch.qk_width")
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
    heads = note("act.heads_mixed", blocks * heads,
                 two_stacks ? "act.blocks*act.heads_normed" : "act.heads_normed");
  }
  const double latents =
      mla ? note("act.latents", c * (2 * m.q_rank + 2 * m.kv_rank + m.rope_dim),
                 "act.compute_bytes*(2*model.q_rank + 2*model.kv_rank + model.rope_dim)")
          : note("act.latents", 0.0);
  // Fused attention keeps one FP32 number a head, else every score is kept.
  note("act.score_bytes", r.score);
  const double scores =
      blocks *
      (s.run.flash ? note("act.score_layer", 4 * m.heads, "4*model.heads")
                   : note("act.score_layer", r.score * m.heads * sequence_length(s),
                          m.kind == ModelKind::vit ? "act.score_bytes*model.heads*arch.image_tokens"
                                                   : "act.score_bytes*model.heads*run.seq"));
  note("act.scores", scores, two_stacks ? "act.blocks*act.score_layer" : "act.score_layer");

  const double without = a.layers - a.moe_layers;
  const double share = without > 0 ? a.dense_layers / without : 0;
  double mlp = note("act.mlp", r.mlp * m.ffn * share,
                    share == 1    ? "act.mlp_bytes*model.ffn"
                    : without > 0 ? "act.mlp_bytes*model.ffn*arch.dense_layers/(model.layers - "
                                    "arch.moe_layers)"
                                  : "0");
  double experts = 0, routed = 0, copies = 0;
  if (a.moe_layers > 0) {
    copies = note("act.token_copies", m.top_k * (s.run.capacity > 0 ? s.run.capacity : 1),
                  s.run.capacity > 0 ? "model.top_k*run.capacity" : "model.top_k");
    experts = note("act.experts",
                   r.mlp * (copies * m.moe_ffn + m.shared_ffn + m.residual_ffn) + 8 * m.experts,
                   "act.mlp_bytes*(act.token_copies*model.moe_ffn + model.shared_ffn + "
                   "model.residual_ffn) + 8*model.experts");
    // What is sent to the experts, and what comes back before it is weighted.
    routed = note("act.routed_base", copies * (r.linear + c) * h,
                  "act.token_copies*(act.linear_bytes + act.compute_bytes)*model.hidden");
  }

  if (tuned) {
    const Adapted on = adapted(s, a);
    const Format f = s.tune.adapter == Format::none ? s.states.weights : s.tune.adapter;
    // The input in the adapter's own format; a dropped copy and its mask.
    const double in = note("act.adapter_bytes", std::max(c, std::min(4.0, bytes_per_value(f))) +
                                                    (s.tune.dropout ? 1 : 0));
    const double result = note("act.adapter_output_bytes", eager && on.attention_out > 0 ? c : 0.0);
    // The hidden state goes into an MLP's adapters where every token passes an MLP, and its copies
    // into those of experts.
    const bool plain = a.dense_layers > 0 || m.shared_ffn > 0 || m.residual_ffn > 0;
    const double hidden =
        note("act.adapters_on_hidden", blocks * on.attention_in + (plain ? on.mlp_in : 0));
    note("act.adapters_on_attention", blocks * on.attention);
    note("act.adapters_on_inner", on.inner);
    note("act.adapter_outputs", blocks * on.attention_out);
    whole = note("act.residual_adapted", whole + in * hidden * h,
                 "act.residual + act.adapter_bytes*act.adapters_on_hidden*model.hidden");
    heads = note("act.heads_adapted",
                 heads + blocks * (in * on.attention * a.o_width + result * on.attention_out),
                 "act.heads_mixed + act.adapter_bytes*act.adapters_on_attention*arch.o_width + "
                 "act.adapter_output_bytes*act.adapter_outputs");
    mlp = note("act.mlp_adapted", mlp + in * on.inner * m.ffn * share,
               share == 1    ? "act.mlp + act.adapter_bytes*act.adapters_on_inner*model.ffn"
               : without > 0 ? "act.mlp + act.adapter_bytes*act.adapters_on_inner*model.ffn*"
                               "arch.dense_layers/(model.layers - arch.moe_layers)"
                             : "act.mlp");
    if (a.moe_layers > 0) {
      const double chosen = s.tune.experts ? copies : 0;
      note("act.adapters_on_experts", s.tune.experts ? on.mlp_in : 0.0);
      experts = note("act.experts_adapted",
                     experts + in * on.inner * (chosen * m.moe_ffn + m.shared_ffn + m.residual_ffn),
                     "act.experts + act.adapter_bytes*act.adapters_on_inner*(tune.experts*"
                     "act.token_copies*model.moe_ffn + model.shared_ffn + model.residual_ffn)");
      routed = note("act.routed_adapted", routed + in * on.mlp_in * chosen * h,
                    "act.routed_base + act.adapter_bytes*act.adapters_on_experts*"
                    "act.token_copies*model.hidden");
    }
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
      if (a.moe_layers > 0) {
        experts = note("act.experts_scaled",
                       experts + c * g * (copies * m.moe_ffn + m.shared_ffn + m.residual_ffn),
                       "act.experts_adapted + act.compute_bytes*(arch.mlp_matrices - 1)*("
                       "act.token_copies*model.moe_ffn + model.shared_ffn + model.residual_ffn)");
        routed = note("act.routed_scaled", routed + c * copies * h,
                      "act.routed_adapted + act.compute_bytes*act.token_copies*model.hidden");
      }
    }
  }

  whole = note("act.whole", passed * (whole + latents),
               v2      ? "act.passed*(act.residual_scaled + act.latents)"
               : tuned ? "act.passed*(act.residual_adapted + act.latents)"
                       : "act.passed*(act.residual + act.latents)");
  const double split =
      note("act.split", passed * (heads + scores + mlp),
           v2        ? "act.passed*(act.heads_scaled + act.scores + act.mlp_scaled)"
           : prompts ? "act.passed*(act.heads_prompted + act.scores + act.mlp_adapted)"
           : tuned   ? "act.passed*(act.heads_adapted + act.scores + act.mlp_adapted)"
                     : "act.passed*(act.heads_mixed + act.scores + act.mlp)");
  out.dense = {whole, split, 0};
  if (a.moe_layers > 0) {
    const double inner =
        note("act.moe_split", passed * (heads + scores + experts),
             v2        ? "act.passed*(act.heads_scaled + act.scores + act.experts_scaled)"
             : prompts ? "act.passed*(act.heads_prompted + act.scores + act.experts_adapted)"
             : tuned   ? "act.passed*(act.heads_adapted + act.scores + act.experts_adapted)"
                       : "act.passed*(act.heads_mixed + act.scores + act.experts)");
    routed = note("act.routed", passed * routed,
                  v2      ? "act.passed*act.routed_scaled"
                  : tuned ? "act.passed*act.routed_adapted"
                          : "act.passed*act.routed_base");
    out.moe = {whole, inner, routed};
  }
  out.share = s.run.task == Task::finetune && prompts && a.layers > 2
                  ? note("act.share", (a.layers - 2) / a.layers, "(model.layers - 2)/model.layers")
                  : note("act.share", 1.0, "1");

  // While a layer goes backward: gradients of its widest product, and of two hidden states. In an
  // encoder-decoder model of all tokens, which is more than there are.
  const double g = m.gated ? 3 : 2;
  out.dense_gradient = {2 * c * h, c * g * m.ffn, 0};
  if (a.moe_layers > 0)
    out.moe_gradient = {2 * c * h, c * g * (copies * m.moe_ffn + m.shared_ffn + m.residual_ffn),
                        c * copies * h};

  switch (s.run.recompute) {
    case Recompute::none:
      out.dense_stored = out.dense;
      out.moe_stored = out.moe;
      break;
    case Recompute::selective:  // the attention core: scores, or the one number a head
      out.dense_stored = {whole, split - passed * scores, 0};
      out.moe_stored = {whole, out.moe.split - passed * scores, routed};
      break;
    case Recompute::pointwise: {
      // torchtitan's policy: the layer's input, the attention output and every second product. Of
      // query, key, value, output, gate, up and down these are query, value, gate and down; without
      // a gate query, value and up.
      const double products =
          note("act.products_kept", blocks * (a.qk_width + a.v_width + a.o_width),
               two_stacks ? "act.blocks*(arch.qk_width + arch.v_width + arch.o_width)"
                          : "arch.qk_width + arch.v_width + arch.o_width");
      const double hidden_states = m.gated ? 2 : 1;  // the input, and what down makes
      const double stored = passed * (c * hidden_states * h + latents);
      const double attention = c * products + 4 * blocks * m.heads;
      out.dense_stored = {stored, passed * (attention + c * m.ffn), 0};
      out.moe_stored = {
          stored, passed * (attention + c * (copies * m.moe_ffn + m.shared_ffn + m.residual_ffn)),
          routed};
      break;
    }
    case Recompute::full:
      out.dense_stored = out.moe_stored = {passed * c * h, 0, 0};
      break;
  }
  note("act.stored_whole", out.dense_stored.whole,
       s.run.recompute == Recompute::full        ? "act.passed*act.compute_bytes*model.hidden"
       : s.run.recompute != Recompute::pointwise ? "act.whole"
       : m.gated ? "act.passed*(2*act.compute_bytes*model.hidden + act.latents)"
                 : "act.passed*(act.compute_bytes*model.hidden + act.latents)");
  note("act.stored_split", out.dense_stored.split,
       s.run.recompute == Recompute::full        ? "0"
       : s.run.recompute == Recompute::none      ? "act.split"
       : s.run.recompute == Recompute::selective ? "act.split - act.passed*act.scores"
       : two_stacks ? "act.passed*(act.compute_bytes*(act.products_kept + model.ffn) + "
                      "4*act.blocks*model.heads)"
                    : "act.passed*(act.compute_bytes*(act.products_kept + model.ffn) + "
                      "4*model.heads)");
  if (a.moe_layers > 0) {
    note("act.moe_stored_split", out.moe_stored.split,
         s.run.recompute == Recompute::full        ? "0"
         : s.run.recompute == Recompute::none      ? "act.moe_split"
         : s.run.recompute == Recompute::selective ? "act.moe_split - act.passed*act.scores"
         : two_stacks ? "act.passed*(act.compute_bytes*(act.products_kept + act.token_copies*"
                        "model.moe_ffn + model.shared_ffn + model.residual_ffn) + "
                        "4*act.blocks*model.heads)"
                      : "act.passed*(act.compute_bytes*(act.products_kept + act.token_copies*"
                        "model.moe_ffn + model.shared_ffn + model.residual_ffn) + "
                        "4*model.heads)");
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
  out.loss_bytes = note("act.loss_bytes", known_head ? passed * loss : 0.0);
  return out;
}

}  // namespace envelope
