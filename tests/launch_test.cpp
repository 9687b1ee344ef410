// SPDX-License-Identifier: MIT
// Launch texts are read back: every key is one that the launcher's own list has, every value is of
// its kind, and the layout that comes out is the layout that went in. The readers here know nothing
// of how the texts were written.
#include "envelope/launch.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "catch.h"
#include "envelope/api.h"
#include "envelope/catalog.h"
#include "envelope/embedded.h"
#include "envelope/json.h"
#include "envelope/layers.h"
#include "envelope/link.h"
#include "random_scenario.h"
#include "scenarios.h"

namespace {

using namespace envelope;
using envelope_test::of;
using envelope_test::Random;

Launch launched(const Scenario& s, std::string_view id = "") {
  Problems problems;
  return launch(s, id, problems);
}

// ------------------------------------------------------------------------------- the lists

const Json& list_file() {
  static const Json file = [] {
    Json out;
    Problems problems;
    const std::string_view text = embedded::launchers();
    REQUIRE(parse_json(text, out, problems, text.size()));
    return out;
  }();
  return file;
}

const Json& flags_of(std::string_view id) {
  for (const Json& row : list_file().find("rows")->items)
    if (row.text_at("id") == id) return *row.find("flags");
  FAIL("no row " << id);
  return list_file();
}

// ------------------------------------------------------------------------------- the readers

/// A value as it was read; `open` marks what a person fills in.
struct Found {
  std::string value;
  bool open = false, given = true, quoted = false;
};
using Keys = std::vector<std::pair<std::string, Found>>;

/// Words of a POSIX shell: quotes, escapes, comments and continued lines. A word that holds an
/// unquoted or double-quoted $NAME keeps it as it stands.
std::vector<std::vector<std::string>> shell_commands(const std::string& text) {
  std::vector<std::vector<std::string>> commands(1);
  std::string word;
  bool any = false;
  const auto end_word = [&] {
    if (any) commands.back().push_back(word);
    word.clear();
    any = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      if (text[++i] != '\n') {
        word += text[i];
        any = true;
      }
    } else if (c == '\'') {
      any = true;
      for (++i; i < text.size() && text[i] != '\''; ++i) word += text[i];
    } else if (c == '"') {
      any = true;
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size() &&
            std::string_view("$`\"\\").find(text[i + 1]) != std::string_view::npos)
          ++i;
        word += text[i];
      }
    } else if (c == '#' && !any) {
      while (i < text.size() && text[i] != '\n') ++i;
      --i;
    } else if (c == '\n') {
      end_word();
      if (!commands.back().empty()) commands.emplace_back();
    } else if (c == ' ') {
      end_word();
    } else {
      word += c;
      any = true;
    }
  }
  end_word();
  return commands;
}

bool is_open(const std::string& value) {
  return !value.empty() && (value[0] == '$' || (value[0] == '<' && value.back() == '>'));
}

/// Flags of the last command. Those of the program that starts others stand as "torchrun --nnodes".
Keys shell_keys(const std::string& text) {
  Keys out;
  std::string program;
  for (const auto& words : shell_commands(text)) {
    if (words.empty() || words[0] == ":" || words[0] == "set") continue;
    program = words[0];
    const bool starts = program == "torchrun" || program == "deepspeed" ||
                        program == "accelerate" || program == "tune";
    std::string prefix = starts ? program + " " : "";
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::string& w = words[i];
      const std::size_t equals = w.find('=');
      if (w == "-m" && program.compare(0, 6, "python") == 0) {
        ++i;  // the module
        continue;
      }
      const bool script = w.size() > 3 && w.compare(w.size() - 3, 3, ".py") == 0;
      if (script)
        prefix = w.find("run_recipe") != std::string::npos ? "run_recipe.py "
                 : w.find("train.py") != std::string::npos ? "train.py "
                                                           : "";
      if (w == "\"$TRAIN_SCRIPT\"" || w == "$TRAIN_SCRIPT") break;  // what follows is the script's
      if (w.compare(0, 1, "-") == 0 && w.size() > 1) {
        Found f;
        f.given = i + 1 < words.size() &&
                  (words[i + 1].compare(0, 1, "-") != 0 || words[i + 1].size() == 1) &&
                  words[i + 1].find(".py") == std::string::npos;
        if (f.given) f.value = words[i + 1];
        f.open = is_open(f.value);
        out.emplace_back(prefix + w, f);
        if (f.given) ++i;
      } else if (equals != std::string::npos) {
        Found f{w.substr(equals + 1)};
        f.open = is_open(f.value);
        out.emplace_back(w.substr(0, equals), f);
      }
    }
  }
  return out;
}

Found unquoted(std::string value) {
  Found f;
  if (!value.empty() && value[0] == '"') {
    Json json;
    Problems problems;
    std::size_t end = 1;
    while (end < value.size() && value[end] != '"') end += value[end] == '\\' ? 2 : 1;
    REQUIRE(parse_json("[" + value.substr(0, end + 1) + "]", json, problems));
    f.value = json.items[0].text;
    f.quoted = true;
  } else {
    f.value = value.substr(0, value.find("  #"));
  }
  f.open = is_open(f.value);
  return f;
}

