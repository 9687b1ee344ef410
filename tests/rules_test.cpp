// SPDX-License-Identifier: MIT
// Rules between fields: they warn, name the field and say what would be right; they stop nothing.
#include "envelope/rules.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/estimate.h"
#include "envelope/link.h"
#include "envelope/patch.h"
#include "random_scenario.h"

namespace {

using namespace envelope;

Scenario of(const std::string& link) {
  Problems problems;
  const Scenario s = scenario_of(decode("v=1&d=2026-11&" + link).patch, problems);
  for (const Problem& p : problems) FAIL_CHECK(link << ": " << p.path << ": " << p.message);
  return s;
}

const Problem* find_problem(const Problems& problems, std::string_view path,
                            std::string_view code) {
  for (const Problem& p : problems)
    if (p.path == path && p.code == code) return &p;
  return nullptr;
}

}  // namespace

TEST_CASE("rules: each is broken by one change and kept by the one it proposes") {
  struct Row {
    const char *broken, *path, *code, *hint, *kept;
  };
  const Row rows[] = {
      {"model=by-size&size=7e9&active=8e9", "model.active", "too_large", "at most the total",
       "model=by-size&size=7e9&active=7e9"},
      {"model=llama-3.1-8b&size=7e9", "model.params", "not_used", "by-size", "model=llama-3.1-8b"},
      {"model=llama-3.1-8b&kv=7", "model.kv_heads", "not_divisible", "1, 2, 4, 8, 16, 32",
       "model=llama-3.1-8b&kv=16"},
      {"model=mixtral-8x7b&topk=9", "model.top_k", "too_large", "number of routed experts",
       "model=mixtral-8x7b&topk=8"},
      {"model=t5-3b&enclayers=99", "model.encoder_layers", "too_large", "together",
       "model=t5-3b&enclayers=48"},
      {"model=deepseek-v3&firstdense=62", "model.first_dense", "too_large", "number of layers",
       "model=deepseek-v3&firstdense=61"},
      {"model=t5-3b&linear=mamba", "model.linear", "not_used", "kind", "model=t5-3b"},
      {"model=custom&linear=mamba", "model.linear_heads", "missing", "two times the hidden size",
       "model=custom&linear=mamba&lheads=8192"},
      {"model=bert-large&mtp=1", "model.mtp_layers", "not_used", "decoder", "model=bert-large"},
      {"n=15&tp=8&pp=2", "cluster.gpus", "too_few", "more GPUs", "n=16&tp=8&pp=2"},
      {"n=20&tp=8", "cluster.gpus", "not_divisible", "16 or 24", "n=24&tp=8"},
      {"model=gpt2&tp=8", "cluster.tp", "not_divisible", "1, 2, 3, 4, 6, 12", "model=gpt2&tp=6"},
      {"model=gpt2&pp=13", "cluster.pp", "too_large", "one stage a layer", "model=gpt2&pp=12"},
      {"tp=16", "cluster.tp", "beyond_domain", "at most 8", "tp=8"},
      {"gpu=v100-sxm2-32gb", "run.precision", "not_supported", "fp32, fp16",
       "gpu=v100-sxm2-32gb&prec=fp16"},
      {"gpu=v100-sxm2-32gb", "run.precision", "not_supported", "give the peak",
       "gpu=v100-sxm2-32gb&peakbf16=1e13"},
      {"reserve=100e9", "cluster.reserve", "too_large", "smaller", "reserve=1e9"},
  };
  for (const Row& row : rows) {
    INFO(row.broken);
    const Problems problems = check(of(row.broken));
    const Problem* p = find_problem(problems, row.path, row.code);
    REQUIRE(p);
    CHECK(p->severity == Severity::warning);
    CHECK(!p->message.empty());
    CHECK(p->hint.find(row.hint) != std::string::npos);
    INFO(p->message << " " << p->hint);
    CHECK(!find_problem(check(of(row.kept)), row.path, row.code));
  }
}

TEST_CASE("rules: serving has no pipeline and chooses its own tensor parallelism") {
  CHECK(check(of("task=serve&model=llama-3.1-70b&n=8&pp=4")).empty());
  CHECK(find_problem(check(of("task=serve&model=llama-3.1-70b&n=4&tp=8")), "cluster.gpus",
                     "too_few"));
}

TEST_CASE("rules: a broken rule is a warning, and the estimate is still made") {
  envelope_test::Random random(50);
  std::size_t warnings = 0;
  for (int i = 0; i < 500; ++i) {
    Problems problems;
    const Scenario s = scenario_of(envelope_test::random_patch(random, 30), problems);
    for (const Problem& p : check(s)) {
      ++warnings;
      if (p.severity != Severity::warning || !field_by_path(p.path) || p.hint.empty() ||
          p.value.empty())
        FAIL_CHECK(p.path << ": " << p.message);
    }
    CHECK(estimate(s).layout.used >= 1);
  }
  CHECK(warnings > 100);
}

TEST_CASE("rules: the longest list of divisors stays a sentence") {
  for (const Problem& p : check(of("model=custom&heads=10000&kv=3&tp=7")))
    CHECK(p.hint.size() < 200);
}
