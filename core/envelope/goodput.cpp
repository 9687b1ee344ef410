// SPDX-License-Identifier: MIT
#include "envelope/goodput.h"

#include <algorithm>
#include <cmath>

namespace envelope {

Goodput goodput(const Scenario& s, const Memory& m, const Time& t, double gpus,
                const Ledger& note) {
  const Reliability& r = s.reliability;
  if (given(s.run.gpu_time)) return {.share = 1, .wall = t.total};
  const double mtbf = note("goodput.mtbf", r.mtbf / gpus, "reliability.mtbf/gpus.used");
  const double cost =
      given(r.checkpoint_time)
          ? note("goodput.checkpoint_time", r.checkpoint_time, "reliability.checkpoint_time")
          : note("goodput.checkpoint_time", m.checkpoint.value / (gpus * r.storage),
                 "memory.checkpoint/(gpus.used*reliability.storage)");
  // The best interval for few failures; a step cannot be saved in parts.
  const double every =
      given(r.checkpoint_every)
          ? note("goodput.interval", r.checkpoint_every, "reliability.checkpoint_every")
          : note("goodput.interval", std::max(t.step.value, std::sqrt(2 * cost * mtbf)),
                 "max(time.step, sqrt(2*goodput.checkpoint_time*goodput.mtbf))");
  // For each second of training: checkpoints, then failures of both. A failure takes half an
  // interval of work, and a restart.
  const double saving = 1 + cost / every, half = (every + cost) / 2 / mtbf,
               again = r.restart / mtbf;
  Goodput g;
  g.share = note("goodput", (1 - r.evaluation) / (saving * (1 + half + again)),
                 "(1 - reliability.evaluation)/((1 + goodput.checkpoint_time/goodput.interval)*(1 "
                 "+ ((goodput.interval + goodput.checkpoint_time)/2 + reliability.restart)/"
                 "goodput.mtbf))");
  g.wall = note("time.wall", t.total / g.share, "time.total/goodput");
  if (!note) return g;
  note("goodput.checkpoint", g.share * cost / every,
       "goodput*goodput.checkpoint_time/goodput.interval");
  note("goodput.lost", g.share * saving * half,
       "goodput*(1 + goodput.checkpoint_time/goodput.interval)*(goodput.interval + "
       "goodput.checkpoint_time)/2/goodput.mtbf");
  note("goodput.restart", g.share * saving * again,
       "goodput*(1 + goodput.checkpoint_time/goodput.interval)*reliability.restart/goodput.mtbf");
  note("goodput.evaluation", r.evaluation, "reliability.evaluation");
  note("goodput.failures", t.total.value * saving / mtbf,
       "time.total*(1 + goodput.checkpoint_time/goodput.interval)/goodput.mtbf");
  note("time.wall_gpu_hours", gpus * g.wall / kHour, "gpus.used*time.wall/3600");
  return g;
}

}  // namespace envelope
