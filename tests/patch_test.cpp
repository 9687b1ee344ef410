// SPDX-License-Identifier: MIT
// Patches: what a person or a program asks for, put onto the defaults, and back.
#include "envelope/patch.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/catalog.h"
#include "envelope/json.h"
#include "envelope/link.h"
#include "random_scenario.h"

namespace {

using namespace envelope;
using envelope_test::Random;
using envelope_test::random_patch;

bool equal(const Scenario& a, const Scenario& b) {
  return std::all_of(fields().begin(), fields().end(),
                     [&](const Field& f) { return same(f, a, b); });
}

std::string differences(const Scenario& a, const Scenario& b) {
  std::string out;
  for (const Field& f : fields())
    if (!same(f, a, b))
      out += std::string(f.path) + " " + text_of(get(f, a)) + " / " + text_of(get(f, b)) + "; ";
  return out;
}

Scenario made(const Patch& patch) {
  Problems problems;
  return scenario_of(patch, problems);
}

/// The problems of a JSON patch, which is never refused as a whole.
struct Read {
  Scenario scenario;
  Problems problems;
};
Read read_json(const std::string& text) {
  Read out;
  Json json;
  REQUIRE(parse_json(text, json, out.problems));
  const Patch patch = patch_of(json, out.problems);
  out.scenario = scenario_of(patch, out.problems);
  return out;
}
Read read_link(const std::string& text) {
  Link link = decode(text);
  Read out;
  out.problems = link.problems;
  out.scenario = scenario_of(link.patch, out.problems);
  return out;
}

double gpus(const Scenario& s) { return s.cluster.gpus; }

}  // namespace

TEST_CASE("patch: the difference to the defaults, applied, is the scenario again") {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    const Scenario s = made(random_patch(random));
    Problems problems;
    const Scenario again = scenario_of(diff(s), problems);
    if (!problems.empty()) FAIL_CHECK(i << ": " << problems[0].path << " " << problems[0].message);
    if (!equal(s, again)) FAIL_CHECK(i << ": " << differences(s, again));
    // Nothing is said that need not be said, and twice the same.
    if (diff(again) != diff(s)) FAIL_CHECK(i << ": diff is not stable");
  }
  CHECK(diff(made({})).empty());
}

TEST_CASE("patch: what diff leaves out is what nobody changed") {
  Random random(4);
  for (int i = 0; i < 300; ++i) {
    const Patch wanted = random_patch(random);
    for (const auto& [path, value] : diff(made(wanted))) {
      // A catalog row may be undone by a value; it never brings a line of its own.
      const bool asked = find(wanted, path) != nullptr;
      // A size-only model without a size; a recipe asked for beside a framework that has its own.
      const bool repaired = path == "model.kind";
      if (!asked && !repaired) FAIL_CHECK(i << ": " << path << " was not asked for");
    }
  }
}

TEST_CASE("patch: links and JSON carry every scenario there and back") {
  Random random(5);
  for (int i = 0; i < 1000; ++i) {
    const Scenario s = made(random_patch(random));
    const std::string link = encode(s);
    const Read by_link = read_link(link);
    INFO(link);
    if (!by_link.problems.empty())
      FAIL_CHECK(by_link.problems[0].path << by_link.problems[0].message);
    if (!equal(s, by_link.scenario)) FAIL_CHECK(differences(s, by_link.scenario));
    if (encode(by_link.scenario) != link) FAIL_CHECK("not canonical: " << encode(by_link.scenario));
    JsonWriter w;
    const Read by_json = read_json(w.value(diff(s)).take());
    if (!by_json.problems.empty())
      FAIL_CHECK(by_json.problems[0].path << by_json.problems[0].message);
    if (!equal(s, by_json.scenario)) FAIL_CHECK(differences(s, by_json.scenario));
  }
}

