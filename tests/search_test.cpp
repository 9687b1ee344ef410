// SPDX-License-Identifier: MIT
// The search is a loop of checks and estimates, but faster: the same best plans, the same front.
#include "envelope/search.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "bench/spaces.h"
#include "catch.h"
#include "envelope/patch.h"
#include "envelope/rules.h"
#include "envelope/step.h"
#include "random_scenario.h"

namespace {
std::size_t allocations = 0;
}  // namespace

// Counts for the whole test program; only the search below reads it.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* at = std::malloc(size > 0 ? size : 1)) return at;
  std::abort();
}
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }

namespace {

using namespace envelope;
using envelope_test::Random;

bool identical(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

double noted(const std::vector<Step>& steps, std::string_view id) {
  for (const Step& step : steps)
    if (step.id == id) return step.value;
  return kNone;
}

Scenario made(const Patch& patch) {
  Problems problems;
  return scenario_of(patch, problems);
}

SearchAxis axis(const char* path, std::vector<double> values, bool dearer = false) {
  return {{field_by_path(path), std::move(values)}, dearer};
}

struct Choice {
  const char* path;
  std::vector<double> values;
};
const std::vector<Choice>& choices() {
  static const std::vector<Choice> all = {
      {"cluster.gpus", {8, 16, 24, 64, 128, 256, 512}},
      {"cluster.tp", {1, 2, 4, 8}},
      {"cluster.pp", {1, 2, 3, 4, 8, 16}},
      {"cluster.cp", {1, 2, 4}},
      {"cluster.ep", {1, 2, 4, 8, 16}},
      {"cluster.etp", {kNone, 1, 2}},
      {"cluster.virtual_stages", {1, 2, 4, 5}},
      {"cluster.schedule", {0, 1, 2, 3, 4, 5, 6, 7, 8}},
      {"cluster.sp", {1, 0}},
      {"cluster.cp_kind", {0, 1}},
      {"run.micro_batch", {1, 2, 4}},
      {"run.global_batch", {64, 128, 960, 2048}},
      {"run.recompute", {0, 1, 2, 3}},
      {"run.recompute_every", {1, 2, 4}},
      {"run.precision", {3, 4, 6}},
      {"run.flash", {1, 0}},
      {"states.in_backward", {0, 1}},
      {"cluster.first_layers", {kNone, 3}},
      {"cluster.zero", {0, 1, 2, 3}},
      {"cluster.shard", {kNone, 4, 8, 16}},
      {"cluster.reshard", {1, 0}},
      {"cluster.prefetch", {1, 0, 2}},
      {"cluster.reduce", {0, 2}},
      {"cluster.offload_weights", {0, 1}},
      {"cluster.offload_gradients", {0, 1}},
      {"cluster.offload_optimizer", {0, 1}},
      {"cluster.offload_activations", {0, 1}},
  };
  return all;
}

constexpr const char* kModels[] = {"llama-3-8b",  "llama-3.1-70b", "gpt3-175b", "mixtral-8x7b",
                                   "deepseek-v3", "jamba-v0.1",    "t5-3b",     "gpt2"};
constexpr const char* kGpus[] = {"h100-sxm", "a100-sxm-80gb", "b200", "tpu-v5p", "v100-sxm2-32gb"};

/// A training scenario with some layout, legal or not.
Scenario random_training(Random& random) {
  Patch patch = {{"model.id", std::string(kModels[random.below(std::size(kModels))])},
                 {"gpu.id", std::string(kGpus[random.below(std::size(kGpus))])},
                 {"cluster.gpus", double(std::size_t{8} << random.below(8))},
                 {"cluster.tp", double(std::size_t{1} << random.below(4))}};
  if (random.one_in(3)) {
    patch.emplace_back("run.task", std::string("finetune"));
    if (random.one_in(2)) patch.emplace_back("tune.method", std::string("lora"));
  }
  Scenario s = made(patch);
  for (const Choice& c : choices())
    if (random.one_in(3))
      set_number(*field_by_path(c.path), s, c.values[random.below(c.values.size())]);
  return s;
}

Space random_space(Random& random) {
  Space space;
  space.base = random_training(random);
  std::vector<bool> taken(choices().size());
  const std::size_t count = 1 + random.below(5);
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t i = random.below(choices().size());
    if (taken[i]) continue;
    taken[i] = true;
    const Choice& c = choices()[i];
    std::vector<double> values;
    for (const double x : c.values)
      if (!random.one_in(4)) values.push_back(x);
    if (values.empty()) values.push_back(c.values[0]);
    space.axes.push_back({{field_by_path(c.path), values}, false});
  }
  if (random.one_in(8)) space.axes.push_back(axis("run.task", {0, 2}));
  if (random.one_in(6) && !taken[1]) space.axes.push_back(axis("cluster.tp", {kNone, 2}));
  const char* least[] = {"time.total", "time.step", "cost.total", "time.wall", "time.mfu"};
  space.least = find_metric(least[random.below(std::size(least))]);
  space.front = {find_metric("time.total"), find_metric("gpus.used"), find_metric("layout.free")};
  space.front.resize(random.below(4));
  if (random.one_in(3))
    space.limits.push_back({find_metric("layout.free"), 1e9 * double(random.below(20))});
  if (random.one_in(4)) space.limits.push_back({find_metric("time.total"), 0, 1e7});
  space.keep = random.below(6);
  space.distinct = random.below(space.axes.size() + 1);
  for (const Problem& p : check(space.base))
    if (p.severity == Severity::warning && random.one_in(2))
      space.tolerated.push_back({field_by_path(p.path)->path, p.code, 0});
  return space;
}

/// What a search is to find, by looking at every point on its own.
Found by_force(const Space& space) {
  Found out;
  std::vector<Candidate> all;
  const Measure* least = find_measure(space.least->id);
  const auto reject = [&](std::string_view path, std::string_view code) {
    auto& r = out.tally.rejected;
    const auto at = std::find_if(
        r.begin(), r.end(), [&](const Rejection& x) { return x.path == path && x.code == code; });
    if (at != r.end())
      ++at->count;
    else
      r.push_back({std::string(path), std::string(code), 1});
  };
  for (std::size_t point = 0; point < points(space); ++point) {
    ++out.tally.examined;
    const Scenario s = scenario_at(space, point);
    const auto wrong = [&](const Problem& p) {
      if (p.severity == Severity::warning)
        return std::none_of(space.tolerated.begin(), space.tolerated.end(),
                            [&](const Breach& b) { return b.path == p.path && b.code == p.code; });
      if (p.code != "not_used") return false;
      std::size_t rest = point;
      for (std::size_t a = space.axes.size(); a-- > 0;) {
        const Axis& x = space.axes[a].axis;
        if (x.field->path == p.path && rest % x.values.size() > 0) return true;
        rest /= x.values.size();
      }
      return false;
    };
    const Problems problems = check(s);
    const auto broken = std::find_if(problems.begin(), problems.end(), wrong);
    if (broken != problems.end()) {
      reject(broken->path, broken->code);
      continue;
    }
    const Report r = estimate(s);
    if (!r.layout.fits) {
      reject("layout.free", "memory");
      continue;
    }
    ++out.tally.evaluated;
    bool within = true;
    for (const Limit& l : space.limits) {
      const double x = find_measure(l.metric->id)->of(s, r);
      if (!within || (x >= l.at_least && x <= l.at_most)) continue;
      reject(l.metric->id, std::isnan(x) ? "unknown" : "limit");
      within = false;
    }
    if (!within) continue;
    Candidate one{point, least->of(s, r), {}};
    if (std::isnan(one.value)) {
      reject(least->metric, "unknown");
      continue;
    }
    for (std::size_t k = 0; k < space.front.size(); ++k)
      one.objectives[k] = find_measure(space.front[k]->id)->of(s, r);
    ++out.tally.fit;
    all.push_back(one);
  }
  const auto worse = [](const Measure* m, double a, double b) {
    const double x = std::isnan(a) ? INFINITY : m->more ? -a : a;
    const double y = std::isnan(b) ? INFINITY : m->more ? -b : b;
    return x > y ? 1 : x < y ? -1 : 0;
  };
  for (const Candidate& one : all) {
    const bool beaten = std::any_of(all.begin(), all.end(), [&](const Candidate& other) {
      int better = 0;
      for (std::size_t k = 0; k < space.front.size(); ++k) {
        const int w =
            worse(find_measure(space.front[k]->id), one.objectives[k], other.objectives[k]);
        if (w < 0) return false;
        better += w;
      }
      return better > 0 || other.point < one.point;
    });
    if (!beaten && !space.front.empty()) out.front.push_back(one);
  }
  std::sort(all.begin(), all.end(), [&](const Candidate& a, const Candidate& b) {
    int w = worse(least, a.value, b.value);
    for (std::size_t k = 0; w == 0 && k < space.front.size(); ++k)
      w = worse(find_measure(space.front[k]->id), a.objectives[k], b.objectives[k]);
    return w ? w < 0 : a.point < b.point;
  });
  std::size_t same = 1;
  if (space.distinct > 0)
    for (std::size_t a = space.distinct; a < space.axes.size(); ++a)
      same *= space.axes[a].axis.values.size();
  for (const Candidate& one : all)
    if (out.kept.size() < space.keep &&
        std::none_of(out.kept.begin(), out.kept.end(),
                     [&](const Candidate& k) { return k.point / same == one.point / same; }))
      out.kept.push_back(one);
  std::sort(out.tally.rejected.begin(), out.tally.rejected.end(),
            [](const Rejection& a, const Rejection& b) {
              return a.path != b.path ? a.path < b.path : a.code < b.code;
            });
  return out;
}

void same_candidates(const std::vector<Candidate>& a, const std::vector<Candidate>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].point == b[i].point);
    CHECK(identical(a[i].value, b[i].value));
    for (std::size_t k = 0; k < kObjectives; ++k)
      CHECK(identical(a[i].objectives[k], b[i].objectives[k]));
  }
}
void same_tally(const Tally& a, const Tally& b) {
  CHECK(a.examined == b.examined);
  CHECK(a.evaluated == b.evaluated);
  CHECK(a.fit == b.fit);
  CHECK(a.skipped == b.skipped);
  REQUIRE(a.rejected.size() == b.rejected.size());
  for (std::size_t i = 0; i < a.rejected.size(); ++i) {
    CHECK(a.rejected[i].path == b.rejected[i].path);
    CHECK(a.rejected[i].code == b.rejected[i].code);
    CHECK(a.rejected[i].count == b.rejected[i].count);
  }
}

}  // namespace