Keys yaml_keys(const std::string& text) {
  Keys out;
  std::vector<std::pair<std::size_t, std::string>> path;  // indentation, key
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    if (const std::size_t dash = line.find("- ");
        line.find_first_not_of(' ') == dash && dash != std::string::npos)
      line[dash] = ' ';
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent == std::string::npos || line[indent] == '#') continue;
    const std::size_t colon = line.find(':');
    REQUIRE(colon != std::string::npos);
    while (!path.empty() && path.back().first >= indent) path.pop_back();
    std::string key;
    for (const auto& [depth, name] : path) key += name + ".";
    key += line.substr(indent, colon - indent);
    if (colon + 1 == line.size())
      path.emplace_back(indent, line.substr(indent, colon - indent));
    else
      out.emplace_back(key, unquoted(line.substr(colon + 2)));
  }
  return out;
}

Keys toml_keys(const std::string& text) {
  Keys out;
  std::string section;
  std::set<std::string> sections;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[') {
      section = line.substr(1, line.size() - 2) + ".";
      CHECK(sections.insert(section).second);  // a table may be opened once
      continue;
    }
    const std::size_t equals = line.find(" = ");
    REQUIRE(equals != std::string::npos);
    out.emplace_back(section + line.substr(0, equals), unquoted(line.substr(equals + 3)));
  }
  return out;
}

void json_keys(const Json& json, const std::string& prefix, Keys& out) {
  for (std::size_t i = 0; i < json.keys.size(); ++i) {
    const Json& v = json.items[i];
    const std::string key = prefix + json.keys[i];
    if (v.kind == Json::Kind::object) {
      json_keys(v, key + ".", out);
      continue;
    }
    Found f;
    f.value = v.kind == Json::Kind::text   ? v.text
              : v.kind == Json::Kind::flag ? (v.flag ? "true" : "false")
              : std::floor(v.number) == v.number && std::fabs(v.number) < 1e15
                  ? std::to_string(static_cast<long long>(v.number))
                  : number_text(v.number);
    f.open = is_open(f.value);
    out.emplace_back(key, f);
  }
}

Keys keys_of(const LaunchFile& file) {
  if (file.language == "sh") return shell_keys(file.text);
  if (file.language == "yaml") return yaml_keys(file.text);
  if (file.language == "toml") return toml_keys(file.text);
  REQUIRE(file.language == "json");
  Keys out;
  Json json;
  Problems problems;
  REQUIRE(parse_json(file.text, json, problems));
  json_keys(json, "", out);
  return out;
}

Keys keys_of(const Launch& l) {
  Keys out;
  for (const LaunchFile& f : l.files)
    for (auto& key : keys_of(f)) out.push_back(std::move(key));
  return out;
}

bool number(const std::string& text, double& out) { return parse_number(text, "", out); }

/// Whether a value is of the kind that the list says.
bool fits(const Json& kind, const Found& f) {
  if (kind.kind == Json::Kind::array)
    return std::any_of(kind.items.begin(), kind.items.end(), [&](const Json& choice) {
      return choice.text == f.value || "[\"" + choice.text + "\"]" == f.value;
    });
  if (kind.text == "flag") return !f.given;
  if (!f.given) return false;
  if (f.open || kind.text == "text") return !f.value.empty();
  if (kind.text == "bool") return f.value == "true" || f.value == "false";
  double x = 0;
  // Parsers of integers read digits alone, no exponent.
  if (kind.text == "int")
    return !f.quoted && !f.value.empty() &&
           f.value.find_first_not_of("0123456789", f.value[0] == '-') == std::string::npos;
  if (kind.text == "number") return number(f.value, x);
  Json json;
  Problems problems;
  return kind.text == "json" && parse_json(f.value, json, problems);
}

std::set<std::string>& seen_keys() {
  static std::set<std::string> keys;
  return keys;
}

/// Checks one text; the first fault is told.
void check_text(const Scenario& s, const Launcher& launcher) {
  Problems problems;
  const Launch l = launch(s, launcher.id, problems);
  REQUIRE(l.launcher);
  CHECK(l.launcher->id == launcher.id);
  CHECK(!has_error(problems));
  CHECK(!l.files.empty());
  const Json& flags = flags_of(launcher.id);
  for (const LaunchFile& file : l.files) {
    INFO(file.name);
    std::set<std::string> once;
    for (const auto& [key, found] : keys_of(file)) {
      const Json* kind = flags.find(key);
      if (!kind) {
        FAIL_CHECK(launcher.id << " is not known to have " << key << "; " << encode(s));
        continue;
      }
      if (!fits(*kind, found))
        FAIL_CHECK(launcher.id << ": " << key << " is not " << found.value << "; " << encode(s));
      if (!once.insert(key).second) FAIL_CHECK(launcher.id << ": " << key << " stands twice");
      seen_keys().insert(launcher.id + " " + key);
    }
  }
  for (const std::string& note : l.notes) {
    INFO(note);
    CHECK(note.back() == '.');
    CHECK(note.size() > 20);
  }
}

