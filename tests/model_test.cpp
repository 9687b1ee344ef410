// SPDX-License-Identifier: MIT
// The stages against the world: numbers that papers and model cards print, and closed forms that
// papers derive, from architecture to cost. Published claims by link are in published/claims.json.
// Over 400 lines because every stage has its numbers here.
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/estimate.h"
#include "envelope/link.h"
#include "envelope/patch.h"

namespace {

using namespace envelope;

class Steps {
 public:
  explicit Steps(const std::string& link) {
    Link read = decode("v=1&d=2026-11&" + link);
    Problems problems = read.problems;
    scenario = scenario_of(read.patch, problems);
    for (const Problem& p : problems) FAIL_CHECK(link << ": " << p.path << ": " << p.message);
    std::vector<Step> steps;
    report = estimate(scenario, Ledger(steps));
    for (const Step& step : steps) values_[step.id] = step.value;
  }
  double operator[](std::string_view id) const {
    const auto found = values_.find(id);
    if (found == values_.end()) FAIL("no " << id);
    return found->second;
  }
  bool has(std::string_view id) const { return values_.contains(id); }

  Scenario scenario;
  Report report;

 private:
  std::map<std::string_view, double> values_;
};

/// A dense decoder with multi-head attention and f = 4h, as Korthikanti et al. and GPT-3 have it.
struct Gpt {
  double layers, hidden, heads, vocab;
  std::string link() const {
    const auto n = [](double x) { return std::to_string(static_cast<long>(x)); };
    return "model=custom&layers=" + n(layers) + "&hidden=" + n(hidden) + "&heads=" + n(heads) +
           "&kv=" + n(heads) + "&hd=" + n(hidden / heads) + "&ffn=" + n(4 * hidden) +
           "&gated=0&tied=1&vocab=" + n(vocab);
  }
};
constexpr Gpt kGpt3{96, 12288, 96, 50257};
constexpr Gpt kOneTrillion{128, 25600, 160, 51200};

constexpr double kGb = 1e9, kDays = 86400;

}  // namespace

// ---- Architecture

TEST_CASE("architecture: the kinds of weights of Llama 3.1 8B, by hand") {
  const Steps s("model=llama-3.1-8b");
  const double h = 4096, q = 32 * 128, kv = 8 * 128, f = 14336, V = 128256, L = 32;
  CHECK(s["params.embedding"] == V * h);
  CHECK(s["params.head"] == V * h);
  CHECK(s["params.attention"] == L * (h * q + 2 * h * kv + q * h));
  CHECK(s["params.mlp"] == L * 3 * h * f);
  CHECK(s["params.norms"] == (2 * L + 1) * h);
  CHECK(s["params.biases"] == 0);
  CHECK(s["params.total"] == 8030261248);
  CHECK(s["params.matmul"] == 7504658432);  // without the embedding and the norms
}

TEST_CASE(
    "architecture: GPT-2 has 12 L h^2 weights in its layers, and biases and positions beside") {
  const Steps s("model=gpt2-xl");
  const double L = 48, h = 1600;
  CHECK(s["params.attention"] + s["params.mlp"] == 12 * L * h * h);
  // Four biases of attention and five h of the MLP; two norms of 2h, and one more behind.
  CHECK(s["params.biases"] == L * 9 * h);
  CHECK(s["params.norms"] == L * 4 * h + 2 * h);
  CHECK(s["params.other"] == 1024 * h);
  CHECK(s["params.head"] == 0);
  CHECK(s["params.total"] == 1557611200);
}

TEST_CASE("architecture: one MLA block of DeepSeek-V3, by the formula of its paper") {
  const Steps s("model=deepseek-v3");
  const double h = 7168, heads = 128, rq = 1536, rkv = 512, nope = 128, rope = 64, v = 128;
  const double block = h * rq + rq * heads * (nope + rope)  // queries through their latent
                       + h * (rkv + rope) + rkv * heads * (nope + v)  // keys and values
                       + heads * v * h;                               // output
  CHECK(s["params.attention"] == 61 * block);
  CHECK(s["arch.moe_layers"] == 58);
  CHECK(s["params.experts"] == 58 * 256.0 * 3 * h * 2048);
  CHECK(s["params.shared_experts"] == 58 * 3 * h * 2048);
  // "671B in total, of which 37B are activated".
  CHECK(s["params.total"] == Approx(671e9).epsilon(0.001));
  CHECK(s["params.active"] == Approx(37e9).epsilon(0.02));
}

TEST_CASE("architecture: LoRA trains what the LoRA paper says it trains") {
  // Table 4 of the paper: 4.7M and 37.7M for GPT-3 with adapters on query and value.
  const std::string head = "task=finetune&method=lora&targets=query-value&model=gpt3-175b&rank=";
  CHECK(Steps(head + "1")["params.trainable"] == 2 * 96 * 2 * 12288);
  CHECK(Steps(head + "1")["params.trainable"] == Approx(4.7e6).epsilon(0.01));
  CHECK(Steps(head + "8")["params.trainable"] == Approx(37.7e6).epsilon(0.002));
  // All linear layers of Llama 2 7B at rank 64, as the QLoRA paper does: 160M, counted by PEFT.
  CHECK(Steps("task=finetune&method=qlora&model=llama-2-7b&rank=64")["params.trainable"] ==
        159907840);
}

