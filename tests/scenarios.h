// SPDX-License-Identifier: MIT
// Scenarios by their links, and the values of an estimate, for tests to say in few words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/estimate.h"
#include "envelope/link.h"
#include "envelope/patch.h"

namespace envelope_test {

/// Of the pairs of a link, without its version and snapshot: "n=8&tp=8".
inline envelope::Scenario of(const std::string& link) {
  envelope::Problems problems;
  const envelope::Scenario s =
      envelope::scenario_of(envelope::decode("v=1&d=2026-11&" + link).patch, problems);
  for (const envelope::Problem& p : problems)
    FAIL_CHECK(link << ": " << p.path << ": " << p.message);
  return s;
}

/// What the ledger says; none where no stage wrote it.
inline double value_of(const envelope::Scenario& s, std::string_view id) {
  std::vector<envelope::Step> steps;
  envelope::estimate(s, envelope::Ledger(steps));
  for (const envelope::Step& step : steps)
    if (step.id == id) return step.value;
  return envelope::kNone;
}

}  // namespace envelope_test
