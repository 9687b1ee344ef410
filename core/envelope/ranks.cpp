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
    // Weight gradients that wait keep what they need: no rank holds less than the first.
    case Schedule::zb_h1:
    case Schedule::zbv:
      return std::min(m, p);
    case Schedule::zb_2p:
      return std::min(m, 2 * p - 1);
    case Schedule::v_half:
      return std::min(m, std::floor((p + 2) / 2));
    case Schedule::v_min:
      return std::min(m, std::floor((p + 4) / 3));
    case Schedule::dualpipe:  // half of the micro-batches come from each end
      return std::min(std::ceil(m / 2), p - i);
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

/// Layers in the pieces of the stages [from, to): of all pieces before the k-th, or of the k-th.
/// Stages come in four sizes: the first, those with one layer more, the others, the last.
double before(const Scenario& s, double from, double to, double pieces, double k, double p,
              double layers, bool earlier) {
  const double first = begin_of(s, 1, p, layers), one = begin_of(s, 2, p, layers) - first,
               end = begin_of(s, p - 1, p, layers);
  const double usual = p > 2 ? end - begin_of(s, p - 2, p, layers) : 0;
  const double wide = one > usual ? (end - first) - (p - 2) * usual : 0;  // with one layer more
  const auto of = [&](double stages, double n) {
    const double even = std::floor(n / pieces), more = n - even * pieces;
    return stages * (earlier ? k * even + std::min(k, more) : even + (k < more ? 1 : 0));
  };
  const auto within = [&](double begin, double finish) {
    return std::max(0.0, std::min(to, finish) - std::max(from, begin));
  };
  return of(within(0, 1), first) + of(within(1, 1 + wide), usual + 1) +
         of(within(1 + wide, p - 1), usual) + of(within(p - 1, p), layers - end);
}

/// Which layers a stage has only matters where they differ.
bool alike(const Model& m) {
  return m.linear == Linear::none && (m.experts == 0 || (m.first_dense == 0 && m.moe_every == 1));
}

