// SPDX-License-Identifier: MIT
#include "envelope/chart.h"

#include <algorithm>
#include <cmath>

#include "envelope/catalog.h"
#include "envelope/sweep.h"
#include "envelope/trial.h"

namespace envelope {
namespace {

constexpr std::size_t kAlong = 41, kAcross = 9;  ///< Points of a line; of one side of a map.
constexpr std::size_t kRows = 24;                ///< Of the catalog, at most.
constexpr double kSmall = 64;                    ///< Up to here every whole number is tried.
constexpr double kReach = 16;                    ///< Times the present value, and a part of it.
constexpr double kMost = 1048576;                ///< No list of whole numbers goes beyond.

/// Three digits; more would say nothing on an axis.
double rounded(double x) {
  double up = 1, down = 1;
  while (x * up / down >= 1000) down *= 10;
  while (x > 0 && x * up / down < 100) up *= 10;
  return std::round(x * up / down) * down / up;
}

class Sides {
 public:
  Sides(const Scenario& s, const Trials& trials, std::size_t points)
      : s_(s), trials_(trials), points_(points) {}

  Side side(const ChartKeys::Side& asked) const {
    Side out;
    out.field = asked.field;
    switch (asked.field->type) {
      case Type::flag:
        out.values = {0, 1};
        out.why = "Off and on.";
        break;
      case Type::choice:
        for (std::size_t i = 0; i < asked.field->choices.size(); ++i)
          out.values.push_back(static_cast<double>(i));
        out.why = "All choices.";
        break;
      case Type::name:
        names(out);
        break;
      case Type::number:
        numbers(asked, out);
        break;
    }
    if (out.names.empty()) {
      const double now = trials_.present(*out.field);
      for (std::size_t i = 0; i < out.values.size(); ++i)
        if (out.values[i] == now) out.now = i;
    }
    return out;
  }

 private:
  void names(Side& out) const {
    const Value now = get(*out.field, s_);
    if (const std::vector<Row>* rows = rows_of(*out.field)) {
      std::vector<double> years;
      for (const Row& row : *rows) years.push_back(row.year);
      std::sort(years.begin(), years.end());
      // Of the oldest year that has a place, the first rows do.
      const double oldest = years.size() > kRows ? years[years.size() - kRows] : -1;
      std::size_t newer = 0;
      for (const double year : years) newer += year > oldest;
      std::size_t room = kRows - std::min(kRows, newer);
      for (const Row& row : *rows) {
        const bool is_now = Value(row.id) == now;
        if (!is_now && !(row.year > oldest) && (row.year < oldest || room == 0)) continue;
        if (!is_now && row.year == oldest) --room;
        out.names.push_back(row.id);
      }
      out.why = rows->size() > kRows ? "The newest rows of the catalog, and the present one."
                                     : "All rows of the catalog.";
    } else {
      out.names.emplace_back("median");
      for (const PriceRow& row : catalog().prices)
        if (row.accelerator == std::string_view(s_.gpu.id) && row.terms == s_.price.terms &&
            row.since <= s_.catalog.snapshot &&
            std::find(out.names.begin(), out.names.end(), row.provider) == out.names.end())
          out.names.push_back(row.provider);
      out.why = "The providers of the price list that rent out this accelerator on these terms.";
    }
    for (std::size_t i = 0; i < out.names.size(); ++i)
      if (Value(out.names[i]) == now) out.now = i;
  }

  void numbers(const ChartKeys::Side& asked, Side& out) const {
    const Field& f = *out.field;
    if (f.flags & kSelects) return;
    const double now = trials_.present(f);
    const bool whole = (f.flags & kWhole) != 0;
    double from = asked.from, to = asked.to;
    const bool chosen = given(from);
    if (chosen) {
      out.why = "The range that was asked for.";
    } else if (!given(now)) {
      return;
    } else if (whole && now <= kSmall) {
      from = std::max(f.min, 0.0);
      to = std::min(f.max, kSmall);
    } else if (f.unit == "ratio") {
      from = std::max(f.min, now / 2);
      to = std::min(f.max, now > 0 ? 2 * now : 0.5);
      out.why = "From half the present value to twice of it.";
    } else if (now > 0) {
      from = std::max(f.min, now / kReach);
      to = std::min(f.max, now * kReach);
      out.why = "From a sixteenth of the present value to sixteen times of it.";
    }
    if (!given(from) || !(from < to)) return;
    out.log = from > 0 && to / from >= 8;
    if (whole && to - from <= kSmall) {
      few(f, from, to, now, out);
    } else if (whole) {
      many(f, from, to, now, chosen, out);
    } else {
      out.values = spaced(f, from, to, points_, out.log);
      for (std::size_t i = 0; i < out.values.size(); ++i)
        if (!chosen || (i > 0 && i + 1 < out.values.size())) out.values[i] = rounded(out.values[i]);
      std::erase_if(out.values, [&](double x) { return !(x >= f.min && x <= f.max); });
    }
    if (given(now) && now >= from && now <= to) out.values.push_back(now);
    std::sort(out.values.begin(), out.values.end());
    out.values.erase(std::unique(out.values.begin(), out.values.end()), out.values.end());
  }

  bool keeps_rules(const Field& f, double x) const {
    const Setting setting[] = {{&f, x}};
    return trials_.breaks(trials_.with(setting)).empty();
  }