TEST_CASE("search: what it reads off a report is what the ledger says") {
  Random random(601);
  for (int i = 0; i < 3000; ++i) {
    Problems problems;
    const Scenario s = scenario_of(envelope_test::random_patch(random), problems);
    std::vector<Step> steps;
    const Report r = estimate(s, Ledger(steps));
    for (const Measure& m : measures()) {
      INFO(i << " " << m.metric);
      REQUIRE(find_metric(m.metric));
      CHECK(identical(m.of(s, r), noted(steps, m.metric)));
    }
  }
}

TEST_CASE("rules: the quick answer is the first that counts of the full one") {
  Random random(602);
  std::vector<const Field*> watched;
  for (const Field& f : fields())
    if (f.type != Type::name && watched.size() < 200) watched.push_back(&f);
  int broken = 0, repeats = 0;
  for (int i = 0; i < 20000; ++i) {
    Problems problems;
    const Scenario s = scenario_of(envelope_test::random_patch(random), problems);
    const Program program = program_of(s);
    std::vector<Breach> tolerated;
    for (int k = 0; k < 3; ++k) {
      const Breach quick = first_breach(s, program, {watched, tolerated});
      Breach full;
      for (const Problem& p : check(s)) {
        const bool counts = p.severity == Severity::warning || p.code == "not_used";
        const bool allowed = std::any_of(tolerated.begin(), tolerated.end(), [&](const Breach& b) {
          return p.severity == Severity::warning && b.path == p.path && b.code == p.code;
        });
        if (!counts || allowed) continue;
        full = {field_by_path(p.path)->path, p.code, 0};
        break;
      }
      INFO(i << ": " << full.path << " " << full.code);
      REQUIRE(quick.path == full.path);
      REQUIRE(quick.code == full.code);
      if (full.code.empty() || full.code == "not_used") {
        repeats += full.code == "not_used";
        break;
      }
      ++broken;
      tolerated.push_back(full);
    }
  }
  CHECK(broken > 2000);
  CHECK(repeats > 2000);
}

