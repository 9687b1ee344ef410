// SPDX-License-Identifier: MIT
// The planner: what it tries, what it answers, and that its numbers are those of the estimate.
#include "envelope/planner.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "catch.h"
#include "envelope/api.h"
#include "envelope/catalog.h"
#include "envelope/json.h"
#include "envelope/link.h"
#include "envelope/replays.h"

namespace {

using namespace envelope;

Scenario scenario_from(std::string_view link) {
  Problems problems;
  return scenario_of(decode(link).patch, problems);
}

Json json_of(const std::string& text) {
  Json json;
  Problems problems;
  REQUIRE(parse_json(text, json, problems, text.size()));
  return json;
}

Json plan(const std::string& request) { return json_of(api::plan(request)); }

std::string request_of(std::string_view link, std::string_view more = "") {
  return "{\"scenario\": \"" + std::string(link) + "\", \"gains\": false" +
         (more.empty() ? "" : ", ") + std::string(more) + "}";
}

/// The plans of a reply, without the counts of what was skipped on the way.
std::string answer_of(const Json& reply) {
  std::string out;
  for (const Json& row : reply.find("plans")->items)
    out.append(row.text_at("link")).append(row.find("front")->flag ? " front\n" : "\n");
  return out;
}

constexpr std::string_view kScenarios[] = {
    "model=llama-3.1-8b&n=64",
    "model=llama-3.1-8b&n=16&gpu=a100-sxm-80gb&stack=fsdp2-2024&gbs=128",
    "model=mixtral-8x7b&n=64&stack=megatron-core-2025&gbs=256",
    "model=llama-3.1-8b&task=finetune&n=8&gbs=64&seq=4096",
    "model=llama-3.1-8b&task=finetune&method=lora&n=4&gbs=32&seq=2048",
    "model=llama-3.1-70b&task=serve&n=8",
    "model=llama-3.1-70b&task=serve",
    "model=gpt2&n=8&gpu=rtx-4090&gbs=64&seq=1024",
};

Found search(const PlanSpace& p) {
  Search s(p.space);
  s.run();
  return s.found();
}

}  // namespace

TEST_CASE("planner: a plan's link opens to exactly the numbers of its row") {
  for (const std::string_view link : kScenarios) {
    INFO(link);
    const Json reply = plan(request_of(link));
    const std::vector<Json>& rows = reply.find("plans")->items;
    REQUIRE(!rows.empty());
    const Scenario asked = scenario_from(link);
    for (const Json& row : rows) {
      INFO(row.text_at("link"));
      const std::string text = api::estimate(row.text_at("link"));
      const Json opened = json_of(text);
      const Json& metrics = *row.find("metrics");
      CHECK(metrics.keys.size() >= 5);
      for (std::size_t i = 0; i < metrics.keys.size(); ++i) {
        INFO(metrics.keys[i]);
        double value = kNone;
        for (const Json& step : opened.find("steps")->items)
          if (step.text_at("id") == metrics.keys[i]) value = step.number_at("value");
        CHECK(value == metrics.items[i].number);
      }
      CHECK(row.find("fits")->flag);
      Problems problems;
      Scenario patched = asked;
      envelope::apply(patch_of(*row.find("patch"), problems), patched);
      CHECK(problems.empty());
      CHECK(encode(patched) == row.text_at("link"));
      for (const Json& p : opened.find("problems")->items) CHECK(p.text_at("severity") == "note");
    }
  }
}

TEST_CASE("planner: the scenario as it is stands beside its plans") {
  for (const std::string_view link : kScenarios) {
    INFO(link);
    const Json reply = plan(request_of(link));
    const Json& row = *reply.find("present");
    CHECK(row.text_at("link") == encode(scenario_from(link)));
    CHECK(row.find("patch")->items.empty());
  }
}

TEST_CASE("planner: of plans within 1 % of the best the simplest is first") {
  for (const std::string_view link : kScenarios) {
    INFO(link);
    const PlanSpace p = plan_space(scenario_from(link));
    const Found found = search(p);
    const std::vector<PlanRow> rows = plans(p, found);
    REQUIRE(!rows.empty());
    const bool more = find_measure(p.space.least->id)->more;
    const double best = found.kept.front().value;
    const auto behind = [&](double x) { return (more ? best - x : x - best) / std::fabs(best); };
    CHECK(behind(rows[0].value) <= 0.01 + 1e-12);
    for (std::size_t i = 0; i < std::min(rows.size(), found.kept.size()); ++i)
      if (behind(rows[i].value) <= 0.01) CHECK(rows[0].simplicity <= rows[i].simplicity);
  }
}

