// SPDX-License-Identifier: MIT
// Links are for ever. links/links.tsv is append-only: a link as somebody sent it, the link it must
// be rewritten to, and three of its results. A line is never changed or removed; where a formula or
// a fact was corrected only the results change, and CHANGELOG says so under "Numbers that changed".
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "catch.h"
#include "envelope/api.h"
#include "envelope/fields.h"
#include "envelope/json.h"

using namespace envelope;

namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  for (std::size_t start = 0; start <= line.size();) {
    const std::size_t end = std::min(line.find('\t', start), line.size());
    cells.push_back(line.substr(start, end - start));
    start = end + 1;
  }
  return cells;
}

double step_of(const Json& answer, std::string_view id) {
  for (const Json& step : answer.find("steps")->items)
    if (step.text_at("id") == id) return step.number_at("value");
  return std::nan("");
}

}  // namespace

TEST_CASE("a link that was ever shared opens, and shows what it showed") {
  std::ifstream in(ENVELOPE_SOURCE_DIR "/tests/links/links.tsv");
  std::size_t links = 0;
  for (std::string line; std::getline(in, line); ++links) {
    const std::vector<std::string> cells = split(line);
    INFO(line);
    REQUIRE(cells.size() == 5);
    const std::string text = api::estimate(cells[0]);
    Json answer;
    Problems problems;
    REQUIRE(parse_json(text, answer, problems, text.size()));
    CHECK(answer.text_at("link") == cells[1]);
    for (std::size_t i = 2; i < cells.size(); ++i) {
      const std::size_t equals = cells[i].find('=');
      const std::string metric = cells[i].substr(0, equals);
      double expected = 0;
      REQUIRE(equals != std::string::npos);
      REQUIRE(parse_number(cells[i].substr(equals + 1), "", expected));
      INFO(metric);
      // Wider than the last place, in which pow, exp and log differ between machines.
      CHECK(step_of(answer, metric) == Approx(expected).epsilon(1e-9));
    }
  }
  CHECK(links >= 60);
}

TEST_CASE("the defaults that v=1 names never change, and a new input adds its own") {
  std::ifstream in(ENVELOPE_SOURCE_DIR "/tests/links/defaults-v1.tsv");
  const Scenario initial;  // before catalog rows fill in theirs, which `d` freezes
  std::size_t rows = 0;
  for (std::string line; std::getline(in, line); ++rows) {
    const std::vector<std::string> cells = split(line);
    INFO(line);
    REQUIRE(cells.size() == 2);
    const Field* field = field_by_path(cells[0]);
    REQUIRE(field);
    CHECK(text_of(get(*field, initial)) == cells[1]);
  }
  CHECK(rows == fields().size() - 1);  // all but the snapshot, which `d` names
}
