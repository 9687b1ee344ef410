// SPDX-License-Identifier: MIT
// Kinds of layers, what fine-tuning trains, and the FLOPs of both, against a count of one layer
// after the other and against published totals.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/architecture.h"
#include "envelope/estimate.h"
#include "envelope/link.h"
#include "envelope/patch.h"
#include "random_scenario.h"

namespace {

using namespace envelope;
using envelope_test::Random;

Scenario read(const std::string& link) {
  Link decoded = decode("v=1&d=2026-11&" + link);
  Problems problems = decoded.problems;
  const Scenario s = scenario_of(decoded.patch, problems);
  for (const Problem& p : problems) FAIL_CHECK(link << ": " << p.path << ": " << p.message);
  return s;
}

std::map<std::string_view, double> metrics_of(const Scenario& s) {
  std::vector<Step> steps;
  estimate(s, Ledger(steps));
  std::map<std::string_view, double> out;
  for (const Step& step : steps) out[step.id] = step.value;
  return out;
}
std::map<std::string_view, double> metrics_of(const std::string& link) {
  return metrics_of(read(link));
}

Architecture shape(const std::string& link) { return architecture(read(link), Ledger()); }

/// The same question, asked of each layer in turn.
LayerCount one_by_one(const Model& m, int from, int to) {
  LayerCount c;
  int attention = 0, mlp = 0;
  for (int i = 0; i < to; ++i) {
    const int every = static_cast<int>(m.attention_every);
    const int offset = given(m.attention_offset) ? static_cast<int>(m.attention_offset) : every - 1;
    const bool attends = !hybrid(m) || (every > 0 && i >= offset && (i - offset) % every == 0);
    const bool in_range = i >= from;
    c.layers += in_range;
    if (attends) {
      ++attention;
      const bool global = m.window == 0 ||
                          (m.global_every > 0 && attention % static_cast<int>(m.global_every) == 0);
      c.attention += in_range;
      (global ? c.global : c.local) += in_range;
    } else {
      c.linear += in_range;
    }
    if (hybrid(m) && !(attends ? m.attention_mlp : m.linear_mlp)) continue;
    ++mlp;
    const int behind = mlp - static_cast<int>(m.first_dense);
    const bool moe = m.experts > 0 && behind > 0 && behind % static_cast<int>(m.moe_every) == 0;
    c.mlp += in_range;
    (moe ? c.moe : c.dense) += in_range;
  }
  return c;
}

}  // namespace

TEST_CASE("layers: counts of any range are those of one layer after the other") {
  Random random(31);
  for (int i = 0; i < 3000; ++i) {
    Model m;
    const auto some = [&](std::size_t n) { return static_cast<double>(random.below(n)); };
    m.layers = 1 + some(100);
    if (random.one_in(2)) {
      m.linear = Linear::mamba_2;
      m.attention_every = some(9);
      if (random.one_in(2)) m.attention_offset = some(12);
      m.attention_mlp = !random.one_in(3);
      m.linear_mlp = !random.one_in(3);
    }
    if (random.one_in(2)) m.window = 128, m.global_every = some(7);
    if (random.one_in(2)) m.experts = 8, m.first_dense = some(120), m.moe_every = 1 + some(4);
    const auto from = random.below(static_cast<std::size_t>(m.layers) + 1);
    const auto to = from + random.below(static_cast<std::size_t>(m.layers) - from + 1);
    const LayerCount fast = layers_between(m, static_cast<double>(from), static_cast<double>(to));
    const LayerCount slow = one_by_one(m, static_cast<int>(from), static_cast<int>(to));
    INFO("layers " << m.layers << ", every " << m.attention_every << " after " << m.attention_offset
                   << ", from " << from << " to " << to);
    CHECK(fast.layers == slow.layers);
    CHECK(fast.attention == slow.attention);
    CHECK(fast.linear == slow.linear);
    CHECK(fast.global == slow.global);
    CHECK(fast.local == slow.local);
    CHECK(fast.mlp == slow.mlp);
    CHECK(fast.dense == slow.dense);
    CHECK(fast.moe == slow.moe);
  }
}

