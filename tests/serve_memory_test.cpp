// SPDX-License-Identifier: MIT
// Serving: bytes of weights in every format, of the KV cache, and of one GPU. Over 400 lines: one
// file for one chain of numbers.
#include "envelope/serve_memory.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "catch.h"
#include "envelope/catalog.h"
#include "envelope/estimate.h"
#include "envelope/fields.h"
#include "envelope/kv.h"
#include "envelope/link.h"
#include "envelope/patch.h"
#include "envelope/weights.h"
#include "random_scenario.h"

namespace {

using namespace envelope;
using envelope_test::Random;
using envelope_test::random_patch;

constexpr double kGiB = 1024.0 * 1024 * 1024, kKiB = 1024;

Scenario serving(const std::string& link) {
  const Link read = decode("v=1&d=2026-11&task=serve&" + link);
  Problems problems = read.problems;
  const Scenario s = scenario_of(read.patch, problems);
  for (const Problem& p : problems) FAIL_CHECK(link << ": " << p.path << ": " << p.message);
  return s;
}

std::map<std::string_view, double> numbers(const Scenario& s) {
  std::vector<Step> steps;
  estimate(s, Ledger(steps));
  std::map<std::string_view, double> out;
  for (const Step& step : steps) out[step.id] = step.value;
  return out;
}
std::map<std::string_view, double> numbers(const std::string& link) {
  return numbers(serving(link));
}

Scenario with(Scenario s, const Patch& patch) {
  for (const Problem& p : apply(patch, s)) FAIL_CHECK(p.path << ": " << p.message);
  return s;
}

/// Random servers with counted numbers, and a layout that the rules allow.
template <class Visit>
void each_server(std::uint64_t seed, int tries, int least, const Visit& visit) {
  Random random(seed);
  int tried = 0;
  for (int i = 0; i < tries; ++i) {
    Problems problems;
    Scenario s = scenario_of(random_patch(random), problems);
    s = with(s, {{"run.task", std::string("serve")},
                 {"states.rule", std::string("components")},
                 {"serve.batch", static_cast<double>(1 + random.below(200))},
                 {"serve.cache", std::string(random.one_in(3)   ? "concatenated"
                                             : random.one_in(2) ? "whole"
                                                                : "paged")}});
    INFO("seed " << seed << ", scenario " << i << ": " << encode(s));
    tried += visit(s, random);
  }
  CHECK(tried >= least);
}

}  // namespace

// ---- Weights

TEST_CASE("weights: GGUF files of Llama are as large as published") {
  struct File {
    const char *model, *format;
    double gib;
  };
  // README of llama.cpp's quantize (LLaMA 7B); table of GPU-Benchmarks-on-LLM-Inference, of files
  // quantized with an importance matrix (Llama 3 70B and 8B). Printed with two decimals.
  for (const File& f : {File{"llama-7b", "fp16", 12.55},      File{"llama-7b", "q8-0", 6.67},
                        File{"llama-7b", "q6-k", 5.15},       File{"llama-7b", "q5-k-m", 4.45},
                        File{"llama-7b", "q5-k-s", 4.33},     File{"llama-7b", "q4-k-m", 3.80},
                        File{"llama-7b", "q4-k-s", 3.59},     File{"llama-7b", "q4-1", 3.95},
                        File{"llama-7b", "q4-0", 3.56},       File{"llama-3-70b", "iq1-s", 14.29},
                        File{"llama-3-70b", "iq1-m", 15.60},  File{"llama-3-70b", "iq2-xxs", 17.79},
                        File{"llama-3-70b", "iq2-xs", 19.69}, File{"llama-3-70b", "iq2-s", 20.71},
                        File{"llama-3-70b", "iq2-m", 22.46},  File{"llama-3-70b", "q2-k-s", 22.79},
                        File{"llama-3-70b", "q2-k", 24.56},   File{"llama-3-70b", "iq3-xxs", 25.58},
                        File{"llama-3-70b", "iq3-xs", 27.29}, File{"llama-3-70b", "iq3-s", 28.79},
                        File{"llama-3-70b", "iq3-m", 29.74},  File{"llama-3-70b", "q3-k-s", 28.79},
                        File{"llama-3-70b", "q3-k-m", 31.91}, File{"llama-3-70b", "q3-k-l", 34.59},
                        File{"llama-3-70b", "iq4-xs", 35.30}, File{"llama-3-70b", "iq4-nl", 37.30},
                        File{"llama-3-70b", "q4-k-s", 37.58}, File{"llama-3-70b", "q4-k-m", 39.60},
                        File{"llama-3-70b", "q5-k-s", 45.32}, File{"llama-3-70b", "q5-k-m", 46.52},
                        File{"llama-3-70b", "q6-k", 53.91},   File{"llama-3-70b", "q8-0", 69.83},
                        File{"llama-3-70b", "fp16", 131.43},  File{"llama-3-8b", "q4-k-m", 4.58}}) {
    INFO(f.model << " " << f.format);
    const auto n = numbers("model=" + std::string(f.model) + "&wfmt=" + f.format);
    CHECK(n.at("memory.weights") / kGiB == Approx(f.gib).epsilon(0.0015));
  }
}

