// SPDX-License-Identifier: MIT
// What matters most: each end is the calculator with one input changed, within a range that has a
// reason.
#include "envelope/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "catch.h"
#include "envelope/api.h"
#include "envelope/bands.h"
#include "envelope/catalog.h"
#include "envelope/estimate.h"
#include "envelope/json.h"
#include "envelope/link.h"
#include "envelope/patch.h"
#include "envelope/rules.h"
#include "random_scenario.h"
#include "scenarios.h"

using namespace envelope;
using envelope_test::of;
using envelope_test::value_of;

namespace {

Scenario changed(const Scenario& s, const Field& f, const Value& value) {
  Patch patch = diff(s);
  std::erase_if(patch, [&](const auto& entry) { return entry.first == f.path; });
  patch.emplace_back(f.path, value);
  Problems problems;
  const Scenario t = scenario_of(patch, problems);
  REQUIRE(problems.empty());
  return t;
}

Sensitivity of(const Scenario& s, const char* metric) {
  return sensitivity(s, *find_metric(metric));
}

const SensitivityRow* row_of(const Sensitivity& all, std::string_view path) {
  for (const SensitivityRow& row : all.rows)
    if (row.field->path == path) return &row;
  return nullptr;
}

const SensitivityRow& need(const Sensitivity& all, std::string_view path) {
  const SensitivityRow* row = row_of(all, path);
  if (!row) FAIL("no row for " << path);
  return *row;
}

bool breaks_more(const Scenario& s, const Scenario& base) {
  const Problems before = check(base);
  for (const Problem& p : check(s)) {
    if (p.severity == Severity::note || p.code == "not_used") continue;
    if (std::none_of(before.begin(), before.end(),
                     [&](const Problem& b) { return b.path == p.path && b.code == p.code; }))
      return true;
  }
  return false;
}

constexpr const char* kRuns[] = {
    "model=llama-3.1-405b&n=16384&tp=8&pp=16&zero=1",
    "model=deepseek-v3&n=2048&ep=64&pp=16&zero=1&prec=fp8",
    "model=llama-3.1-8b&n=64&mfu=0.4",
    "size=70e9&model=by-size&tokens=1.4e12&n=512",
    "task=finetune&model=llama-3.1-8b&method=lora&n=8",
    "task=serve&model=llama-3.1-70b&n=8&tp=8",
    "task=serve&model=llama-3.1-8b&n=1&draft=3",
};

}  // namespace

TEST_CASE("each end of a bar is the estimate with that one input changed") {
  for (const char* link : kRuns)
    for (const char* metric : {"cost.total", "time.total", "layout.per_gpu", "cost.wall",
                               "cost.per_million_tokens", "serving.tokens_per_s"}) {
      const Scenario s = of(link);
      const Sensitivity all = of(s, metric);
      if (!given(all.value)) continue;
      CHECK(all.value == value_of(s, metric));
      for (const SensitivityRow& row : all.rows)
        for (const SensitivityEnd* end : {&row.low, &row.high}) {
          INFO(link << " " << metric << " " << row.field->path << " " << text_of(end->input));
          const bool is_now = end->input == row.now;
          CHECK(end->value ==
                (is_now ? all.value : value_of(changed(s, *row.field, end->input), metric)));
          if (!is_now && end->note.find("cannot run") == std::string::npos)
            CHECK_FALSE(breaks_more(changed(s, *row.field, end->input), s));
        }
    }
}

TEST_CASE("bars are sorted by their swing, have a reason, and none is without effect") {
  for (const char* link : kRuns) {
    const Scenario s = of(link);
    const bool serve = s.run.task == Task::serve;
    const Sensitivity all = of(s, serve ? "cost.per_million_tokens" : "cost.total");
    INFO(link);
    CHECK(all.rows.size() >= 4);
    for (std::size_t i = 0; i < all.rows.size(); ++i) {
      const SensitivityRow& row = all.rows[i];
      INFO(row.field->path);
      CHECK(row.swing > 0);
      CHECK((row.low.value != all.value || row.high.value != all.value));
      CHECK(row.why.size() > 10);
      CHECK(row.why.back() == '.');
      if (i) CHECK(row.swing <= all.rows[i - 1].swing);
    }
  }
}

TEST_CASE("what an output does not depend on is left out") {
  const Scenario s = of("model=llama-3.1-8b&n=64");
  CHECK(row_of(of(s, "cost.total"), "price.usd_per_gpu_hour"));
  CHECK_FALSE(row_of(of(s, "time.total"), "price.usd_per_gpu_hour"));
  CHECK_FALSE(row_of(of(s, "cost.total"), "reliability.mtbf"));
  CHECK(row_of(of(s, "cost.wall"), "reliability.mtbf"));
  CHECK_FALSE(row_of(of(s, "cost.total"), "serve.batch"));
  CHECK(row_of(of(s, "layout.per_gpu"), "states.optimizer"));
  const Scenario assumed = of("model=llama-3.1-8b&n=64&mfu=0.4");
  CHECK(row_of(of(assumed, "cost.total"), "run.mfu"));
  CHECK_FALSE(row_of(of(assumed, "cost.total"), "stack.overhead"));
  CHECK_FALSE(row_of(of(s, "cost.total"), "run.mfu"));
}

