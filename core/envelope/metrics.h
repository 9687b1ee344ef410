// SPDX-License-Identifier: MIT
// Table 2: one row for each output. Only metrics listed here may be noted in the ledger; a test
// fails on a stranger, and on a row that no scenario ever produces.
#pragma once

#include <span>
#include <string_view>

#include "envelope/prose.h"

namespace envelope {

/// counted: arithmetic. modelled: a formula with an error. assumed: someone chose it. quoted: from
/// a dated source.
enum class Kind : unsigned char { counted, modelled, assumed, quoted };

struct Metric {
  std::string_view id, symbol, unit;
  Kind kind;
  std::string_view label;
  Prose help, sources;  ///< Sources: keys of sources.h, separated by spaces.
  std::string_view since = "0.1.0";
};

std::span<const Metric> metrics();
const Metric* find_metric(std::string_view id);
std::string_view kind_id(Kind kind);

}  // namespace envelope
