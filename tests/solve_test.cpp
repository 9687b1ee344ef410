// SPDX-License-Identifier: MIT
// Solving is the inverse of estimating: with the value found, everything that is asked is met, and
// with the next legal value it is not.
#include "envelope/solve.h"

#include <algorithm>
#include <map>
#include <string>

#include "catch.h"
#include "envelope/api.h"
#include "envelope/json.h"
#include "envelope/link.h"
#include "envelope/rules.h"
#include "random_scenario.h"
#include "scenarios.h"

namespace {

using namespace envelope;
using envelope_test::of;
using envelope_test::Random;

double million(const Report& r) {
  return 1e6 * r.cost.price * r.layout.used / (3600 * r.serving.tokens_per_s.value);
}

/// What a scenario breaks of what is asked of it; written here once more, on purpose.
std::map<Binding, bool> broken(const Scenario& s) {
  const Report r = estimate(s);
  const bool serve = s.run.task == Task::serve, priced = given(r.cost.price);
  const auto over = [](double x, double limit) {
    return given(limit) && !(x <= limit * (1 + 1e-9));
  };
  return {{Binding::memory, !r.layout.fits},
          {Binding::time, !serve && over(r.time.total.value, s.run.deadline)},
          {Binding::cost, priced && (serve ? over(million(r), s.solve.per_million)
                                           : over(r.cost.total.value, s.solve.usd))},
          {Binding::speed,
           serve && given(s.solve.per_user) && over(s.solve.per_user, r.serving.per_user.value)}};
}
bool meets(const Scenario& s) {
  const auto all = broken(s);
  return std::none_of(all.begin(), all.end(), [](const auto& each) { return each.second; });
}

/// The legal value on the other side of a solution, found without the ladder where that is simple.
Scenario beyond(const Scenario& asked, const Scenario& solved, bool& there) {
  Scenario s = solved;
  const bool serve = s.run.task == Task::serve;
  there = true;
  switch (asked.solve.unknown) {
    case Unknown::tokens:
      s.run.tokens += s.run.global_batch * sequence_length(s);
      return s;
    case Unknown::seq:
      if (!serve) break;
      s.serve.prompt += 1;
      return s;
    case Unknown::batch:
      if (serve) {
        s.serve.batch += 1;
        return s;
      }
      break;
    default:
      break;
  }
  // By the ladder: the neighbour of the position that gives this value.
  const Ladder ladder(asked);
  const auto value = [&](const Scenario& x) {
    switch (asked.solve.unknown) {
      case Unknown::params:
        return x.model.kind == ModelKind::size_only ? x.model.params
                                                    : x.model.layers + 1e5 * x.model.heads;
      case Unknown::gpus:
        return x.cluster.gpus;
      case Unknown::seq:
        return x.run.seq;
      case Unknown::batch:
        return x.run.global_batch;
      default:
        return x.run.micro_batch;
    }
  };
  double before = kNone, at = ladder.first();
  for (; given(at) && value(ladder.at(at)) != value(solved); at = ladder.next(at + 1)) before = at;
  REQUIRE(given(at));
  const double other = ladder.least() ? before : ladder.next(at + 1);
  there = given(other);
  return there ? ladder.at(other) : s;
}

/// Positions over the whole ladder: its ends and steps between that grow.
std::vector<double> sample(const Ladder& ladder) {
  std::vector<double> out;
  for (double at = ladder.first(); given(at); at = ladder.next(std::ceil(at * 2.5) + 1))
    out.push_back(at);
  return out;
}

}  // namespace

