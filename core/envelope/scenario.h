// SPDX-License-Identifier: MIT
// The inputs. Defaults are the member initialisers, and live only here; meaning, unit and range are
// in the field table (fields.cpp). A member without a row there does not compile.
//
// Numbers are doubles, counts too: JSON and JavaScript have only doubles and 2^53 covers every
// count we meet. kNone (NaN) in an optional number means "not given": a stage derives it.
#pragma once

#include <cstring>
#include <string_view>

#include "envelope/math.h"

namespace envelope {

/// The name of a catalog row, held inside the scenario so that it stays trivially copyable.
struct Id {
  char text[40] = {};
  constexpr Id() = default;
  constexpr Id(std::string_view s) {  // NOLINT: a name is its text
    for (std::size_t i = 0; i < s.size() && i + 1 < sizeof text; ++i) text[i] = s[i];
  }
  constexpr Id(const char* s) : Id(std::string_view(s)) {}  // NOLINT
  constexpr operator std::string_view() const { return text; }
  bool operator==(const Id& o) const { return std::strcmp(text, o.text) == 0; }
};

enum class Task : unsigned char { pretrain, finetune, serve };
enum class ModelKind : unsigned char { decoder, encoder, encoder_decoder, vit, size_only };
enum class Norm : unsigned char { rmsnorm, layernorm, layernorm_nobias, nonparametric };
enum class QkNorm : unsigned char { none, per_head, full };
enum class Attention : unsigned char { standard, mla };
/// Layers that keep a state of constant size instead of keys and values.
enum class Linear : unsigned char { none, mamba, mamba_2, gated_deltanet, lightning };
enum class Precision : unsigned char { fp32, tf32, fp16, bf16, fp8, int8, fp4 };
enum class Count : unsigned char { six_nd, causal, full };
enum class Recompute : unsigned char { none, selective, full, pointwise };
enum class Kernels : unsigned char { fused, compiled, eager };
enum class Loss : unsigned char { eager, fused, chunked };
enum class Scales : unsigned char { tensor, block, microscaling };
enum class Schedule : unsigned char {
  one_f_one_b,
  gpipe,
  zb_h1,
  zb_2p,
  zbv,
  v_half,
  v_min,
  dualpipe,
  dualpipe_v
};
enum class ContextParallel : unsigned char { ring, all_to_all };
enum class KvCache : unsigned char { paged, whole, concatenated };
enum class ActivationRule : unsigned char { estimate, per_parameter, none };
enum class Optimizer : unsigned char {
  adam,
  adam_8bit,
  adafactor,
  lion,
  muon,
  momentum,
  sgd,
  shampoo
};
enum class Method : unsigned char { full, lora, qlora, adapter, adapter_v2, prefix };
enum class Targets : unsigned char { query_value, attention, all_linear, mlp, custom };
enum class MemoryRule : unsigned char { components, blog };
enum class Terms : unsigned char {
  on_demand,
  spot,
  reserved_1y,
  reserved_3y,
  capacity_block,
  community,
  shared,
  marketplace
};
enum class Law : unsigned char {
  besiroglu,
  hoffmann_1,
  hoffmann_2,
  hoffmann_3,
  kaplan,
  henighan,
  hestness
};
/// What is asked for, given everything else.
enum class Unknown : unsigned char { none, tokens, params, gpus, seq, batch, micro };
/// Storage formats; bits, range and block constants are in formats.h.
enum class Format : unsigned char {
  fp32,
  fp16,
  bf16,
  fp8_e4m3,
  fp8_e5m2,
  int8,
  llm_int8,
  int4,
  int4_g128,
  nf4,
  nf4_dq,
  fp4,
  mxfp4,
  nvfp4,
  q4_0,
  q8_0,
  fp8_block,
  int8_g128,
  int4_nog,
  int4_g32,
  int4_g32_emb8,
  exl2_2_5,
  exl2_3,
  exl2_4,
  exl2_5,
  q2_k,
  q2_k_s,
  q3_k_s,
  q3_k_m,
  q3_k_l,
  q4_1,
  q4_k_s,
  q4_k_m,
  q5_0,
  q5_1,
  q5_k_s,
  q5_k_m,
  q6_k,
  iq1_s,
  iq1_m,
  iq2_xxs,
  iq2_xs,
  iq2_s,
  iq2_m,
  iq3_xxs,
  iq3_xs,
  iq3_s,
  iq3_m,
  iq4_xs,
  iq4_nl,
  none  ///< Stays last: the table of formats ends here.
};

struct Catalog {
  double snapshot = 202611;  ///< Year and month of the facts, YYYYMM.
};

struct Model {
  Id id = "llama-3.1-405b";
  ModelKind kind = ModelKind::decoder;
  double params = kNone, active = kNone, trained_tokens = kNone, trained_flops = kNone;
  // A member initialiser below is what `model=custom` starts from: the shape of an 8B decoder.
  double layers = 32, encoder_layers = 0, hidden = 4096, heads = 32, kv_heads = 8, head_dim = 128;
  double ffn = 14336, vocab = 128256, embed_dim = kNone, learned_positions = 0, token_types = 0;
  double max_seq = 8192, window = 0, global_every = 0, norms_per_layer = 2;
  bool gated = true, tied = false, parallel = false;
  Norm norm = Norm::rmsnorm;
  QkNorm qk_norm = QkNorm::none;
  bool embed_norm = false, final_norm = true;
  bool qkv_bias = false, out_bias = false, mlp_bias = false, head_bias = false, sinks = false;
  bool relative_projection = false, pooler = false;
  double relative_buckets = 0, extra_params = 0;
  Attention attention = Attention::standard;
  double q_rank = 0, kv_rank = 0, nope_dim = 0, rope_dim = 0, v_dim = 0;
  double experts = 0, top_k = 0, moe_ffn = 0, shared_ffn = 0, first_dense = 0, moe_every = 1;
  double residual_ffn = 0, residual_norms = 0;
  bool router_bias = false, expert_bias = false, score_bias = false, shared_gate = false;
  double patch = 16, image = 224, classes = 0, projection = 0;
  bool patch_bias = false, pre_norm = false;
  bool chunked = false, attention_gate = false;
  double mtp_layers = 0;
  Linear linear = Linear::none;
  double attention_every = 0, attention_offset = kNone;
  double linear_heads = 0, linear_head_dim = 1, linear_groups = 1, state_dim = 16;
  double conv_kernel = 4, dt_rank = 0;
  bool conv_bias = true, linear_norm = true, attention_mlp = true, linear_mlp = true;
};

struct Run {
  Task task = Task::pretrain;
  double tokens = kNone, compute = kNone, deadline = kNone, mfu = kNone, gpu_time = kNone;
  double seq = 8192, global_batch = 2048, micro_batch = 1;
  double document = kNone;  ///< Packed sequences: tokens of one document.
  Precision precision = Precision::bf16;
  Scales scales = Scales::tensor;
  Count count = Count::six_nd;
  Recompute recompute = Recompute::full;
  double recompute_every = 1;
  bool flash = true, dropout = false;
  double capacity = 0;  ///< Expert capacity factor; 0 drops no token.
};

/// What the training program keeps beside the mathematics; a row of stacks.json sets them all.
struct Stack {
  Id id = "generic";
  Kernels kernels = Kernels::fused;
  Loss loss = Loss::eager;
  double weight_copies = 0;  ///< Bytes per weight of low-precision copies kept through a step.
  bool keep_gradients = true;
  double step_bytes = 0, step_params = kNone;
  // Zero where the framework is unknown: cluster.reserve stands for them.
  double context = 0, buffers = 0, slack = 0;
  double overhead = 1.05;  ///< Time over that of the kernels and their communication.
  double overlap = 0.5;    ///< Share of communication that can hide behind computation.
  double attention = 1;    ///< Speed of its attention kernels over the best known.
  double launch = 5e-6;    ///< Seconds between two kernels at least.
};

struct States {
  Id recipe = "mixed-18";
  MemoryRule rule = MemoryRule::components;
  Format weights = Format::bf16, gradients = Format::fp32, master = Format::fp32;
  Optimizer optimizer = Optimizer::adam;
  Format optimizer_format = Format::fp32;
  bool gradient_copy = false, paged = false, in_backward = false;
  ActivationRule activations = ActivationRule::estimate;
  double activation_bytes = 8;
};

struct Tune {
  Method method = Method::full;
  double rank = 16, trainable = kNone, saving = kNone;
  Targets targets = Targets::all_linear;
  bool q = true, k = false, v = true, o = false, gate = false, up = false, down = false;
  bool experts = true, embed = false, head = false, dropout = false;
  Format adapter = Format::none;  ///< none: as the weights.
  double prefix = 10;
  Format base = Format::nf4_dq;
  double examples = 1000, example_tokens = 512, epochs = 1;
};

struct Serve {
  Format weights = Format::bf16, kv = Format::bf16;
  double batch = 32, prompt = 2048, output = 512, mfu = kNone, mbu = kNone;
  bool kv_cache = true;
  KvCache cache = KvCache::paged;
  double page = 16, prefill = kNone;
  bool eager = false, merge = false;
  double draft_tokens = 0, acceptance = 0.8, draft_cost = 0.1;
};

struct Gpu {
  Id id = "h100-sxm";
  double memory = 0, bandwidth = 0;
  double fp32 = kNone, tf32 = kNone, fp16 = kNone, bf16 = kNone, fp8 = kNone, int8 = kNone,
         fp4 = kNone;
  double tdp = kNone, link = kNone, domain = 1, nic = kNone, purchase = kNone;
  double torus = 0;        ///< Dimensions of the torus that the links form; 0: a switch.
  bool in_switch = false;  ///< The scale-up switch adds up.
  // Shares of the peak that large operations reach: products in 16, 8 and 4 bits, attention, and
  // products of experts over those of one matrix.
  double reach16 = 0.7, reach8 = 0.62, reach4 = 0.5, reach_attention = 0.4, reach_experts = 0.5;
};

struct Cluster {
  double gpus = kNone, tp = kNone, pp = 1, cp = 1, ep = 1, etp = kNone, zero = 3;
  bool tp_across = false;  ///< TP may leave the scale-up domain.
  bool sp = true;  ///< Sequence parallel: with TP, norms and residuals are split over tokens.
  ContextParallel cp_kind = ContextParallel::ring;
  double virtual_stages = 1, first_layers = kNone, last_layers = kNone;
  Schedule schedule = Schedule::one_f_one_b;
  double shard = kNone;  ///< HSDP: ranks that share the states; the rest replicate.
  bool reshard = true;
  double prefetch = 1;
  Format reduce = Format::fp32;
  double oversubscription = 1;  ///< Bandwidth of all NICs over that of the fabric.
  double vocab_multiple = 1;
  bool offload_weights = false, offload_gradients = false, offload_optimizer = false,
       offload_activations = false;
  double reserve = 2147483648;  ///< 2 GiB: CUDA context 0.5-1 GiB, NCCL buffers, allocator slack.
};

/// What keeps a whole run from training all the time.
struct Reliability {
  double mtbf = 182520000;  ///< Seconds between failures of one GPU and its share of the host.
  double checkpoint_every = kNone, checkpoint_time = kNone;  ///< Seconds.
  double storage = 122e6;                                    ///< Bytes per second and GPU.
  double restart = 600, evaluation = 0;                      ///< Seconds; share of the time.
};

struct Price {
  Id provider = "median";
  Terms terms = Terms::on_demand;
  double usd_per_gpu_hour = kNone, bill = kNone;
};

struct Scaling {
  Law law = Law::besiroglu;
  double flop_budget = kNone, budget_usd = kNone;
};

/// What to work out, and what the answer must keep beside the deadline and the memory.
struct Solve {
  Unknown unknown = Unknown::none;
  double usd = kNone, per_million = kNone, per_user = kNone;
};

struct Scenario {
  Catalog catalog;
  Run run;
  Model model;
  Tune tune;
  Serve serve;
  Gpu gpu;
  Cluster cluster;
  States states;
  Stack stack;
  Reliability reliability;
  Price price;
  Scaling scaling;
  Solve solve;
};

}  // namespace envelope
