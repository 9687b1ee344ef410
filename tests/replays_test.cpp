// SPDX-License-Identifier: MIT
// The calculations of the four documents, done again: each figure is reproduced to its own
// rounding, or the difference is explained.
#include "envelope/replays.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/fields.h"
#include "envelope/link.h"
#include "envelope/metrics.h"
#include "envelope/patch.h"
#include "envelope/rules.h"

namespace {

using namespace envelope;

void check_link(const std::string& text) {
  INFO(text);
  const Link link = decode(text);
  Problems problems = link.problems;
  const Scenario s = scenario_of(link.patch, problems);
  for (const Problem& p : problems) FAIL_CHECK(p.path << ": " << p.message);
  CHECK(link.compare.empty());
  CHECK(encode(s) == text);  // what the address bar will hold
}

const ReplayItem& item(std::string_view id, std::size_t index) {
  static const std::vector<Replay> replays = computed_replays();
  for (const Replay& r : replays)
    if (r.id == id) {
      REQUIRE(index < r.items.size());
      return r.items[index];
    }
  FAIL("no replay " << id);
  return replays.front().items.front();
}

}  // namespace

TEST_CASE("replays: every calculation of the four documents is there") {
  std::set<std::string> ids;
  for (const Replay& r : replay_book().replays) CHECK(ids.insert(r.id).second);
  const auto has = [&](char document, int count) {
    for (int i = 1; i <= count; ++i) {
      INFO(document << i);
      CHECK(ids.contains(document + std::to_string(i)));
    }
  };
  has('A', 14);
  has('B', 14);
  has('C', 4);
  has('D', 4);
}

TEST_CASE("replays: each says which document, where in it, and what the figure is") {
  std::set<std::string> documents;
  for (const Document& d : replay_book().documents) {
    CHECK(documents.insert(d.id).second);
    CHECK(!d.title.empty());
    CHECK((d.url.empty() || d.url.starts_with("https://")));
  }
  CHECK(documents.size() >= 4);
  for (const Replay& r : replay_book().replays) {
    INFO(r.id);
    CHECK(documents.contains(r.document));
    CHECK(!r.place.empty());
    CHECK(!r.title.empty());
    CHECK(!r.items.empty());
    for (const ReplayItem& i : r.items) {
      INFO(i.label);
      CHECK(!i.label.empty());
      CHECK(!i.figure.empty());
      CHECK(find_metric(i.metric) != nullptr);
      CHECK((i.baseline_metric.empty() || find_metric(i.baseline_metric)));
      CHECK((i.op.empty() || i.op == "ratio" || i.op == "saving" || i.op == "difference"));
      CHECK((i.op.empty() == (i.baseline.empty() && i.baseline_metric.empty())));
    }
  }
}

TEST_CASE("replays: every link is canonical and opens without a problem") {
  for (const Replay& r : replay_book().replays)
    for (const ReplayItem& i : r.items) {
      INFO(r.id << " " << i.label);
      check_link(i.link);
      if (!i.baseline.empty()) check_link(i.baseline);
    }
}

TEST_CASE("replays: a figure said to be the same is the same to its own rounding") {
  std::size_t same = 0, explained = 0;
  for (const Replay& r : computed_replays())
    for (const ReplayItem& i : r.items) {
      INFO(r.id << " " << i.label << ": " << i.figure << " " << i.expected << ", ours " << i.value);
      CHECK(std::isfinite(i.value));
      if (i.verdict == "same") {
        ++same;
        CHECK(given(i.expected));
        CHECK(i.tolerance > 0);
        CHECK(std::abs(i.value - i.expected) <= i.tolerance * std::abs(i.expected));
        // "2 months" is the coarsest figure there is: half of one in two.
        CHECK(i.tolerance <= 0.25);
      } else if (i.verdict == "explained") {
        ++explained;
        CHECK(given(i.expected));
        CHECK(i.why.size() > 15);
        CHECK(i.why.ends_with('.'));
        // Otherwise there is nothing to explain.
        CHECK(std::abs(i.value - i.expected) > i.tolerance * std::abs(i.expected));
      } else {
        CHECK(i.verdict == "added");
        CHECK(!given(i.expected));
      }
    }
  CHECK(same > 100);
  CHECK(explained > 10);
}

TEST_CASE("replays: figures of the documents, read from the documents") {
  // Held here a second time, so that a slip in the table of replays does not judge itself.
  struct Figure {
    const char* id;
    double figure, tolerance;
  };
  const Figure figures[] = {
      {"A1", 4e9, 1e-9},              // 1B parameters in FP32
      {"A2", 24e9, 1e-9},             // and trained with Adam
      {"A7", 29600 * 86400.0, 1e-9},  // GPU-days of GPT-3
      {"A10", 350e6, 1e-9},           // LoRA on GPT-3
      {"B2", 5.4768e23, 1e-9},        // Llama
      {"B3", 1.37e9, 0.004},          // A100 seconds
      {"B6", 1040e9, 0.005},          // states of Llama 65B
      {"B13", 5.576e6, 1e-3},         // DeepSeek-V3
      {"B14", 3.84e6, 1e-9},          // 256 A100s at $15,000
      {"C4", 238.3e3, 0.002},         // tokens a second of PaLM at 46.2 %
  };
  const std::vector<Replay> replays = computed_replays();
  for (const Figure& f : figures) {
    const auto replay =
        std::find_if(replays.begin(), replays.end(), [&](const Replay& r) { return r.id == f.id; });
    REQUIRE(replay != replays.end());
    INFO(f.id << " " << f.figure);
    CHECK(std::any_of(replay->items.begin(), replay->items.end(), [&](const ReplayItem& i) {
      return std::abs(i.value - f.figure) <= f.tolerance * f.figure;
    }));
  }
}

TEST_CASE("replays: an item is computed from its scenario and not stored") {
  const ReplayItem& llama = item("B2", 0);
  CHECK(llama.value == 6 * 65.2e9 * 1.4e12);
  CHECK(metric_of_link(llama.link + "&count=full", llama.metric) ==
        metric_of_link(llama.link, llama.metric));  // by size: no attention to count
  CHECK(std::isnan(metric_of_link(llama.link, "serving.latency")));
  CHECK(std::isnan(metric_of_link(llama.link, "no.such")));
}

TEST_CASE("examples: each opens in its task, without a problem and in canonical form") {
  std::set<std::string> ids;
  std::set<std::string_view> tasks;
  for (const Example& e : examples()) {
    INFO(e.id);
    CHECK(ids.insert(e.id).second);
    CHECK(!e.title.empty());
    check_link(e.link);
    Problems problems;
    const Scenario s = scenario_of(decode(e.link).patch, problems);
    CHECK(choice_id(*field_by_path("run.task"), s) == e.task);
    for (const Problem& p : check(s)) FAIL_CHECK(p.path << ": " << p.message);
    tasks.insert(e.task);
  }
  CHECK(tasks.size() == 3);
}