TEST_CASE("solve: of ten thousand scenarios the solution meets all, and the next value does not") {
  Random random(20261123);
  std::map<std::string, int> counts;
  constexpr Unknown kAll[] = {Unknown::tokens, Unknown::params, Unknown::gpus,
                              Unknown::seq,    Unknown::batch,  Unknown::micro};
  constexpr double kFactors[] = {1e-4, 0.03, 0.3, 0.8, 1, 1.2, 3, 30, 1e4};
  const auto factor = [&] { return kFactors[random.below(std::size(kFactors))]; };
  std::string overlooked;
  int examined = 0;
  while (examined < 10000) {
    Problems ignored;
    Scenario s = scenario_of(envelope_test::random_patch(random, 8), ignored);
    s.solve = {};
    s.solve.unknown = kAll[random.below(std::size(kAll))];
    s.run.deadline = kNone;
    if (!random.one_in(4)) s.cluster.gpus = static_cast<double>(1 << random.below(14));
    // What is asked is near what the scenario gives, on both sides.
    const Report r = estimate(s);
    const bool serve = s.run.task == Task::serve;
    if (serve) {
      if (!random.one_in(3)) s.solve.per_user = factor() * r.serving.per_user.value;
      if (random.one_in(3) && given(r.cost.price)) s.solve.per_million = factor() * million(r);
    } else {
      if (!random.one_in(3)) s.run.deadline = factor() * r.time.total.value;
      if (random.one_in(3) && given(r.cost.price)) s.solve.usd = factor() * r.cost.total.value;
    }
    ++examined;
    INFO(encode(s));
    const Solved x = solve(s);
    REQUIRE(x.field);
    REQUIRE_FALSE(x.message.empty());
    CHECK(x.scenario.solve.unknown == Unknown::none);
    Scenario patched = s;
    CHECK(apply(x.patch, patched).empty());
    CHECK(diff(patched) == diff(x.scenario));

    std::string outcome;
    if (!given(x.value) && x.message.find("Nothing limits") != 0) {
      outcome = "refused";
      CHECK_FALSE(x.met);
    } else if (x.message.find("Nothing limits") == 0) {
      outcome = "unlimited";
      const Ladder ladder(s);
      CHECK(meets(ladder.at(ladder.last())));
    } else if (x.met) {
      outcome = "met";
      CHECK(meets(x.scenario));
      bool there = true;
      const Scenario other = beyond(s, x.scenario, there);
      if (x.binding == Binding::none) {
        outcome = "met at the end";
        CHECK_FALSE(there);
      } else {
        REQUIRE(there);
        CHECK(broken(other)[x.binding]);
      }
    } else {
      outcome = "none";
      CHECK_FALSE(meets(x.scenario));
      CHECK(broken(x.scenario)[x.binding == Binding::work ? (serve ? Binding::speed : Binding::time)
                                                          : x.binding]);
      const Ladder ladder(s);
      for (const double at : sample(ladder))
        if (meets(ladder.at(at))) {
          overlooked += encode(ladder.at(at)) + "\n";
          ++counts["overlooked"];
          break;
        }
    }
    const Field& unknown = *field_by_path("solve.unknown");
    ++counts[std::string(choice_id(unknown, s)) + (serve ? ", serving: " : ": ") + outcome];
  }
  std::string all;
  for (const auto& [what, count] : counts) all += what + " " + std::to_string(count) + "\n";
  INFO(all);
  // What the estimate says of odd batches and open GPUs jumps: see the header.
  INFO("overlooked: " << overlooked);
  CHECK(counts["overlooked"] <= 3);
  // Each question, with and without a solution.
  for (const char* what :
       {"tokens: ", "params: ", "gpus: ", "seq: ", "batch: ", "micro: ", "params, serving: ",
        "gpus, serving: ", "seq, serving: ", "batch, serving: "})
    for (const char* outcome : {"met", "none"}) {
      INFO(what << outcome);
      CHECK(counts[std::string(what) + outcome] >= 50);
    }
  for (const char* what : {"tokens: unlimited", "batch, serving: unlimited", "seq: unlimited",
                           "gpus: met at the end", "params: refused"}) {
    INFO(what);
    CHECK(counts[what] >= 20);
  }
}

TEST_CASE("solve: tokens for a deadline fill it to a step, and dollars bind where they are fewer") {
  const Scenario s = of("n=16384&deadline=30d&solve=tokens");
  const Solved x = solve(s);
  CHECK(x.met);
  CHECK(x.binding == Binding::time);
  const Report r = estimate(x.scenario);
  CHECK(r.time.total.value <= s.run.deadline);
  CHECK(r.time.total.value + r.time.step.value > s.run.deadline);
  CHECK(r.time.steps == std::floor(r.time.steps));

  Scenario poor = s;
  poor.solve.usd = 0.5 * r.cost.total.value;
  const Solved less = solve(poor);
  CHECK(less.binding == Binding::cost);
  CHECK(less.value == Approx(0.5 * x.value).epsilon(1e-5));
}