TEST_CASE("patch: the order of the keys is of no importance") {
  Random random(6);
  for (int i = 0; i < 500; ++i) {
    Patch patch = random_patch(random);
    const Scenario s = made(patch);
    std::reverse(patch.begin(), patch.end());
    if (!equal(s, made(patch))) FAIL_CHECK(i << ": " << differences(s, made(patch)));
    std::rotate(patch.begin(), patch.begin() + static_cast<long>(random.below(patch.size())),
                patch.end());
    if (!equal(s, made(patch))) FAIL_CHECK(i << ": " << differences(s, made(patch)));
  }
}

TEST_CASE("patch: a catalog row is chosen first, and values typed beside it win") {
  const Scenario s = made({{"model.layers", 3.0},
                           {"gpu.memory", 96e9},
                           {"price.usd_per_gpu_hour", 1.5},
                           {"states.master", std::string("none")},
                           {"states.recipe", std::string("mixed-16")},
                           {"gpu.id", std::string("a100-sxm-40gb")},
                           {"model.id", std::string("gpt2")}});
  CHECK(s.model.layers == 3);
  CHECK(s.model.hidden == 768);  // of gpt2
  CHECK(s.gpu.memory == 96e9);
  CHECK(s.gpu.bf16 == 312e12);  // of the A100
  CHECK(s.price.usd_per_gpu_hour == 1.5);
  CHECK(s.states.master == Format::none);
  CHECK(s.states.gradients == Format::fp16);  // of the recipe
}

TEST_CASE("patch: choosing another model forgets the one before it") {
  Scenario s = made({{"model.id", std::string("deepseek-v3")}});
  CHECK(s.model.experts == 256);
  CHECK(apply({{"model.id", std::string("gpt2")}}, s).empty());
  CHECK(equal(s, made({{"model.id", std::string("gpt2")}})));
  CHECK(apply({{"gpu.id", std::string("a100-sxm-80gb")}}, s).empty());
  CHECK(s.price.usd_per_gpu_hour ==
        made({{"gpu.id", std::string("a100-sxm-80gb")}}).price.usd_per_gpu_hour);
}

