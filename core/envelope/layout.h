// SPDX-License-Identifier: MIT
// In: bytes of the model and of each rank, pace, layout. Out: how many GPUs it takes to fit and to
// meet a deadline, bytes on the fullest GPU, one predicted step, and what each kind of parallelism
// sends.
// Neglected: GPUs left over when their number is no multiple of a replica stay idle.
#pragma once

#include "envelope/pace.h"
#include "envelope/ranks.h"
#include "envelope/serve_memory.h"
#include "envelope/step.h"

namespace envelope {

struct Layout {
  double tp = 1, pp = 1, cp = 1, dp = 1;
  double to_fit = kNone;        ///< GPUs that hold everything; kNone when no number would.
  double for_deadline = kNone;  ///< GPUs that meet the deadline, if there is one.
  double used = 1;
  Bytes per_gpu, capacity, free;
  bool fits = false;
  Ways ways;            ///< In training.
  ServeMemory serving;  ///< In serving.
  Bytes buffers;        ///< Of the communication library, in training.
  RankMemory fullest;   ///< In training, component by component.
  StepTime step;        ///< In training, where it is predicted.
  double quickest = 1;  ///< GPUs of the fastest run, where none is in time.
  Seconds fastest;      ///< The whole run on as many GPUs as the batch has work for, if too late.
};

Layout layout(const Scenario& scenario, const Architecture& a, const Activations& act,
              const Memory& m, const Compute& c, const Pace& pace, const Ledger& note);

/// For a search, which keeps the stages: bytes on the fullest GPU of a layout whose ways are known,
/// and whether they fit.
void hold(const Scenario& scenario, const Ranks& ranks, const Ranks::Crowded& crowded, Layout& l);

/// Bytes of one GPU that live tensors may fill: without the reserve, and without what the framework
/// is known to need beside them.
Bytes usable(const Scenario& scenario, double tp, double dp);

/// Every GPU has whole query heads, and whole KV heads or a share of one.
bool splits_heads(const Model& model, double tp);

}  // namespace envelope