void check_all(const Scenario& s) {
  const Launch any = launched(s);
  CHECK((any.launcher == nullptr) == any.possible.empty());
  CHECK(any.possible.size() + any.impossible.size() == launchers().size());
  for (const auto& each : any.impossible) CHECK(each.why.size() > 20);
  for (const Launcher* launcher : any.possible) check_text(s, *launcher);
}

const char* const kLayouts[] = {
    "task=pretrain&n=8",
    "task=pretrain&n=512&tp=8&pp=4&zero=1&batch=512&stack=megatron-core-2024",
    "task=pretrain&n=1024&tp=4&pp=2&vp=2&cp=2&zero=1&batch=1024&seq=32768&prec=fp8",
    "task=pretrain&n=64&tp=1&zero=3&shard=8&rc=pointwise&stack=fsdp2-2024",
    "task=pretrain&gpu=tpu-v5p&n=256&tp=4&zero=3",
    "task=pretrain&n=12&zero=2&offopt=1&offweights=1&rc=none&offact=1",
    "task=finetune&method=full&n=8&zero=3",
    "task=finetune&method=lora&n=1&zero=0",
    "task=finetune&method=qlora&n=16&zero=2&rank=64&targets=query-value",
    "task=serve&n=8&tp=8&wfmt=fp8-e4m3&kvfmt=fp8-e4m3",
    "task=serve&n=16&tp=4&wfmt=q4-k-m&draft=4",
    "task=serve&n=1&tp=1&wfmt=nf4&prefill=2048",
};

}  // namespace

TEST_CASE("launch: every flag of every text is one that the launcher has, for every model") {
  for (const Row& model : catalog().models)
    for (const char* layout : kLayouts) {
      Problems ignored;
      const Link link = decode("v=1&d=2026-11&model=" + model.id + "&" + layout);
      INFO(model.id << " " << layout);
      CHECK(link.problems.empty());
      check_all(scenario_of(link.patch, ignored));
    }
}

TEST_CASE("launch: ... and for scenarios from anywhere in the field table") {
  Random random(20);
  for (int i = 0; i < 1500; ++i) {
    Problems ignored;
    const Scenario s = scenario_of(envelope_test::random_patch(random, 20), ignored);
    INFO(encode(s));
    check_all(s);
  }
}

TEST_CASE("launch: the list holds no flag that no text uses") {
  const auto use = [](const std::string& link) {
    Problems ignored;
    const Scenario s = scenario_of(decode("v=1&d=2026-11&" + link).patch, ignored);
    for (const Launcher* launcher : launched(s).possible) check_text(s, *launcher);
  };
  for (const Row& model : catalog().models)
    for (const char* layout : kLayouts) use("model=" + model.id + "&" + layout);
  const std::string pre = "task=pretrain&model=llama-3.1-8b&n=64&tp=2&zero=1&batch=512&";
  for (const char* more : {"pp=4&firstlayers=7&lastlayers=9",
                           "pp=4&firstlayers=6&lastlayers=6",
                           "opt=muon",
                           "opt=sgd",
                           "opt=adam&odt=bf16&mdt=fp16",
                           "prec=fp16",
                           "prec=fp4",
                           "flash=0",
                           "dropout=1",
                           "gdt=bf16&reduce=bf16",
                           "document=512",
                           "stack=fsdp2-2024&zero=3&optbwd=1",
                           "pp=2&layers=30&model=custom",
                           "pp=3&n=48&vp=1",
                           "rcevery=2&rc=full",
                           "prec=fp8&scales=block",
                           "prec=fp8&scales=microscaling",
                           "cp=2&cpkind=all-to-all",
                           "window=4096&globalevery=4",
                           "rc=none&offact=1&pp=1",
                           "offopt=1",
                           "pp=4&layers=30&model=custom",
                           "zero=3&shard=8"})
    use(pre + more);
  for (const char* more :
       {"opt=adam-8bit", "opt=lion", "opt=adam-8bit&paged=1", "zero=3&shard=4", "prec=fp8",
        "rc=full&offact=1", "cp=2&zero=3", "zero=2&offopt=1&offact=1", "prec=fp32"})
    use(std::string("task=finetune&model=llama-3.1-8b&method=full&n=16&tp=1&") + more);
  for (const char* more : {"wdt=llm-int8", "targets=custom&tunehead=1&tuneembed=1"})
    use(std::string("task=finetune&model=llama-3.1-8b&method=lora&n=16&tp=1&") + more);
  use("task=pretrain&model=gpt-oss-20b&n=64&tp=1&zero=3");
  for (const char* more : {"n=32&tp=16", "n=64&tp=4", "n=8&tp=2", "draft=3", "prefill=512"})
    use(std::string("task=serve&model=llama-3.1-70b&") + more);
  use("task=pretrain&model=deepseek-v3&n=2048&tp=1&pp=16&ep=64&zero=1&capacity=1.5&batch=4096");
  use("task=pretrain&model=mixtral-8x7b&gpu=tpu-v5e&n=512&tp=1&ep=8&zero=1&batch=512");
  std::string unused;
  for (const Json& row : list_file().find("rows")->items)
    for (const std::string& key : row.find("flags")->keys)
      if (!seen_keys().count(std::string(row.text_at("id")) + " " + key))
        unused += "\n" + std::string(row.text_at("id")) + " " + key;
  CHECK(unused == "");
}

