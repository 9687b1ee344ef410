// SPDX-License-Identifier: MIT
// "Show the work" is the work: every formula of the ledger is evaluated again, from the ledger's
// own values and the scenario's fields.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/catalog.h"
#include "envelope/estimate.h"
#include "envelope/link.h"
#include "envelope/metrics.h"
#include "envelope/patch.h"
#include "envelope/rules.h"
#include "envelope/sources.h"
#include "ledger_eval.h"
#include "random_scenario.h"

namespace {

using namespace envelope;
using envelope_test::evaluate;
using envelope_test::Random;
using envelope_test::Values;

/// Ways to ask, beside the model: each is tried with every model of the catalog.
constexpr std::string_view kTasks[] = {
    "task=pretrain",
    "task=pretrain&count=causal&rc=selective&n=64&zero=1",
    "task=finetune",
    "task=finetune&method=lora",
    "task=finetune&method=qlora&targets=query-value",
    "task=finetune&method=lora&stack=hf-trainer-2023&tuneembed=1&tunehead=1",
    "task=finetune&method=adapter&kernels=eager",
    "task=finetune&method=adapter-v2&stack=litgpt-2023",
    "task=serve",
    "task=serve&wfmt=nf4-dq&batch=7",
};

/// One model of each make: dense, MLA with experts, experts with sinks and windows, experts beside
/// a dense layer, windows, a narrow embedding, encoder, encoder-decoder, vision, size alone.
constexpr std::string_view kMakes[] = {
    "llama-3.1-8b", "deepseek-v3", "gpt-oss-120b", "snowflake-arctic", "gemma-2-9b", "opt-350m",
    "bert-large",   "t5-11b",      "vit-h-14",     "custom",           "by-size"};

/// Every option that takes another branch.
const std::vector<std::string>& options() {
  static const std::vector<std::string> list = [] {
    std::vector<std::string> out = {"gputime=1e9",
                                    "gputime=1e9&count=full&bill=4e6",
                                    "bill=1e6",
                                    "deadline=2.6e6",
                                    "deadline=2.6e6&n=8",
                                    "deadline=1e3&tp=8&pp=4",
                                    "mfu=0.4",
                                    "price=2.5",
                                    "compute=1e22",
                                    "tokens=2e12",
                                    "tokens=1",
                                    "seq=1",
                                    "seq=131072&rc=none",
                                    "n=1000&tp=8&pp=16",
                                    "n=3&tp=8",
                                    "reserve=0",
                                    "reserve=1e12",
                                    "memrule=blog",
                                    "memrule=blog&task=serve",
                                    "memrule=blog&task=finetune&method=lora",
                                    "act=per-parameter",
                                    "act=none",
                                    "act=per-parameter&actbytes=0",
                                    "task=finetune&method=lora&saving=0.25",
                                    "task=finetune&method=lora&trainable=17.5e6",
                                    "task=finetune&method=lora&targets=attention",
                                    "task=finetune&method=lora&opt=muon&rc=none",
                                    "task=finetune&opt=adafactor",
                                    "task=serve&kvcache=0",
                                    "task=serve&draft=4",
                                    "task=serve&draft=64&accept=0.999&draftcost=0",
                                    "task=serve&prompt=0&out=1",
                                    "task=serve&cache=concatenated",
                                    "task=serve&tp=8&n=64",
                                    "task=serve&tp=8",
                                    "task=serve&n=3",
                                    "task=serve&linear=mamba-2&attnevery=2&wfmt=q4-k-m",
                                    "task=serve&pmfu=0.5&mbu=0.8&price=1",
                                    "task=serve&prompt=1e6&batch=1e3",
                                    "capex=3e4&price=0",
                                    "budget=1e24",
                                    "budgetusd=1e6",
                                    "budgetusd=1e6&price=0",
                                    "act=none&rc=none&flash=0",
                                    "size=1e9&active=1e8&kind=size-only",
                                    "kind=size-only&size=3e9&task=finetune&method=qlora",
                                    "gpu=v100-sxm2-32gb&terms=marketplace",
                                    "qrank=0&kvrank=0&nope=0&vdim=0&rope=0",
                                    "topk=64&experts=8",
                                    "firstdense=1e4&experts=8",
                                    "enclayers=1e4",
                                    "window=4096&globalevery=1e4",
                                    "window=1",
                                    "classes=10&proj=512&prenorm=1",
                                    "resffn=1024&experts=16&topk=2&moeffn=512",
                                    "sharedffn=512&ebias=1&experts=16&topk=2",
                                    "document=512",
                                    "document=1e6&seq=4096&window=1000&chunked=1",
                                    "rc=full&rcevery=3",
                                    "rc=full&rcevery=1e4",
                                    "rc=selective&dropout=1&flash=0",
                                    "rc=none&prec=fp8&scales=block",
                                    "rc=none&prec=fp4&scales=microscaling&kernels=eager",
                                    "capacity=0.5&experts=8&topk=2&moeffn=512",
                                    "capacity=1.25&experts=8&topk=2&moeffn=512&rc=full",
                                    "capacity=2&rc=none&task=finetune&method=lora",
                                    "capacity=2&mtp=2",
                                    "capacity=0.5&mtp=1&experts=8&topk=9&moeffn=64&resffn=64",
                                    "mtp=1",
                                    "mtp=3&task=serve",
                                    "mtp=3&task=finetune&method=lora",
                                    "mtp=1&task=finetune&rc=full",
                                    "mtp=1&mlpbias=1&qkvbias=1&obias=1&attngate=1&sinks=1",
                                    "window=1000&chunked=1&globalevery=4&seq=4096",
                                    "window=1000&chunked=1&task=serve&prompt=2500",
                                    "window=1000&chunked=1&task=serve&prompt=0&out=1",
                                    "attngate=1&qkvbias=1",
                                    "attngate=1&task=finetune&method=adapter-v2",
                                    "task=finetune&method=adapter",
                                    "task=finetune&method=adapter&layers=1",
                                    "task=finetune&method=adapter-v2",
                                    "task=finetune&method=adapter-v2&experts=8&topk=2&moeffn=64",
                                    "task=finetune&method=prefix",
                                    "task=finetune&method=prefix&tuneembed=1&tunehead=1",
                                    "task=finetune&method=lora&targets=mlp",
                                    "task=finetune&method=lora&targets=custom",
                                    "task=finetune&method=lora&targets=custom&tuneup=1&tuneo=1",
                                    "task=finetune&method=lora&tuneembed=1",
                                    "task=finetune&method=lora&tunehead=1",
                                    "task=finetune&method=lora&tunehead=1&tied=1",
                                    "task=finetune&method=lora&tuneembed=1&tied=1",
                                    "task=finetune&method=lora&tuneexperts=0",
                                    "task=finetune&method=lora&rc=full&rcevery=2"};
    const auto cross = [&](const std::string& head, const std::vector<std::string>& tails) {
      for (const std::string& tail : tails) out.push_back(head + tail);
    };
    const auto choices = [&](std::string_view key, const std::string& more = "") {
      const Field& f = *field_by_key(key);
      for (const Choice& c : f.choices)
        out.push_back(std::string(key) + "=" + std::string(c.id) + more);
    };
    // Hybrids: each kind of linear layer, with each way to train or serve it.
    for (const char* kind : {"mamba", "mamba-2", "gated-deltanet", "lightning"})
      cross("linear=" + std::string(kind) + "&lheads=64&lhd=8&lgroups=2&state=32&dtrank=16&attn",
            {"every=4", "every=0", "every=8&attnfirst=4&lmlp=0", "every=3&attnfirst=1&amlp=0",
             "every=0&lmlp=0&lnorm=0&conv=0", "every=4&convbias=0&mtp=1", "every=4&task=serve",
             "every=2&window=64&globalevery=3&task=serve&kvcache=0",
             "every=4&task=finetune&method=lora&opt=adafactor",
             "every=4&task=finetune&method=lora&tunehead=1",
             "every=4&task=finetune&method=lora&targets=mlp", "every=4&opt=adafactor",
             "every=4&task=finetune&method=adapter-v2",
             "every=4&experts=8&topk=2&moeffn=64&moeevery=2&firstdense=1",
             "every=2&amlp=0&experts=8&topk=2&moeffn=64"});
    for (const char* rc : {"none", "selective", "full"})
      for (const char* flash : {"0", "1"})
        out.push_back(std::string("rc=") + rc + "&flash=" + flash + "&mbs=4");
    for (const char* zero : {"0", "1", "2", "3"})
      cross(std::string("zero=") + zero,
            {"&n=64", "&n=64&tp=8", "&n=64&tp=4&pp=2", "&tp=2", "&n=16&act=per-parameter"});
    choices("count");
    choices("opt");
    choices("opt", "&zero=1&n=8");
    choices("sched", "&n=64&pp=8&gbs=512");
    choices("stack", "&n=64&tp=2&pp=2");
    choices("rc", "&tp=4&n=16&cp=2");
    // Each kind of communication, in a domain and across, and each way to hide it.
    cross("n=64&tp=4",
          {"&seqpar=0", "&seqpar=0&cp=2&cpkind=all-to-all", "&zero=0", "&shard=8",
           "&cp=4&rc=full&rcevery=2", "&cp=4&cpkind=all-to-all&pp=2", "&pp=4&vp=2&gbs=512"});
    cross("n=64&experts=16&topk=2&moeffn=512", {"&ep=16", "&ep=8&tp=2&etp=2&sharedffn=64", "&ep=4",
                                                "&ep=8&tp=2&etp=2&zero=1", "&ep=16&zero=0"});
    cross("gpu=tpu-v5p&n=64", {"&tp=4&cp=2", "&experts=16&topk=2&moeffn=512&ep=8", "&pp=4"});
    cross("gpu=l40s&n=32", {"&tp=4", "&tp=2&seqpar=0&zero=1", "&pp=4"});
    cross("rc=pointwise", {"&mtp=1&task=finetune&method=lora",
                           "&capacity=0.5&experts=8&topk=2&moeffn=512&resffn=64"});
    const std::string few = "&experts=8&topk=2&moeffn=64&moeevery=2&sharedffn=32&capacity=2";
    cross("task=finetune&method=", {"lora&tunedropout=1" + few, "lora&rc=pointwise" + few,
                                    "adapter-v2&rc=none" + few, "adapter&rc=selective" + few});
    choices("rc", "&experts=16&topk=2&moeffn=512&sharedffn=64&ep=4&n=32");
    for (const char* key : {"offweights", "offgrads", "offopt", "offact", "paged", "optbwd"})
      cross(std::string(key) + "=1", {"&n=16", "&n=16&tp=2&pp=4&zero=1", "&experts=8&topk=2&n=8"});
    cross("rc=full&rcevery=4", {"", "&experts=8&topk=2&moeffn=1024"});
    cross("pp=4&n=16", {"&tied=1", "&vp=2", "&firstlayers=3&lastlayers=1", "&keepgrads=0&gbs=4",
                        "&reshard=0", "&zero=1&loss=fused&mbs=8&rc=none", "&dropout=1&flash=0"});
    cross("prec=fp8&wcopies=2", {"", "&stack=megatron-core-2025&n=8"});
    choices("prec");
    choices("law");
    choices("law", "&budget=1e21");
    choices("terms");
    choices("wfmt", "&task=serve");
    choices("kvfmt", "&task=serve");
    choices("base", "&task=finetune&method=qlora");
    choices("wdt");
    choices("gdt", "&gcopy=1");
    choices("mdt");
    choices("odt");
    choices("norm");
    choices("qknorm");
    choices("kind", "&size=1e10&image=224&enclayers=4");
    for (const Row& row : catalog().recipes) out.push_back("recipe=" + row.id);
    return out;
  }();
  return list;
}

Scenario scenario_of_link(const std::string& text, Problems& problems) {
  const Link link = decode("v=1&d=2026-11&" + text);
  problems = link.problems;
  return scenario_of(link.patch, problems);
}

struct Case {
  std::string text;  ///< The scenario, for messages.
  Scenario scenario;
  std::vector<Step> steps;
};

/// Every scenario of this file, estimated once.
const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> out;
    Problems problems;
    const auto add = [&](std::string text, const Scenario& s) {
      out.push_back({std::move(text), s, {}});
      estimate(s, Ledger(out.back().steps));
    };
    const auto link = [&](const std::string& text) {
      const Scenario s = scenario_of_link(text, problems);
      for (const Problem& p : problems) FAIL_CHECK(text << ": " << p.path << ": " << p.message);
      add(text, s);
    };
    for (const Row& row : catalog().models)
      for (const std::string_view task : kTasks) link("model=" + row.id + "&" + std::string(task));
    for (const std::string_view make : kMakes)
      for (const std::string& option : options()) link("model=" + std::string(make) + "&" + option);
    for (const Row& row : catalog().accelerators) {
      link("gpu=" + row.id);
      link("task=serve&gpu=" + row.id);
    }
    Random random(20261122);
    for (int i = 0; i < 500; ++i)
      add("random " + std::to_string(i), scenario_of(random_patch(random), problems));
    return out;
  }();
  return all;
}

