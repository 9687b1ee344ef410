// SPDX-License-Identifier: MIT
#include "envelope/cost.h"

#include <algorithm>

#include "envelope/formats.h"

namespace envelope {

Cost cost(const Scenario& s, const Time& t, const Layout& l, const Goodput& g,
          const Serving& serving, const Ledger& note) {
  Cost c;
  const bool serve = s.run.task == Task::serve;
  const double hours = serve ? 0 : note("time.gpu_hours", t.gpu_time / kHour, "time.gpu_time/3600");
  if (given(s.price.bill) && !serve)
    c.price = note("cost.price", s.price.bill / hours, "price.bill/time.gpu_hours");
  else if (given(s.price.usd_per_gpu_hour))
    c.price = note("cost.price", s.price.usd_per_gpu_hour, "price.usd_per_gpu_hour");

  if (given(c.price)) {
    note("cost.per_hour", Dollars{c.price * l.used}, "cost.price*gpus.used");
    if (serve) {
      note("cost.per_million_tokens",
           Dollars{c.price * l.used / 3600 / serving.tokens_per_s.value * 1e6},
           "cost.price*gpus.used/3600/serving.tokens_per_s*1e6");
    } else {
      c.total = note("cost.total", Dollars{c.price * hours}, "cost.price*time.gpu_hours");
      if (!given(s.run.gpu_time))
        note("cost.wall", Dollars{c.price * l.used * (g.wall / kHour)},
             "cost.price*time.wall_gpu_hours");
      if (t.band()) {
        note("cost.total_low", Dollars{c.price * (t.fast * t.gpu_time / kHour)},
             "cost.price*time.gpu_time_low/3600");
        note("cost.total_high", Dollars{c.price * (t.slow * t.gpu_time / kHour)},
             "cost.price*time.gpu_time_high/3600");
      }
    }
  }
  if (given(s.gpu.tdp) && !serve) note("cost.energy", s.gpu.tdp * hours, "gpu.tdp*time.gpu_hours");
  if (given(s.gpu.purchase)) {
    note("cost.buy", Dollars{l.used * s.gpu.purchase}, "gpus.used*gpu.purchase");
    if (given(c.price) && c.price > 0)
      note("cost.break_even", s.gpu.purchase / c.price * kHour, "gpu.purchase/cost.price*3600");
  }
  return c;
}

void largest(const Scenario& s, const Layout& l, const Ledger& note) {
  const Bytes room =
      note("fit.room", Bytes{l.used * std::max(0.0, s.gpu.memory - s.cluster.reserve)},
           "gpus.used*max(0, gpu.memory - cluster.reserve)");
  const bool blog = s.states.rule == MemoryRule::blog;
  const double extra =
      s.states.activations == ActivationRule::per_parameter ? s.states.activation_bytes : 0;
  const double trained = bytes_per_value(s.states.weights);
  const double held = s.run.task == Task::serve ? bytes_per_value(s.serve.weights) : trained;
  const double inference = note("fit.bytes_inference", blog ? 4 : held);
  const double full = note("fit.bytes_full", blog ? 24 : state_bytes(s.states) + extra);
  const double lora = note("fit.bytes_lora", blog ? 8 : trained);
  const double qlora = note("fit.bytes_qlora", bytes_per_value(s.tune.base));
  // A format of no bytes sets no limit.
  if (inference > 0)
    note("fit.params_inference", room / Bytes{inference}, "fit.room/fit.bytes_inference");
  if (full > 0) note("fit.params_full", room / Bytes{full}, "fit.room/fit.bytes_full");
  if (lora > 0) note("fit.params_lora", room / Bytes{lora}, "fit.room/fit.bytes_lora");
  if (qlora > 0) note("fit.params_qlora", room / Bytes{qlora}, "fit.room/fit.bytes_qlora");
}

}  // namespace envelope
