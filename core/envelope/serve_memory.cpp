// SPDX-License-Identifier: MIT
// Over 400 lines because formulas stand beside what they explain.
#include "envelope/serve_memory.h"

#include <algorithm>
#include <cmath>

#include "envelope/kv.h"

namespace envelope {
namespace {

/// A part in 1e9 of a GPU is floating point, not memory.
constexpr double kRounding = 1e-9;
/// Most prompt tokens of one pass where nothing else is said: the default of vLLM and others.
constexpr double kPassTokens = 8192;
/// Scores of eager attention: 16 bit, an fp32 copy and its softmax.
constexpr double kScoreBytes = 2 + 4 + 4;
/// Logits: 16 bit and an fp32 copy.
constexpr double kLogitBytes = 2 + 4;
/// Ends of the range in which the largest batch and context are looked for.
constexpr double kMostBatch = 1e7, kMostContext = 1e9;

bool makes_logits(const Model& m) {
  return m.kind != ModelKind::encoder && m.kind != ModelKind::vit;
}
bool grows(const Scenario& s) { return s.serve.cache == KvCache::concatenated; }

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

/// Heads divide evenly, and KV heads divide or are replicated evenly.
bool legal(const Scenario& s, const Architecture& a, double tp) {
  if (!a.known) return true;
  const Model& m = s.model;
  if (std::fmod(m.heads, tp) != 0) return false;
  return m.attention == Attention::mla || std::fmod(m.kv_heads, tp) == 0 ||
         std::fmod(tp, m.kv_heads) == 0;
}

/// Calls `visit` with each legal number of GPUs of a replica, at most `most`, in no order.
template <class Visit>
void each_legal(const Scenario& s, const Architecture& a, double most, const Visit& visit) {
  const double heads = s.model.heads;
  for (double d = 1; d * d <= heads && d <= most; ++d) {
    if (std::fmod(heads, d) != 0) continue;
    if (legal(s, a, d)) visit(d);
    const double other = heads / d;
    if (other != d && other <= most && legal(s, a, other)) visit(other);
  }
}

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

void Replica::explain(double batch, const Ledger& note) const {
  const Serve& v = s_.serve;
  const Model& m = s_.model;
  const ServeMoments x = moments(batch, v.prompt, v.output);
  const bool eager = v.eager, grown = grows(s_), moe = a_.moe_layers > 0,
             dense = a_.dense_layers > 0, mla = m.attention == Attention::mla;
  if (!a_.known) {
    note("rank.weights", Bytes{weights_}, "memory.weights/layout.tp");
    note("rank.allocated", Bytes{x.allocated}, "rank.weights");
    note("rank.reserved", Bytes{x.reserved}, "(1 + stack.slack)*rank.allocated");
  } else {
    note("layout.replicated_weights", Bytes{replicated_},
         mla   ? moe ? "bytes.norms*(params.norms + params.biases) + bytes.router*params.router + "
                       "bytes.attention*arch.attention_layers*model.hidden*(model.q_rank + "
                       "model.kv_rank + "
                       "model.rope_dim)"
                     : "bytes.norms*(params.norms + params.biases) + bytes.attention*"
                       "arch.attention_layers*"
                       "model.hidden*(model.q_rank + model.kv_rank + model.rope_dim)"
         : moe ? "bytes.norms*(params.norms + params.biases) + bytes.router*params.router"
               : "bytes.norms*(params.norms + params.biases)");
    note("layout.kv_weights", Bytes{kv_weights_},
         mla ? "0"
             : "bytes.attention*arch.attention_blocks*model.hidden*(arch.k_width + arch.v_width)");
    note("layout.kv_ways", kv_ways_, mla ? "1" : "model.kv_heads/ceil(model.kv_heads/layout.tp)");
    note("rank.weights", Bytes{weights_},
         "layout.replicated_weights + layout.kv_weights/layout.kv_ways + (memory.weights - "
         "layout.replicated_weights - layout.kv_weights)/layout.tp");

    // The pass over the prompts.
    note("bytes.activation", activation_);
    const double h = m.hidden, g = m.gated ? 3 : 2;
    note("serving.attention_width", (a_.qk_width + a_.k_width + a_.v_width + a_.o_width) / tp_,
         "(arch.qk_width + arch.k_width + arch.v_width + arch.o_width)/layout.tp");
    note("serving.mlp_width", dense ? g * m.ffn / tp_ : 0,
         dense ? "arch.mlp_matrices*model.ffn/layout.tp" : "0");
    note("serving.routed_width",
         moe ? m.top_k * (h + g * m.moe_ffn / tp_) + g * m.shared_ffn / tp_ + 2 * m.experts : 0,
         moe ? "model.top_k*(model.hidden + arch.mlp_matrices*model.moe_ffn/layout.tp) + "
               "arch.mlp_matrices*model.shared_ffn/layout.tp + 2*model.experts"
             : "0");
    const bool linear = a_.linear_layers > 0;
    note("serving.linear_width", a_.layer.linear / h / tp_,
         linear ? "arch.linear_matrices/model.hidden/layout.tp" : "0");
    note("serving.widest", width_,
         "2*model.hidden + max(serving.attention_width, serving.mlp_width, serving.routed_width, "
         "serving.linear_width)");
    note("serving.largest_matrix", largest_,
         dense && moe ? "model.hidden*max(arch.qk_width, model.ffn, model.moe_ffn)/layout.tp"
         : dense      ? "model.hidden*max(arch.qk_width, model.ffn)/layout.tp"
         : moe        ? "model.hidden*max(arch.qk_width, model.moe_ffn)/layout.tp"
                      : "model.hidden*arch.qk_width/layout.tp");
    const bool merged = v.merge && !mla, on_load = quantized_on_load(v.weights),
               head = m.kind != ModelKind::vit;
    note("serving.load_bytes", Bytes{load_},
         !merged && !on_load ? "0"
         : !on_load ? "bytes.attention*arch.attention_blocks*model.hidden*(arch.qk_width + "
                      "arch.k_width + arch.v_width)/layout.tp"
         : !merged  ? head ? "2*max(serving.largest_matrix, arch.head_matrix/layout.tp)"
                           : "2*serving.largest_matrix"
         : head     ? "bytes.attention*arch.attention_blocks*model.hidden*(arch.qk_width + "
                      "arch.k_width + arch.v_width)/layout.tp + 2*max(serving.largest_matrix, "
                      "arch.head_matrix/layout.tp)"
                    : "bytes.attention*arch.attention_blocks*model.hidden*(arch.qk_width + "
                      "arch.k_width + arch.v_width)/layout.tp + 2*serving.largest_matrix");
    const double length =
        v.kv_cache ? note("serving.pass_length", std::max(1.0, v.prompt), "max(1, serve.prompt)")
                   : note("serving.pass_length", v.prompt + v.output, "serving.context");
    const double all = batch * length;
    given(v.prefill) ? note("serving.pass_tokens", std::min(all, v.prefill),
                            "min(serving.rank_batch*serving.pass_length, serve.prefill)")
    : eager          ? note("serving.pass_tokens", all, "serving.rank_batch*serving.pass_length")
                     : note("serving.pass_tokens", std::min(all, kPassTokens),
                            "min(serving.rank_batch*serving.pass_length, 8192)");
    const bool whole = dequantized_whole(v.weights), logits = makes_logits(m);
    note("serving.dequantized", Bytes{whole ? 2 * largest_ : 0},
         whole ? "2*serving.largest_matrix" : "0");
    note("serving.prefill_work", Bytes{x.prefill_work},
         eager ? "bytes.activation*serving.pass_tokens*serving.widest + 10*serving.pass_tokens*"
                 "serving.pass_length*model.heads/layout.tp + serving.dequantized"
               : "bytes.activation*serving.pass_tokens*serving.widest + serving.dequantized");
    note("serving.prefill_hidden", Bytes{x.prefill_hidden},
         "2*bytes.activation*model.hidden*serving.pass_tokens");
    note("serving.prefill_logits", Bytes{x.prefill_logits},
         !logits ? "0"
         : eager ? "(2 + 4)*model.vocab*serving.pass_tokens"
                 : "(2 + 4)*model.vocab*serving.rank_batch");

    // The last step of decoding, with the cache at its full length.
    const bool cached = x.cache > 0;
    if (grown && cached)
      note("kv.prompt_bytes", Bytes{kv_bytes(s_, a_, v.prompt, 0)},
           m.kind == ModelKind::encoder_decoder
               ? "kv.per_token_layer*arch.decoder_layers*serve.prompt"
           : m.window > 0 ? "kv.per_token_layer*(arch.global_layers*serve.prompt + "
                            "arch.local_layers*min(serve.prompt, model.window))"
                          : "kv.per_token_layer*arch.global_layers*serve.prompt");
    note("serving.cache", Bytes{x.cache},
         cached ? "serving.rank_batch*((kv.per_sequence - kv.state)/layout.kv_ways + "
                  "kv.state/layout.tp)"
                : "0");
    note("serving.prefill_cache", Bytes{x.prefill_cache},
         cached && grown
             ? "serving.rank_batch*(kv.prompt_bytes/layout.kv_ways + kv.state/layout.tp)"
             : "serving.cache");
    if (v.kv_cache) {
      const double wide = bytes_per_value(v.kv);
      const bool widened = cached && eager && wide > 0 && wide < activation_;
      note("serving.step_tokens", batch * (1 + v.draft_tokens),
           "serving.rank_batch*(1 + serve.draft_tokens)");
      note("serving.cache_copy", Bytes{x.copy},
           cached && grown && widened
               ? "serving.rank_batch*serving.context*kv.per_token_layer*(1 + bytes.activation/"
                 "bytes.kv)/layout.kv_ways"
           : cached && grown
               ? "serving.rank_batch*serving.context*kv.per_token_layer/layout.kv_ways"
           : widened ? "serving.rank_batch*serving.context*kv.per_token_layer*bytes.activation/"
                       "bytes.kv/layout.kv_ways"
                     : "0");
      note("serving.step_work", Bytes{x.step_work},
           eager ? "bytes.activation*serving.step_tokens*serving.widest + 10*serving.step_tokens*"
                   "serving.context*model.heads/layout.tp + serving.dequantized + "
                   "serving.cache_copy"
                 : "bytes.activation*serving.step_tokens*serving.widest + serving.dequantized + "
                   "serving.cache_copy");
      note("serving.step_hidden", Bytes{x.step_hidden},
           "2*bytes.activation*model.hidden*serving.step_tokens");
      note("serving.step_logits", Bytes{x.step_logits},
           logits ? "(2 + 4)*model.vocab*serving.step_tokens" : "0");
    }

    // The moment with the most on the GPU.
    const double prefill_end = x.prefill_hidden + x.prefill_logits,
                 step_end = x.step_hidden + x.step_logits,
                 prefill = x.prefill_cache + std::max(x.prefill_work, prefill_end),
                 step = x.cache + std::max(x.step_work, step_end);
    struct Peak {
      double cache, working, logits;
      std::string_view cache_from, working_from, logits_from;
    };
    const Peak peak =
        x.load >= std::max(prefill, step) ? Peak{0, x.load, 0, "0", "serving.load_bytes", "0"}
        : prefill >= step                 ? x.prefill_work >= prefill_end
                                                ? Peak{x.prefill_cache,         x.prefill_work,         0,
                                       "serving.prefill_cache", "serving.prefill_work", "0"}
                                                : Peak{x.prefill_cache,          x.prefill_hidden,
                                       x.prefill_logits,         "serving.prefill_cache",
                                       "serving.prefill_hidden", "serving.prefill_logits"}
                        : x.step_work >= step_end
            ? Peak{x.cache, x.step_work, 0, "serving.cache", "serving.step_work", "0"}
            : Peak{x.cache,         x.step_hidden,         x.step_logits,
                   "serving.cache", "serving.step_hidden", "serving.step_logits"};
    note("rank.kv_cache", Bytes{peak.cache}, peak.cache_from);
    note("rank.working", Bytes{peak.working}, peak.working_from);
    note("rank.logits", Bytes{peak.logits}, peak.logits_from);
    note("rank.allocated", Bytes{x.allocated},
         "rank.weights + rank.kv_cache + rank.working + rank.logits");
    note("rank.reserved", Bytes{x.reserved},
         grown && v.kv_cache
             ? "(1 + stack.slack)*max(rank.allocated, rank.weights + 2*serving.cache + max("
               "serving.step_work, serving.step_hidden + serving.step_logits))"
             : "(1 + stack.slack)*rank.allocated");
  }
  note("rank.slack", Bytes{x.reserved - x.allocated}, "rank.reserved - rank.allocated");
  note("rank.context", Bytes{s_.stack.context}, "stack.context");
  note("rank.groups", tp_ > 1 ? 1.0 : 0.0);
  note("rank.communication", Bytes{communication()}, "rank.groups*stack.buffers");
  note("rank.device", Bytes{x.reserved + s_.stack.context + communication()},
       "rank.reserved + rank.context + rank.communication");
  note("layout.model", Bytes{x.allocated}, "rank.allocated");
  note("layout.reserve",
       Bytes{std::max(s_.cluster.reserve,
                      x.reserved - x.allocated + s_.stack.context + communication())},
       "max(cluster.reserve, rank.slack + rank.context + rank.communication)");
  note("layout.per_gpu", Bytes{per_gpu(batch, v.prompt, v.output)},
       "layout.model + layout.reserve");
}

ServeMemory serve_memory(const Scenario& s, const Architecture& a, const Memory& m,
                         const Ledger& note) {
  ServeMemory out;
  const double batch = s.serve.batch;
  const bool chosen = !given(s.cluster.tp);
  const WeightBytes w = a.known ? weight_bytes(s.serve.weights, s.model, a) : WeightBytes{};

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
    each_legal(s, a, 1e9, try_to_fit);
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
    double even = 0, any = 0, largest = 1;
    const auto look = [&](double tp) {
      const bool divides = std::fmod(out.used, tp) == 0;
      if (divides) largest = std::max(largest, tp);
      if (tp < (divides ? even : any)) return;
      if (Replica(s, a, m, w, tp).fits(sequences(tp), s.serve.prompt, s.serve.output))
        (divides ? even : any) = tp;
    };
    if (a.known)
      each_legal(s, a, out.used, look);
    else
      largest = out.used;
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
