// SPDX-License-Identifier: MIT
// The calls a shell may make: any text in, one valid JSON document out.
#include "envelope/api.h"

#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/catalog.h"
#include "envelope/fields.h"
#include "envelope/formats.h"
#include "envelope/json.h"
#include "envelope/metrics.h"
#include "envelope/replays.h"
#include "envelope/scaling.h"
#include "envelope/sources.h"
#include "envelope/version.h"
#include "random_scenario.h"

namespace {

using namespace envelope;
using envelope_test::Random;

Json parsed(const std::string& text) {
  Json out;
  Problems problems;
  REQUIRE(parse_json(text, out, problems, text.size()));
  REQUIRE(problems.empty());
  REQUIRE(out.kind == Json::Kind::object);
  return out;
}

const Json& at(const Json& json, std::string_view key) {
  const Json* found = json.find(key);
  if (!found) FAIL("no member " << key);
  return *found;
}

double step(const Json& answer, std::string_view id) {
  for (const Json& each : at(answer, "steps").items)
    if (each.text_at("id") == id) return each.number_at("value");
  return kNone;
}

std::string patch_text(const Patch& patch) {
  JsonWriter w;
  return w.value(patch).take();
}

/// Every id that a sentence mentions can be looked up: in the steps or among the inputs.
void check_sentence(const Json& parts, const Json& answer) {
  CHECK(!parts.items.empty());
  for (const Json& part : parts.items) {
    if (part.kind == Json::Kind::text) continue;
    const std::string_view id = part.text_at("metric");
    INFO(id);
    CHECK((given(step(answer, id)) || at(answer, "inputs").find(id)));
  }
}

}  // namespace

TEST_CASE("api: schema carries both tables, the catalog, the laws, the formats and the examples") {
  const Json schema = parsed(api::schema());
  CHECK(schema.text_at("version") == kVersion);
  CHECK(schema.number_at("v") == kDefaultsVersion);
  CHECK(at(schema, "fields").items.size() == fields().size());
  CHECK(at(schema, "metrics").items.size() == metrics().size());
  CHECK(at(schema, "groups").items.size() == groups().size());
  CHECK(at(schema, "sources").items.size() == std::size(kSources));
  CHECK(at(schema, "models").items.size() == catalog().models.size());
  CHECK(at(schema, "accelerators").items.size() == catalog().accelerators.size());
  CHECK(at(schema, "recipes").items.size() == catalog().recipes.size());
  CHECK(at(schema, "prices").items.size() == catalog().prices.size());
  CHECK(at(schema, "formats").items.size() == formats().size());
  CHECK(at(schema, "laws").items.size() == laws().size());
  CHECK(at(schema, "examples").items.size() == examples().size());
  CHECK(at(schema, "snapshots").items.front().text == "2026-11");
  for (std::size_t i = 0; i < fields().size(); ++i) {
    const Field& f = fields()[i];
    const Json& row = at(schema, "fields").items[i];
    INFO(f.path);
    CHECK(row.text_at("path") == f.path);
    CHECK(row.text_at("key") == f.key);
    CHECK(row.text_at("help") == f.help.text);
    CHECK(at(row, "tasks").items.size() >= 1);
    CHECK(row.find("default"));
    if (f.type == Type::number)
      CHECK((row.number_at("min") == f.min && row.number_at("max") == f.max));
    if (f.type == Type::choice) CHECK(at(row, "choices").items.size() == f.choices.size());
  }
  for (const Json& metric : at(schema, "metrics").items)
    for (const Json& key : at(metric, "source").items) CHECK(at(schema, "sources").find(key.text));
}

TEST_CASE("api: an estimate says what it read, what it found and how") {
  const Json answer = parsed(api::estimate("task=pretrain&model=llama-3.1-8b&n=512"));
  CHECK(answer.text_at("version") == kVersion);
  CHECK(answer.text_at("d") == "2026-11");
  CHECK(answer.text_at("link") == "v=1&d=2026-11&model=llama-3.1-8b&n=512");
  CHECK(at(answer, "patch").keys == std::vector<std::string>{"model.id", "cluster.gpus"});
  CHECK(at(answer, "inputs").keys.size() == fields().size());
  CHECK(at(answer, "inputs").number_at("cluster.gpus") == 512);
  CHECK(at(answer, "inputs").text_at("run.tokens") == "auto");
  CHECK(step(answer, "gpus.used") == 512);
  CHECK(step(answer, "params.total") == 8030261248.0);
  CHECK(at(answer, "problems").items.empty());
  check_sentence(at(answer, "summary"), answer);
  check_sentence(at(at(answer, "verdict"), "message"), answer);
  CHECK(at(at(answer, "quotes"), "model").text_at("source").starts_with("https://"));
}

