// SPDX-License-Identifier: MIT
#include "envelope/serving.h"

#include <algorithm>

#include "envelope/compute.h"
#include "envelope/formats.h"

namespace envelope {
namespace {

// Weights read per second over nominal bandwidth, decoding one sequence on one GPU, models above
// 5B: medians of published measurements. Several GPUs together reach 27 to 53 %.
double published_mbu(double bits, double gpus) {
  if (gpus > 1) return 0.40;
  return bits > 8.5 ? 0.80 : bits > 6 ? 0.54 : 0.67;
}

}  // namespace

Serving serving(const Scenario& s, const Architecture& a, const Memory& m, const Layout& l,
                const Ledger& note) {
  Serving out;
  const double prompt = s.serve.prompt, context = s.serve.prompt + s.serve.output;
  const double width = a.qk_width + a.o_width;
  const bool linear = a.linear_layers > 0, decoder = s.model.kind == ModelKind::decoder;
  double attended_prompt = 0, attended_context = 0;
  if (a.known) {
    // A prompt of n tokens: n times the causal average. A new token attends to all before it.
    Formula prompt_formula, context_formula;
    switch (s.model.kind) {
      case ModelKind::encoder:
      case ModelKind::vit:
        prompt_formula = "arch.attention_layers*serve.prompt";
        context_formula = "arch.attention_layers*serving.context";
        break;
      case ModelKind::encoder_decoder:
        prompt_formula = "(model.layers*serve.prompt + arch.decoder_layers*serve.prompt/2)/2";
        context_formula = "(model.layers + arch.decoder_layers)*serving.context/2";
        break;
      default:
        prompt_formula =
            s.model.window == 0 ? "arch.global_layers*serve.prompt/2"
            : s.model.chunked
                ? "arch.global_layers*serve.prompt/2 + arch.local_layers*"
                  "(floor(serve.prompt/model.window)*model.window^2 + (serve.prompt - "
                  "floor(serve.prompt/model.window)*model.window)^2)/(2*max(1, serve.prompt))"
                : "arch.global_layers*serve.prompt/2 + "
                  "arch.local_layers*(min(model.window, serve.prompt) - "
                  "min(model.window, serve.prompt)^2/(2*max(1, serve.prompt)))";
        // The last token of a chunk sees all of it.
        context_formula = s.model.window > 0
                              ? "arch.global_layers*serving.context + "
                                "arch.local_layers*min(model.window, serving.context)"
                              : "arch.global_layers*serving.context";
    }
    attended_prompt = note("serving.attended_prompt",
                           prompt > 0 ? attended(s, a, prompt).causal : 0, prompt_formula);
    attended_context = note(
        "serving.attended_context",
        decoder ? a.global_layers * context + a.local_layers * std::min(s.model.window, context)
                : attended(s, a, context).full,
        context_formula);
    const double each =
        2 * a.matmul + 2 * width * attended_prompt + (linear ? a.state_flops.value : 0);
    out.prefill_flops =
        note("serving.prefill_flops", Flops{prompt * each},
             linear ? "serve.prompt*(2*params.matmul + 2*(arch.qk_width + arch.o_width)*"
                      "serving.attended_prompt + flops.linear_state)"
                    : "serve.prompt*(2*params.matmul + 2*(arch.qk_width + arch.o_width)*"
                      "serving.attended_prompt)");
  } else {
    out.prefill_flops =
        note("serving.prefill_flops", Flops{prompt * 2 * a.matmul}, "serve.prompt*2*params.matmul");
  }
  const bool cached = s.serve.kv_cache;
  if (!cached)
    out.decode_flops = note("serving.decode_flops", FlopsPerToken{context * 2 * a.matmul},
                            "(serve.prompt + serve.output)*2*params.matmul");
  else if (a.known)
    out.decode_flops = note(
        "serving.decode_flops",
        FlopsPerToken{2 * a.matmul + 2 * width * attended_context} + a.state_flops,
        linear ? "2*params.matmul + 2*(arch.qk_width + arch.o_width)*serving.attended_context "
                 "+ flops.linear_state"
               : "2*params.matmul + 2*(arch.qk_width + arch.o_width)*serving.attended_context");
  else
    out.decode_flops = note("serving.decode_flops", FlopsPerToken{2 * a.matmul}, "2*params.matmul");

  double peak = peak_of(s.gpu, s.run.precision);
  if (!given(peak)) peak = given(s.gpu.fp32) ? s.gpu.fp32 : 1e12;
  note("time.peak", FlopsPerSecond{peak});
  const Utilisation& u = utilisation(s, a);
  const double mfu = given(s.serve.mfu) ? note("serving.mfu", s.serve.mfu, "serve.mfu")
                                        : note("serving.mfu", u.median);
  const double mbu =
      given(s.serve.mbu)
          ? note("serving.mbu", s.serve.mbu, "serve.mbu")
          : note("serving.mbu", published_mbu(8 * bytes_per_value(s.serve.weights), l.tp));
  const FlopsPerSecond flops = note("serving.flops_per_s", FlopsPerSecond{l.tp * peak * mfu},
                                    "layout.tp*time.peak*serving.mfu");
  const BytesPerSecond bytes =
      note("serving.bytes_per_s", BytesPerSecond{l.tp * s.gpu.bandwidth * mbu},
           "layout.tp*gpu.bandwidth*serving.mbu");

  out.prefill_time = note("serving.prefill_time", out.prefill_flops / flops,
                          "serving.prefill_flops/serving.flops_per_s");

  // One decode step of a replica reads the weights its batch touches, and its KV cache.
  const double batch = note("serving.replica_batch", s.serve.batch / l.dp, "serve.batch/layout.dp");
  Bytes weights = m.weights;
  if (a.moe_layers > 0) {
    // Experts that at least one of the batch's tokens chose.
    const double touched =
        note("serving.experts_touched",
             1 - power(std::max(0.0, 1 - s.model.top_k / s.model.experts), batch),
             "1 - max(0, 1 - model.top_k/model.experts)^serving.replica_batch");
    const double share = (a.total - a.experts + a.experts * touched) / a.total;
    weights = note("serving.weights_read", m.weights * share,
                   "memory.weights*(params.total - params.experts + "
                   "params.experts*serving.experts_touched)/params.total");
  } else {
    weights = note("serving.weights_read", weights, "memory.weights");
  }
  const Bytes cache = m.kv_cache / l.dp;
  const Bytes read = m.kv_cache.value > 0
                         ? note("serving.bytes_read", weights + cache,
                                "serving.weights_read + memory.kv_cache/layout.dp")
                         : note("serving.bytes_read", weights, "serving.weights_read");
  note("serving.memory_time", read / bytes, "serving.bytes_read/serving.bytes_per_s");
  note("serving.compute_time", Flops{batch * out.decode_flops.value} / flops,
       "serving.replica_batch*serving.decode_flops/serving.flops_per_s");
  out.decode_step = note("serving.decode_step",
                         std::max(read / bytes, Flops{batch * out.decode_flops.value} / flops),
                         "max(serving.memory_time, serving.compute_time)");

  double gain = 1;
  if (s.serve.draft_tokens > 0) {
    // Expected tokens of one verification, over its cost (Leviathan 2023, theorem 3.8).
    const double alpha = s.serve.acceptance, k = s.serve.draft_tokens;
    double tokens = 1, p = 1;
    for (double i = 0; i < k; ++i) tokens += p *= alpha;
    gain = note("serving.speculative_speedup", tokens / (k * s.serve.draft_cost + 1),
                "(1 - serve.acceptance^(serve.draft_tokens + 1))/((1 - serve.acceptance)*"
                "(serve.draft_tokens*serve.draft_cost + 1))");
  } else {
    note("serving.speculative_speedup", gain);
  }
  out.per_user = note("serving.tokens_per_s_per_user", gain * Tokens{1} / out.decode_step,
                      "serving.speculative_speedup/serving.decode_step");
  out.tokens_per_s = note("serving.tokens_per_s", s.serve.batch * out.per_user,
                          "serve.batch*serving.tokens_per_s_per_user");
  out.latency = note("serving.latency", out.prefill_time + Tokens{s.serve.output} / out.per_user,
                     "serving.prefill_time + serve.output/serving.tokens_per_s_per_user");
  return out;
}

}  // namespace envelope
