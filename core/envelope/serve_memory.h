// SPDX-License-Identifier: MIT
// In: architecture, weights, KV cache, layout of a server. Out: what one GPU of a replica holds at
// each moment (loading, a pass over prompts, a step of decoding), the peak, the fewest GPUs under a
// legal tensor-parallel layout, and the largest batch and longest context that fit.
// Neglected: what a server adds on purpose (a KV pool as large as the GPU allows, CUDA graphs), and
// layers held in other formats than the bulk.
#pragma once

#include "envelope/memory.h"
#include "envelope/weights.h"

namespace envelope {

/// Most prompt tokens of one pass where nothing else is said: the default of vLLM and others.
inline constexpr double kPassTokens = 8192;
/// Scores of eager attention: 16 bit, an fp32 copy and its softmax.
inline constexpr double kScoreBytes = 2 + 4 + 4;
/// Logits: 16 bit and an fp32 copy.
inline constexpr double kLogitBytes = 2 + 4;
inline bool makes_logits(const Model& m) {
  return m.kind != ModelKind::encoder && m.kind != ModelKind::vit;
}
inline bool grows(const Scenario& s) { return s.serve.cache == KvCache::concatenated; }

/// What is live on one GPU beside the weights; bytes.
struct ServeMoments {
  double load = 0;           ///< While weights are read: matrices that exist twice.
  double prefill_cache = 0;  ///< KV cache during the pass over the prompts.
  double prefill_work = 0;   ///< Widest point of a layer in that pass.
  double prefill_hidden = 0, prefill_logits = 0;  ///< Its end.
  double cache = 0;                               ///< KV cache at the full length.
  double copy = 0;  ///< One layer's cache, copied to grow or to dequantize it.
  double step_work = 0, step_hidden = 0, step_logits = 0;  ///< The last step of decoding.
  double allocated = 0, reserved = 0;                      ///< Peaks, weights included.
};

/// One replica whose weights `tp` GPUs share.
class Replica {
 public:
  Replica(const Scenario& scenario, const Architecture& a, const Memory& m, const WeightBytes& w,
          double tp);

  ServeMoments moments(double batch, double prompt, double output) const;
  /// Bytes of one GPU that must fit, reserve and context included.
  double per_gpu(double batch, double prompt, double output) const;
  bool fits(double batch, double prompt, double output) const;
  /// Most sequences, up to `limit`, that fit at this length; 0 when none does.
  double most_batch(double limit) const;
  /// Longest prompt and output together, up to `limit`, that fit with so many sequences. The output
  /// keeps its length as far as the context has room for it.
  double most_context(double batch, double limit) const;

  double tp() const { return tp_; }
  double weights() const { return weights_; }
  double communication() const;

  /// Notes the parts of a GPU that serves `batch` sequences.
  void explain(double batch, const Ledger& note) const;

 private:
  const Scenario& s_;
  const Architecture& a_;
  double tp_;
  double weights_ = 0, replicated_ = 0, kv_weights_ = 0, kv_ways_ = 1;
  double activation_ = 2;  ///< Bytes of one value between layers.
  double width_ = 0;       ///< Values of one token at the widest point of a layer.
  double largest_ = 0;     ///< Weights of the largest matrix on one GPU.
  double load_ = 0;
};

struct ServeMemory {
  double tp = 1, dp = 1;
  double to_fit = kNone;  ///< Fewest GPUs; kNone when no number would do.
  double used = 1;
  Bytes per_gpu;
  double communication = 0;  ///< Bytes of the communication library on each GPU.
  double weights = 0;  ///< Bytes on one GPU of the fullest replica, and what is live beside them.
  ServeMoments moments;
};

ServeMemory serve_memory(const Scenario& scenario, const Architecture& a, const Memory& m,
                         const Ledger& note);

}  // namespace envelope
