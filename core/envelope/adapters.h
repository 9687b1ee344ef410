// SPDX-License-Identifier: MIT
// In: the counted architecture and the method of fine-tuning. Out: the parameters it trains, and
// those that multiply each token. Adapters as PEFT and the papers define them.
// Neglected: what a prefix's own network trains and throws away.
#pragma once

#include "envelope/ledger.h"
#include "envelope/scenario.h"
#include "envelope/shape.h"

namespace envelope {

/// The matrices that LoRA is put on: of attention, of MLPs and experts, of linear layers. None
/// without LoRA; no gate where the model has none.
struct AdapterTargets {
  bool query = false, key = false, value = false, out = false;
  bool gate = false, up = false, down = false;
  bool linear = false;
};
AdapterTargets adapter_targets(const Scenario& scenario);

void adapters(const Scenario& scenario, Architecture& a, const Ledger& note);

}  // namespace envelope