TEST_CASE("planner: plans differ in GPUs or in a kind of parallelism") {
  const Json reply = plan(request_of("model=llama-3.1-8b&n=64"));
  const std::vector<Json>& rows = reply.find("plans")->items;
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      if (rows[i].find("front")->flag || rows[k].find("front")->flag) continue;
      CHECK(rows[i].text_at("label") != rows[k].text_at("label"));
    }
}

TEST_CASE("planner: slices, and parts of several workers, give the answer of one search") {
  for (const std::string_view link : {kScenarios[1], kScenarios[2], kScenarios[5]}) {
    INFO(link);
    const Json whole = plan(request_of(link));
    const double space = whole.number_at("space");
    CHECK(whole.find("done")->flag);
    CHECK(whole.number_at("examined") == space);

    std::string resume;
    Json slice;
    int slices = 0;
    do {
      const std::string reply = api::plan(request_of(link, "\"most\": 700" + resume));
      slice = json_of(reply);
      const std::size_t at = reply.find("\"resume\":"), end = reply.find(",\"problems\"", at);
      if (at != std::string::npos) resume = "," + reply.substr(at, end - at);
      REQUIRE(++slices < 2000);
    } while (!slice.find("done")->flag);
    CHECK((slices > 1) == (space > 700));
    CHECK(answer_of(slice) == answer_of(whole));
    CHECK(slice.number_at("examined") == space);

    std::string parts;
    for (const char* part : {"[2, 3]", "[0, 3]", "[1, 3]"}) {
      const std::string reply = api::plan(request_of(link, "\"part\": " + std::string(part)));
      const std::size_t at = reply.find("\"resume\":") + 9, end = reply.find(",\"problems\"", at);
      parts += (parts.empty() ? "" : ",") + reply.substr(at, end - at);
    }
    const Json merged = plan(request_of(link, "\"merge\": [" + parts + "]"));
    CHECK(merged.find("done")->flag);
    CHECK(merged.number_at("examined") == space);
    CHECK(answer_of(merged) == answer_of(whole));
  }
}

TEST_CASE("planner: what it skips would not have been better") {
  for (const std::string_view link : kScenarios)
    for (const bool allowed : {false, true}) {
      INFO(link << " " << allowed);
      PlanWish wish;
      if (allowed) wish.allow = {"offload", "partial"};
      PlanSpace p = plan_space(scenario_from(link), wish);
      const Found quick = search(p);
      p.space.exhaustive = true;
      const Found all = search(p);
      REQUIRE(quick.kept.size() == all.kept.size());
      for (std::size_t i = 0; i < all.kept.size(); ++i)
        CHECK(quick.kept[i].point == all.kept[i].point);
      REQUIRE(quick.front.size() == all.front.size());
      for (std::size_t i = 0; i < all.front.size(); ++i)
        CHECK(quick.front[i].point == all.front[i].point);
    }
}

TEST_CASE("planner: everything that was tried is counted once") {
  for (const std::string_view link : kScenarios) {
    INFO(link);
    const Json reply = plan(request_of(link));
    const Json& counts = *reply.find("counts");
    double sum = counts.number_at("fit") + counts.number_at("skipped");
    for (const Json& r : counts.find("rejected")->items) {
      sum += r.number_at("count");
      // A label is a sentence for people, not a path and a code.
      INFO(r.text_at("code"));
      CHECK(r.text_at("label").find('_') == std::string_view::npos);
      CHECK(std::isupper(static_cast<unsigned char>(r.text_at("label")[0])));
    }
    CHECK(sum == reply.number_at("space"));
    CHECK(counts.number_at("fit") <= counts.number_at("evaluated"));
  }
}

