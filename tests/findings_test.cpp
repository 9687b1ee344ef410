// SPDX-License-Identifier: MIT
// What a reader is told: the headline, the verdict, and remedies that were tried before they are
// proposed.
#include "envelope/findings.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/link.h"
#include "envelope/metrics.h"
#include "envelope/patch.h"
#include "random_scenario.h"
#include "scenarios.h"

namespace {

using namespace envelope;
using envelope_test::of;

/// A sentence with metric ids in brackets.
std::string words(const Sentence& sentence) {
  std::string out;
  for (const Part& part : sentence)
    out += part.metric.empty() ? part.text : "[" + std::string(part.metric) + "]";
  return out;
}

std::set<std::string_view> codes(const std::string& link) {
  const Scenario s = of(link);
  std::set<std::string_view> out;
  for (const Finding& f : findings(s, estimate(s))) out.insert(f.code);
  return out;
}

Finding verdict_of(const std::string& link) {
  const Scenario s = of(link);
  return verdict(s, estimate(s));
}

}  // namespace

TEST_CASE("summary: one sentence a task, with the numbers named and not written") {
  const auto summary_of = [](const std::string& link) {
    const Scenario s = of(link);
    return words(summary(s, estimate(s)));
  };
  CHECK(summary_of("model=llama-3.1-8b") ==
        "Training Llama 3.1 8B on [compute.tokens] tokens takes [compute.train]: [time.total] on "
        "[gpus.used] × NVIDIA H100 SXM5 80GB at [time.mfu] MFU, about [cost.total].");
  const std::string tune = summary_of("task=finetune&model=llama-3.1-8b&method=qlora");
  CHECK(tune.starts_with("Fine-tuning Llama 3.1 8B with QLoRA on [compute.tokens] tokens"));
  CHECK(
      summary_of("task=finetune&model=llama-3.1-8b&method=prefix").find(" with Prefix tuning on") !=
      std::string::npos);
  CHECK(summary_of("task=finetune&model=llama-3.1-8b&method=adapter-v2")
            .find(" with LLaMA-Adapter v2 on") != std::string::npos);
  const std::string serve = summary_of("task=serve&model=llama-3.1-8b&batch=32");
  CHECK(serve.starts_with("Serving Llama 3.1 8B in BF16 to 32 users at once takes [memory.total]"));
  CHECK(serve.ends_with("[cost.per_million_tokens] per million output tokens."));
  // No price, no cost.
  const std::string unpriced = summary_of("model=gpt2&gpu=apple-m2-max&terms=reserved-3y");
  CHECK(unpriced.find("cost") == std::string::npos);
  CHECK(unpriced.ends_with("MFU."));
  CHECK(summary_of("model=by-size&size=7e9")
            .starts_with("Training a model of [params.total] parameters"));
}

TEST_CASE("verdict: it fits when the bytes of the fullest GPU are within its memory") {
  const Finding fits = verdict_of("task=serve&model=llama-3.1-8b&n=1&batch=1");
  CHECK(fits.tone == Tone::good);
  CHECK(fits.code == "fits");
  CHECK(fits.remedies.empty());
  CHECK(words(fits.message) == "Fits, with [layout.free] free of [layout.capacity] on each GPU.");
  const Finding bad = verdict_of("task=serve&model=llama-3.1-70b&n=1&batch=1");
  CHECK(bad.tone == Tone::bad);
  CHECK(bad.code == "does_not_fit");
  CHECK(words(bad.message).starts_with("Does not fit: each GPU would need [layout.per_gpu]"));
  // 70B in 16 bits are 141 GB: two of 80 GB hold it, or one with 4 bits.
  REQUIRE(bad.remedies.size() >= 2);
  std::set<std::string> labels;
  for (const Remedy& r : bad.remedies)
    if (r.fits) labels.insert(r.label);
  CHECK(labels.contains("2 GPUs"));
  CHECK(labels.contains("4-bit weights"));
}

TEST_CASE("verdict: where each GPU alone is too full, more GPUs are not proposed") {
  // Without sharding every GPU holds all states of 8B parameters: 144 GB.
  const Finding f = verdict_of("model=llama-3.1-8b&zero=0&n=64&tp=1");
  CHECK(f.code == "does_not_fit");
  CHECK(words(f.message).find("More GPUs alone do not help") != std::string::npos);
  REQUIRE(!f.remedies.empty());
  CHECK(f.remedies.front().label == "Shard the optimizer (ZeRO-1)");
  CHECK(f.remedies.front().fits);
}

TEST_CASE("remedies: each was tried, is a step in the right direction, and keeps its promise") {
  envelope_test::Random random(60);
  std::size_t tried = 0, fitting = 0;
  for (int i = 0; i < 600; ++i) {
    Problems problems;
    const Scenario s = scenario_of(envelope_test::random_patch(random), problems);
    const Report r = estimate(s);
    const Finding f = verdict(s, r);
    CHECK((f.code == "fits") == r.layout.fits);
    CHECK(f.remedies.size() <= 3);
    bool before = true;  // those that fit come first
    for (const Remedy& remedy : f.remedies) {
      ++tried;
      fitting += remedy.fits;
      CHECK((before || !remedy.fits));
      before = remedy.fits;
      Scenario changed = s;
      INFO(encode(s) << ": " << remedy.label);
      for (const Problem& p : apply(remedy.patch, changed)) FAIL_CHECK(p.path << ": " << p.message);
      const Report again = estimate(changed);
      CHECK(again.layout.fits == remedy.fits);
      CHECK(again.layout.per_gpu.value == remedy.per_gpu);
      CHECK(again.layout.per_gpu < r.layout.per_gpu);
    }
  }
  CHECK(tried > 100);
  CHECK(fitting > 20);
}

