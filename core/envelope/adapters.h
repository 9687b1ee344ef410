// SPDX-License-Identifier: MIT
// In: the counted architecture and the method of fine-tuning. Out: the parameters it trains, and
// those that multiply each token. Adapters as PEFT and the papers define them.
// Neglected: what a prefix's own network trains and throws away.
#pragma once

#include "envelope/ledger.h"
#include "envelope/scenario.h"
#include "envelope/shape.h"

namespace envelope {

void adapters(const Scenario& scenario, Architecture& a, const Ledger& note);

}  // namespace envelope