TEST_CASE("architecture: of the adapters on experts, those of the chosen ones work") {
  const Steps s("task=finetune&method=lora&rank=8&model=mixtral-8x7b");
  const double expert = 8 * 3 * (4096 + 14336.0);
  CHECK(s["params.trainable"] - s["params.trainable_active"] == 32 * (8 - 2) * expert);
  const Steps dense("task=finetune&method=lora&rank=8&model=llama-3.1-8b");
  CHECK(dense["params.trainable_active"] == dense["params.trainable"]);
}

// ---- Compute

TEST_CASE("architecture: the adapters on experts are counted apart") {
  const std::string model = "&model=qwen3-30b-a3b";
  const double L = 48, experts = 128, h = 2048, f = 768;
  const Steps lora("task=finetune&method=lora&rank=8" + model);
  CHECK(lora["tune.expert_adapters"] == 8 * 3 * L * experts * (h + f));
  CHECK(lora["tune.expert_adapters"] == lora["tune.mlp_adapters"]);
  CHECK(lora.report.architecture.expert_adapters == lora["tune.expert_adapters"]);
  for (const char* other : {"lora&tuneexperts=0", "lora&targets=attention", "adapter", "prefix"})
    CHECK(Steps(std::string("task=finetune&method=") + other + model)["tune.expert_adapters"] == 0);
  // A scale and a bias on each output: gate and up have f, down has h.
  const Steps v2("task=finetune&method=adapter-v2" + model);
  CHECK(v2["tune.expert_adapters"] == 2 * L * experts * (2 * f + h));
}

TEST_CASE("compute: 6 N D, as in the scaling papers") {
  // GPT-3, table D.1: 174,600M parameters, 300B tokens, 3.14e23 FLOPs, 3640 petaflop/s-days.
  const Steps gpt3("model=by-size&size=174.6e9&tokens=300e9");
  CHECK(gpt3["compute.train"] == Approx(3.14e23).epsilon(0.002));
  CHECK(gpt3["compute.pfs_days"] == Approx(3640).epsilon(0.001));
  // Llama 3 405B: 15.6T tokens, 3.8e25 FLOPs.
  CHECK(Steps("model=llama-3.1-405b&tokens=15.6e12")["compute.train_6nd"] ==
        Approx(3.8e25).epsilon(0.001));
  CHECK(Steps("model=llama-3.1-8b")["compute.per_token_6nd"] == 6 * 8030261248.0);
  // T5 passes each token through one of two stacks, so 3 FLOPs for each parameter; table D.1 again.
  CHECK(Steps("model=t5-11b&tokens=1e12")["compute.pfs_days"] == Approx(382).epsilon(0.04));
}

TEST_CASE("compute: an iteration of a GPT takes 72 B L s h^2 (1 + s/6h + V/12hL) FLOPs") {
  // Korthikanti et al. 2022, appendix A; full attention, no recomputation.
  for (const Gpt& g : {kGpt3, kOneTrillion, Gpt{24, 2048, 16, 50304}})
    for (const double s : {512.0, 2048.0, 32768.0}) {
      const Steps steps(g.link() + "&seq=" + std::to_string(static_cast<long>(s)));
      const double L = g.layers, h = g.hidden;
      INFO("h " << h << ", s " << s);
      CHECK(steps["compute.per_token_full"] ==
            Approx(72 * L * h * h * (1 + s / (6 * h) + g.vocab / (12 * h * L))).epsilon(1e-12));
    }
}

TEST_CASE("compute: with full recomputation it is 96 B L s h^2 (1 + s/6h + V/16hL)") {
  // Narayanan et al. 2021: one more forward pass of the layers, not of the head. Attention counted
  // in full there and by half of the square here.
  for (const Gpt& g : {kGpt3, kOneTrillion}) {
    const double L = g.layers, h = g.hidden, s = 2048;
    const Steps steps(g.link() + "&seq=2048&rc=full&tokens=1e12");
    const double causal = 96 * L * h * h * (1 + s / (12 * h) + g.vocab / (16 * h * L));
    CHECK(steps["compute.hardware"] == Approx(causal * 1e12).epsilon(1e-12));
  }
}

TEST_CASE(
    "compute: attention adds 12 L s q a token when counted in full, and half of it is masked") {
  const Steps s("model=llama-3.1-8b&seq=8192");
  const double L = 32, q = 4096, n = 8192;
  CHECK(3 * s["compute.attention_full"] == 12 * L * n * q);
  CHECK(3 * s["compute.attention_causal"] == 6 * L * n * q);
  // So the same speed reads as a higher MFU where attention is counted in full.
  struct Row {
    const char* model;
    double seq, ratio;
  };
  for (const Row& row : {Row{"llama-3.1-8b", 8192, 1.125}, Row{"llama-3.1-8b", 131072, 1.70},
                         Row{"llama-3.1-70b", 8192, 1.07}, Row{"llama-3.1-405b", 8192, 1.04}}) {
    const Steps m("model=" + std::string(row.model) +
                  "&seq=" + std::to_string(static_cast<long>(row.seq)));
    INFO(row.model << " at " << row.seq);
    CHECK(m["compute.per_token_full"] / m["compute.per_token_causal"] ==
          Approx(row.ratio).epsilon(0.006));
  }
}

