// SPDX-License-Identifier: MIT
// "Show the work" of a predicted step: from the operations and the collectives of one micro-batch
// on the slowest stage to the parts of the step. Apart from step.cpp because it runs once an edit
// and not in a search. Over 400 lines: most are formulas, which are literals put together by
// macros. An embed shows only the parts, and has the rest left out.
#include <algorithm>
#include <cmath>

#include "envelope/formats.h"
#include "envelope/step.h"

namespace envelope {
namespace {

/// What the notes below share.
struct Told {
  const StepTime& r;
  const StepDetail& d;
  const Scenario& s;
  const Architecture& a;
  const Ways& w;
  Machine x;
  Network net;
  double tokens, spread;
  bool adapters, moe;
  const Loud& note;
};

/// A formula of a sum over the operations, for the forward and the backward pass.
struct Both {
  Formula forward, backward;
};
#define BOTH(...) \
  { __VA_ARGS__("_forward"), __VA_ARGS__("_backward") }

#define PROJECTIONS(p) "op.qkv" p " + op.output" p
#define PROJECTIONS_MLA(p) "op.down" p " + op.query" p " + op.key_value" p " + op.output" p
#define MLP(p) "op.up" p " + op.down_mlp" p
#define SHARED(p) "op.shared_up" p " + op.shared_down" p
#define MATMUL(p) "step.attention_layers*step.projections" p " + step.dense_layers*step.mlp" p
#define MATMUL_ALL(p)                                                              \
  "step.attention_layers*step.projections" p " + step.linear_layers*step.linear" p \
  " + step.dense_layers*step.mlp" p " + step.moe_layers*step.shared" p
#define EXPERTS(p) "step.moe_layers*op.experts" p
#define CORE(p) "step.attention_layers*op.attention" p
#define CORE_STATE(p) "step.linear_layers*op.state" p
#define CORE_BOTH(p) CORE(p) " + " CORE_STATE(p)
// Element-wise work beside attention, of MLPs, of experts.
#define BESIDE(p) "step.layers*op.norms" p
#define BESIDE_ADAPTERS(p) "step.layers*(op.norms" p " + op.adapters" p ")"
#define ROPE(p) "step.attention_layers*op.rope" p
#define ACTIVATION(p) "step.dense_layers*op.activation" p
#define ROUTED(p) "step.moe_layers*(op.router" p " + op.permute" p " + op.expert_activation" p ")"
#define EMBEDDING(p) "step.embeddings*op.embedding" p
#define POINTWISE(p) \
  "step.norms" p " + step.rope" p " + step.activation" p " + step.routing" p " + step.embedding" p
#define HEADS(p) "step.heads*op.head" p

void both(const Told& t, Literal forward_id, Literal backward_id, Pass value, Both formula) {
  t.note(forward_id, value.forward, formula.forward);
  t.note(backward_id, value.backward, formula.backward);
}

/// Work of one micro-batch on the slowest stage.
[[maybe_unused]] void explain_work(const Told& t, const Operations& all) {
  const Loud& note = t.note;
  const StageTime& slow = t.d.slowest;
  const Model& m = t.s.model;
  const auto seconds = [&](auto... ids) {
    Pass sum;
    for (const Operation& op : all)
      if (((op.id == ids) || ...)) sum += op.seconds;
    return sum;
  };
  const auto layers = [&](Where where) { return layers_of(where, slow.stage, t.s); };
  note("step.stage", slow.stage.index + 1);
  note("step.layers", layers(Where::layer));
  const double attention = note("step.attention_layers", layers(Where::attention)),
               linear = note("step.linear_layers", layers(Where::linear)),
               dense = note("step.dense_layers", layers(Where::dense)),
               moe = note("step.moe_layers", layers(Where::moe)),
               embeddings = note("step.embeddings", layers(Where::embedding)),
               heads = note("step.heads", layers(Where::head));

#define SUM(id, value, ...) \
  both(t, "step." id "_forward", "step." id "_backward", value, __VA_ARGS__)
  const bool mla = m.attention == Attention::mla;
  const bool attends = t.a.attention_layers > 0, mlp = t.a.dense_layers > 0 && m.ffn > 0;
  const bool shared = t.a.moe_layers > 0 && m.shared_ffn + m.residual_ffn > 0;
  const Both zero = {"", ""};
  SUM("projections", seconds("down", "query", "key_value", "qkv", "output"),
      !attends ? zero
      : mla    ? Both BOTH(PROJECTIONS_MLA)
               : Both BOTH(PROJECTIONS));
  SUM("mlp", seconds("up", "down_mlp"), mlp ? Both BOTH(MLP) : zero);
  const bool plain = t.a.linear_layers == 0 && !t.moe;
  if (!plain) {
    SUM("linear", seconds("linear"),
        t.a.linear_layers > 0 ? Both{"op.linear_forward", "op.linear_backward"} : zero);
    SUM("shared", seconds("shared_up", "shared_down"), shared ? Both BOTH(SHARED) : zero);
  }
  SUM("matmul", slow.of(Category::matmul), plain ? Both BOTH(MATMUL) : Both BOTH(MATMUL_ALL));
  SUM("experts", slow.of(Category::experts), t.moe ? Both BOTH(EXPERTS) : zero);
  const bool states = t.a.linear_layers > 0;
  SUM("attention", slow.of(Category::attention),
      attends && states ? Both BOTH(CORE_BOTH)
      : states          ? Both BOTH(CORE_STATE)
      : attends         ? Both BOTH(CORE)
                        : zero);
  SUM("norms", layers(Where::layer) * seconds("norms", "adapters"),
      t.adapters ? Both BOTH(BESIDE_ADAPTERS) : Both BOTH(BESIDE));
  SUM("rope", attention * seconds("rope"), attends ? Both BOTH(ROPE) : zero);
  SUM("activation", dense * seconds("activation"), mlp ? Both BOTH(ACTIVATION) : zero);
  SUM("routing", moe * seconds("router", "permute", "expert_activation"),
      t.moe ? Both BOTH(ROUTED) : zero);
  const Pass table = seconds("embedding");
  SUM("embedding", embeddings * table, table.forward > 0 ? Both BOTH(EMBEDDING) : zero);
  SUM("pointwise", slow.of(Category::pointwise), Both BOTH(POINTWISE));
  const Pass head = seconds("head");
  SUM("head", heads * head, head.forward > 0 ? Both BOTH(HEADS) : zero);
#undef SUM
  (void)linear;

  const Run& run = t.s.run;
  const bool full = run.recompute == Recompute::full;
  if (full)
    note("step.again", std::floor(t.a.layers / run.recompute_every) / t.a.layers,
         "floor(model.layers/run.recompute_every)/model.layers");
  note("step.recompute_once", slow.recompute,
       slow.recompute == 0                     ? ""
       : run.recompute == Recompute::selective ? "step.attention_forward"
       : full ? "step.again*(step.matmul_forward + step.experts_forward + step.attention_forward + "
                "step.pointwise_forward)"
              : "0.5*(step.matmul_forward + step.experts_forward) + step.pointwise_forward");
}

/// A group of ranks that communicate: where they are, and what that costs.
struct Group {
  Literal near_id, boxed_id, rate_id, latency_id;
  Formula near, boxed, by_link, by_torus, by_box, by_nic, inside, across;
};
#define GROUP(id, ranks, stride)                                                               \
  {                                                                                            \
    "step." id "_near", "step." id "_boxed", "step." id "_rate", "step." id "_latency",        \
        "min(" ranks ", max(1, floor(step.domain/" stride ")))",                               \
        "max(step." id "_near, min(" ranks ", floor(step.box/" stride ")))", "step.link_rate", \
        "step.link_rate/gpu.torus", "step.box_rate*step." id "_near",                          \
        "step.nic_rate*step." id "_boxed",                                                     \
        "physics.latency + (step." id "_boxed - 1)*physics.link_hop",                          \
        "physics.latency + (step." id "_boxed - 1)*physics.link_hop + " ranks "/step." id      \
        "_boxed*physics.nic_hop"                                                               \
  }
#define GATHER(id, ranks, bytes) \
  bytes "*(" ranks " - 1)/" ranks "/step." id "_rate + step." id "_latency"

constexpr Group kTensor = GROUP("tensor", "layout.tp", "1");
constexpr Group kExpertTensor = GROUP("expert_tensor", "rank.etp", "1");
constexpr Group kContext = GROUP("context", "cluster.cp", "layout.tp");
constexpr Group kExpert = GROUP("exchange", "cluster.ep", "rank.etp");
constexpr Group kData = GROUP("data", "step.data_ranks", "layout.tp");
constexpr Group kReplicas = GROUP("replicas", "step.replica_ranks", "(cluster.ep*rank.etp)");

/// Notes the group: how it is placed, and where its slowest link is.
[[maybe_unused]] Route explain_group(const Told& t, const Group& g, Peers peers) {
  const Route r = route_of(t.net, peers);
  t.note(g.near_id, r.near, g.near);
  t.note(g.boxed_id, r.boxed, g.boxed);
  if (peers.ranks <= 1) return r;
  // Compared with room for rounding: a rate is one over seconds for each byte.
  const auto is = [&](double rate) { return std::abs(r.rate / rate - 1) < 1e-9; };
  Formula by = g.by_link;
  if (peers.ranks > r.boxed && is(t.net.nic * r.boxed))
    by = g.by_nic;
  else if (r.boxed > r.near && is(t.net.box * r.near))
    by = g.by_box;
  else if (!is(t.net.link))
    by = g.by_torus;
  t.note(g.rate_id, r.rate, by);
  t.note(g.latency_id, r.latency, peers.ranks > r.boxed ? g.across : g.inside);
  return r;
}

[[maybe_unused]] void explain_network(const Told& t) {
  const Loud& note = t.note;
  const Gpu& g = t.s.gpu;
  const Physics& k = t.x.physics;
  note("physics.link", k.link);
  note("physics.nic", k.nic);
  note("physics.pcie", k.pcie);
  note("physics.node", k.node);
  note("physics.latency", k.latency);
  note("physics.link_hop", k.link_hop);
  note("physics.nic_hop", k.nic_hop);
  note("physics.critical", k.critical);
  note("step.domain", t.net.domain, "max(1, gpu.domain)");
  note("step.box", t.net.node, t.net.torus > 1 ? "step.domain" : "max(step.domain, physics.node)");
  const bool linked = given(g.link) && g.domain > 1;
  note("step.link_rate", t.net.link, linked ? "gpu.link*physics.link" : "physics.pcie");
  note("step.box_rate", t.net.box,
       given(g.link) && g.domain <= 1 ? "min(gpu.link, 2*physics.pcie)*physics.link"
                                      : "physics.pcie*physics.link");
  note("step.nic_rate", t.net.nic,
       given(g.nic) ? "gpu.nic*physics.nic/max(1, cluster.oversubscription)"
                    : "physics.pcie/2*physics.nic/max(1, cluster.oversubscription)");
  note("step.shown", 1 - t.s.stack.overlap * k.critical, "1 - stack.overlap*physics.critical");
}

#define ALL_TO_ALL(id, ranks, bytes)                                                             \
  "max(" bytes "/" ranks "*(step." id "_near - 1)/step.link_rate, " bytes "/" ranks "*(step." id \
  "_boxed - step." id "_near)/step.box_rate, " bytes "/" ranks "*(" ranks " - step." id          \
  "_boxed)/step.nic_rate) + physics.latency + "
#define EXCHANGED "step.exchange_bytes*model.top_k"

/// Collectives of one micro-batch in one layer, and what of them shows on the slowest stage.
[[maybe_unused]] void explain_collectives(const Told& t) {
  const Loud& note = t.note;
  const Scenario& s = t.s;
  const Model& m = s.model;
  const Ways& w = t.w;
  const StageTime& slow = t.d.slowest;
  const Traffic& sent = t.d.sent;
  const bool full = s.run.recompute == Recompute::full;
  const double stream = note("step.stream", t.tokens * m.hidden * t.x.value,
                             "step.tokens*model.hidden*step.value_bytes");
  if (w.tp > 1) {
    const Route r = explain_group(t, kTensor, {w.tp, 1});
    const bool ring = sent.tensor_mixer == 2 * all_gather(t.net, {w.tp, 1}, stream) - t.net.latency;
    note("step.tensor_half", sent.tensor_mixer,
         s.cluster.sp ? "2*(" GATHER("tensor", "layout.tp", "step.stream") ")"
         : ring       ? "2*(" GATHER("tensor", "layout.tp", "step.stream") ") - physics.latency"
         : t.net.in_switch && r.near == w.tp
             ? "physics.latency + step.stream/step.link_rate + 2*physics.link_hop"
             : "");
    if (t.moe) {
      const bool shared = m.shared_ffn + m.residual_ffn > 0;
      if (w.etp > 1) explain_group(t, kExpertTensor, {w.etp, 1});
#define WITHIN \
  "2*(" GATHER("expert_tensor", "rank.etp", "step.stream*model.top_k*rank.etp/layout.tp") ")"
      note("step.tensor_experts", sent.tensor_experts,
           shared && w.etp > 1 ? "step.tensor_half + " WITHIN
           : w.etp > 1         ? WITHIN
           : shared            ? "step.tensor_half"
                               : "");
    }
  }
  note("step.tensor_forward", slow.tensor.forward,
       w.tp <= 1 ? ""
       : t.moe   ? "step.shown*((step.attention_layers + step.linear_layers + step.dense_layers)*"
                   "step.tensor_half + step.moe_layers*step.tensor_experts)"
                 : "step.shown*(step.attention_layers + step.linear_layers + step.dense_layers)*"
                   "step.tensor_half");
  note("step.tensor_backward", slow.tensor.backward,
       full ? "(1 + step.again)*step.tensor_forward" : "step.tensor_forward");

  const bool ring = s.cluster.cp_kind == ContextParallel::ring, torus = t.net.torus > 1;
  if (w.cp > 1) {
    const Route r = explain_group(t, kContext, {w.cp, w.tp});
    note("step.context_bytes",
         t.tokens * t.x.value *
             (ring ? (t.a.k_width + t.a.v_width) / kv_ways(m, w.tp)
                   : (t.a.qk_width + t.a.o_width) / 2 / w.tp),
         ring ? "step.tokens*(arch.k_width + arch.v_width)/op.kv_ways*step.value_bytes"
              : "step.tokens*(arch.qk_width + arch.o_width)/2/layout.tp*step.value_bytes");
    const double span = w.cp * w.tp;
    note("step.context_once", sent.context,
         torus  ? ""
         : ring ? (span <= t.net.domain
                       ? "(cluster.cp - 1)*(step.context_bytes/step.link_rate + physics.link_hop)"
                   : span <= t.net.node
                       ? "(cluster.cp - 1)*(step.context_bytes/step.box_rate + physics.link_hop)"
                       : "(cluster.cp - 1)*(step.context_bytes/step.nic_rate + physics.nic_hop)")
         : w.cp > r.boxed
             ? "4*(" ALL_TO_ALL("context", "cluster.cp", "step.context_bytes") "physics.nic_hop)"
             : "4*(" ALL_TO_ALL("context", "cluster.cp", "step.context_bytes") "physics.link_hop)");
  }
#define RING "step.attention_layers*step.context_once"
  note("step.context_forward", slow.context.forward,
       w.cp <= 1 ? ""
       : ring    ? RING " - min(0.96*" RING ", stack.overlap*step.attention_forward)"
                 : "step.shown*" RING);
  note("step.context_backward", slow.context.backward,
       w.cp <= 1 ? ""
       : ring    ? "2*" RING " - min(0.96*2*" RING ", stack.overlap*step.attention_backward)"
                 : "step.shown*" RING);

  if (w.ep > 1 && t.moe) {
    const Route r = explain_group(t, kExpert, {w.ep, w.etp});
    note("step.exchange_bytes", t.tokens / w.tp * m.hidden * t.x.value, "step.stream/layout.tp");
    note("step.exchange", sent.expert,
         torus ? ""
         : w.ep > r.boxed
             ? (m.top_k < 64
                    ? "2*op.imbalance*(max(step.exchange_bytes*(cluster.ep/step.exchange_boxed - "
                      "1)*("
                      "1 - (1 - "
                      "step.exchange_boxed/cluster.ep)^model.top_k)/step.nic_rate, " EXCHANGED
                      "*(step.exchange_near - 1)/step.exchange_near/step.link_rate) + "
                      "physics.latency + "
                      "physics.nic_hop)"
                    : "")
             : "2*op.imbalance*(" ALL_TO_ALL("exchange", "cluster.ep",
                                             EXCHANGED) "physics.link_hop)");
  }
#define EXCHANGES "step.moe_layers*step.exchange"
#define WORK_OF(p) \
  "step.matmul" p " + step.experts" p " + step.attention" p " + step.pointwise" p " + step.head" p
#define BEHIND_WORK(p) EXCHANGES " - min(0.96*" EXCHANGES ", stack.overlap*(" WORK_OF(p) "))"
  const bool some = w.ep > 1 && t.moe, both = hides_exchange(s, w);
  note("step.expert_forward", slow.expert.forward,
       !some  ? ""
       : both ? BEHIND_WORK("_forward")
              : EXCHANGES);
  note("step.expert_backward", slow.expert.backward,
       !some          ? ""
       : both && full ? BEHIND_WORK("_backward") " + step.again*step.expert_forward"
       : both         ? BEHIND_WORK("_backward")
       : full         ? "(1 + step.again)*step.expert_forward"
                      : "step.expert_forward");
}

#define WORKS(p)                                                                                \
  "step.tensor" p " + step.context" p " + step.expert" p " + step.matmul" p " + step.experts" p \
  " + step.attention" p " + step.pointwise" p " + step.head" p

/// One micro-batch through the stage, and the pipeline.
[[maybe_unused]] void explain_passes(const Told& t) {
  const Loud& note = t.note;
  const StageTime& slow = t.d.slowest;
  const Stack& stack = t.s.stack;
  const Recompute again = t.s.run.recompute;
  note("step.launches", stack.launch > 0 ? slow.launch.forward / stack.launch : 0);
  note("step.launch_forward", slow.launch.forward, "step.launches*stack.launch");
  note("step.launch_backward", slow.launch.backward,
       again == Recompute::full        ? "(2 + step.again)*step.launch_forward"
       : again == Recompute::pointwise ? "2.5*step.launch_forward"
                                       : "2*step.launch_forward");
  // Schedules that put off the gradients of weights launch them apart.
  const Schedule schedule = t.s.cluster.schedule;
  const bool apart = t.w.pp > 1 && schedule != Schedule::one_f_one_b && schedule != Schedule::gpipe;
  if (apart) note("step.weights_backward", slow.weight);
#define FORWARD_WORK WORKS("_forward")
#define BACKWARD_WORK WORKS("_backward") " + step.recompute_once"
#define INPUTS_WORK BACKWARD_WORK " - step.weights_backward"
#define OTHER_LAUNCHES "step.launch_backward - step.launch_forward"
  note("step.pass_forward", slow.pass.forward, "max(" FORWARD_WORK ", step.launch_forward)");
  note("step.pass_backward", slow.pass.backward,
       apart ? "max(" INPUTS_WORK ", " OTHER_LAUNCHES
               ") + max(step.weights_backward, step.launch_forward)"
             : "max(" BACKWARD_WORK ", step.launch_backward)");
  note("step.late", slow.late,
       apart ? "max(0, step.launch_forward - (" FORWARD_WORK ")) + max(0, " OTHER_LAUNCHES
               " - (" INPUTS_WORK ")) + max(0, step.launch_forward - step.weights_backward)"
             : "max(0, step.launch_forward - (" FORWARD_WORK
               ")) + max(0, step.launch_backward - (" BACKWARD_WORK "))");
  note("step.busy", t.d.pipeline.busy,
       "layout.micro_batches*(step.pass_forward + step.pass_backward)");
  note("step.wait", t.d.pipeline.bubble);
  if (t.w.pp <= 1) return;
  const double span = t.w.pp * t.w.tp * t.w.cp * t.w.dp;
  note("physics.handover", t.x.physics.handover);
  note("step.send_bytes", t.tokens * t.s.model.hidden * t.x.value / t.w.tp,
       "step.stream/layout.tp");
  note("step.send", t.d.sends,
       span > t.net.node     ? "step.send_bytes/step.nic_rate + physics.nic_hop"
       : span > t.net.domain ? "step.send_bytes/step.box_rate + physics.link_hop"
       : t.net.torus > 1     ? ""
                             : "step.send_bytes/step.link_rate + physics.link_hop");
  note("step.line_sends", t.d.pipeline.send,
       t.s.cluster.schedule == Schedule::gpipe ? "2*(cluster.pp - 1)*step.send" : "");
}

/// What data-parallel ranks exchange, and the update.
[[maybe_unused]] void explain_data(const Told& t) {
  const Loud& note = t.note;
  const Scenario& s = t.s;
  const Cluster& c = s.cluster;
  const Ways& w = t.w;
  const StepDetail& d = t.d;
  const double n = w.dp * w.cp;
  const bool experts = d.experts > 0;
  const StageTime& heavy = d.heaviest;
  const bool same = heavy.stage.index == d.slowest.stage.index;
  note("step.heaviest_stage", heavy.stage.index + 1);
  note("step.heavy_forward", heavy.pass.forward, same ? "step.pass_forward" : "");
  note("step.heavy_backward", heavy.pass.backward, same ? "step.pass_backward" : "");
  note("step.dense_params", d.dense);
  note("step.expert_params", d.experts);
  const bool sends = n > 1;
  if (sends) {
    note("step.data_ranks", w.gathers ? w.shard : n,
         w.gathers ? "rank.shard" : "layout.dp*cluster.cp");
    explain_group(t, kData, {w.gathers ? w.shard : n, w.tp});
    const double replicas =
        w.gathers ? std::max(1.0, w.expert_shard) : std::max(1.0, n * w.tp / (w.ep * w.etp));
    if (experts) {
      note("step.replica_ranks", replicas,
           w.gathers ? "max(1, rank.expert_shard)"
                     : "max(1, step.data_ranks*layout.tp/(cluster.ep*rank.etp))");
      explain_group(t, kReplicas, {replicas, w.ep * w.etp});
    }
    const bool both = experts && replicas > 1;
    // Of adapters alone, for each weight of the model.
    const double share = t.adapters ? t.a.trainable / std::max(1.0, t.a.total) : 1;
    note("step.reduce_bytes", share * bytes_per_value(c.reduce));
    note("step.gather_bytes", !w.gathers       ? share * 2
                              : t.x.unpack > 0 ? bytes_per_value(s.tune.base)
                                               : 2.0);
#define DENSE(b) GATHER("data", "step.data_ranks", "step.dense_params*step." b "_bytes")
#define OF_EXPERTS(b) \
  GATHER("replicas", "step.replica_ranks", "step.expert_params*step." b "_bytes")
    note("step.gather_once", d.gather_once,
         d.gather_once == 0 ? ""
         : both             ? DENSE("gather") " + " OF_EXPERTS("gather")
                            : DENSE("gather"));
    const Peers all{n, w.tp};
    const double bytes = d.dense * (share * bytes_per_value(c.reduce));
    const bool sums = !w.gathers && c.zero < 1;
    const bool ring = sums && d.reduce_once == 2 * all_gather(t.net, all, bytes) - t.net.latency;
    note("step.reduce_once", d.reduce_once,
         d.reduce_once == 0 ? ""
         : sums             ? (ring ? "2*(" DENSE("reduce") ") - physics.latency" : "")
         : both             ? DENSE("reduce") " + " OF_EXPERTS("reduce")
                            : DENSE("reduce"));
    note("step.window", d.window,
         "max(1, min(cluster.pp, layout.micro_batches)*(cluster.virtual_stages - 1)/"
         "cluster.virtual_stages)");
#define FORWARD "stack.overlap*step.window*step.heavy_forward"
#define BACKWARD "stack.overlap*step.window*step.heavy_backward"
#define HIDDEN(seconds, behind) seconds " - min(0.96*" seconds ", " behind ")"
    note("step.gather_shown", d.gather.shown,
         w.gathers && c.reshard ? "layout.micro_batches*(" HIDDEN("step.gather_once", FORWARD) ")"
                                : HIDDEN("step.gather_once", FORWARD));
#define BACK HIDDEN("step.reduce_once", BACKWARD)
#define BACK_AGAIN HIDDEN("(step.gather_once + step.reduce_once)", BACKWARD)
#define REPLICATED " + " HIDDEN("step.replicate_once", BACKWARD)
    const bool hybrid = d.replicate_once > 0;
    if (hybrid) note("step.replicate_once", d.replicate_once);
    note("step.reduce_shown", d.reduce.shown,
         !w.gathers  ? BACK
         : c.reshard ? (hybrid ? "layout.micro_batches*(" BACK_AGAIN ")" REPLICATED
                               : "layout.micro_batches*(" BACK_AGAIN ")")
                     : (hybrid ? "layout.micro_batches*(" BACK ")" REPLICATED
                               : "layout.micro_batches*(" BACK ")"));
  }
  if (d.offload > 0) note("step.offload_bytes", d.offload);
#define SHARDED "step.dense_params/rank.shard + step.expert_params/rank.expert_shard"
  const double updated =
      note("step.updated", d.updated,
           t.adapters
               ? (c.zero >= 1 ? "(" SHARDED ")*params.trainable/max(1, params.total)"
                              : "(step.dense_params + step.expert_params)*params.trainable/max(1, "
                                "params.total)")
           : c.zero >= 1 ? SHARDED
                         : "step.dense_params + step.expert_params");
  note("step.update_value", updated > 0 ? d.update_bytes / updated : 0);
  note("step.update_bytes", d.update_bytes, "step.updated*step.update_value");
  if (c.offload_optimizer) {
    note("physics.host", t.x.physics.host);
    note("step.update_sent",
         bytes_per_value(s.states.gradients) + bytes_per_value(s.states.weights));
  }
}

}  // namespace

void explain(const StepTime& r, const StepDetail& d, const Scenario& s, const Architecture& a,
             const Ways& w, const Physics& physics, const Ledger& ledger) {
  if (!ledger) return;
  const Loud note(ledger);
  if constexpr (kSays != Says::results) {
    const Machine x = machine_of(s, physics);
    const Operations all = operations(s, a, w, x);
    const double tokens = s.run.micro_batch * sequence_length(s) / w.cp,
                 spread = s.cluster.sp ? tokens / w.tp : tokens;
    const Told t{r,
                 d,
                 s,
                 a,
                 w,
                 x,
                 network_of(s, w.gpus(), physics),
                 tokens,
                 spread,
                 s.run.task == Task::finetune && s.tune.method != Method::full,
                 a.moe_layers > 0,
                 note};
    note("step.tokens", tokens,
         s.model.kind == ModelKind::vit ? "run.micro_batch*arch.image_tokens/cluster.cp"
                                        : "run.micro_batch*run.seq/cluster.cp");
    note("step.spread", spread, s.cluster.sp ? "step.tokens/layout.tp" : "step.tokens");
    explain(s, a, w, x, all, ledger);
    explain_work(t, all);
    explain_network(t);
    explain_collectives(t);
    explain_passes(t);
    explain_data(t);
  }
// Software that was measured to be faster than our kernels makes all of them faster.
#define PACE "min(1, stack.overhead)*"
#define EACH(id) PACE "layout.micro_batches*(step." id "_forward + step." id "_backward)"
  note("step.matmul", Seconds{r.matmul}, EACH("matmul"));
  note("step.experts", Seconds{r.experts}, EACH("experts"));
  note("step.attention", Seconds{r.attention}, EACH("attention"));
  note("step.pointwise", Seconds{r.pointwise}, EACH("pointwise"));
  note("step.head", Seconds{r.head}, EACH("head"));
  note("step.recompute", Seconds{r.recompute}, PACE "layout.micro_batches*step.recompute_once");
  note("step.tensor", Seconds{r.tensor}, EACH("tensor"));
  note("step.context", Seconds{r.context}, EACH("context"));
  note("step.expert", Seconds{r.expert}, EACH("expert"));
  note("step.pipeline", Seconds{r.pipeline},
       w.pp > 1 ? PACE
           "(step.line_sends + 2*step.send*layout.micro_batches*max(1, "
           "cluster.virtual_stages)*step.shown*physics.handover)"
                : "");
  note("step.bubble", Seconds{r.bubble}, PACE "step.wait");
  const bool exchanges = d.gather.seconds + d.reduce.seconds > 0;
#define VISITS                                                                           \
  "layout.micro_batches*(step.offload_bytes/physics.pcie - min(0.96*step.offload_bytes/" \
  "physics.pcie, stack.overlap*(step.heavy_forward + step.heavy_backward)))"
  note("step.data", Seconds{r.data},
       exchanges && d.offload > 0 ? PACE "(step.gather_shown + step.reduce_shown + " VISITS ")"
       : exchanges                ? PACE "(step.gather_shown + step.reduce_shown)"
       : d.offload > 0            ? PACE VISITS
                                  : "");
  // Muon: five steps of Newton and Schulz, three products each, on every matrix.
#define MUON " + 30*step.updated*model.hidden/layout.tp/step.rate16"
#define ON_HOST "step.updated*step.update_sent/physics.pcie + step.update_bytes/physics.host"
  const bool muon = s.states.optimizer == Optimizer::muon, host = s.cluster.offload_optimizer;
  note("step.optimizer", Seconds{r.optimizer},
       host && muon ? PACE "(" ON_HOST MUON ")"
       : host       ? PACE "(" ON_HOST ")"
       : muon       ? PACE "(step.update_bytes/step.memory_rate" MUON ")"
                    : PACE "step.update_bytes/step.memory_rate");
  note("step.overhead", Seconds{r.overhead},
       PACE "layout.micro_batches*step.late + max(0, stack.overhead - 1)*(step.busy + step.wait)");
}

}  // namespace envelope
