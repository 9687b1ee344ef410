// SPDX-License-Identifier: MIT
// Published layouts beside planned ones.
#include "envelope/study.h"

#include <fstream>
#include <iterator>
#include <string>

#include "catch.h"

namespace {

std::string text_of_file(const char* path) {
  std::ifstream in(std::string(ENVELOPE_SOURCE_DIR) + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("published: the planner looks at every published layout, and finds none slower") {
  const envelope::Study study = envelope::study(text_of_file("/tests/published/throughput.csv"));
  CHECK(study.problems.empty());
  CHECK(study.rows.size() == 64);
  for (const envelope::StudyRow& row : study.rows) {
    INFO(row.id << " " << row.model << ": " << row.published_label);
    CHECK(row.outside == "");
    CHECK(row.ours <= row.published);
    CHECK(row.free <= row.ours);
  }
  const std::string printed = study_text(study);
  INFO(printed);
  CHECK(text_of_file("/docs/plans.md").find(printed) != std::string::npos);
}