TEST_CASE("search: the same plans, front and counts as looking at every point") {
  Random random(603);
  std::size_t fit = 0, total = 0;
  for (int i = 0; i < 400; ++i) {
    Space space = random_space(random);
    space.exhaustive = true;
    std::string said = "space " + std::to_string(i);
    for (const SearchAxis& x : space.axes)
      said += " " + std::string(x.axis.field->path) + " x" + std::to_string(x.axis.values.size());
    INFO(said);
    const Found force = by_force(space);
    Search search(space);
    REQUIRE(search.run());
    same_candidates(search.found().kept, force.kept);
    same_candidates(search.found().front, force.front);
    same_tally(search.found().tally, force.tally);
    fit += force.tally.fit;
    total += force.tally.examined;
  }
  CHECK(total > 10000);
  CHECK(fit > 1000);
}

TEST_CASE("search: slices of any size and parts that are merged give the same") {
  Random random(604);
  for (int i = 0; i < 200; ++i) {
    Space space = random_space(random);
    space.exhaustive = random.one_in(2);
    if (random.one_in(2)) space.scouted = 0;
    INFO("space " << i);
    Search whole(space);
    REQUIRE(whole.run());
    Found sliced;
    for (bool done = false; !done;) {
      Search slice(space, 0, points(space), sliced);
      done = slice.run(1 + random.below(points(space)));
      sliced = slice.found();
    }
    same_candidates(sliced.kept, whole.found().kept);
    same_candidates(sliced.front, whole.found().front);
    same_tally(sliced.tally, whole.found().tally);

    const std::size_t a = random.below(points(space) + 1),
                      b = a + random.below(points(space) + 1 - a);
    Found merged;
    for (const auto& [from, to] : {std::pair{b, points(space)}, {std::size_t{0}, a}, {a, b}}) {
      Search part(space, from, to);
      REQUIRE(part.run());
      merge(space, merged, part.found());
    }
    same_candidates(merged.kept, whole.found().kept);
    same_candidates(merged.front, whole.found().front);
    CHECK(merged.tally.examined == points(space));
    if (space.exhaustive) same_tally(merged.tally, whole.found().tally);
  }
}

