// SPDX-License-Identifier: MIT
#include "envelope/compute.h"

#include <algorithm>
#include <cmath>

namespace envelope {
namespace {

constexpr FlopsPerToken kMac{2};  ///< One multiply and one add, for each weight and token.

Tokens tokens_of(const Scenario& s, const Architecture& a, const Ledger& note) {
  if (given(s.run.tokens)) return note("compute.tokens", Tokens{s.run.tokens}, "run.tokens");
  if (given(s.run.compute))
    return note("compute.tokens", Flops{s.run.compute} / (6 * a.active * FlopsPerToken{1}),
                "run.compute/(6*params.active)");
  if (s.run.task == Task::finetune)
    return note("compute.tokens", Tokens{s.tune.examples * s.tune.example_tokens * s.tune.epochs},
                "tune.examples*tune.example_tokens*tune.epochs");
  if (given(s.model.trained_tokens))
    return note("compute.tokens", Tokens{s.model.trained_tokens}, "model.trained_tokens");
  return note("compute.tokens", Tokens{20 * a.active}, "20*params.active");
}

}  // namespace

Attended attended(const Scenario& s, const Architecture& a, double n) {
  const Model& m = s.model;
  if (m.kind == ModelKind::encoder || m.kind == ModelKind::vit)
    return {a.attention_layers * n, a.attention_layers * n};
  if (m.kind ==
      ModelKind::encoder_decoder)  // half the tokens: encoder full; half: decoder and cross
    return {(a.layers * n + a.decoder_layers * n / 2) / 2,
            (a.layers * n + a.decoder_layers * n) / 2};
  Attended t{a.global_layers * n / 2, a.global_layers * n};
  if (a.local_layers > 0 && m.chunked) {
    // Whole chunks and what is left: each is a short sequence of its own.
    const double w = m.window, whole = std::floor(n / w), left = n - whole * w;
    const double squares = whole * w * w + left * left;
    t.causal += a.local_layers * squares / (2 * n);
    t.full += a.local_layers * squares / n;
  } else if (a.local_layers > 0) {
    const double w = std::min(m.window, n);
    t.causal += a.local_layers * (w - w * w / (2 * n));
    t.full += a.local_layers * w;
  }
  return t;
}

namespace {

/// Scores (query x key) and their product with the values, forward.
struct Core {
  FlopsPerToken causal, full;
};
Core attention_core(const Scenario& s, const Architecture& a, const Ledger& note) {
  const Model& m = s.model;
  if (!a.known)
    return {note("compute.attention_causal", FlopsPerToken{0}),
            note("compute.attention_full", FlopsPerToken{0})};
  // Documents packed into one sequence do not see each other; images are not packed.
  const double n =
      m.kind == ModelKind::vit ? note("compute.span", sequence_length(s), "arch.image_tokens")
      : given(s.run.document)
          ? note("compute.span", std::min(s.run.document, s.run.seq), "min(run.document, run.seq)")
          : note("compute.span", s.run.seq, "run.seq");
  const Attended t = attended(s, a, n);
  Formula causal, full;
  switch (m.kind) {
    case ModelKind::encoder:
    case ModelKind::vit:
      causal = full = "arch.attention_layers*compute.span";
      break;
    case ModelKind::encoder_decoder:
      causal = "(model.layers*compute.span + arch.decoder_layers*compute.span/2)/2";
      full = "(model.layers*compute.span + arch.decoder_layers*compute.span)/2";
      break;
    default:
      causal = m.window == 0 ? "arch.global_layers*compute.span/2"
               : m.chunked   ? "arch.global_layers*compute.span/2 + arch.local_layers*"
                               "(floor(compute.span/model.window)*model.window^2 + (compute.span - "
                               "floor(compute.span/model.window)*model.window)^2)/(2*compute.span)"
                             : "arch.global_layers*compute.span/2 + "
                               "arch.local_layers*(min(model.window, compute.span) - "
                               "min(model.window, compute.span)^2/(2*compute.span))";
      full = m.window == 0 ? "arch.global_layers*compute.span"
             : m.chunked   ? "arch.global_layers*compute.span + arch.local_layers*"
                             "(floor(compute.span/model.window)*model.window^2 + (compute.span - "
                             "floor(compute.span/model.window)*model.window)^2)/compute.span"
                           : "arch.global_layers*compute.span + "
                             "arch.local_layers*min(model.window, compute.span)";
  }
  note("compute.attended_causal", t.causal, causal);
  note("compute.attended_full", t.full, full);
  const double width = a.qk_width + a.o_width;
  if (a.mtp_trained > 0) {  // an MTP module attends to everything
    const double more =
        note("compute.attended_mtp", a.mtp_trained * n, "model.mtp_layers*compute.span");
    return {note("compute.attention_causal", kMac * (width * (t.causal + more / 2)),
                 "2*(arch.qk_width + arch.o_width)*(compute.attended_causal + "
                 "compute.attended_mtp/2)"),
            note("compute.attention_full", kMac * (width * (t.full + more)),
                 "2*(arch.qk_width + arch.o_width)*(compute.attended_full + "
                 "compute.attended_mtp)")};
  }
  if (a.prefix_layers > 0) {  // each token attends to the learned prefix besides
    const double more = note("compute.attended_prefix", a.prefix_layers * s.tune.prefix,
                             "tune.prefix_layers*tune.prefix");
    return {note("compute.attention_causal", kMac * (width * (t.causal + more)),
                 "2*(arch.qk_width + arch.o_width)*(compute.attended_causal + "
                 "compute.attended_prefix)"),
            note("compute.attention_full", kMac * (width * (t.full + more)),
                 "2*(arch.qk_width + arch.o_width)*(compute.attended_full + "
                 "compute.attended_prefix)")};
  }
  return {note("compute.attention_causal", kMac * (width * t.causal),
               "2*(arch.qk_width + arch.o_width)*compute.attended_causal"),
          note("compute.attention_full", kMac * (width * t.full),
               "2*(arch.qk_width + arch.o_width)*compute.attended_full")};
}

/// Weights of chosen experts that have a slot: with a capacity below one, tokens are dropped.
double kept(const Scenario& s) { return s.run.capacity > 0 ? std::min(1.0, s.run.capacity) : 1; }

/// The matrix products of one token in the forward pass, by what does them.
void components(const Scenario& s, const Architecture& a, const Ledger& ledger) {
  if (!ledger) return;
  const Loud note(ledger);
  const Model& m = s.model;
  const bool halves = m.kind == ModelKind::encoder_decoder;  // a token passes one stack of two
  note("compute.projections", kMac * (halves ? a.attention / 2 : a.attention),
       halves ? "params.attention" : "2*params.attention");
  note("compute.mlp", kMac * (halves ? a.mlp / 2 : a.mlp), halves ? "params.mlp" : "2*params.mlp");
  if (a.linear_layers > 0)
    note("compute.linear", kMac * (a.linear_layers * a.layer.linear),
         "2*arch.linear_layers*arch.linear_matrices");
  if (a.routed > 0) {
    note("compute.router", kMac * (a.moe_layers * m.hidden * m.experts),
         "2*arch.moe_layers*model.hidden*model.experts");
    const double main = a.routed - a.mtp_trained * a.routed / (a.moe_layers + a.mtp_trained);
    note("compute.experts", kMac * (kept(s) * main + a.shared_experts),
         s.run.capacity > 0 ? "2*(min(1, run.capacity)*arch.routed + params.shared_experts)"
                            : "2*(arch.routed + params.shared_experts)");
  }
  if (a.head_matrix > 0) note("compute.logits", kMac * a.head_matrix, "2*arch.head_matrix");
  if (a.mtp_trained > 0) {
    const double one = a.routed / (a.moe_layers + a.mtp_trained);  // chosen experts of one layer
    const bool drops = kept(s) < 1 && a.routed > 0;
    note("compute.mtp", kMac * (a.mtp_trained * (a.mtp_matmul - (1 - kept(s)) * one)),
         drops ? "2*model.mtp_layers*(arch.mtp_matmul - (1 - run.capacity)*arch.routed/"
                 "arch.moe_layers)"
               : "2*model.mtp_layers*arch.mtp_matmul");
  }
  if (s.run.task == Task::finetune && s.tune.method != Method::full)
    note("compute.adapters", kMac * a.trainable_active, "2*params.trainable_active");
}

/// Forward and backward of one token, causal.
void passes(const Scenario& s, const Architecture& a, FlopsPerToken causal, Compute& c,
            const Ledger& note) {
  const double N = a.active, T = a.trainable_active;
  const bool linear = a.linear_layers > 0;
  const FlopsPerToken state = a.state_flops;
  const double dropped = (1 - kept(s)) * a.routed;
  const FlopsPerToken matrices = dropped > 0
                                     ? note("compute.matmul", kMac * (a.matmul - dropped),
                                            "2*(params.matmul - (1 - run.capacity)*compute.routed)")
                                     : note("compute.matmul", kMac * a.matmul, "2*params.matmul");
  if (s.run.task != Task::finetune || s.tune.method == Method::full) {
    c.forward = note("compute.forward", matrices + causal + state,
                     linear ? "compute.matmul + compute.attention_causal + flops.linear_state"
                            : "compute.matmul + compute.attention_causal");
    c.backward = note("compute.backward", 2 * c.forward, "2*compute.forward");
    c.per_token_6nd = note("compute.per_token_6nd", 3 * kMac * N, "6*params.active");
    return;
  }
  // The frozen weights still carry the gradient back to the layers below: 4 N and not 6 N.
  c.forward =
      note("compute.forward", matrices + kMac * T + causal + state,
           linear ? "compute.matmul + 2*params.trainable_active + compute.attention_causal "
                    "+ flops.linear_state"
                  : "compute.matmul + 2*params.trainable_active + compute.attention_causal");
  const bool whole = a.trained_matmul > 0;
  const FlopsPerToken own = kMac * (T + a.trained_matmul);
  c.backward = note(
      "compute.backward", c.forward + own + causal + state,
      whole && linear ? "compute.forward + 2*(params.trainable_active + tune.trained_matmul) + "
                        "compute.attention_causal + flops.linear_state"
      : whole         ? "compute.forward + 2*(params.trainable_active + tune.trained_matmul) + "
                        "compute.attention_causal"
      : linear        ? "compute.forward + 2*params.trainable_active + "
                        "compute.attention_causal + flops.linear_state"
                      : "compute.forward + 2*params.trainable_active + "
                        "compute.attention_causal");
  c.per_token_6nd =
      note("compute.per_token_6nd", FlopsPerToken{4 * N + 6 * T + 2 * a.trained_matmul},
           whole ? "4*params.active + 6*params.trainable_active + 2*tune.trained_matmul"
                 : "4*params.active + 6*params.trainable_active");
}

/// Forward work done again in the backward pass.
FlopsPerToken recomputed(const Scenario& s, const Architecture& a, FlopsPerToken causal,
                         FlopsPerToken forward, const Ledger& note) {
  switch (s.run.recompute) {
    case Recompute::none:
      break;
    case Recompute::pointwise: {
      if (!a.known) break;
      // The products that activations.cpp does not keep: keys, the output projection, and one
      // matrix of the MLP. A state's projections are kept.
      const Model& m = s.model;
      const bool mla = m.attention == Attention::mla;
      const double keys = mla ? m.kv_rank * m.heads * m.nope_dim : m.hidden * a.k_width;
      const double attention =
          note("compute.again_attention", keys + a.o_width * m.hidden,
               mla ? "model.kv_rank*model.heads*model.nope_dim + arch.o_width*model.hidden"
                   : "model.hidden*(arch.k_width + arch.o_width)");
      const double mlp =
          note("compute.again_mlp",
               m.hidden * (a.dense_layers * m.ffn + a.moe_layers * (kept(s) * m.top_k * m.moe_ffn +
                                                                    m.shared_ffn + m.residual_ffn)),
               s.run.capacity > 0 ? "model.hidden*(arch.dense_layers*model.ffn + arch.moe_layers*("
                                    "min(1, run.capacity)*model.top_k*model.moe_ffn + "
                                    "model.shared_ffn + model.residual_ffn))"
                                  : "model.hidden*(arch.dense_layers*model.ffn + arch.moe_layers*("
                                    "model.top_k*model.moe_ffn + model.shared_ffn + "
                                    "model.residual_ffn))");
      const double blocks = a.attention_layers + a.cross_layers;
      if (m.kind == ModelKind::encoder_decoder)  // a token passes one stack of two
        return note("compute.recompute", kMac * ((blocks * attention + mlp) / 2),
                    "arch.attention_blocks*compute.again_attention + compute.again_mlp");
      return note("compute.recompute", kMac * (blocks * attention + mlp),
                  "2*(arch.attention_blocks*compute.again_attention + compute.again_mlp)");
    }
    case Recompute::selective:
      return note("compute.recompute", causal, "compute.attention_causal");
    case Recompute::full: {
      // Checkpoints lie between layers: the head is not computed again.
      const bool mtp = a.mtp_trained > 0;
      const FlopsPerToken layers =
          a.head_matrix > 0
              ? note("compute.forward_layers",
                     forward - kMac * ((1 + a.mtp_trained) * a.head_matrix),
                     mtp ? "compute.forward - 2*(1 + model.mtp_layers)*arch.head_matrix"
                         : "compute.forward - 2*arch.head_matrix")
              : note("compute.forward_layers", forward, "compute.forward");
      if (s.run.recompute_every == 1 || !a.known)
        return note("compute.recompute", layers, "compute.forward_layers");
      return note("compute.recompute",
                  std::floor(a.layers / s.run.recompute_every) / a.layers * layers,
                  "floor(model.layers/run.recompute_every)/model.layers*compute.forward_layers");
    }
  }
  return note("compute.recompute", FlopsPerToken{0});
}

/// Slots of experts that stand empty are computed too. Done by the GPUs, but no part of the model.
FlopsPerToken padding(const Scenario& s, const Architecture& a, const Ledger& note) {
  if (!(s.run.capacity > 0 && a.routed > 0)) return {};
  const bool adapters = s.run.task == Task::finetune && s.tune.method != Method::full;
  const double empty = 2 * std::max(0.0, s.run.capacity - 1) * a.routed;
  const bool again = s.run.recompute == Recompute::full && s.run.recompute_every == 1;
  switch ((adapters ? 2 : 3) + (again ? 1 : 0)) {
    case 2:
      return note("compute.padding", FlopsPerToken{2 * empty},
                  "2*2*max(0, run.capacity - 1)*compute.routed");
    case 3:
      return note("compute.padding", FlopsPerToken{3 * empty},
                  "3*2*max(0, run.capacity - 1)*compute.routed");
    default:
      return note("compute.padding", FlopsPerToken{4 * empty},
                  "4*2*max(0, run.capacity - 1)*compute.routed");
  }
}

}  // namespace

Compute compute(const Scenario& s, const Architecture& a, const Ledger& note) {
  // One weight, one token: two FLOPs forward, two for dL/dh, two for dL/dW.
  note("flops.forward_per_weight", kMac);
  note("flops.backward_input_per_weight", kMac);
  note("flops.backward_weight_per_weight", kMac);
  note("flops.per_weight", 3 * kMac,
       "flops.forward_per_weight + flops.backward_input_per_weight + "
       "flops.backward_weight_per_weight");

  Compute c;
  c.tokens = tokens_of(s, a, note);
  const auto [causal, full] = attention_core(s, a, note);
  if (a.known) components(s, a, note);
  if (s.run.capacity > 0 && a.routed > 0)
    note("compute.routed", a.routed,
         a.mtp_trained > 0 ? "arch.routed*(1 + model.mtp_layers/arch.moe_layers)" : "arch.routed");
  passes(s, a, causal, c, note);
  c.recompute = recomputed(s, a, causal, c.forward, note);
  c.padding = padding(s, a, note);
  c.per_token_causal = note("compute.per_token_causal", c.forward + c.backward,
                            "compute.forward + compute.backward");
  c.per_token_full =
      note("compute.per_token_full", c.per_token_causal + 3 * (full - causal),
           "compute.per_token_causal + 3*(compute.attention_full - compute.attention_causal)");
  switch (s.run.count) {
    case Count::six_nd:
      c.per_token = note("compute.per_token", c.per_token_6nd, "compute.per_token_6nd");
      break;
    case Count::causal:
      c.per_token = note("compute.per_token", c.per_token_causal, "compute.per_token_causal");
      break;
    case Count::full:
      c.per_token = note("compute.per_token", c.per_token_full, "compute.per_token_full");
      break;
  }

  const Flops rule =
      note("compute.train_6nd", c.per_token_6nd * c.tokens, "compute.per_token_6nd*compute.tokens");
  c.published = s.run.task == Task::pretrain && given(s.model.trained_flops) &&
                c.tokens.value == s.model.trained_tokens;
  if (c.published) {
    const Flops stated =
        note("compute.published", Flops{s.model.trained_flops}, "model.trained_flops");
    note("compute.off_published", rule / stated - 1, "compute.train_6nd/compute.published - 1");
  }
  note("compute.train_causal", c.per_token_causal * c.tokens,
       "compute.per_token_causal*compute.tokens");
  note("compute.train_full", c.per_token_full * c.tokens, "compute.per_token_full*compute.tokens");
  c.train = note("compute.train", c.per_token * c.tokens, "compute.per_token*compute.tokens");
  const bool slots = s.run.capacity > 0 && a.routed > 0;
  c.hardware =
      note("compute.hardware", (c.per_token_causal + c.recompute + c.padding) * c.tokens,
           slots ? "(compute.per_token_causal + compute.recompute + compute.padding)*compute.tokens"
                 : "(compute.per_token_causal + compute.recompute)*compute.tokens");
  note("compute.pfs_days", c.train / FlopsPerSecond{1e15} / kDay, "compute.train/1e15/86400");
  return c;
}

double peak_of(const Gpu& g, Precision p) {
  switch (p) {
    case Precision::fp32:
      return g.fp32;
    case Precision::tf32:
      return g.tf32;
    case Precision::fp16:
      return g.fp16;
    case Precision::bf16:
      return g.bf16;
    case Precision::fp8:
      return g.fp8;
    case Precision::int8:
      return g.int8;
    case Precision::fp4:
      return g.fp4;
  }
  return kNone;
}

double used_peak(const Gpu& g, Precision p) {
  for (const double peak : {peak_of(g, p), g.bf16, g.fp16, g.fp32})
    if (given(peak)) return peak;
  return 1e12;
}

}  // namespace envelope
