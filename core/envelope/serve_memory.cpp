// SPDX-License-Identifier: MIT
#include "envelope/serve_memory.h"

#include <algorithm>
#include <cmath>

#include "envelope/kv.h"

namespace envelope {
namespace {

/// A part in 1e9 of a GPU is floating point, not memory.
constexpr double kRounding = 1e-9;
/// Ends of the range in which the largest batch and context are looked for.
constexpr double kMostBatch = 1e7, kMostContext = 1e9;

/// Largest whole number in 0..limit for which `fits`, which no larger number may undo.
template <class Fits>
double largest_that(double limit, const Fits& fits) {
  if (fits(limit)) return limit;
  double yes = 0, no = limit;  // zero of it always fits
  while (no - yes > 1) {
    const double middle = std::floor((yes + no) / 2);
    (fits(middle) ? yes : no) = middle;
  }
  return yes;
}

bool divides(double a, double b) { return std::floor(b / a) * a == b; }

/// Legal numbers of GPUs of a replica, rising: heads divide evenly, and KV heads divide or are
/// replicated evenly.
struct Legal {
  double tp[64];
  int count = 0;
  Legal(const Model& m) {
    const double root = std::floor(std::sqrt(m.heads));
    const auto add = [&](double d) {
      const bool kv =
          m.attention == Attention::mla || divides(d, m.kv_heads) || divides(m.kv_heads, d);
      if (kv && count < 64) tp[count++] = d;
    };
    for (double d = 1; d <= root; ++d)
      if (divides(d, m.heads)) add(d);
    for (double d = root; d >= 1; --d)
      if (divides(d, m.heads) && d * d != m.heads) add(m.heads / d);
  }
};

}  // namespace

Replica::Replica(const Scenario& s, const Architecture& a, const Memory& m, const WeightBytes& w,
                 double tp)
    : s_(s), a_(a), tp_(tp) {
  if (!a.known) {
    weights_ = m.weights.value / tp;
    return;
  }
  const Model& x = s.model;
  const double h = x.hidden, g = x.gated ? 3 : 2;
  const bool mla = x.attention == Attention::mla;
  // Norms and routers are on each GPU, and so are MLA's down-projections.
  replicated_ = w.norms * (a.norms + a.biases) + w.router * a.router;
  if (mla)
    replicated_ += w.attention * (a.attention_layers * h * (x.q_rank + x.kv_rank + x.rope_dim));
  else
    kv_weights_ =
        w.attention * ((a.attention_layers + a.cross_layers) * h * (a.k_width + a.v_width));
  // More GPUs than KV heads hold them more than once.
  kv_ways_ = mla ? 1 : x.kv_heads / std::ceil(x.kv_heads / tp);
  weights_ =
      replicated_ + kv_weights_ / kv_ways_ + (m.weights.value - replicated_ - kv_weights_) / tp;

  activation_ = s.serve.weights == Format::fp32 ? 4 : 2;
  const double attention = (a.qk_width + a.k_width + a.v_width + a.o_width) / tp,
               mlp = g * x.ffn / tp,
               routed = x.top_k * (h + g * x.moe_ffn / tp) + g * x.shared_ffn / tp + 2 * x.experts;
  const bool dense = a.dense_layers > 0, moe = a.moe_layers > 0;
  // The residual stream and the norm's output, and the widest of what is computed from it.
  const double linear = a.layer.linear / h / tp;
  width_ = 2 * h + std::max({attention, dense ? mlp : 0, moe ? routed : 0, linear});
  const double columns = std::max({a.qk_width, dense ? x.ffn : 0, moe ? x.moe_ffn : 0});
  largest_ = h * columns / tp;
  if (s.serve.merge && !mla)
    load_ = w.attention *
            ((a.attention_layers + a.cross_layers) * h * (a.qk_width + a.k_width + a.v_width)) / tp;
  // bitsandbytes: the largest matrix, the head among them, is there in 16 bit when it is quantized.
  if (quantized_on_load(s.serve.weights)) load_ += 2 * std::max(h * columns, a.head_matrix) / tp;
}

double Replica::communication() const { return tp_ > 1 ? s_.stack.buffers : 0; }

ServeMoments Replica::moments(double batch, double prompt, double output) const {
  ServeMoments x;
  x.load = load_;
  if (a_.known) {
    const Serve& v = s_.serve;
    const Model& m = s_.model;
    const bool eager = v.eager, grown = grows(s_);
    const double n = prompt + output;
    const double logits = makes_logits(m) ? kLogitBytes * m.vocab : 0;
    const double whole = dequantized_whole(v.weights) ? 2 * largest_ : 0;
    const double hidden = 2 * activation_ * m.hidden, heads = m.heads / tp_;

    // Without a cache each step is a pass over the whole context.
    const double length = v.kv_cache ? std::max(1.0, prompt) : n;
    const double all = batch * length;
    const double pass = given(v.prefill) ? std::min(all, v.prefill)
                        : eager          ? all
                                         : std::min(all, kPassTokens);
    x.prefill_work =
        activation_ * pass * width_ + (eager ? kScoreBytes * pass * length * heads : 0) + whole;
    x.prefill_hidden = hidden * pass;
    x.prefill_logits = logits * (eager ? pass : batch);
    if (v.kv_cache) {
      const double states = batch * state_bytes(s_, a_) / tp_;
      x.cache = batch * kv_bytes(s_, a_, prompt, output) / kv_ways_ + states;
      x.prefill_cache = grown ? batch * kv_bytes(s_, a_, prompt, 0) / kv_ways_ + states : x.cache;
      const double step = batch * (1 + v.draft_tokens);
      const double layer = kv_layer_bytes(s_), wide = bytes_per_value(v.kv);
      if (x.cache > 0) {
        if (grown) x.copy = batch * n * layer / kv_ways_;
        // Plain PyTorch brings a layer's cache back to 16 bit before it uses it.
        if (eager && wide > 0 && wide < activation_)
          x.copy += batch * n * layer * (activation_ / wide) / kv_ways_;
      }
      x.step_work = activation_ * step * width_ + (eager ? kScoreBytes * step * n * heads : 0) +
                    whole + x.copy;
      x.step_hidden = hidden * step;
      x.step_logits = logits * step;
    }
    const double prefill = std::max(x.prefill_work, x.prefill_hidden + x.prefill_logits),
                 step = std::max(x.step_work, x.step_hidden + x.step_logits);
    x.allocated = std::max({x.load, x.prefill_cache + prefill, x.cache + step});
    // A cache that grows leaves the blocks of its last length behind, as many bytes again.
    x.reserved = grown ? std::max(x.allocated, 2 * x.cache + step) : x.allocated;
  }
  x.allocated += weights_;
  x.reserved = (1 + s_.stack.slack) * (x.reserved + weights_);
  return x;
}

double Replica::per_gpu(double batch, double prompt, double output) const {
  const ServeMoments x = moments(batch, prompt, output);
  return x.allocated + std::max(s_.cluster.reserve,
                                x.reserved - x.allocated + s_.stack.context + communication());
}

bool Replica::fits(double batch, double prompt, double output) const {
  return per_gpu(batch, prompt, output) <= s_.gpu.memory * (1 + kRounding);
}

double Replica::most_batch(double limit) const {
  return largest_that(
      limit, [&](double b) { return b == 0 || fits(b, s_.serve.prompt, s_.serve.output); });
}

double Replica::most_context(double batch, double limit) const {
  return largest_that(limit, [&](double n) {
    const double output = std::min(n, s_.serve.output);
    return n == 0 || fits(batch, n - output, output);
  });
}

ServeMemory serve_memory(const Scenario& s, const Architecture& a, const Memory& m,
                         const Ledger& note) {
  ServeMemory out;
  const double batch = s.serve.batch;
  const bool chosen = !given(s.cluster.tp);
  const WeightBytes w = a.known ? weight_bytes(s.serve.weights, s.model, a) : WeightBytes{};

  const Legal legal(s.model);
  // What is left open stays inside the scale-up domain, unless nothing fits there.
  const auto inside = [&](double tp) { return tp <= s.gpu.domain || s.cluster.tp_across; };
  // Fewest GPUs: for each legal replica the sequences that it holds, and the replicas that takes.
  double fit_tp = kNone, fit_batch = kNone;
  const auto try_to_fit = [&](double tp) {
    if (given(out.to_fit) && tp > out.to_fit) return;
    const double sequences = Replica(s, a, m, w, tp).most_batch(batch);
    if (sequences == 0) return;
    const double gpus = tp * std::ceil(batch / sequences);
    // Of two ways with as many GPUs, the one with the larger replicas is the faster.
    if (given(out.to_fit) && (gpus > out.to_fit || (gpus == out.to_fit && tp < fit_tp))) return;
    out.to_fit = gpus;
    fit_tp = tp;
    fit_batch = sequences;
  };
  if (!chosen) {
    try_to_fit(s.cluster.tp);
  } else if (a.known) {
    for (int i = 0; i < legal.count; ++i) try_to_fit(legal.tp[i]);
  } else {  // bytes alone divide by any number
    const double room = std::min(s.gpu.memory - s.cluster.reserve,
                                 s.gpu.memory - s.stack.context - s.stack.buffers);
    try_to_fit(1);
    if (!given(out.to_fit) && room > 0)
      try_to_fit(std::max(2.0, std::ceil(m.weights.value / room - kRounding)));
  }
  const bool fit = given(out.to_fit);
  if (fit) {
    note("layout.fit_tp", fit_tp);
    note("layout.fit_batch", fit_batch);
    note("gpus.to_fit", out.to_fit, "layout.fit_tp*ceil(serve.batch/layout.fit_batch)");
  }

  if (given(s.cluster.gpus)) {
    out.used = note("gpus.used", s.cluster.gpus, "cluster.gpus");
  } else {
    const double unit = chosen ? fit ? fit_tp : 1 : s.cluster.tp;
    note("layout.replica", unit, !chosen ? "cluster.tp" : fit ? "layout.fit_tp" : "1");
    out.used = note("gpus.used", fit ? out.to_fit : unit, fit ? "gpus.to_fit" : "layout.replica");
  }
  const auto replicas = [&](double tp) { return std::max(1.0, std::floor(out.used / tp)); };
  const auto sequences = [&](double tp) { return std::ceil(batch / replicas(tp)); };
  if (!chosen) {
    out.tp = note("layout.tp", s.cluster.tp, "cluster.tp");
  } else {
    // The largest legal replica that fits; where several do, one that leaves no GPU over.
    double even = 0, any = 0, largest = a.known ? 1 : out.used;
    for (const bool within : {true, false}) {
      if (even > 0 || any > 0) break;
      for (int i = legal.count - 1; i >= 0 && even == 0; --i) {
        const double tp = legal.tp[i];
        if (!a.known || tp > out.used || inside(tp) != within) continue;
        const bool whole = divides(tp, out.used);
        if (whole) largest = std::max(largest, tp);
        if (!whole && any > 0) continue;
        if (Replica(s, a, m, w, tp).fits(sequences(tp), s.serve.prompt, s.serve.output))
          (whole ? even : any) = tp;
      }
    }
    out.tp = note("layout.tp", even > 0 ? even : any > 0 ? any : largest);
  }
  out.dp = note("layout.dp", replicas(out.tp), "max(1, floor(gpus.used/layout.tp))");

  const Replica replica(s, a, m, w, out.tp);
  const double each = note("serving.rank_batch", sequences(out.tp), "ceil(serve.batch/layout.dp)");
  out.per_gpu = Bytes{replica.per_gpu(each, s.serve.prompt, s.serve.output)};
  out.weights = replica.weights();
  out.communication = replica.communication();
  out.moments = replica.moments(each, s.serve.prompt, s.serve.output);
  if (!note) return out;  // the rest explains
  replica.explain(each, note);
  // Where no number is too large there is nothing to say.
  if (!a.known) return out;
  const double most = replica.most_batch(kMostBatch);
  if (most < kMostBatch) {
    note("serving.rank_max_batch", most);
    note("serving.max_batch", most * out.dp, "serving.rank_max_batch*layout.dp");
  }
  const double context = replica.most_context(each, kMostContext);
  if (context < kMostContext) note("serving.max_context", context);
  return out;
}

}  // namespace envelope