TEST_CASE("compute: PaLM 540B does 46.2 % MFU at 238.3 thousand tokens a second") {
  // Appendix B: 6N + 12 L H Q T, with N without the embedding.
  const Steps s("model=palm-540b&seq=2048&count=full&gpu=tpu-v4&n=6144&tokens=780e9");
  const double per_second = 238.3e3 * s["compute.per_token"];
  CHECK(per_second / (6144 * 275e12) == Approx(0.462).epsilon(0.005));
}

TEST_CASE("compute: a mixture of experts computes with those it chooses") {
  const Steps s("model=mixtral-8x7b&seq=4096");
  // All but the unchosen experts, the embedding look-up and the norms: twice that, forward.
  const double multiplied = 12879925248.0 - 32000 * 4096.0 - 65 * 4096.0;
  CHECK(s["params.matmul"] == multiplied);
  CHECK(s["compute.forward"] - s["compute.attention_causal"] == 2 * multiplied);
  CHECK(s["params.total"] > 3 * s["params.active"]);
}

TEST_CASE("compute: LoRA takes 4 N and not 6 N, as measured") {
  // Megatron Bridge on H100, Llama 3 70B: 735 TFLOP/s at 2643 tokens/s with LoRA, 710 at 1638 with
  // all weights.
  const Steps lora("task=finetune&method=lora&model=llama-3.1-70b&rank=16");
  const Steps full("task=finetune&model=llama-3.1-70b");
  CHECK(lora["compute.per_token_6nd"] == Approx(735e12 / 2643).epsilon(0.03));
  CHECK(full["compute.per_token_6nd"] == Approx(710e12 / 1638).epsilon(0.03));
  CHECK(lora["compute.per_token_6nd"] / full["compute.per_token_6nd"] ==
        Approx(4 / 6.0).epsilon(0.02));
}

TEST_CASE("compute: a window bounds what a token attends to") {
  // w - w^2/2n on average, by summing min(i, w) over the positions of a long text.
  const double n = 32768, w = 4096;
  double sum = 0;
  for (double i = 0.5; i < n; ++i) sum += std::min(i, w);
  const Steps s("model=custom&layers=10&window=4096&globalevery=0&seq=32768");
  CHECK(s["compute.attended_causal"] == Approx(10 * sum / n).epsilon(1e-6));
  // Every second layer global.
  const Steps half("model=custom&layers=10&window=4096&globalevery=2&seq=32768");
  CHECK(half["compute.attended_causal"] == Approx(5 * sum / n + 5 * n / 2).epsilon(1e-6));
}

// ---- Memory

TEST_CASE("memory: bytes per parameter of the recipes, as their sources print them") {
  struct Row {
    const char* recipe;
    double bytes;
  };
  for (const Row& row : {Row{"mixed-18", 18}, Row{"mixed-16", 16}, Row{"mixed-20", 20},
                         Row{"fp32-adam", 16}, Row{"fsdp-16", 16}, Row{"bf16-8", 8}}) {
    const Steps s("model=by-size&size=1e9&recipe=" + std::string(row.recipe));
    INFO(row.recipe);
    CHECK(s["memory.states"] == row.bytes * 1e9);
    CHECK(s["memory.bytes_per_param"] == row.bytes);
  }
  // The blog's 24 bytes: 4 weights, 8 Adam, 4 gradients, 8 activations.
  CHECK(Steps("model=by-size&size=1e9&recipe=blog-24")["memory.total"] == 24 * kGb);
}

TEST_CASE("memory: optimizers keep what their papers say") {
  const auto optimizer = [](const std::string& name,
                            const std::string& model = "model=bert-large") {
    const Steps s(model + "&odt=fp32&opt=" + name);
    return s["memory.optimizer"] / s["params.total"];
  };
  CHECK(optimizer("adam") == 8);
  CHECK(optimizer("momentum") == 4);
  CHECK(optimizer("lion") == 4);
  CHECK(optimizer("sgd") == 0);
  // 8-bit Adam: a quarter, and a constant for each block of 2048.
  CHECK(optimizer("adam-8bit") == Approx(2).epsilon(0.002));
  CHECK(optimizer("adam-8bit") > 2);
  // Adafactor: sums of rows and columns, "sublinear".
  CHECK(optimizer("adafactor") < 0.04);
  CHECK(optimizer("adafactor") > 0);
  // Muon: one momentum for matrices, Adam for the rest; large models are nearly all matrices.
  CHECK(optimizer("muon", "model=llama-3.1-405b") == Approx(4).epsilon(0.015));
  CHECK(optimizer("muon") > 4);
}

TEST_CASE("memory: activations of a GPT layer are Korthikanti's") {
  // s b h (34 + 5 a s / h) with dropout masks; without dropout 2 s b h less, and 2 bytes a score.
  // Fused attention keeps the log-sum-exp of each head and position, 4 bytes each.
  for (const Gpt& g : {kGpt3, kOneTrillion})
    for (const double b : {1.0, 4.0}) {
      const double s = 2048, h = g.hidden, a = g.heads;
      const std::string batch = "&seq=2048&mbs=" + std::to_string(static_cast<int>(b));
      const Steps dropped(g.link() + "&rc=none&flash=0&dropout=1" + batch);
      CHECK(dropped["memory.activations"] ==
            Approx(g.layers * s * b * h * (34 + 5 * a * s / h)).epsilon(1e-12));
      const Steps plain(g.link() + "&rc=none&flash=0" + batch);
      CHECK(plain["memory.activations"] ==
            Approx(g.layers * s * b * h * (32 + 2 * a * s / h)).epsilon(1e-12));
      const Steps flash(g.link() + "&rc=none&flash=1" + batch);
      CHECK(flash["memory.activations"] ==
            Approx(g.layers * s * b * (32 * h + 4 * a)).epsilon(1e-12));
      const Steps selective(g.link() + "&rc=selective&flash=0&dropout=1" + batch);
      CHECK(selective["memory.activations"] == Approx(g.layers * 34 * s * b * h).epsilon(1e-12));
      // Full recomputation keeps the input of each layer, and works on one.
      const Steps full(g.link() + "&rc=full&flash=1" + batch);
      CHECK(full["memory.activations"] ==
            Approx(b * (2 * s * h * g.layers + s * (32 * h + 4 * a))).epsilon(1e-12));
    }
}

