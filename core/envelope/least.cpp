// SPDX-License-Identifier: MIT
#include "envelope/least.h"

#include <algorithm>
#include <cmath>

namespace envelope {
namespace {

bool divides(double a, double b) { return a > 0 && std::fmod(b, a) == 0; }

std::string label_of(const Scenario& s) {
  std::string out;
  const auto say = [&](std::string_view name, double ways) {
    if (ways > 1)
      out.append(out.empty() ? "" : ", ").append(name).append(" ").append(number_text(ways));
  };
  say("TP", given(s.cluster.tp) ? s.cluster.tp : 1);
  say("PP", s.cluster.pp);
  say("CP", s.cluster.cp);
  say("EP", s.cluster.ep);
  return out.empty() ? "data parallel only" : out;
}

}  // namespace

Least least_layout(const Scenario& s, const Report& r) {
  Least best;
  if (s.states.rule == MemoryRule::blog || !r.architecture.known) return best;
  if (s.run.task == Task::serve) {
    Scenario free = s;
    free.cluster.tp = free.cluster.gpus = kNone;
    const double n = estimate(free).layout.to_fit;
    if (!given(n)) return best;
    return {n,
            n > 1 ? "TP " + number_text(n) : "one GPU",
            {{"cluster.gpus", n}, {"cluster.tp", std::string("auto")}}};
  }
  const Model& m = s.model;
  const bool moe = r.architecture.moe_layers > 0;
  const double domain = std::min(s.gpu.domain, 16.0);
  double simplest = INFINITY;
  for (double tp = 1; tp <= domain; tp *= 2) {
    if (!splits_heads(m, tp)) continue;
    for (double pp = 1; pp <= std::min(16.0, m.layers); pp *= 2) {
      for (double ep = 1; ep <= (moe ? std::min(m.experts, 64.0) : 1); ep *= 2) {
        if (moe && !divides(ep, m.experts)) continue;
        Scenario t = s;
        t.cluster.tp = tp;
        t.cluster.pp = pp;
        t.cluster.ep = ep;
        t.cluster.gpus = t.cluster.etp = t.cluster.shard = kNone;
        if (pp != s.cluster.pp) t.cluster.first_layers = t.cluster.last_layers = kNone;
        if (pp == 1) t.cluster.virtual_stages = 1;
        const Ranks ranks(t, r.architecture, r.memory, r.activations, tp);
        // A replica larger than what is found already need not be tried.
        if (given(best.gpus) && ranks.replica() * ranks.step() > best.gpus) continue;
        const double dp = ranks.fewest(usable(t, tp).value);
        if (!given(dp)) continue;
        const double n = dp * ranks.replica(), parts = tp * pp * ep;
        if (given(best.gpus) && (n > best.gpus || (n == best.gpus && parts >= simplest))) continue;
        simplest = parts;
        best.gpus = n;
        best.label = label_of(t);
        best.patch = {{"cluster.gpus", n}, {"cluster.tp", tp}, {"cluster.pp", pp}};
        if (moe) {
          best.patch.emplace_back("cluster.ep", ep);
          best.patch.emplace_back("cluster.etp", std::string("auto"));
        }
        if (given(s.cluster.shard)) best.patch.emplace_back("cluster.shard", std::string("auto"));
        if (pp != s.cluster.pp) {
          best.patch.emplace_back("cluster.first_layers", std::string("auto"));
          best.patch.emplace_back("cluster.last_layers", std::string("auto"));
        }
        if (t.cluster.virtual_stages != s.cluster.virtual_stages)
          best.patch.emplace_back("cluster.virtual_stages", 1.0);
      }
    }
  }
  return best;
}

}  // namespace envelope
