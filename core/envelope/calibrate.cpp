// SPDX-License-Identifier: MIT
#include "envelope/calibrate.h"

#include <algorithm>

#include "envelope/estimate.h"
#include "envelope/rules.h"

namespace envelope {
namespace {

void refuse(Problems& to, std::string_view code, std::string message, std::string hint,
            double value) {
  to.push_back(
      {"value", Severity::error, code, std::move(message), std::move(hint), number_text(value)});
}

/// Three digits are enough for people.
std::string brief(double seconds) {
  double unit = 1;
  while (seconds / unit >= 1000) unit *= 10;
  while (seconds / unit < 100 && seconds > 0) unit /= 10;
  return number_text(std::floor(seconds / unit + 0.5) * unit);
}

double step_with(Scenario s, double overhead) {
  s.stack.overhead = overhead;
  return estimate(s).time.step.value;
}

}  // namespace

Patch calibrate(const Scenario& scenario, Measured quantity, double value, Problems& problems) {
  Scenario s = scenario;
  s.run.mfu = s.run.gpu_time = s.tune.saving = kNone;  // what is measured replaces what is assumed
  const Report r = estimate(s);
  if (s.run.task == Task::serve || !r.pace.predicted) {
    refuse(problems, "not_predicted", "The step of this scenario is not predicted.",
           s.run.task == Task::serve ? "Choose pretraining or fine-tuning."
                                     : "Choose a model whose architecture is known.",
           value);
    return {};
  }
  if (!(value > 0)) {
    refuse(problems, "not_positive", "A measurement of " + number_text(value) + " is none.",
           "Give a number above zero.", value);
    return {};
  }
  // As it was measured: a deadline or open TP would choose others with other speeds.
  const double gpus = s.cluster.gpus = r.layout.used;
  s.cluster.tp = r.layout.tp;
  double target = value;
  if (quantity == Measured::tokens_per_s_per_gpu)
    target = s.run.global_batch * sequence_length(s) / (value * gpus);
  if (quantity == Measured::mfu)
    target = r.pace.gpu_time_ideal.value / (r.time.steps * gpus * value);

  // The time is linear in the overhead above 1, and below.
  const Field& field = *field_by_path("stack.overhead");
  const double one = step_with(s, 1), least = step_with(s, field.min),
               most = step_with(s, field.max);
  if (!(target >= least && target <= most)) {
    refuse(
        problems, target < least ? "too_fast" : "too_slow",
        "A step of " + brief(target) + " s is " +
            (target < least ? "faster than any software makes it"
                            : "far slower than any software here") +
            ": the prediction is " + brief(r.time.step.value) + " s.",
        "Check the batch, the number of GPUs, the layout and the precision of what was measured.",
        value);
    return {};
  }
  const double overhead = target >= one ? 1 + (target - one) / (most - one) * (field.max - 1)
                                        : 1 - (one - target) / (one - least) * (1 - field.min);
  Patch patch;
  if (given(scenario.run.mfu)) patch.emplace_back("run.mfu", std::string("auto"));
  if (given(scenario.run.gpu_time)) patch.emplace_back("run.gpu_time", std::string("auto"));
  if (given(scenario.tune.saving)) patch.emplace_back("tune.saving", std::string("auto"));
  if (!given(scenario.cluster.gpus)) patch.emplace_back("cluster.gpus", gpus);
  if (!given(scenario.cluster.tp)) patch.emplace_back("cluster.tp", s.cluster.tp);
  patch.emplace_back("stack.overhead", std::floor(overhead * 1e6 + 0.5) / 1e6);
  return patch;
}

}  // namespace envelope
