// SPDX-License-Identifier: MIT
// Rules between fields: they warn, name the field and say what would be right; they stop nothing.
#include "envelope/rules.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/api.h"
#include "envelope/estimate.h"
#include "envelope/link.h"
#include "envelope/patch.h"
#include "envelope/repairs.h"
#include "random_scenario.h"
#include "scenarios.h"

namespace {

using namespace envelope;
using envelope_test::of;

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
      // Layouts that a framework would refuse.
      {"model=llama-3-8b&n=8&cp=16&tp=1", "cluster.gpus", "too_few", "context parallelism",
       "model=llama-3-8b&n=16&cp=16&tp=1"},
      {"model=llama-3-8b&n=1&cp=2", "cluster.gpus", "too_few", "more GPUs",
       "model=llama-3-8b&n=2&cp=2"},
      {"model=llama-3-8b&n=24&cp=16&tp=1", "cluster.gpus", "not_divisible", "16 or 32",
       "model=llama-3-8b&n=32&cp=16&tp=1"},
      {"model=llama-3-8b&tp=3", "cluster.tp", "not_divisible", "1, 2, 4", "model=llama-3-8b&tp=4"},
      {"model=custom&heads=24&kv=6&tp=4", "cluster.tp", "kv_heads", "1, 2, 3, 6",
       "model=custom&heads=24&kv=6&tp=3"},
      {"model=deepseek-v3&n=8&ep=64", "cluster.ep", "too_large", "1, 2, 4, 8",
       "model=deepseek-v3&n=8&ep=8"},
      {"model=deepseek-v3&ep=48", "cluster.ep", "not_divisible", "32, 64",
       "model=deepseek-v3&ep=32"},
      {"model=deepseek-v3&n=96&tp=1&ep=64", "cluster.ep", "not_a_share", "of 1, 2, 4, 8, 16, 32,",
       "model=deepseek-v3&n=96&tp=1&ep=32"},
      {"model=mixtral-8x7b&n=8&tp=2&etp=3", "cluster.etp", "not_divisible", "1, 2, 4, 7, 8",
       "model=mixtral-8x7b&n=8&tp=2&etp=2"},
      {"model=mixtral-8x7b&n=8&tp=2&etp=7", "cluster.etp", "not_a_share", "Use 1",
       "model=mixtral-8x7b&n=8&tp=2&etp=1"},
      {"model=mixtral-8x7b&tp=2&seqpar=0", "cluster.sp", "needed", "TP 1",
       "model=mixtral-8x7b&tp=1&seqpar=0"},
      {"model=llama-3-8b&n=12&tp=1&shard=5", "cluster.shard", "not_divisible", "1, 2, 3, 4, 6, 12",
       "model=llama-3-8b&n=12&tp=1&shard=6"},
      {"model=llama-3-8b&n=12&shard=24", "cluster.shard", "too_large", "leave it empty",
       "model=llama-3-8b&n=12"},
      {"model=llama-3-8b&n=4096&gbs=8", "run.global_batch", "too_small", "at least 512",
       "model=llama-3-8b&n=4096&gbs=512"},
      {"model=llama-3-8b&gbs=8&mbs=16", "run.global_batch", "too_small", "at least 16",
       "model=llama-3-8b&gbs=16&mbs=16"},
      {"model=llama-3-8b&n=8&tp=1&gbs=100", "run.global_batch", "not_divisible", "96 or 104",
       "model=llama-3-8b&n=8&tp=1&gbs=104"},
      {"model=llama-3-8b&n=8&tp=1&gbs=100&mbs=8", "run.global_batch", "not_divisible", "64 or 128",
       "model=llama-3-8b&n=8&tp=1&gbs=128&mbs=8"},
      {"model=llama-3-8b&pp=4&vp=10&zero=1", "cluster.virtual_stages", "too_large", "at most 8",
       "model=llama-3-8b&pp=4&vp=8&zero=1"},
      {"model=llama-3-8b&n=8&tp=1&pp=4&vp=2&zero=1&gbs=20", "run.global_batch", "not_interleaved",
       "16 or 24", "model=llama-3-8b&n=8&tp=1&pp=4&vp=2&zero=1&gbs=24"},
      {"model=llama-3.1-405b&tp=8&pp=16&vp=9&zero=1", "cluster.virtual_stages", "too_large",
       "at most 8", "model=llama-3.1-405b&tp=8&pp=16&vp=8&zero=1"},
      {"model=llama-3-8b&pp=4&firstlayers=20&lastlayers=13", "cluster.first_layers", "too_large",
       "at most 32", "model=llama-3-8b&pp=4&firstlayers=10&lastlayers=10"},
      {"model=llama-3-8b&pp=4&lastlayers=33", "cluster.last_layers", "too_large", "at most 32",
       "model=llama-3-8b&pp=4&lastlayers=5"},
      {"model=llama-3-8b&pp=3&sched=dualpipe", "cluster.pp", "odd", "2 or 4",
       "model=llama-3-8b&pp=4&sched=dualpipe"},
      {"model=llama-3-8b&n=4&tp=1&pp=4&sched=dualpipe&gbs=7", "run.global_batch",
       "too_few_micro_batches", "at least 8",
       "model=llama-3-8b&n=4&tp=1&pp=4&sched=dualpipe&gbs=8"},
      {"model=llama-3-8b&n=3&tp=1&pp=3&sched=dualpipe-v&gbs=5", "run.global_batch",
       "too_few_micro_batches", "at least 6",
       "model=llama-3-8b&n=3&tp=1&pp=3&sched=dualpipe-v&gbs=6"},
      {"model=llama-3-8b&pp=4&zero=3", "cluster.zero", "not_with_pipeline", "ZeRO-1",
       "model=llama-3-8b&pp=4&zero=1"},
      {"model=llama-3-8b&pp=4&zero=2", "cluster.zero", "not_with_pipeline", "FSDP",
       "model=llama-3-8b&pp=4&zero=2&stack=fsdp2-2024"},
      {"model=llama-3-8b&cp=4&seq=8196", "run.seq", "not_divisible", "8192 or 8200",
       "model=llama-3-8b&cp=4&seq=8200"},
      {"model=llama-3-8b&cp=4&seq=8194&cpkind=all-to-all", "run.seq", "not_divisible",
       "8192 or 8196", "model=llama-3-8b&cp=4&seq=8196&cpkind=all-to-all"},
      {"model=llama-3-8b&tp=8&seq=1001", "run.seq", "not_divisible", "1000 or 1008",
       "model=llama-3-8b&tp=8&seq=1001&seqpar=0"},
      {"model=llama-3-8b&tp=8&cp=8&cpkind=all-to-all", "cluster.cp", "not_divisible", "1, 2, 4",
       "model=llama-3-8b&tp=8&cp=4&cpkind=all-to-all"},
      {"model=llama-3-8b&n=8&tp=1&gbs=64&optbwd=1", "states.in_backward", "accumulates", "to 8",
       "model=llama-3-8b&n=8&tp=1&gbs=8&optbwd=1"},
      // Formats that nothing works in.
      {"wdt=none", "states.weights", "not_supported", "bf16", "wdt=bf16"},
      {"wdt=q4-k-m", "states.weights", "not_supported", "fp8-e4m3", "wdt=fp8-e4m3"},
      {"gdt=nf4", "states.gradients", "not_supported", "fp32", "gdt=fp32"},
      {"gdt=none", "states.gradients", "not_supported", "bf16", "gdt=bf16"},
      {"mdt=int4", "states.master", "not_supported", "none", "mdt=none"},
      {"odt=exl2-3", "states.optimizer_format", "not_supported", "int8", "odt=int8"},
      {"reduce=q2-k", "cluster.reduce", "not_supported", "bf16", "reduce=bf16"},
      {"task=finetune&method=lora&adt=iq1-s", "tune.adapter", "not_supported", "none",
       "task=finetune&method=lora&adt=none"},
      {"task=finetune&method=qlora&base=none", "tune.base", "not_supported", "nf4",
       "task=finetune&method=qlora&base=nf4"},
      {"task=finetune&method=lora&wdt=none", "states.weights", "not_supported", "nf4",
       "task=finetune&method=lora&wdt=nf4"},
      {"task=serve&wfmt=none", "serve.weights", "not_supported", "bf16", "task=serve&wfmt=q4-k-m"},
      {"task=serve&kvfmt=none", "serve.kv", "not_supported", "fp8-e4m3",
       "task=serve&kvfmt=fp8-e4m3"},
      {"task=serve&kvfmt=q4-k-m", "serve.kv", "not_supported", "q4-0", "task=serve&kvfmt=q4-0"},
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

TEST_CASE("rules: a value without effect is noted, unless it is what would be there anyway") {
  struct Row {
    const char *idle, *path, *at_work;
  };
  const Row rows[] = {
      {"ep=8", "cluster.ep", "model=mixtral-8x7b&ep=8"},
      {"etp=2", "cluster.etp", "model=mixtral-8x7b&etp=2"},
      {"vp=2", "cluster.virtual_stages", "pp=2&vp=2"},
      {"pp=2&vp=2&sched=zb-h1", "cluster.virtual_stages", "pp=2&vp=2"},
      {"sched=zb-h1", "cluster.schedule", "pp=2&sched=zb-h1"},
      {"firstlayers=2", "cluster.first_layers", "pp=2&firstlayers=2"},
      {"lastlayers=2", "cluster.last_layers", "pp=2&lastlayers=2"},
      {"cpkind=all-to-all", "cluster.cp_kind", "cp=2&cpkind=all-to-all"},
      {"rc=none&rcevery=2", "run.recompute_every", "rc=full&rcevery=2"},
      {"zero=1&prefetch=3", "cluster.prefetch", "zero=3&prefetch=3"},
      {"zero=1&reshard=0", "cluster.reshard", "zero=3&reshard=0"},
      {"zero=0&shard=8", "cluster.shard", "zero=1&shard=8"},
      {"zero=1&wcopies=1", "stack.weight_copies", "zero=1&wcopies=1&prec=fp8"},
      {"zero=3&wcopies=1&prec=fp8", "stack.weight_copies", "zero=2&wcopies=1&prec=fp8"},
      {"scales=block", "run.scales", "scales=block&prec=fp8"},
      {"opt=adam-8bit&odt=bf16", "states.optimizer_format", "opt=adam&odt=bf16"},
      {"task=finetune&method=lora&trainable=1e6&rank=8", "tune.rank",
       "task=finetune&method=lora&rank=8"},
      {"task=finetune&method=lora&trainable=1e6&targets=mlp", "tune.targets",
       "task=finetune&method=lora&targets=mlp"},
      {"model=vit-h-14&seq=1024", "run.seq", "model=llama-3-8b&seq=1024"},
  };
  for (const Row& row : rows) {
    INFO(row.idle);
    const Problems problems = check(of(row.idle));
    const Problem* p = find_problem(problems, row.path, "not_used");
    REQUIRE(p);
    CHECK(p->severity == Severity::note);
    CHECK(!p->message.empty());
    CHECK(!p->hint.empty());
    CHECK(!find_problem(check(of(row.at_work)), row.path, "not_used"));
  }
  // A framework's or recipe's own choices were not typed.
  for (const char* link : {"stack=megatron-core-2024&zero=1", "recipe=adam-8bit", "zero=1"})
    CHECK(check(of(link)).empty());
}

TEST_CASE("rules: fewer KV heads than tensor-parallel ranks are copied, which is said") {
  const Problems problems = check(of("model=custom&heads=32&kv=4&tp=8"));
  const Problem* p = find_problem(problems, "cluster.tp", "kv_heads");
  REQUIRE(p);
  CHECK(p->severity == Severity::note);
  CHECK(check(of("task=serve&model=custom&heads=32&kv=4&tp=8&n=8")).empty());
  CHECK(check(of("model=custom&heads=32&kv=8&tp=8")).empty());
}

TEST_CASE("rules: where tensor parallelism is left open, one that keeps a rule keeps it") {
  // 8 GPUs of TP 1 would need a global batch that 8 divides; TP 8 may have any.
  CHECK(check(of("model=llama-3-8b&n=8&gbs=3")).empty());
  CHECK(
      find_problem(check(of("model=llama-3-8b&n=8&gbs=3&tp=1")), "run.global_batch", "too_small"));
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
      if (p.severity == Severity::error || p.message.empty() || !field_by_path(p.path) ||
          p.hint.empty() || p.value.empty())
        FAIL_CHECK(p.path << ": " << p.message);
    }
    CHECK(estimate(s).layout.used >= 1);
  }
  CHECK(warnings > 100);
}

