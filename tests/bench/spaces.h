// SPDX-License-Identifier: MIT
// The spaces that the benchmark searches and a test checks.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "envelope/patch.h"
#include "envelope/search.h"

namespace envelope_bench {

inline envelope::SearchAxis axis(const char* path, std::vector<double> values,
                                 bool dearer = false) {
  return {{envelope::field_by_path(path), std::move(values)}, dearer};
}

inline envelope::Space space_of(const envelope::Patch& patch) {
  envelope::Problems problems;
  envelope::Space space;
  space.base = envelope::scenario_of(patch, problems);
  space.least = envelope::find_metric("time.total");
  space.front = {envelope::find_metric("time.total"), envelope::find_metric("cost.total"),
                 envelope::find_metric("gpus.used")};
  return space;
}

/// Megatron-Turing NLG 530B on up to 5,128 A100, batch 2,520, as calculon's example has it: it
/// tries 10,944 candidates there.
inline envelope::Space turing() {
  envelope::Space space = space_of({{"model.id", std::string("mt-nlg-530b")},
                                    {"gpu.id", std::string("a100-sxm-80gb")},
                                    {"stack.id", std::string("megatron-core-2023")},
                                    {"run.seq", 2048.0},
                                    {"run.global_batch", 2520.0}});
  space.axes = {axis("cluster.gpus", {5128, 5120, 5040, 4480, 3840, 3360}),
                axis("cluster.tp", {1, 2, 4, 8}),
                axis("cluster.pp", {1, 2, 3, 4, 5, 7, 8, 15, 21, 35, 105}),
                axis("cluster.virtual_stages", {1, 3, 5, 7, 15, 21, 35}),
                axis("run.micro_batch", {1, 2, 3, 4, 5, 6, 7, 8, 10, 12}),
                axis("cluster.sp", {1, 0}),
                axis("cluster.zero", {1, 0}),
                axis("run.recompute", {0, 1, 2}, true),
                axis("cluster.offload_activations", {0, 1}, true),
                axis("cluster.offload_optimizer", {0, 1}, true)};
  space.distinct = 4;
  return space;
}

/// GPT-3 175B on 1,024 GPUs, batch 1,536: calculon counts 11.7 million candidates.
inline envelope::Space gpt3() {
  envelope::Space space = space_of({{"model.id", std::string("gpt3-175b")},
                                    {"gpu.id", std::string("a100-sxm-80gb")},
                                    {"stack.id", std::string("megatron-core-2023")},
                                    {"run.seq", 2048.0},
                                    {"run.global_batch", 1536.0},
                                    {"cluster.gpus", 1024.0}});
  space.axes = {axis("cluster.tp", {1, 2, 4, 8}),
                axis("cluster.pp", {1, 2, 4, 8, 16, 32, 64}),
                axis("cluster.cp", {1, 2, 4, 8}),
                axis("cluster.cp_kind", {0, 1}),
                axis("cluster.schedule", {0, 1, 2, 3, 4, 5, 6, 7, 8}),
                axis("cluster.virtual_stages", {1, 2, 3, 4, 6, 8, 12, 24, 48}),
                axis("run.micro_batch", {1, 2, 3, 4, 6, 8, 12, 16, 24, 48}),
                axis("cluster.sp", {1, 0}),
                axis("run.flash", {1, 0}),
                axis("cluster.zero", {1, 0}),
                axis("stack.loss", {1, 0}),
                axis("run.recompute", {0, 1, 2}, true),
                axis("cluster.offload_activations", {0, 1}, true),
                axis("cluster.offload_optimizer", {0, 1}, true),
                axis("cluster.offload_weights", {0, 1}),
                axis("cluster.offload_gradients", {0, 1})};
  for (std::size_t a = space.axes.size() - 2; a < space.axes.size(); ++a)
    space.axes[a].slower = true;
  space.distinct = 6;
  return space;
}

}  // namespace envelope_bench