bool agree(double a, double b, double tolerance) {
  return a == b || std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b));
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out(1);
  for (const char c : text)
    if (c == ' ')
      out.emplace_back();
    else
      out.back() += c;
  return out;
}

}  // namespace

TEST_CASE("ledger: every formula gives the number beside it, from what was noted before") {
  std::size_t formulas = 0;
  for (const auto& [text, s, steps] : cases()) {
    Values values;
    for (const Field& f : fields())
      if (const double x = get_number(f, s); given(x)) values[std::string(f.path)] = x;
    for (const Step& step : steps) {
      if (!step.formula.empty()) {
        ++formulas;
        const auto again = evaluate(step.formula, values);
        // pow differs in its last places with the way to it, and roots of large powers magnify
        // that.
        const double tolerance =
            std::string_view(step.formula).find('^') == std::string_view::npos ? 1e-12 : 1e-9;
        if (!again.error.empty() || !agree(again.value, step.value, tolerance))
          FAIL_CHECK(text << ": " << step.id << " is noted as " << step.value << ", but "
                          << step.formula << " is " << again.value << " " << again.error);
      }
      values[std::string(step.id)] = step.value;
    }
  }
  CHECK(cases().size() > 2500);
  CHECK(formulas > 50 * cases().size());
}

TEST_CASE("ledger: every number is finite, and negative only where that has a meaning") {
  // Free memory is negative when it does not fit; a difference to a published number may be either.
  const std::set<std::string_view> may_be_negative = {
      "layout.free",
      "compute.off_published",
  };
  for (const auto& [text, s, steps] : cases()) {
    for (const Step& step : steps)
      if (!std::isfinite(step.value) || (step.value < 0 && !may_be_negative.contains(step.id)))
        FAIL_CHECK(text << ": " << step.id << " is " << step.value);
  }
}

