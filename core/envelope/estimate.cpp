// SPDX-License-Identifier: MIT
#include "envelope/estimate.h"

namespace envelope {
namespace {

struct Budget {
  Flops flops;
  Formula formula;
};

/// FLOP to split between size and tokens: given, bought, or those of the run.
Budget budget_of(const Scenario& s, const Compute& c, const Time& t, const Cost& cost) {
  if (given(s.scaling.flop_budget)) return {Flops{s.scaling.flop_budget}, "scaling.flop_budget"};
  if (given(s.scaling.budget_usd) && given(cost.price) && cost.price > 0)
    return {s.scaling.budget_usd / cost.price * kHour * t.achieved,
            "scaling.budget_usd/cost.price*3600*time.achieved"};
  return {c.train, "compute.train"};
}

}  // namespace

Report estimate(const Scenario& s, const Ledger& note) {
  const bool serve = s.run.task == Task::serve;
  // Each result is built where it stays; a member may read those before it.
  Report r{
      .architecture = architecture(s, note),
      .compute = serve ? Compute{} : compute(s, r.architecture, note),
      .activations =
          serve || !r.architecture.known ? Activations{} : activations(s, r.architecture, note),
      .memory = memory(s, r.architecture, r.activations, note),
      .pace = serve ? Pace{} : pace(s, r.architecture, r.compute, r.memory, note),
      .layout = layout(s, r.architecture, r.activations, r.memory, r.compute, r.pace, note),
      .time = serve ? Time{} : time(s, r.architecture, r.compute, r.pace, r.layout, note),
      .goodput = serve ? Goodput{} : goodput(s, r.memory, r.time, r.layout.used, note),
      .serving = serve ? serving(s, r.architecture, r.memory, r.layout, note) : Serving{},
      .cost = cost(s, r.time, r.layout, r.goodput, r.serving, note),
      .scaling = {},
  };
  largest(s, r.layout, note);
  if (s.run.task == Task::pretrain) {
    const Budget budget = budget_of(s, r.compute, r.time, r.cost);
    r.scaling =
        scaling(s, r.architecture.active, r.compute.tokens, budget.flops, note, budget.formula);
  }
  return r;
}

}  // namespace envelope
