// SPDX-License-Identifier: MIT
#include "envelope/compute.h"

#include <algorithm>

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
  if (m.kind == ModelKind::encoder || m.kind == ModelKind::vit) return {a.layers * n, a.layers * n};
  if (m.kind ==
      ModelKind::encoder_decoder)  // half the tokens: encoder full; half: decoder and cross
    return {(a.layers * n + a.decoder_layers * n / 2) / 2,
            (a.layers * n + a.decoder_layers * n) / 2};
  const double w = std::min(m.window, n);
  return {
      a.global_layers * n / 2 + (a.local_layers > 0 ? a.local_layers * (w - w * w / (2 * n)) : 0),
      a.global_layers * n + a.local_layers * w};
}

Compute compute(const Scenario& s, const Architecture& a, const Ledger& note) {
  const double N = a.active, n = s.run.seq;
  const bool adapters = s.run.task == Task::finetune && s.tune.method != Method::full;
  const double T = a.trainable_active;

  // One weight, one token: two FLOPs forward, two for dL/dh, two for dL/dW.
  note("flops.forward_per_weight", kMac);
  note("flops.backward_input_per_weight", kMac);
  note("flops.backward_weight_per_weight", kMac);
  note("flops.per_weight", 3 * kMac,
       "flops.forward_per_weight + flops.backward_input_per_weight + "
       "flops.backward_weight_per_weight");

  Compute c;
  c.tokens = tokens_of(s, a, note);

  FlopsPerToken causal, full;
  if (a.known) {
    const Attended t = attended(s, a, n);
    std::string_view causal_formula, full_formula;
    switch (s.model.kind) {
      case ModelKind::encoder:
      case ModelKind::vit:
        causal_formula = full_formula = "model.layers*run.seq";
        break;
      case ModelKind::encoder_decoder:
        causal_formula = "(model.layers*run.seq + arch.decoder_layers*run.seq/2)/2";
        full_formula = "(model.layers*run.seq + arch.decoder_layers*run.seq)/2";
        break;
      default:
        causal_formula =
            s.model.window > 0
                ? "arch.global_layers*run.seq/2 + arch.local_layers*(min(model.window, run.seq) - "
                  "min(model.window, run.seq)^2/(2*run.seq))"
                : "arch.global_layers*run.seq/2";
        full_formula = s.model.window > 0 ? "arch.global_layers*run.seq + "
                                            "arch.local_layers*min(model.window, run.seq)"
                                          : "arch.global_layers*run.seq";
    }
    note("compute.attended_causal", t.causal, causal_formula);
    note("compute.attended_full", t.full, full_formula);
    // Scores (query x key) and their product with the values.
    const double width = a.qk_width + a.o_width;
    causal = note("compute.attention_causal", kMac * (width * t.causal),
                  "2*(arch.qk_width + arch.o_width)*compute.attended_causal");
    full = note("compute.attention_full", kMac * (width * t.full),
                "2*(arch.qk_width + arch.o_width)*compute.attended_full");
  } else {
    causal = note("compute.attention_causal", FlopsPerToken{0});
    full = note("compute.attention_full", FlopsPerToken{0});
  }

  if (adapters) {
    // The frozen weights still carry the gradient back to the layers below: 4 N and not 6 N.
    c.forward = note("compute.forward", kMac * (a.matmul + T) + causal,
                     "2*(params.matmul + params.trainable_active) + compute.attention_causal");
    c.backward = note("compute.backward", kMac * (a.matmul + T) + kMac * T + 2 * causal,
                      "2*(params.matmul + params.trainable_active) + 2*params.trainable_active + "
                      "2*compute.attention_causal");
    c.per_token_6nd = note("compute.per_token_6nd", FlopsPerToken{4 * N + 6 * T},
                           "4*params.active + 6*params.trainable_active");
  } else {
    c.forward = note("compute.forward", kMac * a.matmul + causal,
                     "2*params.matmul + compute.attention_causal");
    c.backward = note("compute.backward", 2 * kMac * a.matmul + 2 * causal,
                      "4*params.matmul + 2*compute.attention_causal");
    c.per_token_6nd = note("compute.per_token_6nd", 3 * kMac * N, "6*params.active");
  }
  switch (s.run.recompute) {
    case Recompute::none:
      c.recompute = note("compute.recompute", FlopsPerToken{0});
      break;
    case Recompute::selective:
      c.recompute = note("compute.recompute", causal, "compute.attention_causal");
      break;
    case Recompute::pointwise:  // element-wise work is not counted
      c.recompute = note("compute.recompute", FlopsPerToken{0});
      break;
    case Recompute::full:
      // Checkpoints lie between layers: the head is not computed again.
      c.recompute = a.head_matrix > 0 ? note("compute.recompute", c.forward - kMac * a.head_matrix,
                                             "compute.forward - 2*arch.head_matrix")
                                      : note("compute.recompute", c.forward, "compute.forward");
      break;
  }
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
  c.hardware = note("compute.hardware", (c.per_token_causal + c.recompute) * c.tokens,
                    "(compute.per_token_causal + compute.recompute)*compute.tokens");
  note("compute.pfs_days", c.train / FlopsPerSecond{1e15} / kDay, "compute.train/1e15/86400");
  return c;
}

}  // namespace envelope