  /// Small whole numbers: those that the rules let through; of many, the powers of two.
  void few(const Field& f, double from, double to, double now, Side& out) const {
    for (double x = std::ceil(from); x <= to; ++x)
      if (x == now || keeps_rules(f, x)) out.values.push_back(x);
    bool thinned = false;
    if (out.values.size() > 12 && to - from + 1 > static_cast<double>(points_)) {
      std::erase_if(out.values, [&](double x) {
        const bool power_of_two = x >= 1 && std::fmod(kMost, x) == 0;
        return x != now && x != 0 && !power_of_two;
      });
      thinned = true;
    }
    out.log = thinned && from > 0;
    if (out.why.empty())
      out.why = thinned ? "Powers of two that keep the rules, and the present value."
                        : "Whole numbers that keep the rules.";
  }

  /// Large whole numbers: doublings of the present value, since what it is divided by divides them
  /// too, and on a line those between that keep the rules.
  void many(const Field& f, double from, double to, double now, bool chosen, Side& out) const {
    out.log = to >= 8 * std::max(from, 1.0);
    if (chosen)
      out.values = {from, to};
    else
      for (double x = now / kReach; x <= now * kReach; x *= 2)
        if (x == std::round(x) && x >= from && x <= to) out.values.push_back(x);
    if (!chosen && points_ != kAlong && out.values.size() > 4) return;
    const std::vector<double> between = spaced(f, std::max(from, 1.0), to, points_, out.log);
    for (const double x : between) {
      const double near = nearest(f, x, from, to);
      if (given(near)) out.values.push_back(near);
    }
    if (out.values.size() < 4)
      out.values.insert(out.values.end(), between.begin(), between.end());
    else if (!chosen)
      out.why += " Those that keep the rules, and doublings.";
  }

  /// The nearest value that keeps the rules, if it is not far.
  double nearest(const Field& f, double x, double from, double to) const {
    constexpr double kNear = 64;
    const double up = trials_.legal(f, x, std::min(to, x + kNear)),
                 down = trials_.legal(f, x, std::max(from, x - kNear));
    return given(down) && !(given(up) && up - x < x - down) ? down : up;
  }

  const Scenario& s_;
  const Trials& trials_;
  std::size_t points_;
};

Setting setting_of(const Side& side, std::size_t i) {
  if (side.names.empty()) return {side.field, side.values[i]};
  return {side.field, kNone, side.names[i]};
}

bool usable(const Side& side, Problems& problems) {
  if (side.size() > 1) return true;
  const Field& f = *side.field;
  problems.push_back({std::string(f.path), Severity::error, "no_range",
                      std::string(f.label) + " has no range of its own to be drawn along.",
                      f.type == Type::number && !(f.flags & kSelects)
                          ? "Give a value, or a range in the link."
                          : "Choose another input.",
                      ""});
  return false;
}

}  // namespace

Value Side::value(std::size_t i) const {
  if (!names.empty()) return names[i];
  if (field->type == Type::flag) return values[i] != 0;
  if (field->type == Type::choice)
    return std::string(field->choices[static_cast<std::size_t>(values[i])].id);
  return values[i];
}

const Metric& usual_metric(const Scenario& s) {
  const bool serve = s.run.task == Task::serve;
  const bool priced = given(s.price.usd_per_gpu_hour) || (!serve && given(s.price.bill));
  return *find_metric(serve    ? priced ? "cost.per_million_tokens" : "serving.tokens_per_s"
                      : priced ? "cost.total"
                               : "time.total");
}

Chart chart(const Scenario& s, const ChartKeys& keys, Problems& problems) {
  Chart out;
  out.metric = keys.metric ? keys.metric : &usual_metric(s);
  const Trials trials(s, *out.metric);
  out.now = trials.metric(out.metric->id);
  ChartKeys::Side x = keys.x;
  if (!x.field) x.field = field_by_path(s.run.task == Task::serve ? "serve.batch" : "cluster.gpus");
  const bool two = keys.y.field && keys.y.field != x.field;
  const Sides sides(s, trials, two ? kAcross : kAlong);
  out.x = sides.side(x);
  if (two) out.y = sides.side(keys.y);
  if (!usable(out.x, problems) || (two && !usable(out.y, problems))) return out;

  Trials at = trials;
  const std::size_t width = std::max<std::size_t>(1, out.y.size());
  for (std::size_t i = 0; i < out.x.size() * width; ++i) {
    std::vector<Setting> settings = {setting_of(out.x, i / width)};
    if (out.y.field) settings.push_back(setting_of(out.y, i % width));
    const Outcome here = at.run(at.with(settings));
    out.values.push_back(std::isfinite(here.value) ? here.value : kNone);
    out.marks.push_back(!here.legal ? Mark::broken : !here.fits ? Mark::too_large : Mark::none);
    std::size_t reason = kNowhere;
    if (!here.legal) {
      const auto known = std::find(out.sentences.begin(), out.sentences.end(), here.why);
      reason = static_cast<std::size_t>(known - out.sentences.begin());
      if (known == out.sentences.end()) out.sentences.push_back(here.why);
    }
    out.reasons.push_back(reason);
  }
  return out;
}

}  // namespace envelope
