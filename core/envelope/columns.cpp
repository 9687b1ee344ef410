// SPDX-License-Identifier: MIT
// Over 400 lines because half of it is the vocabularies and what each word means.
#include "envelope/columns.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "envelope/catalog.h"
#include "envelope/fields.h"

namespace envelope {
namespace {

constexpr std::string_view kTasks[] = {"pretrain",   "full_finetune", "sft",
                                       "lora",       "qlora",         "adapter",
                                       "adapter_v2", "inference",     "weights_file"};
constexpr std::string_view kBinary[] = {"0", "1"};
constexpr std::string_view kShardings[] = {"none", "zero1", "zero2", "zero3", "hsdp"};
constexpr std::string_view kOffloads[] = {"weights", "gradients", "optimizer", "activations"};
constexpr std::string_view kRecomputes[] = {"none", "selective", "full", "partial"};
constexpr std::string_view kStateTypes[] = {"fp32", "fp16", "bf16", "int8"};
constexpr std::string_view kCrossEntropies[] = {"eager", "fused", "chunked", "unknown"};
constexpr std::string_view kAttentions[] = {"eager", "flash"};
constexpr std::string_view kAdapters[] = {"none", "lora", "qlora", "adapter", "adapter_v2"};
constexpr std::string_view kTargets[] = {"q",  "k",    "v",     "o",    "gate",
                                         "up", "down", "embed", "head", "all_linear"};
constexpr std::string_view kMemoryKinds[] = {"allocated",        "reserved",     "device",
                                             "activations",      "model_states", "weights_file",
                                             "context_capacity", "process_rss",  "relative"};
constexpr std::string_view kKvFormats[] = {"fp16", "bf16", "fp8", "int8"};
constexpr std::string_view kActivationFormats[] = {"fp16", "bf16", "fp8", "nvfp4", "int8"};
constexpr std::string_view kEngines[] = {
    "gpt-fast",  "hf-eager",   "awq",       "lmdeploy",     "mlc",
    "neuronx",   "executorch", "litgpt",    "vendor",       "vllm",
    "llama.cpp", "exllama",    "exllamav2", "tensorrt-llm", "fastertransformer"};
constexpr std::string_view kPhases[] = {"prefill", "decode", "mixed", "serving_offline",
                                        "serving_online"};
constexpr std::string_view kRuns[] = {"continued", "finetune", "lora", "mlperf", "pretrain"};
constexpr std::string_view kStacks[] = {"megatron-2021",
                                        "megatron-2022",
                                        "megatron-deepspeed-2022",
                                        "megatron-core-2023",
                                        "megatron-core-2024",
                                        "megatron-core-2025",
                                        "nemo-2024",
                                        "nemo-2025",
                                        "megatron-bridge-2025",
                                        "megatron-bridge-2026",
                                        "megatron-rocm-2025",
                                        "simumax-megatron-2026",
                                        "fsdp-2023",
                                        "fsdp-2024",
                                        "fsdp2-2024",
                                        "deepspeed-2024",
                                        "hf-trainer-2023",
                                        "litgpt-2023",
                                        "pytorch-finetune-2024",
                                        "maxtext-2024",
                                        "maxtext-2025",
                                        "jax-gpu-2024",
                                        "jax-tpu-2023",
                                        "internevo-2023",
                                        "neuron-2025",
                                        "other"};

/// Bits per second and accelerator between nodes; 0 where the word does not say.
constexpr struct {
  std::string_view word;
  double bits;
} kNetworks[] = {{"none", 0},
                 {"infiniband-hdr-8x200g", 200e9},
                 {"infiniband-ndr-8x400g", 400e9},
                 {"infiniband-xdr-8x800g", 800e9},
                 {"roce-8x200g", 200e9},
                 {"roce-8x400g", 400e9},
                 {"roce-4x100g", 50e9},
                 {"omnipath-4x100g", 50e9},
                 {"ethernet-efa-4x100g", 50e9},
                 {"ethernet-efa-800g-16", 50e9},
                 {"ethernet-tcpx-4x200g", 100e9},
                 {"ici", 0},
                 {"ici-dcn", 0},
                 {"nvl72", 0},
                 {"unknown", 0}};

/// Types of matrix products, as precision and as how many values share a scale.
constexpr struct {
  std::string_view word, precision, scales;
} kComputeTypes[] = {{"fp32", "fp32", ""},
                     {"tf32", "tf32", ""},
                     {"fp16", "fp16", ""},
                     {"bf16", "bf16", ""},
                     {"int8", "int8", ""},
                     {"fp8", "fp8", "tensor"},
                     {"fp8_block", "fp8", "block"},
                     {"mxfp8", "fp8", "microscaling"},
                     {"nvfp4", "fp4", "microscaling"}};

constexpr struct {
  std::string_view word, optimizer;
  bool paged;
} kOptimizers[] = {{"adamw", "adam", false},
                   {"adamw_8bit", "adam-8bit", false},
                   {"adamw_paged", "adam", true},
                   {"adamw_paged_8bit", "adam-8bit", true},
                   {"adafactor", "adafactor", false},
                   {"lion", "lion", false},
                   {"muon", "muon", false},
                   {"sgd", "sgd", false},
                   {"none", "", false}};

/// Storage formats whose name here differs from the word by more than its underscores.
constexpr struct {
  std::string_view word, format;
} kFormatNames[] = {{"fp8", "fp8-e4m3"},
                    {"exl2_2.5", "exl2-2-5"},
                    {"exl2_3.0", "exl2-3"},
                    {"exl2_4.0", "exl2-4"},
                    {"exl2_5.0", "exl2-5"}};

/// Where the numbers of a scenario come from.
constexpr struct {
  std::string_view path, column;
} kColumns[] = {{"model.layers", "layers"},
                {"model.hidden", "hidden"},
                {"model.heads", "heads"},
                {"model.kv_heads", "kv_heads"},
                {"model.head_dim", "head_dim"},
                {"model.ffn", "ffn_hidden"},
                {"model.vocab", "vocab"},
                {"model.learned_positions", "learned_positions"},
                {"model.experts", "n_experts"},
                {"model.top_k", "experts_per_token"},
                {"model.moe_ffn", "moe_ffn_hidden"},
                {"model.shared_ffn", "shared_experts"},
                {"model.first_dense", "dense_layers_first"},
                {"run.seq", "seq_len"},
                {"run.micro_batch", "micro_batch or batch_per_gpu"},
                {"run.global_batch", "global_batch or grad_accum"},
                {"tune.rank", "lora_rank"},
                {"tune.trainable", "trainable_params"},
                {"serve.batch", "batch_per_gpu"},
                {"serve.prompt", "seq_len"},
                {"serve.output", "seq_len"},
                {"cluster.gpus", "n_gpus"},
                {"cluster.tp", "tp"},
                {"cluster.pp", "pp"},
                {"cluster.cp", "cp"},
                {"cluster.ep", "ep"},
                {"cluster.virtual_stages", "virtual_stages"},
                {"cluster.shard", "sharding_size"}};

constexpr std::string_view kWeightFormats[] = {
    "fp32",     "fp16",      "bf16",     "fp8",           "int8",   "nvfp4",  "int4",
    "int4_nog", "int4_g128", "int4_g32", "int4_g32_emb8", "nf4",    "nf4_dq", "exl2_2.5",
    "exl2_3.0", "exl2_4.0",  "exl2_5.0", "q2_k",          "q2_k_s", "q3_k_s", "q3_k_m",
    "q3_k_l",   "q4_0",      "q4_1",     "q4_k_s",        "q4_k_m", "q5_0",   "q5_1",
    "q5_k_s",   "q5_k_m",    "q6_k",     "q8_0",          "iq1_s",  "iq1_m",  "iq2_xxs",
    "iq2_xs",   "iq2_s",     "iq2_m",    "iq3_xxs",       "iq3_xs", "iq3_s",  "iq3_m",
    "iq4_xs",   "iq4_nl"};

template <class Rows>
constexpr auto words_of(const Rows& rows) {
  std::array<std::string_view, sizeof(Rows) / sizeof(rows[0])> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = rows[i].word;
  return out;
}
constexpr auto kNetworkWords = words_of(kNetworks);
constexpr auto kComputeWords = words_of(kComputeTypes);
constexpr auto kOptimizerWords = words_of(kOptimizers);

constexpr Vocabulary kVocabularies[] = {{"task", kTasks},
                                        {"mla", kBinary},
                                        {"gated_mlp", kBinary},
                                        {"tied_embeddings", kBinary},
                                        {"network", kNetworkWords},
                                        {"stack", kStacks},
                                        {"sharding", kShardings},
                                        {"offload_to_cpu", kOffloads, true},
                                        {"recompute_mode", kRecomputes},
                                        {"compute_dtype", kComputeWords},
                                        {"weights_dtype", kStateTypes},
                                        {"gradient_dtype", kStateTypes},
                                        {"optimizer_state_dtype", kStateTypes},
                                        {"master_weights", kBinary},
                                        {"optimizer_kind", kOptimizerWords},
                                        {"optimizer_in_backward", kBinary},
                                        {"weight_format", kWeightFormats},
                                        {"kv_format", kKvFormats},
                                        {"activation_format", kActivationFormats},
                                        {"cross_entropy", kCrossEntropies},
                                        {"attention_impl", kAttentions},
                                        {"compiled", kBinary},
                                        {"adapter", kAdapters},
                                        {"adapter_targets", kTargets, true},
                                        {"sequence_parallel", kBinary},
                                        {"mem_kind", kMemoryKinds},
                                        {"engine_family", kEngines},
                                        {"phase_kind", kPhases},
                                        {"run_kind", kRuns},
                                        {"excluded", kBinary},
                                        {"scorable", kBinary}};

template <class Rows>
const auto* find_word(const Rows& rows, std::string_view word) {
  for (const auto& row : rows)
    if (row.word == word) return &row;
  return static_cast<decltype(&rows[0])>(nullptr);
}

/// Calls `use` with each item of a comma list.
template <class Use>
void each_item(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, end);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) use(item);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

std::string with_hyphens(std::string_view word) {
  std::string out(word);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

std::string format_of(std::string_view word) {
  const auto* named = find_word(kFormatNames, word);
  return named ? std::string(named->format) : with_hyphens(word);
}

bool is_format(std::string_view id) {
  const auto choices = field_by_path("serve.weights")->choices;
  return std::any_of(choices.begin(), choices.end(), [&](const Choice& c) { return c.id == id; });
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Puts a row together; remembers the first reason why it cannot be done.
class Mapper {
 public:
  explicit Mapper(const Record& row) : row_(row) {}

  Mapping run() {
    const std::string_view task = row_.at("task");
    if (task.empty()) skip("task is empty");
    model();
    accelerator();
    compute();
    if (task == "inference" || task == "weights_file")
      serve(task == "weights_file");
    else if (!task.empty())
      train(task);
    return std::move(out_);
  }

 private:
  void skip(std::string why) {
    if (out_.skipped.empty()) out_.skipped = std::move(why);
  }
  void note(std::string_view what) { out_.note.append(out_.note.empty() ? "" : "; ").append(what); }
  void set(std::string_view path, Value value) {
    out_.patch.emplace_back(std::string(path), std::move(value));
  }

  /// The number in a column; kNone when the cell is empty or wrong, which is a reason to skip.
  double number(std::string_view column) {
    const std::string_view cell = row_.at(column);
    double x = kNone;
    if (!cell.empty() && !parse_number(cell, "count", x))
      skip(std::string(column) + ": " + quoted(cell) + " is not a number");
    return x;
  }
  double number(std::string_view column, double otherwise) {
    const double x = number(column);
    return given(x) ? x : otherwise;
  }
  double needed(std::string_view column) {
    const double x = number(column);
    if (!given(x)) skip(std::string(column) + " is empty");
    return x;
  }
  /// The storage format in a column; nothing is set when the cell is empty.
  void format(std::string_view path, std::string_view column) {
    const std::string_view word = row_.at(column);
    if (word.empty()) return;
    std::string id = format_of(word);
    if (column == "weight_format" && id == "int8") id = "int8-g128";
    if (!is_format(id))
      return skip(std::string(column) + ": " + quoted(word) +
                  " is not among the formats of this version");
    set(path, std::move(id));
  }
  bool flag(std::string_view column) const { return row_.at(column) == "1"; }

  void model() {
    if (row_.at("layers").empty()) {
      // A file of one's own may name a model of the catalog in place of its architecture.
      const std::string_view name = row_.at("model");
      if (!find_row(catalog().models, name))
        return skip("layers is empty, and model " + quoted(name) + " is not in the catalog");
      return set("model.id", std::string(name));
    }
    set("model.id", "custom");
    set("model.layers", number("layers"));
    const double hidden = needed("hidden"), heads = needed("heads"), vocab = needed("vocab");
    const double experts = number("n_experts", 0), moe_ffn = number("moe_ffn_hidden", 0),
                 dense = number("dense_layers_first", 0);
    // A model of experts alone may leave the width of a dense layer out.
    const double ffn =
        experts > 0 && dense == 0 ? number("ffn_hidden", moe_ffn) : needed("ffn_hidden");
    set("model.hidden", hidden);
    set("model.heads", heads);
    set("model.kv_heads", number("kv_heads", heads));
    set("model.head_dim", number("head_dim", hidden / heads));
    set("model.ffn", ffn);
    set("model.gated", row_.at("gated_mlp") != "0");
    set("model.vocab", vocab);
    set("model.tied", flag("tied_embeddings"));
    set("model.learned_positions", number("learned_positions", 0));
    if (experts > 0) {
      set("model.experts", experts);
      set("model.top_k", needed("experts_per_token"));
      set("model.moe_ffn", needed("moe_ffn_hidden"));
      set("model.shared_ffn", number("shared_experts", 0) * moe_ffn);
      set("model.first_dense", dense);
    }
    if (flag("mla")) {
      // The one published shape that the column stands for: DeepSeek-V2 and V3.
      set("model.attention", "mla");
      set("model.q_rank", 1536.0);
      set("model.kv_rank", 512.0);
      set("model.nope_dim", 128.0);
      set("model.rope_dim", 64.0);
      set("model.v_dim", 128.0);
    }
  }

  void accelerator() {
    const std::string_view id = row_.at("accelerator_id");
    if (!id.empty()) {
      if (!find_row(catalog().accelerators, id))
        return skip("accelerator_id: " + quoted(id) + " is not in the catalog");
      set("gpu.id", std::string(id));
    }
    const auto* network = find_word(kNetworks, row_.at("network"));
    if (network && network->bits > 0) set("gpu.nic", network->bits / 8);
  }

  void compute() {
    const auto* type = find_word(kComputeTypes, row_.at("compute_dtype"));
    if (!type) return;
    set("run.precision", std::string(type->precision));
    if (!type->scales.empty()) set("run.scales", std::string(type->scales));
  }

  /// Type of what is not quantized: that of the activations.
  std::string plain_type() const {
    const std::string_view compute = row_.at("compute_dtype");
    return compute == "fp16" ? "fp16" : one_of(compute, {"fp32", "tf32"}) ? "fp32" : "bf16";
  }

  void serve(bool file) {
    set("run.task", "serve");
    if (row_.at("weight_format").empty()) skip("weight_format is empty");
    format("serve.weights", "weight_format");
    if (file) return set("cluster.gpus", 1.0);
    set("serve.kv", plain_type());
    format("serve.kv", "kv_format");
    if (row_.at("batch_per_gpu").empty()) note("batch_per_gpu is not stated: 1");
    set("serve.batch", number("batch_per_gpu", 1));
    program_of_serving();
    // The length covers prompt and answer; how it is shared between them matters little, since the
    // cache is full at the end either way.
    const double seq = number("seq_len");
    if (given(seq)) {
      const double prompt = std::floor(seq / 2);
      set("serve.prompt", prompt);
      set("serve.output", seq - prompt);
    } else {
      note("seq_len is not stated: 32 tokens of prompt and 32 of output");
      set("serve.prompt", 32.0);
      set("serve.output", 32.0);
    }
    // Memory that is summed over devices without tensor parallelism is that of layers spread over
    // them: one copy of everything.
    const double tp = number("tp", 1), devices = number("mem_devices", 1);
    if (tp > 1) {
      set("cluster.tp", tp);
      set("cluster.gpus", tp);
    } else {
      set("cluster.gpus", devices > 1 ? 1 : number("n_gpus", 1));
    }
  }

  /// Where no engine is stated, PyTorch: its caching allocator, and a cache that grows by
  /// concatenation. The programs around 4-bit groups (GPTQ, AWQ) compute attention themselves.
  void program_of_serving() {
    const std::string_view attention = row_.at("attention_impl");
    const bool groups = row_.at("weight_format").starts_with("int4");
    set("serve.cache", "concatenated");
    set("serve.eager", attention == "eager" || (attention.empty() && groups));
    set("stack.slack", 0.05);
    if (row_.at("mem_kind") == "device") set("stack.context", 1073741824.0);
  }

  void train(std::string_view task) {
    method(task);
    stack();
    batch();
    states();
    program();
  }

  void method(std::string_view task) {
    std::string_view adapter = row_.at("adapter");
    const bool full = one_of(task, {"pretrain", "full_finetune"});
    if (adapter.empty()) adapter = full || task == "sft" ? "none" : task;
    // sft is any supervised fine-tuning; the other tasks say which.
    if (task != "sft" && (full ? "none" : task) != adapter)
      skip("adapter: " + quoted(adapter) + " contradicts task " + quoted(task));
    adapter_ = adapter != "none";
    set("run.task", task == "pretrain" ? "pretrain" : "finetune");
    if (task == "pretrain") return;
    set("tune.method", adapter_ ? with_hyphens(adapter) : "full");
    if (!adapter_) return;
    if (const double n = number("trainable_params"); given(n)) set("tune.trainable", n);
    if (!one_of(adapter, {"lora", "qlora"})) return;
    if (const double rank = number("lora_rank"); given(rank))
      set("tune.rank", rank);
    else
      note("lora_rank is not stated: 16");
    targets();
  }

  void targets() {
    const std::string_view list = row_.at("adapter_targets");
    if (list.empty()) {
      note("adapter_targets is not stated: query and value");
      return set("tune.targets", "query-value");
    }
    bool all = false;
    std::string named;
    each_item(list, [&](std::string_view word) {
      all = all || word == "all_linear";
      named.append(",").append(word).append(",");
    });
    const auto has = [&](std::string_view word) {
      return named.find("," + std::string(word) + ",") != std::string::npos;
    };
    set("tune.targets", all ? "all-linear" : "custom");
    for (const std::string_view word : {"q", "k", "v", "o", "gate", "up", "down"})
      if (!all) set("tune." + std::string(word), has(word));
    for (const std::string_view word : {"embed", "head"})
      set("tune." + std::string(word), has(word));
  }

  void stack() {
    stack_ = row_.at("stack");
    if (stack_.empty()) {
      note("stack is not stated: generic");
      stack_ = "generic";
    } else if (!find_row(catalog().stacks, stack_)) {
      note("the catalog has no row for stack " + std::string(stack_) + ": generic");
      set("stack.id", "generic");
      return;
    }
    set("stack.id", std::string(stack_));
  }

  void batch() {
    set("run.seq", needed("seq_len"));
    double tp = number("tp", 1), cp = number("cp", 1);
    const double pp = number("pp", 1);
    double dp = number("dp"), n = number("n_gpus");
    // Fewer sequences than GPUs: some share one. As many as a node splits matrices, the rest splits
    // sequences.
    if (const double sequences = number("global_batch");
        row_.at("tp").empty() && row_.at("cp").empty() && given(n) && sequences < n / pp) {
      const double share = n / pp / sequences;
      tp = std::min(8.0, share);
      cp = share / tp;
      if (std::floor(cp) != cp || std::floor(tp) != tp) tp = cp = 1;
      dp = n / (tp * pp * cp);
      if (tp > 1) note("tp and cp are not stated: a sequence is shared by " + number_text(share));
    }
    const double replica = tp * pp * cp;
    if (!given(n)) n = given(dp) ? dp * replica : std::max(replica, number("mem_devices", 1));
    if (!given(dp)) dp = n / replica;
    if (dp * replica != n || dp < 1)
      skip("tp, pp, cp and dp multiply to " + number_text(dp * replica) + ", and n_gpus is " +
           number_text(n));
    set("cluster.gpus", n);
    set("cluster.tp", tp);
    set("cluster.pp", pp);
    set("cluster.cp", cp);
    if (const double ep = number("ep"); given(ep)) set("cluster.ep", ep);
    if (const double vp = number("virtual_stages"); given(vp) && pp > 1) {
      set("cluster.virtual_stages", vp);
    } else if (const double pieces = number("layers") / pp;
               interleaves() && pp > 1 && std::floor(pieces) == pieces && pieces > 1) {
      note("virtual_stages is not stated: one layer each");
      set("cluster.virtual_stages", pieces);
    }

    // throughput.csv states the batch of a step, memory.csv the number of passes. Where neither
    // does, there are enough to fill the pipeline.
    const bool unsplit = row_.at("micro_batch").empty() && row_.at("batch_per_gpu").empty() &&
                         !row_.at("global_batch").empty();
    // Without a pipeline to fill, one pass over a small share costs the least communication.
    const double share = number("global_batch", 1) / dp;
    const double all = pp == 1 && share <= 4 && std::floor(share) == share ? share : 1;
    if (unsplit) note("micro_batch is not stated: " + number_text(all));
    const double micro = unsplit                          ? all
                         : row_.at("micro_batch").empty() ? needed("batch_per_gpu")
                                                          : number("micro_batch");
    const double passes = number("grad_accum", pp > 1 ? 2 * pp : 1);
    set("run.micro_batch", micro);
    set("run.global_batch", number("global_batch", micro * passes * dp));

    if (const std::string_view sp = row_.at("sequence_parallel"); !sp.empty())
      set("cluster.sp", sp == "1");
    sharding(dp * cp);
  }

  void sharding(double ranks) {
    std::string_view word = row_.at("sharding");
    if (word.empty()) {
      word = ranks == 1 ? "none" : usual_sharding();
      if (ranks > 1) note("sharding is not stated: " + std::string(word));
    }
    const double stage = word == "none" ? 0 : word == "zero1" ? 1 : word == "zero2" ? 2 : 3;
    set("cluster.zero", stage);
    double size = number("sharding_size");
    if (word == "hsdp" && !given(size)) {
      // PyTorch's hybrid sharding takes the ranks of one node.
      size = number("accelerators_per_node");
      if (!given(size))
        return skip("sharding_size and accelerators_per_node are empty, and sharding is hsdp");
      note("sharding_size is not stated: the ranks of one node");
    }
    if (stage > 0 && given(size) && size < ranks) set("cluster.shard", size);
  }

  /// What a framework does where nothing is said.
  bool megatron() const {
    return stack_.find("megatron") != std::string_view::npos ||
           stack_.find("nemo") != std::string_view::npos;
  }

  /// Tuned runs of these split the layers of a stage into pieces.
  bool interleaves() const {
    return stack_.starts_with("megatron-core") || stack_.starts_with("nemo");
  }

  /// What the framework's row of the catalog sets.
  const Value* usual(std::string_view path) const {
    const Row* row = find_row(catalog().stacks, stack_);
    return find((row ? *row : *find_row(catalog().stacks, "generic")).set, path);
  }

  std::string_view usual_sharding() const {
    if (one_of(stack_, {"deepspeed-2024", "generic", "other"}) && adapter_)
      return "none";  // plain data parallelism
    // One GPU's habits do not hold all states of a large model: the Trainer then runs DeepSpeed.
    if (stack_ == "hf-trainer-2023" && !adapter_) return "zero3";
    const double stage = std::get<double>(*usual("cluster.zero"));
    return stage == 0 ? "none" : stage == 1 ? "zero1" : stage == 2 ? "zero2" : "zero3";
  }

  void states() {
    if (adapter_) {
      // The frozen base has its own format; weights_dtype speaks of what is trained.
      const bool quantized = row_.at("adapter") == "qlora" || row_.at("task") == "qlora";
      if (quantized) {
        if (row_.at("weight_format").empty()) note("weight_format is not stated: nf4_dq");
        format("tune.base", "weight_format");
        set("states.weights", plain_type());
      } else {
        format("states.weights", "weight_format");
      }
      format("tune.adapter", "weights_dtype");
    } else {
      format("states.weights", "weights_dtype");
    }
    format("states.gradients", "gradient_dtype");
    if (const std::string_view word = row_.at("master_weights"); !word.empty())
      set("states.master", word == "1" ? "fp32" : "none");

    const std::string_view type = row_.at("optimizer_state_dtype");
    format("states.optimizer_format", "optimizer_state_dtype");
    const auto* kind = find_word(kOptimizers, row_.at("optimizer_kind"));
    if (!kind) return;
    if (kind->optimizer.empty())
      return skip("optimizer_kind: \"none\" contradicts task " + quoted(row_.at("task")));
    const bool in_bytes = kind->optimizer == "adam" && type == "int8";
    set("states.optimizer", std::string(in_bytes ? "adam-8bit" : kind->optimizer));
    set("states.paged", kind->paged);
    set("states.in_backward", flag("optimizer_in_backward"));
  }

  void program() {
    const std::string_view attention = row_.at("attention_impl"),
                           recompute = row_.at("recompute_mode"), loss = row_.at("cross_entropy");
    const bool flash =
        attention.empty() ? std::get<bool>(*usual("run.flash")) : attention == "flash";
    set("run.flash", flash);
    if (recompute == "partial") {
      // Which layers is not stated; every second one stands for "some".
      set("run.recompute", "full");
      set("run.recompute_every", 2.0);
    } else if (recompute == "selective") {
      // Megatron means the attention core. Elsewhere flash attention leaves no scores to recompute,
      // so what is dropped are cheap operations.
      set("run.recompute", flash && !megatron() ? "pointwise" : "selective");
    } else if (!recompute.empty()) {
      set("run.recompute", std::string(recompute));
    } else {
      note("recompute_mode is not stated: none");
      set("run.recompute", "none");
    }
    if (!loss.empty() && loss != "unknown") set("stack.loss", std::string(loss));
    compiled();
    each_item(row_.at("offload_to_cpu"),
              [&](std::string_view word) { set("cluster.offload_" + std::string(word), true); });
  }

  void compiled() {
    const std::string_view word = row_.at("compiled");
    if (word == "1") return set("stack.kernels", "compiled");
    // "Not compiled" leaves open whether kernels are fused by hand: the framework says.
    const Value* kernels = usual("stack.kernels");
    if (word == "0" && kernels && text_of(*kernels) == "compiled") set("stack.kernels", "eager");
  }

  const Record& row_;
  Mapping out_;
  std::string_view stack_;
  bool adapter_ = false;
};

}  // namespace

std::string_view Record::at(std::string_view column) const {
  const std::size_t i = csv_->column(column);
  return i < row_->cells.size() ? std::string_view(row_->cells[i]) : std::string_view();
}

FileKind kind_of(const Csv& csv) {
  const auto has = [&](std::string_view name) { return csv.column(name) != Csv::npos; };
  // memory.csv has speeds beside the memory, and runs.csv tokens per second.
  if (has("mem_gib")) return FileKind::memory;
  if (has("gpu_hours") || has("tokens_b")) return FileKind::runs;
  if (has("tpot_ms") || has("ttft_ms") || has("tokens_per_s_total")) return FileKind::inference;
  if (has("tokens_per_s_per_gpu") || has("step_time_s")) return FileKind::throughput;
  return FileKind::unknown;
}

std::string_view kind_name(FileKind kind) {
  switch (kind) {
    case FileKind::memory:
      return "memory";
    case FileKind::throughput:
      return "throughput";
    case FileKind::runs:
      return "runs";
    case FileKind::inference:
      return "inference";
    case FileKind::unknown:
      break;
  }
  return "unknown";
}

std::string unknown_word(const Record& row, std::string_view only) {
  std::string found;
  const auto check = [&](const Vocabulary& v, std::string_view word) {
    if (found.empty() && std::find(v.words.begin(), v.words.end(), word) == v.words.end())
      found = std::string(v.column) + ": the value " + quoted(word) + " is not known";
  };
  for (const Vocabulary& v : kVocabularies) {
    if (!only.empty() && v.column != only) continue;
    const std::string_view cell = row.at(v.column);
    if (v.list)
      each_item(cell, [&](std::string_view word) { check(v, word); });
    else if (!cell.empty())
      check(v, cell);
  }
  return found;
}

std::string_view column_of(std::string_view path) {
  for (const auto& row : kColumns)
    if (row.path == path) return row.column;
  return path;
}

std::span<const Vocabulary> vocabularies() { return kVocabularies; }

Mapping map_row(const Record& row) {
  if (std::string unknown = unknown_word(row); !unknown.empty()) {
    Mapping out;
    out.skipped = std::move(unknown);
    return out;
  }
  return Mapper(row).run();
}

}  // namespace envelope