TEST_CASE("api: an estimate warns of what does not go together") {
  const Json answer = parsed(api::estimate("n=20&tp=8"));
  REQUIRE(at(answer, "problems").items.size() == 1);
  const Json& problem = at(answer, "problems").items[0];
  CHECK(problem.text_at("path") == "cluster.gpus");
  CHECK(problem.text_at("code") == "not_divisible");
  CHECK(problem.text_at("severity") == "warning");
  CHECK(problem.text_at("value") == "20");
  CHECK(answer.text_at("link") == "v=1&d=2026-11&n=20&tp=8");
}

TEST_CASE("api: the default scenario answers to an empty text, an empty link and an empty patch") {
  const std::string answer = api::estimate("");
  CHECK(answer == api::estimate("{}"));
  CHECK(answer == api::estimate("v=1&d=2026-11"));
  CHECK(answer == api::estimate(" {\n} "));
  CHECK(parsed(answer).text_at("link") == "v=1&d=2026-11");
}

TEST_CASE("api: a link and its patch give the same answer, whatever the scenario") {
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const std::string first = api::estimate(patch_text(envelope_test::random_patch(random)));
    const Json answer = parsed(first);
    JsonWriter patch;
    patch.object();
    const Json& in = at(answer, "patch");
    for (std::size_t k = 0; k < in.keys.size(); ++k) {
      if (in.items[k].kind == Json::Kind::number) patch.member(in.keys[k], in.items[k].number);
      if (in.items[k].kind == Json::Kind::flag) patch.member(in.keys[k], in.items[k].flag);
      if (in.items[k].kind == Json::Kind::text) patch.member(in.keys[k], in.items[k].text);
    }
    const std::string by_patch = api::estimate(patch.end().take());
    const std::string by_link = api::estimate(answer.text_at("link"));
    INFO(answer.text_at("link"));
    CHECK(by_patch == by_link);
    CHECK(parsed(by_link).text_at("link") == answer.text_at("link"));
    // Inputs and numbers are those of the first answer; only the problems of typing are gone.
    CHECK(by_link.substr(0, by_link.rfind("\"problems\"")) ==
          first.substr(0, first.rfind("\"problems\"")));
  }
}

TEST_CASE("api: what is said in words can be looked up, whatever the scenario") {
  Random random(2);
  for (int i = 0; i < 300; ++i) {
    const std::string text = patch_text(envelope_test::random_patch(random));
    INFO(text);
    const Json answer = parsed(api::estimate(text));
    check_sentence(at(answer, "summary"), answer);
    check_sentence(at(at(answer, "verdict"), "message"), answer);
    for (const Json& finding : at(answer, "findings").items) {
      CHECK(!finding.text_at("code").empty());
      check_sentence(at(finding, "message"), answer);
      for (const Json& id : at(finding, "about").items)
        CHECK((find_metric(id.text) || field_by_path(id.text)));
      for (const Json& remedy : at(finding, "remedies").items)
        CHECK(remedy.text_at("link").starts_with("v=1&d=2026-11"));
    }
    for (const Json& problem : at(answer, "problems").items) {
      CHECK(!problem.text_at("path").empty());
      CHECK(!problem.text_at("message").empty());
      CHECK(!problem.text_at("hint").empty());
    }
  }
}