TEST_CASE("ledger: a number is noted once, under a metric of the table, and no metric is idle") {
  std::set<std::string_view> seen;
  for (const auto& [text, s, steps] : cases()) {
    std::set<std::string_view> here;
    for (const Step& step : steps) {
      if (!find_metric(step.id)) FAIL_CHECK(text << ": " << step.id << " is not in the table");
      if (!here.insert(step.id).second) FAIL_CHECK(text << ": " << step.id << " is noted twice");
    }
    seen.merge(here);
  }
  for (const Metric& m : metrics())
    if (!seen.contains(m.id)) FAIL_CHECK("no scenario produces " << m.id);
  CHECK(seen.size() == metrics().size());
}

TEST_CASE("ledger: a number without a formula was looked up or chosen, and is not arithmetic") {
  // Numbers of a definition: no formula can derive them.
  const std::set<std::string_view> definitions = {
      "flops.forward_per_weight",         "flops.backward_input_per_weight",
      "flops.backward_weight_per_weight", "arch.mlp_matrices",
      "memory.embedding_tables",          "layout.kv_ways",
      "serving.speculative_speedup"};
  std::map<std::string_view, std::string> bare;
  for (const auto& [text, s, steps] : cases()) {
    for (const Step& step : steps) {
      if (!step.formula.empty() || step.value == 0 || definitions.contains(step.id)) continue;
      const Kind kind = find_metric(step.id)->kind;
      if (kind == Kind::counted || kind == Kind::modelled) bare.emplace(step.id, text);
    }
  }
  for (const auto& [id, text] : bare) FAIL_CHECK(id << " has a value and no formula in " << text);
  CHECK(bare.empty());
}

