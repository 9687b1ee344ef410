// SPDX-License-Identifier: MIT
#include "envelope/ranks.h"

#include <algorithm>
#include <cmath>

#include "envelope/formats.h"

namespace envelope {
namespace {

/// 750.0000000000001 ranks are 750: the excess is floating point, not work.
constexpr double kRounding = 1e-9;
constexpr double kMost = 1e8;  ///< Data-parallel ranks, as the field table allows.

/// The model is folded: a pipeline rank works at both ends, so the first has head and embedding.
bool folded(Schedule s) {
  return s == Schedule::zbv || s == Schedule::v_half || s == Schedule::v_min ||
         s == Schedule::dualpipe_v;
}

/// Micro-batches in flight on a pipeline rank, each counted by its share of the rank's layers.
double in_flight(const Scenario& s, double i, double p, double m) {
  const double v = s.cluster.virtual_stages;
  switch (s.cluster.schedule) {
    case Schedule::gpipe:
      return m;
    case Schedule::one_f_one_b:
      // Interleaved: warm-up passes of one piece each, and one more (Narayanan 2021).
      if (v > 1) return std::min(m, (2 * (p - i - 1) + (v - 1) * p + 1) / v);
      return std::min(m, p - i);
    case Schedule::zb_h1:
      return std::min(m, p - i);
    case Schedule::zb_2p:
      return std::min(m, 2 * (p - i) - 1);
    case Schedule::zbv:
      return std::min(m, p);
    case Schedule::v_half:
      return std::min(m, std::max(1.0, p / 2));
    case Schedule::v_min:
      return std::min(m, std::max(1.0, p / 3));
    case Schedule::dualpipe:
      return std::min(m, p - i);
    case Schedule::dualpipe_v:
      return std::min(m, p + 0.5);
  }
  return m;
}

/// Where stage i of p begins. Given first and last stages apart, the middle ones are even, and the
/// remainder goes to the front, but for the first stage, which holds most micro-batches.
double begin_of(const Scenario& s, double i, double p, double layers) {
  if (i <= 0) return 0;
  if (i >= p) return layers;
  const bool first_given = given(s.cluster.first_layers) && p > 1,
             last_given = given(s.cluster.last_layers) && p > 1;
  const double first = first_given ? std::min(s.cluster.first_layers, layers) : 0;
  const double last = last_given ? std::min(s.cluster.last_layers, layers - first) : 0;
  const double stages = p - first_given - last_given, rest = layers - first - last;
  if (stages <= 0) return first;
  const double even = std::floor(rest / stages), extra = rest - even * stages;
  const double k = i - first_given;  // even stages before this one
  const double skip = first_given ? 0 : 1;
  return first + k * even + std::clamp(k - skip, 0.0, extra);
}

void add(Stage& to, const LayerCount& n) {
  to.layers += n.layers;
  to.attention_layers += n.attention;
  to.linear_layers += n.linear;
  to.dense_layers += n.dense;
  to.moe_layers += n.moe;
}

double sharded(double dense, double experts, bool by_data, const Ways& w) {
  return by_data ? dense / w.shard + experts / w.expert_shard : dense + experts;
}

}  // namespace

/// A stage's tensors, before it is decided which of them live at the same time.
struct Ranks::Held {
  double dense = 0, experts = 0;           ///< Parameters on this GPU.
  double weights = 0, expert_weights = 0;  ///< Bytes, before data-parallel ranks share them.
  double trained = 0, trained_experts = 0;
  double modules = 0;  ///< Embedding and head, trained in full beside adapters.
  double widest_layer = 0, widest_trained = 0;  ///< Parameters of the largest layer.
  double activations = 0, working = 0, sent = 0, logits = 0;
  double root = 0;  ///< Parameters outside the layers.
};

Ranks::Ranks(const Scenario& s, const Architecture& a, const Memory& m, const Activations& act)
    : s_(s), a_(a), m_(m), act_(act) {
  const Model& model = s.model;
  const Cluster& c = s.cluster;
  tp_ = given(c.tp) ? c.tp : 1;
  pp_ = c.pp;
  etp_ = given(c.etp) ? c.etp : c.ep > 1 ? 1 : tp_;
  tokens_ = s.run.micro_batch * s.run.seq / c.cp;
  whole_ways_ = c.sp ? tp_ : 1;
  if (a.moe_layers > 0) step_ = std::max(1.0, std::ceil(c.ep * etp_ / (tp_ * c.cp)));

  // Without layers, or where a rule stands for all that comes and goes, nothing is counted of it.
  transient_ = a.known && s.states.activations == ActivationRule::estimate;
  adapters_ = s.run.task == Task::finetune && s.tune.method != Method::full;
  const double T = a.trainable;
  gradient_ = m.gradient_bytes;
  master_ = m.master_bytes;
  gradient_copy_ = s.states.gradient_copy && !(adapters_ && m.adapter_bytes >= 4) ? 4 : 0;
  optimizer_ = s.states.paged ? 0 : m.optimizer_bytes;
  module_optimizer_ = s.states.paged ? 0 : m.module_optimizer;
  matrix_bytes_ = m.matrix_bytes;
  expert_bytes_ = m.expert_bytes;
  other_bytes_ = m.other_bytes;
  adapter_bytes_ = m.adapter_bytes;
  const Precision precision = s.run.precision;
  // Shared weights have such copies only while they are gathered.
  if ((precision == Precision::fp8 || precision == Precision::fp4) && c.zero < 3)
    copies_ = s.stack.weight_copies;
  gather_ = std::min(matrix_bytes_, act.compute_bytes);

  if (!a.known) {  // as if one layer a stage
    layer_ = a.total / (tp_ * pp_);
    if (adapters_) adapter_layer_ = T / (tp_ * pp_);
    return;
  }
  const double L = a.layers, d = model.hidden, g = model.gated ? 3 : 2;
  // MLA's down-projections, norms and routers are on each tensor-parallel rank.
  const double down =
      model.attention == Attention::mla ? d * (model.q_rank + model.kv_rank + model.rope_dim) : 0;
  layer_ = a.biases / L / tp_ + a.norms / L;
  if (a.attention_layers > 0) attention_ = (a.attention / a.attention_layers - down) / tp_ + down;
  if (a.linear_layers > 0) linear_ = a.linear / a.linear_layers / tp_;
  dense_mlp_ = g * d * model.ffn / tp_;
  if (a.moe_layers > 0) {
    moe_mlp_ = (a.shared_experts / a.moe_layers + g * d * model.residual_ffn) / tp_ +
               a.router / a.moe_layers;
    expert_layer_ = a.experts / a.moe_layers / (c.ep * etp_);
  }
  const double rows = c.vocab_multiple * tp_;
  vocab_ = model.kind == ModelKind::vit ? 0 : std::ceil(model.vocab / rows) * rows;
  const bool text = model.kind != ModelKind::vit;
  tied_ = model.tied && text;
  const double padding = model.kind == ModelKind::vit ? 1 : vocab_ / model.vocab;
  embedding_ = a.embedding * padding / tp_;
  head_ = (model.tied && text ? a.head_matrix : a.head) * padding / tp_;
  other_ = a.other / tp_;
  if (adapters_) {
    adapter_layer_ = (T - a.trained_embedding - a.trained_head) / L / tp_;
    trained_embedding_ = a.trained_embedding * padding / tp_;
    trained_head_ = a.trained_head * padding / tp_;
  }
}

Ways Ranks::ways(double dp) const {
  const Cluster& c = s_.cluster;
  Ways w{.tp = tp_, .pp = pp_, .cp = c.cp, .ep = c.ep, .etp = etp_, .dp = dp};
  const double ranks = dp * c.cp;
  w.shard = given(c.shard) ? std::min(c.shard, ranks) : ranks;
  w.expert_shard = std::max(1.0, w.shard * tp_ / (c.ep * etp_));
  w.micro_batches = std::max(1.0, std::ceil(s_.run.global_batch / (s_.run.micro_batch * dp)));
  w.gathers = c.zero >= 3 && w.shard > 1;
  return w;
}

Stage Ranks::stage(double i, const Ways& w) const {
  Stage out;
  out.index = i;
  out.first = i == 0;
  out.last = i == pp_ - 1;
  if (!a_.known) {
    out.layers = out.kept_layers = 1;
    return out;  // a stage is one layer of which nothing is known
  }
  const double L = a_.layers, m = w.micro_batches;
  const double from = begin_of(s_, i, pp_, L), to = begin_of(s_, i + 1, pp_, L);
  const Model& model = s_.model;
  const double v = s_.cluster.virtual_stages;
  if (folded(s_.cluster.schedule) && pp_ > 1) {  // a piece from the front, and its mirror image
    out.last = out.first;
    const double begin = std::floor(from / 2),
                 end = i == pp_ - 1 ? std::floor(L / 2) : std::floor(to / 2);
    add(out, layers_between(model, begin, end));
    add(out, layers_between(model, i == pp_ - 1 ? end : L - end, L - begin));
  } else if (s_.cluster.schedule == Schedule::one_f_one_b && v > 1 && pp_ > 1) {
    // Pieces in turn; rounding their ends to layers loses and doubles none.
    for (double k = 0; k < v; ++k)
      add(out, layers_between(model, std::floor((k * L + from) / v), std::floor((k * L + to) / v)));
  } else {
    add(out, layers_between(model, from, to));
  }
  const double flying = in_flight(s_, i, pp_, m);
  out.kept_layers = flying * out.layers;
  out.kept_moe_layers = flying * out.moe_layers;
  if (s_.cluster.schedule == Schedule::dualpipe && pp_ > 1) {
    // The stage at the other end as well, for the micro-batches that come from there.
    const double j = pp_ - 1 - i;
    const LayerCount n =
        layers_between(model, begin_of(s_, j, pp_, L), begin_of(s_, j + 1, pp_, L));
    const double back = std::min(m, i + 1);
    out.kept_layers += back * n.layers;
    out.kept_moe_layers += back * n.moe;
    add(out, n);
    out.first = out.last = out.first || out.last;
  }
  return out;
}

Ranks::Held Ranks::held(const Stage& st, const Ways& w) const {
  const Cluster& c = s_.cluster;
  const double dense_layers = st.layers - st.moe_layers;  // or without an MLP
  Held h;
  const double matrices = st.layers * layer_ + st.attention_layers * attention_ +
                          st.linear_layers * linear_ + st.dense_layers * dense_mlp_ +
                          st.moe_layers * moe_mlp_;
  const bool copy = tied_ && pp_ > 1;  // the last stage has its own copy of the embedding
  h.root = (st.first ? embedding_ + other_ : 0) +
           (st.last && a_.known && (!tied_ || (copy && !st.first)) ? head_ : 0);
  h.dense = matrices + h.root;
  h.experts = st.moe_layers * expert_layer_;
  h.weights = matrices * matrix_bytes_ + h.root * other_bytes_;
  h.expert_weights = h.experts * expert_bytes_;
  const double layer =
      layer_ +
      std::max(st.attention_layers > 0 ? attention_ : 0, st.linear_layers > 0 ? linear_ : 0) +
      std::max(st.dense_layers > 0 ? dense_mlp_ : 0,
               st.moe_layers > 0 ? moe_mlp_ + expert_layer_ : 0);
  if (adapters_) {
    h.trained = st.layers * adapter_layer_;
    h.modules = (st.first ? trained_embedding_ : 0) + (st.last ? trained_head_ : 0);
    h.weights += h.trained * adapter_bytes_ + h.modules * m_.module_weight;
    h.widest_layer = layer + adapter_layer_;
    h.widest_trained = adapter_layer_;
  } else {
    h.trained = h.dense;
    h.trained_experts = h.experts;
    h.widest_layer = h.widest_trained = layer;
  }
  if (!transient_) return h;

  const auto bytes = [&](const Kept& k) {
    return tokens_ *
           (k.whole / whole_ways_ + k.split / w.tp + k.gathered / std::max(1.0, w.tp / w.etp));
  };
  const double dense_stored = bytes(act_.dense_stored), moe_stored = bytes(act_.moe_stored);
  const double dense_all = bytes(act_.dense), moe_all = bytes(act_.moe);
  const double kept_dense = st.kept_layers - st.kept_moe_layers;
  const bool full = s_.run.recompute == Recompute::full;
  // Every n-th layer is computed again; the others keep all.
  const double again = full ? 1 / s_.run.recompute_every : 1;
  h.activations = act_.share * (kept_dense * (again * dense_stored + (1 - again) * dense_all) +
                                st.kept_moe_layers * (again * moe_stored + (1 - again) * moe_all));
  if (c.offload_activations)
    h.activations = std::min(h.activations, 2 * std::max(dense_stored, moe_stored));

  const double dense_work = bytes(act_.dense_gradient) + dense_all - dense_stored;
  const double moe_work = bytes(act_.moe_gradient) + moe_all - moe_stored;
  const double plain = std::max(dense_layers > 0 ? bytes(act_.dense_gradient) : 0,
                                st.moe_layers > 0 ? bytes(act_.moe_gradient) : 0);
  h.working = s_.run.recompute == Recompute::none
                  ? plain
                  : std::max(dense_layers > 0 ? dense_work : 0, st.moe_layers > 0 ? moe_work : 0);
  // Sequence parallelism gathers the input of a layer; ring attention passes keys and values on.
  const double e = act_.compute_bytes;
  h.sent = (c.sp && w.tp > 1 ? e * s_.model.hidden * tokens_ : 0) +
           (c.cp > 1 ? 2 * e * (a_.k_width + a_.v_width) * tokens_ / w.tp : 0);
  h.working += h.sent;
  if (st.last)
    h.logits = tokens_ * (act_.loss_bytes * vocab_ / w.tp +
                          (vocab_ > 0 ? 2 * e * s_.model.hidden / whole_ways_ : 0));
  return h;
}

Parts Ranks::at(Moment moment, const Held& h, const Ways& w) const {
  const Cluster& c = s_.cluster;
  const Stack& stack = s_.stack;
  const double zero = c.zero;
  Parts p;
  p.weights = c.offload_weights ? 0
                                : sharded(h.weights, h.expert_weights, zero >= 3, w) +
                                      copies_ * (h.dense + h.experts - h.root);
  if (!c.offload_optimizer) {
    p.master = master_ * sharded(h.trained + h.modules, h.trained_experts, zero >= 1, w);
    p.optimizer = sharded(optimizer_ * h.trained + module_optimizer_ * h.modules,
                          optimizer_ * h.trained_experts, zero >= 1, w);
  }
  // Gradients: with buffers of their own, or between the first backward pass and the update.
  const bool one_layer = s_.states.in_backward || c.offload_gradients;
  double gradients = one_layer ? gradient_ * h.widest_trained
                               : sharded(gradient_ * h.trained + m_.module_gradient * h.modules,
                                         gradient_ * h.trained_experts, zero >= 2, w);
  // The optimizer's FP32 copy is shared as soon as the optimizer is.
  if (zero == 1 && !one_layer)
    gradients -= gradient_copy_ *
                 (h.trained * (1 - 1 / w.shard) + h.trained_experts * (1 - 1 / w.expert_shard));
  const bool held = stack.keep_gradients || w.micro_batches > 1;
  if (moment == Moment::update || (held && !one_layer)) p.gradients = gradients;
  if (moment == Moment::backward && one_layer) p.gradients = gradients;
  if (moment == Moment::start) return p;
  if (moment == Moment::update) {
    // A step works in the width of the parameter: modules in 16 bit take half.
    const double modules = h.modules * (adapter_bytes_ > 0 ? m_.module_weight / adapter_bytes_ : 0);
    double at_once = sharded(h.trained + modules, h.trained_experts, zero >= 1, w);
    if (s_.states.in_backward) at_once = std::min(at_once, h.widest_trained);
    if (given(stack.step_params)) at_once = std::min(at_once, stack.step_params);
    p.working = stack.step_bytes * at_once;
    return p;
  }

  p.activations = s_.states.activations == ActivationRule::per_parameter
                      ? s_.states.activation_bytes * sharded(h.trained, h.trained_experts, true, w)
                      : h.activations;
  // Weights that are shared, or wait elsewhere, or are wider than the arithmetic: in 16 bit while
  // they work. What lies outside the layers stays gathered (FSDP's root).
  const bool apart = transient_ && (w.gathers || c.offload_weights);
  const double e = act_.compute_bytes;
  if (apart) {
    const double layers =
        c.reshard ? std::min((1 + c.prefetch) * h.widest_layer, h.dense + h.experts - h.root)
                  : h.dense + h.experts - h.root;
    p.gathered = gather_ * (layers + h.root);
    if (moment == Moment::backward)  // its gradients, and their copy to be reduced
      p.gathered +=
          h.widest_trained *
          (gather_ + (bytes_per_value(c.reduce) > gather_ ? bytes_per_value(c.reduce) : 0));
  } else if (transient_ && matrix_bytes_ > e) {
    p.gathered = e * (h.dense + h.experts);
  }
  if (moment == Moment::loss) p.logits = h.logits;
  if (moment == Moment::forward) p.working = h.sent;
  if (moment == Moment::backward) p.working = h.working;
  return p;
}

Parts Ranks::parts(const Stage& st, const Ways& w, Moment moment) const {
  return at(moment, held(st, w), w);
}

RankMemory Ranks::peak(const Stage& st, const Ways& w) const {
  const Held h = held(st, w);
  RankMemory out;
  out.stage = st;
  out.allocated = -1;
  for (int k = 0; k < kMoments; ++k) {
    const Moment moment = static_cast<Moment>(k);
    if (moment == Moment::loss && !st.last) continue;
    const Parts p = at(moment, h, w);
    const double sum = p.sum();
    if (sum > out.allocated) {
      out.allocated = sum;
      out.moment = moment;
      out.parts = p;
    }
  }
  return out;
}

RankMemory Ranks::fullest(const Ways& w) const {
  RankMemory most;
  most.allocated = -1;
  for (double i = 0; i < pp_; ++i) {
    RankMemory one = peak(stage(i, w), w);
    if (one.allocated > most.allocated) most = one;
  }
  return most;
}

double Ranks::fewest(double room) const {
  const auto fits = [&](double dp) {
    return fullest(ways(dp)).allocated <= room * (1 + kRounding);
  };
  // What no number of ranks shares must fit, and then the rest decides, linear in 1/dp.
  if (fits(step_)) return step_;  // alone, a rank need not gather
  const Ways w = ways(step_);
  Ways one = w;
  one.gathers = s_.cluster.zero >= 3;
  Ways without = one;
  without.shard = without.expert_shard = 1e300;
  if (given(s_.cluster.shard)) without = ways(kMost);
  double least = step_;
  bool possible = true;
  for (double i = 0; i < pp_ && possible; ++i) {
    const Stage st = stage(i, w);
    const Held h = held(st, w);
    for (int k = 0; k < kMoments; ++k) {
      const Moment moment = static_cast<Moment>(k);
      if (moment == Moment::loss && !st.last) continue;
      const double fixed = at(moment, h, without).sum();
      const double shared = (at(moment, h, one).sum() - fixed) * step_;
      if (shared <= 0 && fixed <= room * (1 + kRounding)) continue;
      if (!(fixed < room)) {
        possible = false;
        break;
      }
      least = std::max(least, std::ceil(shared / (room - fixed) / step_ - kRounding) * step_);
    }
  }
  // Fewer micro-batches, or a sharding group of its own size, bend the line: then search.
  const Ways then = ways(least);
  const bool straight =
      !given(s_.cluster.shard) && stage(0, then).kept_layers == stage(0, w).kept_layers &&
      (s_.stack.keep_gradients || (then.micro_batches > 1) == (w.micro_batches > 1));
  if (possible && straight) return least;
  double high = std::floor(kMost / replica() / step_) * step_;
  if (high < step_ || !fits(high)) return kNone;
  double low = step_;
  if (possible && least < high && fits(least)) high = least;
  while (high - low > step_ * 1.5) {
    const double middle = std::floor((low + high) / 2 / step_) * step_;
    (fits(middle) ? high : low) = middle;
  }
  return high;
}

void Ranks::explain(const RankMemory& r, const Ways& w, const Ledger& note) const {
  if (!note) return;
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
    const std::string_view root =
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
               "rank.moe_layers*rank.moe_mlp + rank.root"
             : "rank.layers*rank.layer + rank.attention_layers*rank.attention + "
               "rank.linear_layers*rank.linear + rank.dense_layers*rank.dense_mlp + rank.root");
  }
  note("rank.expert_params", h.experts, moe ? "rank.moe_layers*rank.expert_layer" : "0");
  if (adapters_)
    note("rank.trained", h.trained,
         !known ? "params.trainable/(layout.tp*cluster.pp)"
         : a_.trained_embedding + a_.trained_head > 0
             ? "rank.layers*(params.trainable - params.modules)/model.layers/layout.tp"
             : "rank.layers*params.trainable/model.layers/layout.tp");
  else
    note("rank.trained", h.trained, "rank.params");
  note("rank.trained_experts", h.trained_experts, adapters_ ? "0" : "rank.expert_params");

  // Bytes that stay, moment by moment.
  note("rank.weight_copies", copies_, copies_ > 0 ? "stack.weight_copies" : "0");
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
  note("rank.own_expert_weights", h.expert_weights, "rank.expert_params*bytes.expert");
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
    note("rank.tokens", tokens_, "run.micro_batch*run.seq/cluster.cp");
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
    note("rank.again", some ? 1 / s_.run.recompute_every : 1.0,
         some ? "1/run.recompute_every" : "1");
    const std::string_view formula =
        c.offload_activations ? (moe ? "min(act.share*((rank.kept_layers - rank.kept_moe_layers)*("
                                       "rank.again*rank.layer_stored + (1 - rank.again)*"
                                       "rank.layer_all) + rank.kept_moe_layers*(rank.again*"
                                       "rank.moe_layer_stored + (1 - rank.again)*"
                                       "rank.moe_layer_all)), 2*max(rank.layer_stored, "
                                       "rank.moe_layer_stored))"
                                     : "min(act.share*rank.kept_layers*(rank.again*"
                                       "rank.layer_stored + (1 - rank.again)*rank.layer_all), "
                                       "2*rank.layer_stored)")
        : moe                 ? "act.share*((rank.kept_layers - rank.kept_moe_layers)*(rank.again*"
                                "rank.layer_stored + (1 - rank.again)*rank.layer_all) + rank.kept_moe_layers*("
                                "rank.again*rank.moe_layer_stored + (1 - rank.again)*rank.moe_layer_all))"
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
       p.logits > 0 ? "rank.tokens*(act.loss_bytes*rank.vocab/layout.tp + "
                      "2*act.compute_bytes*model.hidden/rank.whole_ways)"
                    : "0");
  const bool apart = transient_ && (w.gathers || c.offload_weights);
  if (apart) {
    note("bytes.gathered", gather_);
    note("rank.widest_layer", h.widest_layer);
    const double reduced =
        std::max(0.0, bytes_per_value(c.reduce) - gather_) > 0 ? bytes_per_value(c.reduce) : 0;
    if (r.moment == Moment::backward && !one_layer) note("rank.widest_trained", h.widest_trained);
    note("bytes.reduced", gather_ + reduced);
  }
  const bool works = r.moment != Moment::start && r.moment != Moment::update;
  note("rank.gathered", Bytes{p.gathered},
       !works || p.gathered == 0 ? "0"
       : !apart                  ? "act.compute_bytes*(rank.params + rank.expert_params)"
       : r.moment == Moment::backward
           ? (c.reshard ? "bytes.gathered*(min((1 + cluster.prefetch)*rank.widest_layer, "
                          "rank.params + rank.expert_params - rank.root) + rank.root) + "
                          "rank.widest_trained*bytes.reduced"
                        : "bytes.gathered*(rank.params + rank.expert_params) + "
                          "rank.widest_trained*bytes.reduced")
       : c.reshard ? "bytes.gathered*(min((1 + cluster.prefetch)*rank.widest_layer, rank.params + "
                     "rank.expert_params - rank.root) + rank.root)"
                   : "bytes.gathered*(rank.params + rank.expert_params)");
  note("rank.allocated", Bytes{r.allocated},
       "rank.weights + rank.gradients + rank.master + rank.optimizer + rank.activations + "
       "rank.working + rank.logits + rank.gathered");
}

