// SPDX-License-Identifier: MIT
// Launch texts of Megatron-LM, as arguments, and of Megatron Bridge, as overrides of a recipe. The
// same facts under two names.
#include <algorithm>
#include <cmath>

#include "envelope/adapters.h"
#include "envelope/fields.h"
#include "envelope/launch_job.h"

namespace envelope {
namespace {

bool divides(double a, double b) { return a > 0 && std::floor(b / a) * a == b; }

std::string_view label_of(std::string_view path, const Scenario& s) {
  const Field& f = *field_by_path(path);
  return f.choices[static_cast<std::size_t>(get_number(f, s))].label;
}

/// Which layers are dense (0) and which have experts (1), as the launchers write it in Python.
std::string expert_pattern(const Model& m) {
  std::string out;
  double run = 0;
  bool moe = false;
  const auto close = [&] {
    if (run == 0) return;
    out.append(out.empty() ? "(" : "+").append(moe ? "[1]*" : "[0]*").append(number_text(run));
  };
  if (m.moe_every > 1) {
    // A repeated group: dense layers, then one with experts.
    const double left = m.layers - m.first_dense, groups = std::floor(left / m.moe_every),
                 rest = left - groups * m.moe_every;
    if (m.first_dense > 0) out.append("[0]*").append(number_text(m.first_dense)).append("+");
    out.append("([0]*").append(number_text(m.moe_every - 1)).append("+[1])*");
    out.append(number_text(groups));
    if (rest > 0) out.append("+[0]*").append(number_text(rest));
    return "(" + out + ")";
  }
  for (double i = 0; i < m.layers; ++i) {
    const bool now = layers_between(m, i, i + 1).moe > 0;
    if (run > 0 && now != moe) {
      close();
      run = 0;
    }
    moe = now;
    ++run;
  }
  close();
  return out + ")";
}

/// How the layers are shared among the stages where they do not divide evenly.
struct Split {
  double first = kNone, last = kNone;
  bool embedding = false, head = false;  ///< Count as one layer each.
  std::string pieces;                    ///< Et*8|t*8|...L
};

Split split_of(const Job& job) {
  const Cluster& c = job.s.cluster;
  const double layers = job.s.model.layers, pieces = c.pp * c.virtual_stages;
  Split out;
  if (c.pp == 1) return out;
  const bool first = given(c.first_layers), last = given(c.last_layers);
  if (!first && !last && divides(pieces, layers)) return out;
  const double inner = c.pp - first - last,
               rest = layers - (first ? c.first_layers : 0) - (last ? c.last_layers : 0);
  const auto whole = [&](double n) { return n > 0 && divides(c.virtual_stages, n); };
  if ((first || last) && (!first || whole(c.first_layers)) && (!last || whole(c.last_layers)) &&
      (inner == 0 ? rest == 0 : divides(inner * c.virtual_stages, rest))) {
    out.first = first ? c.first_layers : kNone;
    out.last = last ? c.last_layers : kNone;
    return out;
  }
  const bool any_mtp = job.s.model.mtp_layers > 0;
  if (!first && !last && divides(pieces, layers + 2)) {
    out.embedding = out.head = true;
    return out;
  }
  // Whatever the schedule of the scenario, the text runs 1F1B. Pieces stand in the order of the
  // model: the first one of each stage, then the second ones. The earlier are the larger.
  Scenario plain = job.s;
  plain.cluster.schedule = Schedule::one_f_one_b;
  const Ranks ranks(plain, job.r.architecture, job.r.memory, job.r.activations, job.w.tp);
  for (double k = 0; k < c.virtual_stages; ++k)
    for (double i = 0; i < c.pp; ++i) {
      const double mine = ranks.stage(i, job.w).layers, even = std::floor(mine / c.virtual_stages),
                   n = even + (k < mine - even * c.virtual_stages ? 1 : 0);
      out.pieces.append(k == 0 && i == 0 ? "E" : "|");
      if (n > 0) out.pieces.append("t*").append(number_text(n));
    }
  if (any_mtp) out.pieces.append(",m*").append(number_text(job.s.model.mtp_layers));
  out.pieces.append(",L");
  return out;
}

bool rotary(const Model& m) { return m.learned_positions == 0 && m.relative_buckets == 0; }

constexpr const char* kRopeNote =
    "The RoPE base (10000 where --rotary-base is not set) and its scaling must be those of the "
    "model; the catalog does not hold them.";
/// The router of models with latent attention, DeepSeek's and its kin, chooses among groups.
constexpr const char* kRouterNote =
    "The coefficient of the auxiliary loss and the groups of the router are not in the catalog: "
    "set --moe-aux-loss-coeff, --moe-router-num-groups and --moe-router-group-topk as the model "
    "has them.";
constexpr const char* kLossNote =
    "The coefficient of the auxiliary loss is not in the catalog: set --moe-aux-loss-coeff as the "
    "model has it.";

/// Parts of an architecture that the GPT of Megatron-Core does not have.
void shape_notes(const Job& job) {
  const Model& m = job.s.model;
  const auto lacks = [&](bool has, const char* what) {
    if (has)
      job.note(job.out.launcher->name + " has no flag for " + what + ": the text leaves it out.");
  };
  lacks(m.parallel, "attention and MLP side by side");
  lacks(m.embed_norm, "a norm behind the embedding");
  lacks(given(m.embed_dim) && m.embed_dim != m.hidden, "an embedding of another width");
  lacks(m.norms_per_layer > 2, "more than two norms in a layer");
  lacks(m.norm == Norm::nonparametric || m.norm == Norm::layernorm_nobias,
        "a norm without parameters or bias");
  lacks(m.residual_ffn > 0, "a dense MLP beside the experts");
  lacks(m.chunked, "attention within chunks");
  lacks(m.attention_gate, "a gate on attention");
  lacks(m.shared_gate, "a gate on the shared expert");
  lacks(m.extra_params > 0, "the parts beside the language model (a vision tower)");
  lacks(m.head_bias, "a bias on the head");
  lacks(m.qkv_bias + m.out_bias + m.mlp_bias > 1 && !(m.qkv_bias && m.out_bias && m.mlp_bias),
        "biases on some matrices and not on others");
}

void schedule_notes(const Job& job) {
  const Scenario& s = job.s;
  const std::string& name = job.out.launcher->name;
  if (s.cluster.pp > 1 && s.cluster.schedule != Schedule::one_f_one_b)
    job.note(name + " has no schedule " + std::string(label_of("cluster.schedule", s)) +
             ": it runs 1F1B, whose bubble is larger.");
  if (s.run.recompute == Recompute::pointwise)
    job.note(name +
             " has no recomputation of every second matrix product: selective recomputation "
             "of the attention core takes its place.");
  if (s.cluster.offload_weights || s.cluster.offload_gradients)
    job.note(name + " keeps weights and gradients on the GPU: their offload is left out.");
  if (s.cluster.zero >= 2 && s.cluster.pp > 1)
    job.note(
        "Sharing gradients or weights (Megatron FSDP) together with a pipeline is not "
        "something the developers promise to work.");
  if (s.states.paged) job.note("There are no paged optimizer states in " + name + ".");
  if (s.run.precision == Precision::int8) job.note(name + " does not train in INT8.");
}

bool gradients_in_16(const Scenario& s) {
  return s.states.gradients == Format::bf16 && s.cluster.reduce == Format::bf16;
}

bool adam(const Scenario& s) {
  return s.states.optimizer == Optimizer::adam || s.states.optimizer == Optimizer::adam_8bit;
}

const char* short_format(Format f) {
  return f == Format::bf16                                ? "bf16"
         : f == Format::fp16                              ? "fp16"
         : f == Format::fp32                              ? "fp32"
         : f == Format::fp8_e4m3 || f == Format::fp8_e5m2 ? "fp8"
                                                          : "";
}

void optimizer_notes(const Job& job) {
  const Optimizer o = job.s.states.optimizer;
  if (o == Optimizer::adam_8bit || o == Optimizer::adafactor || o == Optimizer::lion ||
      o == Optimizer::shampoo)
    job.note(job.out.launcher->name + " has no optimizer " +
             std::string(label_of("states.optimizer", job.s)) + ": the text says Adam.");
}

double offloaded_layers(const Job& job) {
  const Scenario& s = job.s;
  if (!s.cluster.offload_activations) return 0;
  if (s.cluster.pp > 1 || s.run.recompute != Recompute::none || s.model.layers < 2) {
    job.note(job.out.launcher->name +
             " offloads activations only without a pipeline and without recomputation: it is left "
             "out.");
    return 0;
  }
  return s.model.layers - 1;
}

double distributed_instances(const Job& job) {
  const double ranks = job.w.dp * job.w.cp, shard = shard_of(job);
  if (job.s.cluster.zero < 1 || shard >= ranks) return 1;
  if (divides(shard, ranks)) return ranks / shard;
  job.note("A sharding group of " + number_text(shard) + " does not divide " + number_text(ranks) +
           " ranks: all of them share.");
  return 1;
}

const char* sharding(double zero) {
  return zero >= 3 ? "optim_grads_params" : zero >= 2 ? "optim_grads" : "optim";
}

/// What Megatron demands of the queues of a GPU before Blackwell: one, where TP or CP overlap with
/// arithmetic in the order of launch; more than one with its FSDP, whose gathers run beside.
std::string connections(const Job& job) {
  if (job.s.cluster.zero >= 2)
    return "# Megatron FSDP does not run with one queue.\nunset CUDA_DEVICE_MAX_CONNECTIONS\n\n";
  // Blackwell is the first of NVIDIA's with arithmetic in FP4.
  const bool blackwell = job.vendor == "NVIDIA" && given(job.s.gpu.fp4);
  if ((job.w.tp == 1 && job.w.cp == 1) || blackwell) return "";
  return "# TP and CP overlap in the order of launch.\nexport CUDA_DEVICE_MAX_CONNECTIONS=1\n\n";
}

void shape_flags(const Job& job, Settings& f) {
  const Model& m = job.s.model;
  f.number("--num-layers", m.layers).number("--hidden-size", m.hidden);
  f.number("--ffn-hidden-size", m.ffn).number("--num-attention-heads", m.heads);
  if (m.attention == Attention::mla) {
    f.flag("--multi-latent-attention");
    if (m.q_rank > 0) f.number("--q-lora-rank", m.q_rank);
    f.number("--kv-lora-rank", m.kv_rank).number("--qk-head-dim", m.nope_dim);
    f.number("--qk-pos-emb-head-dim", m.rope_dim).number("--v-head-dim", m.v_dim);
  } else {
    if (m.kv_heads != m.heads)
      f.flag("--group-query-attention").number("--num-query-groups", m.kv_heads);
    f.number("--kv-channels", m.head_dim);
  }
  f.number("--seq-length", job.seq);
  f.number("--max-position-embeddings",
           std::max(job.seq, m.learned_positions > 0 ? m.learned_positions : m.max_seq));
  f.text("--position-embedding-type", m.learned_positions > 0  ? "learned_absolute"
                                      : m.relative_buckets > 0 ? "relative"
                                                               : "rope");
  f.text("--normalization", m.norm == Norm::rmsnorm ? "RMSNorm" : "LayerNorm");
  f.flag("--swiglu", m.gated).flag("--untie-embeddings-and-output-weights", !m.tied);
  const bool inner = m.out_bias || m.mlp_bias;
  f.flag("--disable-bias-linear", !inner).flag("--add-qkv-bias", m.qkv_bias && !inner);
  // Latent attention has its norms by the same switch.
  f.flag("--qk-layernorm", m.qk_norm != QkNorm::none || m.attention == Attention::mla);
  if (m.sinks) f.text("--softmax-type", "learnable");
  if (m.window > 0 && !m.chunked) {
    f.text("--window-size", number_text(m.window - 1) + ",0");
    if (m.global_every > 0) f.number("--window-attn-skip-freq", m.global_every);
  }
  if (m.mtp_layers > 0) f.number("--mtp-num-layers", m.mtp_layers);
  f.number("--hidden-dropout", job.s.run.dropout ? 0.1 : 0);
  f.number("--attention-dropout", job.s.run.dropout ? 0.1 : 0);
  if (m.experts == 0) return;
  f.number("--num-experts", m.experts).number("--moe-router-topk", m.top_k);
  f.number("--moe-ffn-hidden-size", m.moe_ffn);
  if (m.shared_ffn > 0) f.number("--moe-shared-expert-intermediate-size", m.shared_ffn);
  if (m.first_dense > 0 || m.moe_every > 1) f.text("--moe-layer-freq", expert_pattern(m));
  f.flag("--moe-grouped-gemm").text("--moe-token-dispatcher-type", "alltoall");
  if (m.score_bias)
    f.text("--moe-router-score-function", "sigmoid").flag("--moe-router-enable-expert-bias");
  f.text("--moe-router-load-balancing-type", m.score_bias ? "seq_aux_loss" : "aux_loss");
  if (job.s.run.capacity > 0)
    f.number("--moe-expert-capacity-factor", job.s.run.capacity)
        .flag("--moe-pad-expert-input-to-capacity");
}

void layout_flags(const Job& job, Settings& f) {
  const Cluster& c = job.s.cluster;
  f.number("--tensor-model-parallel-size", job.w.tp);
  f.flag("--sequence-parallel", c.sp && job.w.tp > 1);
  f.number("--pipeline-model-parallel-size", job.w.pp);
  const Split split = split_of(job);
  // A layout says by its pieces how many virtual stages there are; both together are refused.
  if (c.pp > 1 && c.virtual_stages > 1 && split.pieces.empty())
    f.number("--num-virtual-stages-per-pipeline-rank", c.virtual_stages);
  if (given(split.first)) f.number("--decoder-first-pipeline-num-layers", split.first);
  if (given(split.last)) f.number("--decoder-last-pipeline-num-layers", split.last);
  f.flag("--account-for-embedding-in-pipeline-split", split.embedding);
  f.flag("--account-for-loss-in-pipeline-split", split.head);
  if (!split.pieces.empty()) f.text("--pipeline-model-parallel-layout", split.pieces);
  if (c.cp > 1)
    f.number("--context-parallel-size", c.cp)
        .text("--cp-comm-type", c.cp_kind == ContextParallel::ring ? "p2p" : "a2a");
  if (job.s.model.experts > 0)
    f.number("--expert-model-parallel-size", job.w.ep)
        .number("--expert-tensor-parallel-size", job.w.etp);
  if (c.zero >= 1) f.flag("--use-distributed-optimizer");
  if (c.zero >= 2)
    f.flag("--use-megatron-fsdp")
        .text("--data-parallel-sharding-strategy", sharding(c.zero))
        .text("--ckpt-format", "fsdp_dtensor");
  if (const double n = distributed_instances(job); n > 1)
    f.number("--num-distributed-optimizer-instances", n);
  f.flag("--overlap-grad-reduce", job.w.dp > 1);
  f.flag("--overlap-param-gather", job.w.dp > 1 && c.zero >= 1);
}

void precision_flags(const Job& job, Settings& f) {
  const Scenario& s = job.s;
  const Precision p = s.run.precision;
  const bool eight = p == Precision::fp8, four = p == Precision::fp4;
  f.flag("--bf16", p == Precision::bf16 || eight || four || p == Precision::int8);
  f.flag("--fp16", p == Precision::fp16);
  if (eight)
    f.text("--fp8-format", s.run.scales == Scales::tensor ? "hybrid" : "e4m3")
        .text("--fp8-recipe", s.run.scales == Scales::tensor  ? "tensorwise"
                              : s.run.scales == Scales::block ? "blockwise"
                                                              : "mxfp8");
  if (four) f.text("--fp4-format", "e2m1").text("--fp4-recipe", "nvfp4");
  f.flag("--grad-reduce-in-bf16", gradients_in_16(s));
  const Optimizer o = s.states.optimizer;
  const bool plain = o == Optimizer::sgd || o == Optimizer::momentum;
  f.text("--optimizer", plain                                         ? "sgd"
                        : o == Optimizer::muon && s.cluster.zero >= 1 ? "dist_muon"
                        : o == Optimizer::muon                        ? "muon"
                                                                      : "adam");
  if (plain) f.number("--sgd-momentum", o == Optimizer::momentum ? 0.9 : 0);
  const std::string moments = short_format(s.states.optimizer_format),
                    master = short_format(s.states.master);
  const bool narrow = adam(s) && s.cluster.zero >= 1 &&
                      ((!moments.empty() && moments != "fp32") || master == "fp16");
  if (narrow || s.cluster.offload_optimizer) f.flag("--use-precision-aware-optimizer");
  if (narrow) {
    if (moments != "fp32" && !moments.empty())
      f.text("--exp-avg-dtype", moments).text("--exp-avg-sq-dtype", moments);
    if (master == "fp16") f.text("--main-params-dtype", "fp16");
  }
  if (s.cluster.offload_optimizer)
    f.flag("--optimizer-cpu-offload").number("--optimizer-offload-fraction", 1);
}

void step_flags(const Job& job, Settings& f) {
  const Scenario& s = job.s;
  f.number("--micro-batch-size", s.run.micro_batch)
      .number("--global-batch-size", s.run.global_batch);
  f.number("--train-iters", job.steps);
  // Documents that share a sequence do not see each other.
  f.flag("--reset-position-ids", given(s.run.document));
  f.flag("--reset-attention-mask", given(s.run.document));
  switch (s.run.recompute) {
    case Recompute::none:
      break;
    case Recompute::selective:
    case Recompute::pointwise:
      f.text("--recompute-granularity", "selective").text("--recompute-modules", "core_attn");
      break;
    case Recompute::full:
      f.text("--recompute-granularity", "full");
      if (s.run.recompute_every > 1) {
        const double stage = std::ceil(s.model.layers / job.w.pp);
        f.text("--recompute-method", "block")
            .number("--recompute-num-layers",
                    std::max(1.0, std::floor(stage / s.run.recompute_every)));
        job.note("Every " + number_text(s.run.recompute_every) +
                 "th layer is recomputed: written as the first layers of each stage, as many.");
      } else {
        f.text("--recompute-method", "uniform").number("--recompute-num-layers", 1);
      }
  }
  if (const double n = offloaded_layers(job); n > 0) f.number("--cpu-offloading-num-layers", n);
  // The flash kernels want values as wide as keys, which latent attention has not.
  f.text("--attention-backend", !s.run.flash ? "unfused"
                                : s.model.attention == Attention::mla || !given(s.gpu.bf16)
                                    ? "auto"
                                    : "flash");
  if (s.stack.loss == Loss::fused)
    f.flag("--cross-entropy-loss-fusion").text("--cross-entropy-fusion-impl", "te");
  if (s.stack.loss == Loss::chunked)
    job.note(job.out.launcher->name + " does not work out the loss in chunks.");
}

}  // namespace

std::string refuse_megatron(const Job& job) {
  const Model& m = job.s.model;
  if (m.kind != ModelKind::decoder) return "The text runs pretrain_gpt.py, which trains decoders.";
  if (m.linear != Linear::none)
    return "pretrain_gpt.py has no layers with a state (Mamba, linear attention).";
  if (job.s.run.task == Task::finetune && job.s.tune.method != Method::full)
    return "Megatron-LM trains all weights; adapters are in Megatron Bridge.";
  return "";
}

void write_megatron(const Job& job) {
  const Scenario& s = job.s;
  Settings f;
  shape_flags(job, f);
  layout_flags(job, f);
  step_flags(job, f);
  precision_flags(job, f);
  if (s.cluster.vocab_multiple > 1)
    f.number("--make-vocab-size-divisible-by", s.cluster.vocab_multiple);
  f.variable("--lr", "LEARNING_RATE").text("--tokenizer-type", "HuggingFaceTokenizer");
  f.variable("--tokenizer-model", "TOKENIZER").variable("--data-path", "DATA_PATH");
  f.variable("--save", "CHECKPOINTS").number("--save-interval", job.checkpoint_steps);
  std::vector<Variable> variables = torchrun_variables(job);
  variables.push_back({"LEARNING_RATE", "its peak", ""});
  variables.push_back(
      {"TOKENIZER", "a folder or a Hugging Face name; it sets the vocabulary", job.hugging_face});
  variables.push_back({"DATA_PATH", "the prefix of the preprocessed data", ""});
  variables.push_back({"CHECKPOINTS", "the folder for checkpoints", ""});
  if (s.run.task == Task::finetune) {
    f.flag("--finetune").variable("--load", "BASE_CHECKPOINT");
    variables.push_back(
        {"BASE_CHECKPOINT", "the weights to start from, in the format of Megatron", ""});
  }
  if (rotary(s.model)) {
    job.note(kRopeNote);
    if (s.run.task == Task::finetune) {
      f.variable("--rotary-base", "ROPE_BASE");
      variables.push_back({"ROPE_BASE", "rope_theta of the model's config.json", ""});
    }
  }
  if (s.model.experts > 0) job.note(s.model.attention == Attention::mla ? kRouterNote : kLossNote);
  if (job.vendor == "AMD") job.note("On AMD this is the fork ROCm/Megatron-LM.");
  shape_notes(job);
  schedule_notes(job);
  optimizer_notes(job);
  job.file("train.sh", "sh",
           script_head(banner(job, "Training with Megatron-LM."), variables) + connections(job) +
               command(torchrun(job) + " \\\n    pretrain_gpt.py", f));
}

std::string refuse_bridge(const Job& job) {
  const Model& m = job.s.model;
  if (m.kind != ModelKind::decoder) return "The text runs GPT recipes, which train decoders.";
  const bool tune = job.s.run.task == Task::finetune;
  if (!tune && m.linear != Linear::none)
    return "The plain GPT recipe has no layers with a state (Mamba, linear attention).";
  if (!tune && m.attention == Attention::mla)
    return "The plain GPT recipe has no latent attention (MLA): start from the recipe of the "
           "model.";
  if (tune && job.s.tune.method != Method::full && job.s.tune.method != Method::lora)
    return "Megatron Bridge tunes all weights or LoRA, not " +
           std::string(label_of("tune.method", job.s)) + ".";
  return "";
}

namespace {

std::string lora_modules(const Job& job) {
  const AdapterTargets t = adapter_targets(job.s);
  std::string out;
  const auto add = [&](bool on, const char* name) {
    if (on) out.append(out.empty() ? "[" : ",").append(name);
  };
  const bool qkv = t.query || t.key || t.value;
  add(qkv, "linear_qkv");
  add(t.out, "linear_proj");
  add(t.gate || t.up, "linear_fc1");
  add(t.down, "linear_fc2");
  if (qkv && !(t.query && t.key && t.value))
    job.note(
        "Query, key and value are one matrix in Megatron Bridge: the adapter is on all three.");
  if (job.s.model.gated && t.gate != t.up)
    job.note("Gate and up are one matrix in Megatron Bridge: the adapter is on both.");
  return out.empty() ? "[]" : out + "]";
}

void bridge_shape(const Job& job, Settings& f) {
  const Model& m = job.s.model;
  f.number("model.num_layers", m.layers).number("model.hidden_size", m.hidden);
  f.number("model.ffn_hidden_size", m.ffn).number("model.num_attention_heads", m.heads);
  f.number("model.num_query_groups", m.kv_heads).number("model.kv_channels", m.head_dim);
  f.number("model.vocab_size", m.vocab);
  f.text("model.normalization", m.norm == Norm::rmsnorm ? "RMSNorm" : "LayerNorm");
  f.yes("model.gated_linear_unit", m.gated)
      .text("model.activation_func", m.gated ? "silu" : "gelu");
  const bool inner = m.out_bias || m.mlp_bias;
  f.yes("model.add_bias_linear", inner).yes("model.add_qkv_bias", m.qkv_bias);
  f.yes("model.qk_layernorm", m.qk_norm != QkNorm::none);
  f.text("model.position_embedding_type", m.learned_positions > 0 ? "learned_absolute" : "rope");
  f.yes("model.share_embeddings_and_output_weights", m.tied);
  f.number("model.hidden_dropout", job.s.run.dropout ? 0.1 : 0);
  f.number("model.attention_dropout", job.s.run.dropout ? 0.1 : 0);
  if (job.s.cluster.vocab_multiple > 1)
    f.number("model.make_vocab_size_divisible_by", job.s.cluster.vocab_multiple);
  f.yes("model.cross_entropy_loss_fusion", job.s.stack.loss == Loss::fused);
  if (m.mtp_layers > 0) f.number("model.mtp_num_layers", m.mtp_layers);
  if (m.experts > 0) {
    f.number("model.num_moe_experts", m.experts).number("model.moe_router_topk", m.top_k);
    f.number("model.moe_ffn_hidden_size", m.moe_ffn);
    if (m.shared_ffn > 0) f.number("model.moe_shared_expert_intermediate_size", m.shared_ffn);
    if (m.first_dense > 0 || m.moe_every > 1) f.text("model.moe_layer_freq", expert_pattern(m));
    f.yes("model.moe_grouped_gemm", true).text("model.moe_token_dispatcher_type", "alltoall");
  }
  if (m.window > 0)
    job.note("The plain GPT recipe has no sliding window: all layers attend to everything.");
}

std::string_view bridge_precision(const Scenario& s) {
  switch (s.run.precision) {
    case Precision::fp16:
      return "fp16_mixed";
    case Precision::fp8:
      return s.run.scales == Scales::tensor  ? "bf16_with_fp8_current_scaling_mixed"
             : s.run.scales == Scales::block ? "bf16_with_fp8_subchannel_scaling_mixed"
                                             : "bf16_with_mxfp8_mixed";
    case Precision::fp4:
      return "bf16_with_nvfp4_mixed";
    default:
      return "bf16_mixed";
  }
}

}  // namespace

void write_bridge(const Job& job) {
  const Scenario& s = job.s;
  const Cluster& c = s.cluster;
  const bool tune = s.run.task == Task::finetune, lora = tune && s.tune.method == Method::lora;
  std::vector<Variable> variables = torchrun_variables(job);
  Settings f;
  if (tune) {
    f.variable("--recipe", "RECIPE");
    variables.push_back({"RECIPE", "the recipe of the model, such as llama32_1b_sft_config", ""});
    f.text("--dataset", "llm-finetune-preloaded");
    if (lora) f.text("--peft_scheme", "lora");
    f.variable("dataset.dataset_root", "DATA_PATH");
    f.variable("checkpoint.pretrained_checkpoint", "BASE_CHECKPOINT");
    variables.push_back({"DATA_PATH", "the folder of the examples", ""});
    variables.push_back({"BASE_CHECKPOINT", "the weights to start from, imported by Bridge", ""});
    if (lora) {
      f.number("peft.dim", s.tune.rank).number("peft.alpha", 2 * s.tune.rank);
      f.number("peft.dropout", s.tune.dropout ? 0.05 : 0);
      f.text("peft.target_modules", lora_modules(job));
    }
  } else {
    f.text("--recipe", "vanilla_gpt_pretrain_config").text("--dataset", "llm-pretrain");
    f.variable("dataset.blend", "DATA_BLEND");
    variables.push_back({"DATA_BLEND", "the data, such as [[/data/my_text_document],null]", ""});
    f.text("tokenizer.tokenizer_type", "HuggingFaceTokenizer");
    f.variable("tokenizer.tokenizer_model", "TOKENIZER");
    variables.push_back({"TOKENIZER", "a folder or a Hugging Face name", job.hugging_face});
    bridge_shape(job, f);
    shape_notes(job);
    if (rotary(s.model))
      job.note(
          "The RoPE base and its scaling must be those of the model; the catalog does not "
          "hold them.");
    if (s.model.experts > 0)
      job.note(s.model.attention == Attention::mla
                   ? "The coefficient of the auxiliary loss and the groups of the router are the "
                     "recipe's: set them as the model has them."
                   : "The coefficient of the auxiliary loss is the recipe's: set it as the model "
                     "has it.");
  }
  f.number("--seq_length", job.seq).number("model.seq_length", job.seq);
  f.number("model.tensor_model_parallel_size", job.w.tp);
  f.yes("model.sequence_parallel", c.sp && job.w.tp > 1);
  f.number("model.pipeline_model_parallel_size", job.w.pp);
  if (c.pp > 1 && c.virtual_stages > 1)
    f.number("model.virtual_pipeline_model_parallel_size", c.virtual_stages);
  const Split split = split_of(job);
  if (given(split.first)) f.number("model.num_layers_in_first_pipeline_stage", split.first);
  if (given(split.last)) f.number("model.num_layers_in_last_pipeline_stage", split.last);
  if (split.embedding) f.yes("model.account_for_embedding_in_pipeline_split", true);
  if (split.head) f.yes("model.account_for_loss_in_pipeline_split", true);
  if (!split.pieces.empty()) f.text("model.pipeline_model_parallel_layout", split.pieces);
  f.number("model.context_parallel_size", c.cp);
  if (c.cp > 1) f.text("model.cp_comm_type", c.cp_kind == ContextParallel::ring ? "p2p" : "a2a");
  if (s.model.experts > 0)
    f.number("model.expert_model_parallel_size", job.w.ep)
        .number("model.expert_tensor_parallel_size", job.w.etp);
  f.number("train.micro_batch_size", s.run.micro_batch);
  f.number("train.global_batch_size", s.run.global_batch).number("train.train_iters", job.steps);
  if (s.run.recompute == Recompute::full) {
    f.text("model.recompute_granularity", "full").text("model.recompute_method", "uniform");
    f.number("model.recompute_num_layers", 1);
    if (s.run.recompute_every > 1)
      job.note("Recomputing every " + number_text(s.run.recompute_every) +
               "th layer is written as all layers.");
  } else if (s.run.recompute != Recompute::none) {
    f.text("model.recompute_granularity", "selective");
    f.text("model.recompute_modules", "[core_attn]");
  }
  if (const double n = offloaded_layers(job); n > 0)
    f.yes("model.cpu_offloading", true).number("model.cpu_offloading_num_layers", n);
  f.text("mixed_precision", bridge_precision(s));
  if (s.run.precision == Precision::fp32 || s.run.precision == Precision::tf32)
    job.note("The recipes train in mixed precision: the text says BF16.");
  f.yes("ddp.use_distributed_optimizer", c.zero >= 1);
  f.yes("ddp.overlap_grad_reduce", job.w.dp > 1);
  f.yes("ddp.overlap_param_gather", job.w.dp > 1 && c.zero >= 1);
  f.yes("ddp.grad_reduce_in_fp32", !gradients_in_16(s));
  if (c.zero >= 2)
    f.yes("ddp.use_megatron_fsdp", true)
        .text("ddp.data_parallel_sharding_strategy", sharding(c.zero));
  if (const double n = distributed_instances(job); n > 1)
    f.number("ddp.num_distributed_optimizer_instances", n);
  if (c.offload_optimizer)
    f.yes("optimizer.use_precision_aware_optimizer", true)
        .yes("optimizer.optimizer_cpu_offload", true)
        .number("optimizer.optimizer_offload_fraction", 1);
  if (s.states.optimizer == Optimizer::muon || s.states.optimizer == Optimizer::sgd ||
      s.states.optimizer == Optimizer::momentum)
    job.note("The recipe brings Adam: another optimizer is set in Python.");
  f.variable("optimizer.lr", "LEARNING_RATE").variable("checkpoint.save", "CHECKPOINTS");
  variables.push_back({"LEARNING_RATE", "its peak", ""});
  variables.push_back({"CHECKPOINTS", "the folder for checkpoints", ""});
  schedule_notes(job);
  optimizer_notes(job);
  job.file("train.sh", "sh",
           script_head(banner(job, "Training with Megatron Bridge."), variables) +
               connections(job) +
               command(torchrun(job) + " \\\n    scripts/training/run_recipe.py", f, true));
}

}  // namespace envelope