TEST_CASE("rules: the longest list of divisors stays a sentence") {
  for (const Problem& p : check(of("model=custom&heads=10000&kv=3&tp=7")))
    CHECK(p.hint.size() < 200);
  for (const Problem& p : check(of("model=mixtral-8x7b&experts=5040&moeffn=5040&ep=11&etp=11")))
    CHECK(p.hint.size() < 300);
}

namespace {

Problems repaired(const Scenario& s) {
  Problems problems = check(s);
  repair(s, problems);
  return problems;
}

}  // namespace

TEST_CASE("repairs: a layout that cannot run is given the nearest values that can") {
  struct Row {
    const char *link, *path, *code;
    std::vector<const char*> labels;
  };
  const Row rows[] = {
      {"model=llama-3-8b&seqpar=0&tp=3",
       "cluster.tp",
       "not_divisible",
       {"Tensor parallel: 2", "Tensor parallel: 4"}},
      {"model=gpt2&tp=8&seq=1024", "cluster.tp", "not_divisible", {"Tensor parallel: 4"}},
      {"tp=16",
       "cluster.tp",
       "beyond_domain",
       {"Tensor parallel: 8", "Tensor parallel across domains: on"}},
      {"model=gpt2&zero=1&pp=13", "cluster.pp", "too_large", {"Pipeline parallel: 12"}},
      {"model=llama-3-8b&zero=1&pp=6",
       "cluster.pp",
       "uneven",
       {"Pipeline parallel: 4", "Pipeline parallel: 8",
        "Layers of the first stage: 6, Layers of the last stage: 6"}},
      {"model=deepseek-v3&ep=48",
       "cluster.ep",
       "not_divisible",
       {"Expert parallel: 32", "Expert parallel: 64"}},
      {"model=deepseek-v3&n=8&tp=1&gbs=2048&ep=64",
       "cluster.ep",
       "too_large",
       {"Expert parallel: 8", "GPUs: 64"}},
      {"model=llama-3-8b&n=8&tp=1&gbs=100",
       "run.global_batch",
       "not_divisible",
       {"Global batch: 96", "Global batch: 104"}},
      {"model=llama-3-8b&n=8&tp=1&pp=4&vp=2&zero=1&gbs=20",
       "run.global_batch",
       "not_interleaved",
       {"Global batch: 16", "Global batch: 24", "Virtual stages: 1"}},
      {"model=llama-3-8b&n=4&tp=1&pp=4&zero=1&sched=dualpipe&gbs=7",
       "run.global_batch",
       "too_few_micro_batches",
       {"Global batch: 8", "Pipeline schedule: 1F1B, interleaved with virtual stages"}},
      {"model=llama-3-8b&cp=4&seq=8196",
       "run.seq",
       "not_divisible",
       {"Sequence length: 8192", "Sequence length: 8200"}},
      {"model=llama-3-8b&n=20&tp=8&gbs=6",
       "cluster.gpus",
       "not_divisible",
       {"GPUs: 16", "GPUs: 24"}},
      {"model=llama-3-8b&zero=1&pp=4&vp=10",
       "cluster.virtual_stages",
       "too_large",
       {"Virtual stages: 8"}},
      {"vp=2", "cluster.virtual_stages", "not_used", {"Virtual stages: 1"}},
      {"model=llama-3-8b&pp=4&zero=3", "cluster.zero", "not_with_pipeline", {"ZeRO stage: 1"}},
  };
  for (const Row& row : rows) {
    INFO(row.link);
    const Problems problems = repaired(of(row.link));
    const Problem* p = find_problem(problems, row.path, row.code);
    REQUIRE(p);
    std::vector<std::string> labels;
    for (const Repair& r : p->repairs) labels.push_back(r.label);
    CHECK(labels == std::vector<std::string>(row.labels.begin(), row.labels.end()));
  }
}