TEST_CASE("solve: what the field of the unknown says does not matter") {
  for (const char* link : {"n=1024&deadline=30d&solve=tokens", "n=64&gbs=64&solve=seq",
                           "deadline=200d&solve=gpus", "task=serve&n=16&solve=batch&peruser=20"}) {
    INFO(link);
    const Scenario s = of(link);
    const Solved x = solve(s);
    for (const double other : {1.0, 64.0, 4096.0}) {
      Scenario t = s;
      set_number(*x.field, t, other);
      CHECK(solve(t).value == x.value);
    }
  }
}

TEST_CASE("solve: GPUs are found with the deadline as open GPUs find them") {
  for (const char* link : {
           "model=llama-3.1-8b&deadline=60d",
           "model=llama-3.1-70b&deadline=365d",
           "model=mixtral-8x7b&tokens=1e12&deadline=90d&seq=4096",
       }) {
    INFO(link);
    const double open = estimate(of(link)).layout.used;
    const Solved x = solve(of(std::string(link) + "&solve=gpus"));
    CHECK(x.met);
    CHECK(x.value <= 1.01 * open);
    CHECK(x.value >= 0.5 * open);
  }
}

TEST_CASE("solve: where nothing meets the target, the nearest is shown and what stops it") {
  const Solved late = solve(of("model=llama-3.1-8b&deadline=1h&solve=gpus"));
  CHECK_FALSE(late.met);
  CHECK(late.binding == Binding::work);
  CHECK(late.message.find("as many as the batch has work for") != std::string::npos);
  const Solved poor = solve(of("model=llama-3.1-8b&deadline=60d&usd=1000&solve=gpus"));
  CHECK(poor.binding == Binding::cost);
  CHECK(estimate(poor.scenario).time.total.value <= 60 * 86400.0);
  const Solved full = solve(of("model=llama-3.1-405b&n=8&deadline=30d&solve=tokens"));
  CHECK(full.binding == Binding::memory);
  const Solved slow = solve(of("task=serve&model=llama-3.1-70b&n=8&peruser=5000&solve=batch"));
  CHECK(slow.binding == Binding::speed);
  CHECK(slow.value == 1);
}

TEST_CASE("solve: lengths are those that people use, whatever TP is chosen") {
  for (const char* link : {"model=llama-3.1-8b&n=64", "model=llama-3.1-8b&n=64&tp=8&cp=2",
                           "model=llama-3.1-70b&n=64&cp=4", "model=gpt2&n=8"}) {
    INFO(link);
    const Solved x = solve(of(std::string(link) + "&solve=seq"));
    INFO(x.message);
    REQUIRE(x.met);
    CHECK(std::fmod(x.value, x.value > 8192 ? 1024 : 128) == 0);
    CHECK(std::fmod(x.value, estimate(x.scenario).layout.tp * x.scenario.cluster.cp) == 0);
    CHECK((x.message.find("positions of this model") != std::string::npos) ==
          (x.value > x.scenario.model.max_seq));
  }
  const Solved far = solve(of("model=llama-3.1-8b&n=64&solve=seq"));
  CHECK(far.message.find("beyond the 131,072 positions") != std::string::npos);
}

TEST_CASE("solve: of all numbers of GPUs the nearest is shown, and of batches the smallest") {
  const Scenario asked = of("model=llama-3.1-8b&solve=gpus&usd=2M");
  const Solved cheap = solve(asked);
  CHECK_FALSE(cheap.met);
  CHECK(cheap.message.find("for the layout as it stands") != std::string::npos);
  const double shown = estimate(cheap.scenario).cost.total.value;
  const Ladder ladder(asked);
  for (double at = ladder.first(); given(at); at = ladder.next(at + 1)) {
    const Report r = estimate(ladder.at(at));
    if (r.layout.fits) CHECK(r.cost.total.value >= shown);
  }
  const Scenario slow = of("model=llama-3.1-8b&n=64&solve=batch&deadline=30d");
  const Solved batch = solve(slow);
  CHECK_FALSE(batch.met);
  CHECK(batch.message.find("hardly changes") != std::string::npos);
  const double time = estimate(batch.scenario).time.total.value;
  const Ladder batches(slow);
  for (const double at : sample(batches)) {
    const Scenario s = batches.at(at);
    const Report r = estimate(s);
    if (!r.layout.fits) continue;
    CHECK(r.time.total.value * 1.011 >= time);
    if (s.run.global_batch < batch.value / 1.3) CHECK(r.time.total.value > time);
  }
}

