// SPDX-License-Identifier: MIT
// The module that the page loads: text for people, a Float64Array for sweeps, nothing else.
#include <emscripten/bind.h>
#include <emscripten/val.h>

#include <string>
#include <vector>

#include "envelope/api.h"

namespace {

namespace api = envelope::api;
using emscripten::val;

// Embind knows std::string but not std::string_view.
std::string open(const std::string& link) { return api::open(link); }
std::string estimate(const std::string& scenario) { return api::estimate(scenario); }
std::string compare(const std::string& request) { return api::compare(request); }
std::string step(const std::string& scenario) { return api::step(scenario); }
std::string calibrate(const std::string& request) { return api::calibrate(request); }
std::string plan(const std::string& request) { return api::plan(request); }
std::string launch(const std::string& request) { return api::launch(request); }
std::string best_model(const std::string& request) { return api::best_model(request); }
std::string sensitivity(const std::string& request) { return api::sensitivity(request); }
std::string chart(const std::string& request) { return api::chart(request); }
std::string import_config(const std::string& text) { return api::import_config(text); }

// A view into the heap dies when the memory grows, so the numbers are copied here.
val sweep(const std::string& request) {
  const std::vector<double> numbers = api::sweep(request);
  return val::global("Float64Array")
      .new_(emscripten::typed_memory_view(numbers.size(), numbers.data()));
}

}  // namespace

EMSCRIPTEN_BINDINGS(envelope) {
  emscripten::function("schema", &api::schema);
  emscripten::function("open", &open);
  emscripten::function("estimate", &estimate);
  emscripten::function("compare", &compare);
  emscripten::function("step", &step);
  emscripten::function("calibrate", &calibrate);
  emscripten::function("plan", &plan);
  emscripten::function("launch", &launch);
  emscripten::function("bestModel", &best_model);
  emscripten::function("sensitivity", &sensitivity);
  emscripten::function("chart", &chart);
  emscripten::function("importConfig", &import_config);
  emscripten::function("replays", &api::replays);
  emscripten::function("sweep", &sweep);
}