TEST_CASE("launch: the published layout of Llama 3 405B is TP 8, PP 16 with 128 replicas") {
  const Launch l = launched(
      of("model=llama-3.1-405b&n=16384&tp=8&pp=16&zero=1&batch=2048&stack=megatron-core-2024"));
  REQUIRE(l.launcher);
  CHECK(l.launcher->id == "megatron-lm");
  std::map<std::string, std::string> f;
  for (const auto& [key, found] : keys_of(l)) f[key] = found.value;
  CHECK(f["--tensor-model-parallel-size"] == "8");
  CHECK(f["--pipeline-model-parallel-size"] == "16");
  CHECK(f["torchrun --nnodes"] == "2048");
  CHECK(f["torchrun --nproc-per-node"] == "8");
  CHECK(f["--num-layers"] == "126");
  CHECK(f["--num-query-groups"] == "8");
  CHECK(f["--ffn-hidden-size"] == "53248");
  CHECK(f["--global-batch-size"] == "2048");
  CHECK(f["--tokenizer-model"] == "$TOKENIZER");
  CHECK(f.count("--sequence-parallel") == 1);
  CHECK(f.count("--use-distributed-optimizer") == 1);
  // Embedding and head count as layers: 128 divide among 16 stages, and the first and last have 7.
  CHECK(f.count("--account-for-embedding-in-pipeline-split") == 1);
  CHECK(f.count("--account-for-loss-in-pipeline-split") == 1);
}

namespace {

/// A layout that divides everywhere, so that each number can come back.
Scenario random_layout(Random& random) {
  const auto one_of = [&](std::initializer_list<double> list) {
    return *(list.begin() + random.below(list.size()));
  };
  const bool moe = random.one_in(3);
  Scenario s = of(moe ? "model=mixtral-8x7b" : "model=llama-3.1-70b");
  Cluster& c = s.cluster;
  c.tp = one_of({1, 2, 4, 8});
  c.pp = one_of({1, 2, 4, 8});
  c.virtual_stages = c.pp > 1 ? one_of({1, 2}) : 1;
  c.cp = one_of({1, 2, 4});
  c.cp_kind = random.one_in(2) ? ContextParallel::ring : ContextParallel::all_to_all;
  c.sp = moe || random.one_in(2);
  c.ep = moe ? one_of({1, 2, 4, 8}) : 1;
  if (moe) c.etp = one_of({1, 2});
  const double dp = 16 * one_of({1, 2, 4, 8});
  c.gpus = c.tp * c.pp * c.cp * dp;
  c.zero = one_of({0, 1, 2, 3});
  if (c.zero > 0 && random.one_in(3)) c.shard = dp * c.cp / 2;
  s.run.micro_batch = one_of({1, 2, 4});
  s.run.global_batch = s.run.micro_batch * dp * one_of({1, 4, 16});
  s.run.seq = one_of({4096, 8192, 32768});
  s.run.recompute = static_cast<Recompute>(random.below(3));
  s.run.precision = random.one_in(3) ? Precision::fp8 : Precision::bf16;
  s.run.scales = static_cast<Scales>(random.below(3));
  s.cluster.offload_optimizer = random.one_in(4);
  return s;
}

}  // namespace

