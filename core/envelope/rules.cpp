// SPDX-License-Identifier: MIT
// Over 400 lines: one list of rules, each of which is a condition and two sentences.
#include "envelope/rules.h"

#include <algorithm>
#include <cmath>

#include "envelope/catalog.h"

namespace envelope {
namespace {

void warn(Problems& to, std::string_view path, std::string_view code, std::string message,
          std::string hint, const Scenario& s) {
  const Field* f = field_by_path(path);
  to.push_back({std::string(path), Severity::warning, code, std::move(message), std::move(hint),
                f ? text_of(get(*f, s)) : std::string()});
}

/// Nothing is wrong, and nothing is said of a value that is as the table, the framework or the
/// recipe has it: `usual`.
void unused(Problems& to, std::string_view path, std::string message, std::string hint,
            const Scenario& s, const Scenario& usual) {
  const Field& f = *field_by_path(path);
  if (same(f, s, usual)) return;
  to.push_back({std::string(path), Severity::note, "not_used", std::move(message), std::move(hint),
                text_of(get(f, s))});
}

bool divides(double a, double b) { return a > 0 && std::fmod(b, a) == 0; }

/// The multiples of `unit` on both sides: "16 or 24".
std::string near(double n, double unit) {
  const double below = std::floor(n / unit) * unit, above = std::ceil(n / unit) * unit;
  if (below < unit || below == above) return number_text(std::max(unit, above));
  return number_text(below) + " or " + number_text(above);
}

/// Largest divisor and smallest multiple of both; whole numbers.
double shared(double a, double b) {
  while (b > 0) {
    const double rest = std::fmod(a, b);
    a = b;
    b = rest;
  }
  return a;
}
double common(double a, double b) { return a / shared(a, b) * b; }

std::string divisors(double n, double most) {
  std::string out;
  for (double d = 1; d <= n && d <= most; ++d)
    if (std::fmod(n, d) == 0) out.append(out.empty() ? "" : ", ").append(number_text(d));
  return out;
}

void model_rules(const Scenario& s, Problems& out) {
  const Model& m = s.model;
  if (m.kind == ModelKind::size_only) {
    if (given(m.active) && m.active > m.params)
      warn(out, "model.active", "too_large",
           number_text(m.active) + " active parameters are more than the model has (" +
               number_text(m.params) + ").",
           "Give at most the total.", s);
    return;
  }
  if (given(m.params))
    warn(out, "model.params", "not_used",
         "The size is counted from the architecture, so the number given is not used.",
         "Choose the model by-size to give only a size.", s);
  if (m.attention == Attention::standard && std::fmod(m.heads, m.kv_heads) != 0)
    warn(out, "model.kv_heads", "not_divisible",
         number_text(m.heads) + " query heads cannot share " + number_text(m.kv_heads) +
             " KV heads evenly.",
         "Choose one of " + divisors(m.heads, 64) + ".", s);
  if (m.top_k > m.experts)
    warn(out, "model.top_k", "too_large",
         number_text(m.top_k) + " experts per token are more than there are (" +
             number_text(m.experts) + ").",
         "Give at most the number of routed experts.", s);
  const bool stacked = m.kind == ModelKind::encoder_decoder || m.kind == ModelKind::vit;
  if (m.linear != Linear::none && stacked)
    warn(out, "model.linear", "not_used", "Only decoders and encoders have linear layers.",
         "Choose another kind, or no linear layers.", s);
  else if (m.linear != Linear::none && m.linear_heads == 0)
    warn(out, "model.linear_heads", "missing", "Linear layers without heads keep no state.",
         "Give the heads, or for Mamba the channels (two times the hidden size as a rule).", s);
  if (m.mtp_layers > 0 && m.kind != ModelKind::decoder)
    warn(out, "model.mtp_layers", "not_used", "Only decoders predict further tokens.",
         "Choose the kind decoder, or no MTP modules.", s);
  if (m.encoder_layers > m.layers)
    warn(out, "model.encoder_layers", "too_large", "The encoder has more layers than the model.",
         "Layers count encoder and decoder together.", s);
  if (m.first_dense > m.layers)
    warn(out, "model.first_dense", "too_large", "More dense layers than layers.",
         "Give at most the number of layers.", s);
}

/// KV heads are divided, or copied evenly.
void kv_rule(const Scenario& s, Problems& out) {
  const double tp = s.cluster.tp, kv = s.model.kv_heads;
  if (divides(tp, kv)) return;
  if (!divides(kv, tp))
    warn(out, "cluster.tp", "kv_heads",
         number_text(tp) + "-way tensor parallelism can neither divide nor copy " +
             number_text(kv) + " KV heads evenly.",
         "Choose one of " + divisors(kv, 64) + ".", s);
  else if (s.run.task != Task::serve)
    out.push_back({"cluster.tp", Severity::note, "kv_heads",
                   number_text(kv) + " KV heads are fewer than " + number_text(tp) +
                       " tensor-parallel ranks: ranks keep copies of them, and some frameworks "
                       "refuse this.",
                   "Use at most " + number_text(kv) + " to divide them.", number_text(tp)});
}

void cluster_rules(const Scenario& s, Problems& out) {
  const bool serve = s.run.task == Task::serve;
  const double tp = given(s.cluster.tp) ? s.cluster.tp : 1, pp = serve ? 1 : s.cluster.pp,
               cp = serve ? 1 : s.cluster.cp, replica = tp * pp * cp;
  if (given(s.cluster.gpus)) {
    const double n = s.cluster.gpus;
    if (replica > n)
      warn(out, "cluster.gpus", "too_few",
           number_text(n) + " GPUs are fewer than one replica takes: TP " + number_text(tp) +
               " x PP " + number_text(pp) + (cp > 1 ? " x CP " + number_text(cp) : "") + " = " +
               number_text(replica) + ".",
           cp > 1 ? "Use more GPUs, or less tensor, pipeline or context parallelism."
                  : "Use more GPUs, or less tensor or pipeline parallelism.",
           s);
    else if (std::fmod(n, replica) != 0)
      warn(out, "cluster.gpus", "not_divisible",
           number_text(n) + " GPUs are not a whole number of replicas of " + number_text(replica) +
               ".",
           "Try " + near(n, replica) + ".", s);
  }
  if (s.model.kind != ModelKind::size_only) {
    if (given(s.cluster.tp) && std::fmod(s.model.heads, tp) != 0)
      warn(out, "cluster.tp", "not_divisible",
           number_text(tp) + "-way tensor parallelism cannot divide " + number_text(s.model.heads) +
               " attention heads.",
           "Choose one of " + divisors(s.model.heads, 64) + ".", s);
    else if (given(s.cluster.tp) && s.model.attention == Attention::standard)
      kv_rule(s, out);
    if (pp > s.model.layers)
      warn(out, "cluster.pp", "too_large",
           number_text(pp) + " pipeline stages are more than the " + number_text(s.model.layers) +
               " layers.",
           "Give at most one stage a layer.", s);
  }
  if (s.gpu.domain >= 1 && tp > s.gpu.domain && given(s.cluster.tp))
    warn(out, "cluster.tp", "beyond_domain",
         number_text(tp) + "-way tensor parallelism leaves the scale-up domain of " +
             number_text(s.gpu.domain) +
             " GPUs; the network between nodes would carry activations.",
         "Use at most " + number_text(s.gpu.domain) + ".", s);
}

/// Data-parallel ranks that the GPUs given allow: one number where TP is given, else one for each
/// TP that may be chosen. Empty where they are open.
std::vector<double> data_parallel(const Scenario& s) {
  const Cluster& c = s.cluster;
  std::vector<double> out;
  if (!given(c.gpus)) return out;
  const double each = c.pp * c.cp;
  const double low = given(c.tp) ? c.tp : 1,
               high = given(c.tp) ? c.tp : std::min(s.gpu.domain, 16.0);
  for (double tp = low; tp <= high; tp *= 2)
    if (divides(tp * each, c.gpus)) out.push_back(c.gpus / (tp * each));
  return out;
}

std::string ranks_text(const Scenario& s, double dp) {
  return number_text(dp) + " data-parallel ranks" + (given(s.cluster.tp) ? "" : " or more");
}

void batch_rules(const Scenario& s, Problems& out) {
  const Run& r = s.run;
  const Cluster& c = s.cluster;
  std::vector<double> dps = data_parallel(s);
  if (dps.empty()) dps.push_back(1);  // open: what one replica would need
  // Of the numbers that may be chosen, the kindest: what breaks with it breaks with all.
  double dp = dps.back();
  for (const double d : dps)
    if (divides(r.micro_batch * d, r.global_batch)) dp = d;
  const double unit = r.micro_batch * dp, micro = r.global_batch / unit;
  const std::string of =
      "micro-batch " + number_text(r.micro_batch) +
      (given(c.gpus) ? " x " + ranks_text(s, dp) + " = " + number_text(unit) : std::string());
  if (r.global_batch < unit)
    warn(out, "run.global_batch", "too_small",
         "A global batch of " + number_text(r.global_batch) + " leaves ranks without work: " + of +
             ".",
         "Use at least " + number_text(unit) + ", a smaller micro-batch, or fewer GPUs.", s);
  else if (!divides(unit, r.global_batch))
    warn(out, "run.global_batch", "not_divisible",
         "A global batch of " + number_text(r.global_batch) + " is no multiple of " + of + ".",
         "Try " + near(r.global_batch, unit) + ".", s);
  if (!given(c.gpus) || dps.size() > 1 || !divides(unit, r.global_batch)) return;
  if (s.states.in_backward && micro > 1)
    warn(out, "states.in_backward", "accumulates",
         "The optimizer cannot step in the backward pass and sum gradients over " +
             number_text(micro) + " micro-batches.",
         "Set the global batch to " + number_text(unit) + ", or step after the backward pass.", s);
  const bool interleaved = c.schedule == Schedule::one_f_one_b && c.virtual_stages > 1 && c.pp > 1;
  if (interleaved && !divides(c.pp, micro))
    warn(out, "run.global_batch", "not_interleaved",
         "Interleaved stages need a multiple of " + number_text(c.pp) + " micro-batches, not " +
             number_text(micro) + ".",
         "Try " + near(r.global_batch, unit * c.pp) + ".", s);
  const bool both_ways = c.schedule == Schedule::dualpipe || c.schedule == Schedule::dualpipe_v;
  if (both_ways && c.pp > 1 && micro < 2 * c.pp)
    warn(out, "run.global_batch", "too_few_micro_batches",
         number_text(micro) +
             " micro-batches are fewer than the two per stage that DualPipe needs: " +
             number_text(2 * c.pp) + ".",
         "Use a global batch of at least " + number_text(2 * c.pp * unit) + ".", s);
}

void pipeline_rules(const Scenario& s, const Scenario& usual, Problems& out) {
  const Cluster& c = s.cluster;
  const double layers = s.model.layers, v = c.virtual_stages;
  const std::string alone = "There is one pipeline stage, so this has no effect.";
  const std::string more = "Set pipeline parallel to 2 or more.";
  if (c.pp == 1) {
    for (const char* path : {"cluster.schedule", "cluster.virtual_stages", "cluster.first_layers",
                             "cluster.last_layers"})
      unused(out, path, alone, more, s, usual);
    return;
  }
  if (c.schedule != Schedule::one_f_one_b)
    unused(out, "cluster.virtual_stages",
           "Only 1F1B is interleaved, so virtual stages have no effect with this schedule.",
           "Choose the schedule 1f1b, or 1 virtual stage.", s, usual);
  else if (v > 1 && c.pp * v > layers)
    warn(out, "cluster.virtual_stages", "too_large",
         number_text(c.pp) + " stages of " + number_text(v) + " pieces are more than the " +
             number_text(layers) + " layers.",
         "Use at most " + number_text(std::max(1.0, std::floor(layers / c.pp))) + ".", s);
  if (c.schedule == Schedule::dualpipe && std::fmod(c.pp, 2) != 0)
    warn(out, "cluster.pp", "odd",
         "DualPipe pairs stages from both ends, so " + number_text(c.pp) + " stages do not go.",
         "Use " + number_text(c.pp - 1) + " or " + number_text(c.pp + 1) + ".", s);
  const double first = given(c.first_layers) ? c.first_layers : 0,
               last = given(c.last_layers) ? c.last_layers : 0;
  if (first + last > layers)
    warn(out, given(c.first_layers) ? "cluster.first_layers" : "cluster.last_layers", "too_large",
         "The first and last stage have " + number_text(first + last) + " of " +
             number_text(layers) + " layers.",
         "Give both together at most " + number_text(layers) + ", or leave them empty.", s);
  if (c.zero >= 2 && !shards_in_pipeline(s))
    warn(out, "cluster.zero", "not_with_pipeline",
         "ZeRO-" + number_text(c.zero) +
             " shares gradients that a pipeline sums over micro-batches; Megatron and DeepSpeed "
             "refuse it.",
         "Use ZeRO-1 with a pipeline, or choose FSDP as the framework.", s);
}

void sequence_rules(const Scenario& s, const Scenario& usual, Problems& out) {
  const Cluster& c = s.cluster;
  const double tp = given(c.tp) ? c.tp : 1;
  if (c.cp == 1)
    unused(out, "cluster.cp_kind", "Sequences are not divided, so this has no effect.",
           "Set context parallel to 2 or more.", s, usual);
  if (s.model.kind == ModelKind::vit) {
    unused(out, "run.seq", "The image and the patch decide the length of a sequence.",
           "Change the image size or the patch instead.", s, usual);
    return;
  }
  const bool ring = c.cp_kind == ContextParallel::ring;
  // Ring attention gives each rank a piece from both ends, so that causal work is even.
  double unit = c.cp > 1 && ring ? 2 * c.cp : c.cp;
  if (c.sp) unit = common(unit, c.cp * tp);
  if (!divides(unit, s.run.seq))
    warn(out, "run.seq", "not_divisible",
         number_text(s.run.seq) + " tokens cannot be divided evenly over " +
             (c.cp > 1 ? "CP " + number_text(c.cp) : "") +
             (c.cp > 1 && c.sp && tp > 1 ? " and " : "") +
             (c.sp && tp > 1 ? "TP " + number_text(tp) + " (sequence parallel)" : "") + ".",
         "Try " + near(s.run.seq, unit) + ".", s);
  if (s.model.kind != ModelKind::size_only && c.cp > 1 && !ring && divides(tp, s.model.heads) &&
      !divides(c.cp, s.model.heads / tp))
    warn(out, "cluster.cp", "not_divisible",
         "All-to-all exchanges heads: " + number_text(c.cp) + " ranks cannot share " +
             number_text(s.model.heads / tp) + " of them evenly.",
         "Choose one of " + divisors(s.model.heads / tp, 64) + ", or ring.", s);
}

void expert_rules(const Scenario& s, const Scenario& usual, Problems& out) {
  const Cluster& c = s.cluster;
  const Model& m = s.model;
  if (m.experts == 0 || m.kind == ModelKind::size_only) {
    for (const char* path : {"cluster.ep", "cluster.etp"})
      unused(out, path, "This model has no experts, so this has no effect.",
             "Choose a mixture of experts, or leave it at its default.", s, usual);
    return;
  }
  const double etp = given(c.etp) ? c.etp : c.ep > 1 || !given(c.tp) ? 1 : c.tp;
  if (!divides(c.ep, m.experts))
    warn(out, "cluster.ep", "not_divisible",
         number_text(c.ep) + " GPUs cannot share " + number_text(m.experts) + " experts evenly.",
         "Choose one of " + divisors(m.experts, 256) + ".", s);
  if (given(c.etp) && !divides(c.etp, m.moe_ffn))
    warn(out, "cluster.etp", "not_divisible",
         number_text(c.etp) + " GPUs cannot share the " + number_text(m.moe_ffn) +
             " hidden units of an expert evenly.",
         "Choose one of " + divisors(m.moe_ffn, 64) + ".", s);
  if (given(c.tp) && c.tp > 1 && !c.sp)
    warn(out, "cluster.sp", "needed",
         "Experts under tensor parallelism need sequence parallelism: without it each rank would "
         "route the same tokens.",
         "Switch sequence parallel on, or use TP 1.", s);
  if (!given(c.gpus) || !divides(c.pp, c.gpus)) return;
  // TP x CP x DP: the GPUs of one pipeline stage.
  const double stage = c.gpus / c.pp;
  if (divides(c.ep * etp, stage)) return;
  const bool by_etp = divides(c.ep, stage);
  const double room = stage / (by_etp ? c.ep : etp);
  warn(out, by_etp ? "cluster.etp" : "cluster.ep", c.ep * etp > stage ? "too_large" : "not_a_share",
       "EP " + number_text(c.ep) + " x ETP " + number_text(etp) + " = " + number_text(c.ep * etp) +
           (c.ep * etp > stage ? " is more than" : " does not divide") + " the " +
           number_text(stage) + " GPUs of a pipeline stage (TP x CP x DP).",
       by_etp || !divides(etp, stage)
           ? "Use 1, or more GPUs."
           : "Choose one of " + divisors(shared(room, m.experts), 256) + ", or more GPUs.",
       s);
}

void sharding_rules(const Scenario& s, const Scenario& usual, Problems& out) {
  const Cluster& c = s.cluster;
  if (c.zero < 3 && !c.offload_weights) {
    const std::string hint = "Use ZeRO-3, or leave it at its default.";
    for (const char* path : {"cluster.prefetch", "cluster.reshard"})
      unused(out, path, "Only ZeRO-3 gathers weights, so this has no effect.", hint, s, usual);
    unused(out, "cluster.reduce",
           "Below ZeRO-3, gradients are summed in the format they are kept in.", hint, s, usual);
  }
  if (c.zero < 1) {
    unused(out, "cluster.shard", "Nothing is sharded, so the sharding group has no effect.",
           "Use ZeRO-1 to 3.", s, usual);
    return;
  }
  const std::vector<double> dps = data_parallel(s);
  if (!given(c.shard) || dps.empty()) return;
  for (const double dp : dps)
    if (divides(c.shard, dp * c.cp)) return;
  const double ranks = dps.front() * c.cp;
  warn(out, "cluster.shard", c.shard > ranks ? "too_large" : "not_divisible",
       "A sharding group of " + number_text(c.shard) +
           (c.shard > ranks ? " is larger than the " : " does not divide the ") +
           number_text(ranks) + " ranks (DP x CP).",
       "Choose one of " + divisors(ranks, 256) + ", or leave it empty.", s);
}

void program_rules(const Scenario& s, const Scenario& usual, Problems& out) {
  const Precision p = s.run.precision;
  const bool narrow = p == Precision::fp8 || p == Precision::fp4 || p == Precision::int8;
  if (s.run.recompute != Recompute::full)
    unused(out, "run.recompute_every", "Only full recomputation counts layers.",
           "Choose full recomputation, or leave it at 1.", s, usual);
  if (!narrow)
    unused(out, "run.scales", "Values of 16 and more bits have no scales.",
           "Choose an 8-bit or 4-bit precision.", s, usual);
  if (s.cluster.zero >= 3 || !(p == Precision::fp8 || p == Precision::fp4))
    unused(out, "stack.weight_copies",
           s.cluster.zero >= 3 ? "ZeRO-3 keeps such copies only of the layer that works."
                               : "Only FP8 and FP4 training keeps such copies.",
           "Choose FP8 below ZeRO-3, or 0 bytes.", s, usual);
  if (s.states.optimizer == Optimizer::adam_8bit)
    unused(out, "states.optimizer_format", "8-bit Adam has its own format.",
           "Choose the optimizer adam to choose a format.", s, usual);
  if (s.run.task == Task::finetune && given(s.tune.trainable))
    for (const char* path : {"tune.rank", "tune.targets"})
      unused(out, path, "The number of trainable parameters is given, so this is not counted.",
             "Leave trainable parameters empty to count them from rank and targets.", s, usual);
}

/// Weights may have any storage format. What is computed with and updated has a plain one.
void format_rules(const Scenario& s, Problems& out) {
  using enum Format;
  constexpr Format kStates[] = {fp32, fp16, bf16, fp8_e4m3, fp8_e5m2, fp8_block, int8};
  // Those that serving programs offer for keys and values.
  constexpr Format kCaches[] = {fp32,      fp16, bf16,      fp8_e4m3, fp8_e5m2, int8,
                                int8_g128, int4, int4_g128, int4_g32, fp4,      nvfp4,
                                q4_0,      q4_1, q5_0,      q5_1,     q8_0,     iq4_nl};
  const auto limit = [&](const char* path, Format value, std::span<const Format> to,
                         bool none_allowed, const char* why) {
    if (value == none ? none_allowed : to.empty() || std::count(to.begin(), to.end(), value) > 0)
      return;
    const Field& f = *field_by_path(path);
    std::string list;
    for (const Format x : to)
      list.append(list.empty() ? "" : ", ").append(f.choices[static_cast<std::size_t>(x)].id);
    if (none_allowed) list.append(", none");
    warn(out, path, "not_supported", std::string(choice_id(f, s)) + " does not go here: " + why,
         to.empty() ? "Choose a format, such as bf16 or nf4." : "Choose one of " + list + ".", s);
  };
  const char* kStored = "the weights must be stored somehow.";
  if (s.run.task == Task::serve) {
    limit("serve.weights", s.serve.weights, {}, false, kStored);
    limit("serve.kv", s.serve.kv, kCaches, false,
          "keys and values are written token by token, in plain numbers or small blocks.");
    return;
  }
  const bool adapters = s.run.task == Task::finetune && s.tune.method != Method::full;
  const char* kTrained = "training updates these values, so they are plain numbers.";
  // A frozen base is only read.
  limit("states.weights", s.states.weights, adapters ? std::span<const Format>() : kStates, false,
        adapters ? kStored : kTrained);
  limit("states.gradients", s.states.gradients, kStates, false, kTrained);
  limit("states.master", s.states.master, kStates, true, kTrained);
  limit("states.optimizer_format", s.states.optimizer_format, kStates, false, kTrained);
  limit("cluster.reduce", s.cluster.reduce, kStates, false, "ranks add these values up.");
  if (adapters) limit("tune.adapter", s.tune.adapter, kStates, true, kTrained);
  if (adapters && s.tune.method == Method::qlora)
    limit("tune.base", s.tune.base, {}, false, kStored);
}

void training_rules(const Scenario& s, Problems& out) {
  Scenario usual;
  usual.catalog = s.catalog;
  usual.states.recipe = s.states.recipe;
  usual.stack.id = s.stack.id;
  fill_recipe(usual);
  fill_stack(usual);
  batch_rules(s, out);
  pipeline_rules(s, usual, out);
  sequence_rules(s, usual, out);
  expert_rules(s, usual, out);
  sharding_rules(s, usual, out);
  program_rules(s, usual, out);
}

void hardware_rules(const Scenario& s, Problems& out) {
  const struct {
    Precision precision;
    double peak;
  } kPeaks[] = {{Precision::fp32, s.gpu.fp32}, {Precision::tf32, s.gpu.tf32},
                {Precision::fp16, s.gpu.fp16}, {Precision::bf16, s.gpu.bf16},
                {Precision::fp8, s.gpu.fp8},   {Precision::int8, s.gpu.int8},
                {Precision::fp4, s.gpu.fp4}};
  bool supported = false;
  std::string has;
  const Field& f = *field_by_path("run.precision");
  for (const auto& [precision, peak] : kPeaks) {
    if (!given(peak)) continue;
    supported = supported || precision == s.run.precision;
    has.append(has.empty() ? "" : ", ").append(f.choices[static_cast<std::size_t>(precision)].id);
  }
  if (!supported)
    warn(out, "run.precision", "not_supported",
         "The catalog has no " + std::string(choice_id(f, s)) +
             " peak for this accelerator, so its FP32 rate is used.",
         "Choose one of " + has + ", or give the peak.", s);
  if (s.cluster.reserve >= s.gpu.memory)
    warn(out, "cluster.reserve", "too_large", "The reserve is as large as the memory.",
         "Give a smaller reserve.", s);
}

}  // namespace

bool shards_in_pipeline(const Scenario& s) {
  // Those of FP32 shards (FSDP, XLA) share the weights of a stage; Megatron and DeepSpeed refuse
  // it.
  const Row* row = find_row(catalog().stacks, s.stack.id);
  const Value* recipe = row ? find(row->set, "states.recipe") : nullptr;
  return recipe && text_of(*recipe) == "fsdp-16";
}

Problems check(const Scenario& s) {
  Problems out;
  model_rules(s, out);
  cluster_rules(s, out);
  if (s.run.task != Task::serve) training_rules(s, out);
  format_rules(s, out);
  hardware_rules(s, out);
  return out;
}

}  // namespace envelope
