// SPDX-License-Identifier: MIT
#include "envelope/pace.h"

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

const Utilisation& utilisation(const Scenario& s, const Architecture& a) {
  const bool moe = a.active < 0.9 * a.total;
  for (const Utilisation& u : kUtilisation)
    if (u.precision == s.run.precision && u.moe == moe && a.total >= u.above && a.total < u.below &&
        begins_with(s.gpu.id, u.accelerator))
      return u;
  return kAnywhere;
}

Pace pace(const Scenario& s, const Architecture& a, const Compute& c, const Memory& m,
          const Ledger& note) {
  Pace p;
  p.supported = given(peak_of(s.gpu, s.run.precision));
  p.peak = note("time.peak", FlopsPerSecond{used_peak(s.gpu, s.run.precision)});
  p.gpu_time_ideal = note("time.gpu_time_ideal", c.train / p.peak, "compute.train/time.peak");

  // What published runs reached is shown beside whatever is predicted or assumed.
  const Utilisation& u = utilisation(s, a);
  const double ratio = c.per_token / c.per_token_full;
  // They count full attention: the same speed in the convention asked for. Long sequences have
  // been published too rarely.
  const bool comparable = u.rows > 0 && sequence_length(s) <= 8192;
  if (comparable || !a.known || m.by_rule) {
    note("time.full_mfu", u.median);
    note("time.full_mfu_low", u.low);
    note("time.full_mfu_high", u.high);
    note("time.published_mfu", u.median * ratio,
         "time.full_mfu*compute.per_token/compute.per_token_full");
    note("time.published_mfu_low", u.low * ratio,
         "time.full_mfu_low*compute.per_token/compute.per_token_full");
    note("time.published_mfu_high", u.high * ratio,
         "time.full_mfu_high*compute.per_token/compute.per_token_full");
  }

  const bool adapters = s.run.task == Task::finetune && s.tune.method != Method::full;
  const bool saving = adapters && given(s.tune.saving);
  if (given(s.run.gpu_time)) {
    p.gpu_time = Seconds{s.run.gpu_time};
    p.mfu = p.gpu_time_ideal / p.gpu_time;
    p.achieved = p.mfu * p.peak;
    return p;
  }
  p.predicted = !given(s.run.mfu) && !saving && a.known && !m.by_rule;
  if (p.predicted) return p;
  if (given(s.run.mfu)) {
    p.mfu = note("time.mfu", note("time.assumed_mfu", s.run.mfu, "run.mfu"), "time.assumed_mfu");
  } else {
    p.mfu = note("time.mfu", u.median * ratio,
                 "time.full_mfu*compute.per_token/compute.per_token_full");
    p.fast = u.median / u.high;
    p.slow = u.median / u.low;
  }
  p.achieved = note("time.achieved", p.mfu * p.peak, "time.mfu*time.peak");
  // A saving that was measured counts against full fine-tuning.
  p.gpu_time =
      saving ? note("time.gpu_time",
                    (1 - s.tune.saving) * (FlopsPerToken{6 * a.active} * c.tokens) / p.achieved,
                    "(1 - tune.saving)*6*params.active*compute.tokens/time.achieved")
             : note("time.gpu_time", c.train / p.achieved, "compute.train/time.achieved");
  return p;
}

}  // namespace envelope
