// SPDX-License-Identifier: MIT
// Launch texts that shard data-parallel ranks and little else: DeepSpeed (JSON), FSDP through
// accelerate (YAML), and the two programs for fine-tuning, axolotl and torchtune (YAML).
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

/// Several examples share a sequence: by the scenario, or where they are shorter than one, as the
/// number of tokens says.
bool packs(const Scenario& s) { return given(s.run.document) || s.tune.example_tokens < s.run.seq; }

bool sixteen(const Scenario& s) {
  return s.run.precision != Precision::fp32 && s.run.precision != Precision::tf32;
}

/// What shards data-parallel ranks alone cannot do.
std::string only_data(const Job& job, std::string_view name) {
  if (job.w.tp * job.w.pp * job.w.cp > 1)
    return std::string(name) +
           " shares the work among data-parallel ranks alone: " + layout_words(job) +
           " is another layout.";
  if (job.s.model.experts > 0 && job.w.ep > 1)
    return std::string(name) + " has no expert parallelism.";
  return "";
}

/// What the person's own training script has to do.
std::string of_the_script(const Job& job) {
  const Scenario& s = job.s;
  std::string out =
      "Your script brings the model, the data and the optimizer. Here it has a "
      "micro-batch of " +
      number_text(s.run.micro_batch) + ", " + number_text(job.w.micro_batches) +
      " steps of gradient accumulation, sequences of " + number_text(job.seq) + " tokens and " +
      plain_number(job.steps) + (job.steps == 1 ? " step." : " steps.");
  if (s.run.task == Task::finetune && s.tune.method != Method::full)
    out.append("\nThe method is ")
        .append(label_of("tune.method", s))
        .append(s.tune.method == Method::lora || s.tune.method == Method::qlora
                    ? ", rank " + number_text(s.tune.rank)
                    : std::string())
        .append(": set it up in the script (PEFT).");
  return out;
}

std::vector<Variable> script_variable() { return {{"TRAIN_SCRIPT", "your training script", ""}}; }

Settings zero_settings(const Job& job) {
  const Scenario& s = job.s;
  const Cluster& c = s.cluster;
  Settings f;
  f.number("train_batch_size", s.run.global_batch);
  f.number("train_micro_batch_size_per_gpu", s.run.micro_batch);
  f.number("gradient_accumulation_steps", job.w.micro_batches);
  const Precision p = s.run.precision;
  f.yes("bf16.enabled", sixteen(s) && p != Precision::fp16)
      .yes("fp16.enabled", p == Precision::fp16);
  if (p == Precision::fp8 || p == Precision::fp4 || p == Precision::int8)
    job.note("DeepSpeed's file does not ask for " + std::string(label_of("run.precision", s)) +
             ": it is in the layers of the script; the rest is BF16.");
  f.number("zero_optimization.stage", c.zero);
  if (c.zero > 0) {
    f.yes("zero_optimization.overlap_comm", true);
    f.yes("zero_optimization.contiguous_gradients", true);
    f.yes("zero_optimization.reduce_scatter", true);
  }
  const double ranks = job.w.dp * job.w.cp, shard = shard_of(job);
  if (c.zero >= 3 && shard < ranks) f.number("zero_optimization.mics_shard_size", shard);
  if (c.zero > 0 && c.zero < 3 && shard < ranks)
    job.note("DeepSpeed shares among smaller groups (MiCS) with ZeRO-3 alone: all ranks share.");
  if (c.offload_optimizer) {
    if (c.zero > 0)
      f.text("zero_optimization.offload_optimizer.device", "cpu")
          .yes("zero_optimization.offload_optimizer.pin_memory", true);
    else
      job.note("DeepSpeed offloads optimizer states with ZeRO-1 to 3.");
  }
  if (c.offload_weights) {
    if (c.zero >= 3)
      f.text("zero_optimization.offload_param.device", "cpu")
          .yes("zero_optimization.offload_param.pin_memory", true);
    else
      job.note("DeepSpeed offloads weights with ZeRO-3 alone.");
  }
  if (c.offload_gradients && !c.offload_optimizer)
    job.note("Gradients go to the host together with the optimizer states, or not at all.");
  if (c.offload_activations) f.yes("activation_checkpointing.cpu_checkpointing", true);
  const Format g = s.states.gradients;
  if (g == Format::fp32 || g == Format::bf16 || g == Format::fp16)
    f.text("data_types.grad_accum_dtype", g == Format::fp32   ? "fp32"
                                          : g == Format::bf16 ? "bf16"
                                                              : "fp16");
  const Format r = c.reduce;
  if (r == Format::fp32 || r == Format::bf16 || r == Format::fp16)
    f.text("communication_data_type", r == Format::fp32   ? "fp32"
                                      : r == Format::bf16 ? "bf16"
                                                          : "fp16");
  f.number("gradient_clipping", 1);
  return f;
}

}  // namespace

