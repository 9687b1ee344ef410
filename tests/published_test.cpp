// SPDX-License-Identifier: MIT
// What the world has published, against what the core counts. The claims are in
// published/claims.json, each with its source; a tolerance is half the last digit printed, or as
// wide as the claim says why.
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "catch.h"
#include "envelope/catalog.h"
#include "envelope/estimate.h"
#include "envelope/json.h"
#include "envelope/link.h"

namespace {

using namespace envelope;

Json claims() {
  std::ifstream in(ENVELOPE_SOURCE_DIR "/tests/published/claims.json");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  Json out;
  Problems problems;
  REQUIRE(parse_json(text, out, problems, text.size()));
  return out;
}

double value_of(const std::vector<Step>& steps, std::string_view id) {
  for (const Step& step : steps)
    if (step.id == id) return step.value;
  FAIL("no metric " << id);
  return kNone;
}

std::vector<Step> steps_of(std::string_view link) {
  const Link read = decode(link);
  Problems problems = read.problems;
  const Scenario scenario = scenario_of(read.patch, problems);
  for (const Problem& p : problems) FAIL_CHECK(p.path << ": " << p.message);
  std::vector<Step> steps;
  estimate(scenario, Ledger(steps));
  return steps;
}

double count_of(const Row& row) {
  return value_of(steps_of("v=1&d=2026-11&model=" + row.id), "params.total");
}

}  // namespace

TEST_CASE("published: every claim holds") {
  const Json file = claims();
  const Json* rows = file.find("claims");
  REQUIRE(rows);
  REQUIRE(rows->items.size() > 40);
  for (const Json& claim : rows->items) {
    INFO(claim.text_at("id") << ": " << claim.text_at("claim"));
    INFO(claim.text_at("link"));
    CHECK(claim.text_at("url").substr(0, 8) == "https://");
    const std::vector<Step> steps = steps_of(claim.text_at("link"));
    double value = value_of(steps, claim.text_at("metric"));
    if (const std::string_view minus = claim.text_at("minus"); !minus.empty())
      value -= value_of(steps, minus);
    const double published = claim.number_at("published"), least = claim.number_at("at_least"),
                 most = claim.number_at("at_most");
    CHECK((given(published) || given(least) || given(most)));
    if (given(published))
      CHECK(std::abs(value - published) <= claim.number_at("tolerance") * published);
    if (given(least)) CHECK(value >= least);
    if (given(most)) CHECK(value <= most);
  }
}

TEST_CASE("published: parameters are counted to the last one") {
  int exact = 0;
  for (const Row& row : catalog().models) {
    if (row.published_params == 0) continue;
    INFO(row.id);
    const double counted = count_of(row);
    if (row.published_exact) {
      CHECK(counted == row.published_params);
      ++exact;
    } else {
      // Papers print two or three digits; the worst is GPT-3 2.7B, which has 2.65B.
      CHECK(std::abs(counted / row.published_params - 1) < 0.02);
    }
  }
  CHECK(exact == 132);
}

TEST_CASE("published: the two towers of CLIP and its logit scale") {
  const std::vector<Row>& models = catalog().models;
  const Row* vision = find_row(models, "clip-vit-l-14-vision");
  const Row* text = find_row(models, "clip-vit-l-14-text");
  REQUIRE(vision);
  REQUIRE(text);
  CHECK(count_of(*vision) + count_of(*text) + 1 == 427616513);
}