TEST_CASE("launch: Megatron-LM's arguments say the layout, read back on 1000 random ones") {
  Random random(7);
  for (int i = 0; i < 1000; ++i) {
    const Scenario s = random_layout(random);
    INFO(encode(s));
    const Launch l = launched(s, "megatron-lm");
    REQUIRE(l.launcher);
    std::map<std::string, std::string> f;
    for (const auto& [key, found] : keys_of(l)) f[key] = found.value;
    const auto n = [&](const std::string& key, double otherwise) {
      double x = otherwise;
      if (f.count(key)) REQUIRE(number(f[key], x));
      return x;
    };
    Cluster c;
    c.tp = n("--tensor-model-parallel-size", 1);
    c.pp = n("--pipeline-model-parallel-size", 1);
    c.virtual_stages = n("--num-virtual-stages-per-pipeline-rank", 1);
    c.cp = n("--context-parallel-size", 1);
    c.ep = n("--expert-model-parallel-size", 1);
    c.sp = f.count("--sequence-parallel") > 0;
    c.gpus = n("torchrun --nnodes", 1) * n("torchrun --nproc-per-node", 1);
    const std::string sharing = f["--data-parallel-sharding-strategy"];
    c.zero = sharing == "optim_grads_params"          ? 3
             : sharing == "optim_grads"               ? 2
             : f.count("--use-distributed-optimizer") ? 1
                                                      : 0;
    CHECK(c.tp == s.cluster.tp);
    CHECK(c.pp == s.cluster.pp);
    CHECK(c.virtual_stages == s.cluster.virtual_stages);
    CHECK(c.cp == s.cluster.cp);
    CHECK(c.ep == s.cluster.ep);
    CHECK(c.gpus == s.cluster.gpus);
    CHECK(c.zero == s.cluster.zero);
    CHECK(c.sp == (s.cluster.sp && s.cluster.tp > 1));
    if (s.model.experts > 0) CHECK(n("--expert-tensor-parallel-size", 1) == s.cluster.etp);
    const double ranks = c.gpus / (c.tp * c.pp);  // DP x CP
    const double shard = ranks / n("--num-distributed-optimizer-instances", 1);
    CHECK(shard == (given(s.cluster.shard) ? s.cluster.shard : ranks));
    if (c.cp > 1)
      CHECK((f["--cp-comm-type"] == "p2p") == (s.cluster.cp_kind == ContextParallel::ring));
    CHECK(n("--micro-batch-size", 0) == s.run.micro_batch);
    CHECK(n("--global-batch-size", 0) == s.run.global_batch);
    CHECK(n("--seq-length", 0) == s.run.seq);
    CHECK(f["--recompute-granularity"] == (s.run.recompute == Recompute::none   ? ""
                                           : s.run.recompute == Recompute::full ? "full"
                                                                                : "selective"));
    CHECK(f["--fp8-recipe"] == (s.run.precision != Precision::fp8 ? ""
                                : s.run.scales == Scales::tensor  ? "tensorwise"
                                : s.run.scales == Scales::block   ? "blockwise"
                                                                  : "mxfp8"));
    CHECK((f.count("--optimizer-cpu-offload") > 0) == s.cluster.offload_optimizer);
    // What Megatron demands of it.
    CHECK(std::fmod(n("--num-layers", 0), c.pp * c.virtual_stages) == 0);
    CHECK(std::fmod(s.run.global_batch, s.run.micro_batch * ranks / c.cp) == 0);
  }
}

TEST_CASE("launch: vLLM's flags say the server, read back on 1000 random ones") {
  Random random(9);
  for (int i = 0; i < 1000; ++i) {
    Scenario s = of("task=serve&model=llama-3.1-70b");
    const double tp = static_cast<double>(1u << random.below(4)),
                 dp = static_cast<double>(1 + random.below(4));
    s.cluster.tp = tp;
    s.cluster.gpus = tp * dp;
    s.serve.batch = static_cast<double>(1 + random.below(500));
    s.serve.prompt = static_cast<double>(1 + random.below(8000));
    s.serve.output = static_cast<double>(1 + random.below(1000));
    s.serve.kv = random.one_in(2) ? Format::fp8_e4m3 : Format::bf16;
    s.serve.weights = random.one_in(2) ? Format::fp8_e4m3 : Format::bf16;
    if (random.one_in(3)) s.serve.prefill = static_cast<double>(512 << random.below(4));
    s.serve.draft_tokens = static_cast<double>(random.below(3));
    INFO(encode(s));
    const Launch l = launched(s, "vllm");
    REQUIRE(l.launcher);
    std::map<std::string, std::string> f;
    for (const auto& [key, found] : keys_of(l)) f[key] = found.value;
    const auto n = [&](const std::string& key, double otherwise) {
      double x = otherwise;
      if (f.count(key)) REQUIRE(number(f[key], x));
      return x;
    };
    CHECK(n("--tensor-parallel-size", 0) == tp);
    CHECK(n("--data-parallel-size", 1) == dp);
    CHECK(n("--max-model-len", 0) == s.serve.prompt + s.serve.output);
    const double seats = n("--max-num-seqs", 0) * dp;
    CHECK(seats >= s.serve.batch);
    CHECK(seats < s.serve.batch + dp);
    CHECK((f["--kv-cache-dtype"] == "fp8_e4m3") == (s.serve.kv == Format::fp8_e4m3));
    CHECK((f["--quantization"] == "fp8") == (s.serve.weights == Format::fp8_e4m3));
    CHECK(n("--max-num-batched-tokens", 0) == (given(s.serve.prefill) ? s.serve.prefill : 0));
    const double share = n("--gpu-memory-utilization", 0);
    CHECK(share > 0);
    CHECK(share * s.gpu.memory <= s.gpu.memory - s.cluster.reserve);
    if (s.serve.draft_tokens > 0) {
      Json draft;
      Problems problems;
      REQUIRE(parse_json(f["--speculative-config"], draft, problems));
      CHECK(draft.number_at("num_speculative_tokens") == s.serve.draft_tokens);
    }
  }
}