TEST_CASE("ranks: one of the crowded stages is the fullest, as if all were counted") {
  Random random(605);
  int few = 0, places = 0;
  for (int i = 0; i < 100000; ++i) {
    const Scenario s = random_training(random);
    const Architecture a = architecture(s, {});
    const Activations act = activations(s, a, {});
    const Memory m = memory(s, a, act, {});
    const Ranks ranks(s, a, m, act, s.cluster.tp);
    const Ways w = ranks.ways(std::max(1.0, std::floor(s.cluster.gpus / ranks.replica())));
    const RankMemory quick = ranks.fullest(w);
    RankMemory full;
    full.allocated = -1;
    for (double k = 0; k < w.pp; ++k) {
      const RankMemory one = ranks.peak(ranks.stage(k, w), w);
      if (one.allocated > full.allocated) full = one;
    }
    few += ranks.crowded(w).count > 0 && w.pp > 3;
    places += w.pp > 3;
    INFO(i);
    REQUIRE(quick.allocated == full.allocated);
    REQUIRE(quick.stage.index == full.stage.index);
    REQUIRE(quick.moment == full.moment);
  }
  CHECK(few > 0.9 * places);
}

TEST_CASE("search: the stages before the layout read nothing of the cluster") {
  Random random(606);
  std::vector<Step> steps[2];
  for (int i = 0; i < 2000; ++i) {
    Scenario s = made(envelope_test::random_patch(random));
    if (s.run.task == Task::serve) s.run.task = Task::pretrain;
    for (std::vector<Step>& to : steps) {
      to.clear();
      const Ledger note(to);
      const Architecture a = architecture(s, note);
      const Compute c = compute(s, a, note);
      const Activations act = a.known ? activations(s, a, note) : Activations();
      const Memory m = memory(s, a, act, note);
      pace(s, a, c, m, note);
      for (const Field& f : fields())
        if (f.path.starts_with("cluster.")) put(f, envelope_test::random_value(f, random), s);
    }
    INFO(i);
    REQUIRE(steps[0].size() == steps[1].size());
    for (std::size_t k = 0; k < steps[0].size(); ++k)
      CHECK(identical(steps[0][k].value, steps[1][k].value));
  }
}

