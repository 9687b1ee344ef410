// SPDX-License-Identifier: MIT
// Any bytes as a table of measurements: total, and what comes out is JSON whose numbers agree.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "envelope/validate.h"
#include "laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace envelope;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Validation v = validate(text);
  const fuzz::Json json = fuzz::parsed(validation_json("fuzz", v));
  validation_text(v, true);
  double skipped = 0;
  for (const ValidatedRow& row : v.rows) {
    const bool scored = row.skipped.empty();
    fuzz::law(scored == std::isfinite(row.error), "an error or a reason", text);
    fuzz::law(!scored || row.predicted > 0, "a prediction is positive", text);
    skipped += scored ? 0 : 1;
  }
  fuzz::law(skipped == v.skipped, "skipped rows are counted", text);
  fuzz::law(json["rows"].size() == v.rows.size(), "every row is written", text);
  return 0;
}
