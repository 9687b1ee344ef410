// SPDX-License-Identifier: MIT
#include "envelope/kv.h"

#include <algorithm>
#include <cmath>

#include "envelope/formats.h"

namespace envelope {
namespace {

bool has_cache(const Scenario& s) {
  return s.serve.kv_cache && s.model.kind != ModelKind::encoder && s.model.kind != ModelKind::vit;
}

/// Tokens that memory is set aside for: whole pages.
double set_aside(const Scenario& s, double tokens) {
  return s.serve.cache == KvCache::paged ? s.serve.page * std::ceil(tokens / s.serve.page) : tokens;
}

}  // namespace

double kv_layer_bytes(const Scenario& s) {
  const Model& m = s.model;
  const double values =
      m.attention == Attention::mla ? m.kv_rank + m.rope_dim : 2 * m.kv_heads * m.head_dim;
  return values * bytes_per_value(s.serve.kv);
}

double kv_bytes(const Scenario& s, const Architecture& a, double prompt, double output) {
  if (!a.known || !has_cache(s)) return 0;
  const double layer = kv_layer_bytes(s);
  // A decoder behind an encoder caches its own tokens and, once, the keys and values of the prompt.
  if (s.model.kind == ModelKind::encoder_decoder)
    return layer * (a.decoder_layers * (set_aside(s, prompt) + set_aside(s, output)));
  const double n = prompt + output;
  if (s.model.window <= 0) return layer * (a.global_layers * set_aside(s, n));
  return layer * (a.global_layers * set_aside(s, n) +
                  a.local_layers * set_aside(s, std::min(n, s.model.window)));
}

double state_bytes(const Scenario& s, const Architecture& a) {
  if (!a.known || !has_cache(s)) return 0;
  // The kernels accumulate states in fp32; the convolution remembers 16-bit inputs.
  return a.linear_layers * (4 * a.state_values + 2 * a.conv_values);
}

Bytes kv_cache(const Scenario& s, const Architecture& a, const Ledger& note) {
  const Model& m = s.model;
  if (m.kind == ModelKind::encoder || m.kind == ModelKind::vit) return {};
  const bool two_stacks = m.kind == ModelKind::encoder_decoder,
             paged = s.serve.cache == KvCache::paged;
  note("bytes.kv", bytes_per_value(s.serve.kv));
  const double layer = kv_layer_bytes(s);
  note("kv.per_token_layer", BytesPerToken{layer},
       m.attention == Attention::mla ? "(model.kv_rank + model.rope_dim)*bytes.kv"
                                     : "2*model.kv_heads*model.head_dim*bytes.kv");
  note("kv.per_token",
       BytesPerToken{layer * (two_stacks ? a.decoder_layers : a.global_layers + a.local_layers)},
       two_stacks ? "kv.per_token_layer*arch.decoder_layers"
                  : "kv.per_token_layer*(arch.global_layers + arch.local_layers)");
  if (!s.serve.kv_cache) return note("memory.kv_cache", Bytes{0});
  const double prompt = s.serve.prompt, output = s.serve.output;
  if (two_stacks) {
    note("kv.prompt_tokens", set_aside(s, prompt),
         paged ? "serve.page*ceil(serve.prompt/serve.page)" : "serve.prompt");
    note("kv.tokens", set_aside(s, output),
         paged ? "serve.page*ceil(serve.output/serve.page)" : "serve.output");
  } else {
    note("kv.tokens", set_aside(s, prompt + output),
         paged ? "serve.page*ceil(serving.context/serve.page)" : "serving.context");
    if (m.window > 0)
      note("kv.window_tokens", set_aside(s, std::min(prompt + output, m.window)),
           paged ? "serve.page*ceil(min(serving.context, model.window)/serve.page)"
                 : "min(serving.context, model.window)");
  }
  note("kv.state", Bytes{state_bytes(s, a)},
       a.linear_layers > 0 ? "arch.linear_layers*(4*arch.state_values + 2*arch.conv_values)" : "0");
  const Bytes each =
      note("kv.per_sequence", Bytes{kv_bytes(s, a, prompt, output) + state_bytes(s, a)},
           two_stacks     ? "kv.per_token_layer*arch.decoder_layers*(kv.prompt_tokens + kv.tokens)"
           : m.window > 0 ? "kv.per_token_layer*(arch.global_layers*kv.tokens + "
                            "arch.local_layers*kv.window_tokens) + kv.state"
                          : "kv.per_token_layer*arch.global_layers*kv.tokens + kv.state");
  return note("memory.kv_cache", s.serve.batch * each, "serve.batch*kv.per_sequence");
}

}  // namespace envelope