TEST_CASE("ledger: a silent ledger changes no result") {
  for (const std::string_view make : kMakes)
    for (const std::string_view task : kTasks) {
      Problems problems;
      const Scenario s =
          scenario_of_link("model=" + std::string(make) + "&" + std::string(task), problems);
      std::vector<Step> steps;
      const Report loud = estimate(s, Ledger(steps)), silent = estimate(s);
      CHECK(loud.layout.per_gpu == silent.layout.per_gpu);
      CHECK(loud.time.gpu_time == silent.time.gpu_time);
      CHECK(loud.cost.total == silent.cost.total);
      CHECK(loud.serving.tokens_per_s == silent.serving.tokens_per_s);
    }
}

TEST_CASE("metrics: each has a symbol, a unit, a label, a sentence of help and known sources") {
  const std::set<std::string_view> units = {
      "count",    "number",     "factor",  "ratio",    "byte",     "byte/s",  "byte/token",
      "flop",     "flop/token", "flop/s",  "second",   "token",    "token/s", "usd",
      "usd/hour", "watt-hour",  "pfs-day", "gpu-hour", "nat/token"};
  std::set<std::string_view> ids;
  for (const Metric& m : metrics()) {
    INFO(m.id);
    CHECK(ids.insert(m.id).second);
    CHECK(!m.symbol.empty());
    CHECK(units.contains(m.unit));
    CHECK(!m.label.empty());
    CHECK(m.label.size() < 40);
    CHECK(!kind_id(m.kind).empty());
    CHECK(m.help.text.ends_with('.'));
    CHECK(m.help.text.size() > 10);
    CHECK(!m.sources.text.empty());
    for (const std::string& key : words(m.sources.text)) {
      INFO("source \"" << key << "\"");
      CHECK(source(key) != nullptr);
    }
    CHECK(m.since == "0.1.0");
  }
}