/// A stage has the same kinds of layers as another, and no more of any.
bool within(const Stage& a, const Stage& b) {
  const auto less = [](double x, double y) { return x <= y && (x > 0) == (y > 0); };
  return a.first == b.first && a.last == b.last && less(a.layers, b.layers) &&
         less(a.attention_layers, b.attention_layers) && less(a.linear_layers, b.linear_layers) &&
         less(a.dense_layers, b.dense_layers) && less(a.moe_layers, b.moe_layers) &&
         less(a.layers - a.moe_layers, b.layers - b.moe_layers) && a.mtp == b.mtp &&
         a.kept_moe_layers <= b.kept_moe_layers &&
         a.kept_layers - a.kept_moe_layers <= b.kept_layers - b.kept_moe_layers;
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

Ranks::Ranks(const Scenario& s, const Architecture& a, const Memory& m, const Activations& act,
             double tp)
    : s_(s), a_(a), m_(m), act_(act) {
  const Model& model = s.model;
  const Cluster& c = s.cluster;
  tp_ = tp;
  pp_ = c.pp;
  etp_ = given(c.etp) ? c.etp : c.ep > 1 ? 1 : tp_;
  tokens_ = s.run.micro_batch * sequence_length(s) / c.cp;
  // A ring passes keys and values on while it uses others; all-to-all exchanges all heads.
  passed_ = c.cp_kind == ContextParallel::ring ? 2 * (a.k_width + a.v_width)
                                               : a.qk_width + a.k_width + a.v_width + a.o_width;
  whole_ways_ = c.sp ? tp_ : 1;
  if (a.moe_layers > 0) step_ = std::max(1.0, std::ceil(c.ep * etp_ / (tp_ * c.cp)));

  // Without layers, or where a rule stands for all that comes and goes, nothing is counted of it.
  transient_ = a.known && s.states.activations == ActivationRule::estimate;
  const auto bytes = [&](const Kept& k) {
    return tokens_ *
           (k.whole / whole_ways_ + k.split / tp_ + k.gathered / std::max(1.0, tp_ / etp_));
  };
  dense_stored_ = bytes(act.dense_stored);
  moe_stored_ = bytes(act.moe_stored);
  dense_all_ = bytes(act.dense);
  moe_all_ = bytes(act.moe);
  dense_gradient_ = bytes(act.dense_gradient);
  moe_gradient_ = bytes(act.moe_gradient);
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
  if (precision == Precision::fp8 || precision == Precision::fp4) copies_ = s.stack.weight_copies;
  gather_ = std::min(matrix_bytes_, act.compute_bytes);
  gather_experts_ = std::min(expert_bytes_, act.compute_bytes);
  gather_root_ = std::min(other_bytes_, act.compute_bytes);

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
  if (a.mtp_trained > 0) {
    const double experts = a.moe_layers > 0 ? a.experts / a.moe_layers : 0;
    mtp_ = (a.mtp / model.mtp_layers - experts) / tp_;
    mtp_experts_ = experts / (c.ep * etp_);
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
    adapter_layer_ = (T - a.expert_adapters - a.trained_embedding - a.trained_head) / L / tp_;
    if (a.moe_layers > 0) expert_adapter_ = a.expert_adapters / a.moe_layers / (c.ep * etp_);
    trained_embedding_ = a.trained_embedding * padding / tp_;
    trained_head_ = a.trained_head * padding / tp_;
  }
}

double Ranks::reduced() const {
  const double sum = bytes_per_value(s_.cluster.reduce);
  return gather_ + (sum > gather_ ? sum : 0);
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
  const bool fold = folded(s_.cluster.schedule) && pp_ > 1;
  if (fold) out.last = out.first;
  const bool split = fold || (s_.cluster.schedule == Schedule::one_f_one_b && v > 1 && pp_ > 1);
  if (split && !alike(model)) {
    // Each stage has pieces of the model, as even as its layers allow, and pieces follow one
    // another through the stages; folded, the second piece comes back from the end.
    const double pieces = fold ? 2 : v, mine = to - from;
    const double even = std::floor(mine / pieces);
    for (double k = 0; k < pieces; ++k) {
      const double n = even + (k < mine - even * pieces ? 1 : 0);
      if (n == 0) break;
      const bool back = fold && k > 0;
      // What lies before: the earlier pieces of all stages, this piece of those that come first.
      const double at = before(s_, 0, pp_, pieces, k, pp_, L, true) +
                        (back ? before(s_, i + 1, pp_, pieces, k, pp_, L, false)
                              : before(s_, 0, i, pieces, k, pp_, L, false));
      add(out, layers_between(model, at, at + n));
    }
  } else {
    add(out, layers_between(model, from, to));
  }
  const double flying = in_flight(s_, i, pp_, m);
  // A multi-token-prediction module is one more layer beside the head.
  if (out.last) out.mtp = a_.mtp_trained;
  out.kept_layers = flying * (out.layers + out.mtp);
  out.kept_moe_layers = flying * (out.moe_layers + (a_.moe_layers > 0 ? out.mtp : 0));
  if (s_.cluster.schedule == Schedule::dualpipe && pp_ > 1) {
    // The stage at the other end as well, for the micro-batches that come from there.
    const double j = pp_ - 1 - i;
    const LayerCount n =
        layers_between(model, begin_of(s_, j, pp_, L), begin_of(s_, j + 1, pp_, L));
    const double back = std::min(std::ceil(m / 2), i + 1);
    out.kept_layers += back * n.layers;
    out.kept_moe_layers += back * n.moe;
    add(out, n);
    out.first = out.last = out.first || out.last;
  }
  return out;
}

double Ranks::dense_parameters(const Stage& st) const {
  return st.layers * layer_ + st.attention_layers * attention_ + st.linear_layers * linear_ +
         st.dense_layers * dense_mlp_ + st.moe_layers * moe_mlp_ + st.mtp * mtp_ +
         (st.first ? embedding_ + other_ : 0) + (st.last && !tied_ ? head_ : 0);
}

double Ranks::expert_parameters(const Stage& st) const {
  return st.moe_layers * expert_layer_ + st.mtp * mtp_experts_;
}

double Ranks::recomputed() const {
  const bool full = s_.run.recompute == Recompute::full;
  return full ? std::floor(a_.layers / s_.run.recompute_every) / a_.layers : 1;
}

double Ranks::stored(double layers, double moe_layers) const {
  if (!transient_) return 0;
  const double again = recomputed();
  return act_.share * ((layers - moe_layers) * (again * dense_stored_ + (1 - again) * dense_all_) +
                       moe_layers * (again * moe_stored_ + (1 - again) * moe_all_));
}

double Ranks::stored(const Stage& st) const {
  return stored(st.layers + st.mtp, st.moe_layers + (a_.moe_layers > 0 ? st.mtp : 0));
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
  h.mtp = st.mtp * mtp_;
  h.dense = matrices + h.mtp + h.root;
  h.experts = st.moe_layers * expert_layer_ + st.mtp * mtp_experts_;
  h.weights = (matrices + h.mtp) * matrix_bytes_ + h.root * other_bytes_;
  h.expert_weights = h.experts * expert_bytes_;
  const double dense = st.dense_layers > 0 ? dense_mlp_ : 0,
               beside = st.moe_layers > 0 ? moe_mlp_ : 0;
  h.widest_experts = st.moe_layers > 0 ? expert_layer_ : 0;
  h.widest_layer =
      layer_ +
      std::max(st.attention_layers > 0 ? attention_ : 0, st.linear_layers > 0 ? linear_ : 0) +
      (beside + h.widest_experts >= dense ? beside : dense);
  if (beside + h.widest_experts < dense) h.widest_experts = 0;
  if (adapters_) {
    h.trained = st.layers * adapter_layer_;
    h.trained_experts = st.moe_layers * expert_adapter_;
    h.modules = (st.first ? trained_embedding_ : 0) + (st.last ? trained_head_ : 0);
    h.weights += h.trained * adapter_bytes_ + h.modules * m_.module_weight;
    h.expert_weights += h.trained_experts * adapter_bytes_;
    h.widest_trained = adapter_layer_ + (st.moe_layers > 0 ? expert_adapter_ : 0);
  } else {
    h.trained = h.dense;
    h.trained_experts = h.experts;
    h.widest_trained = h.widest_layer + h.widest_experts;
  }
  if (!transient_) return h;

  h.activations = stored(st.kept_layers, st.kept_moe_layers);
  const double again = recomputed();
  // Offloaded, one layer leaves while the next is at work.
  h.staged = 2 * std::max(dense_layers > 0 ? (again < 1 ? dense_all_ : dense_stored_) : 0,
                          st.moe_layers > 0 ? (again < 1 ? moe_all_ : moe_stored_) : 0);

  const double dense_work = dense_gradient_ + dense_all_ - dense_stored_;
  const double moe_work = moe_gradient_ + moe_all_ - moe_stored_;
  const double plain =
      std::max(dense_layers > 0 ? dense_gradient_ : 0, st.moe_layers > 0 ? moe_gradient_ : 0);
  h.working = s_.run.recompute == Recompute::none
                  ? plain
                  : std::max(dense_layers > 0 ? dense_work : 0, st.moe_layers > 0 ? moe_work : 0);
  // Sequence parallelism gathers the input of a layer; ring attention passes keys and values on.
  const double e = act_.compute_bytes;
  h.sent = (c.sp && w.tp > 1 ? e * s_.model.hidden * tokens_ : 0) +
           (c.cp > 1 ? e * passed_ * tokens_ / w.tp : 0);
  h.working += h.sent;
  // A quantized matrix is brought to 16 bit to work.
  if (adapters_ && matrix_bytes_ < 1.5) h.working += e * s_.model.hidden * s_.model.ffn / w.tp;
  if (st.last)
    h.logits = (1 + st.mtp) * tokens_ *
               (act_.loss_bytes * vocab_ / w.tp +
                (vocab_ > 0 ? 2 * e * s_.model.hidden / whole_ways_ : 0));
  return h;
}

/// What a GPU holds between steps, and what is added to it at each moment of one.
Ranks::Live Ranks::live(const Held& h, const Ways& w) const {
  const Cluster& c = s_.cluster;
  const Stack& stack = s_.stack;
  const double zero = c.zero;
  Live x;
  x.weights = c.offload_weights ? 0
                                : sharded(h.weights, h.expert_weights, zero >= 3, w) +
                                      copies() * (h.dense + h.experts - h.root);
  if (!c.offload_optimizer) {
    x.master = master_ * sharded(h.trained + h.modules, h.trained_experts, zero >= 1, w);
    x.optimizer = sharded(optimizer_ * h.trained + module_optimizer_ * h.modules,
                          optimizer_ * h.trained_experts, zero >= 1, w);
  }
  // Gradients: with buffers of their own, or between the first backward pass and the update.
  const bool one_layer = s_.states.in_backward || c.offload_gradients;
  x.gradients = one_layer ? gradient_ * h.widest_trained
                          : sharded(gradient_ * h.trained + m_.module_gradient * h.modules,
                                    gradient_ * h.trained_experts, zero >= 2, w);
  // The optimizer's FP32 copy is shared as soon as the optimizer is.
  if (zero == 1 && !one_layer)
    x.gradients -= gradient_copy_ *
                   (h.trained * (1 - 1 / w.shard) + h.trained_experts * (1 - 1 / w.expert_shard));
  x.kept = !one_layer && (stack.keep_gradients || w.micro_batches > 1) ? x.gradients : 0;
  x.backward = one_layer ? x.gradients : x.kept;

  if (stack.step_bytes > 0 && !c.offload_optimizer) {
    // A step works in the width of the parameter: modules in 16 bit take half.
    const double modules = h.modules * (adapter_bytes_ > 0 ? m_.module_weight / adapter_bytes_ : 0);
    double at_once = sharded(h.trained + modules, h.trained_experts, zero >= 1, w);
    if (s_.states.in_backward) at_once = std::min(at_once, h.widest_trained);
    if (given(stack.step_params)) at_once = std::min(at_once, stack.step_params);
    x.update = stack.step_bytes * at_once;
  }

  x.activations = s_.states.activations == ActivationRule::per_parameter
                      ? s_.states.activation_bytes * sharded(h.trained, h.trained_experts, true, w)
                  : c.offload_activations ? std::min(h.activations, h.staged)
                                          : h.activations;
  // Weights that are shared, or wait elsewhere, or are wider than the arithmetic: in 16 bit while
  // they work. What lies outside the layers stays gathered (FSDP's root).
  if (transient_ && (w.gathers || c.offload_weights)) {
    const double ahead = 1 + c.prefetch, dense = h.dense - h.root;
    x.gathered =
        gather_ * (c.reshard ? std::min(ahead * h.widest_layer, dense) : dense) +
        gather_experts_ * (c.reshard ? std::min(ahead * h.widest_experts, h.experts) : h.experts) +
        gather_root_ * h.root;
    x.reduced = h.widest_trained * reduced();  // its gradients, and their copy to be reduced
  } else if (transient_ && matrix_bytes_ > act_.compute_bytes) {
    x.gathered = act_.compute_bytes * (h.dense + h.experts);
  }
  return x;
}

double Ranks::sum(Moment moment, const Live& x, const Held& h) const {
  const double states = x.weights + x.master + x.optimizer;
  switch (moment) {
    case Moment::start:
      return states + x.kept;
    case Moment::forward:
      return states + x.kept + x.activations + x.gathered + h.sent;
    case Moment::loss:
      return states + x.kept + x.activations + x.gathered + h.logits;
    case Moment::backward:
      return states + x.backward + x.activations + x.gathered + x.reduced + h.working;
    case Moment::update:
      return states + x.gradients + x.update;
  }
  return 0;
}

Parts Ranks::parts(Moment moment, const Live& x, const Held& h) const {
  Parts p;
  p.weights = x.weights;
  p.master = x.master;
  p.optimizer = x.optimizer;
  p.gradients = moment == Moment::update     ? x.gradients
                : moment == Moment::backward ? x.backward
                                             : x.kept;
  if (moment == Moment::start) return p;
  if (moment == Moment::update) {
    p.working = x.update;
    return p;
  }
  p.activations = x.activations;
  p.gathered = x.gathered;
  if (moment == Moment::forward) p.working = h.sent;
  if (moment == Moment::loss) p.logits = h.logits;
  if (moment == Moment::backward) {
    p.working = h.working;
    p.gathered += x.reduced;
  }
  return p;
}

Parts Ranks::parts(const Stage& st, const Ways& w, Moment moment) const {
  const Held h = held(st, w);
  return parts(moment, live(h, w), h);
}

RankMemory Ranks::peak(const Stage& st, const Ways& w) const { return peak(st, held(st, w), w); }

RankMemory Ranks::peak(const Stage& st, const Held& h, const Ways& w) const {
  const Live x = live(h, w);
  RankMemory out;
  out.stage = st;
  double most = -1;
  for (int k = 0; k < kMoments; ++k) {
    const Moment moment = static_cast<Moment>(k);
    if (moment == Moment::loss && !st.last) continue;
    if (const double bytes = sum(moment, x, h); bytes > most) {
      most = bytes;
      out.moment = moment;
    }
  }
  out.parts = parts(out.moment, x, h);
  out.allocated = out.parts.sum();
  return out;
}

RankMemory Ranks::fullest(const Crowded& c, const Ways& w) const {
  RankMemory most;
  most.allocated = -1;
  const auto look = [&](const Stage& st, const Held& h) {
    RankMemory one = peak(st, h, w);
    if (one.allocated > most.allocated) most = one;
  };
  for (std::size_t k = 0; k < c.count; ++k) look(c.stages[k], c.held[k]);
  for (double i = 0; c.count == 0 && i < pp_; ++i) {
    const Stage st = stage(i, w);
    look(st, held(st, w));
  }
  return most;
}

Ranks::Crowded Ranks::crowded(const Ways& w) const {
  Crowded out;
  const auto add = [&](const Stage& st) {
    out.stages[out.count] = st;
    out.held[out.count++] = held(st, w);
  };
  // Between the ends the first stage has the most layers of those that are alike, and the most
  // micro-batches in flight. With DualPipe each has a second one, of the other end.
  if (pp_ <= 3 || (alike(s_.model) && s_.cluster.schedule != Schedule::dualpipe)) {
    const double places[] = {0, 1, pp_ - 1};
    for (int k = 0; k < 3; ++k)
      if (k == 0 || (places[k] > places[k - 1] && places[k] < pp_)) add(stage(places[k], w));
    return out;
  }
  // Else whoever has less of everything than one before, of the same kinds of layers, holds less.
  for (double i = 0; i < pp_; ++i) {
    const Stage st = stage(i, w);
    bool less = false;
    for (std::size_t k = 0; k < out.count && !less; ++k) less = within(st, out.stages[k]);
    if (less) continue;
    if (out.count == out.stages.size()) return {};
    add(st);
  }
  return out;
}

double Ranks::legal(double least) const {
  const double next = std::ceil(least / step_ - kRounding) * step_;
  const double batches = s_.run.global_batch / s_.run.micro_batch;
  if (!transient_ || std::floor(batches) != batches) return next;
  // The next divisor: from below up to the root, then by the micro-batches that each rank has.
  const auto whole = [](double a, double b) { return std::floor(b / a) * a == b; };
  double dp = next;
  for (int tries = 0; dp * dp <= batches; dp += step_) {
    if (whole(dp, batches)) return dp;
    if (++tries > 1000) return next;
  }
  double m = std::floor(batches / dp + kRounding);
  for (int tries = 0; m >= 1; --m) {
    if (whole(m, batches) && whole(step_, batches / m)) return batches / m;
    if (++tries > 1000) return next;
  }
  return kNone;
}

double Ranks::fewest(double room_alone, double room_together) const {
  const auto room = [&](double dp) { return dp > 1 ? room_together : room_alone; };
  const auto fits = [&](double dp) {
    return fullest(ways(dp)).allocated <= room(dp) * (1 + kRounding);
  };
  const double first = legal(step_);
  if (!given(first)) return kNone;
  if (fits(first)) return first;  // alone, a rank need not gather
  // What no number of ranks shares must fit, and then the rest decides, linear in 1/dp.
  const Ways w = ways(step_);
  Ways one = w;
  one.gathers = s_.cluster.zero >= 3;
  Ways without = one;
  without.shard = without.expert_shard = 1e300;
  if (given(s_.cluster.shard)) without = ways(kMost);
  double least = first + step_;
  bool possible = true;
  const Crowded some = crowded(w);
  const double places = some.count > 0 ? static_cast<double>(some.count) : pp_;
  for (double i = 0; i < places && possible; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Stage st = some.count > 0 ? some.stages[at] : stage(i, w);
    const Held h = some.count > 0 ? some.held[at] : held(st, w);
    const Live alone = live(h, without), together = live(h, one);
    for (int k = 0; k < kMoments; ++k) {
      const Moment moment = static_cast<Moment>(k);
      if (moment == Moment::loss && !st.last) continue;
      const double fixed = sum(moment, alone, h);
      const double shared = (sum(moment, together, h) - fixed) * step_;
      if (shared <= 0 && fixed <= room_together * (1 + kRounding)) continue;
      if (!(fixed < room_together)) {
        possible = false;
        break;
      }
      least =
          std::max(least, std::ceil(shared / (room_together - fixed) / step_ - kRounding) * step_);
    }
  }
  // Fewer micro-batches, or a sharding group of its own size, bend the line: then search.
  const Ways then = ways(least);
  const bool straight =
      !given(s_.cluster.shard) && stage(0, then).kept_layers == stage(0, w).kept_layers &&
      (s_.stack.keep_gradients || (then.micro_batches > 1) == (w.micro_batches > 1));
  const double most = std::floor(kMost / replica() / step_) * step_;
  if (possible && straight) {
    const double dp = legal(least);
    return given(dp) && dp <= most ? dp : kNone;
  }
  if (transient_) {  // the divisors of the batch, of which there are few
    int tries = 0;
    for (double dp = legal(first + step_); given(dp) && dp <= most && tries < 64;
         dp = legal(dp + step_), ++tries)
      if (fits(dp)) return dp;
    return kNone;
  }
  if (most < step_ || !fits(most)) return kNone;
  double low = step_, high = most;
  if (possible && least < high && fits(least)) high = least;
  while (high - low > step_ * 1.5) {
    const double middle = std::floor((low + high) / 2 / step_) * step_;
    (fits(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace envelope