TEST_CASE("planner: what is off by default is in no plan, and is when it is allowed") {
  const std::string link = "model=llama-3.1-70b&n=32&gbs=64";
  const auto uses = [](const Scenario& s, std::string_view id) {
    const Cluster& c = s.cluster;
    if (id == "tp_across") return c.tp > s.gpu.domain;
    if (id == "offload") return c.offload_optimizer || c.offload_activations || c.offload_weights;
    if (id == "fp8") return s.run.precision == Precision::fp8;
    if (id == "schedules") return c.schedule != Schedule::one_f_one_b;
    if (id == "partial") return s.run.recompute_every > 1;
    return false;
  };
  const PlanSpace usual = plan_space(scenario_from(link));
  for (const PlanRow& row : plans(usual, search(usual)))
    for (const PlanSwitch& s : usual.switches) {
      INFO(s.id);
      CHECK(!s.on);
      CHECK(!uses(row.scenario, s.id));
    }
  for (const std::string_view id : {"offload", "fp8", "schedules"}) {
    INFO(id);
    PlanWish wish;
    wish.allow.emplace_back(id);
    const PlanSpace wider = plan_space(scenario_from(link), wish);
    CHECK(points(wider.space) > points(usual.space));
    const std::vector<PlanRow> rows = plans(wider, search(wider));
    CHECK(std::any_of(rows.begin(), rows.end(),
                      [&](const PlanRow& row) { return uses(row.scenario, id); }));
  }
}

TEST_CASE("planner: a scenario that already offloads may go on doing so") {
  const PlanSpace p = plan_space(scenario_from("model=llama-3.1-8b&n=8&offopt=1"));
  const auto at = std::find_if(p.switches.begin(), p.switches.end(),
                               [](const PlanSwitch& s) { return s.id == "offload"; });
  REQUIRE(at != p.switches.end());
  CHECK(at->on);
}

TEST_CASE("planner: what the scenario does is among what is tried") {
  for (const Example& e : examples()) {
    INFO(e.link);
    const Scenario s = scenario_from(e.link);
    const PlanSpace p = plan_space(s);
    for (const SearchAxis& a : p.space.axes) {
      const double x = get_number(*a.axis.field, s);
      if (std::isnan(x)) continue;  // left open, and chosen here
      INFO(a.axis.field->path << " " << x);
      CHECK(std::count(a.axis.values.begin(), a.axis.values.end(), x) == 1);
    }
  }
}

TEST_CASE("planner: no framework is asked for what it has not") {
  for (const Row& stack : catalog().stacks) {
    INFO(stack.id);
    PlanWish wish;
    wish.allow = {"offload", "schedules", "fp8", "fp4", "partial", "etp"};
    Scenario s = scenario_from("model=mixtral-8x7b&n=64&gbs=64&gpu=b200&stack=" + stack.id);
    s.run.recompute = Recompute::none;
    s.cluster.ep = 1;
    s.cluster.zero = stack.id.find("megatron-2021") == 0 ? 0 : s.cluster.zero;
    const PlanSpace p = plan_space(s, wish);
    const auto values = [&](std::string_view path) {
      for (const SearchAxis& a : p.space.axes)
        if (a.axis.field->path == path) return a.axis.values;
      return std::vector<double>{get_number(*field_by_path(path), p.space.base)};
    };
    const bool parallel = stack.id.find("megatron") == 0 || stack.id.find("nemo") == 0;
    const bool only_data = stack.id.find("fsdp-") == 0 || stack.id.find("hf-") == 0 ||
                           stack.id.find("litgpt") == 0 || stack.id.find("deepspeed") == 0 ||
                           stack.id.find("pytorch-finetune") == 0;
    if (parallel) CHECK(values("cluster.tp").size() > 1);
    if (parallel) CHECK(values("cluster.pp").size() > 1);
    if (only_data) CHECK(values("cluster.tp") == std::vector<double>{1});
    if (only_data) CHECK(values("cluster.pp") == std::vector<double>{1});
    if (stack.id.find("megatron-2021") == 0) {
      CHECK(values("cluster.zero") == std::vector<double>{0});
      CHECK(values("run.recompute") == std::vector<double>{static_cast<double>(Recompute::none),
                                                           static_cast<double>(Recompute::full)});
    }
    // Every framework of the catalog is described; nothing falls back to "any".
    if (stack.id != "generic") CHECK(values("cluster.schedule").size() <= 4);
  }
}

