// SPDX-License-Identifier: MIT
// In: operations of each layer, network, layout, software. Out: the seconds of one training step,
// by what takes them. What communication the software cannot hide behind computation is exposed.
// The slowest pipeline stage sets the pace; the others show in the bubble. Neglected: stragglers
// and jitter but as one factor of the software; collectives that share a link at the same time;
// data loading, which keeps up.
#pragma once

#include "envelope/network.h"
#include "envelope/operations.h"
#include "envelope/schedule.h"

namespace envelope {

/// Seconds of one step on the slowest stage. The parts sum to `total`.
struct StepTime {
  double matmul = 0, experts = 0, attention = 0, pointwise = 0, head = 0, recompute = 0;
  double tensor = 0, context = 0, expert = 0;  ///< Exposed communication of these kinds.
  double pipeline = 0, bubble = 0;             ///< Sending between stages; waiting for them.
  double data = 0, optimizer = 0;
  double overhead = 0;  ///< What the software adds: launches that come late, and all the rest.
  double total = 0;     ///< kNone where the architecture is not known.
};

/// Communication of one micro-batch on one stage, or of one step: what it takes, what it shows.
struct Exposed {
  double seconds = 0, shown = 0;
};

/// One micro-batch on one stage.
struct StageTime {
  Stage stage;
  Pass work[kCategories];  ///< By Category.
  double recompute = 0;
  Pass tensor, context, expert;  ///< Exposed communication.
  Pass launch;                   ///< Seconds in which the kernels can be launched, at the least.
  Pass done;                     ///< All that the device does.
  Pass pass;                     ///< That, or the launches where they take longer.
  double late = 0;               ///< Of it, waiting for launches.
  double weight = 0;             ///< Of the backward pass, what a schedule may put off.
  Pass of(Category k) const { return work[static_cast<int>(k)]; }
};

/// Collectives of one micro-batch in one layer, before anything hides them.
struct Traffic {
  double tensor_mixer = 0, tensor_mlp = 0, tensor_experts = 0;  ///< Forward; backward is alike.
  double context = 0, expert = 0;
  double sends = 0;  ///< Of one micro-batch to the next stage.
};

/// What step_time adds up: the terms of its formulas.
struct StepDetail {
  StageTime slowest;
  Traffic sent;
  StageTime heaviest;             ///< The stage with the most parameters on a GPU:
  double dense = 0, experts = 0;  ///< without routed experts, and of those.
  Pipeline line;                  ///< Passes of the stages.
  PipelineTime pipeline;
  double sends = 0;        ///< Seconds of one micro-batch's activations to the next stage.
  Exposed gather, reduce;  ///< Data parallel: weights out, gradients in; of one step.
  double gather_once = 0, reduce_once = 0;  ///< The same at a time; replicas of shards apart.
  double replicate_once = 0, window = 1;    ///< Their sum; passes that hide them.
  double stored = 0;   ///< Bytes of activations that one micro-batch leaves on the heaviest stage.
  double offload = 0;  ///< Bytes that visit in a micro-batch.
  double updated = 0;  ///< Parameters that one GPU updates.
  double update_bytes = 0;  ///< Read and written by the optimizer.
};

/// What the GPUs of a pipeline compute and send in one micro-batch: all of a step that depends on
/// no input of kSharing (ranks.h).
struct StepWork {
  Machine machine;
  Network network;
  double tokens = 0, spread = 0;  ///< Of a micro-batch on a rank; of what only SP divides.
  StepDetail detail;              ///< All but data parallel, offloading and the optimizer.
};
StepWork step_work(const Scenario& scenario, const Architecture& a, const Ranks& ranks,
                   const Ways& ways, const Physics& physics = kPhysics);

/// Several transfers hide behind the same pass: more to compute may then make a step shorter.
bool hides_several(const Scenario& scenario, const Ways& ways);

/// Two directions at once: each computes while the other exchanges tokens (DualPipe).
bool hides_exchange(const Scenario& scenario, const Ways& ways);

/// Notes the parts of a step, and how they come about.
void explain(const StepTime& step, const StepDetail& detail, const Scenario& scenario,
             const Architecture& a, const Ways& ways, const Physics& physics, const Ledger& note);

/// The step of that work; fills in what is missing of its detail.
StepTime step_time(const Scenario& scenario, const Architecture& a, const Ways& ways,
                   StepWork& work);

StepTime step_time(const Scenario& scenario, const Architecture& a, const Ranks& ranks,
                   const Ways& ways, const Physics& physics = kPhysics,
                   StepDetail* detail = nullptr);

}  // namespace envelope