TEST_CASE("memory: adapters on experts keep what goes into them") {
  // Qwen3 30B-A3B: 8 of 128 experts of width 768, hidden size 2048, no other MLP. Two bytes each.
  const std::string model = "model=qwen3-30b-a3b&rc=none&task=finetune&method=lora";
  const Steps all(model), none(model + "&tuneexperts=0"), dropped(model + "&tunedropout=1");
  CHECK(all["memory.activation_per_token"] - none["memory.activation_per_token"] ==
        Approx(2 * 8 * (768 + 2048)).epsilon(1e-9));
  CHECK(none["act.adapters_on_hidden"] == 1);  // of queries, keys and values together
  // With dropout gate and up have an input each, of three bytes.
  CHECK(dropped["act.routed_adapted"] - dropped["act.routed_base"] == 3 * 2 * 8 * 2048);
  // DeepSeek-V2 Lite has two shared experts of 1408 besides: every token passes them.
  const Steps shared("model=deepseek-v2-lite&task=finetune&method=lora&tuneexperts=0");
  CHECK(shared["act.experts_adapted"] - shared["act.experts"] == 2 * 2 * 1408);
  CHECK(shared["act.routed_adapted"] == shared["act.routed_base"]);
  CHECK(shared["act.adapters_on_hidden"] == 2);
  // LLaMA-Adapter v2 scales gate, up and down of every chosen expert, and keeps the products.
  const Steps v2("model=qwen3-30b-a3b&rc=none&task=finetune&method=adapter-v2");
  CHECK(v2["act.experts_scaled"] - v2["act.experts_adapted"] == 2 * 2 * 8 * 768);
  CHECK(v2["act.routed_scaled"] - v2["act.routed_adapted"] == 2 * 8 * 2048);
}

TEST_CASE("memory: scales of FP8 and FP4 are kept with the inputs they belong to") {
  // Llama 3.1 8B: two hidden states, the attention output and the input of the down projection.
  const std::string model = "model=llama-3.1-8b&rc=none&prec=";
  const double inputs = 2 * 4096 + 4096 + 14336;
  const auto layer = [&](const std::string& more) {
    return Steps(model + more)["memory.activation_per_token"];
  };
  CHECK(layer("fp8&scales=block") - layer("fp8") == Approx(inputs * 4 / 128).epsilon(1e-9));
  CHECK(layer("fp8&scales=microscaling") - layer("fp8") == Approx(inputs / 32).epsilon(1e-9));
  CHECK(layer("fp4&scales=microscaling") - layer("fp4") == Approx(inputs / 16).epsilon(1e-9));
  CHECK(layer("bf16&scales=block") == layer("bf16"));
}

TEST_CASE("memory: of 32 layers every fifth is computed again, six in all") {
  const std::string model = "model=llama-3.1-8b&seq=2048&mbs=3&rc=full&rcevery=";
  const Steps s(model + "5"), never(model + "33");
  const double tokens = 3 * 2048, input = 2 * 4096, all = s["memory.activation_per_token"];
  CHECK(s["memory.activations"] == Approx(tokens * (6 * input + 26 * all)).epsilon(1e-12));
  CHECK(never["memory.activations"] == Approx(tokens * 32 * all).epsilon(1e-12));
}

TEST_CASE("memory: a token of an encoder-decoder passes one stack, and decoders attend twice") {
  // Korthikanti's layer keeps 32 h + 4 a with flash attention. Cross-attention adds its norm's
  // input and output (4 h), queries, keys, values and output (8 h) and 4 a. Of 512 tokens half are
  // the encoder's, half the decoder's.
  const std::string model =
      "model=custom&kind=encoder-decoder&layers=5&enclayers=2&hidden=1024&heads=16&kv=16&hd=64"
      "&ffn=4096&gated=0&norm=layernorm&vocab=1000&seq=512&mbs=1&dropout=0&rc=";
  const double h = 1024, a = 16, tokens = 256;
  const double layers = 2 * (32 * h + 4 * a) + 3 * (44 * h + 8 * a);
  const Steps none(model + "none"), full(model + "full"), selective(model + "selective");
  CHECK(none["memory.activations"] == Approx(tokens * layers).epsilon(1e-12));
  CHECK(full["memory.activations"] == Approx(tokens * (5 * 2 * h + layers / 5)).epsilon(1e-12));
  CHECK(selective["memory.activations"] ==
        Approx(tokens * (layers - 2 * 4 * a - 3 * 8 * a)).epsilon(1e-12));
  // Six bytes a logit, of the decoder's tokens.
  CHECK(none["memory.logits"] == tokens * 6 * 1000);
  // Pointwise: queries, values and output of each attention, the first of the MLP; input of each
  // layer.
  const Steps pointwise(model + "pointwise");
  CHECK(pointwise["memory.activations"] == Approx(tokens * (2 * (2 * h + 6 * h + 4 * a + 8 * h) +
                                                            3 * (2 * h + 12 * h + 8 * a + 8 * h)))
                                               .epsilon(1e-12));
  // Keys and output projection of 8 attentions, one matrix of 5 MLPs; half of them for each token.
  CHECK(pointwise["compute.recompute"] == 8 * 2 * h * h + 5 * 4 * h * h);
}