TEST_CASE("weights: rules for some layers, counted, are those layers, listed") {
  // llama.cpp gives Q4_K_M six bits for value and down projections of these layers.
  const auto more = [](int layer, int layers) {
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
  };
  for (int layers = 1; layers < 130; ++layers) {
    const Scenario s = with(serving("model=custom&hidden=4096&heads=32&kv=32&hd=128&ffn=8192"),
                            {{"model.layers", static_cast<double>(layers)}});
    const WeightBytes w = weight_bytes(Format::q4_k_m, s.model, architecture(s, Ledger()));
    double value = 0, down = 0;
    for (int i = 0; i < layers; ++i) {
      value += (more(i, layers) ? 6.5625 : 4.5) / 8 / layers;
      down += (more(i, layers) ? 6.5625 : 4.5) / 8 / layers;
    }
    INFO(layers << " layers");
    CHECK(w.attention == Approx((3 * 4.5 / 8 + value) / 4).epsilon(1e-12));
    CHECK(w.mlp == Approx((2 * 4.5 / 8 + down) / 3).epsilon(1e-12));
  }
  // The first dense layers of a mixture are its first layers: all of them are among the first
  // eighth. Of 61 layers, 7 are; of the 58 with experts, 4, and the thirds and the last eighth.
  const Scenario s = serving("model=deepseek-v3");
  const WeightBytes w = weight_bytes(Format::q4_k_m, s.model, architecture(s, Ledger()));
  CHECK(w.mlp == Approx((2 * 4.5 + 6.5625) / 3 / 8).epsilon(1e-12));
  double down = 0;
  for (int i = 3; i < 61; ++i) down += (more(i, 61) ? 6.5625 : 4.5) / 58;
  CHECK(w.experts == Approx((2 * 4.5 + down) / 3 / 8).epsilon(1e-12));
}

TEST_CASE("weights: rows that blocks of 256 do not divide are stored in other types") {
  // 2880 columns (gpt-oss) divide by 32 and not by 256; 100 columns by neither.
  const auto mlp = [](double hidden, double ffn) {
    Scenario s = serving("model=custom");
    s.model.hidden = hidden;
    s.model.ffn = ffn;
    return weight_bytes(Format::q4_k_s, s.model, architecture(s, Ledger())).mlp;
  };
  CHECK(mlp(2880, 2880) == Approx((2 * 5.5 + 28 / 32.0 * 5.5 + 4 / 32.0 * 6) / 3 / 8));
  CHECK(mlp(100, 100) == 2);
}

