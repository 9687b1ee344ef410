// SPDX-License-Identifier: MIT
// In: architecture, serving inputs. Out: bytes of keys and values that sequences leave behind.
// Neglected: pools that a server sizes to fill the GPU; this counts what the sequences need.
#pragma once

#include "envelope/architecture.h"

namespace envelope {

/// Bytes that one token adds in one layer: keys and values of each KV head; one latent with MLA.
double kv_layer_bytes(const Scenario& scenario);

/// Bytes of one sequence after `prompt` tokens read and `output` tokens generated. Every kind
/// of attention layer has its own term here: global, local, cross.
double kv_bytes(const Scenario& scenario, const Architecture& a, double prompt, double output);

/// Bytes of one sequence's states in the linear layers: constant, whatever its length.
double state_bytes(const Scenario& scenario, const Architecture& a);

/// Bytes of all sequences at their full length, undivided; notes "kv.*" and "memory.kv_cache".
Bytes kv_cache(const Scenario& scenario, const Architecture& a, const Ledger& note);

}  // namespace envelope
