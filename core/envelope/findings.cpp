// SPDX-License-Identifier: MIT
#include "envelope/findings.h"

#include <algorithm>
#include <cmath>

#include "envelope/bands.h"
#include "envelope/catalog.h"
#include "envelope/formats.h"
#include "envelope/least.h"

namespace envelope {
namespace {

Part text(std::string s) { return {std::move(s), {}}; }
Part metric(std::string_view id) { return {{}, id}; }

std::string model_name(const Scenario& s) {
  if (s.model.kind == ModelKind::size_only && std::string_view(s.model.id) == "by-size")
    return "a model";
  const Row* row = find_row(catalog().models, s.model.id);
  if (!row || row->id == "custom") return "a custom model";
  return row->name;
}

std::string gpu_name(const Scenario& s) {
  const Row* row = find_row(catalog().accelerators, s.gpu.id);
  return row ? row->name : std::string(std::string_view(s.gpu.id));
}

std::string_view label_of(std::string_view path, const Scenario& s) {
  const Field& f = *field_by_path(path);
  const std::string_view id = choice_id(f, s);
  for (const Choice& c : f.choices)
    if (c.id == id) return c.label;
  return {};
}

void model_parts(const Scenario& s, Sentence& out) {
  out.push_back(text(model_name(s)));
  if (std::string_view(s.model.id) == "by-size" || std::string_view(s.model.id) == "custom") {
    out.push_back(text(" of "));
    out.push_back(metric("params.total"));
    out.push_back(text(" parameters"));
  }
}

/// The most tensor parallelism within a node that heads and GPUs allow.
double widest_tp(const Scenario& s) {
  if (s.model.kind == ModelKind::size_only) return 1;
  for (double tp = 8; tp > 1; tp /= 2) {
    const double replica = tp * s.cluster.pp * s.cluster.cp;
    if (tp <= s.gpu.domain && splits_heads(s.model, tp) &&
        (!given(s.cluster.gpus) || std::fmod(s.cluster.gpus, replica) == 0))
      return tp;
  }
  return 1;
}

/// The patches worth trying when it does not fit, most natural first.
std::vector<Remedy> candidates(const Scenario& s, const Report& r) {
  std::vector<Remedy> out;
  const auto add = [&](std::string label, Patch patch, bool sends = false) {
    out.push_back({std::move(label), std::move(patch), false, 0, kNone, sends});
  };
  const bool serve = s.run.task == Task::serve;
  if (!serve) {
    const bool tuned = s.run.task == Task::finetune;
    const Parts& held = r.layout.fullest.parts;
    if (s.cluster.zero < 1 && r.layout.dp > 1)
      add("Shard the optimizer (ZeRO-1)", {{"cluster.zero", 1.0}});
    // A pipeline sums gradients over micro-batches; ZeRO-3 would gather weights for each.
    if (s.cluster.zero < 3 && r.layout.pp == 1)
      add("Shard weights too (ZeRO-3)", {{"cluster.zero", 3.0}}, true);
    if (s.run.recompute != Recompute::full || s.run.recompute_every > 1)
      add("Recompute every layer",
          {{"run.recompute", std::string("full")}, {"run.recompute_every", 1.0}});
    if (!s.run.flash) add("Flash attention", {{"run.flash", true}});
    if (held.logits > held.activations && s.stack.loss != Loss::chunked)
      add("Cross-entropy in chunks", {{"stack.loss", std::string("chunked")}});
    if (s.run.micro_batch > 1) add("Micro-batch of 1", {{"run.micro_batch", 1.0}});
    if (tuned && s.tune.method == Method::full) add("LoRA", {{"tune.method", std::string("lora")}});
    if (tuned && s.tune.method != Method::qlora)
      add("QLoRA, 4-bit base", {{"tune.method", std::string("qlora")}});
    if (const double tp = widest_tp(s); tp > r.layout.tp)
      add("Tensor parallel over " + number_text(tp), {{"cluster.tp", tp}});
    if (held.optimizer + held.master > 0)
      add("Optimizer in host memory", {{"cluster.offload_optimizer", true}}, true);
  } else {
    if (bytes_per_value(s.serve.weights) > 1)
      add("INT8 weights", {{"serve.weights", std::string("int8")}});
    if (bytes_per_value(s.serve.weights) > 0.6)
      add("4-bit weights", {{"serve.weights", std::string("int4-g128")}});
    if (r.memory.kv_cache.value > 0 && bytes_per_value(s.serve.kv) > 1)
      add("FP8 KV cache", {{"serve.kv", std::string("fp8-e4m3")}});
    if (given(s.cluster.tp))
      add("Tensor parallel over all GPUs", {{"cluster.tp", std::string("auto")}});
    if (s.serve.batch > 1)
      add("Half the concurrent sequences", {{"serve.batch", std::ceil(s.serve.batch / 2)}});
  }
  double more = kNone;
  if (given(s.cluster.gpus) && given(r.layout.to_fit) && r.layout.to_fit > s.cluster.gpus) {
    const double unit =
        (given(s.cluster.tp) ? s.cluster.tp : 1) * (serve ? 1 : s.cluster.pp * s.cluster.cp);
    more = std::ceil(r.layout.to_fit / unit) * unit;
    add(number_text(more) + " GPUs", {{"cluster.gpus", more}});
  }
  if (const Least least = least_layout(s, r);
      given(least.gpus) && !(given(more) && more <= least.gpus))
    add(number_text(least.gpus) + " GPUs, " + least.label, least.patch);
  return out;
}

/// Work of the hardware for each token, with the time that pipeline stages wait.
double work_of(const Scenario& s, const Report& r) {
  if (s.run.task == Task::serve || !(r.compute.tokens.value > 0)) return kNone;
  const double m = r.layout.ways.micro_batches, p = r.layout.pp;
  return r.compute.hardware.value / r.compute.tokens.value * (m + p - 1) / m;
}

std::vector<Remedy> remedies(const Scenario& s, const Report& r) {
  std::vector<Remedy> tried = candidates(s, r);
  for (Remedy& remedy : tried) {
    Scenario changed = s;
    envelope::apply(remedy.patch, changed);
    const Report again = estimate(changed);
    remedy.fits = again.layout.fits;
    remedy.per_gpu = again.layout.per_gpu.value;
    // Where more is sent, work alone would be too rosy.
    if (!remedy.sends) remedy.work = work_of(changed, again) / work_of(s, r);
  }
  std::erase_if(tried, [&](const Remedy& x) { return !(x.per_gpu < r.layout.per_gpu.value); });
  // What fits comes first, and of it what costs neither work nor traffic; of the rest what comes
  // nearest.
  const auto costs = [](const Remedy& x) { return x.sends || (given(x.work) && x.work > 1.005); };
  const auto better = [&](const Remedy& a, const Remedy& b) {
    if (a.fits != b.fits) return a.fits;
    return a.fits ? costs(a) < costs(b) : a.per_gpu < b.per_gpu;
  };
  std::vector<Remedy> best;
  while (best.size() < 3 && !tried.empty()) {
    const auto next = std::min_element(tried.begin(), tried.end(), better);
    best.push_back(std::move(*next));
    tried.erase(next);
  }
  return best;
}

/// 405853388800 -> "405,853,388,800".
std::string grouped(double whole) {
  std::string digits = std::to_string(static_cast<long long>(whole));
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

/// What the publisher of the model states, where the scenario is that model.
void published_findings(const Scenario& s, const Report& r, std::vector<Finding>& out) {
  const Row* row = find_row(catalog().models, s.model.id);
  if (!row) return;
  if (row->published_exact && row->published_params == r.architecture.total)
    out.push_back({Tone::good,
                   "published_size",
                   {"params.total"},
                   {text("Counted from the architecture: " + grouped(r.architecture.total) +
                         " parameters, exactly as published.")},
                   {}});
  if (r.compute.published)
    out.push_back({Tone::good,
                   "published_flops",
                   {"compute.published", "compute.train_6nd"},
                   {text("The paper states "), metric("compute.published"),
                    text(" for this run; 6 N D gives "), metric("compute.train_6nd"),
                    text(", off by "), metric("compute.off_published"), text(".")},
                   {}});
}

void memory_findings(const Scenario& s, const Report& r, std::vector<Finding>& out) {
  if (given(r.layout.for_deadline) && given(r.layout.to_fit)) {
    const bool time = r.layout.for_deadline > r.layout.to_fit;
    out.push_back({Tone::info,
                   time ? "deadline_binds" : "memory_binds",
                   {"gpus.to_fit", "gpus.for_deadline"},
                   {text(time ? "The deadline decides: it takes " : "Memory decides: it takes "),
                    metric(time ? "gpus.for_deadline" : "gpus.to_fit"),
                    text(time ? " GPUs to be in time, " : " GPUs to fit, "),
                    metric(time ? "gpus.to_fit" : "gpus.for_deadline"),
                    text(time ? " would hold the model." : " would be in time.")},
                   {}});
    if (given(s.cluster.gpus) && s.cluster.gpus < r.layout.for_deadline)
      out.push_back({Tone::warning,
                     "too_late",
                     {"time.total", "run.deadline"},
                     {text("With "), metric("gpus.used"), text(" GPUs the run takes "),
                      metric("time.total"), text(", longer than the deadline.")},
                     {{"Use " + number_text(r.layout.for_deadline) + " GPUs",
                       {{"cluster.gpus", r.layout.for_deadline}},
                       r.layout.fits,
                       r.layout.per_gpu.value}}});
  }
  if (r.layout.fastest.value > 0)
    out.push_back(
        {Tone::warning,
         "out_of_time",
         {"time.fastest", "run.deadline"},
         {text("No number of GPUs is in time: with as many as a batch of " +
               number_text(s.run.global_batch) + " sequences has work for, the run takes "),
          metric("time.fastest"),
          text(". A larger batch, or more tensor parallelism, "
               "makes room for more GPUs.")},
         {}});
  // Of one that was asked for, the rules speak.
  if (!given(s.cluster.tp) && !r.memory.by_rule && s.gpu.domain >= 1 && r.layout.tp > s.gpu.domain)
    out.push_back({Tone::warning,
                   "tp_beyond_domain",
                   {"layout.tp", "gpu.domain"},
                   {text("Tensor parallelism over "), metric("layout.tp"),
                    text(" GPUs leaves the scale-up domain of " + number_text(s.gpu.domain) +
                         ": the network between nodes carries activations.")},
                   {}});
  if (s.run.task != Task::serve && !r.memory.by_rule) {
    if (!r.architecture.known && s.states.activations == ActivationRule::estimate)
      out.push_back({Tone::warning,
                     "activations_unknown",
                     {"memory.total"},
                     {text("Only the size of the model is known, so activations and logits are "
                           "left out. Choose bytes per parameter for a rule of thumb.")},
                     {}});
    else if (r.memory.activations.value > 0)
      out.push_back({Tone::info,
                     "activations_estimated",
                     {"memory.activations"},
                     {text("Activations ("), metric("memory.activations"),
                      text(" undivided) are an estimate for one micro-batch; frameworks differ.")},
                     {}});
  }
}

/// What limits the step, and what helps.
void step_finding(const Scenario& s, const Report& r, std::vector<Finding>& out) {
  constexpr struct {
    std::string_view metric, what, helps;
  } kSetbacks[] = {
      {"step.bubble", "waiting in the pipeline",
       "more micro-batches, virtual stages or fewer stages shrink it"},
      {"step.recompute", "recomputation",
       "where memory allows, recompute less: selective, or every second layer"},
      {"step.data", "weights and gradients on their way between replicas",
       "ZeRO-1 instead of ZeRO-3, a larger batch for each GPU or more model parallelism hide it"},
      {"step.tensor", "tensor parallelism",
       "fewer tensor-parallel GPUs, or software with more overlap, shrink it"},
      {"step.expert", "tokens on their way to experts",
       "expert parallelism inside the scale-up domain shrinks it"},
      {"step.context", "context parallelism", "fewer context-parallel GPUs shrink it"},
      {"step.pipeline", "sends between stages", "fewer stages or virtual stages shrink it"},
      {"step.optimizer", "the optimizer",
       "sharding its states (ZeRO-1) or keeping them on the GPU shrinks it"},
      {"step.overhead", "the software",
       "larger micro-batches, or software that launches kernels faster, shrink it"},
  };
  const std::string_view worst = largest_setback(r.layout.step).metric;
  // Experts that are gathered in each micro-batch are the usual reason.
  const bool moe = worst == "step.data" && r.architecture.moe_layers > 0 && s.cluster.ep == 1;
  for (const auto& row : kSetbacks)
    if (row.metric == worst)
      out.push_back(
          {Tone::info,
           "step_limits",
           {"time.step", row.metric},
           {text("The work of the model takes "), metric("step.compute_share"),
            text(" of a step. The largest part of the rest is " + std::string(row.what) + ", "),
            metric("step.setback_share"),
            text(": " +
                 std::string(moe ? "expert parallelism, with ZeRO-1, keeps experts where they are"
                                 : row.helps) +
                 ".")},
           {}});
}

void time_findings(const Scenario& s, const Report& r, std::vector<Finding>& out) {
  if (s.run.task == Task::serve) {
    if (r.architecture.known && s.serve.prompt + s.serve.output > s.model.max_seq)
      out.push_back({Tone::warning,
                     "beyond_context",
                     {"serve.prompt", "model.max_seq"},
                     {text("Prompt and output ("), metric("serving.context"),
                      text(" tokens) are longer than the context this model was published for (" +
                           number_text(s.model.max_seq) + ").")},
                     {}});
    return;
  }
  if (r.architecture.known && s.model.kind != ModelKind::vit && s.run.seq > s.model.max_seq)
    out.push_back({Tone::warning,
                   "beyond_context",
                   {"run.seq", "model.max_seq"},
                   {text("Sequences of " + number_text(s.run.seq) +
                         " tokens are longer than the context this model was published for (" +
                         number_text(s.model.max_seq) + ").")},
                   {}});
  if (r.pace.predicted) {
    step_finding(s, r, out);
    if (r.time.steps < 1)
      out.push_back({Tone::warning,
                     "less_than_a_step",
                     {"time.steps", "run.global_batch"},
                     {text("All tokens together are less than one step of " +
                           number_text(s.run.global_batch) +
                           " sequences, and the time is that share of a step. Choose a smaller "
                           "global batch.")},
                     {}});
    const Band band = band_of(s, r.architecture, r.layout.used);
    const std::string like =
        band.rows > 0 ? std::to_string(band.rows) + " of them, of " + std::to_string(band.sources) +
                            (band.sources == 1 ? " source" : " sources") + ", are of this kind (" +
                            std::string(band.among) + ")"
                      : std::string("none of them is of this kind");
    out.push_back(
        {Tone::info,
         "step_predicted",
         {"time.step", "time.mfu"},
         {text("Time and MFU are predicted. The band holds four of five published runs: it "
               "rests on our errors on 699 speeds, each predicted without its own source "
               "and weighted by likeness; " +
               like + ".")},
         {}});
  } else if (r.time.band()) {
    const Utilisation& u = utilisation(s, r.architecture);
    if (u.rows > 0)
      out.push_back(
          {Tone::info,
           "mfu_published",
           {"time.mfu"},
           {text("The MFU of "), metric("time.mfu"),
            text(" is that of the median of " + std::to_string(u.rows) +
                 " published training speeds on comparable hardware, collected to November "
                 "2026; the band spans their 10th to 90th percentile.")},
           {}});
    else
      out.push_back({Tone::warning,
                     "mfu_unknown",
                     {"time.mfu"},
                     {text("No published training speed is at hand for this accelerator and "
                           "precision. "),
                      metric("time.mfu"),
                      text(" is the median of whole A100 runs; give your own MFU if you know it.")},
                     {}});
  }
  if (r.time.mfu > 1 || r.time.hfu > 1)
    out.push_back({Tone::bad,
                   "beyond_peak",
                   {"time.mfu"},
                   {text("This needs "), metric("time.mfu"),
                    text(r.time.mfu > 1 ? " of the dense peak, which no hardware delivers."
                                        : " of the dense peak, and what is recomputed takes it "
                                          "beyond: no hardware delivers that.")},
                   {}});
}

void money_findings(const Scenario& s, const Report& r, std::vector<Finding>& out) {
  if (!given(r.cost.price))
    out.push_back({Tone::warning,
                   "no_price",
                   {"price.usd_per_gpu_hour"},
                   {text("The price list has no price for this accelerator on these terms. Give a "
                         "price per GPU-hour to see the cost.")},
                   {}});
  if (s.run.task != Task::pretrain) return;
  const LawInfo& law = law_info(s.scaling.law);
  const double flops = 6 * r.architecture.active * r.compute.tokens.value;
  if ((given(law.params_max) && r.architecture.active > law.params_max) ||
      (given(law.flops_max) && flops > law.flops_max))
    out.push_back({Tone::info,
                   "beyond_law",
                   {"scaling.loss", "scaling.optimal_params"},
                   {text("Loss and compute-optimal size extrapolate: " + std::string(law.label) +
                         " was fitted on smaller runs (" + std::string(law.domain) + ").")},
                   {}});
}

}  // namespace

std::string_view tone_id(Tone tone) {
  switch (tone) {
    case Tone::good:
      return "good";
    case Tone::info:
      return "info";
    case Tone::warning:
      return "warning";
    case Tone::bad:
      return "bad";
  }
  return {};
}

Sentence summary(const Scenario& s, const Report& r) {
  Sentence out;
  const auto say = [&](std::string t) { out.push_back(text(std::move(t))); };
  if (s.run.task == Task::serve) {
    say("Serving ");
    model_parts(s, out);
    say(" in " + std::string(label_of("serve.weights", s)) + " to " +
        (s.serve.batch == 1 ? "one user" : number_text(s.serve.batch) + " users at once") +
        " takes ");
    out.push_back(metric("memory.total"));
    say(" of memory: ");
    out.push_back(metric("gpus.used"));
    say(" × " + gpu_name(s) + " give ");
    out.push_back(metric("serving.tokens_per_s"));
    if (given(r.cost.price)) {
      say(", about ");
      out.push_back(metric("cost.per_million_tokens"));
      say(" per million output tokens");
    }
    say(".");
    return out;
  }
  if (s.run.task == Task::finetune) {
    say("Fine-tuning ");
    model_parts(s, out);
    const std::string_view method = label_of("tune.method", s);  // "QLoRA (quantized base)"
    say(s.tune.method == Method::full
            ? " (all weights)"
            : " with " + std::string(method.substr(0, method.find(" ("))));
  } else {
    say("Training ");
    model_parts(s, out);
  }
  say(" on ");
  out.push_back(metric("compute.tokens"));
  say(" tokens takes ");
  out.push_back(metric("compute.train"));
  say(": ");
  out.push_back(metric("time.total"));
  say(" on ");
  out.push_back(metric("gpus.used"));
  say(" × " + gpu_name(s) + " at ");
  out.push_back(metric("time.mfu"));
  say(" MFU");
  if (given(r.cost.price)) {
    say(", about ");
    out.push_back(metric("cost.total"));
  }
  say(".");
  return out;
}

Finding verdict(const Scenario& s, const Report& r) {
  const bool stages = r.layout.pp > 1 && !r.memory.by_rule;
  const std::string stage = number_text(r.layout.fullest.stage.index + 1);
  if (r.layout.fits)
    return {
        Tone::good,
        "fits",
        {"layout.per_gpu", "layout.free"},
        {text("Fits, with "), metric("layout.free"), text(" free of "), metric("layout.capacity"),
         text(stages ? " on the fullest GPUs, those of stage " + stage + "." : " on each GPU.")},
        {}};
  Finding f{Tone::bad,
            "does_not_fit",
            {"layout.per_gpu", "layout.free"},
            {text(stages ? "Does not fit: each GPU of stage " + stage + " would need "
                         : "Does not fit: each GPU would need "),
             metric("layout.per_gpu"), text(" and has "), metric("layout.capacity"), text(".")},
            kSays == Says::results ? std::vector<Remedy>() : remedies(s, r)};
  if (!given(r.layout.to_fit))
    f.message.push_back(
        text(" More GPUs alone do not help: what each one must hold is already too "
             "much."));
  return f;
}

std::vector<Finding> findings(const Scenario& s, const Report& r) {
  std::vector<Finding> out;
  published_findings(s, r, out);
  memory_findings(s, r, out);
  time_findings(s, r, out);
  money_findings(s, r, out);
  return out;
}

}  // namespace envelope