std::string refuse_deepspeed(const Job&) { return ""; }

void write_deepspeed(const Job& job) {
  const Scenario& s = job.s;
  const Cluster& c = s.cluster;
  Settings f = zero_settings(job);
  if (job.w.tp * job.w.pp * job.w.cp > 1 || (s.model.experts > 0 && job.w.ep > 1))
    job.note("DeepSpeed's file has no words for " + layout_words(job) +
             " beyond data parallelism: your script must build those groups, and " +
             number_text(job.w.dp) + " ranks are data parallel.");
  if (job.w.pp > 1 && c.zero >= 2)
    job.note("DeepSpeed does not run its pipeline with ZeRO-2 or 3.");
  if (s.run.recompute != Recompute::none)
    job.note("Recomputation is switched on in the script (gradient checkpointing).");
  if (s.states.optimizer != Optimizer::adam)
    job.note("The script builds the optimizer: here it is " +
             std::string(label_of("states.optimizer", s)) + ".");
  std::vector<Variable> variables = script_variable();
  Settings start;
  if (job.nodes > 1) {
    start.variable("--hostfile", "HOSTFILE").number("--num_nodes", job.nodes);
    variables.push_back({"HOSTFILE", "a file with a line for each node: name slots=8", ""});
  }
  start.number("--num_gpus", job.per_node);
  std::string line = command("deepspeed", start);
  line.pop_back();
  line.append(" \\\n    \"$TRAIN_SCRIPT\" --deepspeed_config ds_config.json\n");
  job.file("ds_config.json", "json", json_text(f));
  job.file(
      "train.sh", "sh",
      script_head(banner(job, "Training with DeepSpeed.") + "\n" + of_the_script(job), variables) +
          line);
}

std::string refuse_accelerate(const Job& job) { return only_data(job, "FSDP through accelerate"); }

