// SPDX-License-Identifier: MIT
// In: scenario and report. Out: the headline sentence, the verdict, and what a reader should know,
// each with remedies that are patches and were verified by running the estimate again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "envelope/estimate.h"
#include "envelope/patch.h"

namespace envelope {

/// A piece of a sentence: plain text, or a metric or field whose value is to be written there.
struct Part {
  std::string text;
  std::string_view metric;
};
using Sentence = std::vector<Part>;

struct Remedy {
  std::string label;
  Patch patch;     ///< To be applied on top of the scenario.
  bool fits;       ///< Whether the estimate with it fits.
  double per_gpu;  ///< Bytes on the fullest GPU with it.
  /// Work of the hardware with it over that without, bubbles included; kNone where it is unknown.
  double work = kNone;
  bool sends = false;  ///< It moves weights or states between GPUs or to the host; not in `work`.
};

enum class Tone : unsigned char { good, info, warning, bad };

struct Finding {
  Tone tone;
  std::string_view code;
  std::vector<std::string_view> about;  ///< Metric ids and field paths.
  Sentence message;
  std::vector<Remedy> remedies;
};

std::string_view tone_id(Tone tone);
Sentence summary(const Scenario& scenario, const Report& report);
Finding verdict(const Scenario& scenario, const Report& report);
std::vector<Finding> findings(const Scenario& scenario, const Report& report);

}  // namespace envelope
