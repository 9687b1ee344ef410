// SPDX-License-Identifier: MIT
#include "envelope/estimate.h"

namespace envelope {
namespace {

struct Budget {
  Flops flops;
  std::string_view formula;
};

/// FLOP to split between size and tokens: given, bought, or those of the run.
Budget budget_of(const Scenario& s, const Compute& c, const Work& w, const Cost& cost) {
  if (given(s.scaling.flop_budget)) return {Flops{s.scaling.flop_budget}, "scaling.flop_budget"};
  if (given(s.scaling.budget_usd) && given(cost.price) && cost.price > 0)
    return {s.scaling.budget_usd / cost.price * kHour * w.achieved,
            "scaling.budget_usd/cost.price*3600*time.achieved"};
  return {c.train, "compute.train"};
}

}  // namespace

Report estimate(const Scenario& s, const Ledger& note) {
  Report r;
  const bool serve = s.run.task == Task::serve;
  r.architecture = architecture(s, note);
  if (!serve) r.compute = compute(s, r.architecture, note);
  r.memory = memory(s, r.architecture, note);
  if (!serve) r.work = work(s, r.architecture, r.compute, note);
  r.layout = layout(s, r.architecture, r.memory, r.work, note);
  if (serve)
    r.serving = serving(s, r.architecture, r.memory, r.layout, note);
  else
    r.time = time(s, r.compute, r.work, r.layout.used, note);
  r.cost = cost(s, r.work, r.layout, r.serving, note);
  largest(s, r.layout, note);
  if (s.run.task == Task::pretrain) {
    const Budget budget = budget_of(s, r.compute, r.work, r.cost);
    r.scaling =
        scaling(s, r.architecture.active, r.compute.tokens, budget.flops, note, budget.formula);
  }
  return r;
}

}  // namespace envelope