TEST_CASE("layers: the parameters of one layer of each kind make up those of the model") {
  for (const Row& row : catalog().models) {
    const Scenario s = read("model=" + row.id);
    const Model& m = s.model;
    if (m.kind != ModelKind::decoder) continue;
    const Architecture a = architecture(s, Ledger());
    const LayerParams& l = a.layer;
    const double sum = a.attention_layers * (l.attention + l.attention_other) +
                       a.linear_layers * (l.linear + l.linear_other) +
                       a.dense_layers * (l.mlp + l.mlp_biases) +
                       a.moe_layers * (m.experts * l.expert + l.shared + l.router + l.residual) +
                       l.norms * (a.layers + a.mlp_layers) / 2;
    const double norm = m.norm == Norm::layernorm       ? 2 * m.hidden
                        : m.norm == Norm::nonparametric ? 0
                                                        : m.hidden;
    const double outside =
        a.embedding + a.head + a.other - (m.sinks ? a.attention_layers * m.heads : 0) +
        ((m.final_norm ? 1 : 0) + (m.embed_norm ? 1 : 0) + a.moe_layers * m.residual_norms) * norm +
        (m.head_bias ? m.vocab : 0);
    INFO(row.id);
    CHECK(sum + outside == a.total);
  }
}

TEST_CASE("layers: an MTP module of DeepSeek-V3 is what its checkpoint has beside the model") {
  // 684,489,845,504 parameters without the scales of FP8, less the model's 671,026,419,200, less
  // copies of embedding and head.
  const double module = 684489845504.0 - 671026419200.0 - 2 * 129280 * 7168.0;
  CHECK(shape("model=deepseek-v3&mtp=1&task=serve").mtp == module);
  CHECK(shape("model=deepseek-v3&mtp=1&task=serve").total == 671026419200.0);
  // GLM-4.5: 358,337,791,296 with it, copies again.
  CHECK(shape("model=glm-4.5&mtp=1").mtp == 358337791296.0 - 352797829024.0 - 2 * 151552 * 5120.0);
  // It is part of what is trained where the model is.
  const auto with = metrics_of("model=deepseek-v3&mtp=1&seq=4096&count=causal"),
             without = metrics_of("model=deepseek-v3&seq=4096&count=causal");
  CHECK(with.at("params.total") == 671026419200.0 + module);
  CHECK(with.at("params.trainable") == with.at("params.total"));
  CHECK(with.at("params.main") == without.at("params.total"));
  // One more layer, a projection, the head once more, and attention to all of the sequence.
  const double h = 7168, layer = with.at("arch.attention_block") + 9 * 3 * h * 2048 + h * 256;
  CHECK(with.at("compute.forward") - without.at("compute.forward") ==
        Approx(2 * (layer + 2 * h * h + 129280 * h) + 4096 * 128.0 * (192 + 128)).epsilon(1e-12));
  // Adapters leave it out.
  const auto lora = metrics_of("model=deepseek-v3&mtp=1&task=finetune&method=lora");
  CHECK(lora.at("params.total") == 671026419200.0);
}

TEST_CASE("layers: a token of a chunk attends to what of the chunk is before it") {
  for (const double n : {100.0, 8192.0, 20000.0, 32768.0}) {
    double sum = 0;
    for (double i = 0; i < n; ++i) sum += std::fmod(i, 8192) + 0.5;
    const auto m = metrics_of("model=custom&layers=4&window=8192&globalevery=4&chunked=1&seq=" +
                              number_text(n));
    CHECK(m.at("compute.attended_causal") == Approx(3 * sum / n + n / 2).epsilon(1e-9));
    const double left = std::fmod(n, 8192), whole = (n - left) / 8192;
    CHECK(m.at("compute.attended_full") ==
          Approx(n + 3 * (whole * 8192 * 8192 + left * left) / n).epsilon(1e-12));
  }
}

TEST_CASE("layers: packed documents attend to themselves, and the sequence no longer matters") {
  const auto packed = metrics_of("model=llama-3.1-8b&seq=65536&document=1024"),
             alone = metrics_of("model=llama-3.1-8b&seq=1024");
  CHECK(packed.at("compute.per_token_causal") == alone.at("compute.per_token_causal"));
  CHECK(packed.at("compute.per_token_full") == alone.at("compute.per_token_full"));
  // A document longer than the sequence is cut.
  CHECK(metrics_of("model=llama-3.1-8b&seq=1024&document=5000").at("compute.per_token_causal") ==
        alone.at("compute.per_token_causal"));
}