TEST_CASE("search: who shares the states changes neither stages nor their work") {
  Random random(607);
  for (int i = 0; i < 5000; ++i) {
    Scenario s = random_training(random);
    const Architecture a = architecture(s, {});
    const Activations act = activations(s, a, {});
    const Memory m = memory(s, a, act, {});
    const Ranks kept(s, a, m, act, s.cluster.tp);
    const double dp = std::max(1.0, std::floor(s.cluster.gpus / kept.replica()));
    const Ranks::Crowded crowded = kept.crowded(kept.ways(dp));
    StepWork work = step_work(s, a, kept, kept.ways(dp));
    for (const std::string_view path : kSharing) {
      const Field& f = *field_by_path(path);
      if (random.one_in(2)) put(f, envelope_test::random_value(f, random), s);
    }
    const Ranks fresh(s, a, m, act, s.cluster.tp);
    const Ways w = fresh.ways(dp);
    INFO(i);
    CHECK(kept.fullest(crowded, kept.ways(dp)).allocated == fresh.fullest(w).allocated);
    const StepTime one = step_time(s, a, kept.ways(dp), work), other = step_time(s, a, fresh, w);
    CHECK(identical(one.total, other.total));
    CHECK(identical(one.data, other.data));
    CHECK(identical(one.optimizer, other.optimizer));
  }
}

TEST_CASE("rules: what a group does not read changes nothing up to it") {
  Random random(608);
  std::vector<const Field*> watched;
  for (const Field& f : fields())
    if (f.type != Type::name) watched.push_back(&f);
  int clean = 0;
  for (int i = 0; i < 20000; ++i) {
    Scenario s =
        random.one_in(2) ? made(envelope_test::random_patch(random)) : random_training(random);
    const Program program = program_of(s);
    const std::vector<const Field*> none;
    const Watched asked{random.one_in(2) ? watched : none, {}};
    const Breach before = first_breach(s, program, asked);
    const int group = before.code.empty() ? kRuleGroups - 1 : before.group;
    clean += before.code.empty();
    for (const Field& f : fields())
      if (first_group(f.path) > group && f.type != Type::name && random.one_in(3))
        put(f, envelope_test::random_value(f, random), s);
    const Breach after = first_breach(s, program, asked);
    INFO(i << " " << group);
    CHECK(before.path == after.path);
    CHECK(before.code == after.code);
  }
  CHECK(clean > 1000);
}

namespace {

/// The axes that a planner may declare, and in which order of their values.
struct Dearer {
  const char* path;
  std::vector<double> values;
  bool dearer;  ///< Else only slower.
};
const std::vector<Dearer> kLaws = {
    {"run.recompute", {0, 1, 2}, true},          {"run.recompute", {0, 3, 2}, true},
    {"cluster.offload_weights", {0, 1}, false},  {"cluster.offload_gradients", {0, 1}, false},
    {"cluster.offload_optimizer", {0, 1}, true}, {"cluster.offload_activations", {0, 1}, true}};

}  // namespace

TEST_CASE("search: what may be declared dearer is never faster and never holds more") {
  Random random(609);
  for (const Dearer& law : kLaws) {
    int tried = 0, faster = 0, fuller = 0;
    const Field& f = *field_by_path(law.path);
    const bool recompute = f.path == "run.recompute";
    for (int i = 0; i < 20000; ++i) {
      Scenario s = random_training(random);
      if (recompute) s.run.recompute_every = 1;
      if (!first_breach(s, program_of(s), {}).code.empty()) continue;
      double step = 0, bytes = INFINITY;
      for (const double x : law.values) {
        set_number(f, s, x);
        const Report r = estimate(s);
        if (recompute && hides_several(s, r.layout.ways)) break;
        ++tried;
        faster += r.time.step.value < step * (1 - 1e-13);
        fuller += law.dearer && r.layout.per_gpu.value > bytes;
        step = r.time.step.value;
        bytes = r.layout.per_gpu.value;
      }
    }
    INFO(law.path << " of " << tried);
    CHECK(tried > 5000);
    CHECK(faster == 0);
    CHECK(fuller == 0);
  }
}

