// SPDX-License-Identifier: MIT
// In: a storage format and an architecture. Out: bytes of its weights, by component, with what each
// scheme leaves in a wider format. GGUF mixtures follow the rules of llama.cpp's quantizer, tensor
// by tensor, as run with an importance matrix. Neglected: tokenizer and other metadata of a file
// (some MB), and the exceptions for fused query-key-value tensors (Falcon).
#pragma once

#include "envelope/architecture.h"
#include "envelope/formats.h"

namespace envelope {

/// Bytes of one parameter of each component, block constants included.
struct WeightBytes {
  double embedding, attention;
  double linear;  ///< Matrices and the rest of linear layers (SSM, linear attention).
  double mlp, experts, shared_experts, router;
  double norms;  ///< Norms and biases.
  double other;  ///< Positions, sinks, pooler, and parts outside the text model.
  double head;
};

WeightBytes weight_bytes(Format format, const Model& m, const Architecture& a);

/// Weights of the matrices in the layers, noted under `id`: what is quantized, and what Muon
/// updates.
double layer_matrices(const Architecture& a, Literal id, const Ledger& note);

/// Bytes of all weights, noted under `id`; notes "bytes.weight" before.
Bytes weights_in(Format format, const Model& m, const Architecture& a, Literal id,
                 const Ledger& note);

/// How a scheme treats weights at run time, beyond their size.
bool quantized_on_load(Format format);  ///< bitsandbytes: 16-bit matrices pass through the GPU.
/// The kernels for long prompts (GPTQ, AWQ, EXL2, bitsandbytes) write out a matrix in 16 bit first.
bool dequantized_whole(Format format);

}  // namespace envelope