TEST_CASE("memory: a vision transformer sees patches, and run.seq does not matter") {
  // ViT-H/14 at 224 pixels: 16 x 16 patches and the class token, 257.
  const std::string vit = "model=vit-h-14&rc=none&mbs=32&seq=";
  const Steps s(vit + "8192"), other(vit + "1&document=7");
  CHECK(s["memory.micro_batch_tokens"] == 32 * 257);
  CHECK(s["compute.span"] == 257);
  CHECK(s["compute.attended_full"] == 32 * 257);
  CHECK(other["compute.span"] == 257);
  CHECK(other["memory.activations"] == s["memory.activations"]);
  const Steps eager(vit + "8192&flash=0");  // 16 heads, two bytes a score
  CHECK(eager["act.scores"] == 2 * 16 * 257);
}

TEST_CASE("memory: the twelve cells of Korthikanti's first figure, by their formulas") {
  // A regression of the formula, not a measurement: a GPT layer has 12 h^2 weights in matrices, and
  // nothing else counts. States are 18 bytes a weight. The baseline keeps everything without
  // sequence parallelism; "present work" has it, and recomputes the attention core.
  struct Cell {
    double layers, hidden, heads, batch, pp, chunks;
    double states, baseline, present;  // GiB
  };
  for (const Cell& c : {Cell{48, 6144, 64, 4, 1, 1, 45.5625, 59.25, 9.5625},
                        Cell{96, 12288, 96, 1, 8, 3, 45.5625, 66.8438, 12.3516},
                        Cell{105, 20480, 128, 1, 35, 3, 31.6406, 114.023, 23.0762},
                        Cell{128, 25600, 160, 1, 64, 1, 32.959, 131.25, 26.5625}}) {
    const auto set = [](const char* key, double value) {
      return "&" + std::string(key) + "=" + std::to_string(static_cast<long>(value));
    };
    const std::string gpt =
        "model=custom&gated=0&norm=non-parametric&vocab=1&seq=2048&gbs=8192&tp=8&zero=1&flash=0"
        "&dropout=1&act=estimate" +
        set("layers", c.layers) + set("hidden", c.hidden) + set("heads", c.heads) +
        set("kv", c.heads) + set("hd", c.hidden / c.heads) + set("ffn", 4 * c.hidden) +
        set("mbs", c.batch) + set("pp", c.pp) + set("vp", c.chunks) + set("n", 8 * c.pp);
    const double GiB = 1024.0 * 1024 * 1024;
    INFO(c.hidden);
    const Steps baseline(gpt + "&rc=none&seqpar=0"), present(gpt + "&rc=selective&seqpar=1");
    CHECK((baseline["rank.weights"] + baseline["rank.gradients"] + baseline["rank.master"] +
           baseline["rank.optimizer"]) /
              GiB ==
          Approx(c.states).epsilon(5e-5));
    CHECK(baseline["rank.activations"] / GiB == Approx(c.baseline).epsilon(5e-5));
    CHECK(present["rank.activations"] / GiB == Approx(c.present).epsilon(5e-5));
  }
}

TEST_CASE("memory: activations of a layer are about 34 hidden sizes a token with fused kernels") {
  struct Row {
    const char* model;
    double hidden_sizes;
  };
  for (const Row& row :
       {Row{"llama-3.1-8b", 34.0}, Row{"llama-3.1-70b", 33.5},
        Row{"qwen3-4b", 42.9}}) {  // 4.0 of it before the norms of queries and keys
    const Steps s("model=" + std::string(row.model));
    INFO(row.model);
    CHECK(s["memory.activation_per_token"] / s.scenario.model.hidden ==
          Approx(row.hidden_sizes).epsilon(0.005));
  }
}

TEST_CASE("memory: FP32 logits of 32k tokens and 128k words are 15.7 GiB") {
  const Steps s("model=llama-3.1-8b&seq=32768&mbs=1");
  CHECK(s["memory.logits"] * 4 / 6 / (1024 * 1024 * 1024.0) == Approx(15.7).epsilon(0.005));
}

TEST_CASE("memory: KV cache per token, as vendors and papers state it") {
  struct Row {
    const char* model;
    double bytes;
  };
  // 2 x layers x KV heads x head size x 2 bytes; one latent of 512 + 64 in each layer with MLA.
  for (const Row& row :
       {Row{"deepseek-v3", 70272}, Row{"llama-3.1-8b", 131072}, Row{"llama-3.1-70b", 327680},
        Row{"llama-3.1-405b", 516096}, Row{"llama-2-7b", 524288}, Row{"gpt3-175b", 4718592},
        Row{"mistral-7b-v0.1", 131072}}) {
    INFO(row.model);
    CHECK(Steps("task=serve&model=" + std::string(row.model))["kv.per_token"] == row.bytes);
  }
  // MHA instead of MLA would be 128 heads of 192 and 128: 70 times as much.
  CHECK(61 * 128.0 * (192 + 128) * 2 / 70272 == Approx(71.1).epsilon(0.001));
  const Steps fp8("task=serve&model=llama-3.1-8b&kvfmt=fp8-e4m3");
  CHECK(fp8["kv.per_token"] == 65536);
  CHECK(Steps("task=serve&model=llama-3.1-8b&batch=16&prompt=7000&out=1192")["memory.kv_cache"] ==
        16 * 8192 * 131072.0);
  CHECK(Steps("task=serve&model=llama-3.1-8b&kvcache=0")["memory.kv_cache"] == 0);
}