TEST_CASE("planner: limits hold, and a deadline is one") {
  const Json reply = plan(request_of("model=llama-3.1-8b&tokens=1e12",
                                     "\"minimise\": \"cost.total\", \"limits\": [{\"metric\": "
                                     "\"time.total\", \"at_most\": 864000}]"));
  REQUIRE(!reply.find("plans")->items.empty());
  for (const Json& row : reply.find("plans")->items)
    CHECK(row.find("metrics")->number_at("time.total") <= 864000);
  const Json frugal = plan(request_of("model=llama-3.1-8b&tokens=1e12",
                                      "\"minimise\": \"cost.energy\", \"limits\": [{\"metric\": "
                                      "\"cost.energy\", \"at_most\": 1e8}]"));
  REQUIRE(!frugal.find("plans")->items.empty());
  double least = 0;
  for (const Json& row : frugal.find("plans")->items) {
    const double energy = row.find("metrics")->number_at("cost.energy");
    CHECK(energy <= 1e8);
    CHECK(energy >= 0.99 * least);  // within 1 % the simpler is first
    least = std::max(least, energy);
  }
  const Json due = plan(request_of("model=llama-3.1-8b&tokens=1e12&deadline=10d"));
  CHECK(answer_of(due).size() > 10);
  for (const Json& row : due.find("plans")->items)
    CHECK(row.find("metrics")->number_at("time.total") <= 864000);
}

TEST_CASE("planner: a number of GPUs that shares nothing gives up a few") {
  // 641 x 8: no batch of 2520 divides over them.
  const Json reply = plan(request_of("model=llama-3.1-70b&n=5128&gbs=2520&seq=2048"));
  REQUIRE(!reply.find("plans")->items.empty());
  const double used = reply.find("plans")->items[0].find("metrics")->number_at("gpus.used");
  CHECK(used < 5128);
  CHECK(used >= 0.9 * 5128);
}

TEST_CASE("planner: where so many GPUs share no batch, the next smaller counts that do are tried") {
  const struct {
    const char* link;
    std::vector<double> gpus;
  } kCases[] = {{"model=llama-3.1-70b&n=100", {100, 96, 64}},  // whole nodes
                {"model=llama-3.1-8b&n=1000", {1000, 768, 512}},
                {"model=llama-3.1-8b&n=7", {7, 6, 4}},
                {"model=llama-3.1-8b&n=64", {64}}};
  for (const auto& [link, gpus] : kCases) {
    INFO(link);
    const PlanSpace p = plan_space(scenario_from(link));
    REQUIRE(p.space.axes[0].axis.field->path == "cluster.gpus");
    CHECK(p.space.axes[0].axis.values == gpus);
    CHECK((p.why[0].find("next smaller") != std::string::npos) == (gpus.size() > 1));
    CHECK(!plans(p, search(p)).empty());
  }
}

TEST_CASE("planner: where nothing can be proposed, it says why and what to do") {
  const Json reply = plan(request_of("model=llama-3.1-70b&n=8&gbs=8"));
  CHECK(reply.find("plans")->items.empty());
  const std::vector<Json>& problems = reply.find("problems")->items;
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].text_at("code") == "no_plan");
  CHECK(problems[0].text_at("severity") == "warning");
  CHECK(problems[0].text_at("message").find("Not enough memory") != std::string_view::npos);
  CHECK(problems[0].text_at("hint").find("more GPUs") != std::string_view::npos);
  const Json late = plan(request_of("model=llama-3.1-8b&n=64&deadline=1d"));
  REQUIRE(late.find("problems")->items.size() == 1);
  CHECK(late.find("problems")->items[0].text_at("message").find("Beyond a limit") !=
        std::string_view::npos);
}

TEST_CASE("planner: an unknown price is said to be unknown, and not beyond a limit") {
  const Json reply = plan(request_of("model=llama-3.1-70b&gpu=gb200&gbs=1152&tokens=1e12",
                                     "\"minimise\": \"cost.total\""));
  const std::vector<Json>& problems = reply.find("problems")->items;
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].text_at("path") == "price.usd_per_gpu_hour");
  CHECK(problems[0].text_at("message").find("Not known") != std::string_view::npos);
  CHECK(problems[0].text_at("hint").find("price per GPU-hour") != std::string_view::npos);
}

TEST_CASE("planner: what it advises where nothing fits is a switch of that scenario") {
  const Json reply = plan(request_of("task=serve&model=llama-3.1-8b&gpu=t4&n=1"));
  const std::vector<Json>& problems = reply.find("problems")->items;
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].text_at("hint").find("allow weights") != std::string_view::npos);
  CHECK(problems[0].text_at("hint").find("offload") == std::string_view::npos);
}

