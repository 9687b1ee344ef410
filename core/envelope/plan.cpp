// SPDX-License-Identifier: MIT
#include "envelope/plan.h"

#include <algorithm>
#include <cmath>

#include "envelope/catalog.h"
#include "envelope/estimate.h"
#include "envelope/patch.h"

namespace envelope {
namespace {

/// Shapes of GPT-3 (Brown et al. 2020, Table 2.1) and, above it, of Narayanan et al. 2021, Table 1:
/// what a decoder of a size looks like.
constexpr struct {
  double params, layers, hidden;
} kShapes[] = {{125e6, 12, 768},    {350e6, 24, 1024},  {760e6, 24, 1536},  {1.3e9, 24, 2048},
               {2.7e9, 32, 2560},   {6.7e9, 32, 4096},  {13e9, 40, 5120},   {30e9, 48, 7168},
               {66e9, 64, 9216},    {175e9, 96, 12288}, {310e9, 96, 16384}, {530e9, 105, 20480},
               {1008e9, 128, 25600}};
constexpr std::pair<Recompute, std::string_view> kRecomputes[] = {
    {Recompute::none, "none"},
    {Recompute::selective, "selective"},
    {Recompute::full, "full"},
    {Recompute::pointwise, "pointwise"}};
constexpr double kVocab = 51200, kHeadDim = 128;

/// Software of its year. What a laboratory trained with is unpublished as a rule ("other"); who
/// enters a contest takes the vendor's tuned program; TPUs and Trainium have one each.
struct Software {
  std::string_view vendor, kind;  ///< Empty: any.
  double until;                   ///< Last year.
  std::string_view stack;
};
constexpr Software kSoftware[] = {{"Google", "", 2023, "jax-tpu-2023"},
                                  {"Google", "", 2024, "maxtext-2024"},
                                  {"Google", "", 9999, "maxtext-2025"},
                                  {"AWS", "", 9999, "neuron-2025"},
                                  {"NVIDIA", "mlperf", 2023, "megatron-core-2023"},
                                  {"NVIDIA", "mlperf", 2024, "nemo-2024"},
                                  {"NVIDIA", "mlperf", 9999, "nemo-2025"},
                                  {"AMD", "mlperf", 9999, "megatron-rocm-2025"},
                                  {"", "mlperf", 9999, "megatron-core-2023"},
                                  {"", "lora", 2023, "hf-trainer-2023"},
                                  {"", "lora", 9999, "deepspeed-2024"},
                                  {"", "finetune", 2023, "hf-trainer-2023"},
                                  {"", "finetune", 9999, "deepspeed-2024"},
                                  {"", "", 9999, "other"}};

/// Letters and digits alone, in lower case; what stands in parentheses is a remark.
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '(') break;
    if (c >= 'A' && c <= 'Z')
      out += static_cast<char>(c - 'A' + 'a');
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      out += c;
  }
  return out;
}

bool near(double a, double b) { return std::fabs(a - b) <= 0.1 * b; }

class Planner {
 public:
  explicit Planner(const Record& row) : row_(row) {}

  Mapping run() {
    const double params = billions("params_b", true), tokens = billions("tokens_b", true);
    double active = billions("active_params_b", false);
    if (!given(active)) active = params;
    const std::string_view device = row_.at("accelerator_id");
    device_ = find_row(catalog().accelerators, device);
    if (device.empty())
      skip("accelerator_id is empty");
    else if (!device_)
      skip("accelerator_id: " + quoted(device) + " is not in the catalog");
    year_ = number("year");
    if (!given(year_)) year_ = 2024;
    kind_ = row_.at("run_kind");
    contest_ = kind_ == "mlperf";
    adapters_ = kind_ == "lora" || plain(row_.at("task")).starts_with("lora");
    if (!out_.skipped.empty()) return std::move(out_);

    set("gpu.id", device_->id);
    model(params, active);
    if (kind_ == "finetune" || adapters_) set("run.task", "finetune");
    // Counted as the target of the run, whatever a model was trained on before.
    set("run.tokens", tokens);
    program();
    batch(active, tokens);
    if (!out_.skipped.empty()) return std::move(out_);
    // The speed of a contest is that of a run with its evaluations.
    if (contest_) set("reliability.evaluation", kContestEvaluation);
    layout();
    return std::move(out_);
  }

 private:
  /// Who publishes the speed of a step has tuned it. Runs that were not made to be measured take so
  /// much longer for theirs: the middle of the pretraining runs in tests/published/runs.csv.
  static constexpr double kTypical = 1.15;
  /// Share of evaluation in the times to train of MLPerf: their logs against their step times.
  static constexpr double kContestEvaluation = 0.09;

