// SPDX-License-Identifier: MIT
// A chart is the calculator at other values of one or two inputs, and says which cannot run.
#include "envelope/chart.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "catch.h"
#include "envelope/api.h"
#include "envelope/catalog.h"
#include "envelope/estimate.h"
#include "envelope/json.h"
#include "envelope/patch.h"
#include "envelope/rules.h"
#include "random_scenario.h"
#include "scenarios.h"

using namespace envelope;
using envelope_test::of;
using envelope_test::value_of;

namespace {

/// As a person would change them on the page.
Scenario changed(const Scenario& s, const Patch& more) {
  Patch patch = diff(s);
  for (const auto& change : more) {
    std::erase_if(patch, [&](const auto& entry) { return entry.first == change.first; });
    patch.push_back(change);
  }
  Problems problems;
  const Scenario t = scenario_of(patch, problems);
  REQUIRE(problems.empty());
  return t;
}

Chart drawn(const Scenario& s, const char* keys) {
  Problems problems;
  const Link link = decode(keys);
  REQUIRE(link.problems.empty());
  Chart c = chart(s, link.chart, problems);
  for (const Problem& p : problems) INFO(p.message);
  REQUIRE(problems.empty());
  return c;
}

bool is_broken(const Scenario& s) {
  for (const Problem& p : check(s))
    if (p.severity != Severity::note && p.code != "not_used") return true;
  return false;
}

/// Of every point, from scratch.
void check_points(const Scenario& s, const Chart& c) {
  const std::size_t width = std::max<std::size_t>(1, c.y.size());
  REQUIRE(c.values.size() == c.x.size() * width);
  REQUIRE(c.marks.size() == c.values.size());
  for (std::size_t i = 0; i < c.values.size(); ++i) {
    Patch patch = {{std::string(c.x.field->path), c.x.value(i / width)}};
    if (c.y.field) patch.emplace_back(c.y.field->path, c.y.value(i % width));
    const Scenario t = changed(s, patch);
    const double expected = value_of(t, c.metric->id);
    INFO(encode(t));
    CHECK((c.values[i] == expected || (std::isnan(c.values[i]) && !std::isfinite(expected))));
    CHECK((c.marks[i] == Mark::broken) == is_broken(t));
    CHECK((c.reasons[i] != kNowhere) == is_broken(t));
    if (c.marks[i] != Mark::broken)
      CHECK((c.marks[i] == Mark::too_large) == (value_of(t, "layout.free") < 0));
  }
}

}  // namespace

TEST_CASE("each point of a chart is the estimate at its values, with its broken rules") {
  const char* training = "model=llama-3.1-405b&n=1024&tp=8&pp=4&zero=1";
  for (const char* keys : {"x=n", "x=tp&y=pp&z=time.step", "x=gpu&y=prec&z=time.total",
                           "x=model&z=layout.per-gpu", "x=provider", "x=terms&y=seqpar",
                           "x=rc&y=flash&z=layout.per_gpu", "x=mfu&y=price,1,4", "x=stack"})
    check_points(of(training), drawn(of(training), keys));
  const char* serving = "task=serve&model=llama-3.1-70b&n=8";
  for (const char* keys : {"x=batch,1,512", "x=wfmt&y=batch", "x=prompt&y=out&z=serving.latency"})
    check_points(of(serving), drawn(of(serving), keys));
}

TEST_CASE("the present point is on the chart and has the present value") {
  for (const char* link : {"n=512", "model=llama-3.1-8b", "task=serve&n=6&model=llama-3.1-8b"})
    for (const char* keys : {"", "x=n&y=tp", "x=gpu&y=price", "x=model", "x=prec&y=reserve"}) {
      INFO(link << " " << keys);
      const Scenario s = of(link);
      const Chart c = drawn(s, keys);
      REQUIRE(c.x.now < c.x.size());
      std::size_t at = c.x.now;
      if (c.y.field) {
        REQUIRE(c.y.now < c.y.size());
        at = at * c.y.size() + c.y.now;
      }
      CHECK(c.now == value_of(s, c.metric->id));
      // Where the pipeline chose the value, giving it changes nothing else.
      CHECK(c.values[at] == Approx(c.now).epsilon(1e-9));
    }
}

TEST_CASE("parallelism is drawn at values that the rules allow") {
  const Scenario s = of("model=llama-3.1-405b&n=1024&tp=8&pp=4&zero=1&gbs=1024");
  for (const char* key : {"x=tp", "x=pp", "x=cp", "x=mbs", "x=zero", "x=vp"}) {
    INFO(key);
    const Chart c = drawn(s, key);
    CHECK(c.x.values.size() > 1);
    for (const Mark m : c.marks) CHECK(m != Mark::broken);
  }
  CHECK(drawn(s, "x=tp").x.values == std::vector<double>{1, 2, 4, 8});
}

TEST_CASE("GPU counts are doublings, and beyond what the rules allow they are marked") {
  const Chart c = drawn(of("n=16384"), "x=n");
  CHECK(c.x.values.front() == 1024);
  CHECK(c.x.values.back() == 262144);
  CHECK(c.marks.front() == Mark::none);
  CHECK(c.marks.back() == Mark::broken);
  CHECK(c.sentences[c.reasons.back()].find("without work") != std::string::npos);
}

TEST_CASE("a range that is asked for has its ends on the chart") {
  const Chart c = drawn(of(""), "x=price,1.5,6&y=mfu,20%,60%");
  CHECK(c.x.values.front() == 1.5);
  CHECK(c.x.values.back() == 6);
  CHECK(c.y.values.front() == 0.2);
  CHECK(c.y.values.back() == 0.6);
  const Chart gpus = drawn(of("n=1024"), "x=n,8,1e6");
  CHECK(gpus.x.values.front() == 8);
  CHECK(gpus.x.values.back() == 1e6);
}