TEST_CASE("memory: weights to serve, by format") {
  const auto weights = [](const std::string& format) {
    return Steps("task=serve&model=llama-65b&wfmt=" + format)["memory.weights"];
  };
  const double n = 65285660672.0;  // Llama 65B
  CHECK(weights("fp32") == 4 * n);
  CHECK(weights("bf16") == 2 * n);
  CHECK(weights("int8") == n);
  CHECK(weights("int4") == n / 2);
  // NF4 with double quantization: 4.127 bits, embedding and head in 16 (QLoRA paper).
  CHECK(weights("nf4-dq") / n * 8 == Approx(4.127).epsilon(0.03));
  CHECK(weights("nf4-dq") < weights("nf4"));
}

TEST_CASE("memory: QLoRA fine-tunes 65B on one GPU of 48 GB, and 16 bits take more than 780 GB") {
  const std::string head = "task=finetune&model=llama-65b&seq=512&mbs=1&gpu=rtx-a6000&n=1&method=";
  // The paper pages the optimizer of its rank-64 adapters to the CPU; here it stays, at rank 16.
  CHECK(Steps(head + "qlora&rank=16")["layout.free"] > 0);
  CHECK(Steps(head + "lora")["layout.free"] < 0);
  // 2 weights, 2 gradients, 8 Adam.
  const Steps full(head + "full&wdt=bf16&gdt=bf16&mdt=none&odt=fp32");
  CHECK(full["memory.states"] > 780 * kGb);
  CHECK(full["memory.states"] < 790 * kGb);
}

// ---- Layout

TEST_CASE("layout: figure 1 of the ZeRO paper, 7.5B parameters on 64 GPUs") {
  const auto per_gpu = [](int zero) {
    return Steps("model=by-size&size=7.5e9&recipe=mixed-16&act=none&reserve=0&n=64&zero=" +
                 std::to_string(zero))["layout.per_gpu"] /
           kGb;
  };
  CHECK(per_gpu(0) == Approx(120).epsilon(1e-9));
  CHECK(per_gpu(1) == Approx(31.4).margin(0.05));
  CHECK(per_gpu(2) == Approx(16.6).margin(0.05));
  CHECK(per_gpu(3) == Approx(1.9).margin(0.05));
}

TEST_CASE("layout: table 1 of the ZeRO paper, a trillion parameters on 1024 GPUs") {
  for (const auto& [gpus, gb] : std::map<int, double>{{4, 4000}, {64, 250}, {1024, 15.6}})
    CHECK(Steps("model=by-size&size=1e12&recipe=mixed-16&act=none&reserve=0&zero=3&n=" +
                std::to_string(gpus))["layout.per_gpu"] /
              kGb ==
          Approx(gb).epsilon(0.002));
}

TEST_CASE("layout: ZeRO-3 sends half as much again as plain data parallelism") {
  // One micro-batch a step, 16-bit gradients: 3 against 2 bytes per parameter and byte of format.
  const std::string head = "model=by-size&size=1e9&recipe=mixed-16&act=none&n=64&gbs=64&zero=";
  const double plain = Steps(head + "0")["layout.dp_bytes"];
  CHECK(plain == Approx(2 * 63.0 / 64 * 2e9).epsilon(1e-12));
  CHECK(Steps(head + "1")["layout.dp_bytes"] == Approx(plain).epsilon(1e-12));
  CHECK(Steps(head + "2")["layout.dp_bytes"] == Approx(plain).epsilon(1e-12));
  CHECK(Steps(head + "3")["layout.dp_bytes"] == Approx(1.5 * plain).epsilon(1e-12));
}

TEST_CASE("layout: tensor parallelism all-reduces a hidden state four times a layer") {
  const Steps s(kGpt3.link() + "&n=8&tp=8&seq=2048&mbs=2");
  CHECK(s["layout.tp_bytes"] ==
        Approx(96 * 4 * (2 * 7 / 8.0) * (2 * 2 * 2048 * 12288.0)).epsilon(1e-12));
}

TEST_CASE("layout: the bubble of one-forward-one-backward is (p-1)/(m+p-1) of a step") {
  const Steps s("model=gpt3-175b&n=64&tp=8&pp=8&gbs=64&mbs=1");
  CHECK(s["layout.micro_batches"] == 64);
  CHECK(s["layout.bubble"] == Approx(7 / 71.0).epsilon(1e-12));
  CHECK(Steps("model=gpt3-175b&n=64&tp=8&pp=1")["layout.bubble"] == 0);
}