  void skip(std::string why) {
    if (out_.skipped.empty()) out_.skipped = std::move(why);
  }
  void note(std::string_view what) { out_.note.append(out_.note.empty() ? "" : "; ").append(what); }
  void set(std::string_view path, Value value) {
    for (auto& [old, now] : out_.patch)
      if (old == path) return void(now = std::move(value));
    out_.patch.emplace_back(std::string(path), std::move(value));
  }
  double number(std::string_view column) {
    const std::string_view cell = row_.at(column);
    double x = kNone;
    if (!cell.empty() && !parse_number(cell, "count", x))
      skip(std::string(column) + ": " + quoted(cell) + " is not a number");
    return x;
  }
  double billions(std::string_view column, bool needed) {
    const double x = number(column);
    if (needed && !given(x)) skip(std::string(column) + " is empty");
    if (given(x) && !(x > 0)) skip(std::string(column) + " is not a positive number");
    return 1e9 * x;
  }
  Scenario scenario() const {
    Problems problems;
    return scenario_of(out_.patch, problems);
  }

  /// The catalog's row of that name where it has about that many parameters; else the usual shape.
  void model(double params, double active) {
    const std::string name = plain(row_.at("model"));
    const Row* best = nullptr;
    std::size_t longest = 0;
    for (const Row& row : catalog().models)
      for (const std::string& known : {plain(row.name), plain(row.id)})
        if (known.size() > longest && name.starts_with(known)) {
          set("model.id", row.id);
          if (!near(architecture(scenario(), {}).total, params)) continue;
          best = &row;
          longest = known.size();
        }
    if (best) return set("model.id", best->id);
    note("the model is not in the catalog: the usual shape of its size");
    set("model.id", "custom");
    const auto* shape = &kShapes[0];
    const auto off = [&](const auto& s) { return std::max(active / s.params, s.params / active); };
    for (const auto& s : kShapes)
      if (off(s) < off(*shape)) shape = &s;
    const double L = shape->layers, h = shape->hidden, attention = 4 * h * h;
    set("model.layers", L);
    set("model.hidden", h);
    set("model.heads", h / (h < 2048 ? 64 : kHeadDim));
    set("model.kv_heads", h / (h < 2048 ? 64 : kHeadDim));
    set("model.head_dim", h < 2048 ? 64 : kHeadDim);
    set("model.gated", false);
    set("model.vocab", kVocab);
    set("model.tied", true);
    // The MLP takes what the count leaves.
    const double left = std::max(h * h, (active - kVocab * h) / L - attention);
    const double width = std::max(64.0, std::floor(left / (2 * h) / 64 + 0.5) * 64);
    set("model.ffn", width);
    if (params < 1.1 * active) return;
    // Until 2023 experts in every second layer, of which each token takes two (GShard, GLaM);
    // later in each, and eight.
    const double top = year_ < 2024 ? 2 : 8, every = year_ < 2024 ? 2 : 1;
    const double each = std::max(64.0, std::floor(width / top / 64 + 0.5) * 64);
    set("model.moe_every", every);
    set("model.moe_ffn", each);
    set("model.top_k", top);
    set("model.experts",
        std::max(top, std::floor(top + (params - active) / (L / every * 2 * h * each))));
  }

  double gpu(std::string_view path) const {
    const Value* value = find(device_->set, path);
    return value ? std::get<double>(*value) : kNone;
  }

  void program() {
    const bool google = device_->family == "Google";
    const auto* software = &kSoftware[0];
    while ((!software->vendor.empty() && software->vendor != device_->family) ||
           (!software->kind.empty() && software->kind != kind_) || year_ > software->until)
      ++software;
    set("stack.id", std::string(software->stack));
    if (!contest_) {
      const Scenario s = scenario();
      set("stack.overhead", std::min(10.0, kTypical * s.stack.overhead));
    }
    // A contest takes the fastest type that trains; from 2025 on 8 bits are usual.
    const bool eight = contest_ || year_ >= 2025;
    set("run.precision", eight && given(gpu("gpu.fp8"))                 ? "fp8"
                         : contest_ && google && given(gpu("gpu.int8")) ? "int8"
                         : given(gpu("gpu.bf16"))                       ? "bf16"
                                                                        : "fp16");
    if (adapters_) {
      set("tune.method", "lora");
      set("tune.rank", 16.0);
      set("tune.targets", "attention");
    }
  }

