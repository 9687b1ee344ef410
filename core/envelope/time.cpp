// SPDX-License-Identifier: MIT
#include "envelope/time.h"

#include "envelope/bands.h"

namespace envelope {
namespace {

void note_band(const Time& t, const Pace& p, const Ledger& ledger) {
  if (!ledger || !t.band()) return;
  const Loud note(ledger);
  if (p.predicted) {
    note("time.fast", t.fast);
    note("time.slow", t.slow);
  } else {
    note("time.fast", t.fast, "time.full_mfu/time.full_mfu_high");
    note("time.slow", t.slow, "time.full_mfu/time.full_mfu_low");
  }
  note("time.gpu_time_low", t.fast * t.gpu_time, "time.fast*time.gpu_time");
  note("time.gpu_time_high", t.slow * t.gpu_time, "time.slow*time.gpu_time");
  note("time.total_low", t.fast * t.total, "time.fast*time.total");
  note("time.total_high", t.slow * t.total, "time.slow*time.total");
  note("time.step_low", t.fast * t.step, "time.fast*time.step");
  note("time.step_high", t.slow * t.step, "time.slow*time.step");
  note("time.mfu_low", t.mfu / t.slow, "time.mfu/time.slow");
  note("time.mfu_high", t.mfu / t.fast, "time.mfu/time.fast");
}

/// What of the step is work that has to be done, and the largest part that is not.
void note_shares(const StepTime& x, const Ledger& ledger) {
  const Loud note(ledger);
  const double compute = x.matmul + x.experts + x.attention + x.pointwise + x.head;
  note("step.compute", Seconds{compute},
       "step.matmul + step.experts + step.attention + step.pointwise + step.head");
  note("step.exposed", Seconds{x.tensor + x.context + x.expert + x.pipeline + x.data},
       "step.tensor + step.context + step.expert + step.pipeline + step.data");
  note("step.compute_share", compute / x.total, "step.compute/time.step");
  note("step.setback", Seconds{largest_setback(x).seconds},
       "max(step.recompute, max(step.tensor, max(step.context, max(step.expert, max(step.pipeline, "
       "max(step.bubble, max(step.data, max(step.optimizer, step.overhead))))))))");
  note("step.setback_share", largest_setback(x).seconds / x.total, "step.setback/time.step");
}

}  // namespace

Setback largest_setback(const StepTime& x) {
  const Setback all[] = {{"step.bubble", x.bubble},     {"step.recompute", x.recompute},
                         {"step.data", x.data},         {"step.tensor", x.tensor},
                         {"step.expert", x.expert},     {"step.context", x.context},
                         {"step.pipeline", x.pipeline}, {"step.optimizer", x.optimizer},
                         {"step.overhead", x.overhead}};
  Setback worst = all[0];
  for (const Setback& one : all)
    if (one.seconds > worst.seconds) worst = one;
  return worst;
}

Time time(const Scenario& s, const Architecture& a, const Compute& c, const Pace& p,
          const Layout& l, const Ledger& note) {
  Time t;
  const double gpus = l.used;
  t.ideal = note("time.ideal", p.gpu_time_ideal / gpus, "time.gpu_time_ideal/gpus.used");
  const Tokens batch = note("time.batch_tokens", Tokens{s.run.global_batch * sequence_length(s)},
                            s.model.kind == ModelKind::vit ? "run.global_batch*arch.image_tokens"
                                                           : "run.global_batch*run.seq");
  t.steps = note("time.steps", c.tokens / batch, "compute.tokens/time.batch_tokens");
  if (p.predicted) {
    t.step = note("time.step", Seconds{l.step.total},
                  "step.matmul + step.experts + step.attention + step.pointwise + step.head + "
                  "step.recompute + step.tensor + step.context + step.expert + step.pipeline + "
                  "step.bubble + step.data + step.optimizer + step.overhead");
    t.total = note("time.total", t.step * t.steps, "time.step*time.steps");
    t.gpu_time = note("time.gpu_time", t.total * gpus, "time.total*gpus.used");
    if (note) note_shares(l.step, note);
    const Band band = band_of(s, a, gpus);
    t.fast = band.low;
    t.slow = band.high;
  } else {
    t.gpu_time =
        given(s.run.gpu_time) ? note("time.gpu_time", p.gpu_time, "run.gpu_time") : p.gpu_time;
    t.total = note("time.total", t.gpu_time / gpus, "time.gpu_time/gpus.used");
    t.step = note("time.step", t.total / t.steps, "time.total/time.steps");
    t.fast = p.fast;
    t.slow = p.slow;
  }
  if (p.predicted || given(s.run.gpu_time)) {
    t.mfu = note("time.mfu", p.gpu_time_ideal / t.gpu_time, "time.gpu_time_ideal/time.gpu_time");
    t.achieved = note("time.achieved", t.mfu * p.peak, "time.mfu*time.peak");
  } else {
    t.mfu = p.mfu;
    t.achieved = p.achieved;
  }
  note_band(t, p, note);
  note("time.tokens_per_s", c.tokens / t.total, "compute.tokens/time.total");
  note("time.tokens_per_s_per_gpu", c.tokens / t.total / gpus, "time.tokens_per_s/gpus.used");
  const Flops spent = t.gpu_time * p.peak;
  note("mfu.causal", c.per_token_causal * c.tokens / spent,
       "compute.train_causal/(time.gpu_time*time.peak)");
  note("mfu.full", c.per_token_full * c.tokens / spent,
       "compute.train_full/(time.gpu_time*time.peak)");
  t.hfu = note("hfu", c.hardware / spent, "compute.hardware/(time.gpu_time*time.peak)");
  return t;
}

}  // namespace envelope