TEST_CASE("api: open reads a link without computing, and gives it back in canonical form") {
  const Json one =
      parsed(api::open("https://example.org/#model=LLAMA-3.1-70B&n=0x&tokens=15T&zz=1"));
  CHECK(at(one, "patch").text_at("model.id") == "llama-3.1-70b");
  CHECK(at(one, "patch").number_at("run.tokens") == 15e12);
  CHECK(at(one, "problems").items.size() == 2);
  const Json two =
      parsed(api::open("v=1&d=2026-11&model=llama-3.1-8b&b.model=llama-3.1-70b&c.n=8"));
  CHECK(at(two, "compare").keys == std::vector<std::string>{"b", "c"});
  CHECK(at(at(two, "compare"), "b").text_at("model.id") == "llama-3.1-70b");
  CHECK(at(at(two, "compare"), "c").text_at("model.id") == "llama-3.1-8b");
  CHECK(at(at(two, "compare"), "c").number_at("cluster.gpus") == 8);
  CHECK(two.text_at("link") == "v=1&d=2026-11&model=llama-3.1-8b&b.model=llama-3.1-70b&c.n=8");
  CHECK(api::open(std::string(two.text_at("link"))) == api::open(two.text_at("link")));
}

TEST_CASE("api: compare gives the one link that opens all its scenarios again") {
  const Json answer = parsed(api::compare(
      R"({"scenarios": ["v=1&n=64", {"gpu.id": "b200"}, "v=1&n=64", "v=1&n=64&tp=2"]})"));
  const std::string link(answer.text_at("link"));
  CHECK(link.find("&b.gpu=b200") != std::string::npos);
  CHECK(link.find("&d.tp=2") != std::string::npos);
  const Json again = parsed(api::compare(R"({"scenarios": [")" + link + R"("]})"));
  CHECK(again.text_at("link") == link);
  REQUIRE(at(again, "scenarios").items.size() == 4);  // C changes nothing and is there still
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(at(again, "scenarios").items[i].text_at("link") ==
          at(answer, "scenarios").items[i].text_at("link"));
  CHECK(parsed(api::compare(R"({"scenarios": ["v=1&n=64"]})")).text_at("link") ==
        parsed(api::open("v=1&n=64")).text_at("link"));
}

TEST_CASE("api: compare shows what differs and nothing else") {
  const Json answer = parsed(api::compare(
      R"({"scenarios": ["model=llama-3.1-8b&n=64", {"model.id": "llama-3.1-8b", "cluster.gpus": 128}]})"));
  CHECK(at(answer, "scenarios").items.size() == 2);
  CHECK(at(answer, "scenarios").items[1].text_at("link") ==
        "v=1&d=2026-11&model=llama-3.1-8b&n=128");
  REQUIRE(at(answer, "inputs").items.size() == 1);
  CHECK(at(answer, "inputs").items[0].text_at("path") == "cluster.gpus");
  std::set<std::string_view> ids;
  for (const Json& row : at(answer, "metrics").items) {
    ids.insert(row.text_at("id"));
    const std::vector<Json>& values = at(row, "values").items;
    REQUIRE(values.size() == 2);
    INFO(row.text_at("id"));
    CHECK(!(values[0].number == values[1].number && values[0].kind == values[1].kind));
    if (row.text_at("id") == "time.total") CHECK(values[0].number > 1.9 * values[1].number);
  }
  CHECK(ids.contains("time.total"));
  CHECK(ids.contains("layout.per_gpu"));
  CHECK(!ids.contains("params.total"));
  CHECK(!ids.contains("compute.train"));

  const Json same = parsed(api::compare(R"({"scenarios": ["n=64", "n=64", ""]})"));
  CHECK(at(same, "inputs").items.size() == 1);
  const Json many = parsed(api::compare(R"({"scenarios": ["n=1", "n=2", "n=3", "n=4", "n=5"]})"));
  CHECK(at(many, "scenarios").items.size() == 4);
  CHECK(!at(parsed(api::compare("{}")), "problems").items.empty());
  CHECK(!at(parsed(api::compare("")), "problems").items.empty());
}