TEST_CASE("launch: the degrees of torchtitan and the mesh of MaxText make up all accelerators") {
  Random random(3);
  for (int i = 0; i < 300; ++i) {
    Scenario s = random_layout(random);
    if (s.model.experts > 0) s.cluster.etp = 1;
    INFO(encode(s));
    const Launch any = launched(s);
    for (const Launcher* launcher : any.possible) {
      const Launch l = launched(s, launcher->id);
      std::map<std::string, double> f;
      for (const auto& [key, found] : keys_of(l))
        if (double x = 0; number(found.value, x)) f[key] = x;
      double all = 1;
      if (launcher->id == "torchtitan") {
        for (const char* key : {"data_parallel_replicate", "data_parallel_shard", "tensor_parallel",
                                "pipeline_parallel", "context_parallel"})
          all *= f["parallelism." + std::string(key) + "_degree"];
        CHECK(all == s.cluster.gpus);
      }
      if (launcher->id == "maxtext") {
        for (const char* key : {"tensor", "expert", "context", "fsdp", "data", "pipeline"}) {
          all *= f["ici_" + std::string(key) + "_parallelism"];
          all *= f["dcn_" + std::string(key) + "_parallelism"];
        }
        CHECK(all == s.cluster.gpus);
        const double steps =
            f.count("gradient_accumulation_steps") ? f["gradient_accumulation_steps"] : 1;
        CHECK(f["per_device_batch_size"] * all * steps == Approx(s.run.global_batch));
      }
      if (launcher->id == "deepspeed")
        CHECK(f["train_micro_batch_size_per_gpu"] * f["gradient_accumulation_steps"] *
                  (s.cluster.gpus / (s.cluster.tp * s.cluster.pp * s.cluster.cp)) ==
              f["train_batch_size"]);
    }
  }
}

TEST_CASE("launch: Megatron's pattern of dense layers and layers with experts is the model's") {
  const auto expanded = [](const std::string& text) {
    // ([0]*3+([0]*1+[1])*4): a sum of groups, each with a factor.
    std::size_t at = 0;
    const auto sum = [&](const auto& self) -> std::vector<int> {
      std::vector<int> out;
      for (;;) {
        std::vector<int> part;
        if (text[at] == '(') {
          ++at;
          part = self(self);
          ++at;
        } else {
          REQUIRE(text[at] == '[');
          part = {text[at + 1] - '0'};
          at += 3;
        }
        std::size_t times = 1;
        if (at < text.size() && text[at] == '*') times = std::stoul(text.substr(++at));
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        for (std::size_t k = 0; k < times; ++k) out.insert(out.end(), part.begin(), part.end());
        if (at >= text.size() || text[at] != '+') return out;
        ++at;
      }
    };
    return sum(sum);
  };
  int patterns = 0;
  for (const double dense : {0.0, 1.0, 3.0})
    for (const double every : {1.0, 2.0, 3.0, 4.0}) {
      Scenario s = of("model=mixtral-8x7b&n=64&tp=1&zero=1");
      s.model.first_dense = dense;
      s.model.moe_every = every;
      INFO(dense << " dense, then every " << every);
      for (const auto& [key, found] : keys_of(launched(s, "megatron-lm"))) {
        if (key != "--moe-layer-freq") continue;
        ++patterns;
        std::vector<int> model;
        for (double i = 0; i < s.model.layers; ++i)
          model.push_back(layers_between(s.model, i, i + 1).moe > 0);
        CHECK(expanded(found.value) == model);
      }
    }
  CHECK(patterns == 11);
}

TEST_CASE("launch: any name is one word of a shell, and one string of YAML, TOML and JSON") {
  Random random(1);
  const std::string_view hard = " '\"$`\\!*?;|&<>()[]{}~#=%\n\tab-_.:/\xc3\xa9";
  for (int i = 0; i < 500; ++i) {
    std::string name;
    for (std::size_t n = random.below(12); n > 0; --n) name += hard[random.below(hard.size() - 2)];
    const auto commands = shell_commands("echo " + shell_word(name) + " end");
    REQUIRE(commands[0].size() == 3);
    CHECK(commands[0][1] == name);
    Settings f;
    f.text("key", name);
    Json json;
    Problems problems;
    REQUIRE(parse_json(json_text(f), json, problems));
    CHECK(json.text_at("key") == name);
    CHECK(yaml_keys(yaml("", f))[0].second.value == name);
  }
  for (const char* word : {"true", "No", "null", "1e3", "0x10", "-", "~", "2026-11-01"}) {
    Settings f;
    f.text("key", word);
    CHECK(yaml("", f).find('"') != std::string::npos);  // a text, not a truth or a number
  }
}

TEST_CASE("launch: the software of the scenario suggests the launcher") {
  const struct {
    const char *link, *launcher;
  } rows[] = {
      {"model=llama-3.1-8b&n=64&stack=megatron-core-2024&zero=1", "megatron-lm"},
      {"model=llama-3.1-8b&n=64&stack=megatron-bridge-2026&zero=1", "megatron-bridge"},
      {"model=llama-3.1-8b&n=64&stack=fsdp2-2024", "torchtitan"},
      {"model=llama-3.1-8b&n=64&tp=1&stack=fsdp-2024", "accelerate"},
      {"model=llama-3.1-8b&n=64&stack=deepspeed-2024", "deepspeed"},
      {"model=llama-3.1-8b&n=64&stack=maxtext-2025", "maxtext"},
      {"model=llama-3.1-8b&task=finetune&n=8&tp=1&stack=pytorch-finetune-2024", "torchtune"},
      {"model=llama-3.1-8b&task=serve&n=8", "vllm"},
      {"model=llama-3.1-8b&gpu=tpu-v5p&n=64&tp=1", "maxtext"},
  };
  for (const auto& row : rows) {
    INFO(row.link);
    const Launch l = launched(of(row.link));
    REQUIRE(l.launcher);
    CHECK(l.launcher->id == row.launcher);
  }
}

