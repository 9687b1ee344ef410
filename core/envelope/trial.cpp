// SPDX-License-Identifier: MIT
#include "envelope/trial.h"

#include <algorithm>
#include <cmath>

#include "envelope/patch.h"
#include "envelope/rules.h"

namespace envelope {
namespace {

constexpr int kTries = 4096;  ///< Whole numbers looked at for one that is legal.

/// What the pipeline chose where an input is empty.
constexpr struct {
  std::string_view path, metric;
} kChosen[] = {{"run.tokens", "compute.tokens"},
               {"run.mfu", "time.mfu"},
               {"serve.mfu", "serving.mfu"},
               {"serve.mbu", "serving.mbu"},
               {"cluster.gpus", "gpus.used"},
               {"cluster.tp", "layout.tp"},
               {"price.usd_per_gpu_hour", "cost.price"},
               {"model.params", "params.total"},
               {"model.active", "params.active"},
               {"run.compute", "compute.train"},
               {"run.deadline", "time.total"},
               {"reliability.checkpoint_every", "goodput.interval"},
               {"reliability.checkpoint_time", "goodput.checkpoint_time"},
               {"scaling.flop_budget", "scaling.budget"}};

/// The last entry of an id. Ledgers of like scenarios are alike, so it is looked for first where it
/// was last; an id is written once.
double find(std::span<const Step> steps, std::string_view id, std::size_t& at) {
  if (at < steps.size() && steps[at].id == id) return steps[at].value;
  for (std::size_t i = steps.size(); i-- > 0;)
    if (steps[i].id == id) return steps[at = i].value;
  return kNone;
}

bool serious(const Problem& p) { return p.severity != Severity::note && p.code != "not_used"; }

}  // namespace

Trials::Trials(const Scenario& base, const Metric& metric)
    : base_(base), patch_(diff(base)), metric_(metric), problems_(check(base)) {
  own_.reserve(512);
  steps_.reserve(512);
  estimate(base, Ledger(own_));
}

Scenario Trials::with(std::span<const Setting> settings) const {
  Scenario s = base_;
  const auto selects = [](const Setting& a) { return (a.field->flags & kSelects) != 0; };
  if (std::any_of(settings.begin(), settings.end(), selects)) {
    Patch patch = patch_;
    for (const Setting& a : settings) {
      if (!selects(a)) continue;
      std::erase_if(patch, [&](const auto& entry) { return entry.first == a.field->path; });
      Value value = std::string(a.name);
      if (a.field->type == Type::choice)
        value = std::string(a.field->choices[static_cast<std::size_t>(a.value)].id);
      else if (a.field->type == Type::number)
        value = a.value;
      patch.emplace_back(a.field->path, std::move(value));
    }
    Problems ignored;
    s = scenario_of(patch, ignored);
  }
  for (const Setting& a : settings)
    if (!selects(a)) set_number(*a.field, s, a.value);
  return s;
}

std::string Trials::breaks(const Scenario& s) const {
  for (Problem& p : check(s)) {
    if (!serious(p)) continue;
    const auto same = [&](const Problem& b) { return b.path == p.path && b.code == p.code; };
    if (std::none_of(problems_.begin(), problems_.end(), same)) return std::move(p.message);
  }
  return {};
}

Outcome Trials::run(const Scenario& s, bool own) {
  Outcome out;
  steps_.clear();
  estimate(s, Ledger(steps_));
  out.value = find(steps_, metric_.id, value_at_);
  out.fits = !(find(steps_, "layout.free", free_at_) < 0);
  if (own) {
    out.why = breaks(s);
    out.legal = out.why.empty();
    return out;
  }
  for (Problem& p : check(s))
    if (serious(p)) return out.legal = false, out.why = std::move(p.message), out;
  return out;
}

double Trials::legal(const Field& field, double value, double end) const {
  const double step = end < value ? -1 : 1;
  double x = value;
  for (int i = 0; i < kTries && x >= field.min && x <= field.max; ++i, x += step) {
    const Setting setting[] = {{&field, x}};
    if (breaks(with(setting)).empty()) return x;
    if (x == end) break;
  }
  return kNone;
}

double Trials::metric(std::string_view id) const {
  std::size_t at = own_.size();
  return find(own_, id, at);
}

double Trials::present(const Field& field) const {
  const double x = get_number(field, base_);
  if (given(x)) return x;
  for (const auto& [path, id] : kChosen)
    if (path == field.path) return metric(id);
  return kNone;
}

}  // namespace envelope
