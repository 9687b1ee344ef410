// SPDX-License-Identifier: MIT
#include "envelope/step.h"

#include <algorithm>
#include <cmath>

#include "envelope/formats.h"

namespace envelope {
namespace {

/// The last piece of a transfer has no computation left to hide behind.
constexpr double kTail = 0.04;

/// What of a transfer shows beside so much computation, of which the software uses a share.
double exposed(double seconds, double computation, double overlap) {
  return seconds - std::min((1 - kTail) * seconds, overlap * computation);
}

struct Context {
  const Scenario& s;
  const Architecture& a;
  const Ways& w;
  const Machine& x;
  const Network& net;
  double tokens, spread, overlap;
  bool adapters;
};
Context context_of(const Scenario& s, const Architecture& a, const Ways& w, const StepWork& work) {
  return {s,
          a,
          w,
          work.machine,
          work.network,
          work.tokens,
          work.spread,
          s.stack.overlap,
          s.run.task == Task::finetune && s.tune.method != Method::full};
}

Traffic traffic(const Context& c) {
  const Scenario& s = c.s;
  const Ways& w = c.w;
  const double h = s.model.hidden, value = c.x.value, stream = c.tokens * h * value;
  Traffic t;
  if (w.tp > 1) {
    const Peers group{w.tp, 1};
    // Each half of a layer gathers the tokens and scatters the sums, or sums in place.
    const double half =
        s.cluster.sp ? all_gather(c.net, group, stream) + reduce_scatter(c.net, group, stream)
                     : all_reduce(c.net, group, stream);
    t.tensor_mixer = t.tensor_mlp = half;
    if (s.model.shared_ffn + s.model.residual_ffn > 0) t.tensor_experts = half;
    if (w.etp > 1)
      t.tensor_experts += 2 * all_gather(c.net, {w.etp, 1}, stream * s.model.top_k * w.etp / w.tp);
  }
  if (w.cp > 1) {
    const Peers group{w.cp, w.tp};
    const double kept = c.tokens * (c.a.k_width + c.a.v_width) / kv_ways(s.model, w.tp) * value;
    if (s.cluster.cp_kind == ContextParallel::ring)
      t.context = (w.cp - 1) * send(c.net, group, kept);
    else
      t.context =
          4 * all_to_all(c.net, group, c.tokens * (c.a.qk_width + c.a.o_width) / 2 / w.tp * value);
  }
  if (w.ep > 1 && c.a.moe_layers > 0) {
    t.expert = 2 * busiest(s, w, c.x.physics) *
               dispatch(c.net, {w.ep, w.etp}, c.tokens / w.tp, h * value, s.model.top_k);
  }
  // Each rank of TP sends its part, whether it holds more or not (Narayanan et al. 2021).
  if (w.pp > 1) t.sends = send(c.net, {w.pp, w.tp * w.cp * w.dp}, stream / w.tp);
  return t;
}

/// Sums of the operations of one layer of each kind.
struct Sums {
  Pass work[kWheres][kCategories];
  double kernels[kWheres] = {}, weight[kWheres] = {};
};

Sums sums_of(const Operations& operations) {
  Sums t;
  for (const Operation& op : operations) {
    t.work[static_cast<int>(op.where)][static_cast<int>(op.category)] += op.seconds;
    t.kernels[static_cast<int>(op.where)] += op.kernels;
    t.weight[static_cast<int>(op.where)] += op.weight;
  }
  return t;
}

StageTime stage_time(const Context& c, const Sums& sums, const Traffic& t, const Stage& stage) {
  const Scenario& s = c.s;
  StageTime o;
  o.stage = stage;
  double n[kWheres], kernels = 0;
  for (int i = 0; i < kWheres; ++i) {
    n[i] = layers_of(static_cast<Where>(i), stage, s);
    kernels += n[i] * sums.kernels[i];
    o.weight += n[i] * sums.weight[i];
    if (n[i] > 0)
      for (int k = 0; k < kCategories; ++k) o.work[k] += n[i] * sums.work[i][k];
  }
  const auto layers = [&](Where where) { return n[static_cast<int>(where)]; };
  const double mixers = layers(Where::attention) + layers(Where::linear);
  const double gathers = mixers * t.tensor_mixer + layers(Where::dense) * t.tensor_mlp +
                         layers(Where::moe) * t.tensor_experts;
  const double exchanges = layers(Where::moe) * t.expert;
  // TP and EP stand between two operations that need their result: only pieces of it can hide.
  const double shown = 1 - c.overlap * c.x.physics.critical;
  o.tensor = {shown * gathers, shown * gathers};
  o.expert = {exchanges, exchanges};
  if (hides_exchange(s, c.w)) {
    Pass work;
    for (const Pass& one : o.work) work += one;
    o.expert = {exposed(exchanges, work.forward, c.overlap),
                exposed(exchanges, work.backward, c.overlap)};
  }
  const Pass attention = o.of(Category::attention);
  const double ring = layers(Where::attention) * t.context;
  if (s.cluster.cp_kind == ContextParallel::ring)
    o.context = {exposed(ring, attention.forward, c.overlap),
                 exposed(2 * ring, attention.backward, c.overlap)};
  else
    o.context = {shown * ring, shown * ring};

  const Pass head = o.of(Category::head);
  double forward = 0;
  for (const Pass& work : o.work) forward += work.forward;
  forward -= head.forward;
  double again = 0;  // of the launches
  switch (s.run.recompute) {
    case Recompute::none:
      break;
    case Recompute::selective:
      if (!s.run.flash) o.recompute = attention.forward;
      break;
    case Recompute::pointwise:
      // Every second product is kept.
      o.recompute = 0.5 * (o.of(Category::matmul).forward + o.of(Category::experts).forward) +
                    o.of(Category::pointwise).forward;
      again = 0.5;
      break;
    case Recompute::full:
      again = std::floor(c.a.layers / s.run.recompute_every) / c.a.layers;
      o.recompute = again * forward;
      o.tensor.backward += again * o.tensor.forward;
      o.expert.backward += again * o.expert.forward;
      break;
  }
  const double launch = c.net.torus > 0 ? 0 : s.stack.launch * kernels;
  o.launch = {launch, (2 + again) * launch};
  o.pass = o.tensor + o.context + o.expert;
  for (const Pass& work : o.work) o.pass += work;
  o.pass.backward += o.recompute;
  o.done = o.pass;
  o.late = std::max(0.0, o.launch.forward - o.pass.forward) +
           std::max(0.0, o.launch.backward - o.pass.backward);
  o.pass = {std::max(o.pass.forward, o.launch.forward),
            std::max(o.pass.backward, o.launch.backward)};
  return o;
}

/// States of one value that the optimizer keeps beside the weights.
double states_kept(Optimizer o) {
  switch (o) {
    case Optimizer::adam:
    case Optimizer::adam_8bit:
    case Optimizer::shampoo:
      return 2;
    case Optimizer::lion:
    case Optimizer::muon:
    case Optimizer::momentum:
      return 1;
    case Optimizer::adafactor:
    case Optimizer::sgd:
      break;
  }
  return 0;
}

double trained_share(const Context& c) {
  return c.adapters ? c.a.trainable / std::max(1.0, c.a.total) : 1;
}

/// Weights go out to the ranks that need them, gradients come in.
void data_parallel(const Context& c, const StageTime& stage, double dense, double experts,
                   StepDetail& d) {
  const Cluster& cluster = c.s.cluster;
  const Ways& w = c.w;
  const double n = w.dp * w.cp, mb = w.micro_batches;
  d.gather = d.reduce = {};
  d.gather_once = d.reduce_once = d.replicate_once = 0;
  d.window = 1;
  if (n <= 1) return;
  // Only what is trained has gradients, and changes.
  const double trained = trained_share(c), reduce = trained * bytes_per_value(cluster.reduce),
               gather = 2;
  // Interleaved, a chunk is done for several micro-batches before the next begins: its gradients
  // travel while those of the chunks before it are computed, and so with its weights.
  const double v = cluster.virtual_stages;
  d.window = std::max(1.0, std::min(w.pp, mb) * (v - 1) / v);
  const Pass window = d.window * stage.pass;
  const double replicas = std::max(1.0, n * w.tp / (w.ep * w.etp));  // of an expert
  if (!w.gathers) {
    const Peers all{n, w.tp}, peers{replicas, w.ep * w.etp};
    if (cluster.zero < 1) {
      d.reduce.seconds = all_reduce(c.net, all, dense * reduce) +
                         (experts > 0 ? all_reduce(c.net, peers, experts * reduce) : 0);
    } else {
      d.reduce.seconds = reduce_scatter(c.net, all, dense * reduce) +
                         (experts > 0 ? reduce_scatter(c.net, peers, experts * reduce) : 0);
      d.gather.seconds = all_gather(c.net, all, trained * dense * gather) +
                         (experts > 0 ? all_gather(c.net, peers, trained * experts * gather) : 0);
    }
    d.gather_once = d.gather.seconds;
    d.reduce_once = d.reduce.seconds;
    d.gather.shown = exposed(d.gather.seconds, window.forward, c.overlap);
    d.reduce.shown = exposed(d.reduce.seconds, window.backward, c.overlap);
    return;
  }
  // Layer by layer, in each micro-batch.
  const Peers all{w.shard, w.tp}, peers{std::max(1.0, w.expert_shard), w.ep * w.etp};
  const auto gathered = [&](double bytes) {
    return all_gather(c.net, all, dense * bytes) +
           (experts > 0 ? all_gather(c.net, peers, experts * bytes) : 0);
  };
  const double base = c.x.unpack > 0 ? bytes_per_value(c.s.tune.base) : gather;
  const double out = gathered(base), in = gathered(reduce);
  const double back = cluster.reshard ? out : 0, times = cluster.reshard ? mb : 1;
  d.gather_once = out;
  d.reduce_once = in;
  d.gather.seconds = times * out + mb * back;
  d.reduce.seconds = mb * in;
  d.gather.shown = times * exposed(out, window.forward, c.overlap);
  d.reduce.shown = mb * exposed(back + in, window.backward, c.overlap);
  if (n > w.shard) {
    // Replicas of the shards add up once a step.
    const double last =
        all_reduce(c.net, {n / w.shard, w.tp * w.shard}, (dense + experts) * reduce / w.shard);
    d.replicate_once = last;
    d.reduce.seconds += last;
    d.reduce.shown += exposed(last, window.backward, c.overlap);
  }
}

/// The update moves states, gradients and weights through memory, or over PCIe.
double optimizer(const Context& c, StepDetail& d) {
  const Scenario& s = c.s;
  const double share = trained_share(c);
  const double mine =
      share * (s.cluster.zero >= 1 ? d.dense / c.w.shard + d.experts / c.w.expert_shard
                                   : d.dense + d.experts);
  const double gradient = bytes_per_value(s.states.gradients),
               master = s.states.master == Format::none ? 0 : bytes_per_value(s.states.master),
               weight = bytes_per_value(s.states.weights),
               state = states_kept(s.states.optimizer) *
                       (s.states.optimizer == Optimizer::adam_8bit
                            ? 1
                            : bytes_per_value(s.states.optimizer_format));
  d.updated = mine;
  d.update_bytes = mine * (gradient + 2 * (master + state) + (master > 0 ? 1 : 2) * weight);
  const Physics& k = c.x.physics;
  double seconds = s.cluster.offload_optimizer
                       ? mine * (gradient + weight) / k.pcie + d.update_bytes / k.host
                       : d.update_bytes / c.x.bandwidth;
  // Muon: five steps of Newton and Schulz, three products each, on every matrix.
  if (s.states.optimizer == Optimizer::muon)
    seconds += mine * 5 * 6 * s.model.hidden / c.w.tp / c.x.peak16;
  return seconds;
}

/// Tensors that visit from host memory in each micro-batch.
double offloaded(const Context& c, StepDetail& d) {
  const Scenario& s = c.s;
  const StageTime& stage = d.heaviest;
  const double held =
      c.w.gathers ? d.dense / c.w.shard + d.experts / c.w.expert_shard : d.dense + d.experts;
  double bytes = 0;
  if (s.cluster.offload_weights) bytes += 2 * held * 2;
  if (s.cluster.offload_gradients && !c.adapters)
    bytes += held * bytes_per_value(s.states.gradients);
  if (s.cluster.offload_activations) bytes += 2 * d.stored;
  d.offload = bytes;
  return bytes > 0 ? exposed(bytes / c.x.physics.pcie, stage.pass.sum(), c.overlap) : 0;
}

}  // namespace

bool hides_several(const Scenario& s, const Ways& w) {
  const Cluster& c = s.cluster;
  return c.offload_weights || c.offload_gradients || c.offload_activations ||
         (w.gathers && (w.dp * w.cp > w.shard || c.virtual_stages > 1));
}

bool hides_exchange(const Scenario& s, const Ways& w) {
  return w.pp > 1 &&
         (s.cluster.schedule == Schedule::dualpipe || s.cluster.schedule == Schedule::dualpipe_v);
}

StepWork step_work(const Scenario& s, const Architecture& a, const Ranks& ranks, const Ways& w,
                   const Physics& physics) {
  StepWork out{
      .machine = machine_of(s, physics), .network = network_of(s, w.gpus(), physics), .detail = {}};
  out.tokens = s.run.micro_batch * sequence_length(s) / w.cp;
  out.spread = s.cluster.sp ? out.tokens / w.tp : out.tokens;
  const Context c = context_of(s, a, w, out);
  const Sums sums = sums_of(operations(s, a, w, out.machine));
  const Traffic sent = traffic(c);

  // Stages differ at the ends; of the middle ones the first have the most layers.
  StepDetail& d = out.detail;
  const double mb = w.micro_batches, p = w.pp;
  Pipeline& line = d.line;
  line.schedule = s.cluster.schedule;
  line.stages = p;
  line.chunks = std::max(1.0, s.cluster.virtual_stages);
  line.micro_batches = mb;
  line.send = sent.sends;
  Passes* places[] = {&line.first, &line.middle, &line.last};
  const double stages[] = {0, 1, p - 1};
  double pace = -1, most = -1;
  for (int i = 0; i < 3; ++i) {
    if (i > 0 && (stages[i] <= stages[i - 1] || stages[i] >= p)) continue;
    StageTime one = stage_time(c, sums, sent, ranks.stage(stages[i], w));
    *places[i] = {one.pass.forward, one.pass.backward - one.weight, one.weight};
    // Done apart, each half of the backward pass takes its own launches at the least.
    if (p > 1 && line.schedule != Schedule::one_f_one_b && line.schedule != Schedule::gpipe) {
      const double inputs = one.done.backward - one.weight,
                   launch = one.launch.backward - one.launch.forward;
      *places[i] = {one.pass.forward, std::max(inputs, launch),
                    std::max(one.weight, one.launch.forward)};
      one.pass.backward = places[i]->backward + places[i]->weight;
      one.late = std::max(0.0, one.launch.forward - one.done.forward) +
                 std::max(0.0, launch - inputs) + std::max(0.0, one.launch.forward - one.weight);
    }
    if (i == 1 && p == 2) line.last = line.middle;
    const double dense = ranks.dense_parameters(one.stage),
                 experts = ranks.expert_parameters(one.stage);
    if (dense + experts > most) {
      most = dense + experts;
      d.heaviest = one;
      d.dense = dense;
      d.experts = experts;
      d.stored = ranks.stored(one.stage);
    }
    if (one.pass.sum() <= pace) continue;
    pace = one.pass.sum();
    d.slowest = one;
  }
  d.pipeline = pipeline_time(line);
  d.sent = sent;
  d.sends = sent.sends;
  return out;
}

StepTime step_time(const Scenario& s, const Architecture& a, const Ways& w, StepWork& work) {
  const Context c = context_of(s, a, w, work);
  StepDetail& d = work.detail;
  const StageTime& slow = d.slowest;
  const double mb = w.micro_batches;
  StepTime r;
  r.matmul = mb * slow.of(Category::matmul).sum();
  r.experts = mb * slow.of(Category::experts).sum();
  r.attention = mb * slow.of(Category::attention).sum();
  r.pointwise = mb * slow.of(Category::pointwise).sum();
  r.head = mb * slow.of(Category::head).sum();
  r.recompute = mb * slow.recompute;
  r.tensor = mb * slow.tensor.sum();
  r.context = mb * slow.context.sum();
  r.expert = mb * slow.expert.sum();
  r.bubble = d.pipeline.bubble;
  // Between the first and the last pass a part of each message shows at each piece.
  const Physics& physics = work.machine.physics;
  r.pipeline = d.pipeline.send + 2 * d.sends * mb * d.line.chunks *
                                     (1 - c.overlap * physics.critical) * physics.handover;
  // The others wait for the stage that has most to send and to update.
  data_parallel(c, d.heaviest, d.dense, d.experts, d);
  r.data = d.gather.shown + d.reduce.shown + mb * offloaded(c, d);
  r.optimizer = optimizer(c, d);
  const double parts = r.matmul + r.experts + r.attention + r.pointwise + r.head + r.recompute +
                       r.tensor + r.context + r.expert;
  const double busy = d.pipeline.busy;
  r.overhead = mb * slow.late + std::max(0.0, s.stack.overhead - 1) * (busy + r.bubble);
  r.total = parts + r.overhead + r.bubble + r.pipeline + r.data + r.optimizer;
  // Software that was measured to be faster than our kernels makes all of them faster.
  if (s.stack.overhead < 1) {
    for (double StepTime::*part :
         {&StepTime::matmul, &StepTime::experts, &StepTime::attention, &StepTime::pointwise,
          &StepTime::head, &StepTime::recompute, &StepTime::tensor, &StepTime::context,
          &StepTime::expert, &StepTime::pipeline, &StepTime::bubble, &StepTime::data,
          &StepTime::optimizer, &StepTime::overhead, &StepTime::total})
      r.*part *= s.stack.overhead;
  }
  return r;
}

StepTime step_time(const Scenario& s, const Architecture& a, const Ranks& ranks, const Ways& w,
                   const Physics& physics, StepDetail* detail) {
  StepTime r;
  if (!a.known) {
    r.total = kNone;
    return r;
  }
  StepWork work = step_work(s, a, ranks, w, physics);
  r = step_time(s, a, w, work);
  if (detail) *detail = work.detail;
  return r;
}

}  // namespace envelope
