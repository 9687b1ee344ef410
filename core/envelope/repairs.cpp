// SPDX-License-Identifier: MIT
#include "envelope/repairs.h"

#include <algorithm>
#include <cmath>

#include "envelope/patch.h"
#include "envelope/rules.h"

namespace envelope {
namespace {

/// Values tried on either side of the present one.
constexpr int kTries = 4096;

bool divides(double a, double b) { return a > 0 && std::fmod(b, a) == 0; }

std::string shown(const Field& f, const Scenario& s) {
  if (f.type == Type::flag) return get_number(f, s) != 0 ? "on" : "off";
  if (f.type == Type::choice)
    return std::string(f.choices[static_cast<std::size_t>(get_number(f, s))].label);
  const double x = get_number(f, s);
  return given(x) ? number_text(x) : "empty";
}

class Repairs {
 public:
  Repairs(const Scenario& s, Problems& problems) : s_(s), before_(problems) {}

  void find(Problem& p) {
    problem_ = &p;
    const Cluster& c = s_.cluster;
    const Model& m = s_.model;
    const double tp = given(c.tp) ? c.tp : 1, heads = m.heads;
    if (p.path == "cluster.tp") {
      around("cluster.tp", 1, 1e5, [&](double x) { return divides(x, heads); });
      if (p.code == "beyond_domain") offer({{"cluster.tp_across", true}});
    } else if (p.path == "cluster.gpus") {
      const bool serve = s_.run.task == Task::serve;
      around("cluster.gpus", serve ? tp : tp * c.pp * c.cp, 1e9, any);
      if (p.code == "too_few" && !serve) {
        around("cluster.tp", 1, tp, [&](double x) { return divides(x, heads); });
        around("cluster.pp", 1, c.pp, any);
        around("cluster.cp", 1, c.cp, any);
      }
    } else if (p.path == "cluster.pp") {
      around("cluster.pp", 1, m.layers, any);
      if (p.code == "uneven") ends();
      if (p.code == "odd") offer(choice("cluster.schedule", "dualpipe-v"));
    } else if (p.path == "cluster.ep") {
      around("cluster.ep", 1, m.experts, [&](double x) { return divides(x, m.experts); });
      if (p.code != "not_divisible") around("cluster.gpus", tp * c.pp * c.cp, 1e9, any);
    } else if (p.path == "cluster.etp") {
      around("cluster.etp", 1, m.moe_ffn, [&](double x) { return divides(x, m.moe_ffn); });
      offer({{"cluster.etp", std::string("auto")}});
    } else if (p.path == "cluster.cp") {
      around("cluster.cp", 1, heads, [&](double x) { return divides(x, heads); });
      offer(choice("cluster.cp_kind", "ring"));
    } else if (p.path == "run.seq") {
      around("run.seq", sequence_unit(s_), 1e12, any);
    } else if (p.path == "run.global_batch") {
      batch();
    } else if (p.path == "cluster.virtual_stages" && p.severity == Severity::warning) {
      around("cluster.virtual_stages", 1, m.layers + kEnds, any);
    } else if (p.path == "cluster.first_layers" || p.path == "cluster.last_layers") {
      ends();
      offer({{"cluster.first_layers", std::string("auto")},
             {"cluster.last_layers", std::string("auto")}});
    } else if (p.path == "cluster.shard") {
      double most = 1;
      for (const double dp : data_parallel(s_)) most = std::max(most, dp * c.cp);
      around("cluster.shard", 1, most, any);
      offer({{"cluster.shard", std::string("auto")}});
    } else if (p.path == "cluster.zero") {
      offer({{"cluster.zero", 1.0}});
    } else if (p.path == "cluster.sp") {
      offer({{"cluster.sp", true}});
      around("cluster.tp", 1, 1, any);
    } else if (p.path == "states.in_backward") {
      offer({{"states.in_backward", false}});
      batch();
    }
    if (p.code == "not_used") usual(p.path);
  }

