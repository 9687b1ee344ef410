// SPDX-License-Identifier: MIT
// In: GPU time, number of GPUs, price. Out: dollars to rent, dollars to buy, and where they meet;
// energy at rated power, in watt-hours.
// Neglected: storage, network, staff, and, when buying, power and hosting; in the energy all but
// the GPUs.
#pragma once

#include "envelope/goodput.h"
#include "envelope/layout.h"
#include "envelope/serving.h"
#include "envelope/time.h"

namespace envelope {

struct Cost {
  double price = kNone;  ///< Dollars per GPU-hour; kNone when no price is known.
  Dollars total;
};

Cost cost(const Scenario& scenario, const Time& t, const Layout& l, const Goodput& g,
          const Serving& serving, const Ledger& note);

/// Largest model, in parameters, that the GPUs in use can hold: for inference, full training, LoRA
/// and QLoRA. Activations, KV cache and adapters are left out. The blog's rule has 4, 24 and 8
/// bytes.
void largest(const Scenario& scenario, const Layout& l, const Ledger& note);

}  // namespace envelope
