// SPDX-License-Identifier: MIT
// A sweep is a loop of estimates, no more and no less.
#include "envelope/sweep.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "catch.h"
#include "envelope/patch.h"
#include "random_scenario.h"
#include "scenarios.h"

namespace {

using namespace envelope;
using envelope_test::value_of;

Scenario made(const Patch& patch) {
  Problems problems;
  const Scenario s = scenario_of(patch, problems);
  CHECK(problems.empty());
  return s;
}

bool identical(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

Axis axis(const char* path, std::vector<double> values) {
  return {field_by_path(path), std::move(values)};
}

}  // namespace

TEST_CASE("sweep: each row is the estimate at its point, to the last bit") {
  const Axis axes[] = {axis("run.task", {0, 1, 2}), axis("cluster.gpus", {1, 8, 512}),
                       axis("run.precision", {2, 3}), axis("run.flash", {0, 1})};
  std::vector<const Metric*> wanted;
  for (const Metric& m : metrics()) wanted.push_back(&m);
  for (const char* model : {"llama-3.1-8b", "deepseek-v3", "t5-3b"}) {
    const Scenario base = made({{"model.id", std::string(model)}});
    const std::vector<double> rows = sweep(base, axes, wanted);
    REQUIRE(points(axes) == 36);
    REQUIRE(rows.size() == 36 * (4 + wanted.size()));
    std::size_t at = 0;
    for (const double task : axes[0].values)
      for (const double gpus : axes[1].values)
        for (const double precision : axes[2].values)
          for (const double flash : axes[3].values) {
            Scenario s = base;
            const double here[] = {task, gpus, precision, flash};
            for (std::size_t a = 0; a < 4; ++a) {
              CHECK(rows[at++] == here[a]);
              CHECK(set_number(*axes[a].field, s, here[a]));
            }
            std::vector<Step> steps;
            estimate(s, Ledger(steps));
            for (const Metric* m : wanted) {
              double expected = kNone;
              for (const Step& step : steps)
                if (step.id == m->id) expected = step.value;
              if (!identical(rows[at++], expected)) FAIL_CHECK(model << " " << m->id);
            }
          }
  }
}

TEST_CASE("sweep: the order of the points leaves no trace") {
  envelope_test::Random random(40);
  const Metric* wanted[] = {find_metric("layout.per_gpu"), find_metric("time.total")};
  for (int i = 0; i < 50; ++i) {
    Problems problems;
    const Scenario s = scenario_of(envelope_test::random_patch(random), problems);
    const Axis up[] = {axis("cluster.gpus", {2, 64, 1024})},
               down[] = {axis("cluster.gpus", {1024, 64, 2})};
    const std::vector<double> a = sweep(s, up, wanted), b = sweep(s, down, wanted);
    for (std::size_t row = 0; row < 3; ++row)
      for (std::size_t c = 0; c < 3; ++c) CHECK(identical(a[3 * row + c], b[3 * (2 - row) + c]));
  }
}

TEST_CASE("sweep: without an axis it is one point, and without a metric only the axes") {
  const Scenario s = made({});
  const Metric* total[] = {find_metric("params.total")};
  CHECK(sweep(s, {}, total) == std::vector<double>{value_of(s, "params.total")});
  const Axis axes[] = {axis("cluster.gpus", {1, 2, 3})};
  CHECK(sweep(s, axes, {}) == std::vector<double>{1, 2, 3});
  const Axis none[] = {axis("cluster.gpus", {})};
  CHECK(points(none) == 0);
  CHECK(sweep(s, none, total).empty());
}

TEST_CASE("spaced: even steps, even ratios, whole counts, exact ends") {
  const Field& tokens = *field_by_path("run.tokens");
  const Field& gpus = *field_by_path("cluster.gpus");
  CHECK(spaced(tokens, 1e9, 5e9, 5, false) == std::vector<double>{1e9, 2e9, 3e9, 4e9, 5e9});
  const std::vector<double> decades = spaced(tokens, 1e9, 1e13, 5, true);
  REQUIRE(decades.size() == 5);
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(decades[i] == Approx(std::pow(10.0, 9.0 + static_cast<double>(i))).epsilon(1e-12));
  CHECK(decades.front() == 1e9);
  CHECK(decades.back() == 1e13);
  CHECK(spaced(gpus, 1, 1024, 11, true) ==
        std::vector<double>{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024});
  CHECK(spaced(gpus, 1, 2, 3, false) == std::vector<double>{1, 2, 2});
  CHECK(spaced(gpus, 8, 64, 1, true) == std::vector<double>{8});
  CHECK(spaced(gpus, 8, 64, 0, true).empty());
}
