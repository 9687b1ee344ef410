// SPDX-License-Identifier: MIT
// In: architecture, weights and KV cache, layout. Out: prefill and decode time, tokens per second.
// A phase takes as long as its slower side, arithmetic or memory traffic.
// Neglected: queueing, communication between GPUs (inside the assumed utilisation), sampling.
#pragma once

#include "envelope/layout.h"

namespace envelope {

struct Serving {
  Flops prefill_flops;  ///< One prompt.
  FlopsPerToken decode_flops;
  Seconds prefill_time, decode_step, latency;
  TokensPerSecond tokens_per_s, per_user;
};

Serving serving(const Scenario& scenario, const Architecture& a, const Memory& m, const Layout& l,
                const Ledger& note);

}  // namespace envelope
