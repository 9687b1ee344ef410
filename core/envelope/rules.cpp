// SPDX-License-Identifier: MIT
#include "envelope/rules.h"

#include <cmath>

#include "envelope/fields.h"

namespace envelope {
namespace {

void warn(Problems& to, std::string_view path, std::string_view code, std::string message,
          std::string hint, const Scenario& s) {
  const Field* f = field_by_path(path);
  to.push_back({std::string(path), Severity::warning, code, std::move(message), std::move(hint),
                f ? text_of(get(*f, s)) : std::string()});
}

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

void cluster_rules(const Scenario& s, Problems& out) {
  const bool serve = s.run.task == Task::serve;
  const double tp = given(s.cluster.tp) ? s.cluster.tp : 1, pp = serve ? 1 : s.cluster.pp;
  if (given(s.cluster.gpus)) {
    const double n = s.cluster.gpus;
    if (tp * pp > n)
      warn(out, "cluster.gpus", "too_few",
           number_text(n) + " GPUs are fewer than one replica takes: TP " + number_text(tp) +
               " x PP " + number_text(pp) + " = " + number_text(tp * pp) + ".",
           "Use more GPUs, or less tensor or pipeline parallelism.", s);
    else if (std::fmod(n, tp * pp) != 0)
      warn(out, "cluster.gpus", "not_divisible",
           number_text(n) + " GPUs are not a whole number of replicas of " + number_text(tp * pp) +
               ".",
           "Try " + number_text(std::floor(n / (tp * pp)) * tp * pp) + " or " +
               number_text(std::ceil(n / (tp * pp)) * tp * pp) + ".",
           s);
  }
  if (s.model.kind != ModelKind::size_only) {
    if (given(s.cluster.tp) && std::fmod(s.model.heads, tp) != 0)
      warn(out, "cluster.tp", "not_divisible",
           number_text(tp) + "-way tensor parallelism cannot divide " + number_text(s.model.heads) +
               " attention heads.",
           "Choose one of " + divisors(s.model.heads, 64) + ".", s);
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

Problems check(const Scenario& s) {
  Problems out;
  model_rules(s, out);
  cluster_rules(s, out);
  hardware_rules(s, out);
  return out;
}

}  // namespace envelope