void write_accelerate(const Job& job) {
  const Scenario& s = job.s;
  const Cluster& c = s.cluster;
  const double ranks = job.w.dp, shard = shard_of(job);
  const bool shared = c.zero > 0 && ranks > 1, hybrid = shared && shard < ranks;
  const bool whole = c.zero >= 3 && c.reshard;
  Settings f;
  f.text("compute_environment", "LOCAL_MACHINE").yes("debug", false);
  f.text("distributed_type", shared ? "FSDP" : ranks > 1 ? "MULTI_GPU" : "NO");
  f.text("mixed_precision", s.run.precision == Precision::fp8    ? "fp8"
                            : s.run.precision == Precision::fp16 ? "fp16"
                            : sixteen(s)                         ? "bf16"
                                                                 : "no");
  if (s.run.precision == Precision::fp4 || s.run.precision == Precision::int8)
    job.note("accelerate does not train in " + std::string(label_of("run.precision", s)) +
             ": the text says BF16.");
  f.number("num_machines", job.nodes).number("num_processes", job.used);
  f.number("main_process_port", 29500).text("rdzv_backend", "static");
  f.yes("same_network", true).yes("use_cpu", false);
  const bool full = s.run.recompute == Recompute::full;
  if (shared) {
    const std::string p = "fsdp_config.fsdp_";
    f.text(p + "sharding_strategy", hybrid && whole ? "HYBRID_SHARD"
                                    : hybrid        ? "HYBRID_SHARD_ZERO2"
                                    : whole         ? "FULL_SHARD"
                                                    : "SHARD_GRAD_OP");
    f.text(p + "auto_wrap_policy", "TRANSFORMER_BASED_WRAP");
    f.yes(p + "offload_params", c.offload_weights || c.offload_gradients || c.offload_optimizer);
    f.text(p + "backward_prefetch", c.prefetch > 0 ? "BACKWARD_PRE" : "NO_PREFETCH");
    f.yes(p + "forward_prefetch", false).text(p + "state_dict_type", "SHARDED_STATE_DICT");
    f.yes(p + "use_orig_params", true).yes(p + "cpu_ram_efficient_loading", true);
    f.yes(p + "sync_module_states", true).yes(p + "activation_checkpointing", full);
    if (c.zero < 3)
      job.note(
          "FSDP has no ZeRO-1 or 2 as such: SHARD_GRAD_OP keeps weights gathered from the "
          "forward pass to the end of the backward pass, and shares them in between.");
    const int parts = c.offload_weights + c.offload_gradients + c.offload_optimizer;
    if (parts > 0 && parts < 3)
      job.note("FSDP offloads weights, gradients and optimizer states together, or none.");
    if (hybrid && shard != job.per_node)
      job.note("HYBRID_SHARD shares inside a node, of " + number_text(job.per_node) +
               " GPUs here, and not in groups of " + number_text(shard) + ".");
  } else if (c.offload_weights || c.offload_gradients || c.offload_optimizer) {
    job.note("Without sharding there is no offload through accelerate.");
  }
  if (full && !shared)
    job.note("Recomputation is switched on in the script (gradient checkpointing).");
  if (s.run.recompute == Recompute::selective || s.run.recompute == Recompute::pointwise)
    job.note("Recomputation of parts of a layer is not offered: the text has none.");
  if (full && s.run.recompute_every > 1) job.note("Every layer that is wrapped is recomputed.");
  if (c.offload_activations) job.note("Activations are not offloaded through accelerate.");
  std::vector<Variable> variables = script_variable();
  Settings start;
  start.text("--config_file", "fsdp.yaml");
  if (job.nodes > 1) {
    start.variable("--machine_rank", "NODE_RANK").variable("--main_process_ip", "MASTER_ADDR");
    for (Variable& v : torchrun_variables(job)) variables.push_back(std::move(v));
  }
  std::string line = command("accelerate launch", start);
  line.pop_back();
  line.append(" \\\n    \"$TRAIN_SCRIPT\"\n");
  job.file("fsdp.yaml", "yaml", yaml(banner(job, "FSDP through accelerate."), f));
  job.file("train.sh", "sh",
           script_head(banner(job, "Training through accelerate.") + "\n" + of_the_script(job),
                       variables) +
               line);
}

std::string refuse_axolotl(const Job& job) {
  const Method method = job.s.tune.method;
  if (job.s.model.kind != ModelKind::decoder) return "axolotl tunes decoders.";
  if (method != Method::full && method != Method::lora && method != Method::qlora)
    return "axolotl tunes all weights, LoRA or QLoRA, not " +
           std::string(label_of("tune.method", job.s)) + ".";
  if (job.w.tp * job.w.pp > 1 || (job.s.model.experts > 0 && job.w.ep > 1))
    return "The text shares the work among data-parallel ranks and along the sequence: " +
           layout_words(job) + " is another layout.";
  return "";
}