TEST_CASE("layout: replicas of a server divide its sequences") {
  const Steps one("task=serve&model=llama-3.1-70b&n=8&tp=8");
  CHECK(one["rank.kv_cache"] == Approx(one["memory.kv_cache"] / 8));  // 8 KV heads
  const Steps replicas("task=serve&model=llama-3.1-70b&n=32&tp=8");
  CHECK(replicas["layout.dp"] == 4);
  CHECK(replicas["rank.kv_cache"] == Approx(one["rank.kv_cache"] / 4));
}

// ---- Time and cost

TEST_CASE("time: GPT-3 and a trillion parameters on A100s, as Narayanan et al. project") {
  // Hardware speed counts recomputation: 8 T P / (n X), so 6/8 of it are model FLOPs.
  const auto days = [](double params, double tokens, double gpus, double tflops) {
    const auto text = [](double x) { return number_text(x); };
    return Steps("model=by-size&size=" + text(params) + "&tokens=" + text(tokens) +
                 "&gpu=a100-sxm-80gb&n=" + text(gpus) +
                 "&mfu=" + text(tflops * 1e12 * 6 / 8 / 312e12))["time.total"] /
           kDays;
  };
  CHECK(days(175e9, 300e9, 1024, 140) == Approx(34).epsilon(0.01));
  CHECK(days(1e12, 450e9, 3072, 163) == Approx(84).epsilon(0.015));
}

TEST_CASE("time: Llama 65B reads 380 tokens a second on each of 2048 A100s, for 21 days") {
  const Steps s("model=llama-65b&seq=2048&gpu=a100-sxm-80gb&n=2048&tokens=1.4e12&gputime=1022362h");
  CHECK(s["time.tokens_per_s"] / 2048 == Approx(380).epsilon(0.002));
  CHECK(s["time.total"] / kDays == Approx(21).epsilon(0.015));
  CHECK(s["mfu.full"] > s["mfu.causal"]);
  CHECK(s["hfu"] > s["mfu.causal"]);
  CHECK(s["mfu.causal"] == Approx(0.477).epsilon(0.04));
}

TEST_CASE("time: DeepSeek-V3 takes 180 thousand H800 hours for a trillion tokens, $2 each") {
  const Steps s(
      "model=deepseek-v3&prec=fp8&gpu=h800-sxm&n=2048&tokens=14.8e12&gputime=2664000h&price=2");
  CHECK(s["time.gpu_hours"] / 14.8 == Approx(180e3).epsilon(0.001));
  CHECK(s["time.total"] / kDays == Approx(54).epsilon(0.01));  // "less than two months"
  CHECK(s["cost.total"] == Approx(5.328e6).epsilon(1e-9));
}

TEST_CASE("time: the MFU of a model known by its size is the published median") {
  const Steps s("model=by-size&size=70e9");
  CHECK(s["time.mfu"] == s["time.published_mfu"]);
}

TEST_CASE("time: a predicted MFU is in the convention asked for") {
  const Steps full("model=llama-3.1-70b&count=full"), causal("model=llama-3.1-70b&count=causal");
  CHECK(full["time.mfu"] == Approx(full["mfu.full"]).epsilon(1e-12));
  CHECK(causal["time.mfu"] < full["time.mfu"]);
  // The convention changes how speed is named, not how fast it is.
  CHECK(causal["time.gpu_time"] == Approx(full["time.gpu_time"]).epsilon(1e-12));
  CHECK(Steps("model=llama-3.1-70b")["time.gpu_time"] ==
        Approx(full["time.gpu_time"]).epsilon(1e-12));
  CHECK(full["time.total_low"] < full["time.total"]);
  CHECK(full["time.total"] < full["time.total_high"]);
  // Llama 3 405B ran at 38 to 43 % on 16,384 H100s; the band of H100 holds that.
  const Steps llama("model=llama-3.1-405b&count=full");
  CHECK(llama["time.published_mfu_low"] <= 0.435);
  CHECK(llama["time.published_mfu_high"] >= 0.38);
  CHECK(!Steps("model=llama-3.1-8b&mfu=0.4").has("time.total_low"));
}

TEST_CASE("cost: renting and buying meet where the rent has paid for the GPU") {
  const Steps s(
      "model=llama-65b&gpu=a100-sxm-80gb&n=256&capex=15000&price=4&tokens=1.4e12&mfu=0.5");
  CHECK(s["cost.buy"] == 3.84e6);
  CHECK(s["cost.break_even"] == 3750 * 3600);
  CHECK(s["cost.per_hour"] == 1024);
  CHECK(s["cost.total"] == Approx(4 * s["time.gpu_hours"]).epsilon(1e-12));
  const Steps bill("model=llama-65b&gputime=1000000h&bill=4e6");
  CHECK(bill["cost.price"] == Approx(4).epsilon(1e-12));
}

TEST_CASE("cost: the energy is that of the GPUs at rated power, and unknown where no power is") {
  const Steps s("model=llama-65b&gpu=a100-sxm-80gb&n=2048&tokens=1.4e12&gputime=1022362h&tdp=400");
  CHECK(s["cost.energy"] == Approx(408.9448e6).epsilon(1e-12));  // 409 MWh; 449 with a PUE of 1.1
  CHECK_FALSE(Steps("gpu=tpu-v5p").has("cost.energy"));
  CHECK_FALSE(Steps("task=serve&model=llama-3.1-8b").has("cost.energy"));
}

