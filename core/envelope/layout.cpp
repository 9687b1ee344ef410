// SPDX-License-Identifier: MIT
#include "envelope/layout.h"

#include <algorithm>
#include <cmath>

namespace envelope {
namespace {

/// 750.0000000000001 GPUs are 750: the excess is floating point, not work.
constexpr double kRounding = 1e-9;

/// Kinds of parallelism in use, each with buffers of the communication library.
double groups_of(const Scenario& s, double tp, double dp) {
  const Cluster& c = s.cluster;
  return (tp > 1) + (c.pp > 1) + (c.cp > 1) + (c.ep > 1 && s.model.experts > 0) + (dp > 1);
}

bool divides(double a, double b) { return a > 0 && std::floor(b / a) * a == b; }

double steps_of(const Scenario& s, const Compute& c) {
  return c.tokens / Tokens{s.run.global_batch * sequence_length(s)};
}

/// Fewest data-parallel ranks with which a predicted run of so many steps is in time: doubled until
/// it is, then by bisection. Where the batch has no work for so many, kNone, and `most` is the
/// number that it has work for.
double dp_in_time(const Scenario& s, const Architecture& a, const Ranks& ranks, double steps,
                  double& most) {
  const auto late = [&](double dp) {
    return steps * step_time(s, a, ranks, ranks.ways(dp)).total > s.run.deadline * (1 + kRounding);
  };
  // More ranks than micro-batches would wait.
  const double enough = std::max(1.0, s.run.global_batch / s.run.micro_batch);
  const auto legal = [&](double dp) {
    const double next = ranks.legal(dp);
    return next <= enough ? next : kNone;
  };
  double low = 0, high = ranks.legal(1);
  while (given(high) && late(high)) {
    low = high;
    high = legal(2 * high);
  }
  if (!given(high)) {
    // The most that are legal lie between the last tried and its double.
    most = std::max(1.0, low);
    if (low == 0) return kNone;
    double top = 2 * low;
    for (int i = 0; i < 64 && top - most > 1; ++i) {
      const double middle = std::floor((most + top) / 2), next = legal(middle);
      if (given(next))
        most = next;
      else
        top = middle;
    }
    if (most <= low || late(most)) return kNone;
    high = most;
  }
  double best = high;
  for (int i = 0; i < 64 && high - low > 1; ++i) {
    const double middle = std::floor((low + high) / 2), next = legal(middle);
    if (!given(next) || next >= best) {
      high = middle;
    } else if (late(next)) {
      low = next;
    } else {
      best = next;
      high = middle;
    }
  }
  return best;
}

/// Data-parallel ranks that fit and meet a deadline, if there is one. Out of time counts as more
/// than any number, the later the more.
double in_time(const Scenario& s, const Architecture& a, const Ranks& ranks, const Compute& c,
               bool predicted, double fit) {
  if (!predicted || !given(s.run.deadline)) return fit;
  const double steps = steps_of(s, c);
  double most = 1;
  const double dp = dp_in_time(s, a, ranks, steps, most);
  if (given(dp)) return std::max(fit, dp);
  return 1e9 * steps * step_time(s, a, ranks, ranks.ways(most)).total;
}

/// Tensor parallelism in training where none is asked for, within the scale-up domain: of those
/// with which the GPUs given hold the model the fastest, or the least where the step is not
/// predicted; else that with which it takes the fewest GPUs.
double choose_tp(const Scenario& s, const Architecture& a, const Activations& act, const Memory& m,
                 const Compute& c, bool predicted) {
  if (!a.known) return 1;
  const double each = s.cluster.pp * s.cluster.cp, most = std::min(s.gpu.domain, 16.0);
  double best = 1, least = INFINITY, fastest = INFINITY;
  for (double tp = 1; tp <= most; tp *= 2) {
    if (!splits_heads(s.model, tp)) continue;
    const Ranks ranks(s, a, m, act, tp);
    if (given(s.cluster.gpus)) {
      if (tp > 1 && !divides(tp * each, s.cluster.gpus)) continue;
      const Ways w = ranks.ways(std::max(1.0, std::floor(s.cluster.gpus / (tp * each))));
      const double bytes = ranks.fullest(w).allocated;
      if (bytes <= usable(s, tp, w.dp).value) {
        if (!predicted) return tp;
        if (const double step = step_time(s, a, ranks, w).total; step < fastest) {
          fastest = step;
          best = tp;
        }
      } else if (fastest == INFINITY && bytes < least) {
        least = bytes;
        best = tp;
      }
    } else if (const double dp = ranks.fewest(usable(s, tp, 1).value, usable(s, tp, 2).value);
               given(dp) && in_time(s, a, ranks, c, predicted, dp) * tp * each < least) {
      least = in_time(s, a, ranks, c, predicted, dp) * tp * each;
      best = tp;
    } else if (!given(dp) && least == INFINITY) {
      best = tp;  // none fits so far; the more divide, the nearer
    }
  }
  return best;
}

/// What each kind of parallelism sends, per GPU.
void traffic(const Scenario& s, const Architecture& a, const Memory& m, const Layout& l,
             const Ledger& ledger) {
  if (!ledger) return;
  const Loud note(ledger);
  const double micro =
      note("layout.micro_batches",
           std::max(1.0, std::ceil(s.run.global_batch / (s.run.micro_batch * l.dp))),
           "max(1, ceil(run.global_batch/(run.micro_batch*layout.dp)))");
  note("layout.bubble", (l.pp - 1) / (micro + l.pp - 1),
       "(cluster.pp - 1)/(layout.micro_batches + cluster.pp - 1)");
  const double ring = (l.dp - 1) / l.dp, parts = l.tp * l.pp * l.cp;
  switch (static_cast<int>(s.cluster.zero)) {
    case 0:
      note("layout.dp_bytes", 2 * ring * m.gradients / parts,
           "2*(layout.dp - 1)/layout.dp*memory.gradients/layout.model_parallel");
      break;
    case 1:
    case 2:
      note("layout.dp_bytes", ring * (m.gradients + m.weights) / parts,
           "(layout.dp - 1)/layout.dp*(memory.gradients + memory.weights)/layout.model_parallel");
      break;
    default:
      note("layout.dp_bytes", ring * micro * (m.gradients + 2 * m.weights) / parts,
           "(layout.dp - 1)/layout.dp*layout.micro_batches*(memory.gradients + 2*memory.weights)/"
           "layout.model_parallel");
  }
  if (!a.known) return;
  const double tokens =
      note("layout.tokens", s.run.micro_batch * sequence_length(s) / s.cluster.cp,
           s.model.kind == ModelKind::vit ? "run.micro_batch*arch.image_tokens/cluster.cp"
                                          : "run.micro_batch*run.seq/cluster.cp");
  // Four all-reduces a layer (two forward, two backward) of one 16-bit hidden state.
  note("layout.tp_bytes",
       Bytes{4 * 2 * (l.tp - 1) / l.tp * 2 * tokens * s.model.hidden * a.layers / l.pp},
       "4*2*(layout.tp - 1)/layout.tp*2*layout.tokens*model.hidden*model.layers/cluster.pp");
  note("layout.pp_bytes", Bytes{l.pp > 1 ? 4 * tokens * s.model.hidden : 0},
       "min(1, cluster.pp - 1)*4*layout.tokens*model.hidden");
}

void verdict(const Scenario& s, Layout& l, const Ledger& note) {
  l.capacity = note("layout.capacity", Bytes{s.gpu.memory}, "gpu.memory");
  l.free = note("layout.free", l.capacity - l.per_gpu, "layout.capacity - layout.per_gpu");
  // What fills a GPU to the last byte fits: the excess is floating point.
  l.fits = l.free.value >= -1e-9 * l.capacity.value;
}

/// So many bytes for each parameter, and nothing that more GPUs do not share.
void by_rule(const Scenario& s, const Memory& m, Layout& l, const Ledger& note) {
  const bool serve = s.run.task == Task::serve;
  l.pp = serve ? 1 : s.cluster.pp;
  const bool chosen = !given(s.cluster.tp);
  if (!serve)
    l.tp = chosen ? note("layout.tp", 1.0) : note("layout.tp", s.cluster.tp, "cluster.tp");
  const Bytes room = note("layout.usable", Bytes{std::max(0.0, s.gpu.memory - s.cluster.reserve)},
                          "max(0, gpu.memory - cluster.reserve)");
  if (room.value > 0)
    l.to_fit = note("gpus.to_fit", std::max(1.0, std::ceil(m.total / room - kRounding)),
                    "max(1, ceil(memory.total/layout.usable - 1e-9))");
  const double unit = note("layout.replica", (chosen ? 1 : s.cluster.tp) * l.pp,
                           serve ? (chosen ? "1" : "cluster.tp") : "layout.tp*cluster.pp");
  if (given(s.cluster.gpus)) {
    l.used = note("gpus.used", std::max(s.cluster.gpus, unit), "max(cluster.gpus, layout.replica)");
  } else {
    const bool fit = given(l.to_fit), due = given(l.for_deadline);
    const double least = std::max(fit ? l.to_fit : 1, due ? l.for_deadline : 1);
    l.used =
        note("gpus.used", std::ceil(least / unit) * unit,
             fit && due ? "ceil(max(gpus.to_fit, gpus.for_deadline)/layout.replica)*layout.replica"
             : fit      ? "ceil(gpus.to_fit/layout.replica)*layout.replica"
             : due      ? "ceil(gpus.for_deadline/layout.replica)*layout.replica"
                        : "layout.replica");
  }
  if (serve)
    l.tp = chosen ? note("layout.tp", l.used, "gpus.used")
                  : note("layout.tp", s.cluster.tp, "cluster.tp");
  l.dp = note("layout.dp", std::max(1.0, std::floor(l.used / (l.tp * l.pp))),
              serve ? "max(1, floor(gpus.used/layout.tp))"
                    : "max(1, floor(gpus.used/(layout.tp*cluster.pp)))");
  const Bytes held = note("layout.model", m.total / l.used, "memory.total/gpus.used");
  note("layout.reserve", Bytes{s.cluster.reserve}, "cluster.reserve");
  l.per_gpu =
      note("layout.per_gpu", held + Bytes{s.cluster.reserve}, "layout.model + layout.reserve");
}

/// What the framework needs beside the tensors of the fullest rank.
void beside(const Scenario& s, Layout& l, const Ledger& note) {
  const Bytes allocated{l.fullest.allocated};
  const double groups = note("rank.groups", groups_of(s, l.tp, l.dp));
  note("layout.usable", usable(s, l.tp, l.dp),
       "max(0, min(gpu.memory - cluster.reserve, (gpu.memory - stack.context - "
       "rank.groups*stack.buffers)/(1 + stack.slack)))");
  const Bytes context = note("rank.context", Bytes{s.stack.context}, "stack.context");
  const Bytes buffers = l.buffers =
      note("rank.communication", Bytes{groups * s.stack.buffers}, "rank.groups*stack.buffers");
  const Bytes slack = note("rank.slack", s.stack.slack * allocated, "stack.slack*rank.allocated");
  note("rank.reserved", allocated + slack, "rank.allocated + rank.slack");
  note("rank.device", allocated + slack + context + buffers,
       "rank.reserved + rank.context + rank.communication");
  note("layout.model", allocated, "rank.allocated");
  const Bytes reserve =
      note("layout.reserve", std::max(Bytes{s.cluster.reserve}, slack + context + buffers),
           "max(cluster.reserve, rank.slack + rank.context + "
           "rank.communication)");
  l.per_gpu = note("layout.per_gpu", allocated + reserve, "layout.model + layout.reserve");
}

/// Training, rank by rank.
void by_ranks(const Scenario& s, const Architecture& a, const Activations& act, const Memory& m,
              const Compute& c, const Pace& pace, Layout& l, const Ledger& note) {
  l.pp = s.cluster.pp;
  l.cp = s.cluster.cp;
  l.tp = given(s.cluster.tp) ? note("layout.tp", s.cluster.tp, "cluster.tp")
                             : note("layout.tp", choose_tp(s, a, act, m, c, pace.predicted));
  const Ranks ranks(s, a, m, act, l.tp);
  const double replica =
      note("layout.model_parallel", ranks.replica(), "layout.tp*cluster.pp*cluster.cp");
  if (const double dp = ranks.fewest(usable(s, l.tp, 1).value, usable(s, l.tp, 2).value);
      given(dp)) {
    note("layout.dp_to_fit", dp);
    l.to_fit = note("gpus.to_fit", dp * replica, "layout.dp_to_fit*layout.model_parallel");
  }
  if (pace.predicted && given(s.run.deadline)) {
    const double steps = steps_of(s, c);
    double most = 1;
    const double dp = dp_in_time(s, a, ranks, steps, most);
    if (given(dp)) {
      note("layout.dp_in_time", dp);
      l.for_deadline =
          note("gpus.for_deadline", dp * replica, "layout.dp_in_time*layout.model_parallel");
    } else if (const double least = steps * step_time(s, a, ranks, ranks.ways(most)).total;
               least > s.run.deadline) {
      l.fastest = note("time.fastest", Seconds{least});
      note("layout.dp_in_time", most);
      l.quickest = note("gpus.quickest", most * replica, "layout.dp_in_time*layout.model_parallel");
    }
  }
  if (given(s.cluster.gpus)) {
    // Fewer than a replica cannot run: what follows is of one replica, and a rule says so.
    l.used = note("gpus.used", std::max(s.cluster.gpus, replica),
                  "max(cluster.gpus, layout.model_parallel)");
  } else {
    // Whole replicas, among which experts and the batch divide.
    const double least = std::max(given(l.to_fit) ? l.to_fit : 1,
                                  given(l.for_deadline) ? l.for_deadline : l.quickest);
    const double whole = std::max(1.0, std::ceil(least / replica - kRounding)),
                 even = ranks.legal(whole);
    const double dp = note("layout.dp_needed", given(even) ? even : whole);
    l.used = note("gpus.used", dp * replica, "layout.dp_needed*layout.model_parallel");
  }
  l.dp = note("layout.dp", std::max(1.0, std::floor(l.used / replica)),
              "max(1, floor(gpus.used/layout.model_parallel))");

  l.ways = ranks.ways(l.dp);
  l.fullest = ranks.fullest(l.ways);
  ranks.explain(l.fullest, l.ways, note);
  traffic(s, a, m, l, note);
  if (pace.predicted) {
    StepDetail detail;
    l.step = step_time(s, a, ranks, l.ways, kPhysics, note ? &detail : nullptr);
    explain(l.step, detail, s, a, l.ways, kPhysics, note);
  }
  beside(s, l, note);
}

}  // namespace

bool splits_heads(const Model& m, double tp) {
  return divides(tp, m.heads) &&
         (m.attention == Attention::mla || divides(tp, m.kv_heads) || divides(m.kv_heads, tp));
}

Bytes usable(const Scenario& s, double tp, double dp) {
  const double known = s.stack.context + groups_of(s, tp, dp) * s.stack.buffers;
  return Bytes{std::max(0.0, std::min(s.gpu.memory - s.cluster.reserve,
                                      (s.gpu.memory - known) / (1 + s.stack.slack)))};
}

void hold(const Scenario& s, const Ranks& ranks, const Ranks::Crowded& crowded, Layout& l) {
  l.fullest = ranks.fullest(crowded, l.ways);
  beside(s, l, {});
  verdict(s, l, {});
}

Layout layout(const Scenario& s, const Architecture& a, const Activations& act, const Memory& m,
              const Compute& c, const Pace& pace, const Ledger& note) {
  Layout l;
  const bool serve = s.run.task == Task::serve;
  if (serve && !m.by_rule) {
    const ServeMemory r = serve_memory(s, a, m, note);
    l.tp = r.tp;
    l.dp = r.dp;
    l.to_fit = r.to_fit;
    l.used = r.used;
    l.per_gpu = r.per_gpu;
    l.serving = r;
    verdict(s, l, note);
    return l;
  }
  if (given(s.run.deadline) && !serve && !pace.predicted)
    l.for_deadline =
        note("gpus.for_deadline",
             std::max(1.0, std::ceil(pace.gpu_time.value / s.run.deadline - kRounding)),
             given(s.run.gpu_time) ? "max(1, ceil(run.gpu_time/run.deadline - 1e-9))"
                                   : "max(1, ceil(time.gpu_time/run.deadline - 1e-9))");
  if (m.by_rule)
    by_rule(s, m, l, note);
  else
    by_ranks(s, a, act, m, c, pace, l, note);
  verdict(s, l, note);
  return l;
}

}  // namespace envelope
