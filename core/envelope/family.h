// SPDX-License-Identifier: MIT
// In: a model. Out: models of other sizes: its size where only that is known, else shapes of its
// kind, whose depth grows with their width, as in the Llama 3 family (a layer for each 128 of the
// hidden size, 8 KV heads at any size, an MLP 3.5 times as wide). Heads grow in steps that KV heads
// and tensor parallelism divide, layers in steps that the pipeline divides; the sizes of a head and
// of the vocabulary, KV heads of GQA, latents of MLA and the number of experts stay as they are.
// Neglected: vision towers and other parameters outside the layers stay as large as they are.
#pragma once

#include <vector>

#include "envelope/scenario.h"

namespace envelope {

class Family {
 public:
  explicit Family(const Scenario& scenario);

  /// Zero where there is no rule: towers, encoder-decoders, and layers of two kinds.
  double members() const { return members_; }
  /// The member whose shape is that of the model, or nearest to it.
  double nearest() const { return nearest_; }
  /// Makes the scenario's model the member of that number, the smallest first.
  void put(Scenario& scenario, double member) const;

 private:
  struct Shape {
    double heads, layers;
  };
  const Model model_;
  std::vector<Shape> shapes_;
  double members_ = 0, nearest_ = 0;
};

}  // namespace envelope
