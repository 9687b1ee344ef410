// SPDX-License-Identifier: MIT
#include "envelope/time.h"

#include <algorithm>

namespace envelope {
namespace {

constexpr double kAny = 1e18;

// Source: published training speeds, collected to 2026-11 (see sources.h, published-speeds).
constexpr Utilisation kUtilisation[] = {
    {"a100", Precision::bf16, false, 0, 1e9, .41, .48, .53, 43},
    {"a100", Precision::bf16, false, 1e9, 20e9, .42, .53, .59, 113},
    {"a100", Precision::bf16, false, 20e9, kAny, .32, .49, .56, 17},
    {"a100", Precision::fp16, false, 0, 100e9, .32, .34, .42, 8},
    {"a100", Precision::fp16, false, 100e9, kAny, .37, .41, .56, 10},
    {"a800", Precision::bf16, false, 0, kAny, .32, .49, .56, 17},
    {"h100-sxm", Precision::bf16, false, 0, 1e9, .35, .37, .40, 7},
    {"h100-sxm", Precision::bf16, false, 1e9, 20e9, .39, .41, .46, 45},
    {"h100-sxm", Precision::bf16, false, 20e9, 100e9, .36, .42, .44, 16},
    {"h100-sxm", Precision::bf16, false, 100e9, kAny, .43, .45, .48, 4},
    {"h100-sxm", Precision::bf16, true, 0, kAny, .22, .22, .23, 3},
    {"h100-sxm", Precision::fp8, false, 0, kAny, .29, .37, .41, 63},
    {"h100-sxm", Precision::fp8, true, 0, kAny, .07, .13, .18, 10},
    {"h800", Precision::bf16, false, 0, kAny, .36, .42, .44, 16},
    {"h800", Precision::bf16, true, 0, kAny, .22, .22, .23, 3},
    {"h800", Precision::fp8, true, 0, kAny, .07, .13, .18, 10},
    {"h200", Precision::bf16, false, 0, kAny, .36, .42, .44, 16},
    {"h200", Precision::fp8, false, 0, kAny, .29, .37, .41, 63},
    {"b200", Precision::bf16, false, 0, kAny, .26, .36, .39, 24},
    {"b200", Precision::fp8, false, 0, kAny, .36, .38, .39, 8},
    {"b200", Precision::fp8, true, 0, kAny, .06, .14, .17, 14},
    {"b300", Precision::fp8, true, 0, kAny, .16, .19, .22, 9},
    {"gb200", Precision::bf16, true, 0, kAny, .24, .29, .35, 5},
    {"gb200", Precision::fp8, false, 0, kAny, .35, .39, .45, 20},
    {"gb200", Precision::fp8, true, 0, kAny, .15, .21, .25, 22},
    {"gb200", Precision::fp4, false, 0, kAny, .21, .28, .31, 5},
    {"gb300", Precision::bf16, true, 0, kAny, .29, .33, .43, 5},
    {"gb300", Precision::fp8, false, 0, kAny, .44, .50, .55, 14},
    {"gb300", Precision::fp8, true, 0, kAny, .18, .26, .35, 19},
    {"gb300", Precision::fp4, false, 0, kAny, .22, .23, .25, 5},
    {"tpu-v4", Precision::bf16, false, 0, kAny, .46, .55, .59, 7},
    {"tpu-v5e", Precision::bf16, false, 0, kAny, .51, .57, .65, 24},
    {"tpu-v5p", Precision::bf16, false, 0, kAny, .55, .66, .71, 16},
};
// Where nothing comparable was published: whole A100 runs above 5B parameters, 6 N D over
// GPU-hours. Wide on purpose.
constexpr Utilisation kAnywhere = {"", Precision::bf16, false, 0, kAny, .22, .35, .48, 0};

/// Letter by letter: this runs in every estimate, and a few letters decide.
bool begins_with(const Id& id, std::string_view prefix) {
  for (std::size_t i = 0; i < prefix.size(); ++i)
    if (id.text[i] != prefix[i]) return false;
  return true;
}

}  // namespace

double peak_of(const Gpu& g, Precision p) {
  switch (p) {
    case Precision::fp32:
      return g.fp32;
    case Precision::tf32:
      return g.tf32;
    case Precision::fp16:
      return g.fp16;
    case Precision::bf16:
      return g.bf16;
    case Precision::fp8:
      return g.fp8;
    case Precision::int8:
      return g.int8;
    case Precision::fp4:
      return g.fp4;
  }
  return kNone;
}

const Utilisation& utilisation(const Scenario& s, const Architecture& a) {
  const bool moe = a.active < 0.9 * a.total;
  for (const Utilisation& u : kUtilisation)
    if (u.precision == s.run.precision && u.moe == moe && a.total >= u.above && a.total < u.below &&
        begins_with(s.gpu.id, u.accelerator))
      return u;
  return kAnywhere;
}

Work work(const Scenario& s, const Architecture& a, const Compute& c, const Ledger& note) {
  Work w;
  double peak = peak_of(s.gpu, s.run.precision);
  // A device without this precision still runs it, on its fp32 units; a finding says so.
  w.supported = given(peak);
  if (!w.supported) peak = given(s.gpu.fp32) ? s.gpu.fp32 : given(s.gpu.bf16) ? s.gpu.bf16 : 1e12;
  w.peak = note("time.peak", FlopsPerSecond{peak});

  w.gpu_time_ideal = note("time.gpu_time_ideal", c.train / w.peak, "compute.train/time.peak");
  if (given(s.run.gpu_time)) {
    w.gpu_time = note("time.gpu_time", Seconds{s.run.gpu_time}, "run.gpu_time");
    w.mfu = note("time.mfu", w.gpu_time_ideal / w.gpu_time, "time.gpu_time_ideal/time.gpu_time");
    w.achieved = note("time.achieved", w.mfu * w.peak, "time.mfu*time.peak");
  } else {
    const Utilisation& u = utilisation(s, a);
    const double ratio = c.per_token / c.per_token_full;
    if (given(s.run.mfu)) {
      w.mfu = note("time.mfu", s.run.mfu, "run.mfu");
    } else {
      // Published MFU counts full attention; the same speed in the convention asked for.
      note("time.published_mfu", u.median);
      note("time.published_mfu_low", u.low);
      note("time.published_mfu_high", u.high);
      w.band = true;
      w.mfu = note("time.mfu", u.median * ratio,
                   "time.published_mfu*compute.per_token/compute.per_token_full");
    }
    w.achieved = note("time.achieved", w.mfu * w.peak, "time.mfu*time.peak");
    const bool measured =
        s.run.task == Task::finetune && s.tune.method != Method::full && given(s.tune.saving);
    if (measured) {
      w.gpu_time = note("time.gpu_time",
                        (1 - s.tune.saving) * (FlopsPerToken{6 * a.active} * c.tokens) / w.achieved,
                        "(1 - tune.saving)*6*params.active*compute.tokens/time.achieved");
    } else {
      w.gpu_time = note("time.gpu_time", c.train / w.achieved, "compute.train/time.achieved");
    }
    if (w.band) {
      w.gpu_time_low = note("time.gpu_time_low", w.gpu_time * (u.median / u.high),
                            "time.gpu_time*time.published_mfu/time.published_mfu_high");
      w.gpu_time_high = note("time.gpu_time_high", w.gpu_time * (u.median / u.low),
                             "time.gpu_time*time.published_mfu/time.published_mfu_low");
    }
  }
  const Flops spent = w.gpu_time * w.peak;
  note("mfu.causal", c.per_token_causal * c.tokens / spent,
       "compute.train_causal/(time.gpu_time*time.peak)");
  note("mfu.full", c.per_token_full * c.tokens / spent,
       "compute.train_full/(time.gpu_time*time.peak)");
  note("hfu", c.hardware / spent, "compute.hardware/(time.gpu_time*time.peak)");
  return w;
}

Time time(const Scenario& s, const Compute& c, const Work& w, double gpus, const Ledger& note) {
  Time t;
  t.ideal = note("time.ideal", w.gpu_time_ideal / gpus, "time.gpu_time_ideal/gpus.used");
  t.total = note("time.total", w.gpu_time / gpus, "time.gpu_time/gpus.used");
  if (w.band) {
    note("time.total_low", w.gpu_time_low / gpus, "time.gpu_time_low/gpus.used");
    note("time.total_high", w.gpu_time_high / gpus, "time.gpu_time_high/gpus.used");
  }
  note("time.tokens_per_s", c.tokens / t.total, "compute.tokens/time.total");
  const Tokens batch = note("time.batch_tokens", Tokens{s.run.global_batch * sequence_length(s)},
                            s.model.kind == ModelKind::vit ? "run.global_batch*arch.image_tokens"
                                                           : "run.global_batch*run.seq");
  t.steps = note("time.steps", c.tokens / batch, "compute.tokens/time.batch_tokens");
  t.step = note("time.step", t.total / t.steps, "time.total/time.steps");
  return t;
}

}  // namespace envelope