TEST_CASE("weights: GPTQ and AWQ keep embedding and head in 16 bit, EXL2 the embedding alone") {
  const Scenario s = serving("model=llama-2-7b");
  const Architecture a = architecture(s, Ledger());
  const double layers = a.attention + a.mlp, table = 32000.0 * 4096, norms = 65 * 4096;
  const auto weights = [&](const char* format) {
    return numbers("model=llama-2-7b&wfmt=" + std::string(format)).at("memory.weights");
  };
  CHECK(weights("int4-g128") == Approx(layers * (4 + 20 / 128.0) / 8 + 2 * (2 * table + norms)));
  CHECK(weights("int4-g32") == Approx(layers * (4 + 20 / 32.0) / 8 + 2 * (2 * table + norms)));
  CHECK(weights("int8-g128") == Approx(layers * (8 + 24 / 128.0) / 8 + 2 * (2 * table + norms)));
  CHECK(weights("fp8-block") == Approx(layers * (1 + 4 / 16384.0) + 2 * (2 * table + norms)));
  CHECK(weights("exl2-4") == Approx(layers / 2 + 2 * (table + norms) + table * 6 / 8));
  CHECK(weights("int4-g32-emb8") == Approx(layers * 4.5 / 8 + 2 * table + 2 * norms));
  // gpt-oss: the experts alone are in MXFP4, 4.25 bits; published as 63.4 GB (60.8 GiB) of files.
  CHECK(numbers("model=gpt-oss-120b&wfmt=mxfp4").at("memory.weights") / kGiB ==
        Approx(60.8).epsilon(0.01));
}

TEST_CASE("weights: components in their own bytes sum to the whole, in every format") {
  const Field& field = *field_by_path("serve.weights");
  for (const Row& row : catalog().models) {
    Scenario s = serving("model=" + row.id);
    if (s.model.kind == ModelKind::size_only) continue;
    const Architecture a = architecture(s, Ledger());
    for (std::size_t i = 0; i < field.choices.size(); ++i) {
      const Format f = static_cast<Format>(i);
      s.serve.weights = f;
      const WeightBytes w = weight_bytes(f, s.model, a);
      const double sum = a.embedding * w.embedding + a.attention * w.attention +
                         a.linear * w.linear + a.mlp * w.mlp + a.experts * w.experts +
                         a.shared_experts * w.shared_experts + a.router * w.router +
                         (a.norms + a.biases) * w.norms + a.other * w.other + a.head * w.head;
      INFO(row.id << " " << field.choices[i].id);
      CHECK(weights_in(f, s.model, a, "memory.weights", Ledger()).value ==
            Approx(sum).epsilon(1e-9));
      // These two go below their name, in query, key and gate projections.
      const bool below = f == Format::iq3_xs || f == Format::iq3_xxs;
      CHECK(sum >= a.total * bytes_per_value(f) * (below ? 0.93 : 0.998));
    }
  }
}

// ---- KV cache

TEST_CASE("kv: bytes per token, as published or derived by hand") {
  struct Row {
    const char* model;
    double kib;
  };
  for (const Row& row : {
           Row{"llama-2-70b", 320},     // 2 x 80 layers x 8 KV heads x 128 x 2 bytes
           Row{"llama-3-8b", 128},      // 2 x 32 x 8 x 128 x 2
           Row{"qwen3-0.6b", 112},      // 2 x 28 x 8 x 128 x 2: its heads are 128, not 1024/16 wide
           Row{"gemma-3-27b", 496},     // 2 x 62 x 16 x 128 x 2, while all layers still grow
           Row{"deepseek-v3", 68.625},  // 61 x (512 + 64) x 2: one latent a layer
           Row{"mistral-7b-v0.1", 128}, Row{"gpt-oss-120b", 72},  // 2 x 36 x 8 x 64 x 2
       }) {
    INFO(row.model);
    CHECK(numbers("model=" + std::string(row.model)).at("kv.per_token") == row.kib * kKiB);
  }
}

TEST_CASE("kv: a window stops growing at its end") {
  const auto sequence = [](const std::string& model) {
    return numbers("model=" + model + "&prompt=32000&out=768").at("kv.per_sequence");
  };
  // Mistral 7B: 32 layers keep 4096 tokens each: 512 MiB at any length.
  CHECK(sequence("mistral-7b-v0.1") == 4096 * 128 * kKiB);
  // Gemma 3 27B: every sixth of 62 layers is global, 52 keep 1024 tokens; 8 KiB a token and layer.
  CHECK(sequence("gemma-3-27b") == 8 * kKiB * (10 * 32768.0 + 52 * 1024));
  // gpt-oss-120b: every second of 36 layers keeps 128 tokens; 2 KiB a token and layer.
  CHECK(sequence("gpt-oss-120b") == 2 * kKiB * (18 * 32768.0 + 18 * 128));
}

