// SPDX-License-Identifier: MIT
// Whole runs: failures, checkpoints, restarts and evaluation.
#include "envelope/goodput.h"

#include <cmath>

#include "catch.h"
#include "envelope/estimate.h"
#include "envelope/patch.h"

namespace {

using namespace envelope;

struct Whole {
  Report report;
  std::vector<Step> steps;
  double at(std::string_view id) const {
    for (const Step& step : steps)
      if (step.id == id) return step.value;
    return kNone;
  }
};

Whole run_of(const Patch& patch) {
  Problems problems;
  const Scenario s = scenario_of(patch, problems);
  for (const Problem& p : problems) FAIL(p.message);
  Whole run;
  run.report = estimate(s, Ledger(run.steps));
  return run;
}

/// Llama 3.1 405B as it was trained: 16,384 H100.
const Patch kLarge = {{"model.id", "llama-3.1-405b"},
                      {"gpu.id", "h100-sxm"},
                      {"cluster.gpus", 16384.0},
                      {"cluster.tp", 8.0},
                      {"cluster.pp", 16.0}};

Patch with(Patch patch, const Patch& more) {
  for (const auto& entry : more) patch.push_back(entry);
  return patch;
}

}  // namespace

TEST_CASE("goodput: the shares of the wall-clock time sum to one") {
  for (const Patch& patch :
       {kLarge, with(kLarge, {{"reliability.evaluation", 0.09}}),
        with(kLarge, {{"reliability.mtbf", 3.6e6}, {"reliability.checkpoint_time", 300.0}}),
        with(kLarge, {{"reliability.checkpoint_time", 0.0}}),
        with(kLarge, {{"reliability.checkpoint_every", 7200.0}})}) {
    const Whole run = run_of(patch);
    CHECK(run.at("goodput") + run.at("goodput.checkpoint") + run.at("goodput.lost") +
              run.at("goodput.restart") + run.at("goodput.evaluation") ==
          Approx(1.0).epsilon(1e-12));
    CHECK(run.at("time.wall") == Approx(run.at("time.total") / run.at("goodput")));
    CHECK(run.at("time.wall") >= run.at("time.total"));
  }
}

TEST_CASE("goodput: 16,384 GPUs are interrupted 419 times in 54 days") {
  const Whole run = run_of(kLarge);
  CHECK(54 * 86400 / run.at("goodput.mtbf") == Approx(419.0).epsilon(0.01));
  // The report of Llama 3: more than 90 % effective training time.
  CHECK(run.at("goodput") > 0.90);
  CHECK(run.at("goodput") < 0.99);
}

TEST_CASE("goodput: the interval of Young and Daly loses least") {
  const double best = run_of(kLarge).at("goodput.interval"), most = run_of(kLarge).at("goodput");
  const Whole run = run_of(kLarge);
  CHECK(best == Approx(std::sqrt(2 * run.at("goodput.checkpoint_time") * run.at("goodput.mtbf"))));
  for (const double k : {0.25, 0.5, 2.0, 4.0}) {
    INFO(k);
    const Whole other = run_of(with(kLarge, {{"reliability.checkpoint_every", k * best}}));
    CHECK(other.at("goodput") < most);
    CHECK(other.at("goodput.interval") == k * best);
  }
}

TEST_CASE("goodput: more GPUs fail more often, and a small run hardly ever") {
  double before = 1;
  for (const double dp : {1.0, 8.0, 32.0, 128.0}) {
    const Whole run = run_of(with(kLarge, {{"cluster.gpus", 128 * dp}}));
    CHECK(run.at("goodput") < before);
    before = run.at("goodput");
  }
  const Whole small = run_of({{"model.id", "llama-3.1-8b"}, {"cluster.gpus", 8.0}});
  CHECK(small.at("goodput") > 0.99);
}

TEST_CASE("goodput: a checkpoint holds what is trained, without gradients") {
  const Whole full = run_of(kLarge);
  CHECK(full.at("memory.checkpoint") == full.at("memory.states") - full.at("memory.gradients"));
  CHECK(full.at("goodput.checkpoint_time") ==
        Approx(full.at("memory.checkpoint") / (16384 * 122e6)));
  const Whole lora = run_of({{"run.task", "finetune"},
                             {"tune.method", "lora"},
                             {"model.id", "llama-2-70b"},
                             {"cluster.gpus", 8.0}});
  CHECK(lora.at("memory.checkpoint") < 0.05 * lora.at("memory.weights"));
}

TEST_CASE("goodput: a known GPU time holds its interruptions already") {
  const Whole run = run_of(with(kLarge, {{"run.gpu_time", 1e11}}));
  CHECK(std::isnan(run.at("goodput")));
  CHECK(std::isnan(run.at("time.wall")));
  CHECK(run.report.goodput.wall.value == run.at("time.total"));
}

TEST_CASE("goodput: the whole run costs its GPUs for all of its time") {
  const Whole run = run_of(with(kLarge, {{"price.usd_per_gpu_hour", 2.0}}));
  CHECK(run.at("cost.wall") == Approx(2 * 16384 * run.at("time.wall") / 3600));
  CHECK(run.at("cost.wall") / run.at("cost.total") == Approx(1 / run.at("goodput")));
}