TEST_CASE("layers: a linear layer costs the same at any length, and its state is what papers say") {
  // One Mamba-2 layer: update and reading of heads x head size x state, 4 FLOPs each value.
  const std::string head =
      "model=custom&linear=mamba-2&lheads=80&lhd=64&state=128&layers=64&hidden=2560&lmlp=0&seq=";
  const auto near = metrics_of(head + "1024"), far = metrics_of(head + "1e6");
  CHECK(near.at("arch.attention_layers") == 0);
  CHECK(near.at("arch.state_values") == 80 * 64 * 128);
  CHECK(near.at("arch.conv_values") == (80 * 64 + 2 * 128) * 3);
  CHECK(near.at("flops.linear_state") == 64 * 4 * 80 * 64 * 128.0);
  CHECK(near.at("compute.attention_full") == 0);
  CHECK(near.at("compute.per_token_full") == far.at("compute.per_token_full"));
  // Hybrids attend in their attention layers only.
  const auto half = metrics_of(head + "4096&attnevery=2");
  CHECK(half.at("compute.attended_causal") == 32 * 4096 / 2);
  // The delta rule reads the state once more.
  const auto delta = metrics_of(
      "model=custom&linear=gated-deltanet&lheads=32&lhd=128&lgroups=16&"
      "state=128&layers=4&attnevery=4");
  CHECK(delta.at("flops.linear_state") == 3 * 6 * 32 * 128 * 128.0);
}

TEST_CASE("compute: the parts of the forward pass sum to it") {
  for (const Row& row : catalog().models)
    for (const char* more :
         {"", "&capacity=0.5", "&mtp=2", "&mtp=1&capacity=0.25", "&task=finetune&method=lora"}) {
      const auto m = metrics_of("model=" + row.id + more);
      if (!m.contains("compute.projections")) continue;
      double sum = m.at("compute.attention_causal");
      for (const char* id : {"compute.projections", "compute.mlp", "compute.linear",
                             "compute.router", "compute.experts", "compute.logits",
                             "flops.linear_state", "compute.mtp", "compute.adapters"})
        if (m.contains(id)) sum += m.at(id);
      if (m.contains("arch.projections")) sum += 2 * m.at("arch.projections");
      if (m.contains("arch.image_tokens")) continue;  // patches are embedded besides
      INFO(row.id << more);
      CHECK(m.at("compute.forward") == Approx(sum).epsilon(1e-12));
    }
}

TEST_CASE("compute: capacity drops tokens below one, and computes empty slots above") {
  const std::string head = "model=mixtral-8x7b&seq=4096&rc=none&tokens=1e9";
  const auto even = metrics_of(head), half = metrics_of(head + "&capacity=0.5"),
             padded = metrics_of(head + "&capacity=1.25"),
             again = metrics_of("model=mixtral-8x7b&seq=4096&rc=full&tokens=1e9&capacity=1.25"),
             full = metrics_of("model=mixtral-8x7b&seq=4096&rc=full&tokens=1e9");
  const double routed = 32 * 2 * 3 * 4096 * 14336.0;
  CHECK(even.at("compute.forward") - half.at("compute.forward") == routed);
  // Model FLOPs, and so MFU, do not gain from empty slots; the hardware does the work.
  CHECK(padded.at("compute.train") == even.at("compute.train"));
  CHECK(padded.at("compute.hardware") - even.at("compute.hardware") ==
        Approx(3 * 2 * 0.25 * routed * 1e9).epsilon(1e-9));
  CHECK(again.at("compute.hardware") - full.at("compute.hardware") ==
        Approx(4 * 2 * 0.25 * routed * 1e9).epsilon(1e-9));
}

TEST_CASE("compute: recomputing every n-th layer does that share of the forward pass again") {
  const std::string head = "model=llama-3.1-8b&seq=8192&rc=";
  const double all = metrics_of(head + "full").at("compute.recompute");
  CHECK(metrics_of(head + "full&rcevery=2").at("compute.recompute") == all / 2);
  CHECK(metrics_of(head + "full&rcevery=5").at("compute.recompute") ==
        Approx(all * 6 / 32).epsilon(1e-12));
  CHECK(metrics_of(head + "full&rcevery=33").at("compute.recompute") == 0);
  CHECK(metrics_of(head + "none").at("compute.recompute") == 0);
  CHECK(metrics_of(head + "pointwise").at("compute.recompute") == 0);
  const auto selective = metrics_of(head + "selective");
  CHECK(selective.at("compute.recompute") == selective.at("compute.attention_causal"));
}