TEST_CASE("kv: linear layers keep a state of one size at any length") {
  // Qwen3-Next 80B: 12 of 48 layers attend, 2 KV heads of 256; 36 layers keep 32 heads of 128 by
  // 128 values in FP32, and three inputs of 8192 channels in 16 bit.
  const auto n = numbers("model=qwen3-next-80b-a3b&prompt=32000&out=768");
  CHECK(n.at("kv.per_token") == 2 * 12 * 2 * 256 * 2);
  CHECK(n.at("kv.state") == 36 * (32 * 128 * 128 * 4.0 + 3 * 8192 * 2));
  CHECK(n.at("kv.per_sequence") == 24576 * 32768.0 + n.at("kv.state"));
  // Mamba 2.8B: 64 layers of 5120 channels with 16 values each, and nothing that grows.
  const auto mamba = numbers("model=mamba-2.8b&prompt=32000&out=768");
  CHECK(mamba.at("kv.per_token") == 0);
  CHECK(mamba.at("kv.per_sequence") == 64 * (5120 * 16 * 4.0 + 3 * 5120 * 2));
}

TEST_CASE("kv: pages round each sequence up, other caches do not") {
  const auto each = [](const char* cache) {
    return numbers("model=llama-3-8b&prompt=1000&out=1&page=16&cache=" + std::string(cache))
        .at("kv.per_sequence");
  };
  CHECK(each("paged") == 1008 * 128 * kKiB);
  CHECK(each("whole") == 1001 * 128 * kKiB);
  CHECK(each("concatenated") == 1001 * 128 * kKiB);
  // Both stacks of T5 11B round apart: 24 decoder layers of 128 heads of 128.
  CHECK(numbers("model=t5-11b&prompt=17&out=1").at("kv.per_sequence") ==
        24 * 2 * 128 * 128 * 2 * (32 + 16.0));
}

TEST_CASE("kv: a block-scaled cache carries its scales") {
  const auto token = [](const char* format) {
    return numbers("model=llama-3-8b&kvfmt=" + std::string(format)).at("kv.per_token") / 65536;
  };
  CHECK(token("bf16") == 2);
  CHECK(token("fp8-e4m3") == 1);
  CHECK(token("int8") == 1);
  CHECK(token("q8-0") == 34 / 32.0);
  CHECK(token("q4-0") == 18 / 32.0);
  CHECK(token("nvfp4") == 9 / 16.0);
}

// ---- One GPU

TEST_CASE("serving: what tensor parallelism does not divide is on each GPU") {
  // Llama 3 70B on 16 GPUs: 8 KV heads are held twice over, and so are their matrices.
  const auto n = numbers("model=llama-3-70b&n=16&tp=16");
  const double kv = 2.0 * 80 * 8192 * 1024 * 2, norms = 161 * 8192 * 2;
  CHECK(n.at("rank.weights") ==
        Approx((n.at("memory.weights") - kv - norms) / 16 + kv / 8 + norms).epsilon(1e-12));
  CHECK(n.at("rank.kv_cache") == Approx(n.at("memory.kv_cache") / 8));
  // DeepSeek-V3: down-projections of query and latent, routers and norms; and the whole latent.
  const auto mla = numbers("model=deepseek-v3&n=16&tp=16&wfmt=fp8-e4m3");
  const double down = 61.0 * 7168 * (1536 + 512 + 64);
  CHECK(mla.at("layout.replicated_weights") ==
        Approx(down + 2 * (mla.at("params.norms") + mla.at("params.router"))));
  CHECK(mla.at("rank.kv_cache") == mla.at("memory.kv_cache"));
}