TEST_CASE("repairs: a change that is offered ends its problem and breaks nothing else") {
  envelope_test::Random random(51);
  constexpr std::string_view kPaths[] = {"cluster.gpus",
                                         "cluster.tp",
                                         "cluster.pp",
                                         "cluster.cp",
                                         "cluster.ep",
                                         "cluster.etp",
                                         "cluster.shard",
                                         "cluster.first_layers",
                                         "cluster.last_layers",
                                         "cluster.schedule",
                                         "cluster.virtual_stages",
                                         "run.global_batch",
                                         "run.micro_batch",
                                         "run.seq",
                                         "cluster.zero",
                                         "cluster.cp_kind"};
  constexpr std::string_view kModels[] = {"llama-3-8b", "llama-3.1-405b", "deepseek-v3",
                                          "mixtral-8x7b", "gpt2"};
  std::size_t broken = 0, helped = 0, offered = 0;
  for (int i = 0; i < 400; ++i) {
    Patch patch = {{"model.id", std::string(kModels[random.below(5)])}};
    Scenario s;
    Problems none;
    for (int k = 0; k < 5; ++k) {
      const Field& f = *field_by_path(kPaths[random.below(std::size(kPaths))]);
      // Counts that people type, of which many do not go together.
      const double number = static_cast<double>(1 + random.below(24)) *
                            static_cast<double>(f.path == "run.seq" ? 500 : 1);
      patch.emplace_back(f.path, f.type == Type::number ? Value(std::min(number, f.max))
                                                        : envelope_test::random_value(f, random));
    }
    s = scenario_of(patch, none);
    const Problems problems = repaired(s);
    for (const Problem& p : problems) {
      if (p.severity == Severity::warning) {
        ++broken;
        helped += !p.repairs.empty();
      }
      for (const Repair& r : p.repairs) {
        ++offered;
        Scenario t = s;
        INFO(encode(s) << " " << p.path << " " << p.code << ": " << r.label);
        REQUIRE(apply(r.patch, t).empty());
        REQUIRE(!r.label.empty());
        for (const Problem& after : check(t)) {
          CHECK((after.path != p.path || after.code != p.code));
          if (after.severity == Severity::warning)
            CHECK(find_problem(problems, after.path, after.code));
        }
      }
    }
  }
  CHECK(broken > 400);
  CHECK(offered > 500);
  // Some break several rules at once, and one change does not end all.
  INFO(helped << " of " << broken);
  CHECK(helped > broken / 2);
}