TEST_CASE("solve: serving's TP stays in the scale-up domain where it is left open") {
  for (const double gpus : {8.0, 16.0, 64.0, 4096.0}) {
    Scenario s = of("task=serve&model=llama-3.1-70b");
    s.cluster.gpus = gpus;
    CHECK(estimate(s).layout.tp <= s.gpu.domain);
    s.cluster.tp_across = true;
    if (gpus > 8) CHECK(estimate(s).layout.tp > s.gpu.domain);
  }
  // But a model that no domain holds is spread over several.
  CHECK(estimate(of("task=serve&model=llama-3.1-405b&n=16")).layout.tp == 16);
}

TEST_CASE("solve: a larger model is of the family of the one given, and legal") {
  for (const char* link : {"model=llama-3.1-8b&n=512&tokens=1e12&deadline=60d&tp=8&pp=4&zero=1",
                           "model=mixtral-8x7b&n=512&ep=8&seq=4096&tokens=1e12&deadline=60d",
                           "model=deepseek-v3&n=2048&pp=16&ep=64&zero=1&gpu=h800-sxm&deadline=200d",
                           "model=gpt2-xl&n=64&tokens=1e11&deadline=60d&seq=1024"}) {
    INFO(link);
    const Scenario s = of(std::string(link) + "&solve=params");
    const Solved x = solve(s);
    INFO(x.message);
    CHECK(x.met);
    const Model &a = s.model, &b = x.scenario.model;
    CHECK(b.head_dim == a.head_dim);
    CHECK(b.vocab == a.vocab);
    CHECK(b.experts == a.experts);
    CHECK(b.ffn / b.hidden == Approx(a.ffn / a.hidden).epsilon(0.05));
    CHECK(b.layers / b.heads == Approx(a.layers / a.heads).epsilon(0.5));
    CHECK(x.value == estimate(x.scenario).architecture.total);
    Problems before = check(s);
    for (const Problem& p : check(x.scenario))
      if (p.severity == Severity::warning &&
          std::none_of(before.begin(), before.end(),
                       [&](const Problem& q) { return q.code == p.code && q.path == p.path; }))
        FAIL_CHECK(p.path << ": " << p.message);
  }
  // The published shapes are members.
  const Scenario s = of("model=llama-3.1-8b&solve=params");
  const Family family(s);
  Scenario same = s;
  family.put(same, family.nearest());
  CHECK(estimate(same).architecture.total == estimate(s).architecture.total);
}

TEST_CASE("solve: a size alone has four digits, and rises with its number") {
  const Scenario s = of("model=by-size&size=7e9&solve=params");
  const Family family(s);
  double last = 0;
  for (double i = 0; i < family.members(); i += 37) {
    Scenario t = s;
    family.put(t, i);
    CHECK(t.model.params > last);
    last = t.model.params;
  }
  CHECK(last > 1e15);
}

TEST_CASE("solve: a link with an unknown answers for the solution, and stays as it is") {
  Json answer;
  Problems problems;
  const std::string link = "v=1&d=2026-11&tokens=1e12&deadline=2.592e6&n=16384&solve=tokens";
  const std::string text = api::estimate(link);
  REQUIRE(parse_json(text, answer, problems, text.size()));
  CHECK(answer.text_at("link") == link);
  const Json& solved = *answer.find("solved");
  const double tokens = solved.number_at("value");
  CHECK(tokens > 1e12);
  CHECK(answer.find("inputs")->number_at("run.tokens") == tokens);
  CHECK(answer.find("inputs")->text_at("solve.unknown") == "tokens");
  CHECK(answer.find("patch")->number_at("run.tokens") == 1e12);
  // Its link gives the same answer without an unknown.
  Json plain;
  const std::string again = api::estimate(solved.text_at("link"));
  REQUIRE(parse_json(again, plain, problems, again.size()));
  CHECK(plain.find("solved") == nullptr);
  const auto numbers = [](const Json& j) {
    std::vector<double> out;
    for (const Json& step : j.find("steps")->items) out.push_back(step.number_at("value"));
    return out;
  };
  CHECK(numbers(plain) == numbers(answer));
  // Comparisons and sweeps are of the solution too.
  const std::vector<double> rows = api::sweep(R"({"scenario": ")" + link +
                                              R"(", "axes": [{"path": "price.usd_per_gpu_hour",
      "values": [1]}], "metrics": ["compute.tokens"]})");
  REQUIRE(rows.size() == 2);
  CHECK(rows[1] == tokens);
}