TEST_CASE("serving: the moments of a server, by hand") {
  // Llama 2 7B in plain PyTorch, 4 prompts of 512 tokens and 512 more: the logits of every prompt
  // token are the peak of live tensors.
  const auto n =
      numbers("model=llama-2-7b&batch=4&prompt=512&out=512&cache=concatenated&eager=1&n=1&tp=1");
  const double token = 512 * kKiB, tokens = 4 * 512;
  CHECK(n.at("serving.prefill_cache") == tokens * token);
  CHECK(n.at("serving.cache") == 2 * tokens * token);
  CHECK(n.at("serving.prefill_logits") == 6 * tokens * 32000);
  // Two hidden states and three MLP tensors in 16 bit; scores in 16 bit, FP32 and FP32.
  CHECK(n.at("serving.prefill_work") ==
        2 * tokens * (2 * 4096 + 3 * 11008) + 10.0 * tokens * 512 * 32);
  CHECK(n.at("serving.cache_copy") == 2 * tokens * token / 32);
  CHECK(n.at("rank.allocated") ==
        n.at("rank.weights") +
            std::max(n.at("serving.prefill_cache") +
                         std::max(n.at("serving.prefill_work"),
                                  n.at("serving.prefill_hidden") + n.at("serving.prefill_logits")),
                     n.at("serving.cache") + n.at("serving.step_work")));
  // The allocator keeps the blocks of the cache before its last growth.
  CHECK(n.at("rank.reserved") ==
        n.at("rank.weights") + 2 * n.at("serving.cache") +
            std::max(n.at("serving.step_work"),
                     n.at("serving.step_hidden") + n.at("serving.step_logits")));
}

TEST_CASE("serving: loading can be the peak, where matrices exist twice") {
  const std::string head = "model=llama-2-13b&wfmt=int4-g128&batch=1&prompt=64&out=64&n=1&tp=1";
  const auto plain = numbers(head), merged = numbers(head + "&merge=1");
  const double qkv = 40 * 3 * 5120.0 * 5120 * (4 + 20 / 128.0) / 8;
  CHECK(merged.at("serving.load_bytes") == Approx(qkv));
  CHECK(merged.at("rank.allocated") == Approx(merged.at("rank.weights") + qkv));
  CHECK(plain.at("rank.allocated") < merged.at("rank.allocated"));
  // bitsandbytes has the head, 5120 x 32000, on the GPU in 16 bit when it comes.
  CHECK(numbers("model=llama-2-13b&wfmt=nf4&n=1&tp=1").at("serving.load_bytes") ==
        2 * 5120.0 * 32000);
}

TEST_CASE("serving: a step of prompts is bounded, and without a cache all is read again") {
  CHECK(numbers("model=llama-3-8b&batch=32&prompt=2048").at("serving.pass_tokens") == 8192);
  CHECK(numbers("model=llama-3-8b&batch=2&prompt=2048").at("serving.pass_tokens") == 4096);
  CHECK(numbers("model=llama-3-8b&batch=32&prompt=2048&prefill=512").at("serving.pass_tokens") ==
        512);
  CHECK(numbers("model=llama-3-8b&batch=32&prompt=2048&eager=1").at("serving.pass_tokens") ==
        65536);
  const auto n = numbers("model=llama-3-8b&batch=2&prompt=1000&out=1000&kvcache=0");
  CHECK(n.at("serving.pass_tokens") == 4000);
  CHECK(n.at("rank.kv_cache") == 0);
}

// ---- Laws

TEST_CASE("law: more tensor parallelism never raises a server's weights on a GPU") {
  each_server(41, 300, 250, [](const Scenario& s, Random&) {
    double before = INFINITY;
    for (const double tp : {1.0, 2.0, 4.0, 8.0, 16.0, 64.0}) {
      const double now =
          numbers(with(s, {{"cluster.tp", tp}, {"cluster.gpus", 64.0}})).at("rank.weights");
      CHECK(now <= before * (1 + 1e-12));
      CHECK(now * tp >= numbers(s).at("memory.weights") * (1 - 1e-12));
      before = now;
    }
    return true;
  });
}

