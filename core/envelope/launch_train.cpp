// SPDX-License-Identifier: MIT
// Launch texts of torchtitan (TOML) and MaxText (arguments of its base.yml).
#include <algorithm>
#include <array>
#include <cmath>

#include "envelope/fields.h"
#include "envelope/launch_job.h"

namespace envelope {
namespace {

bool divides(double a, double b) { return a > 0 && std::floor(b / a) * a == b; }

std::string_view label_of(std::string_view path, const Scenario& s) {
  const Field& f = *field_by_path(path);
  return f.choices[static_cast<std::size_t>(get_number(f, s))].label;
}

struct Flavor {
  std::string_view model, name, flavor;
};
constexpr Flavor kFlavors[] = {
    {"llama-3-8b", "llama3", "8B"},
    {"llama-3.1-8b", "llama3", "8B"},
    {"llama-3-70b", "llama3", "70B"},
    {"llama-3.1-70b", "llama3", "70B"},
    {"llama-3.3-70b", "llama3", "70B"},
    {"llama-3.1-405b", "llama3", "405B"},
    {"deepseek-v2-lite", "deepseek_v3", "16B"},
    {"deepseek-v2", "deepseek_v3", "236B"},
    {"deepseek-v3", "deepseek_v3", "671B"},
    {"deepseek-r1", "deepseek_v3", "671B"},
};

const char* titan_schedule(const Job& job) {
  const Cluster& c = job.s.cluster;
  switch (c.schedule) {
    case Schedule::one_f_one_b:
      return c.virtual_stages > 1 ? "Interleaved1F1B" : "1F1B";
    case Schedule::gpipe:
      return "GPipe";
    case Schedule::zbv:
      return "ZBVZeroBubble";
    default:
      job.note("torchtitan has no schedule " + std::string(label_of("cluster.schedule", job.s)) +
               ": the text says 1F1B, whose bubble is larger.");
      return "1F1B";
  }
}

/// Micro-batches of one forward and backward pass: all of them where there is a pipeline.
void titan_batch(const Job& job, Settings& f) {
  const Scenario& s = job.s;
  const bool pipeline = job.w.pp > 1;
  f.number("training.local_batch_size", s.run.micro_batch * (pipeline ? job.w.micro_batches : 1));
  f.number("training.global_batch_size", s.run.global_batch);
  f.number("training.seq_len", job.seq).number("training.steps", job.steps);
}

void titan_parallel(const Job& job, Settings& f) {
  const Scenario& s = job.s;
  const Cluster& c = s.cluster;
  double replicate = 1, share = job.w.dp;
  if (c.zero < 1) {
    replicate = job.w.dp;
    share = 1;
  } else if (const double shard = shard_of(job); shard < job.w.dp * job.w.cp) {
    // Its group of sharding ranks counts data parallelism alone; context parallel ranks join it.
    if (divides(job.w.cp, shard) && divides(shard / job.w.cp, job.w.dp)) {
      share = shard / job.w.cp;
      replicate = job.w.dp / share;
    } else {
      job.note("A sharding group of " + number_text(shard) +
               " cannot be written as a number of data-parallel ranks: all of them share.");
    }
  }
  f.number("parallelism.data_parallel_replicate_degree", replicate);
  f.number("parallelism.data_parallel_shard_degree", share);
  const bool keep = c.zero < 3 || !c.reshard;
  f.text("parallelism.fsdp_reshard_after_forward", keep ? "never" : "always");
  if (c.zero == 1 || c.zero == 2)
    job.note(
        "torchtitan shares weights as well (FSDP2); they stay gathered from the forward pass "
        "to the backward pass, which is nearest to ZeRO-" +
        number_text(c.zero) + ".");
  f.number("parallelism.tensor_parallel_degree", job.w.tp);
  if (job.w.tp > 1 && !c.sp) job.note("torchtitan always has sequence parallel beside TP.");
  f.number("parallelism.pipeline_parallel_degree", job.w.pp);
  if (job.w.pp > 1) {
    f.text("parallelism.pipeline_parallel_schedule", titan_schedule(job));
    f.number("parallelism.pipeline_parallel_microbatch_size", s.run.micro_batch);
    // It divides the layers by this number and refuses other numbers of stages than these.
    const double stages = job.w.pp * c.virtual_stages, each = std::ceil(s.model.layers / stages);
    const bool even = std::ceil(s.model.layers / each) == stages;
    if (!given(c.first_layers) && !given(c.last_layers) && even)
      f.number("parallelism.pipeline_parallel_layers_per_stage", each);
    else if (!even)
      job.note(number_text(s.model.layers) + " layers, " + number_text(each) +
               " in a stage, do not make " + number_text(stages) +
               " stages: torchtitan divides by itself here.");
    else
      job.note("Layers of the first and last stage: torchtitan divides by itself here.");
  }
  f.number("parallelism.context_parallel_degree", job.w.cp);
  if (job.w.cp > 1) {
    f.text("parallelism.context_parallel_rotate_method", "alltoall");
    if (c.cp_kind == ContextParallel::all_to_all)
      job.note("torchtitan's context parallel is a ring; there is no exchange of heads (Ulysses).");
  }
  if (s.model.experts > 0) {
    f.number("parallelism.expert_parallel_degree", job.w.ep);
    if (job.w.etp > 1)
      job.note("Tensor parallel inside experts (ETP " + number_text(job.w.etp) +
               ") has no key here: experts are whole on each rank.");
  }
}

void titan_precision(const Job& job, Settings& f) {
  const Scenario& s = job.s;
  const Precision p = s.run.precision;
  const bool whole = p == Precision::fp32 || p == Precision::tf32;
  f.text("training.mixed_precision_param", whole ? "float32" : "bfloat16");
  f.text("training.mixed_precision_reduce", "float32");
  if (s.cluster.reduce != Format::fp32) job.note("torchtitan sums gradients in FP32.");
  f.yes("training.compile", s.stack.kernels == Kernels::compiled);
  f.yes("training.enable_cpu_offload",
        s.cluster.offload_weights || s.cluster.offload_gradients || s.cluster.offload_optimizer);
  const int parts =
      s.cluster.offload_weights + s.cluster.offload_gradients + s.cluster.offload_optimizer;
  if (parts > 0 && parts < 3)
    job.note("torchtitan offloads weights, gradients and optimizer states together, or none.");
  if (s.cluster.offload_activations) job.note("torchtitan has no offload of activations here.");
  if (p == Precision::fp8 && s.run.scales != Scales::microscaling)
    f.text("float8.recipe_name", s.run.scales == Scales::tensor ? "tensorwise" : "rowwise");
  if (p == Precision::fp8 && s.run.scales == Scales::block)
    job.note("Scales of blocks of 128 are not offered: the text has one scale per row.");
  if (p == Precision::fp8 && s.run.scales == Scales::microscaling)
    f.text("mx.recipe_name", "mxfp8");
  if (p == Precision::fp16 || p == Precision::int8 || p == Precision::fp4)
    job.note("torchtitan does not train in " + std::string(label_of("run.precision", s)) +
             ": the text says BF16.");
  if (s.states.optimizer != Optimizer::adam)
    job.note("torchtitan has no optimizer " + std::string(label_of("states.optimizer", s)) +
             " here: the text says AdamW.");
  if (s.states.optimizer_format != Format::fp32)
    job.note("The optimizer states have the format of the weights, FP32.");
}

void titan_recompute(const Job& job, Settings& f) {
  const Run& run = job.s.run;
  switch (run.recompute) {
    case Recompute::none:
      f.text("activation_checkpoint.mode", "none");
      return;
    case Recompute::full:
      f.text("activation_checkpoint.mode", run.recompute_every > 1 ? "selective" : "full");
      if (run.recompute_every > 1)
        f.text("activation_checkpoint.selective_ac_option", number_text(run.recompute_every));
      return;
    case Recompute::pointwise:
      f.text("activation_checkpoint.mode", "selective");
      f.text("activation_checkpoint.selective_ac_option", "op");
      return;
    case Recompute::selective:
      f.text("activation_checkpoint.mode", "none");
      job.note(
          "Recomputing the attention core alone is what fused attention does anyway: no other "
          "recomputation is asked for.");
  }
}

}  // namespace

std::string refuse_torchtitan(const Job& job) {
  const Model& m = job.s.model;
  if (m.kind != ModelKind::decoder) return "torchtitan trains decoders.";
  if (job.s.run.task == Task::finetune && job.s.tune.method != Method::full)
    return "torchtitan trains all weights; it has no adapters.";
  if (!row_of(kFlavors, job))
    return "torchtitan has no configuration of this model: it knows Llama 3 and DeepSeek-V3 by "
           "name, and another shape is written in Python.";
  return "";
}

void write_torchtitan(const Job& job) {
  const Flavor& flavor = *row_of(kFlavors, job);
  const Precision p = job.s.run.precision;
  Settings f;
  f.text("job.description", std::string(job.model_name) + ", " + layout_words(job));
  f.variable("job.dump_folder", "OUTPUT_FOLDER", "yours");
  f.text("model.name", flavor.name).text("model.flavor", flavor.flavor);
  f.variable("model.tokenizer_path", "TOKENIZER_PATH", "yours");
  if (p == Precision::fp8)
    f.raw("model.converters",
          job.s.run.scales == Scales::microscaling ? "[\"mx\"]" : "[\"float8\"]");
  f.text("optimizer.name", "AdamW").variable("optimizer.lr", "LEARNING_RATE", "yours: a number");
  if (job.s.states.in_backward) f.yes("optimizer.early_step_in_backward", true);
  titan_batch(job, f);
  f.variable("training.dataset", "DATASET", "yours: a name that torchtitan knows, such as c4");
  f.variable("training.dataset_path", "DATASET_PATH", "yours");
  titan_precision(job, f);
  titan_parallel(job, f);
  titan_recompute(job, f);
  f.yes("checkpoint.enable_checkpoint", true);
  f.number("checkpoint.interval", job.checkpoint_steps);
  if (job.s.run.task == Task::finetune) {
    f.variable("checkpoint.initial_load_path", "BASE_CHECKPOINT",
               "yours: the weights to start from");
  }
  job.file("train.toml", "toml",
           toml(banner(job, "Training with torchtitan. Replace what stands in <...>."), f));
  Settings train;
  train.text("--job.config_file", "train.toml");
  job.file(
      "train.sh", "sh",
      script_head("Started on each node, from a checkout of torchtitan.", torchrun_variables(job)) +
          command(torchrun(job) + " \\\n    -m torchtitan.train", train));
}

namespace {

/// The share of each kind of parallelism inside a slice (ICI) and across slices (DCN).
struct Axis {
  std::string_view name;
  double ways, inside = 1;
};

double common(double a, double b) {
  while (b > 0) {
    const double rest = a - std::floor(a / b) * b;
    a = b;
    b = rest;
  }
  return a;
}

/// Data-parallel ranks that share weights, and those that replicate; experts take theirs from the
/// first.
struct Ranks3 {
  double data = 1, fsdp = 1;
};

Ranks3 maxtext_data(const Job& job) {
  const Cluster& c = job.s.cluster;
  const double ep = job.s.model.experts > 0 ? job.w.ep : 1, rest = job.w.dp / ep;
  if (c.zero < 2) return {rest, 1};
  const double shard = shard_of(job) / job.w.cp;
  if (shard < job.w.dp && divides(ep, shard) && divides(shard / ep, rest))
    return {rest / (shard / ep), shard / ep};
  if (shard < job.w.dp)
    job.note("This sharding group cannot be written as axes of the mesh: all ranks share.");
  return {1, rest};
}

void maxtext_shape(const Job& job, Settings& f) {
  const Model& m = job.s.model;
  const bool mla = m.attention == Attention::mla;
  f.text("decoder_block", mla                         ? "deepseek"
                          : m.sinks                   ? "gpt_oss"
                          : m.experts > 0             ? "mixtral"
                          : m.learned_positions > 0   ? "gpt3"
                          : m.qk_norm != QkNorm::none ? "qwen3"
                          : m.window > 0              ? "mistral"
                                                      : "llama2");
  f.number("base_emb_dim", m.hidden).number("base_num_decoder_layers", m.layers);
  f.number("base_num_query_heads", m.heads).number("base_num_kv_heads", m.kv_heads);
  f.number("base_mlp_dim", m.ffn).number("vocab_size", m.vocab);
  f.yes("logits_via_embedding", m.tied).yes("attention_bias", m.qkv_bias);
  if (m.learned_positions > 0) f.number("trainable_position_size", m.learned_positions);
  if (mla) {
    f.text("attention_type", "mla").number("q_lora_rank", m.q_rank);
    f.number("kv_lora_rank", m.kv_rank).number("qk_nope_head_dim", m.nope_dim);
    f.number("qk_rope_head_dim", m.rope_dim).number("v_head_dim", m.v_dim);
  } else {
    f.number("head_dim", m.head_dim);
  }
  if (m.sinks) f.yes("attention_sink", true);
  f.text("attention", !job.s.run.flash         ? "dot_product"
                      : job.vendor == "Google" ? "flash"
                                               : "cudnn_flash_te");
  f.yes("enable_dropout", job.s.run.dropout);
  if (job.s.run.dropout) f.number("dropout_rate", 0.1);
  if (m.window > 0 && m.global_every == 0 && !m.chunked && !mla)
    f.text("attention_type", "local_sliding").number("sliding_window_size", m.window);
  if (m.window > 0 && (m.global_every > 0 || m.chunked))
    job.note(
        "Which layers attend to a window is part of MaxText's own model files: the text lets "
        "all layers attend to everything.");
  if (m.mtp_layers > 0) f.number("mtp_num_layers", m.mtp_layers);
  if (m.experts > 0) {
    f.number("num_experts", m.experts).number("num_experts_per_tok", m.top_k);
    f.number("base_moe_mlp_dim", m.moe_ffn);
    if (m.first_dense > 0) f.number("first_num_dense_layers", m.first_dense);
    if (m.shared_ffn > 0 && divides(m.moe_ffn, m.shared_ffn))
      f.number("shared_experts", m.shared_ffn / m.moe_ffn);
    f.number("capacity_factor", job.s.run.capacity > 0 ? job.s.run.capacity : -1);
  }
}

}  // namespace

std::string refuse_maxtext(const Job& job) {
  const Model& m = job.s.model;
  if (m.kind != ModelKind::decoder) return "MaxText trains decoders.";
  if (m.linear != Linear::none)
    return "The text writes attention layers alone, and this model has others.";
  if (job.s.run.task == Task::finetune && job.s.tune.method != Method::full)
    return "Here MaxText trains all weights; it has no adapters.";
  const double ep = m.experts > 0 ? job.w.ep : 1;
  if (!divides(ep, job.w.dp))
    return "MaxText takes expert parallel ranks from the data-parallel ones: EP " +
           number_text(ep) + " does not divide DP " + number_text(job.w.dp) + ".";
  if (job.w.pp > 1 && !divides(job.w.pp * job.s.cluster.virtual_stages, m.layers))
    return number_text(m.layers) + " layers do not divide into PP " + number_text(job.w.pp) +
           " x " + number_text(job.s.cluster.virtual_stages) + " pieces, as MaxText demands.";
  return "";
}

void write_maxtext(const Job& job) {
  const Scenario& s = job.s;
  const bool tpu = job.vendor == "Google";
  Settings f;
  std::vector<Variable> variables = {
      {"RUN_NAME", "the name of the run", ""},
      {"OUTPUT", "the folder or bucket for checkpoints and logs", ""},
      {"DATA_PATH", "the folder or bucket of the data", ""},
      {"TOKENIZER", "a folder or a Hugging Face name", job.hugging_face},
      {"LEARNING_RATE", "its peak", ""}};
  f.variable("run_name", "RUN_NAME").variable("base_output_directory", "OUTPUT");
  f.text("hardware", tpu ? "tpu" : job.nodes > 1 ? "gpu_multiprocess" : "gpu");
  maxtext_shape(job, f);
  const Ranks3 data = maxtext_data(job);
  std::array<Axis, 6> axes = {{{"tensor", job.w.tp},
                               {"expert", s.model.experts > 0 ? job.w.ep : 1},
                               {"context", job.w.cp},
                               {"fsdp", data.fsdp},
                               {"data", data.data},
                               {"pipeline", job.w.pp}}};
  // A slice of TPUs is one network; GPUs have one inside the host and another between hosts.
  double room = tpu ? std::min(job.used, std::max(1.0, s.gpu.domain)) : job.per_node;
  if (tpu && !divides(room, job.used)) {
    // Slices of one size: the fewest that the chips divide into.
    double slices = std::ceil(job.used / room);
    for (int i = 0; i < 4096 && !divides(slices, job.used); ++i) ++slices;
    room = divides(slices, job.used) ? job.used / slices : job.used;
  }
  double left = room;
  for (Axis& axis : axes) {
    axis.inside = common(axis.ways, left);
    left /= axis.inside;
  }
  for (const Axis& axis : axes) {
    f.number("ici_" + std::string(axis.name) + "_parallelism", axis.inside);
    f.number("dcn_" + std::string(axis.name) + "_parallelism", axis.ways / axis.inside);
  }
  if (tpu && left != 1)
    job.note("The layout does not fill whole slices of " + number_text(room) + " chips.");
  if (s.cluster.zero == 1 && job.w.dp > 1) f.yes("shard_optimizer_over_data", true);
  if (s.cluster.zero == 2) job.note("ZeRO-2 is written as FSDP: weights are shared as well.");
  if (s.model.experts > 0 && job.w.etp > 1)
    job.note("Experts are split over the tensor axis as the other layers are, not over ETP " +
             number_text(job.w.etp) + ".");
  if (s.cluster.cp > 1 && s.cluster.cp_kind == ContextParallel::ring)
    job.note("Context parallel gathers keys and values in MaxText; it is no ring.");
  if (s.cluster.sp && job.w.tp > 1)
    job.note(
        "Sequence parallel beside TP is the axis tensor_sequence in MaxText, in place of "
        "tensor; the text keeps tensor.");
  const double micro = job.w.micro_batches;
  if (job.w.pp > 1) {
    f.number("num_layers_per_pipeline_stage",
             s.model.layers / (job.w.pp * s.cluster.virtual_stages));
    f.number("num_pipeline_microbatches", micro);
    f.number("per_device_batch_size", s.run.micro_batch * micro * job.w.dp / job.used);
    job.note(
        "MaxText's pipeline is circular: all forward passes, then all backward passes. Its "
        "activations are those of GPipe.");
  } else {
    f.number("per_device_batch_size", s.run.micro_batch * job.w.dp / job.used);
    f.number("gradient_accumulation_steps", micro);
  }
  f.number("max_target_length", job.seq).number("steps", job.steps);
  const bool host = s.cluster.offload_activations;
  f.text("remat_policy", host                                      ? "minimal_offloaded"
                         : s.run.recompute == Recompute::full      ? "full"
                         : s.run.recompute == Recompute::selective ? "minimal"
                         : s.run.recompute == Recompute::pointwise ? "save_dot_except_mlp"
                                                                   : "minimal_with_context");
  if (s.run.recompute == Recompute::none)
    job.note(
        "MaxText's least recomputation is minimal_with_context: results of matrix products "
        "are kept, the rest is worked out again.");
  if (s.run.recompute == Recompute::full && s.run.recompute_every > 1)
    job.note("All layers are recomputed, not every " + number_text(s.run.recompute_every) + "th.");
  const Precision p = s.run.precision;
  f.text("dtype", p == Precision::fp32 || p == Precision::tf32 ? "float32"
                  : p == Precision::fp16                       ? "float16"
                                                               : "bfloat16");
  f.text("weight_dtype", s.states.master == Format::none && s.states.weights == Format::bf16
                             ? "bfloat16"
                             : "float32");
  if (p == Precision::fp8) f.text("quantization", job.vendor == "AMD" ? "nanoo_fp8" : "fp8");
  if (p == Precision::int8) f.text("quantization", "int8");
  if (p == Precision::fp4) job.note("MaxText does not train in FP4 here: the text says BF16.");
  const Optimizer o = s.states.optimizer;
  f.text("opt_type", o == Optimizer::muon                              ? "muon"
                     : o == Optimizer::sgd || o == Optimizer::momentum ? "sgd"
                                                                       : "adamw");
  if (o != Optimizer::adam && o != Optimizer::muon && o != Optimizer::sgd)
    job.note("MaxText has no optimizer " + std::string(label_of("states.optimizer", s)) +
             " here; the text has the nearest.");
  f.yes("optimizer_memory_host_offload", s.cluster.offload_optimizer);
  f.yes("parameter_memory_host_offload", s.cluster.offload_weights);
  if (s.cluster.offload_gradients) job.note("Gradients stay on the device in MaxText.");
  f.variable("learning_rate", "LEARNING_RATE");
  const bool rope = s.model.learned_positions == 0 && s.model.relative_buckets == 0;
  if (rope)
    job.note(
        "The RoPE base (10000 where rope_max_timescale is not set) and its scaling must be those "
        "of the model; the catalog does not hold them.");
  if (s.model.experts > 0)
    job.note(
        "The weight of the load-balancing loss and the groups of the router (DeepSeek) are not in "
        "the catalog: set them as the model has them.");
  f.text("dataset_type", "tfds").variable("dataset_path", "DATA_PATH");
  f.text("tokenizer_type", "huggingface").variable("tokenizer_path", "TOKENIZER");
  if (s.run.task == Task::finetune) {
    f.yes("use_sft", true).variable("load_parameters_path", "BASE_CHECKPOINT");
    if (rope) {
      f.variable("rope_max_timescale", "ROPE_BASE");
      variables.push_back({"ROPE_BASE", "rope_theta of the model's config.json", ""});
    }
    variables.push_back(
        {"BASE_CHECKPOINT", "the weights to start from, in the format of MaxText", ""});
  }
  if (job.used > room && tpu) f.number("num_slices", job.used / room);
  job.file("train.sh", "sh",
           script_head(banner(job, "Training with MaxText. Started on every host."), variables) +
               command("python3 -m MaxText.train src/MaxText/configs/base.yml", f, true));
}

}  // namespace envelope