 private:
  static bool any(double) { return true; }

  static Patch choice(const char* path, const char* id) { return {{path, std::string(id)}}; }

  /// Whether the patch ends the problem and breaks no rule that was kept.
  bool ends_it(const Scenario& t) const {
    for (const Problem& p : check(t)) {
      if (p.path == problem_->path && p.code == problem_->code) return false;
      const auto same = [&](const Problem& b) { return b.path == p.path && b.code == p.code; };
      if (p.severity == Severity::warning && std::none_of(before_.begin(), before_.end(), same))
        return false;
    }
    return true;
  }

  bool offer(Patch patch) {
    Scenario t = s_;
    if (!envelope::apply(patch, t).empty()) return false;  // libc++ sees std::apply as well
    std::string label;
    bool changed = false;
    for (const auto& [path, value] : patch) {
      const Field& f = *field_by_path(path);
      changed = changed || !same(f, s_, t);
      label.append(label.empty() ? "" : ", ").append(f.label).append(": ").append(shown(f, t));
    }
    if (!changed || !ends_it(t)) return false;
    problem_->repairs.push_back({std::move(label), std::move(patch)});
    return true;
  }

  /// The nearest multiples of `step` on both sides, up to `most`, of those that `may` be.
  template <class May>
  void around(std::string_view path, double step, double most, const May& may) {
    const Field& f = *field_by_path(path);
    const double now = get_number(f, s_),
                 from = std::min(given(now) ? now : step, std::floor(most / step + 1) * step);
    if (!(step >= 1)) return;
    for (const double way : {-1., 1.}) {
      double x = (way < 0 ? std::ceil(from / step) : std::floor(from / step)) * step;
      for (int tries = 0; tries < kTries; ++tries) {
        x += way * step;
        if (x < std::max(f.min, 1.0) || x > std::min(f.max, most)) break;
        if (!may(x)) continue;
        Scenario t = s_;
        put(f, x, t);
        if (!ends_it(t)) continue;
        offer({{std::string(path), x}});
        break;
      }
    }
  }

  void batch() {
    const Cluster& c = s_.cluster;
    const DataParallel dps = data_parallel(s_);
    const double dp = dps.size() == 1 ? dps.front() : 1;
    around("run.global_batch", s_.run.micro_batch * dp, 1e12, any);
    if (problem_->code == "not_interleaved") offer({{"cluster.virtual_stages", 1.0}});
    if (problem_->code == "too_few_micro_batches" && c.pp > 1)
      offer(choice("cluster.schedule", "1f1b"));
  }

  /// As many layers on the first and the last stage as make the others even: the nearest below.
  void ends() {
    Scenario t = s_;
    const double layers = s_.model.layers, share = std::ceil(layers / s_.cluster.pp);
    for (double both = 2 * share; both >= 2; --both) {
      t.cluster.last_layers = std::floor(both / 2);
      t.cluster.first_layers = both - t.cluster.last_layers;
      if (!ends_it(t)) continue;
      offer({{"cluster.first_layers", t.cluster.first_layers},
             {"cluster.last_layers", t.cluster.last_layers}});
      return;
    }
  }

  /// The value that the recipe, the framework or the table would have.
  void usual(const std::string& path) {
    const Field& f = *field_by_path(path);
    Patch chosen;
    for (const Field& g : fields())
      if (g.flags & kSelects) chosen.emplace_back(g.path, get(g, s_));
    Problems none;
    const Scenario t = scenario_of(chosen, none);
    offer({{path, get(f, t)}});
  }

  const Scenario& s_;
  const Problems before_;
  Problem* problem_ = nullptr;
};

}  // namespace

void repair(const Scenario& s, Problems& problems) {
  Repairs repairs(s, problems);
  for (Problem& p : problems) repairs.find(p);
}

}  // namespace envelope