TEST_CASE("patch: each bad input names its field, says what and what to do, and keeps the rest") {
  struct Row {
    std::string name, json, path, code;
    std::string_view severity = "error";
  };
  const std::string long_text(100'000 / 2, 'z');
  const Row rows[] = {
      {"unknown key", R"("run.tokenz": 1)", "run.tokenz", "unknown_field"},
      {"unknown model", R"("model.id": "llama-9000")", "model.id", "unknown_model"},
      {"unknown accelerator", R"("gpu.id": "h1000")", "gpu.id", "unknown_choice"},
      {"unknown provider", R"("price.provider": "acme")", "price.provider", "unknown_choice"},
      {"unknown choice", R"("run.recompute": "sometimes")", "run.recompute", "unknown_choice"},
      {"word for a number", R"("run.seq": "many")", "run.seq", "not_a_number"},
      {"flag for a number", R"("run.seq": true)", "run.seq", "wrong_type"},
      {"number for a flag", R"("run.flash": 7)", "run.flash", "wrong_type"},
      {"word for a flag", R"("run.flash": "maybe")", "run.flash", "wrong_type"},
      {"number for a choice", R"("run.count": 6)", "run.count", "unknown_choice"},
      {"list", R"("run.seq": [1, 2])", "run.seq", "wrong_type"},
      {"null for what is needed", R"("run.seq": null)", "run.seq", "not_a_number"},
      {"out of range, low", R"("run.seq": 0)", "run.seq", "out_of_range"},
      {"out of range, high", R"("cluster.zero": 4)", "cluster.zero", "out_of_range"},
      {"negative", R"("run.tokens": -1)", "run.tokens", "out_of_range"},
      {"not whole", R"("run.micro_batch": 1.5)", "run.micro_batch", "not_whole"},
      {"NaN", R"("run.tokens": NaN)", "run.tokens", "not_a_number"},
      {"NaN as text", R"("run.tokens": "NaN")", "run.tokens", "not_a_number"},
      {"infinity", R"("run.tokens": Infinity)", "run.tokens", "not_a_number"},
      {"1e400", R"("run.tokens": 1e400)", "run.tokens", "not_a_number"},
      {"1e400 as text", R"("run.tokens": "1e400")", "run.tokens", "not_a_number"},
      {"HTML in a value", R"("run.tokens": "<img src=x onerror=alert(1)>")", "run.tokens",
       "not_a_number"},
      {"HTML in a key", R"("<script>alert(1)</script>": 1)", "<script>alert(1)</script>",
       "unknown_field"},
      {"garbage of 50 kB", "\"run.tokens\": \"" + long_text + "\"", "run.tokens", "not_a_number"},
      {"a catalog of the future", R"("catalog.snapshot": "2099-01")", "catalog.snapshot",
       "newer_catalog", "warning"},
      {"a size that is none", R"("model.kind": "size-only")", "model.params", "missing"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    const Read got = read_json("{\"cluster.gpus\": 77, " + row.json + ", \"cluster.tp\": 7}");
    CHECK(gpus(got.scenario) == 77);
    CHECK(got.scenario.cluster.tp == 7);
    REQUIRE(got.problems.size() == 1);
    const Problem& p = got.problems[0];
    CHECK(p.path == row.path);
    CHECK(p.code == row.code);
    CHECK((p.severity == Severity::error) == (row.severity == "error"));
    CHECK(!p.message.empty());
    CHECK(!p.hint.empty());
    CHECK(!p.value.empty());
    CHECK(p.message.size() < 300);
    // The field itself stays as it was.
    if (const Field* f = field_by_path(row.path)) CHECK(same(*f, got.scenario, made({})));
  }
}

TEST_CASE("patch: the same bad inputs in a link") {
  struct Row {
    std::string name, text, path, code;
  };
  const Row rows[] = {
      {"unknown key", "tokenz=1", "tokenz", "unknown_field"},
      {"unknown model", "model=llama-9000", "model.id", "unknown_model"},
      {"word for a number", "seq=many", "run.seq", "not_a_number"},
      {"out of range", "zero=4", "cluster.zero", "out_of_range"},
      {"not whole", "mbs=1.5", "run.micro_batch", "not_whole"},
      {"NaN", "tokens=NaN", "run.tokens", "not_a_number"},
      {"1e400", "tokens=1e400", "run.tokens", "not_a_number"},
      {"HTML in a value", "tokens=%3Cb%3E1%3C/b%3E", "run.tokens", "not_a_number"},
      {"100 kB of garbage", "tokens=" + std::string(100'000, 'z'), "", "too_long"},
      {"a link of the future", "v=99", "v", "newer_version"},
      {"a catalog of the future", "d=2099-01", "catalog.snapshot", "newer_catalog"},
      {"no value", "tokens=", "run.tokens", "no_value"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    // In front, because what stands behind 100 kB is not read.
    const Read got = read_link("n=77&" + row.text);
    CHECK(gpus(got.scenario) == 77);
    REQUIRE(!got.problems.empty());
    CHECK(got.problems[0].path == row.path);
    CHECK(got.problems[0].code == row.code);
    CHECK(!got.problems[0].message.empty());
    CHECK(!got.problems[0].hint.empty());
  }
}

TEST_CASE("patch: an unknown name gets the names that were probably meant") {
  const auto hint = [](const std::string& json) {
    return read_json("{" + json + "}").problems.at(0).hint;
  };
  CHECK(hint(R"("model.id": "llama-3.1-8")").find("llama-3.1-8b") != std::string::npos);
  CHECK(hint(R"("gpu.id": "h100")").find("h100-sxm") != std::string::npos);
  CHECK(hint(R"("run.token": 1)").find("run.tokens") != std::string::npos);
  CHECK(hint(R"("run.micro_batch": 1.5)").find("1 or 2") != std::string::npos);
  CHECK(hint(R"("run.recompute": "all")").find("none, selective, full") != std::string::npos);
}

TEST_CASE("patch: every field refuses what is just outside its range and takes both ends") {
  for (const Field& f : fields()) {
    if (f.type != Type::number || f.unit == "month") continue;
    INFO(f.path);
    Scenario s = made({});
    for (const double end : {f.min, f.max}) {
      CHECK(set(f, end, s).empty());
      CHECK(get_number(f, s) == end);
    }
    const double step = f.flags & kWhole ? 1 : f.max / 1e3;
    for (const double outside : {f.min - step, f.max + step}) {
      const Problems problems = set(f, outside, s);
      REQUIRE(problems.size() == 1);
      CHECK(problems[0].code == "out_of_range");
      CHECK(get_number(f, s) == f.max);
    }
    const Problems automatic = set(f, std::string("auto"), s);
    CHECK(automatic.empty() == ((f.flags & kOptional) != 0));
  }
}

TEST_CASE("patch: numbers may be written the way people write them") {
  const Read got = read_json(
      R"({"run.tokens": "15.6T", "gpu.memory": "80GiB", "cluster.gpus": "8x64", "run.mfu": "40%",
          "run.deadline": "30d", "price.usd_per_gpu_hour": "$2.50/h", "catalog.snapshot": "2026-11",
          "run.flash": "off", "model.id": "LLAMA-3.1-8B"})");
  for (const Problem& p : got.problems) FAIL_CHECK(p.path << ": " << p.message);
  CHECK(got.scenario.run.tokens == 15.6e12);
  CHECK(got.scenario.gpu.memory == 85899345920.0);
  CHECK(got.scenario.cluster.gpus == 512);
  CHECK(got.scenario.run.mfu == 0.4);
  CHECK(got.scenario.run.deadline == 30 * 86400);
  CHECK(got.scenario.price.usd_per_gpu_hour == 2.5);
  CHECK(!got.scenario.run.flash);
  CHECK(std::string_view(got.scenario.model.id) == "llama-3.1-8b");
}

TEST_CASE("patch: nested objects are dotted paths") {
  const Read got = read_json(R"({"run": {"seq": 4096}, "cluster": {"gpus": 8, "tp": 2}})");
  CHECK(got.problems.empty());
  CHECK(got.scenario.run.seq == 4096);
  CHECK(got.scenario.cluster.gpus == 8);
  CHECK(got.scenario.cluster.tp == 2);
}

TEST_CASE("JSON is read to the letter") {
  const auto reads = [](std::string_view text, Json& json) {
    Problems problems;
    return parse_json(text, json, problems);
  };
  Json json;
  REQUIRE(
      reads("\xEF\xBB\xBF { \"a\" : [1, -2.5e+3, true, null, {}], \"b\":\"x\", \"a\":7 } ", json));
  CHECK(json.keys == std::vector<std::string>{"a", "b"});  // the last of two, at the first place
  CHECK(json.number_at("a") == 7);
  REQUIRE(reads(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\uD83D\uDE00")", json));
  CHECK(json.text == "\"\\/\b\f\n\r\tA\u00e9\u20ac\U0001F600");
  for (const auto& [text, number] : {std::pair{"-0", 0.0},
                                     {"9007199254740993", 9007199254740992.0},
                                     {"1e-400", 0.0},
                                     {"0.1E1", 1.0},
                                     {"12345678901234567890123", 12345678901234567890123.0}}) {
    REQUIRE(reads(text, json));
    CHECK(json.number == number);
    CHECK(!std::signbit(json.number));
  }
  REQUIRE(reads("-0.0", json));
  CHECK(std::signbit(json.number));
  for (const char* text : {"", "[1,]", "[1", "{\"a\"}", "{\"a\":}",

                           "{\"a\":1,}", "[] []", "\"\\ud83d\"", "\"\\ude00\"",
                           "\"\\ud83d\\u0041\"", "\"\\u00g0\"", "\"\\x\"", "\"a\nb\"", "\"\x01\"",
                           "\"\xC3\"", "\"\xED\xA0\x80\"", "\"\xC0\x80\"", "\"", "\"\\"}) {
    INFO(text);
    CHECK(!reads(text, json));
  }
}
