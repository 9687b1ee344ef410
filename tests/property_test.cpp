// SPDX-License-Identifier: MIT
// Laws that hold whatever the numbers are, over random scenarios.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/catalog.h"
#include "envelope/estimate.h"
#include "envelope/findings.h"
#include "envelope/link.h"
#include "envelope/patch.h"
#include "envelope/rules.h"
#include "envelope/step.h"
#include "envelope/weights.h"
#include "random_scenario.h"

namespace {

using namespace envelope;
using envelope_test::Random;
using envelope_test::random_patch;

constexpr double kRounding = 1e-12;

Scenario with(Scenario s, const Patch& patch) {
  for (const Problem& p : apply(patch, s)) FAIL_CHECK(p.path << ": " << p.message);
  return s;
}

std::map<std::string_view, double> metrics_of(const Scenario& s) {
  std::vector<Step> steps;
  estimate(s, Ledger(steps));
  std::map<std::string_view, double> out;
  for (const Step& step : steps) out[step.id] = step.value;
  return out;
}
double metric(const Scenario& s, std::string_view id) {
  const auto all = metrics_of(s);
  const auto found = all.find(id);
  return found == all.end() ? kNone : found->second;
}

/// Random scenarios of one task; `visit` returns false where its law does not apply. At least
/// `least` must have been tried.
void each(const char* task, std::uint64_t seed, int least,
          const std::function<bool(const Scenario&, Random&)>& visit) {
  Random random(seed);
  int tried = 0;
  for (int i = 0; i < 400; ++i) {
    Problems problems;
    Scenario s = scenario_of(random_patch(random), problems);
    s = with(s, {{"run.task", std::string(task)}});
    INFO("seed " << seed << ", scenario " << i << ": " << encode(s));
    tried += visit(s, random);
  }
  CHECK(tried >= least);
}

/// A layout that its GPUs can hold: as many as one replica takes, times some, and experts that
/// divide among them.
Scenario whole_layout(const Scenario& s, Random& random) {
  const auto power = [&](std::size_t most) {
    return static_cast<double>(std::size_t{1} << random.below(most));
  };
  const double tp = power(4), cp = power(3), ep = power(5),
               pp = static_cast<double>(1 + random.below(8)),
               dp = 16 * static_cast<double>(1 + random.below(8));
  return with(s, {{"cluster.tp", tp},
                  {"cluster.pp", pp},
                  {"cluster.cp", cp},
                  {"cluster.ep", ep},
                  {"cluster.etp", std::string("auto")},
                  {"cluster.shard", std::string("auto")},
                  {"cluster.gpus", tp * pp * cp * dp}});
}

double states_per_gpu(const Scenario& s) {
  const auto m = metrics_of(s);
  return m.at("rank.weights") + m.at("rank.gradients") + m.at("rank.master") +
         m.at("rank.optimizer");
}

}  // namespace

TEST_CASE("law: any scenario gives a full report of finite numbers, a sentence and a verdict") {
  Random random(20);
  for (int i = 0; i < 2000; ++i) {
    Problems problems;
    const Scenario s = scenario_of(random_patch(random, i % 2 ? 8 : 100), problems);
    std::vector<Step> steps;
    const Report r = estimate(s, Ledger(steps));
    for (const Step& step : steps)
      if (!std::isfinite(step.value)) FAIL_CHECK(encode(s) << ": " << step.id << " " << step.value);
    if (summary(s, r).size() < 5 || verdict(s, r).message.size() < 3)
      FAIL_CHECK(encode(s) << ": nothing said");
    findings(s, r);
    for (const Problem& p : check(s))
      if (p.message.empty() || p.hint.empty() || p.severity == Severity::error)
        FAIL_CHECK(encode(s) << ": " << p.path);
  }
}