TEST_CASE("cost: the largest model that a GPU holds, for four uses") {
  // 32 decimal GB without a reserve: 8B in FP32 to run; 24 bytes to train, 8 with LoRA.
  const Steps s("model=by-size&size=1e9&memrule=blog&mem=32e9&reserve=0&n=1&base=int4");
  CHECK(s["fit.params_inference"] == 8e9);
  CHECK(s["fit.params_full"] == Approx(32e9 / 24).epsilon(1e-12));
  CHECK(s["fit.params_lora"] == 4e9);
  CHECK(s["fit.params_qlora"] == 64e9);
}

// ---- Serving

TEST_CASE("serving: one sequence is decoded as fast as the weights are read") {
  // 16.06 GB over 3.35 TB/s.
  const Steps s("task=serve&model=llama-3.1-8b&batch=1&prompt=0&out=1&n=1&mbu=1");
  CHECK(s["serving.decode_step"] == Approx(8030261248.0 * 2 / 3.35e12).epsilon(0.001));
  CHECK(s["serving.tokens_per_s"] == Approx(1 / s["serving.decode_step"]).epsilon(1e-12));
  // With many sequences arithmetic decides: 2 N each, at the peak.
  const Steps many("task=serve&model=llama-3.1-8b&batch=4096&prompt=0&out=1&n=1&mbu=1&pmfu=1");
  CHECK(many["serving.decode_step"] == many["serving.compute_time"]);
  CHECK(many["serving.compute_time"] == Approx(4096 * 2 * 7504658432.0 / 989.4e12).epsilon(0.01));
}

TEST_CASE("serving: the default utilisation decodes about as fast as gpt-fast was measured to") {
  struct Row {
    const char *model, *format;
    double gpus, tokens_per_s, margin;
  };
  // Its README: A100 80 GB, one sequence, prompt of 5, 200 new tokens.
  for (const Row& row :
       {Row{"llama-2-7b", "bf16", 1, 104.9, 0.15}, Row{"llama-2-7b", "int8", 1, 155.58, 0.15},
        Row{"llama-3.1-8b", "bf16", 1, 93.89, 0.15}, Row{"llama-3.1-8b", "int8", 1, 137.64, 0.15},
        Row{"llama-2-70b", "int8", 1, 19.13, 0.2}, Row{"llama-2-70b", "bf16", 8, 62.5, 0.3},
        Row{"llama-2-70b", "int8", 8, 80.44, 0.3}}) {
    const Steps s("task=serve&gpu=a100-sxm-80gb&batch=1&prompt=5&out=200&model=" +
                  std::string(row.model) + "&wfmt=" + row.format + "&n=" + number_text(row.gpus));
    INFO(row.model << " " << row.format << " on " << row.gpus);
    CHECK(s["serving.tokens_per_s"] == Approx(row.tokens_per_s).epsilon(row.margin));
  }
}

TEST_CASE("serving: reading a prompt takes 2 N FLOPs a token and causal attention") {
  const Steps s("task=serve&model=llama-3.1-8b&prompt=8192&pmfu=0.5&n=1");
  CHECK(s["serving.prefill_flops"] ==
        Approx(8192 * (2 * 7504658432.0 + 2 * 8192 * 4096.0 * 32)).epsilon(1e-12));
  CHECK(s["serving.prefill_time"] ==
        Approx(s["serving.prefill_flops"] / (0.5 * s["time.peak"])).epsilon(1e-12));
}

TEST_CASE("serving: a small batch reads some of the experts, a large one all") {
  const auto touched = [](int batch) {
    return Steps("task=serve&model=deepseek-v3&n=8&tp=8&batch=" +
                 std::to_string(batch))["serving.experts_touched"];
  };
  CHECK(touched(1) == Approx(8 / 256.0).epsilon(1e-9));
  CHECK(touched(32) == Approx(1 - std::pow(1 - 8 / 256.0, 32)).epsilon(1e-9));
  CHECK(touched(1024) > 0.999);
}

TEST_CASE("serving: speculative decoding gains what Leviathan et al. derive") {
  struct Row {
    const char *acceptance, *drafts;
    double speed;
  };
  // Table 1 of the paper: a draft model of negligible cost.
  for (const Row& row : {Row{"0.6", "2", 1.96}, Row{"0.7", "3", 2.53}, Row{"0.8", "2", 2.44},
                         Row{"0.8", "5", 3.69}, Row{"0.9", "2", 2.71}, Row{"0.9", "10", 6.86}}) {
    const std::string link =
        std::string("task=serve&accept=") + row.acceptance + "&draft=" + row.drafts;
    INFO(link);
    CHECK(Steps(link + "&draftcost=0")["serving.speculative_speedup"] ==
          Approx(row.speed).margin(0.005));
  }
  // Five draft steps of a tenth each take half a step more.
  CHECK(Steps("task=serve&draft=5&accept=0.8&draftcost=0.1")["serving.speculative_speedup"] ==
        Approx(3.68928 / 1.5).epsilon(1e-9));
  CHECK(Steps("task=serve")["serving.speculative_speedup"] == 1);
}

TEST_CASE("serving: without a KV cache each token reads the whole context again") {
  const Steps with("task=serve&model=llama-3.1-8b&prompt=1000&out=24"),
      without("task=serve&model=llama-3.1-8b&prompt=1000&out=24&kvcache=0");
  CHECK(without["serving.decode_flops"] == Approx(1024 * 2 * 7504658432.0).epsilon(1e-12));
  CHECK(with["serving.decode_flops"] < without["serving.decode_flops"] / 500);
  CHECK(without["memory.total"] < with["memory.total"]);
}
