// SPDX-License-Identifier: MIT
// The same calls for the page alone, without Embind: its glue weighs 7 kB, this and page.mjs one.
// The page writes the argument into what `reserve` gives, calls, and reads `size` bytes there.
//
// Compiled three times: what every visitor of the calculator needs; with ENVELOPE_RARE, what few
// ask for; with ENVELOPE_EMBED, what an embed needs.
#include <cstddef>
#include <string>
#include <vector>

#include "envelope/api.h"

#define EXPORT(name) __attribute__((export_name(#name), used))

namespace page {
namespace {

namespace api = envelope::api;

std::string argument, result;
[[maybe_unused]] std::vector<double> numbers;

const void* give(std::string text) {
  result = std::move(text);
  return result.data();
}

}  // namespace

EXPORT(reserve) char* reserve(std::size_t bytes) {
  argument.resize(bytes);
  return argument.data();
}
EXPORT(size) std::size_t size() { return result.size(); }

#ifdef ENVELOPE_RARE
EXPORT(compare) const void* compare() { return give(api::compare(argument)); }
EXPORT(step) const void* step() { return give(api::step(argument)); }
EXPORT(calibrate) const void* calibrate() { return give(api::calibrate(argument)); }
EXPORT(plan) const void* plan() { return give(api::plan(argument)); }
EXPORT(launch) const void* launch() { return give(api::launch(argument)); }
EXPORT(bestModel) const void* best_model() { return give(api::best_model(argument)); }
EXPORT(sensitivity) const void* sensitivity() { return give(api::sensitivity(argument)); }
EXPORT(chart) const void* chart() { return give(api::chart(argument)); }
EXPORT(importConfig) const void* import_config() { return give(api::import_config(argument)); }
EXPORT(replays) const void* replays() { return give(api::replays()); }
#else
EXPORT(schema) const void* schema() { return give(api::schema()); }
EXPORT(open) const void* open() { return give(api::open(argument)); }
#endif

// What has an unknown is answered by the rare module: it alone can solve, beside the embed.
EXPORT(estimate) const void* estimate() { return give(api::estimate(argument)); }
EXPORT(sweep) const double* sweep() {
  numbers = api::sweep(argument);
  return numbers.data();
}
EXPORT(points) std::size_t points() { return numbers.size(); }

}  // namespace page
