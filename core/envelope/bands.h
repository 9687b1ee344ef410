// SPDX-License-Identifier: MIT
// In: scenario, architecture. Out: how far a predicted time may be off, from our own errors on
// comparable published runs that the constants were not fitted on.
#pragma once

#include <string_view>

#include "envelope/architecture.h"

namespace envelope {

/// Four of five comparable runs took between low and high times what was predicted.
struct Band {
  double low = 1, high = 1;
  int rows = 0, sources = 0;  ///< It rests on so many.
  std::string_view among;     ///< Which runs these are, for people.
};
Band band_of(const Scenario& scenario, const Architecture& a, double gpus);

}  // namespace envelope