TEST_CASE("repairs: no legal value lies nearer than those that are offered") {
  for (const char* model : {"llama-3-8b", "gpt2", "deepseek-v3"})
    for (double tp = 1; tp <= 40; ++tp) {
      Scenario s = of(std::string("seqpar=0&model=") + model);
      s.cluster.tp = tp;
      const Problems problems = repaired(s);
      const Problem* p = find_problem(problems, "cluster.tp", "not_divisible");
      if (!p) continue;
      INFO(model << " " << tp);
      for (const Repair& r : p->repairs) {
        const double to = std::get<double>(*find(r.patch, "cluster.tp"));
        for (double x = std::min(tp, to) + 1; x < std::max(tp, to); ++x) {
          Scenario t = s;
          t.cluster.tp = x;
          const Problems then = check(t);
          const bool legal = !find_problem(then, "cluster.tp", "not_divisible") &&
                             !find_problem(then, "cluster.tp", "kv_heads") &&
                             !find_problem(then, "cluster.tp", "beyond_domain");
          CHECK(!legal);
        }
      }
    }
}

TEST_CASE("repairs: the API names them as patches") {
  const std::string answer = api::estimate("v=1&d=2026-11&model=llama-3-8b&seqpar=0&tp=3");
  CHECK(answer.find(R"("patches":[{"label":"Tensor parallel: 2","patch":{"cluster.tp":2}})") !=
        std::string::npos);
}
