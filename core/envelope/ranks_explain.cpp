// SPDX-License-Identifier: MIT
// "Show the work" of the fullest rank. Apart from ranks.cpp because it runs once an edit and not in
// a search: in WASM small matters more than fast here.
#include <algorithm>

#include "envelope/formats.h"
#include "envelope/ranks.h"

namespace envelope {

void Ranks::explain(const RankMemory& r, const Ways& w, const Ledger& ledger) const {
  if (!ledger) return;
  const Loud note(ledger);
  const Cluster& c = s_.cluster;
  const Stage& st = r.stage;
  const Held h = held(st, w);
  const bool zero1 = c.zero >= 1, zero2 = c.zero >= 2, zero3 = c.zero >= 3;
  const bool moe = a_.moe_layers > 0, known = a_.known;
  note("rank.stage", st.index + 1);
  note("rank.layers", st.layers);
  note("rank.moe_layers", st.moe_layers);
  note("rank.kept_layers", st.kept_layers);
  note("rank.kept_moe_layers", st.kept_moe_layers);
  note("rank.in_flight", st.layers > 0 ? st.kept_layers / st.layers : 0,
       st.layers > 0 ? "rank.kept_layers/rank.layers" : "0");
  note("rank.etp", w.etp);
  note("rank.shard", w.shard,
       given(c.shard) ? "min(cluster.shard, layout.dp*cluster.cp)" : "layout.dp*cluster.cp");
  note("rank.expert_shard", w.expert_shard, "max(1, rank.shard*layout.tp/(cluster.ep*rank.etp))");

  // Parameters.
  if (!known) {
    note("rank.root", 0.0);
    note("rank.params", h.dense, "params.total/(layout.tp*cluster.pp)");
  } else {
    const bool mla = s_.model.attention == Attention::mla;
    note("rank.unsplit",
         mla ? s_.model.hidden * (s_.model.q_rank + s_.model.kv_rank + s_.model.rope_dim) : 0.0,
         mla ? "model.hidden*(model.q_rank + model.kv_rank + model.rope_dim)" : "0");
    note("rank.layer", layer_, "params.biases/model.layers/layout.tp + params.norms/model.layers");
    note("rank.attention", attention_,
         a_.attention_layers > 0 ? "(params.attention/arch.attention_layers - rank.unsplit)/"
                                   "layout.tp + rank.unsplit"
                                 : "0");
    note("rank.linear", linear_,
         a_.linear_layers > 0 ? "params.linear/arch.linear_layers/layout.tp" : "0");
    note("rank.attention_layers", st.attention_layers);
    note("rank.linear_layers", st.linear_layers);
    note("rank.dense_layers", st.dense_layers);
    note("rank.mtp_modules", st.mtp);
    note("rank.mtp", h.mtp,
         st.mtp == 0 ? "0"
         : moe ? "rank.mtp_modules*(params.mtp/model.mtp_layers - params.experts/arch.moe_layers)/"
                 "layout.tp"
               : "rank.mtp_modules*params.mtp/model.mtp_layers/layout.tp");
    note("rank.mtp_experts", st.mtp * mtp_experts_,
         st.mtp > 0 && moe ? "rank.mtp_modules*params.experts/arch.moe_layers/(cluster.ep*rank.etp)"
                           : "0");
    note("rank.dense_mlp", dense_mlp_, "arch.mlp_matrices*model.hidden*model.ffn/layout.tp");
    if (moe) {
      note("rank.moe_mlp", moe_mlp_,
           a_.shared_experts > 0
               ? "(params.shared_experts/arch.moe_layers + arch.mlp_matrices*model.hidden*"
                 "model.residual_ffn)/layout.tp + params.router/arch.moe_layers"
               : "arch.mlp_matrices*model.hidden*model.residual_ffn/layout.tp + "
                 "params.router/arch.moe_layers");
      note("rank.expert_layer", expert_layer_,
           "params.experts/arch.moe_layers/(cluster.ep*rank.etp)");
    }
    const bool text = s_.model.kind != ModelKind::vit;
    if (text)
      note("rank.vocab", vocab_,
           "ceil(model.vocab/(cluster.vocab_multiple*layout.tp))*(cluster.vocab_multiple*"
           "layout.tp)");
    // Embedding on the first stage, head on the last; a tied head is a copy there.
    const bool own_head = st.last && (!tied_ || (pp_ > 1 && !st.first));
    const Formula root =
        !text ? (st.first && st.last ? "(params.embedding + params.other + params.head)/layout.tp"
                 : st.first          ? "(params.embedding + params.other)/layout.tp"
                 : st.last           ? "params.head/layout.tp"
                                     : "0")
        : st.first && own_head
            ? "((params.embedding + params.head)*rank.vocab/model.vocab + params.other)/layout.tp"
        : st.first ? "(params.embedding*rank.vocab/model.vocab + params.other)/layout.tp"
        : own_head ? (s_.model.tied ? "arch.head_matrix*rank.vocab/model.vocab/layout.tp"
                                    : "params.head*rank.vocab/model.vocab/layout.tp")
                   : "0";
    note("rank.root", h.root, root);
    note("rank.params", h.dense,
         moe ? "rank.layers*rank.layer + rank.attention_layers*rank.attention + "
               "rank.linear_layers*rank.linear + rank.dense_layers*rank.dense_mlp + "
               "rank.moe_layers*rank.moe_mlp + rank.mtp + rank.root"
             : "rank.layers*rank.layer + rank.attention_layers*rank.attention + "
               "rank.linear_layers*rank.linear + rank.dense_layers*rank.dense_mlp + rank.mtp + "
               "rank.root");
  }
  note("rank.expert_params", h.experts,
       moe ? "rank.moe_layers*rank.expert_layer + rank.mtp_experts" : "0");
  if (adapters_)
    note("rank.trained", h.trained,
         !known ? "params.trainable/(layout.tp*cluster.pp)"
         : a_.trained_embedding + a_.trained_head > 0
             ? "rank.layers*(params.trainable - tune.expert_adapters - params.modules)/"
               "model.layers/layout.tp"
             : "rank.layers*(params.trainable - tune.expert_adapters)/model.layers/layout.tp");
  else
    note("rank.trained", h.trained, "rank.params");
  note("rank.trained_experts", h.trained_experts,
       !adapters_ ? "rank.expert_params"
       : moe      ? "rank.moe_layers*tune.expert_adapters/arch.moe_layers/(cluster.ep*rank.etp)"
                  : "0");

  // Bytes that stay, moment by moment.
  note("rank.weight_copies", copies(), copies() > 0 ? "stack.weight_copies" : "0");
  note("bytes.matrix", matrix_bytes_);
  note("bytes.expert", expert_bytes_);
  note("bytes.outside", other_bytes_);
  note("bytes.optimizer_mean", optimizer_);
  note("rank.modules", h.modules,
       h.modules == 0        ? "0"
       : vocab_ == 0         ? (st.first && st.last ? "params.modules/layout.tp"
                                : st.first          ? "params.embedding/layout.tp"
                                                    : "params.head/layout.tp")
       : st.first && st.last ? "params.modules*rank.vocab/model.vocab/layout.tp"
       : st.first            ? "params.embedding*rank.vocab/model.vocab/layout.tp"
                             : "params.head*rank.vocab/model.vocab/layout.tp");
  const bool modules = h.modules > 0;
  note("rank.own_weights", h.weights,
       modules     ? "(rank.params - rank.root)*bytes.matrix + rank.root*bytes.outside + "
                     "rank.trained*bytes.adapter + rank.modules*bytes.module"
       : adapters_ ? "(rank.params - rank.root)*bytes.matrix + rank.root*bytes.outside + "
                     "rank.trained*bytes.adapter"
                   : "(rank.params - rank.root)*bytes.matrix + rank.root*bytes.outside");
  note("rank.own_expert_weights", h.expert_weights,
       adapters_ && moe ? "rank.expert_params*bytes.expert + rank.trained_experts*bytes.adapter"
                        : "rank.expert_params*bytes.expert");
  const Parts& p = r.parts;
  note("rank.weights", Bytes{p.weights},
       c.offload_weights ? "0"
       : zero3 ? "rank.own_weights/rank.shard + rank.own_expert_weights/rank.expert_shard + "
                 "rank.weight_copies*(rank.params + rank.expert_params - rank.root)"
               : "rank.own_weights + rank.own_expert_weights + rank.weight_copies*(rank.params + "
                 "rank.expert_params - rank.root)");
  const bool one_layer = s_.states.in_backward || c.offload_gradients;
  if (one_layer) note("rank.widest_trained", h.widest_trained);
  const bool own = modules && m_.module_gradient != gradient_;
  note("rank.own_gradients", gradient_ * h.trained + m_.module_gradient * h.modules,
       own       ? "rank.trained*bytes.gradient + rank.modules*bytes.module"
       : modules ? "(rank.trained + rank.modules)*bytes.gradient"
                 : "rank.trained*bytes.gradient");
  note("rank.own_optimizer", optimizer_ * h.trained + module_optimizer_ * h.modules,
       own && optimizer_ > 0 ? "rank.trained*bytes.optimizer_mean + rank.modules*"
                               "bytes.module_optimizer"
       : modules             ? "(rank.trained + rank.modules)*bytes.optimizer_mean"
                             : "rank.trained*bytes.optimizer_mean");
  note("rank.gradients", Bytes{p.gradients},
       p.gradients == 0 ? "0"
       : one_layer      ? "bytes.gradient*rank.widest_trained"
       : c.zero == 1 && gradient_copy_ > 0
           ? "rank.own_gradients + bytes.gradient*rank.trained_experts - 4*(rank.trained*(1 - "
             "1/rank.shard) + rank.trained_experts*(1 - 1/rank.expert_shard))"
       : zero2 ? "rank.own_gradients/rank.shard + bytes.gradient*rank.trained_experts/"
                 "rank.expert_shard"
               : "rank.own_gradients + bytes.gradient*rank.trained_experts");
  note("rank.master", Bytes{p.master},
       c.offload_optimizer ? "0"
       : zero1             ? "bytes.master*((rank.trained + rank.modules)/rank.shard + "
                             "rank.trained_experts/rank.expert_shard)"
                           : "bytes.master*(rank.trained + rank.modules + rank.trained_experts)");
  note("rank.optimizer", Bytes{p.optimizer},
       c.offload_optimizer ? "0"
       : zero1             ? "rank.own_optimizer/rank.shard + bytes.optimizer_mean*"
                             "rank.trained_experts/rank.expert_shard"
                           : "rank.own_optimizer + bytes.optimizer_mean*rank.trained_experts");

  // Bytes that come and go.
  if (transient_) {
    note("rank.tokens", tokens_,
         s_.model.kind == ModelKind::vit ? "run.micro_batch*arch.image_tokens/cluster.cp"
                                         : "run.micro_batch*run.seq/cluster.cp");
    note("rank.whole_ways", whole_ways_, c.sp ? "layout.tp" : "1");
  }
  const bool stored = p.activations > 0;
  if (transient_ && stored) {
    note("rank.layer_stored",
         Bytes{tokens_ * (act_.dense_stored.whole / whole_ways_ + act_.dense_stored.split / w.tp)},
         "rank.tokens*(act.stored_whole/rank.whole_ways + act.stored_split/layout.tp)");
    note("rank.layer_all",
         Bytes{tokens_ * (act_.dense.whole / whole_ways_ + act_.dense.split / w.tp)},
         "rank.tokens*(act.whole/rank.whole_ways + act.split/layout.tp)");
    const double ways = std::max(1.0, w.tp / w.etp);
    if (moe) {
      note("rank.moe_layer_stored",
           Bytes{tokens_ * (act_.moe_stored.whole / whole_ways_ + act_.moe_stored.split / w.tp +
                            act_.moe_stored.gathered / ways)},
           "rank.tokens*(act.stored_whole/rank.whole_ways + act.moe_stored_split/layout.tp + "
           "act.moe_stored_routed/max(1, layout.tp/rank.etp))");
      note("rank.moe_layer_all",
           Bytes{tokens_ *
                 (act_.moe.whole / whole_ways_ + act_.moe.split / w.tp + act_.moe.gathered / ways)},
           "rank.tokens*(act.whole/rank.whole_ways + act.moe_split/layout.tp + "
           "act.routed/max(1, layout.tp/rank.etp))");
    }
    const bool some = s_.run.recompute == Recompute::full && s_.run.recompute_every > 1;
    const double again = std::floor(a_.layers / s_.run.recompute_every) / a_.layers;
    note("rank.again", some ? again : 1.0,
         some ? "floor(model.layers/run.recompute_every)/model.layers" : "1");
    if (c.offload_activations) note("rank.staged", Bytes{h.staged});
    const Formula formula =
        moe && c.offload_activations
            ? "min(act.share*((rank.kept_layers - rank.kept_moe_layers)*(rank.again*"
              "rank.layer_stored + (1 - rank.again)*rank.layer_all) + rank.kept_moe_layers*("
              "rank.again*rank.moe_layer_stored + (1 - rank.again)*rank.moe_layer_all)), "
              "rank.staged)"
        : moe ? "act.share*((rank.kept_layers - rank.kept_moe_layers)*(rank.again*"
                "rank.layer_stored + (1 - rank.again)*rank.layer_all) + rank.kept_moe_layers*("
                "rank.again*rank.moe_layer_stored + (1 - rank.again)*rank.moe_layer_all))"
        : c.offload_activations
            ? "min(act.share*rank.kept_layers*(rank.again*rank.layer_stored + (1 - rank.again)*"
              "rank.layer_all), rank.staged)"
            : "act.share*rank.kept_layers*(rank.again*rank.layer_stored + (1 - rank.again)*"
              "rank.layer_all)";
    note("rank.activations", Bytes{p.activations}, formula);
  } else {
    note("rank.activations", Bytes{p.activations},
         stored ? "states.activation_bytes*(rank.trained/rank.shard + rank.trained_experts/"
                  "rank.expert_shard)"
                : "0");
  }
  explain_working(r, h, w, note);
  note("rank.logits", Bytes{p.logits},
       p.logits > 0
           ? (st.mtp > 0
                  ? "(1 + rank.mtp_modules)*rank.tokens*(act.loss_bytes*rank.vocab/layout.tp + "
                    "2*act.compute_bytes*model.hidden/rank.whole_ways)"
                  : "rank.tokens*(act.loss_bytes*rank.vocab/layout.tp + "
                    "2*act.compute_bytes*model.hidden/rank.whole_ways)")
           : "0");
  const bool apart = transient_ && (w.gathers || c.offload_weights);
  const bool works = r.moment != Moment::start && r.moment != Moment::update,
             back = r.moment == Moment::backward;
  if (apart && works) {
    note("bytes.gathered", gather_);
    note("bytes.gathered_expert", gather_experts_);
    note("bytes.gathered_root", gather_root_);
    note("rank.widest_layer", h.widest_layer);
    note("rank.widest_experts", h.widest_experts);
    note("rank.open", Bytes{p.gathered - (back ? h.widest_trained * reduced() : 0)},
         c.reshard ? "bytes.gathered*min((1 + cluster.prefetch)*rank.widest_layer, rank.params - "
                     "rank.root) + bytes.gathered_expert*min((1 + cluster.prefetch)*"
                     "rank.widest_experts, rank.expert_params) + bytes.gathered_root*rank.root"
                   : "bytes.gathered*(rank.params - rank.root) + bytes.gathered_expert*"
                     "rank.expert_params + bytes.gathered_root*rank.root");
    if (back) {
      if (!one_layer) note("rank.widest_trained", h.widest_trained);
      note("bytes.reduced", reduced());
    }
  }
  note("rank.gathered", Bytes{p.gathered},
       !works || p.gathered == 0 ? "0"
       : !apart                  ? "act.compute_bytes*(rank.params + rank.expert_params)"
       : back                    ? "rank.open + rank.widest_trained*bytes.reduced"
                                 : "rank.open");
  note("rank.allocated", Bytes{r.allocated},
       "rank.weights + rank.gradients + rank.master + rank.optimizer + rank.activations + "
       "rank.working + rank.logits + rank.gathered");
}

void Ranks::explain_working(const RankMemory& r, const Held& h, const Ways& w,
                            const Loud& note) const {
  const Parts& p = r.parts;
  const Stage& st = r.stage;
  const Stack& stack = s_.stack;
  if (r.moment == Moment::update) {
    note("rank.updated", stack.step_bytes > 0 ? p.working / stack.step_bytes : 0);
    note("rank.working", Bytes{p.working}, "stack.step_bytes*rank.updated");
    return;
  }
  if (!transient_ || r.moment == Moment::start || r.moment == Moment::loss) {
    note("rank.working", Bytes{p.working}, "0");
    return;
  }
  const Cluster& c = s_.cluster;
  const bool gathers = c.sp && w.tp > 1, rings = c.cp > 1;
  if (rings)
    note("rank.passed", passed_,
         c.cp_kind == ContextParallel::ring
             ? "2*(arch.k_width + arch.v_width)"
             : "arch.qk_width + arch.k_width + arch.v_width + arch.o_width");
  note("rank.sent", Bytes{h.sent},
       gathers && rings ? "act.compute_bytes*rank.tokens*(model.hidden + rank.passed/layout.tp)"
       : gathers        ? "act.compute_bytes*rank.tokens*model.hidden"
       : rings          ? "act.compute_bytes*rank.tokens*rank.passed/layout.tp"
                        : "0");
  if (r.moment == Moment::forward) {
    note("rank.working", Bytes{p.working}, "rank.sent");
    return;
  }
  const bool quantized = adapters_ && matrix_bytes_ < 1.5;
  note("rank.dequantized",
       Bytes{quantized ? act_.compute_bytes * s_.model.hidden * s_.model.ffn / w.tp : 0},
       quantized ? "act.compute_bytes*model.hidden*model.ffn/layout.tp" : "0");
  const bool dense = st.layers > st.moe_layers, moe = st.moe_layers > 0;
  if (dense)
    note("rank.layer_gradient",
         Bytes{tokens_ *
               (act_.dense_gradient.whole / whole_ways_ + act_.dense_gradient.split / w.tp)},
         "rank.tokens*act.compute_bytes*(2*model.hidden/rank.whole_ways + "
         "arch.mlp_matrices*model.ffn/layout.tp)");
  if (moe)
    note("rank.moe_layer_gradient",
         Bytes{tokens_ * (act_.moe_gradient.whole / whole_ways_ + act_.moe_gradient.split / w.tp +
                          act_.moe_gradient.gathered / std::max(1.0, w.tp / w.etp))},
         "rank.tokens*act.compute_bytes*(2*model.hidden/rank.whole_ways + arch.mlp_matrices*"
         "(act.token_copies*model.moe_ffn + model.shared_ffn + model.residual_ffn)/layout.tp + "
         "act.token_copies*model.hidden/max(1, layout.tp/rank.etp))");
  const bool again = s_.run.recompute != Recompute::none;
  const Formula formula =
      dense && moe ? (again ? "max(rank.layer_gradient + rank.layer_all - rank.layer_stored, "
                              "rank.moe_layer_gradient + rank.moe_layer_all - "
                              "rank.moe_layer_stored) + rank.sent + rank.dequantized"
                            : "max(rank.layer_gradient, rank.moe_layer_gradient) + rank.sent + "
                              "rank.dequantized")
      : moe   ? (again ? "rank.moe_layer_gradient + rank.moe_layer_all - rank.moe_layer_stored + "
                         "rank.sent + rank.dequantized"
                       : "rank.moe_layer_gradient + rank.sent + rank.dequantized")
      : dense ? (again ? "rank.layer_gradient + rank.layer_all - rank.layer_stored + rank.sent + "
                         "rank.dequantized"
                       : "rank.layer_gradient + rank.sent + rank.dequantized")
              : "rank.sent + rank.dequantized";
  note("rank.working", Bytes{p.working}, formula);
}

}  // namespace envelope