TEST_CASE("law: the parts of a server's GPU sum to what it needs") {
  each_server(42, 500, 300, [](const Scenario& s, Random&) {
    const auto n = numbers(s);
    if (!n.contains("rank.kv_cache")) return false;
    for (const auto& [id, value] : n)
      if (id.starts_with("rank.") || id.starts_with("serving."))
        if (!(std::isfinite(value) && value >= 0)) FAIL_CHECK(id << " is " << value);
    const double live =
        n.at("rank.weights") + n.at("rank.kv_cache") + n.at("rank.working") + n.at("rank.logits");
    CHECK(n.at("rank.allocated") == Approx(live).epsilon(1e-12));
    CHECK(live + n.at("layout.reserve") == Approx(n.at("layout.per_gpu")).epsilon(1e-12));
    CHECK(n.at("rank.reserved") >= n.at("rank.allocated"));
    CHECK(n.at("layout.per_gpu") >= n.at("rank.device") * (1 - 1e-12));
    return true;
  });
}

TEST_CASE("law: the largest batch fits, and one sequence more does not") {
  int bounded = 0;
  each_server(43, 600, 300, [&](const Scenario& base, Random& random) {
    const double tp = static_cast<double>(std::size_t{1} << random.below(4)),
                 replicas = static_cast<double>(1 + random.below(4));
    const Scenario s = with(base, {{"cluster.tp", tp}, {"cluster.gpus", tp * replicas}});
    const auto n = numbers(s);
    if (!n.contains("serving.max_batch")) return true;
    const double most = n.at("serving.max_batch");
    const auto fits = [&](double batch) {
      return estimate(with(s, {{"serve.batch", batch}})).layout.fits;
    };
    CHECK(std::fmod(most, replicas) == 0);
    if (most >= 1e7) return true;  // more than may be asked for
    if (most >= 1) CHECK(fits(most));
    CHECK_FALSE(fits(most + 1));
    bounded += most >= 1;
    return true;
  });
  CHECK(bounded > 100);
}

TEST_CASE("law: the longest context fits, and one token more does not") {
  int bounded = 0;
  each_server(44, 600, 300, [&](const Scenario& base, Random& random) {
    const double tp = static_cast<double>(std::size_t{1} << random.below(4));
    const Scenario s = with(base, {{"cluster.tp", tp}, {"cluster.gpus", tp}});
    const auto n = numbers(s);
    if (!n.contains("serving.max_context")) return true;
    const double most = n.at("serving.max_context");
    const auto fits = [&](double context) {
      const double output = std::min(context, s.serve.output);
      return estimate(with(s, {{"serve.prompt", context - output}, {"serve.output", output}}))
          .layout.fits;
    };
    if (most >= 1) CHECK(fits(most));
    CHECK_FALSE(fits(most + 1));
    bounded += most >= 1;
    return true;
  });
  CHECK(bounded > 100);
}

TEST_CASE("law: the fewest GPUs are the fewest of all legal layouts") {
  int found = 0;
  each_server(45, 300, 150, [&](const Scenario& base, Random&) {
    if (base.model.kind == ModelKind::size_only || base.model.heads > 256) return false;
    const Scenario s =
        with(base, {{"cluster.gpus", std::string("auto")}, {"cluster.tp", std::string("auto")}});
    const Report r = estimate(s);
    // Every TP that divides the heads, every number of replicas that could be fewer.
    double fewest = INFINITY;
    for (double tp = 1; tp <= s.model.heads; ++tp) {
      if (std::fmod(s.model.heads, tp) != 0) continue;
      if (s.model.attention != Attention::mla && std::fmod(s.model.kv_heads, tp) != 0 &&
          std::fmod(tp, s.model.kv_heads) != 0)
        continue;
      for (double replicas = 1; replicas <= s.serve.batch && tp * replicas < fewest; ++replicas)
        if (estimate(with(s, {{"cluster.tp", tp}, {"cluster.gpus", tp * replicas}})).layout.fits)
          fewest = tp * replicas;
    }
    if (fewest == INFINITY) {
      CHECK_FALSE(given(r.layout.to_fit));
      return true;
    }
    CHECK(r.layout.to_fit == fewest);
    CHECK(r.layout.fits);
    CHECK(std::fmod(s.model.heads, r.layout.tp) == 0);
    return ++found, true;
  });
  CHECK(found > 80);
}