TEST_CASE("search: with bounds the same plans and front, and fewer are timed") {
  Random random(610);
  std::size_t timed = 0, all = 0;
  for (int i = 0; i < 300; ++i) {
    Space space = random_space(random);
    space.base.run.recompute_every = 1;
    std::erase_if(space.axes, [](const SearchAxis& x) {
      return x.axis.field->path == "run.recompute" || x.axis.field->path == "run.recompute_every" ||
             x.axis.field->path.starts_with("cluster.offload");
    });
    space.distinct = random.below(space.axes.size() + 1);
    bool recompute = false;
    for (const Dearer& law : kLaws) {
      if (random.one_in(3) || (recompute && law.path == std::string("run.recompute"))) continue;
      recompute = recompute || law.path == std::string("run.recompute");
      space.axes.push_back(axis(law.path, law.values, law.dearer));
      space.axes.back().slower = true;
    }
    INFO("space " << i);
    if (random.one_in(2)) space.scouted = 0;
    Search bounded(space);
    space.exhaustive = true;
    Search exhaustive(space);
    REQUIRE(bounded.run());
    REQUIRE(exhaustive.run());
    same_candidates(bounded.found().kept, exhaustive.found().kept);
    same_candidates(bounded.found().front, exhaustive.found().front);
    CHECK(bounded.found().tally.examined == exhaustive.found().tally.examined);
    timed += bounded.found().tally.evaluated;
    all += exhaustive.found().tally.evaluated;
  }
  CHECK(all > 5000);
  CHECK(10 * timed < 9 * all);
}

TEST_CASE("search: 530B on 5,128 GPUs, more candidates than calculon has, bounds lose nothing") {
  Space space = envelope_bench::turing();
  Search bounded(space);
  space.exhaustive = true;
  Search exhaustive(space);
  REQUIRE(bounded.run());
  REQUIRE(exhaustive.run());
  REQUIRE(exhaustive.found().kept.size() == space.keep);
  same_candidates(bounded.found().kept, exhaustive.found().kept);
  same_candidates(bounded.found().front, exhaustive.found().front);
  const Tally &few = bounded.found().tally, &all = exhaustive.found().tally;
  CHECK(few.examined == all.examined);
  CHECK(100 * few.evaluated < 5 * all.evaluated);
  CHECK(few.skipped > all.evaluated);

  // No point taken at random beats the best.
  Random random(611);
  int fit = 0;
  for (int i = 0; i < 20000; ++i) {
    const Scenario s = scenario_at(space, random.below(points(space)));
    if (!first_breach(s, program_of(s), {}).code.empty()) continue;
    const Report r = estimate(s);
    if (!r.layout.fits) continue;
    ++fit;
    CHECK(r.time.total.value >= bounded.found().kept[0].value);
  }
  CHECK(fit > 50);
}

TEST_CASE("search: what a planner refuses is counted as a plan that nobody launches") {
  Random random(612);
  std::size_t refused = 0;
  for (int i = 0; i < 200; ++i) {
    Space space = random_space(random);
    space.exhaustive = random.one_in(2);
    space.refuse = [](const Scenario& s) -> std::string_view {
      return s.cluster.offload_gradients ? "slow" : s.cluster.sp && s.cluster.pp > 2 ? "deep" : "";
    };
    Search search(space);
    REQUIRE(search.run());
    const Tally& t = search.found().tally;
    std::size_t sum = t.fit + t.skipped, expected = 0;
    for (const Rejection& r : t.rejected) {
      sum += r.count;
      if (r.path == "plan") refused += r.count;
    }
    CHECK(sum == points(space));
    for (std::size_t point = 0; point < points(space); ++point) {
      const Scenario s = scenario_at(space, point);
      std::vector<const Field*> beyond;
      for (std::size_t a = space.axes.size(), rest = point; a-- > 0;) {
        const Axis& x = space.axes[a].axis;
        if (rest % x.values.size() > 0) beyond.push_back(x.field);
        rest /= x.values.size();
      }
      expected += first_breach(s, program_of(s), {beyond, space.tolerated}).code.empty() &&
                  !space.refuse(s).empty();
    }
    std::size_t plans = 0;
    for (const Rejection& r : t.rejected) plans += r.path == "plan" ? r.count : 0;
    CHECK(plans == expected);
  }
  CHECK(refused > 500);
}

TEST_CASE("search: a point allocates nothing") {
  for (const bool exhaustive : {false, true}) {
    Space space = envelope_bench::turing();
    space.exhaustive = exhaustive;
    Search search(space);
    // What is kept, counted and cached has room once half has been seen.
    const std::size_t all = points(space);
    while (search.found().next < all / 2) search.run(all / 2 - search.found().next);
    const std::size_t timed = search.found().tally.evaluated, before = allocations;
    search.run();
    CHECK(allocations - before < 100);
    CHECK((search.found().tally.evaluated > timed + 1000 || !exhaustive));
  }
}
