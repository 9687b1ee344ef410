// SPDX-License-Identifier: MIT
// In: architecture, sequence length, method. Out: tokens and FLOPs per token in three conventions
// (6 N D; architecture with causal attention; with full attention, as PaLM counts), and recomputed.
// Neglected: element-wise work (norms, activations, softmax), below 1 % of the matrix work; what
// chunked kernels of linear layers do beyond the recurrent form; the gradient of a learned prefix.
#pragma once

#include "envelope/architecture.h"

namespace envelope {

struct Compute {
  Tokens tokens;                    ///< Of the whole run.
  FlopsPerToken forward, backward;  ///< With causal attention.
  FlopsPerToken recompute;          ///< Done again in the backward pass.
  FlopsPerToken padding;            ///< Of experts' slots that no token takes.
  FlopsPerToken per_token_6nd, per_token_causal, per_token_full;
  FlopsPerToken per_token;  ///< In the convention that the scenario asks for.
  Flops train;              ///< per_token x tokens
  bool published = false;   ///< The run is the published one, and its FLOPs are known.
  Flops hardware;           ///< With recomputation.
};

/// Tokens a query attends to, summed over the layers: causal (average over positions) and full.
struct Attended {
  double causal = 0, full = 0;
};
Attended attended(const Scenario& scenario, const Architecture& a, double sequence);

Compute compute(const Scenario& scenario, const Architecture& a, const Ledger& note);

/// The dense peak of the accelerator for the scenario's precision; kNone when it has none.
double peak_of(const Gpu& gpu, Precision precision);

/// The dense peak that a run in this precision has: that of its 16-bit units, or the nearest there
/// is, where the accelerator has none for it.
double used_peak(const Gpu& gpu, Precision precision);

}  // namespace envelope