namespace {

/// Names of the matrices in Hugging Face models of the Llama kind.
std::string target_names(const AdapterTargets& t) {
  std::string out;
  const auto add = [&](bool on, const char* name) {
    if (on) out.append(out.empty() ? "[" : ", ").append(name);
  };
  add(t.query, "q_proj");
  add(t.key, "k_proj");
  add(t.value, "v_proj");
  add(t.out, "o_proj");
  add(t.gate, "gate_proj");
  add(t.up, "up_proj");
  add(t.down, "down_proj");
  return out.empty() ? "[]" : out + "]";
}

std::string_view axolotl_optimizer(const Job& job) {
  const States& st = job.s.states;
  switch (st.optimizer) {
    case Optimizer::adam_8bit:
      return st.paged ? "paged_adamw_8bit" : "adamw_bnb_8bit";
    case Optimizer::adafactor:
      return "adafactor";
    case Optimizer::lion:
      return "lion_32bit";
    case Optimizer::sgd:
    case Optimizer::momentum:
      return "sgd";
    case Optimizer::muon:
      return "muon";
    case Optimizer::shampoo:
      job.note("axolotl has no Shampoo here: the text says AdamW.");
      [[fallthrough]];
    default:
      return st.paged ? "paged_adamw_32bit" : "adamw_torch_fused";
  }
}

bool four_bits(Format f) { return f == Format::nf4 || f == Format::nf4_dq || f == Format::fp4; }

}  // namespace

void write_axolotl(const Job& job) {
  const Scenario& s = job.s;
  const Cluster& c = s.cluster;
  const Method method = s.tune.method;
  Settings f;
  if (job.hugging_face.empty())
    f.variable("base_model", "BASE_MODEL", "yours: a folder or a Hugging Face name");
  else
    f.text("base_model", job.hugging_face);
  if (method != Method::full) {
    const AdapterTargets t = adapter_targets(s);
    f.text("adapter", method == Method::lora ? "lora" : "qlora");
    if (method == Method::qlora) {
      f.yes("load_in_4bit", true);
      if (!four_bits(s.tune.base))
        job.note("QLoRA in axolotl has a base in NF4, not " +
                 std::string(label_of("tune.base", s)) + ".");
    } else if (s.states.weights == Format::int8 || s.states.weights == Format::llm_int8) {
      f.yes("load_in_8bit", true);
    }
    f.number("lora_r", s.tune.rank).number("lora_alpha", 2 * s.tune.rank);
    f.number("lora_dropout", s.tune.dropout ? 0.05 : 0);
    if (t.linear)
      f.yes("lora_target_linear", true);
    else
      f.raw("lora_target_modules", target_names(t));
    if (s.tune.embed || s.tune.head)
      f.raw("lora_modules_to_save", s.tune.embed && s.tune.head ? "[embed_tokens, lm_head]"
                                    : s.tune.embed              ? "[embed_tokens]"
                                                                : "[lm_head]");
  }
  f.variable("datasets[].path", "DATASET", "yours");
  f.variable("datasets[].type", "DATASET_TYPE", "yours, such as alpaca");
  f.number("sequence_len", job.seq);
  f.yes("sample_packing", packs(s)).yes("pad_to_sequence_len", true);
  f.number("micro_batch_size", s.run.micro_batch);
  f.number("gradient_accumulation_steps", job.w.micro_batches);
  f.number("num_epochs", s.tune.epochs).text("optimizer", axolotl_optimizer(job));
  f.variable("learning_rate", "LEARNING_RATE", "yours: a number").text("lr_scheduler", "cosine");
  const Precision p = s.run.precision;
  f.yes("bf16", sixteen(s) && p != Precision::fp16).yes("fp16", p == Precision::fp16);
  f.yes("tf32", p == Precision::tf32);
  if (p == Precision::fp32) f.yes("float32", true);
  if (p == Precision::fp8) f.yes("fp8", true);
  if (p == Precision::fp4 || p == Precision::int8)
    job.note("axolotl does not train in " + std::string(label_of("run.precision", s)) + ".");
  f.yes("flash_attention", s.run.flash && given(s.gpu.bf16));
  if (s.run.recompute == Recompute::full && c.offload_activations)
    f.text("gradient_checkpointing", "offload");
  else
    f.yes("gradient_checkpointing", s.run.recompute == Recompute::full);
  if (s.run.recompute == Recompute::selective || s.run.recompute == Recompute::pointwise)
    job.note("axolotl recomputes whole layers or nothing: the text has none.");
  if (s.run.recompute == Recompute::full && s.run.recompute_every > 1)
    job.note("axolotl recomputes every layer, not every " + number_text(s.run.recompute_every) +
             "th.");
  if (c.offload_activations && s.run.recompute != Recompute::full)
    job.note(
        "axolotl offloads the inputs of layers that it recomputes: without full recomputation "
        "there is no offload of activations.");
  if (job.w.cp > 1) {
    f.number("sequence_parallel_degree", job.w.cp);
    if (c.cp_kind == ContextParallel::all_to_all)
      job.note("axolotl's sequence parallel is a ring; there is no exchange of heads (Ulysses).");
  }
  const bool shared = c.zero > 0 && job.w.dp * job.w.cp > 1;
  if (shared && c.zero >= 3) {
    f.number("fsdp_config.fsdp_version", 2).yes("fsdp_config.reshard_after_forward", c.reshard);
    f.yes("fsdp_config.offload_params", c.offload_weights || c.offload_optimizer);
    f.text("fsdp_config.auto_wrap_policy", "TRANSFORMER_BASED_WRAP");
    f.text("fsdp_config.state_dict_type", "SHARDED_STATE_DICT");
    f.yes("fsdp_config.cpu_ram_efficient_loading", true);
    if (shard_of(job) < job.w.dp * job.w.cp)
      job.note("All ranks share the states: the text has no smaller groups (HSDP).");
  } else if (shared) {
    f.text("deepspeed", "ds_config.json");
  } else if (c.offload_weights || c.offload_optimizer || c.offload_gradients) {
    job.note("Without sharding axolotl has no offload of weights or optimizer states.");
  }
  f.variable("output_dir", "OUTPUT_FOLDER", "yours");
  job.file("tune.yaml", "yaml",
           yaml(banner(job, "Fine-tuning with axolotl. Replace what stands in <...>."), f));
  if (shared && c.zero < 3) job.file("ds_config.json", "json", json_text(zero_settings(job)));
  job.file("tune.sh", "sh",
           script_head("Started on each node.", torchrun_variables(job)) + torchrun(job) +
               " \\\n    -m axolotl.cli.train tune.yaml\n");
}