TEST_CASE("api: the replays come with documents, figures and verdicts") {
  const Json answer = parsed(api::replays());
  std::set<std::string_view> documents;
  for (const Json& d : at(answer, "documents").items) documents.insert(d.text_at("id"));
  CHECK(documents.size() >= 4);
  for (const Json& row : at(answer, "rows").items) {
    INFO(row.text_at("id"));
    CHECK(documents.contains(row.text_at("document")));
    CHECK(!at(row, "items").items.empty());
    for (const Json& item : at(row, "items").items) {
      CHECK(at(item, "value").kind == Json::Kind::number);
      CHECK(!item.text_at("figure").empty());
      const std::string_view verdict = item.text_at("verdict");
      // "added": the document prints no number there.
      CHECK((verdict == "added") == (at(item, "expected").kind == Json::Kind::null));
      CHECK((verdict == "same" || verdict == "explained" || verdict == "added"));
    }
  }
}

TEST_CASE("api: a sweep walks the product of its axes, the last one fastest") {
  const std::vector<double> rows = api::sweep(
      R"({"scenario": "model=llama-3.1-8b", "axes": [{"path": "cluster.gpus", "values": [8, 16]},
          {"path": "cluster.zero", "from": 0, "to": 3, "count": 4, "scale": "linear"}],
          "metrics": ["layout.per_gpu", "time.total", "serving.latency"]})");
  REQUIRE(rows.size() == 2 * 4 * 5);
  for (std::size_t i = 0; i < 8; ++i) {
    const double gpus = i < 4 ? 8 : 16, zero = static_cast<double>(i % 4);
    CHECK(rows[5 * i] == gpus);
    CHECK(rows[5 * i + 1] == zero);
    const Json answer = parsed(api::estimate("model=llama-3.1-8b&n=" + std::to_string(int(gpus)) +
                                             "&zero=" + std::to_string(int(zero))));
    CHECK(rows[5 * i + 2] == step(answer, "layout.per_gpu"));
    CHECK(rows[5 * i + 3] == step(answer, "time.total"));
    CHECK(std::isnan(rows[5 * i + 4]));  // training has no latency
  }
}

TEST_CASE("api: a sweep that is none is empty") {
  for (
      const char* request :
      {"", "{}", "[]", "{", R"({"axes": [], "metrics": ["no.such"]})",
       R"({"axes": [{"path": "no.such", "values": [1]}], "metrics": ["time.total"]})",
       R"({"axes": [{"path": "model.id", "values": ["gpt2"]}], "metrics": ["time.total"]})",
       R"({"axes": [{"path": "cluster.gpus", "values": []}], "metrics": ["time.total"]})",
       R"({"axes": [{"path": "cluster.gpus", "values": [-1]}], "metrics": ["time.total"]})",
       R"({"axes": [{"path": "cluster.gpus", "from": 1, "to": 2}], "metrics": ["time.total"]})",
       R"({"axes": [{"path": "cluster.gpus", "from": 1, "to": 9, "count": 1e9}], "metrics": ["time.total"]})",
       R"({"axes": [{"path": "serve.prompt", "from": 0, "to": 9, "count": 3, "scale": "log"}], "metrics": ["time.total"]})"}) {
    INFO(request);
    CHECK(api::sweep(request).empty());
  }
}

TEST_CASE("api: any text gives a valid answer and says what was wrong with it") {
  const std::string long_garbage(100'000, 'x'), deep(100'000, '['), braces(100'000, '{');
  for (const std::string& text :
       {std::string("null"), std::string("{\"run.tokens\""), std::string("\xff\xfex"), long_garbage,
        deep + "x", braces + "x", std::string("model=<script>alert(1)</script>"),
        "n=" + std::string(70'000, '9')}) {
    INFO(text.substr(0, 40));
    for (const std::string& answer : {api::estimate(text), api::open(text)}) {
      const Json json = parsed(answer);
      CHECK(!at(json, "problems").items.empty());
      CHECK(json.text_at("link") == "v=1&d=2026-11");  // nothing was understood: the defaults
      for (const Json& p : at(json, "problems").items) {
        CHECK(!p.text_at("message").empty());
        CHECK(!p.text_at("hint").empty());
        CHECK(p.text_at("message").size() < 400);
      }
    }
    parsed(api::compare(text));
    CHECK(api::sweep(text).empty());
  }
  // Punctuation and control characters alone are what mail programs leave around a link.
  for (const std::string& text : {std::string("\0", 1), std::string("}"), std::string("#&=>")})
    CHECK(parsed(api::open(text)).text_at("link") == "v=1&d=2026-11");
}