TEST_CASE("planner: of plans with as many GPUs the fastest come first") {
  const Json reply =
      plan(request_of("model=llama-3.1-70b&gbs=1024&tokens=2e12", "\"minimise\": \"gpus.used\""));
  const std::vector<Json>& plans = reply.find("plans")->items;
  REQUIRE(plans.size() > 1);
  const auto value = [](const Json& row, const char* id) {
    return row.find("metrics")->number_at(id);
  };
  for (const Json& row : plans) {
    if (value(row, "gpus.used") > value(plans[0], "gpus.used")) continue;
    CHECK(value(row, "time.total") > 0.989 * value(plans[0], "time.total"));
  }
}

TEST_CASE("planner: with GPUs left open a server may take the whole domain for its latency") {
  const Json reply = plan(request_of("task=serve&model=llama-3.1-8b",
                                     "\"limits\": [{\"metric\": \"serving.latency\", "
                                     "\"at_most\": 2}]"));
  CHECK(!reply.find("plans")->items.empty());
}

TEST_CASE("planner: where every plan costs the same, the one named best is not said to be beaten") {
  const Json reply = plan(request_of("model=llama-3.1-70b&n=64&mfu=40%&gbs=512"));
  REQUIRE(!reply.find("plans")->items.empty());
  CHECK(reply.find("plans")->items[0].find("front")->flag);
}

TEST_CASE("planner: MaxText's layers divide over the stages") {
  for (const PlanRow& row : [] {
         const PlanSpace p =
             plan_space(scenario_from("model=llama-3.1-70b&n=100&gbs=1024&stack=maxtext-2025"), {});
         return plans(p, search(p));
       }()) {
    const Cluster& c = row.scenario.cluster;
    CHECK(std::fmod(80, c.pp > 1 ? c.pp * c.virtual_stages : 1) == 0);
  }
}

TEST_CASE("planner: with GPUs left open no plan takes more than two years") {
  for (const char* link : {"", "model=llama-3.1-8b", "model=deepseek-v3", "model=gpt2"}) {
    INFO(link);
    const Json reply = plan(request_of(link));
    REQUIRE(!reply.find("plans")->items.empty());
    for (const Json& row : reply.find("plans")->items)
      CHECK(row.find("metrics")->number_at("time.total") <= 2 * 365 * 86400.0);
    CHECK(reply.find("axes")->items[0].text_at("why").find("two years") != std::string_view::npos);
  }
  // One's own limit stands alone.
  const Json slow = plan(request_of("model=deepseek-v3",
                                    "\"limits\": [{\"metric\": \"time.total\", "
                                    "\"at_most\": 1e9}]"));
  CHECK(slow.find("axes")->items[0].text_at("why").find("two years") == std::string_view::npos);
}

TEST_CASE("planner: stages lack at most the two layers that embedding and head stand for") {
  // 61 layers: 62 = 2 x 31 with one more, and no power of two above.
  const auto lacking = [](const PlanWish& wish) {
    const PlanSpace p = plan_space(scenario_from("model=deepseek-v3&n=2048"), wish);
    double most = 0;
    for (const PlanRow& row : plans(p, search(p))) {
      const Cluster& c = row.scenario.cluster;
      const double pieces = c.pp > 1 ? c.pp * c.virtual_stages : 1;
      most = std::max(most, std::ceil(61 / pieces) * pieces - 61);
    }
    return most;
  };
  CHECK(lacking({}) <= 2);
  PlanWish wish;
  wish.allow = {"uneven"};
  CHECK(lacking(wish) > 2);
}

TEST_CASE("planner: context parallelism is for long sequences, or where it is used already") {
  const auto most = [](const char* link) {
    const PlanSpace p = plan_space(scenario_from(link));
    return p.space.axes[3].axis.values.back();
  };
  CHECK(most("model=llama-3.1-8b&n=64&seq=8192") == 1);
  CHECK(most("model=llama-3.1-8b&n=64&seq=16384") == 2);
  CHECK(most("model=llama-3.1-8b&n=64&seq=131072") == 16);
  CHECK(most("model=llama-3.1-8b&n=64&seq=8192&cp=2") == 2);
}

TEST_CASE("planner: where no step is predicted, it says so and plans the memory") {
  for (const std::string_view link :
       {"model=by-size&params=70e9&n=64&gbs=64", "model=llama-3.1-8b&n=16&mfu=0.4&gbs=64"}) {
    INFO(link);
    const Json reply = plan(request_of(link));
    CHECK(!reply.find("plans")->items.empty());
    CHECK(reply.text_at("minimise") == "layout.per_gpu");
    bool said = false;
    for (const Json& p : reply.find("problems")->items)
      said = said || p.text_at("code") == "not_predicted";
    CHECK(said);
  }
}