TEST_CASE("law: twice the tokens are exactly twice the FLOPs, the time and the dollars") {
  for (const char* task : {"pretrain", "finetune"})
    each(task, 21, 100, [](const Scenario& s, Random& random) {
      if (given(s.run.gpu_time) || given(s.price.bill)) return false;
      const double tokens = 1e6 + static_cast<double>(random.below(1'000'000'000));
      const Scenario one = with(s, {{"run.tokens", tokens}, {"cluster.gpus", 64.0}});
      const Scenario two = with(one, {{"run.tokens", 2 * tokens}});
      const auto a = metrics_of(one), b = metrics_of(two);
      for (const char* id :
           {"compute.train", "compute.train_6nd", "compute.train_causal", "compute.train_full",
            "compute.hardware", "time.gpu_time", "time.total", "time.gpu_hours", "time.steps"})
        CHECK(b.at(id) == 2 * a.at(id));
      if (a.contains("cost.total")) CHECK(b.at("cost.total") == 2 * a.at("cost.total"));
      CHECK(b.at("memory.total") == a.at("memory.total"));
      return true;
    });
}

TEST_CASE("law: cost is proportional to the price, and to GPU-hours alone") {
  each("pretrain", 22, 100, [](const Scenario& s, Random&) {
    if (given(s.price.bill)) return false;
    // At a given utilisation; a predicted one falls with the number of GPUs.
    const Scenario cheap = with(s, {{"price.usd_per_gpu_hour", 1.25}, {"run.mfu", 0.4}});
    const Scenario dear = with(cheap, {{"price.usd_per_gpu_hour", 5.0}});
    CHECK(metric(dear, "cost.total") == 4 * metric(cheap, "cost.total"));
    CHECK(metric(dear, "cost.per_hour") == 4 * metric(cheap, "cost.per_hour"));
    // Ten times the GPUs cost ten times as much an hour and nothing more in all.
    const Scenario few = with(cheap, {{"cluster.gpus", 10.0}});
    const Scenario many = with(cheap, {{"cluster.gpus", 100.0}});
    if (metric(few, "gpus.used") > 10) return false;  // a replica takes more
    CHECK(metric(many, "cost.per_hour") == 10 * metric(few, "cost.per_hour"));
    CHECK(metric(many, "cost.total") == metric(few, "cost.total"));
    CHECK(metric(few, "time.total") == Approx(10 * metric(many, "time.total")).epsilon(kRounding));
    return true;
  });
}

TEST_CASE("law: the kinds of parameters sum to all of them, and the bytes to all bytes") {
  for (const char* task : {"pretrain", "finetune", "serve"})
    each(task, 23, 200, [](const Scenario& s, Random&) {
      if (s.model.kind == ModelKind::size_only) return false;
      const Architecture a = architecture(s, Ledger());
      const double sum = a.embedding + a.attention + a.linear + a.mlp + a.experts +
                         a.shared_experts + a.router + a.norms + a.biases + a.head + a.other +
                         (a.mtp_trained > 0 ? a.mtp : 0);
      CHECK(sum == Approx(a.total).epsilon(kRounding));
      if (s.model.top_k <= s.model.experts) CHECK(a.active <= a.total * (1 + kRounding));
      const Memory m = estimate(s).memory;
      CHECK((m.weights + m.gradients + m.master + m.optimizer).value ==
            Approx(m.states.value).epsilon(kRounding));
      if (!m.by_rule)
        CHECK((m.states + m.activations + m.logits + m.kv_cache).value ==
              Approx(m.total.value).epsilon(kRounding));
      return true;
    });
}

TEST_CASE("law: more tensor parallelism never raises the weights on a GPU") {
  each("pretrain", 24, 200, [](const Scenario& s, Random&) {
    if (s.states.rule == MemoryRule::blog) return false;
    double before = INFINITY;
    for (const double tp : {1.0, 2.0, 4.0, 8.0, 16.0}) {
      const double now = metric(with(s, {{"cluster.tp", tp},
                                         {"cluster.pp", 2.0},
                                         {"cluster.cp", 1.0},
                                         {"cluster.zero", 1.0},
                                         {"cluster.gpus", 64.0}}),
                                "rank.weights");
      CHECK(now <= before * (1 + kRounding));
      before = now;
    }
    return true;
  });
}

TEST_CASE("law: a higher ZeRO stage never raises the model states on a GPU") {
  each("finetune", 25, 200, [](const Scenario& base, Random& random) {
    if (base.states.rule == MemoryRule::blog) return false;
    const Scenario s = whole_layout(base, random);
    double before = INFINITY;
    for (const double zero : {0.0, 1.0, 2.0, 3.0}) {
      const double now = states_per_gpu(with(s, {{"cluster.zero", zero}}));
      CHECK(now <= before * (1 + kRounding));
      before = now;
    }
    return true;
  });
}

TEST_CASE("law: all GPUs together hold at least everything once") {
  for (const char* task : {"pretrain", "serve"})
    each(task, 26, 200, [](const Scenario& base, Random& random) {
      const Scenario s =
          with(whole_layout(base, random), {{"states.rule", std::string("components")},
                                            {"states.paged", false},
                                            {"states.in_backward", false},
                                            {"cluster.offload_weights", false},
                                            {"cluster.offload_gradients", false},
                                            {"cluster.offload_optimizer", false}});
      const auto m = metrics_of(s);
      CHECK(m.at("layout.model") * m.at("gpus.used") >= m.at("memory.states") * (1 - kRounding));
      CHECK(m.at("layout.dp") * m.at("layout.tp") <= m.at("gpus.used"));
      return true;
    });
}

TEST_CASE("law: as many GPUs as it says it takes do hold it, and one replica fewer does not") {
  int none = 0;
  each("pretrain", 27, 100, [&](const Scenario& base, Random& random) {
    const Scenario laid = whole_layout(base, random);
    const Scenario s =
        with(laid, {{"cluster.gpus", std::string("auto")}, {"run.deadline", std::string("auto")}});
    const Report r = estimate(s);
    const Ranks ranks(s, r.architecture, r.memory, r.activations, s.cluster.tp);
    const double replica = ranks.replica();
    const auto free = [&](double dp) {
      return estimate(with(s, {{"cluster.gpus", dp * replica}})).layout.free.value;
    };
    // Data-parallel ranks among which experts and the batch divide.
    std::vector<double> legal;
    for (double dp = ranks.legal(1);
         given(dp) && dp * replica <= 1e8 && legal.size() < 64 && !r.memory.by_rule;
         dp = ranks.legal(dp + ranks.step()))
      legal.push_back(dp);
    if (!given(r.layout.to_fit)) {
      // What each GPU holds anyway is too much: no number of them helps.
      if (!legal.empty()) CHECK(free(legal.back()) < 0);
      return ++none, false;
    }
    if (r.memory.by_rule) return true;
    // A byte or so is rounding: a part in 1e9 does not make another GPU.
    CHECK(r.layout.free.value >= -1e-8 * r.layout.capacity.value);
    const auto at = std::find(legal.begin(), legal.end(), r.layout.to_fit / replica);
    if (legal.size() < 64) REQUIRE(at != legal.end());
    if (at != legal.begin() && at != legal.end()) CHECK(free(*std::prev(at)) < 0);
    return true;
  });
  CHECK(none > 0);
}

TEST_CASE("law: as many GPUs as serving is said to take do hold it") {
  int none = 0, several = 0;
  each("serve", 36, 100, [&](const Scenario& base, Random& random) {
    const double tp = static_cast<double>(std::size_t{1} << random.below(4));
    const Scenario s = with(base, {{"cluster.gpus", std::string("auto")},
                                   {"cluster.tp", random.one_in(2) ? Value(tp) : Value("auto")},
                                   {"states.rule", std::string("components")}});
    const Report r = estimate(s);
    if (!given(r.layout.to_fit)) {
      CHECK(!r.layout.fits);
      return ++none, false;
    }
    CHECK(r.layout.free.value >= -1e-8 * r.layout.capacity.value);
    // One replica fewer, or one GPU fewer where all are one replica, is too few.
    const double unit = given(s.cluster.tp) ? s.cluster.tp : 1;
    if (r.layout.used <= unit || r.layout.used > 1e8) return true;
    ++several;
    CHECK(estimate(with(s, {{"cluster.gpus", r.layout.used - unit}})).layout.free.value < 0);
    return true;
  });
  CHECK(none > 0);
  CHECK(several > 10);
}

TEST_CASE("law: a longer deadline never takes more GPUs, and those it takes are in time") {
  each("pretrain", 28, 200, [](const Scenario& base, Random&) {
    const Scenario s = with(base, {{"cluster.gpus", std::string("auto")}});
    double before = INFINITY;
    for (const double days : {0.5, 1.0, 7.0, 30.0, 365.0}) {
      const Scenario due = with(s, {{"run.deadline", days * 86400}});
      const Report r = estimate(due);
      if (!given(r.layout.for_deadline)) {
        // The batch has no work for as many as it would take, or experts do not divide it.
        CHECK(before == INFINITY);
        if (r.layout.fastest.value > 0) CHECK(r.layout.fastest.value > days * 86400);
        continue;
      }
      CHECK(r.layout.for_deadline <= before);
      CHECK(r.time.total.value <= days * 86400 * (1 + 1e-8));
      CHECK(r.layout.used >= r.layout.for_deadline);
      before = r.layout.for_deadline;
    }
    return true;
  });
}

TEST_CASE("law: recomputation never raises memory and never lowers the work") {
  for (const char* task : {"pretrain", "finetune"})
    each(task, 29, 200, [](const Scenario& s, Random&) {
      // A single layer has nothing to save: its own input is then kept beside it.
      if (s.model.layers < 2) return false;
      const Report none = estimate(with(s, {{"run.recompute", std::string("none")}}));
      const Report some = estimate(with(s, {{"run.recompute", std::string("selective")}}));
      const Report full =
          estimate(with(s, {{"run.recompute", std::string("full")}, {"run.recompute_every", 1.0}}));
      CHECK(some.memory.total <= none.memory.total);
      CHECK(full.memory.total <= none.memory.total);
      CHECK(some.compute.hardware >= none.compute.hardware);
      CHECK(full.compute.hardware >= some.compute.hardware);
      // What is recomputed is work of the hardware, not of the model.
      CHECK(full.compute.train == none.compute.train);
      return true;
    });
}

TEST_CASE("law: flash attention never raises memory and changes no FLOP") {
  each("pretrain", 30, 200, [](const Scenario& s, Random&) {
    if (sequence_length(s) < 2) return false;  // one score is less than what is kept of it
    const Report with_it = estimate(with(s, {{"run.flash", true}}));
    const Report without = estimate(with(s, {{"run.flash", false}}));
    CHECK(with_it.memory.total <= without.memory.total);
    CHECK(with_it.compute.hardware == without.compute.hardware);
    return true;
  });
}

TEST_CASE("law: QLoRA takes no more memory than LoRA, and LoRA no more than all weights") {
  each("finetune", 31, 100, [](const Scenario& base, Random& random) {
    const auto& recipes = catalog().recipes;
    const std::string recipe = recipes[random.below(recipes.size())].id;
    const auto method = [&](const char* name) {
      return with(base, {{"states.recipe", recipe},
                         {"states.rule", std::string("components")},
                         {"states.activations", std::string("estimate")},
                         {"tune.base", std::string("nf4-dq")},
                         {"tune.method", std::string(name)}});
    };
    const Report full = estimate(method("full")), lora = estimate(method("lora")),
                 qlora = estimate(method("qlora"));
    // Adapters as large as what works on a token are no adapters.
    if (lora.architecture.trainable > lora.architecture.active / 10) return false;
    // Layers without a matrix leave nothing to quantize.
    if (layer_matrices(lora.architecture, "", Ledger()) == 0) return false;
    CHECK(lora.memory.states < full.memory.states);
    CHECK(qlora.memory.states <= lora.memory.states);
    CHECK(lora.compute.per_token_6nd < full.compute.per_token_6nd);
    return true;
  });
}

TEST_CASE("law: fewer KV heads and a window never enlarge the KV cache") {
  each("serve", 32, 150, [](const Scenario& s, Random&) {
    if (s.model.kind != ModelKind::decoder || s.model.attention == Attention::mla) return false;
    double before = INFINITY;
    for (const double kv : {s.model.heads, std::ceil(s.model.heads / 4), 1.0}) {  // MHA, GQA, MQA
      const double now = estimate(with(s, {{"model.kv_heads", kv}})).memory.kv_cache.value;
      CHECK(now <= before);
      before = now;
    }
    double smaller = 0;
    for (const double window : {1.0, 128.0, 4096.0, 1e9}) {
      const double now = estimate(with(s, {{"model.window", window}})).memory.kv_cache.value;
      CHECK(now >= smaller);
      smaller = now;
    }
    CHECK(smaller <= estimate(with(s, {{"model.window", 0.0}})).memory.kv_cache.value);
    return true;
  });
}

TEST_CASE("law: full attention counts at least causal attention, and hardware at least the model") {
  for (const char* task : {"pretrain", "finetune"})
    each(task, 33, 300, [](const Scenario& s, Random&) {
      const Compute c = estimate(s).compute;
      CHECK(c.per_token_full >= c.per_token_causal);
      CHECK(c.hardware.value >= (c.per_token_causal * c.tokens).value * (1 - kRounding));
      const Compute longer =
          estimate(with(s, {{"run.seq", std::min(1e9, 2 * s.run.seq)}, {"run.tokens", 1e9}}))
              .compute;
      CHECK(longer.per_token_causal >= c.per_token_causal);
      return true;
    });
}

TEST_CASE("law: more layers, wider layers and more words never make a model smaller") {
  each("pretrain", 34, 150, [](const Scenario& s, Random&) {
    if (s.model.kind != ModelKind::decoder) return false;
    const Architecture a = architecture(s, Ledger());
    for (const char* path :
         {"model.layers", "model.ffn", "model.vocab", "model.heads", "model.kv_heads"}) {
      const Field& f = *field_by_path(path);
      const double more = std::min(f.max, 2 * get_number(f, s));
      const Architecture b = architecture(with(s, {{std::string(path), more}}), Ledger());
      INFO(path);
      CHECK(b.total >= a.total);
    }
    return true;
  });
}

TEST_CASE(
    "law: a faster, larger or cheaper accelerator never makes a run slower, tighter or dearer") {
  each("pretrain", 35, 300, [](const Scenario& base, Random&) {
    const Scenario s = with(base, {{"cluster.gpus", 256.0},
                                   {"run.mfu", 0.4},
                                   {"run.gpu_time", std::string("auto")},
                                   {"price.bill", std::string("auto")},
                                   {"run.precision", std::string("bf16")},
                                   {"gpu.bf16", 500e12},
                                   {"cluster.tp", 1.0},  // else less of it is needed
                                   {"price.usd_per_gpu_hour", 3.0}});
    const Report a = estimate(s);
    const Report fast = estimate(with(s, {{"gpu.bf16", 1000e12}}));
    CHECK(fast.time.total.value == Approx(a.time.total.value / 2).epsilon(kRounding));
    CHECK(fast.cost.total.value == Approx(a.cost.total.value / 2).epsilon(kRounding));
    const Report large = estimate(with(s, {{"gpu.memory", std::min(1e15, 2 * s.gpu.memory)}}));
    CHECK(large.layout.free >= a.layout.free);
    if (given(a.layout.to_fit)) CHECK(large.layout.to_fit <= a.layout.to_fit);
    return true;
  });
}

TEST_CASE("law: of a hundred thousand legal layouts none loses or invents a byte") {
  Random random(40);
  const char* models[] = {"llama-3.1-8b",  "llama-3.1-70b", "deepseek-v3", "mixtral-8x7b",
                          "qwen3-30b-a3b", "gpt-oss-120b",  "gemma-3-27b", "jamba-v0.1",
                          "t5-11b",        "by-size",       "gpt3-175b",   "mamba-2.8b"};
  const char* schedules[] = {"1f1b",   "gpipe", "zb-h1",    "zb-2p",     "zbv",
                             "v-half", "v-min", "dualpipe", "dualpipe-v"};
  const char* recomputes[] = {"none", "selective", "full", "pointwise"};
  std::vector<Scenario> bases;
  for (const char* model : models) {
    Problems problems;
    Patch patch = {{"model.id", std::string(model)}};
    if (std::string_view(model) == "by-size") patch.emplace_back("model.params", 7e9);
    bases.push_back(scenario_of(patch, problems));
    REQUIRE(problems.empty());
  }
  const auto power = [&](std::size_t most) {
    return static_cast<double>(std::size_t{1} << random.below(most));
  };
  const auto choice = [&](std::string_view path, const char* id, Scenario& s) {
    REQUIRE(put(*field_by_path(path), std::string(id), s));
  };
  long wrong = 0;
  for (int i = 0; i < 100'000; ++i) {
    Scenario s = bases[random.below(bases.size())];
    const double tp = power(4), cp = power(3), ep = power(5),
                 pp = std::min(s.model.layers, power(5)), dp = 16 * power(4);
    s.cluster.tp = tp;
    s.cluster.cp = cp;
    s.cluster.ep = ep;
    s.cluster.pp = pp;
    s.cluster.gpus = tp * cp * pp * dp;
    s.cluster.zero = static_cast<double>(random.below(4));
    s.cluster.sp = random.one_in(2);
    s.cluster.reshard = random.one_in(2);
    s.cluster.virtual_stages = power(3);
    s.run.micro_batch = power(3);
    s.run.global_batch = dp * s.run.micro_batch * power(7);
    s.run.recompute_every = power(3);
    choice("cluster.schedule", schedules[random.below(std::size(schedules))], s);
    choice("run.recompute", recomputes[random.below(std::size(recomputes))], s);
    const Report r = estimate(s);
    const Ranks ranks(s, r.architecture, r.memory, r.activations, tp);
    const Ways& w = r.layout.ways;
    double layers = 0, states = 0, most = 0;
    bool sound = true;
    for (double k = 0; k < pp; ++k) {
      const Stage stage = ranks.stage(k, w);
      const RankMemory rank = ranks.peak(stage, w);
      layers += stage.layers;
      most = std::max(most, rank.allocated);
      for (int m = 0; m < kMoments; ++m) {
        const Parts p = ranks.parts(stage, w, static_cast<Moment>(m));
        for (const double part : {p.weights, p.gradients, p.master, p.optimizer, p.activations,
                                  p.working, p.logits, p.gathered})
          sound = sound && std::isfinite(part) && part >= 0;
        // The loss is where the head is.
        if (static_cast<Moment>(m) != Moment::loss || stage.last)
          sound = sound && p.sum() <= rank.allocated * (1 + kRounding);
      }
      const Parts held = ranks.parts(stage, w, Moment::update);
      states += (held.weights + held.gradients + held.master + held.optimizer) * tp * cp * dp;
    }
    const double copies = s.cluster.schedule == Schedule::dualpipe && pp > 1 ? 2 : 1;
    sound = sound && states >= r.memory.states.value * (1 - 1e-9);
    if (r.architecture.known) sound = sound && layers == copies * s.model.layers;
    sound = sound && most == r.layout.fullest.allocated;
    // More tensor parallelism or a higher ZeRO stage never raise the weights of a GPU.
    Scenario more = s;
    if (s.cluster.zero < 3) more.cluster.zero += 1;
    sound = sound && estimate(more).layout.fullest.parts.weights <=
                         r.layout.fullest.parts.weights * (1 + kRounding) + 1;
    if (!sound && ++wrong < 10) FAIL_CHECK(i << ": " << encode(s));
  }
  CHECK(wrong == 0);
}

namespace {

/// Legal layouts of training runs: no rule is broken. Every schedule, with and without virtual
/// stages, on every accelerator.
class Layouts {
 public:
  explicit Layouts(std::uint64_t seed) : random_(seed) {}

  Scenario next() {
    for (;;) {
      const CatalogData& c = catalog();
      Problems none;
      Scenario s = scenario_of({{"model.id", c.models[random_.below(c.models.size())].id},
                                {"gpu.id", c.accelerators[random_.below(c.accelerators.size())].id},
                                {"stack.id", c.stacks[random_.below(c.stacks.size())].id}},
                               none);
      if (s.model.kind == ModelKind::size_only) continue;
      Cluster& k = s.cluster;
      k.tp = pick({1, 1, 2, 4, 8});
      k.pp = pick({1, 2, 4, 8, 16});
      k.cp = pick({1, 1, 1, 2, 4});
      k.ep = s.model.experts > 0 ? pick({1, 2, 4, 8, 16}) : 1;
      k.schedule = static_cast<Schedule>(random_.below(9));
      k.virtual_stages = k.schedule == Schedule::one_f_one_b ? pick({1, 1, 2, 3}) : 1;
      k.zero = pick({0, 1, 1, 3});
      const double dp = pick({1, 2, 4, 8, 16, 64});
      k.gpus = k.tp * k.pp * k.cp * dp;
      s.run.micro_batch = pick({1, 2, 4});
      s.run.global_batch = s.run.micro_batch * dp * pick({1, 2, 8, 16, 32, 64});
      s.run.seq = pick({512, 2048, 8192, 32768});
      s.run.recompute = static_cast<Recompute>(random_.below(4));
      const Problems problems = check(s);
      if (std::none_of(problems.begin(), problems.end(),
                       [](const Problem& p) { return p.severity == Severity::warning; }))
        return s;
    }
  }

 private:
  double pick(std::initializer_list<double> from) {
    return from.begin()[random_.below(from.size())];
  }
  Random random_;
};

StepTime step_of(const Scenario& s) {
  const Architecture a = architecture(s, {});
  const Activations act = activations(s, a, {});
  const Memory m = memory(s, a, act, {});
  const Ranks ranks(s, a, m, act, s.cluster.tp);
  return step_time(s, a, ranks, ranks.ways(s.cluster.gpus / ranks.replica()));
}

/// Of the pipeline's part of the step.
double bubble_share(const StepTime& t) {
  return t.bubble / (t.total - t.data - t.optimizer - t.pipeline);
}

}  // namespace

TEST_CASE("property: the step of ten thousand legal layouts keeps its laws") {
  Layouts layouts(29);
  int pipelines = 0, slower = 0, wrong = 0;
  for (int i = 0; i < 10000; ++i) {
    const Scenario s = layouts.next();
    const StepTime t = step_of(s);
    INFO(encode(s));
    const double parts = t.matmul + t.experts + t.attention + t.pointwise + t.head + t.recompute +
                         t.tensor + t.context + t.expert + t.pipeline + t.bubble + t.data +
                         t.optimizer + t.overhead;
    REQUIRE(t.total > 0);
    CHECK(parts == Approx(t.total).epsilon(1e-12));
    // What is faster never slows a step.
    const std::initializer_list<double Gpu::*> kEach[] = {
        {&Gpu::bandwidth},
        {&Gpu::link},
        {&Gpu::nic},
        {&Gpu::fp32, &Gpu::tf32, &Gpu::fp16, &Gpu::bf16, &Gpu::fp8, &Gpu::int8, &Gpu::fp4}};
    for (const auto& members : kEach) {
      Scenario faster = s;
      for (double Gpu::*member : members) faster.gpu.*member *= 2;
      const double then = step_of(faster).total;
      if (then <= t.total * (1 + 1e-9)) continue;
      // In a pipeline the stage that sends most is not always the slowest: less work hides less of
      // what it sends, while the slowest gains nothing. The other closed forms are not exact where
      // ranks differ.
      const bool plain =
          s.cluster.schedule == Schedule::one_f_one_b || s.cluster.schedule == Schedule::gpipe;
      s.cluster.pp == 1 || (plain && then > 1.02 * t.total) ? ++wrong : ++slower;
    }
    if (s.cluster.pp == 1) {
      CHECK(t.bubble == 0);
      continue;
    }
    ++pipelines;
    Scenario more = s;  // micro-batches
    more.run.global_batch *= 4;
    CHECK(bubble_share(step_of(more)) <= bubble_share(t) + 1e-9);
    // A finer pipeline of the same replicas: never a smaller share of the pipeline's time.
    const double layers = s.model.layers, p = s.cluster.pp;
    if (s.cluster.schedule == Schedule::one_f_one_b && s.cluster.virtual_stages == 1 &&
        std::fmod(layers, 2 * p) == 0) {
      Scenario finer = s;
      finer.cluster.pp *= 2;
      finer.cluster.gpus *= 2;
      const StepTime fine = step_of(finer);
      const auto share = [](const StepTime& x) {
        return x.bubble / (x.total - x.data - x.optimizer - x.overhead - x.pipeline);
      };
      CHECK(share(fine) >= share(t) - 1e-9);
    }
  }
  CHECK(pipelines > 3000);
  CHECK(wrong == 0);
  CHECK(slower <= 20);  // of forty thousand
}