  void batch(double active, double tokens) {
    double seq = number("seq_len");
    if (!given(seq)) {
      seq = year_ < 2023 ? 2048 : year_ < 2024 ? 4096 : 8192;
      note("seq_len is not stated: " + number_text(seq));
    }
    set("run.seq", seq);
    gpus_ = number("n_accelerators");
    if (!given(gpus_)) gpus_ = number("n_gpus");
    if (given(gpus_) && !(gpus_ >= 1 && gpus_ <= 1e9 && std::floor(gpus_) == gpus_)) {
      skip("n_accelerators: " + number_text(gpus_) + " is not a count");
      gpus_ = 1;
    }
    if (!given(gpus_)) {
      // As many as take a month at 40 % of the peak.
      const double peak = given(gpu("gpu.bf16")) ? gpu("gpu.bf16") : gpu("gpu.fp16");
      const double month = 6 * active * tokens / (0.4 * peak * 30 * kDay.value);
      for (gpus_ = 8; gpus_ < month;) gpus_ *= 2;
      note("n_accelerators is not stated: " + number_text(gpus_) + ", for about a month");
    }
    set("cluster.gpus", gpus_);
    set("run.micro_batch", 1.0);
    // Tokens of a step: 2 to 4 million in pretraining, and 64 thousand in fine-tuning.
    const double step = kind_ == "finetune" || adapters_ ? 65536 : active < 5e9 ? 2097152 : 4194304;
    sequences_ = std::max(1.0, std::floor(step / seq));
    if (adapters_) sequences_ = std::max(sequences_, std::floor(gpus_ / 8));
  }

  /// Seconds of a sequence in a layout, which is set; kNone where the GPUs do not hold it.
  double seconds(double tp, double pp, double ep, std::string_view recompute) {
    set("cluster.tp", tp);
    set("cluster.pp", pp);
    double cp = 1, dp = std::floor(gpus_ / (tp * pp));
    if (dp < 1) return kNone;
    // Fewer sequences than replicas: some share one.
    if (adapters_)
      while (dp > sequences_ && std::floor(dp / 2) * 2 == dp) {
        dp /= 2;
        cp *= 2;
      }
    set("cluster.cp", cp);
    set("cluster.ep", ep);
    if (std::floor(dp * cp * tp / ep) * ep != dp * cp * tp) return kNone;
    const double each = std::max(pp > 1 ? pp : 1, std::floor(sequences_ / dp));
    set("run.global_batch", each * dp);
    set("run.recompute", std::string(recompute));
    const double pieces = scenario().model.layers / pp;
    set("cluster.virtual_stages", pp > 1 && std::floor(pieces) == pieces ? pieces : 1.0);
    const Scenario s = scenario();
    const Report r = estimate(s);
    return r.layout.fits ? r.time.step.value / s.run.global_batch : kNone;
  }

  /// The layout that is fastest of those that fit, as a planner can try each; with what the
  /// software usually recomputes, or everything. A contest leaves nothing untried. Adapters have
  /// too few sequences to fill a pipeline.
  void layout() {
    const Scenario s = scenario();
    const double most = std::min(8.0, s.gpu.domain), stages = adapters_ ? 1 : 16;
    Patch best;
    double least = INFINITY;
    for (double tp = 1; tp <= most; tp *= 2)
      for (double pp = 1; pp <= std::min(stages, s.model.layers) && tp * pp <= gpus_; pp *= 2)
        for (double ep = 1; ep <= std::max(1.0, std::min(64.0, s.model.experts)); ep *= 2)
          for (const auto& [recompute, name] : kRecomputes) {
            const bool usual = recompute == s.run.recompute || recompute == Recompute::full;
            if (!(usual || contest_) || !splits_heads(s.model, tp)) continue;
            const double time = seconds(tp, pp, ep, name);
            if (!(time < least)) continue;
            least = time;
            best = out_.patch;
          }
    if (!best.empty()) return void(out_.patch = std::move(best));
    note("no layout holds the model: a whole node and full recomputation");
    seconds(std::min(most, gpus_), 1, 1, "full");
  }

  const Record& row_;
  Mapping out_;
  const Row* device_ = nullptr;
  double year_ = 2024, gpus_ = kNone, sequences_ = 1;
  std::string_view kind_;
  bool contest_ = false, adapters_ = false;
};

}  // namespace

Mapping map_run(const Record& row) {
  Mapping out;
  const std::string_view why = row.at("excluded_reason");
  out.skipped = unknown_word(row, "run_kind");
  if (out.skipped.empty() && row.at("excluded") == "1")
    out.skipped = "excluded: 1" + (why.empty() ? std::string() : " (" + std::string(why) + ")");
  return out.skipped.empty() ? Planner(row).run() : out;
}

}  // namespace envelope