TEST_CASE("tune: LLaMA-Adapter trains 1,229,760 parameters of Llama 2 7B, version 2 4,279,744") {
  // Counted by LitGPT for a prefix of 10: 30 layers of 10 x 4096 and 32 gates; then two for each of
  // 42,496 outputs of each layer and 32,000 of the head, and the norms.
  const std::string head = "task=finetune&model=llama-2-7b&seq=512&method=";
  const auto one = metrics_of(head + "adapter"), two = metrics_of(head + "adapter-v2");
  CHECK(one.at("params.trainable") == 1229760);
  CHECK(two.at("params.trainable") ==
        1229760 + 2 * (32 * (5 * 4096 + 2 * 11008) + 32000) + 65 * 4096);
  CHECK(two.at("params.trainable") == 4279744);
  // No matrix of theirs multiplies a token; each token attends to the prefix in 30 layers.
  const auto frozen = metrics_of("task=finetune&model=llama-2-7b&seq=512&method=full");
  CHECK(one.at("compute.forward") - frozen.at("compute.forward") == 30 * 10 * 4 * 4096);
  CHECK(one.at("compute.per_token_6nd") == 4 * 6738415616.0);
}

TEST_CASE("tune: prefix tuning trains keys and values of the prefix, as PEFT counts them") {
  // Llama 3 8B, 20 virtual tokens: 32 layers, keys and values of 8 heads of 128.
  CHECK(
      metrics_of("task=finetune&model=llama-3-8b&method=prefix&prefix=20").at("params.trainable") ==
      20 * 32 * 2 * 1024);
}

TEST_CASE("tune: LoRA on a list of targets sums what it does on each") {
  const std::string head = "task=finetune&method=lora&rank=16&model=llama-3.1-8b&targets=";
  const auto trained = [&](const std::string& more) {
    return metrics_of(head + more).at("params.trainable");
  };
  const double h = 4096, kv = 1024, f = 14336, L = 32, r = 16;
  CHECK(trained("custom&tuneq=1&tunek=0&tunev=0&tuneo=0") == L * r * 2 * h);
  CHECK(trained("custom&tuneq=0&tunek=1&tunev=0&tuneo=0") == L * r * (h + kv));
  CHECK(trained("custom&tuneq=0&tunev=0&tunegate=1") == L * r * (h + f));
  CHECK(trained("mlp") == L * r * 3 * (h + f));
  CHECK(trained("attention") + trained("mlp") == trained("all-linear"));
  CHECK(trained("custom&tunek=1&tuneo=1&tunegate=1&tuneup=1&tunedown=1") == trained("all-linear"));
  // 41.9 million: what PEFT prints for rank 16 on all linear layers of Llama 3 8B.
  CHECK(trained("all-linear") == 41943040);
  // Embedding and head trained whole; a tied one once.
  CHECK(trained("all-linear&tuneembed=1&tunehead=1") == 41943040 + 2 * 128256 * h);
  const std::string tied = "task=finetune&method=lora&rank=8&model=llama-3.2-1b";
  CHECK(metrics_of(tied + "&tuneembed=1&tunehead=1").at("params.trainable") -
            metrics_of(tied).at("params.trainable") ==
        128256 * 2048.0);
  // The head's own gradient costs two FLOPs a weight; the embedding is looked up.
  const auto plain = metrics_of(head + "all-linear"),
             whole = metrics_of(head + "all-linear&tunehead=1"),
             looked_up = metrics_of(head + "all-linear&tuneembed=1");
  CHECK(whole.at("compute.backward") - plain.at("compute.backward") == 2 * 128256 * h);
  CHECK(whole.at("compute.forward") == plain.at("compute.forward"));
  CHECK(looked_up.at("compute.backward") == plain.at("compute.backward"));
}

TEST_CASE("tune: experts can be left without adapters") {
  const std::string head = "task=finetune&method=lora&rank=8&model=qwen3-30b-a3b";
  const double without = metrics_of(head + "&tuneexperts=0").at("params.trainable"),
               with = metrics_of(head).at("params.trainable");
  CHECK(with - without == 48 * 128 * 8 * 3 * (2048 + 768.0));
  // DeepSeek: the dense layers and the shared expert keep theirs.
  const auto v2 = metrics_of(
      "task=finetune&method=lora&rank=8&targets=mlp&model=deepseek-v2-lite&"
      "tuneexperts=0");
  CHECK(v2.at("params.trainable") == 8 * 3 * ((2048 + 10944.0) + 26 * (2048 + 2816.0)));
  CHECK(v2.at("params.trainable_active") == v2.at("params.trainable"));
}

TEST_CASE("tune: adapters on MLA are on the projections to its latents and from them") {
  const double h = 7168, rq = 1536, rkv = 512;
  const auto m = metrics_of("task=finetune&method=lora&rank=4&model=deepseek-v3&targets=attention");
  CHECK(m.at("params.trainable") ==
        4 * 61 *
            ((h + rq) + (rq + 128 * 192) + (h + rkv + 64) + (rkv + 128 * 256) + (128 * 128 + h)));
}