TEST_CASE("launch: what a launcher cannot do is a sentence, never dropped") {
  const struct {
    const char *link, *launcher, *says;
  } rows[] = {
      {"model=llama-3.1-8b&n=64&pp=4&sched=dualpipe", "megatron-lm", "DualPipe"},
      {"model=llama-3.1-8b&n=64&tp=1&offweights=1", "megatron-lm", "offload"},
      {"model=llama-3.1-8b&n=64&tp=1&opt=shampoo", "megatron-lm", "Shampoo"},
      {"model=llama-3.1-8b&n=64&tp=2&pp=2&rc=pointwise", "megatron-bridge", "every second"},
      {"model=llama-3.1-8b&n=64&tp=1&zero=1", "torchtitan", "ZeRO-1"},
      {"model=llama-3.1-8b&n=64&tp=1&zero=3&shard=32", "accelerate", "groups of 32"},
      {"model=llama-3.1-8b&n=64&tp=4", "deepspeed", "TP 4"},
      {"model=llama-3.1-8b&task=serve&n=8&tp=2", "tensorrt-llm", "load balancer"},
      {"model=llama-3.1-8b&task=serve&n=1&wfmt=int4-g128", "vllm", "checkpoint"},
      {"model=llama-3.1-8b&task=serve&n=32&tp=4", "sglang", "Start 4 such servers"},
  };
  for (const auto& row : rows) {
    INFO(row.link);
    const Launch l = launched(of(row.link), row.launcher);
    REQUIRE(l.launcher);
    REQUIRE(l.launcher->id == row.launcher);
    CHECK(std::any_of(l.notes.begin(), l.notes.end(), [&](const std::string& note) {
      return note.find(row.says) != std::string::npos;
    }));
  }
}

TEST_CASE("launch: Megatron-LM saves within the run, as often as the goodput says") {
  const std::string link = "model=llama-3.1-8b&n=64&tp=2&zero=1";
  std::map<std::string, std::string> f;
  for (const auto& [key, found] : keys_of(launched(of(link), "megatron-lm"))) f[key] = found.value;
  REQUIRE(f.count("--save") == 1);
  double every = 0, all = 0;
  REQUIRE(number(f["--save-interval"], every));
  REQUIRE(number(f["--train-iters"], all));
  CHECK(every >= 1);
  CHECK(every <= all);
  Scenario s = of(link);
  s.reliability.checkpoint_every = 10.5 * estimate(s).time.step.value;
  for (const auto& [key, found] : keys_of(launched(s, "megatron-lm"))) f[key] = found.value;
  CHECK(f["--save-interval"] == "10");
}

TEST_CASE("launch: TP and CP before Blackwell have one queue, Megatron FSDP never has") {
  const struct {
    const char *link, *queues;
  } rows[] = {
      {"model=llama-3.1-8b&n=64&tp=2&zero=1", "export CUDA_DEVICE_MAX_CONNECTIONS=1\n"},
      {"model=llama-3.1-8b&n=64&tp=1&cp=2&zero=1", "export CUDA_DEVICE_MAX_CONNECTIONS=1\n"},
      {"model=llama-3.1-8b&n=64&tp=2&zero=3", "unset CUDA_DEVICE_MAX_CONNECTIONS\n"},
      {"model=llama-3.1-8b&n=64&tp=1&zero=1", ""},
      {"model=llama-3.1-8b&n=64&tp=2&zero=1&gpu=b200", ""},
  };
  for (const auto& row : rows)
    for (const char* id : {"megatron-lm", "megatron-bridge"}) {
      INFO(row.link << " " << id);
      const Launch l = launched(of(row.link), id);
      REQUIRE(l.launcher);
      const std::string& text = l.files[0].text;
      const bool any = text.find("CUDA_DEVICE_MAX_CONNECTIONS") != std::string::npos;
      CHECK(any == (row.queues[0] != 0));
      CHECK(text.find(row.queues) != std::string::npos);
    }
}

TEST_CASE("launch: virtual stages that layers do not fill evenly are a layout, and that alone") {
  std::map<std::string, std::string> f;
  const Scenario s = of("model=llama-3.1-8b&layers=27&n=64&tp=2&pp=4&vp=2&zero=1");
  for (const auto& [key, found] : keys_of(launched(s, "megatron-lm"))) f[key] = found.value;
  const std::string layout = f["--pipeline-model-parallel-layout"];
  CHECK(f.count("--num-virtual-stages-per-pipeline-rank") == 0);
  CHECK(std::count(layout.begin(), layout.end(), '|') + 1 == 4 * 2);
  double layers = 0;
  for (std::size_t at = layout.find("t*"); at != std::string::npos; at = layout.find("t*", at + 2))
    layers += std::stod(layout.substr(at + 2));
  CHECK(layers == 27);
}