namespace {

struct Tuned {
  std::string_view model, component, type;
};
constexpr Tuned kTuned[] = {
    {"llama-2-7b", "llama2.|llama2_7b", "LLAMA2"},
    {"llama-2-13b", "llama2.|llama2_13b", "LLAMA2"},
    {"llama-2-70b", "llama2.|llama2_70b", "LLAMA2"},
    {"llama-3-8b", "llama3.|llama3_8b", "LLAMA3"},
    {"llama-3-70b", "llama3.|llama3_70b", "LLAMA3"},
    {"llama-3.1-8b", "llama3_1.|llama3_1_8b", "LLAMA3"},
    {"llama-3.1-70b", "llama3_1.|llama3_1_70b", "LLAMA3"},
    {"llama-3.1-405b", "llama3_1.|llama3_1_405b", "LLAMA3"},
    {"llama-3.2-1b", "llama3_2.|llama3_2_1b", "LLAMA3_2"},
    {"llama-3.2-3b", "llama3_2.|llama3_2_3b", "LLAMA3_2"},
    {"llama-3.3-70b", "llama3_3.|llama3_3_70b", "LLAMA3"},
};

std::string attention_names(const AdapterTargets& t) {
  std::string out;
  const auto add = [&](bool on, const char* name) {
    if (on) out.append(out.empty() ? "[" : ", ").append(name);
  };
  add(t.query, "q_proj");
  add(t.key, "k_proj");
  add(t.value, "v_proj");
  add(t.out, "output_proj");
  return out.empty() ? "[]" : out + "]";
}

}  // namespace

std::string refuse_torchtune(const Job& job) {
  const Method method = job.s.tune.method;
  if (!row_of(kTuned, job)) return "The text knows torchtune's Llama models alone, as published.";
  if (method != Method::full && method != Method::lora && method != Method::qlora)
    return "torchtune tunes all weights, LoRA or QLoRA, not " +
           std::string(label_of("tune.method", job.s)) + ".";
  if (job.w.tp * job.w.pp > 1 || (method != Method::full && job.w.cp > 1))
    return "The text shares the work among data-parallel ranks: " + layout_words(job) +
           " is another layout.";
  if (job.s.cluster.zero < 1 && job.w.dp > 1)
    return "torchtune always shares the weights (FSDP2): plain data parallelism is another layout.";
  return "";
}