TEST_CASE("every input has a chart, or a sentence that says why not") {
  for (const char* link : {"", "task=finetune&method=lora&n=8", "task=serve&n=8"}) {
    const Scenario s = of(link);
    for (const Field& f : fields()) {
      INFO(link << " " << f.path);
      Problems problems;
      ChartKeys keys;
      keys.x.field = &f;
      const Chart c = chart(s, keys, problems);
      CHECK(c.values.empty() == !problems.empty());
      CHECK((c.values.empty() || c.x.size() > 1));
      CHECK(c.x.size() <= 64);
      CHECK(std::is_sorted(c.x.values.begin(), c.x.values.end()));
      for (const double x : c.x.values) CHECK((x >= f.min && x <= f.max));
      if (!problems.empty()) CHECK(!problems[0].hint.empty());
    }
  }
}

TEST_CASE("a chart of any scenario has a value or none at every point, and never infinity") {
  envelope_test::Random random(61);
  for (int i = 0; i < 60; ++i) {
    Problems problems;
    const Scenario s = scenario_of(envelope_test::random_patch(random), problems);
    for (const char* keys : {"", "x=n&y=tp", "x=gpu"}) {
      Problems own;
      const Chart c = chart(s, decode(keys).chart, own);
      for (const double v : c.values) CHECK((std::isnan(v) || std::isfinite(v)));
    }
  }
}

TEST_CASE("the keys of a chart go through a link unchanged, behind everything else") {
  const auto canonical = [](const char* link) {
    Json json;
    Problems problems;
    const std::string text = api::open(link);
    REQUIRE(parse_json(text, json, problems, text.size()));
    return std::string(json.text_at("link"));
  };
  CHECK(canonical("x=n&n=64&y=seq&z=cost.total&b.gpu=b200") ==
        "v=1&d=2026-11&n=64&b.gpu=b200&x=n&y=seq&z=cost.total");
  CHECK(canonical("z=cost.per_million_tokens") == "v=1&d=2026-11&z=cost.per-million-tokens");
  CHECK(canonical("x=cluster.gpus,8x8,1e3") == "v=1&d=2026-11&x=n,64,1000");
  CHECK(canonical("X=mfu,20%,60%") == "v=1&d=2026-11&x=mfu,0.2,0.6");
  CHECK(canonical("y=tp") == "v=1&d=2026-11&x=tp");  // one input lies along x
  CHECK(canonical("x=tp&y=tp") == "v=1&d=2026-11&x=tp");
  for (const Metric& m : metrics()) {
    const std::string link = encode(ChartKeys{{field_by_key("n")}, {}, &m});
    INFO(link);
    CHECK(link.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.,-=&") == link.npos);
    CHECK(decode(link).chart.metric == &m);
    CHECK(decode(link).problems.empty());
  }
  for (const Field& f : fields()) {
    const std::string link = encode(ChartKeys{{&f}, {}, nullptr});
    CHECK(decode(link).chart.x.field == &f);
  }
}

TEST_CASE("what a link says of a chart in vain is named, and the scenario is kept") {
  const struct {
    const char *link, *path, *code;
  } cases[] = {{"n=8&x=nothing", "x", "unknown_field"},  {"n=8&y=foo", "y", "unknown_field"},
               {"n=8&z=cost", "z", "unknown_metric"},    {"n=8&x=n,64,8", "x", "out_of_range"},
               {"n=8&x=n,0,8", "x", "out_of_range"},     {"n=8&x=n,8", "x", "out_of_range"},
               {"n=8&x=flash,0,1", "x", "out_of_range"}, {"n=8&x=", "x", "no_value"},
               {"n=8&x=tp&x=pp", "x", "duplicate"}};
  for (const auto& c : cases) {
    INFO(c.link);
    const Link link = decode(c.link);
    REQUIRE(link.problems.size() == 1);
    CHECK(link.problems[0].path == c.path);
    CHECK(link.problems[0].code == c.code);
    CHECK(!link.problems[0].hint.empty());
    REQUIRE(link.patch.size() == 1);
  }
}

TEST_CASE("api: a chart is asked for by link, by its keys, or by paths") {
  const auto ask = [](const std::string& request) {
    Json json;
    Problems problems;
    const std::string text = api::chart(request);
    REQUIRE(parse_json(text, json, problems, text.size()));
    return json;
  };
  const std::string link = "v=1&d=2026-11&n=64&x=tp&y=seq,1024,8192&z=time.step";
  const Json a = ask(link), b = ask(R"({"scenario": {"cluster.gpus": 64},
      "chart": "x=tp&y=seq,1024,8192&z=time.step"})"),
             c = ask(R"({"scenario": "n=64", "x": "cluster.tp", "y": "run.seq",
      "y_from": "1024", "y_to": 8192, "metric": "time.step"})");
  CHECK(a.text_at("link") == link);
  CHECK(a.text_at("chart") == "x=tp&y=seq,1024,8192&z=time.step");
  REQUIRE(a.find("values")->items.size() > 4);
  for (const Json* other : {&b, &c}) {
    CHECK(other->text_at("link") == link);
    REQUIRE(other->find("values")->items.size() == a.find("values")->items.size());
    for (std::size_t i = 0; i < a.find("values")->items.size(); ++i)
      CHECK(other->find("values")->items[i].number == a.find("values")->items[i].number);
  }
  for (const char* bad : {R"({"scenario": "n=64", "x": "nothing"})", R"({"x_from": 1)",
                          R"({"scenario": "n=64", "x": "cluster.tp", "x_from": 8})",
                          R"({"scenario": "n=64", "metric": "cost"})", "x=none"})
    CHECK(!ask(bad).find("problems")->items.empty());
}