void Ranks::explain_working(const RankMemory& r, const Held& h, const Ways& w,
                            const Ledger& note) const {
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
  note("rank.sent", Bytes{h.sent},
       gathers && rings ? "act.compute_bytes*rank.tokens*(model.hidden + 2*(arch.k_width + "
                          "arch.v_width)/layout.tp)"
       : gathers        ? "act.compute_bytes*rank.tokens*model.hidden"
       : rings          ? "2*act.compute_bytes*rank.tokens*(arch.k_width + arch.v_width)/layout.tp"
                        : "0");
  if (r.moment == Moment::forward) {
    note("rank.working", Bytes{p.working}, "rank.sent");
    return;
  }
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
  const std::string_view formula =
      dense && moe ? (again ? "max(rank.layer_gradient + rank.layer_all - rank.layer_stored, "
                              "rank.moe_layer_gradient + rank.moe_layer_all - "
                              "rank.moe_layer_stored) + rank.sent"
                            : "max(rank.layer_gradient, rank.moe_layer_gradient) + rank.sent")
      : moe   ? (again ? "rank.moe_layer_gradient + rank.moe_layer_all - rank.moe_layer_stored + "
                         "rank.sent"
                       : "rank.moe_layer_gradient + rank.sent")
      : dense ? (again ? "rank.layer_gradient + rank.layer_all - rank.layer_stored + rank.sent"
                       : "rank.layer_gradient + rank.sent")
              : "rank.sent";
  note("rank.working", Bytes{p.working}, formula);
}

}  // namespace envelope
