// SPDX-License-Identifier: MIT
#include "envelope/least.h"

#include <algorithm>
#include <cmath>

#include "envelope/rules.h"

namespace envelope {
namespace {

bool divides(double a, double b) { return a > 0 && std::fmod(b, a) == 0; }

std::string label_of(const Scenario& s, double asked_zero) {
  std::string out;
  const auto say = [&](std::string_view name, double ways) {
    if (ways > 1)
      out.append(out.empty() ? "" : ", ").append(name).append(" ").append(number_text(ways));
  };
  say("TP", given(s.cluster.tp) ? s.cluster.tp : 1);
  say("PP", s.cluster.pp);
  say("CP", s.cluster.cp);
  say("EP", s.cluster.ep);
  if (s.cluster.zero < asked_zero) out.append(", ZeRO-").append(number_text(s.cluster.zero));
  return out.empty() ? "data parallel only" : out;
}

/// Whether a layout breaks no rule beyond those that the scenario breaks anyway.
bool legal(const Scenario& layout, const Problems& before) {
  for (const Problem& p : check(layout)) {
    const auto same = [&](const Problem& b) { return b.path == p.path && b.code == p.code; };
    if (p.severity == Severity::warning && std::none_of(before.begin(), before.end(), same))
      return false;
  }
  return true;
}

/// The layouts to try; the fewest GPUs so far.
class Search {
 public:
  Search(const Scenario& s, const Report& r) : s_(s), r_(r), before_(check(s)) {}

  void pipelines(double from, double to) {
    const double domain = std::min(s_.gpu.domain, 16.0);
    const bool moe = r_.architecture.moe_layers > 0;
    for (double tp = 1; tp <= domain; tp *= 2) {
      if (!splits_heads(s_.model, tp)) continue;
      for (double pp = from; pp <= std::min(to, s_.model.layers); pp *= 2)
        for (double ep = 1; ep <= (moe ? std::min(s_.model.experts, 64.0) : 1); ep *= 2)
          if (!moe || divides(ep, s_.model.experts)) attempt(tp, pp, ep);
    }
  }
  const Least& best() const { return best_; }

 private:
  void attempt(double tp, double pp, double ep) {
    Scenario t = s_;
    Cluster& c = t.cluster;
    c.tp = tp;
    c.pp = pp;
    c.ep = ep;
    c.gpus = c.etp = c.shard = kNone;
    if (pp != s_.cluster.pp) {
      c.first_layers = c.last_layers = kNone;
      c.virtual_stages = 1;
    }
    if (pp > 1 && !shards_in_pipeline(t)) c.zero = std::min(c.zero, 1.0);
    const Ranks ranks(t, r_.architecture, r_.memory, r_.activations, tp);
    const double parts = tp * pp * ep;
    const auto no_better = [&](double n) {
      return given(best_.gpus) && (n > best_.gpus || (n == best_.gpus && parts >= parts_));
    };
    // A replica larger than what is found already need not be tried.
    if (no_better(ranks.replica() * ranks.step())) return;
    double dp = ranks.fewest(usable(t, tp, 1).value, usable(t, tp, 2).value);
    // From there up to the first that keeps every rule.
    for (int i = 0; i < 64 && given(dp); ++i, dp = ranks.legal(dp + ranks.step())) {
      const double n = dp * ranks.replica();
      if (no_better(n)) return;
      c.gpus = n;
      if (!legal(t, before_)) continue;
      parts_ = parts;
      best_ = {n, label_of(t, s_.cluster.zero), {}};
      for (const Field& f : fields())
        if (f.path.starts_with("cluster.") && !same(f, s_, t))
          best_.patch.emplace_back(f.path, get(f, t));
      return;
    }
  }

  const Scenario& s_;
  const Report& r_;
  Problems before_;
  Least best_;
  double parts_ = INFINITY;
};

/// Serving chooses its own tensor parallelism, and copies what is left over.
Least least_serving(const Scenario& s) {
  Scenario free = s;
  free.cluster.tp = free.cluster.gpus = kNone;
  const Layout l = estimate(free).layout;
  if (!given(l.to_fit)) return {};
  std::string label = l.tp > 1 ? "TP " + number_text(l.tp) : l.dp > 1 ? "" : "one GPU";
  if (l.dp > 1)
    label.append(label.empty() ? "" : ", ").append(number_text(l.dp)).append(" replicas");
  return {l.to_fit,
          std::move(label),
          {{"cluster.gpus", l.to_fit}, {"cluster.tp", std::string("auto")}}};
}

}  // namespace

Least least_layout(const Scenario& s, const Report& r) {
  if (s.states.rule == MemoryRule::blog || !r.architecture.known) return {};
  if (s.run.task == Task::serve) return least_serving(s);
  Search search(s, r);
  search.pipelines(1, 16);
  if (!given(search.best().gpus)) search.pipelines(32, 64);
  return search.best();
}

}  // namespace envelope