TEST_CASE("remedies: tensor parallelism divides heads and GPUs; ZeRO-3 does not meet a pipeline") {
  const auto labels = [](const std::string& link) {
    std::set<std::string> out;
    const Scenario s = of(link);
    const Finding f = verdict(s, estimate(s));
    CHECK(f.code == "does_not_fit");
    for (const Remedy& r : f.remedies) out.insert(r.label);
    return out;
  };
  const auto proposes = [&](const std::string& link, const char* label) {
    return labels(link).contains(label);
  };
  // 12 heads: TP 8 would cut one in two.
  const std::string twelve =
      "model=custom&heads=12&kv=4&hidden=8192&headdim=128&seq=8192&mbs=1&zero=1&tp=1&n=8";
  CHECK(proposes(twelve, "Tensor parallel over 4"));
  CHECK(!proposes(twelve, "Tensor parallel over 8"));
  CHECK(!proposes("model=llama-3.1-70b&zero=1&tp=1&pp=2&n=16", "Shard weights too (ZeRO-3)"));
}

TEST_CASE("remedies: what moves states around comes after what is free, with no work claimed") {
  envelope_test::Random random(62);
  std::size_t seen = 0;
  for (int i = 0; i < 600; ++i) {
    Problems problems;
    const Scenario s = scenario_of(envelope_test::random_patch(random), problems);
    bool dear = false;  // one that costs work or traffic came before
    for (const Remedy& r : verdict(s, estimate(s)).remedies) {
      INFO(encode(s) << ": " << r.label);
      const bool moves = r.label.find("ZeRO-3") != std::string::npos ||
                         r.label.find("host memory") != std::string::npos;
      CHECK(r.sends == moves);
      if (moves) CHECK(!given(r.work));
      seen += moves;
      const bool costs = moves || (given(r.work) && r.work > 1.005);
      if (r.fits) CHECK((!dear || costs));
      dear = dear || costs;
    }
  }
  CHECK(seen > 20);
}

TEST_CASE("findings: each appears where it applies and is away where it does not") {
  struct Row {
    const char *code, *there, *away;
  };
  const Row rows[] = {
      {"deadline_binds", "model=llama-3.1-8b&tokens=1e12&deadline=2.6e6",
       "model=llama-3.1-8b&tokens=1e6&deadline=2.6e6"},
      {"memory_binds", "model=llama-3.1-405b&tokens=1e6&deadline=2.6e6",
       "model=llama-3.1-405b&tokens=1e6"},
      {"too_late", "model=llama-3.1-8b&tokens=1e12&deadline=2.6e6&n=16",
       "model=llama-3.1-8b&tokens=1e12&deadline=2.6e6&n=1024"},
      {"activations_unknown", "model=by-size&size=7e9", "model=by-size&size=7e9&act=per-parameter"},
      {"activations_estimated", "model=llama-3.1-8b", "model=llama-3.1-8b&act=none"},
      {"tp_beyond_domain", "task=serve&model=llama-3.1-405b&n=16",
       "task=serve&model=llama-3.1-8b&n=1"},
      {"beyond_context", "task=serve&model=gpt2&prompt=1024&out=1",
       "task=serve&model=gpt2&prompt=1023&out=1"},
      {"step_limits", "model=llama-3.1-8b", "model=llama-3.1-8b&mfu=0.4"},
      {"out_of_time", "model=llama-3.1-405b&deadline=1d&gbs=64",
       "model=llama-3.1-405b&deadline=10000d"},
      {"less_than_a_step", "task=finetune&model=llama-3.1-8b",
       "task=finetune&model=llama-3.1-8b&gbs=16"},
      {"step_predicted", "model=llama-3.1-8b", "model=llama-3.1-8b&mfu=0.4"},
      {"mfu_published", "model=by-size&size=8e9", "model=by-size&size=8e9&mfu=0.4"},
      {"mfu_unknown", "model=by-size&size=8e9&gpu=apple-m2-max&prec=fp16",
       "model=by-size&size=8e9&gpu=apple-m2-max&prec=fp16&mfu=0.2"},
      {"beyond_peak", "model=llama-3.1-8b&tokens=1e12&gputime=1e3",
       "model=llama-3.1-8b&tokens=1e12&gputime=1e9"},
      {"no_price", "gpu=apple-m2-max&terms=reserved-3y",
       "gpu=apple-m2-max&terms=reserved-3y&price=1"},
      {"beyond_law", "model=llama-3.1-405b", "model=by-size&size=1e9&tokens=20e9"},
  };
  for (const Row& row : rows) {
    INFO(row.code);
    CHECK(codes(row.there).contains(row.code));
    CHECK(!codes(row.away).contains(row.code));
  }
}

TEST_CASE("findings: what they are about exists, and no code is said twice") {
  envelope_test::Random random(61);
  for (int i = 0; i < 500; ++i) {
    Problems problems;
    const Scenario s = scenario_of(envelope_test::random_patch(random), problems);
    std::set<std::string_view> said;
    for (const Finding& f : findings(s, estimate(s))) {
      INFO(f.code);
      CHECK(said.insert(f.code).second);
      CHECK(!f.message.empty());
      CHECK(!tone_id(f.tone).empty());
      CHECK(!f.about.empty());
      for (const std::string_view id : f.about) CHECK((find_metric(id) || field_by_path(id)));
    }
  }
}