TEST_CASE("the price goes from the cheapest to the dearest offer of the price list") {
  const Scenario s = of("model=llama-3.1-8b&n=64&gpu=h100-sxm");
  double least = 1e9, most = 0;
  for (const PriceRow& row : catalog().prices)
    if (row.accelerator == "h100-sxm" && row.terms == Terms::on_demand) {
      least = std::min(least, row.usd);
      most = std::max(most, row.usd);
    }
  const Sensitivity all = of(s, "cost.total");
  const SensitivityRow& row = need(all, "price.usd_per_gpu_hour");
  CHECK(row.low.input == Value(least));
  CHECK(row.high.input == Value(most));
  CHECK(row.why.find("price list") != std::string::npos);
  CHECK(row.low.value == Approx(all.value * least / s.price.usd_per_gpu_hour));
  CHECK(row.high.value == Approx(all.value * most / s.price.usd_per_gpu_hour));
}

TEST_CASE("the overhead stands for the error of the prediction: its ends are those of the band") {
  const Scenario s = of("model=llama-3.1-70b&n=512&tp=8");
  const Report r = estimate(s);
  const Band band = band_of(s, r.architecture, 512);
  const Sensitivity all = of(s, "time.step");
  const SensitivityRow& row = need(all, "stack.overhead");
  CHECK(row.low.value == Approx(band.low * all.value).epsilon(1e-5));
  CHECK(row.high.value == Approx(band.high * all.value).epsilon(1e-5));
  CHECK(row.why.find("measured") != std::string::npos);
}

TEST_CASE("an end that no rule allows is moved to the nearest that is, and says so") {
  const Scenario s = of("model=llama-3.1-405b&n=16384&tp=8&pp=16&zero=1");
  const Sensitivity all = of(s, "time.step");
  const SensitivityRow& tp = need(all, "cluster.tp");
  CHECK(tp.low.input == Value(4.0));
  CHECK(tp.high.input == Value(8.0));  // 16 leaves the domain of 8
  CHECK(tp.high.note.find("16 is not possible") != std::string::npos);
  CHECK(tp.high.value == all.value);
  CHECK(tp.low.note.find("not possible") == std::string::npos);

  // Six GPUs a node: half of them is three, twice of them twelve.
  const Scenario six = of("task=serve&model=llama-3.1-8b&n=6&tp=2");
  const Sensitivity served = of(six, "serving.tokens_per_s");
  const SensitivityRow& n = need(served, "cluster.gpus");
  CHECK(n.low.input == Value(4.0));
  CHECK(n.low.note.find("3 is not possible") != std::string::npos);
}

TEST_CASE("an end that does not fit in memory says so") {
  const Scenario s = of("model=llama-3.1-405b&n=1024&tp=8&pp=16&zero=1");
  const Sensitivity all = of(s, "time.step");
  bool found = false;
  for (const SensitivityRow& row : all.rows)
    for (const SensitivityEnd* end : {&row.low, &row.high}) {
      const bool said = end->note.find("Does not fit in memory.") != std::string::npos;
      INFO(row.field->path);
      const bool fits = end->input == row.now
                            ? true
                            : !(value_of(changed(s, *row.field, end->input), "layout.free") < 0);
      CHECK(said == !fits);
      found = found || said;
    }
  CHECK(found);
}

TEST_CASE("sensitivity answers alike twice, and of any scenario") {
  envelope_test::Random random(62);
  for (int i = 0; i < 100; ++i) {
    Problems problems;
    const Scenario s = scenario_of(envelope_test::random_patch(random), problems);
    for (const char* metric : {"cost.total", "layout.per_gpu", "scaling.loss"}) {
      const Sensitivity a = of(s, metric), b = of(s, metric);
      REQUIRE(a.rows.size() == b.rows.size());
      for (std::size_t k = 0; k < a.rows.size(); ++k) {
        CHECK(a.rows[k].field == b.rows[k].field);
        CHECK(a.rows[k].low.value == b.rows[k].low.value);
        CHECK(std::isfinite(a.rows[k].swing));
      }
    }
  }
}

TEST_CASE("api: sensitivity is asked for by link, by patch, or with a metric") {
  const auto ask = [](const char* request) {
    Json json;
    Problems problems;
    const std::string text = api::sensitivity(request);
    REQUIRE(parse_json(text, json, problems, text.size()));
    return json;
  };
  CHECK(ask("n=64").text_at("metric") == "cost.total");
  CHECK(ask("n=64&z=time.total").text_at("metric") == "time.total");
  CHECK(ask("task=serve&n=8").text_at("metric") == "cost.per_million_tokens");
  CHECK(ask(R"({"cluster.gpus": 64})").text_at("metric") == "cost.total");
  const Json asked = ask(R"({"scenario": "n=64", "metric": "layout.per_gpu"})");
  CHECK(asked.text_at("metric") == "layout.per_gpu");
  CHECK(asked.text_at("unit") == "byte");
  REQUIRE(!asked.find("rows")->items.empty());
  for (const Json& row : asked.find("rows")->items) {
    CHECK(field_by_path(row.text_at("path")));
    for (const char* member : {"now", "low", "high"}) CHECK(row.find(member));
    CHECK(given(row.number_at("at_low")));
    CHECK(given(row.number_at("at_high")));
  }
  CHECK(ask(R"({"scenario": "n=64", "chart": "x=tp", "metric": "time.step"})").text_at("chart") ==
        "x=tp&z=time.step");
  // An output that the scenario does not have.
  const Json none = ask(R"({"scenario": "n=64", "metric": "serving.latency"})");
  CHECK(none.find("rows")->items.empty());
  CHECK(none.find("problems")->items[0].text_at("code") == "no_value");
  CHECK(!ask(R"({"scenario": "n=64", "metric": "nothing"})").find("problems")->items.empty());
}