TEST_CASE("launch: a fraction of memory is of the GPU, of weights and cache, or of what is free") {
  const auto share = [](const char* id, const char* key, const char* link) {
    double x = 0;
    for (const auto& [k, found] : keys_of(launched(of(link), id)))
      if (k == key) REQUIRE(number(found.value, x));
    return x;
  };
  for (const char* link : {"task=serve&model=llama-3.1-70b&n=8&tp=8",
                           "task=serve&model=llama-3.1-8b&n=1&gpu=rtx-4090"}) {
    INFO(link);
    const Scenario s = of(link);
    const double memory = s.gpu.memory, reserve = s.cluster.reserve,
                 weights = estimate(s).layout.serving.weights;
    const double whole = share("vllm", "--gpu-memory-utilization", link),
                 held = share("sglang", "--mem-fraction-static", link),
                 pool = share("tensorrt-llm", "kv_cache_config.free_gpu_memory_fraction", link);
    CHECK(whole <= 0.92);
    CHECK(whole * memory <= memory - reserve);
    CHECK(held * memory <= 0.9 * memory - reserve);
    CHECK(held * memory > weights);
    CHECK(pool <= 0.9);
    CHECK(weights + pool * (memory - weights) <= memory - reserve);
  }
}

TEST_CASE("launch: latent attention leaves the choice of kernels to Megatron-LM") {
  const auto backend = [](const char* link) {
    for (const auto& [key, found] : keys_of(launched(of(link), "megatron-lm")))
      if (key == "--attention-backend") return found.value;
    return std::string();
  };
  CHECK(backend("model=deepseek-v3&n=2048&tp=1&pp=16&ep=64&zero=1") == "auto");
  CHECK(backend("model=llama-3.1-8b&n=64&tp=2&zero=1") == "flash");
  CHECK(backend("model=llama-3.1-8b&n=64&tp=2&zero=1&flash=0") == "unfused");
}

TEST_CASE(
    "launch: replicas over several nodes, norms of latents, GPUs without BF16, packed examples") {
  const auto value = [](const char* id, const char* key, const char* link) {
    for (const auto& [k, found] : keys_of(launched(of(link), id)))
      if (k == key) return found.value;
    return std::string();
  };
  const char* servers = "task=serve&model=llama-3.1-70b&n=16&tp=4&batch=64&prompt=4000&out=500";
  CHECK(value("vllm", "--data-parallel-size", servers) == "4");
  CHECK(value("vllm", "--data-parallel-size-local", servers) == "2");
  CHECK(value("vllm", "--dtype", "task=serve&model=llama-3.1-8b&gpu=t4&n=2&batch=4") == "float16");
  const std::string megatron =
      launched(of("model=deepseek-v3&n=2048&tp=1&pp=16&ep=64&zero=1"), "megatron-lm").files[0].text;
  CHECK(megatron.find("--qk-layernorm") != std::string::npos);
  const char* tune =
      "task=finetune&method=qlora&model=llama-3.1-8b&n=4&gbs=64&mbs=2&seq=4096&examples=50000&"
      "exlen=1000&epochs=3";
  CHECK(value("axolotl", "sample_packing", tune) == "true");
}

TEST_CASE("launch: weights in the format in which they are published are named") {
  const auto text = [](const char* link) { return launched(of(link), "vllm").files[0].text; };
  CHECK(text("task=serve&model=gpt-oss-120b&n=8&wfmt=mxfp4").find("openai/gpt-oss-120b") !=
        std::string::npos);
  CHECK(text("task=serve&model=deepseek-v3&n=16&wfmt=fp8-block").find("deepseek-ai/") !=
        std::string::npos);
  CHECK(launched(of("task=serve&model=gpt-oss-120b&n=8"), "vllm").notes.size() > 0);
}

TEST_CASE("launch: an unknown launcher and one that cannot are problems with a way out") {
  for (const char* id : {"slurm", "axolotl", "vllm"}) {
    Problems problems;
    const Launch l = launch(of("model=llama-3.1-8b&n=8"), id, problems);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].path == "launcher");
    CHECK(problems[0].hint.size() > 10);
    CHECK(l.launcher);  // the others are still there
  }
}

TEST_CASE("launch: any request has an answer") {
  for (const char* request :
       {"", "{", "[]", "{}", "{\"scenario\": 3}", "{\"launcher\": 7}",
        "{\"scenario\": \"model=by-size&size=7e9\"}", "{\"scenario\": {\"model.id\": \"gpt2\"}}",
        "{\"scenario\": \"task=serve&model=mamba-2.8b\", \"launcher\": \"sglang\"}"}) {
    INFO(request);
    Json json;
    Problems problems;
    const std::string text = api::launch(request);
    REQUIRE(parse_json(text, json, problems, text.size()));
    for (const char* key : {"launchers", "cannot", "files", "notes", "problems"})
      CHECK(json.find(key));
  }
}
