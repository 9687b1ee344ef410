// SPDX-License-Identifier: MIT
// How far a predicted time may be off. tests/fit/bands.test.mjs proves the numbers.
#include "envelope/bands.h"

#include <string>

#include "catch.h"
#include "envelope/catalog.h"
#include "envelope/patch.h"

namespace {

using namespace envelope;

Band band(const Patch& patch) {
  Problems problems;
  const Scenario s = scenario_of(patch, problems);
  REQUIRE(problems.empty());
  return band_of(s, architecture(s, {}), given(s.cluster.gpus) ? s.cluster.gpus : 64);
}

std::string among(const Patch& patch) { return std::string(band(patch).among); }

}  // namespace

TEST_CASE("bands: the prediction lies inside, on every accelerator") {
  for (const Row& gpu : catalog().accelerators) {
    INFO(gpu.id);
    for (const char* model : {"llama-3.1-8b", "deepseek-v3"})
      for (const char* task : {"pretrain", "finetune"})
        for (const double gpus : {8.0, 64.0}) {
          const Band b = band({{"gpu.id", gpu.id},
                               {"model.id", std::string(model)},
                               {"run.task", std::string(task)},
                               {"cluster.gpus", gpus}});
          CHECK(b.low > 0.3);
          CHECK(b.low < 1);
          CHECK(b.high > 1);
          CHECK(b.high < 3);
          CHECK(b.rows > 0);
          CHECK(b.sources > 0);
          CHECK(b.sources <= b.rows);
        }
  }
}

TEST_CASE("bands: they say which runs they rest on") {
  const Patch h100 = {{"gpu.id", "h100-sxm"}, {"model.id", "llama-3.1-8b"}, {"cluster.gpus", 64.0}};
  CHECK(among(h100) == "H100 class, dense models, pretraining, several nodes");
  const Patch node = {{"gpu.id", "h200-sxm"}, {"model.id", "llama-3.1-8b"}, {"cluster.gpus", 8.0}};
  CHECK(among(node) == "H100 class, dense models, pretraining, one node");
  const Patch moe = {{"gpu.id", "gb300"}, {"model.id", "deepseek-v3"}, {"cluster.gpus", 256.0}};
  CHECK(among(moe) == "B200 class, models with experts, pretraining, several nodes");
  const Patch tuned = {{"gpu.id", "a100-sxm-80gb"},
                       {"model.id", "llama-2-7b"},
                       {"run.task", "finetune"},
                       {"cluster.gpus", 1.0}};
  CHECK(among(tuned) == "A100 class, dense models, fine-tuning, one node");
}

TEST_CASE("bands: where nothing like it was published, all rows stand behind the band") {
  const Patch amd = {{"gpu.id", "mi300x"}, {"model.id", "deepseek-v3"}, {"cluster.gpus", 64.0}};
  const Patch h100 = {{"gpu.id", "h100-sxm"}, {"model.id", "llama-3.1-8b"}, {"cluster.gpus", 64.0}};
  CHECK(among(amd) == "all published training speeds");
  CHECK(band(amd).rows > band(h100).rows);
}