void write_torchtune(const Job& job) {
  const Scenario& s = job.s;
  const Cluster& c = s.cluster;
  const Tuned& tuned = *row_of(kTuned, job);
  const Method method = s.tune.method;
  const bool alone = job.used == 1, full = method == Method::full;
  const std::size_t bar = tuned.component.find('|');
  std::string component = "torchtune.models." + std::string(tuned.component.substr(0, bar));
  component.append(full ? "" : method == Method::lora ? "lora_" : "qlora_");
  component.append(tuned.component.substr(bar + 1));
  Settings f;
  f.variable("output_dir", "OUTPUT_FOLDER", "yours").text("model._component_", component);
  if (!full) {
    const AdapterTargets t = adapter_targets(s);
    f.raw("model.lora_attn_modules", attention_names(t));
    f.yes("model.apply_lora_to_mlp", t.gate || t.up || t.down);
    f.yes("model.apply_lora_to_output", false);
    f.number("model.lora_rank", s.tune.rank).number("model.lora_alpha", 2 * s.tune.rank);
    f.number("model.lora_dropout", s.tune.dropout ? 0.05 : 0);
    if ((t.gate || t.up || t.down) && !(t.gate && t.up && t.down))
      job.note("torchtune puts adapters on all matrices of the MLP, or on none.");
    if (s.tune.embed || s.tune.head)
      job.note("Embedding and head are not trained beside the adapters in torchtune.");
    if (method == Method::qlora && !four_bits(s.tune.base))
      job.note("QLoRA in torchtune has a base in NF4, not " +
               std::string(label_of("tune.base", s)) + ".");
  }
  f.text("tokenizer._component_", tuned.type == "LLAMA2"
                                      ? "torchtune.models.llama2.llama2_tokenizer"
                                      : "torchtune.models.llama3.llama3_tokenizer");
  f.variable("tokenizer.path", "TOKENIZER_PATH", "yours").number("tokenizer.max_seq_len", job.seq);
  f.text("checkpointer._component_", "torchtune.training.FullModelHFCheckpointer");
  f.variable("checkpointer.checkpoint_dir", "CHECKPOINT_FOLDER",
             job.hugging_face.empty() ? "yours" : "yours: where " + job.hugging_face + " lies");
  f.variable("checkpointer.checkpoint_files", "CHECKPOINT_FILES",
             "yours: a list, [model-00001-of-00004.safetensors, ...]");
  f.raw("checkpointer.recipe_checkpoint", "null");
  f.variable("checkpointer.output_dir", "OUTPUT_FOLDER", "yours");
  f.text("checkpointer.model_type", tuned.type).yes("resume_from_checkpoint", false);
  f.text("dataset._component_", "torchtune.datasets.alpaca_dataset");
  f.yes("dataset.packed", packs(s));
  f.raw("seed", "null").yes("shuffle", true).number("batch_size", s.run.micro_batch);
  f.number("epochs", std::ceil(s.tune.epochs)).raw("max_steps_per_epoch", "null");
  f.number("gradient_accumulation_steps", job.w.micro_batches);
  const Optimizer o = s.states.optimizer;
  const bool sgd = o == Optimizer::sgd || o == Optimizer::momentum;
  f.text("optimizer._component_", o == Optimizer::adam_8bit ? "bitsandbytes.optim.AdamW8bit"
                                  : s.states.paged && o == Optimizer::adam
                                      ? "bitsandbytes.optim.PagedAdamW"
                                  : sgd ? "torch.optim.SGD"
                                        : "torch.optim.AdamW");
  if (o != Optimizer::adam && o != Optimizer::adam_8bit && !sgd)
    job.note("The text has no " + std::string(label_of("states.optimizer", s)) +
             ": it says AdamW.");
  f.variable("optimizer.lr", "LEARNING_RATE", "yours: a number");
  if (o == Optimizer::adam && !s.states.paged) f.yes("optimizer.fused", true);
  if (full) f.yes("optimizer_in_bwd", s.states.in_backward && job.w.micro_batches == 1);
  if (full && s.states.in_backward && job.w.micro_batches > 1)
    job.note("torchtune updates weights in the backward pass only without gradient accumulation.");
  if (!full) {
    f.yes("save_adapter_weights_only", true);
    f.text("lr_scheduler._component_",
           "torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup");
    f.number("lr_scheduler.num_warmup_steps", 100);
  }
  f.text("loss._component_", "torchtune.modules.loss.CEWithChunkedOutputLoss");
  f.text("device", "cuda").text("dtype", sixteen(s) ? "bf16" : "fp32");
  if (s.run.precision == Precision::fp16 || s.run.precision == Precision::fp4 ||
      s.run.precision == Precision::int8 || s.run.precision == Precision::fp8)
    job.note("torchtune trains in BF16 or FP32 here, not in " +
             std::string(label_of("run.precision", s)) + ".");
  const bool recompute = s.run.recompute == Recompute::full;
  f.yes("enable_activation_checkpointing", recompute);
  f.yes("enable_activation_offloading", recompute && c.offload_activations);
  if (c.offload_activations && !recompute)
    job.note("torchtune offloads activations together with full recomputation alone.");
  if (s.run.recompute == Recompute::selective || s.run.recompute == Recompute::pointwise)
    job.note("torchtune recomputes whole layers or nothing: the text has none.");
  if (recompute && s.run.recompute_every > 1)
    job.note("torchtune recomputes every layer, not every " + number_text(s.run.recompute_every) +
             "th.");
  if (!alone) {
    f.yes("fsdp_cpu_offload", c.offload_weights || c.offload_optimizer || c.offload_gradients);
    const double shard = shard_of(job);
    const bool hybrid = shard < job.w.dp * job.w.cp && divides(job.w.cp, shard) &&
                        divides(shard / job.w.cp, job.w.dp);
    if (full) {
      f.number("data_parallel_shard_dim", hybrid ? shard / job.w.cp : job.w.dp);
      f.number("data_parallel_replicate_dim", hybrid ? job.w.dp * job.w.cp / shard : 1);
      f.number("context_parallel_dim", job.w.cp);
      f.yes("fsdp_reshard_after_forward", c.zero >= 3 && c.reshard);
    } else if (shard < job.w.dp) {
      job.note("The LoRA recipe has no smaller sharding groups (HSDP): all ranks share.");
    }
    if (c.zero < 3)
      job.note("torchtune shares the weights as well (FSDP2), beyond ZeRO-" + number_text(c.zero) +
               ".");
  } else if (c.offload_weights || c.offload_optimizer || c.offload_gradients) {
    job.note("On one device torchtune has no offload of weights or optimizer states.");
  }
  f.yes("compile", s.stack.kernels == Kernels::compiled);
  f.text("metric_logger._component_", "torchtune.training.metric_logging.DiskLogger");
  f.variable("metric_logger.log_dir", "OUTPUT_FOLDER", "yours").number("log_every_n_steps", 1);
  f.yes("log_peak_memory_stats", true);
  job.file("tune.yaml", "yaml",
           yaml(banner(job, "Fine-tuning with torchtune. Replace what stands in <...>."), f));
  std::string line = "tune run";
  if (!alone)
    line.append(" --nnodes ")
        .append(plain_number(job.nodes))
        .append(" --nproc_per_node ")
        .append(plain_number(job.per_node));
  std::vector<Variable> variables;
  if (!alone && job.nodes > 1) {
    variables = {{"RUN_ID", "the same on all nodes, another for each run", "tune"},
                 {"FIRST_NODE", "the address of the first node", ""}};
    line.append(" \\\n    --rdzv_id \"$RUN_ID\" --rdzv_backend c10d")
        .append(" --rdzv_endpoint \"$FIRST_NODE:29500\" \\\n   ");
  }
  line.append(full ? " full" : " lora").append("_finetune_");
  line.append(alone ? "single_device" : "distributed").append(" --config tune.yaml\n");
  job.file("tune.sh", "sh", script_head("Started on each node.", variables) + line);
}

}  // namespace envelope
