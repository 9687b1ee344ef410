// SPDX-License-Identifier: MIT
// One measured run stands for the software it ran on.
#include "envelope/calibrate.h"

#include "catch.h"
#include "envelope/estimate.h"
#include "envelope/link.h"
#include "scenarios.h"

namespace {

using namespace envelope;
using envelope_test::of;

Report after(Scenario s, const Patch& patch) {
  CHECK(envelope::apply(patch, s).empty());
  return estimate(s);
}

const char* const kRuns[] = {
    "model=llama-3.1-8b&n=64",
    "model=llama-3.1-70b&n=512&tp=8&pp=4&zero=1&stack=megatron-core-2024",
    "model=deepseek-v3&n=2048&pp=16&ep=64&zero=1&gpu=h800-sxm&prec=fp8",
    "task=finetune&model=llama-3.1-8b&method=lora&n=8",
    "model=gpt2&n=8&gpu=a100-sxm-80gb&mfu=0.3",
};

}  // namespace

TEST_CASE("calibration: the prediction gives back the step that was measured") {
  for (const char* run : kRuns)
    for (const double factor : {0.6, 0.95, 1.0, 1.4, 3.0}) {
      INFO(run << " x " << factor);
      Scenario s = of(run);
      s.run.mfu = kNone;
      const double measured = factor * estimate(s).time.step.value;
      Problems problems;
      const Patch patch = calibrate(of(run), Measured::step, measured, problems);
      CHECK(problems.empty());
      CHECK(after(of(run), patch).time.step.value == Approx(measured).epsilon(1e-5));
    }
}

TEST_CASE("calibration: tokens per second and MFU say the same as the step") {
  for (const char* run : kRuns) {
    INFO(run);
    Scenario s = of(run);
    s.run.mfu = kNone;
    const Report r = estimate(s);
    Problems problems;
    const double tokens = 0.8 * r.compute.tokens.value / r.time.total.value / r.layout.used;
    const Report speed =
        after(of(run), calibrate(of(run), Measured::tokens_per_s_per_gpu, tokens, problems));
    CHECK(speed.time.step.value == Approx(r.time.step.value / 0.8).epsilon(1e-5));
    const Report used =
        after(of(run), calibrate(of(run), Measured::mfu, 0.8 * r.time.mfu, problems));
    CHECK(used.time.mfu == Approx(0.8 * r.time.mfu).epsilon(1e-5));
    CHECK(problems.empty());
  }
}

TEST_CASE("calibration: what was learned holds for another number of GPUs") {
  const Scenario s = of("model=llama-3.1-70b&n=512&tp=8&pp=4&zero=1");
  Problems problems;
  const double slow = 1.3 * estimate(s).time.step.value;
  Patch patch = calibrate(s, Measured::step, slow, problems);
  patch.emplace_back("cluster.gpus", 1024.0);
  Scenario twice = s;
  twice.cluster.gpus = 1024;
  CHECK(after(s, patch).time.step.value > 1.15 * estimate(twice).time.step.value);
}

TEST_CASE("calibration: what cannot have been measured is refused, with what to do") {
  const struct {
    const char *run, *code;
    double value;
  } rows[] = {
      {"model=llama-3.1-8b&n=64", "too_fast", 1e-9},
      {"model=llama-3.1-8b&n=64", "too_slow", 1e9},
      {"model=llama-3.1-8b&n=64", "not_positive", -1},
      {"model=llama-3.1-8b&n=64", "not_positive", kNone},
      {"model=by-size&size=7e9&n=64", "not_predicted", 1},
      {"task=serve&model=llama-3.1-8b&n=8", "not_predicted", 1},
  };
  for (const auto& row : rows) {
    Problems problems;
    CHECK(calibrate(of(row.run), Measured::step, row.value, problems).empty());
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].code == row.code);
    CHECK(problems[0].hint.size() > 10);
  }
}