TEST_CASE("planner: a gain is one that a search with the change reaches as well") {
  const std::string link = "model=llama-3.1-70b&n=64&gbs=128";
  const PlanSpace p = plan_space(scenario_from(link));
  const Found found = search(p);
  const std::vector<Gain> all = gains(p, found, plans(p, found));
  CHECK(!all.empty());
  for (const Gain& g : all) {
    INFO(g.label);
    CHECK(g.now == plans(p, found).front().value);
    CHECK(g.then < g.now);
    PlanWish wish;
    if (!g.allow.empty()) wish.allow.emplace_back(g.allow);
    Scenario s = p.scenario;
    CHECK(envelope::apply(g.patch, s).empty());
    const PlanSpace wider = plan_space(s, wish);
    // What is promised is what is shown.
    CHECK(g.whole);
    CHECK(plans(wider, search(wider)).front().value == g.then);
  }
}

TEST_CASE("planner: where nothing fits, the gains say what would") {
  const Json reply = plan("{\"scenario\": \"model=llama-3.1-70b&n=8&gbs=8\"}");
  CHECK(reply.find("plans")->items.empty());
  CHECK(!reply.find("gains")->items.empty());
  for (const Json& g : reply.find("gains")->items) CHECK(std::isnan(g.number_at("now")));
}

TEST_CASE("planner: any request is answered") {
  for (const char* text :
       {"", "{", "[]", "{}", "7", "{\"scenario\": 3}", "{\"scenario\": {}, \"resume\": 5}",
        "{\"scenario\": \"model=gpt2&n=8\", \"minimise\": \"nothing\"}",
        "{\"scenario\": \"model=gpt2&n=8\", \"minimise\": \"params.total\"}",
        "{\"scenario\": \"model=gpt2&n=8\", \"limits\": [{\"metric\": 1}], \"allow\": [1, \"x\"]}",
        "{\"scenario\": \"model=gpt2&n=8\", \"axes\": [{\"path\": \"gpu.id\", \"values\": [1]}]}",
        "{\"scenario\": \"model=gpt2&n=8\", \"part\": [5, 2], \"most\": -1, \"keep\": 1e9}",
        "{\"scenario\": \"model=gpt2&n=8\", \"merge\": [{\"next\": 0, \"kept\": [[1e99, 1, 0, 0, "
        "0, 0]], \"front\": [], \"tally\": [0, 0, 0, 0], \"rejected\": []}]}"}) {
    INFO(text);
    const Json reply = plan(text);
    CHECK(reply.find("plans"));
    CHECK(reply.find("problems"));
  }
  for (const char* text : {"{", "[]", "7", "\"model=gpt2\""}) {
    INFO(text);
    const Json reply = plan(text);
    CHECK(reply.find("done")->flag);
    CHECK(reply.find("plans")->items.empty());
    REQUIRE(reply.find("problems")->items.size() == 1);
    CHECK(reply.find("problems")->items[0].text_at("severity") == "error");
  }
  const struct {
    const char *member, *path;
  } kBad[] = {{"\"minimise\": 7", "minimise"},
              {"\"limits\": {}", "limits"},
              {"\"limits\": [{\"metric\": \"time.total\"}]", "limits"},
              {"\"axes\": [{\"path\": \"cluster.tp\", \"values\": [\"a\"]}]", "axes"},
              {"\"axes\": 3", "axes"},
              {"\"allow\": \"fp8\"", "allow"},
              {"\"keep\": \"x\"", "keep"},
              {"\"keep\": 0", "keep"},
              {"\"most\": -1", "most"},
              {"\"part\": [5, 2]", "part"},
              {"\"part\": 1", "part"},
              {"\"merge\": 1", "merge"},
              {"\"resume\": 5", "resume"}};
  for (const auto& [member, path] : kBad) {
    INFO(member);
    const Json reply = plan(request_of("model=gpt2&n=8", member));
    REQUIRE(reply.find("problems")->items.size() >= 1);
    CHECK(reply.find("problems")->items[0].text_at("path") == path);
    CHECK(reply.find("problems")->items[0].text_at("severity") == "error");
  }
  const Json reply = plan("{\"scenario\": \"model=gpt2&n=8\", \"minimise\": \"params.total\"}");
  REQUIRE(!reply.find("problems")->items.empty());
  CHECK(reply.find("problems")->items[0].text_at("path") == "minimise");
}
