// SPDX-License-Identifier: MIT
// "Show the work" of a serving GPU. Apart from serve_memory.cpp because it runs once an edit and
// not in a search: in WASM small matters more than fast here.
#include <algorithm>

#include "envelope/kv.h"
#include "envelope/serve_memory.h"

namespace envelope {

void Replica::explain(double batch, const Ledger& ledger) const {
  const Loud note(ledger);
  const Serve& v = s_.serve;
  const Model& m = s_.model;
  const ServeMoments x = moments(batch, v.prompt, v.output);
  const bool eager = v.eager, grown = grows(s_), moe = a_.moe_layers > 0,
             dense = a_.dense_layers > 0, mla = m.attention == Attention::mla;
  if (!a_.known) {
    note("rank.weights", Bytes{weights_}, "memory.weights/layout.tp");
    note("rank.allocated", Bytes{x.allocated}, "rank.weights");
    note("rank.reserved", Bytes{x.reserved}, "(1 + stack.slack)*rank.allocated");
  } else {
    note("layout.replicated_weights", Bytes{replicated_},
         mla   ? moe ? "bytes.norms*(params.norms + params.biases) + bytes.router*params.router + "
                       "bytes.attention*arch.attention_layers*model.hidden*(model.q_rank + "
                       "model.kv_rank + "
                       "model.rope_dim)"
                     : "bytes.norms*(params.norms + params.biases) + bytes.attention*"
                       "arch.attention_layers*"
                       "model.hidden*(model.q_rank + model.kv_rank + model.rope_dim)"
         : moe ? "bytes.norms*(params.norms + params.biases) + bytes.router*params.router"
               : "bytes.norms*(params.norms + params.biases)");
    note("layout.kv_weights", Bytes{kv_weights_},
         mla ? "0"
             : "bytes.attention*arch.attention_blocks*model.hidden*(arch.k_width + arch.v_width)");
    note("layout.kv_ways", kv_ways_, mla ? "1" : "model.kv_heads/ceil(model.kv_heads/layout.tp)");
    note("rank.weights", Bytes{weights_},
         "layout.replicated_weights + layout.kv_weights/layout.kv_ways + (memory.weights - "
         "layout.replicated_weights - layout.kv_weights)/layout.tp");

    // The pass over the prompts.
    note("bytes.activation", activation_);
    const double h = m.hidden, g = m.gated ? 3 : 2;
    note("serving.attention_width", (a_.qk_width + a_.k_width + a_.v_width + a_.o_width) / tp_,
         "(arch.qk_width + arch.k_width + arch.v_width + arch.o_width)/layout.tp");
    note("serving.mlp_width", dense ? g * m.ffn / tp_ : 0,
         dense ? "arch.mlp_matrices*model.ffn/layout.tp" : "0");
    note("serving.routed_width",
         moe ? m.top_k * (h + g * m.moe_ffn / tp_) + g * m.shared_ffn / tp_ + 2 * m.experts : 0,
         moe ? "model.top_k*(model.hidden + arch.mlp_matrices*model.moe_ffn/layout.tp) + "
               "arch.mlp_matrices*model.shared_ffn/layout.tp + 2*model.experts"
             : "0");
    const bool linear = a_.linear_layers > 0;
    note("serving.linear_width", a_.layer.linear / h / tp_,
         linear ? "arch.linear_matrices/model.hidden/layout.tp" : "0");
    note("serving.widest", width_,
         "2*model.hidden + max(serving.attention_width, serving.mlp_width, serving.routed_width, "
         "serving.linear_width)");
    note("serving.largest_matrix", largest_,
         dense && moe ? "model.hidden*max(arch.qk_width, model.ffn, model.moe_ffn)/layout.tp"
         : dense      ? "model.hidden*max(arch.qk_width, model.ffn)/layout.tp"
         : moe        ? "model.hidden*max(arch.qk_width, model.moe_ffn)/layout.tp"
                      : "model.hidden*arch.qk_width/layout.tp");
    const bool merged = v.merge && !mla, on_load = quantized_on_load(v.weights),
               head = m.kind != ModelKind::vit;
    note("serving.load_bytes", Bytes{load_},
         !merged && !on_load ? "0"
         : !on_load ? "bytes.attention*arch.attention_blocks*model.hidden*(arch.qk_width + "
                      "arch.k_width + arch.v_width)/layout.tp"
         : !merged  ? head ? "2*max(serving.largest_matrix, arch.head_matrix/layout.tp)"
                           : "2*serving.largest_matrix"
         : head     ? "bytes.attention*arch.attention_blocks*model.hidden*(arch.qk_width + "
                      "arch.k_width + arch.v_width)/layout.tp + 2*max(serving.largest_matrix, "
                      "arch.head_matrix/layout.tp)"
                    : "bytes.attention*arch.attention_blocks*model.hidden*(arch.qk_width + "
                      "arch.k_width + arch.v_width)/layout.tp + 2*serving.largest_matrix");
    const double length =
        v.kv_cache ? note("serving.pass_length", std::max(1.0, v.prompt), "max(1, serve.prompt)")
                   : note("serving.pass_length", v.prompt + v.output, "serving.context");
    const double all = batch * length;
    given(v.prefill) ? note("serving.pass_tokens", std::min(all, v.prefill),
                            "min(serving.rank_batch*serving.pass_length, serve.prefill)")
    : eager          ? note("serving.pass_tokens", all, "serving.rank_batch*serving.pass_length")
                     : note("serving.pass_tokens", std::min(all, kPassTokens),
                            "min(serving.rank_batch*serving.pass_length, 8192)");
    const bool whole = dequantized_whole(v.weights), logits = makes_logits(m);
    note("serving.dequantized", Bytes{whole ? 2 * largest_ : 0},
         whole ? "2*serving.largest_matrix" : "0");
    note("serving.prefill_work", Bytes{x.prefill_work},
         eager ? "bytes.activation*serving.pass_tokens*serving.widest + 10*serving.pass_tokens*"
                 "serving.pass_length*model.heads/layout.tp + serving.dequantized"
               : "bytes.activation*serving.pass_tokens*serving.widest + serving.dequantized");
    note("serving.prefill_hidden", Bytes{x.prefill_hidden},
         "2*bytes.activation*model.hidden*serving.pass_tokens");
    note("serving.prefill_logits", Bytes{x.prefill_logits},
         !logits ? "0"
         : eager ? "(2 + 4)*model.vocab*serving.pass_tokens"
                 : "(2 + 4)*model.vocab*serving.rank_batch");

    // The last step of decoding, with the cache at its full length.
    const bool cached = x.cache > 0;
    if (grown && cached)
      note("kv.prompt_bytes", Bytes{kv_bytes(s_, a_, v.prompt, 0)},
           m.kind == ModelKind::encoder_decoder
               ? "kv.per_token_layer*arch.decoder_layers*serve.prompt"
           : m.window > 0 ? "kv.per_token_layer*(arch.global_layers*serve.prompt + "
                            "arch.local_layers*min(serve.prompt, model.window))"
                          : "kv.per_token_layer*arch.global_layers*serve.prompt");
    note("serving.cache", Bytes{x.cache},
         cached ? "serving.rank_batch*((kv.per_sequence - kv.state)/layout.kv_ways + "
                  "kv.state/layout.tp)"
                : "0");
    note("serving.prefill_cache", Bytes{x.prefill_cache},
         cached && grown
             ? "serving.rank_batch*(kv.prompt_bytes/layout.kv_ways + kv.state/layout.tp)"
             : "serving.cache");
    if (v.kv_cache) {
      const double wide = bytes_per_value(v.kv);
      const bool widened = cached && eager && wide > 0 && wide < activation_;
      note("serving.step_tokens", batch * (1 + v.draft_tokens),
           "serving.rank_batch*(1 + serve.draft_tokens)");
      note("serving.cache_copy", Bytes{x.copy},
           cached && grown && widened
               ? "serving.rank_batch*serving.context*kv.per_token_layer*(1 + bytes.activation/"
                 "bytes.kv)/layout.kv_ways"
           : cached && grown
               ? "serving.rank_batch*serving.context*kv.per_token_layer/layout.kv_ways"
           : widened ? "serving.rank_batch*serving.context*kv.per_token_layer*bytes.activation/"
                       "bytes.kv/layout.kv_ways"
                     : "0");
      note("serving.step_work", Bytes{x.step_work},
           eager ? "bytes.activation*serving.step_tokens*serving.widest + 10*serving.step_tokens*"
                   "serving.context*model.heads/layout.tp + serving.dequantized + "
                   "serving.cache_copy"
                 : "bytes.activation*serving.step_tokens*serving.widest + serving.dequantized + "
                   "serving.cache_copy");
      note("serving.step_hidden", Bytes{x.step_hidden},
           "2*bytes.activation*model.hidden*serving.step_tokens");
      note("serving.step_logits", Bytes{x.step_logits},
           logits ? "(2 + 4)*model.vocab*serving.step_tokens" : "0");
    }

    // The moment with the most on the GPU.
    const double prefill_end = x.prefill_hidden + x.prefill_logits,
                 step_end = x.step_hidden + x.step_logits,
                 prefill = x.prefill_cache + std::max(x.prefill_work, prefill_end),
                 step = x.cache + std::max(x.step_work, step_end);
    struct Peak {
      double cache, working, logits;
      Formula cache_from, working_from, logits_from;
    };
    const Peak peak =
        x.load >= std::max(prefill, step) ? Peak{0, x.load, 0, "0", "serving.load_bytes", "0"}
        : prefill >= step                 ? x.prefill_work >= prefill_end
                                                ? Peak{x.prefill_cache,         x.prefill_work,         0,
                                       "serving.prefill_cache", "serving.prefill_work", "0"}
                                                : Peak{x.prefill_cache,          x.prefill_hidden,
                                       x.prefill_logits,         "serving.prefill_cache",
                                       "serving.prefill_hidden", "serving.prefill_logits"}
                        : x.step_work >= step_end
            ? Peak{x.cache, x.step_work, 0, "serving.cache", "serving.step_work", "0"}
            : Peak{x.cache,         x.step_hidden,         x.step_logits,
                   "serving.cache", "serving.step_hidden", "serving.step_logits"};
    note("rank.kv_cache", Bytes{peak.cache}, peak.cache_from);
    note("rank.working", Bytes{peak.working}, peak.working_from);
    note("rank.logits", Bytes{peak.logits}, peak.logits_from);
    note("rank.allocated", Bytes{x.allocated},
         "rank.weights + rank.kv_cache + rank.working + rank.logits");
    note("rank.reserved", Bytes{x.reserved},
         grown && v.kv_cache
             ? "(1 + stack.slack)*max(rank.allocated, rank.weights + 2*serving.cache + max("
               "serving.step_work, serving.step_hidden + serving.step_logits))"
             : "(1 + stack.slack)*rank.allocated");
  }
  note("rank.slack", Bytes{x.reserved - x.allocated}, "rank.reserved - rank.allocated");
  note("rank.context", Bytes{s_.stack.context}, "stack.context");
  note("rank.groups", tp_ > 1 ? 1.0 : 0.0);
  note("rank.communication", Bytes{communication()}, "rank.groups*stack.buffers");
  note("rank.device", Bytes{x.reserved + s_.stack.context + communication()},
       "rank.reserved + rank.context + rank.communication");
  note("layout.model", Bytes{x.allocated}, "rank.allocated");
  note("layout.reserve",
       Bytes{std::max(s_.cluster.reserve,
                      x.reserved - x.allocated + s_.stack.context + communication())},
       "max(cluster.reserve, rank.slack + rank.context + rank.communication)");
  note("layout.per_gpu", Bytes{per_gpu(batch, v.prompt, v.output)},
       "layout.model + layout.reserve");
}

}  // namespace envelope
