// SPDX-License-Identifier: MIT
// Launch texts of servers: vLLM, SGLang, TensorRT-LLM.
#include <algorithm>
#include <cmath>

#include "envelope/fields.h"
#include "envelope/launch_job.h"

namespace envelope {
namespace {

/// What a server is told of the weights. `type` computes; `quantization` is what is done at load;
/// where the checkpoint itself must be quantized, `made_by` says how.
struct WeightWords {
  const char* type = "bfloat16";
  const char* quantization = "";
  const char* made_by = "";
};

WeightWords words_for(Format f) {
  switch (f) {
    case Format::fp32:
      return {"float32", "", ""};
    case Format::fp16:
      return {"float16", "", ""};
    case Format::bf16:
      return {"bfloat16", "", ""};
    case Format::fp8_e4m3:
      return {"bfloat16", "fp8", ""};
    case Format::nf4:
    case Format::nf4_dq:
      return {"bfloat16", "bitsandbytes", ""};
    case Format::fp8_block:
      return {"bfloat16", "", "FP8 in blocks of 128 x 128, as DeepSeek publishes its own"};
    case Format::nvfp4:
      return {"bfloat16", "modelopt_fp4", "NVFP4, made by Model Optimizer"};
    case Format::int8:
    case Format::llm_int8:
    case Format::int8_g128:
      return {"bfloat16", "", "INT8, for example by llm-compressor"};
    case Format::int4:
    case Format::int4_g128:
    case Format::int4_nog:
    case Format::int4_g32:
    case Format::int4_g32_emb8:
      return {"float16", "", "INT4, for example by AWQ or GPTQ"};
    default:
      return {"bfloat16", "", "this format"};
  }
}

/// Accelerators without BF16 compute in FP16, which takes as much.
WeightWords weight_words(const Scenario& s) {
  WeightWords out = words_for(s.serve.weights);
  if (!given(s.gpu.bf16) && out.type == std::string_view("bfloat16")) out.type = "float16";
  return out;
}

bool gguf(Format f) {
  return f == Format::q4_0 || f == Format::q8_0 || f == Format::q4_1 ||
         (f >= Format::q2_k && f <= Format::iq4_nl);
}

bool exl2(Format f) { return f >= Format::exl2_2_5 && f <= Format::exl2_5; }

std::string_view words_of(std::string_view path, const Scenario& s) {
  const Field& f = *field_by_path(path);
  return f.choices[static_cast<std::size_t>(get_number(f, s))].label;
}

// The three servers mean three things by their fraction of memory.

double hundredths(double share, double most) {
  return std::clamp(std::floor(100 * share) / 100, 0.01, most);
}

/// Bytes of one GPU that a pass works on, beside weights and KV cache.
double working(const Job& job) {
  const ServeMoments& m = job.r.layout.serving.moments;
  return std::max({m.prefill_work, m.prefill_hidden + m.prefill_logits, m.step_work + m.copy,
                   m.step_hidden + m.step_logits});
}

/// vLLM: of the whole GPU, all that the server takes. Its own default is not exceeded.
double vllm_fraction(const Scenario& s) {
  constexpr double kDefault = 0.92;
  return hundredths(1 - s.cluster.reserve / s.gpu.memory, kDefault);
}

/// SGLang: of the whole GPU, weights and KV pool. Passes and CUDA graphs need the rest; the graphs
/// are not counted here, so a tenth stays free at least.
double sglang_fraction(const Job& job) {
  constexpr double kRest = 0.1;
  const double memory = job.s.gpu.memory;
  return hundredths(1 - (job.s.cluster.reserve + std::max(working(job), kRest * memory)) / memory,
                    1 - kRest);
}

/// TensorRT-LLM: the KV pool, of what is free with the weights loaded. At most its own default.
double tensorrt_fraction(const Job& job) {
  constexpr double kDefault = 0.9;
  const double left = job.s.gpu.memory - job.r.layout.serving.weights;
  if (left <= 0) return kDefault;
  return hundredths(1 - (job.s.cluster.reserve + working(job)) / left, kDefault);
}

double context(const Scenario& s) { return s.serve.prompt + s.serve.output; }

/// Sequences of one replica.
double batch_of(const Job& job) { return std::max(1.0, std::ceil(job.s.serve.batch / job.w.dp)); }

/// The model variable, with the published weights where they have the format.
Variable model_variable(const Job& job, const WeightWords& words) {
  const bool made = words.made_by[0] != 0 || gguf(job.s.serve.weights);
  // Servers read the format from the checkpoint, which some publish in fewer bits.
  const std::string& name = job.hugging_face;
  const auto starts = [&](std::string_view head) {
    return name.compare(0, head.size(), head) == 0;
  };
  const bool eight =
      starts("deepseek-ai/DeepSeek-V3") || starts("moonshotai/Kimi-K2") ||
      (starts("deepseek-ai/DeepSeek-R1") && !starts("deepseek-ai/DeepSeek-R1-Distill"));
  const bool four = starts("openai/gpt-oss");
  const Format w = job.s.serve.weights;
  const bool published = (eight && w == Format::fp8_block) || (four && w == Format::mxfp4);
  if (made && !published)
    job.note("The weights are " + std::string(words_of("serve.weights", job.s)) +
             ": MODEL must name a checkpoint that is stored so" +
             (words.made_by[0] ? std::string(" (") + words.made_by + ")" : std::string()) +
             "; the published one is not named here.");
  if ((eight || four) && (w == Format::bf16 || w == Format::fp16 || w == Format::fp32))
    job.note("The published checkpoint is in " + std::string(eight ? "FP8 in blocks" : "MXFP4") +
             "; for weights in " + std::string(words_of("serve.weights", job.s)) +
             ", convert it first and let MODEL name the result.");
  return {"MODEL", "the checkpoint, a folder or a Hugging Face name",
          made && !published ? std::string() : job.hugging_face};
}

void common_notes(const Job& job) {
  const Scenario& s = job.s;
  if (!given(s.gpu.bf16) &&
      words_for(s.serve.weights).type != std::string_view(weight_words(s).type))
    job.note("This accelerator has no BF16: the text computes in FP16, which takes as much.");
  if (s.serve.eager)
    job.note(
        "The calculation stores attention scores and all logits (eager); servers of this kind do "
        "not, so less memory is used.");
  if (s.serve.cache != KvCache::paged)
    job.note("The KV cache is kept in pages here, whatever the scenario says.");
  if (s.serve.merge)
    job.note("How matrices are merged at load is the server's own affair; there is no flag.");
}

/// The word for the KV cache among `words`, or auto with a note.
std::string_view kv_word(const Job& job, std::string_view e4m3, std::string_view e5m2,
                         std::string_view bf16, std::string_view nvfp4) {
  const Format f = job.s.serve.kv;
  const std::string_view word = f == Format::fp8_e4m3   ? e4m3
                                : f == Format::fp8_e5m2 ? e5m2
                                : f == Format::nvfp4    ? nvfp4
                                : f == Format::bf16     ? bf16
                                                        : std::string_view();
  const bool model = f == Format::fp16 || f == Format::bf16 || f == Format::fp32;
  if (!word.empty()) return word;
  if (!model || weight_words(job.s).type != std::string_view(f == Format::fp16   ? "float16"
                                                             : f == Format::fp32 ? "float32"
                                                                                 : "bfloat16"))
    job.note(job.out.launcher->name + " has no KV cache in " +
             std::string(words_of("serve.kv", job.s)) +
             ": the text leaves it in the model's type.");
  return "auto";
}

}  // namespace

std::string refuse_serving(const Job& job) {
  const Scenario& s = job.s;
  if (s.model.kind != ModelKind::decoder)
    return "These servers generate text: the model must be a decoder.";
  if (!s.serve.kv_cache) return "These servers always keep a KV cache.";
  if (exl2(s.serve.weights)) return "EXL2 weights are read by ExLlamaV2 alone.";
  if (s.serve.weights == Format::fp8_e5m2 || s.serve.weights == Format::fp4)
    return std::string(words_of("serve.weights", s)) +
           " is a format that no published checkpoint for these servers has.";
  return "";
}

std::string refuse_tensorrt(const Job& job) {
  if (gguf(job.s.serve.weights)) return "TensorRT-LLM reads no GGUF files.";
  return refuse_serving(job);
}

void write_vllm(const Job& job) {
  const Scenario& s = job.s;
  const WeightWords words = weight_words(s);
  std::vector<Variable> variables = {model_variable(job, words)};
  Settings flags;
  flags.number("--tensor-parallel-size", job.w.tp);
  if (job.w.dp > 1) flags.number("--data-parallel-size", job.w.dp);
  if (job.nodes > 1) {
    if (job.w.tp > job.per_node) flags.text("--distributed-executor-backend", "ray");
    if (job.w.dp > 1) {
      flags.number("--data-parallel-size-local", std::max(1.0, std::floor(job.per_node / job.w.tp)))
          .text("--data-parallel-backend", "ray");
      if (job.w.tp > job.per_node)
        job.note("Replicas reach over several nodes: set VLLM_RAY_DP_PACK_STRATEGY=span.");
    }
    job.note("Before it starts, a Ray cluster must span the " + number_text(job.nodes) +
             " nodes: ray start on each.");
  }
  flags.number("--max-model-len", context(s)).number("--max-num-seqs", batch_of(job));
  if (given(s.serve.prefill)) flags.number("--max-num-batched-tokens", s.serve.prefill);
  const double page = s.serve.page;
  if (page == 8 || page == 16 || page == 32 || page == 64 || page == 128)
    flags.number("--block-size", page);
  else
    job.note("vLLM has no pages of " + number_text(page) + " tokens: its own size is used.");
  flags.number("--gpu-memory-utilization", vllm_fraction(s)).text("--dtype", words.type);
  if (words.quantization[0]) flags.text("--quantization", words.quantization);
  if (gguf(s.serve.weights)) {
    flags.text("--quantization", "gguf").variable("--tokenizer", "TOKENIZER");
    variables.push_back(
        {"TOKENIZER", "the tokenizer, a folder or a Hugging Face name", job.hugging_face});
  }
  flags.text("--kv-cache-dtype",
             kv_word(job, "fp8_e4m3", "fp8_e5m2",
                     words.type == std::string_view("bfloat16") ? "auto" : "bfloat16", ""));
  if (s.serve.draft_tokens > 0) {
    variables.push_back({"DRAFT_MODEL", "the draft model of speculative decoding", ""});
    flags.raw("--speculative-config",
              "\"{\\\"model\\\": \\\"$DRAFT_MODEL\\\", \\\"num_speculative_tokens\\\": " +
                  number_text(s.serve.draft_tokens) + "}\"");
  }
  common_notes(job);
  job.file("serve.sh", "sh",
           script_head(banner(job, "A server of vLLM."), variables) +
               command("vllm serve \"$MODEL\"", flags));
}

void write_sglang(const Job& job) {
  const Scenario& s = job.s;
  const WeightWords words = weight_words(s);
  std::vector<Variable> variables = {model_variable(job, words)};
  Settings flags;
  flags.variable("--model-path", "MODEL").number("--tp-size", job.w.tp);
  // Replicas of one server share a host; across hosts there is one replica, or several servers.
  double local = std::max(1.0, std::floor(job.per_node / job.w.tp));
  while (std::floor(job.w.dp / local) * local != job.w.dp) --local;
  if (local > 1) flags.number("--dp-size", local);
  if (job.w.tp > job.per_node) {
    flags.number("--nnodes", std::ceil(job.w.tp / job.per_node))
        .variable("--node-rank", "NODE_RANK")
        .variable("--dist-init-addr", "FIRST_NODE");
    variables.push_back({"NODE_RANK", "0 on the first node, 1 on the next, and so on", ""});
    variables.push_back({"FIRST_NODE", "address and port of the first node", ""});
  }
  if (local < job.w.dp)
    job.note("Start " + number_text(job.w.dp / local) + " such servers, each on " +
             number_text(job.w.tp * local) +
             " GPUs, behind a router: replicas of one server do not span nodes.");
  flags.number("--context-length", context(s)).number("--max-running-requests", batch_of(job));
  if (given(s.serve.prefill)) flags.number("--chunked-prefill-size", s.serve.prefill);
  flags.number("--page-size", s.serve.page).number("--mem-fraction-static", sglang_fraction(job));
  flags.text("--dtype", words.type);
  if (words.quantization[0]) flags.text("--quantization", words.quantization);
  if (gguf(s.serve.weights)) {
    flags.text("--quantization", "gguf").variable("--tokenizer-path", "TOKENIZER");
    variables.push_back(
        {"TOKENIZER", "the tokenizer, a folder or a Hugging Face name", job.hugging_face});
  }
  flags.text("--kv-cache-dtype", kv_word(job, "fp8_e4m3", "fp8_e5m2", "bf16", "nvfp4"));
  if (s.serve.draft_tokens > 0) {
    variables.push_back({"DRAFT_MODEL", "the EAGLE draft model of speculative decoding", ""});
    flags.text("--speculative-algorithm", "EAGLE")
        .variable("--speculative-draft-model-path", "DRAFT_MODEL")
        .number("--speculative-num-steps", s.serve.draft_tokens)
        .number("--speculative-eagle-topk", 1)
        .number("--speculative-num-draft-tokens", s.serve.draft_tokens + 1);
  }
  common_notes(job);
  job.file("serve.sh", "sh",
           script_head(banner(job, "A server of SGLang."), variables) +
               command("python -m sglang.launch_server", flags));
}

void write_tensorrt(const Job& job) {
  const Scenario& s = job.s;
  const WeightWords words = weight_words(s);
  Settings flags, more;
  flags.text("--backend", "pytorch").number("--tp_size", job.w.tp);
  flags.number("--gpus_per_node", std::min(job.per_node, job.w.tp));
  flags.number("--max_batch_size", batch_of(job)).number("--max_seq_len", context(s));
  if (given(s.serve.prefill)) flags.number("--max_num_tokens", s.serve.prefill);
  flags.text("--config", "server.yaml");
  more.text("dtype", words.type);
  more.text("kv_cache_config.dtype", kv_word(job, "fp8", "", "auto", "nvfp4"));
  more.number("kv_cache_config.free_gpu_memory_fraction", tensorrt_fraction(job));
  const double page = s.serve.page;
  if (page == 16 || page == 32 || page == 64 || page == 128)
    more.number("kv_cache_config.tokens_per_block", page);
  else
    job.note("TensorRT-LLM has no blocks of " + number_text(page) + " tokens: 32 are used.");
  if (given(s.serve.prefill) && s.serve.prefill < s.serve.prompt)
    more.yes("enable_chunked_prefill", true);
  if (job.w.dp > 1)
    job.note("trtllm-serve starts one replica: start " + number_text(job.w.dp) +
             " of them, each on " + number_text(job.w.tp) + " GPUs, behind a load balancer.");
  if (job.w.tp > job.per_node)
    job.note("Across nodes it is started under MPI or Slurm, with trtllm-llmapi-launch.");
  if (words.quantization[0] && words.made_by[0] == 0)
    job.note("TensorRT-LLM does not quantize at load: MODEL must name a checkpoint in " +
             std::string(words_of("serve.weights", s)) + ".");
  if (s.serve.draft_tokens > 0)
    job.note(
        "Speculative decoding is set up in server.yaml (speculative_config); the keys depend "
        "on the kind of draft, so the text leaves it out.");
  common_notes(job);
  Variable model = model_variable(job, words);
  if (words.quantization[0]) model.otherwise.clear();
  job.file("serve.sh", "sh",
           script_head(banner(job, "A server of TensorRT-LLM."), {model}) +
               command("trtllm-serve \"$MODEL\"", flags));
  job.file("server.yaml", "yaml", yaml("What trtllm-serve reads beside its flags.", more));
}

}  // namespace envelope