TEST_CASE("sources: each key is used once, has an author and a title, and its address is https") {
  std::set<std::string_view> keys;
  for (const Source& s : kSources) {
    INFO(s.key);
    CHECK(keys.insert(s.key).second);
    CHECK(!s.author.empty());
    CHECK(!s.title.empty());
    CHECK((s.year == 0 || (s.year > 1950 && s.year <= 2026)));
    CHECK((s.url.empty() || s.url.starts_with("https://")));
  }
}

TEST_CASE("fields: the default is in the range, and label, help, unit and key are in form") {
  Problems none;
  const Scenario defaults = scenario_of({}, none);
  CHECK(none.empty());
  std::set<std::string_view> group_ids;
  for (const Group& g : groups()) group_ids.insert(g.id);
  for (const Field& f : fields()) {
    INFO(f.path);
    CHECK(!f.label.empty());
    CHECK(f.label.size() < 32);
    CHECK(f.help.text.ends_with('.'));
    CHECK(group_ids.contains(f.group));
    CHECK((f.flags & kAll) != 0);
    CHECK(f.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") ==
          std::string_view::npos);
    CHECK(f.since == "0.1.0");
    if (f.type == Type::number) {
      CHECK(!f.unit.empty());
      CHECK(f.min < f.max);
      // Both ends are values that the field takes itself.
      if (f.flags & kWhole) CHECK((std::floor(f.min) == f.min && std::floor(f.max) == f.max));
      const double x = get_number(f, defaults);
      if (given(x))
        CHECK((x >= f.min && x <= f.max));
      else
        CHECK((f.flags & kOptional) != 0);
    }
    if (f.type == Type::choice) {
      CHECK(f.choices.size() > 1);
      std::set<std::string_view> ids;
      for (const Choice& c : f.choices) {
        CHECK(ids.insert(c.id).second);
        CHECK(!c.label.empty());
        CHECK(c.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
              std::string_view::npos);
      }
    }
  }
}

TEST_CASE("fields and metrics share one name space, and no name means two things") {
  std::set<std::string_view> shared;
  for (const Field& f : fields())
    if (find_metric(f.path)) shared.insert(f.path);
  CHECK(shared == std::set<std::string_view>{});
}

TEST_CASE("the default scenario keeps every rule") {
  Problems problems;
  const Scenario s = scenario_of({}, problems);
  CHECK(problems.empty());
  CHECK(check(s).empty());
}
