// SPDX-License-Identifier: MIT
#include "envelope/search.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

namespace envelope {
namespace {

bool trains(const Scenario& s) { return s.run.task != Task::serve; }
/// Serving has no time of a run, and no cost of one; training has no speed of answers.
double training(const Scenario& s, double value) { return trains(s) ? value : kNone; }
double serving(const Scenario& s, double value) { return trains(s) ? kNone : value; }
/// A known GPU time of the run holds its interruptions already.
double interrupted(const Scenario& s, double value) {
  return given(s.run.gpu_time) ? kNone : training(s, value);
}

// Words for words what the stages note in the ledger; a test compares.
using Follows = Measure::Follows;
constexpr Measure kMeasures[] = {
    {"cost.energy", false, Follows::time,
     [](const Scenario& s, const Report& r) {
       return training(s, s.gpu.tdp * (r.time.gpu_time / kHour));
     }},
    {"cost.per_million_tokens", false, Follows::neither,
     [](const Scenario& s, const Report& r) {
       return serving(s, r.cost.price * r.layout.used / 3600 / r.serving.tokens_per_s.value * 1e6);
     }},
    {"cost.total", false, Follows::time,
     [](const Scenario& s, const Report& r) {
       return given(r.cost.price) ? training(s, r.cost.total.value) : kNone;
     }},
    {"cost.wall", false, Follows::neither,
     [](const Scenario& s, const Report& r) {
       return interrupted(s, r.cost.price * r.layout.used * (r.goodput.wall / kHour));
     }},
    {"goodput", true, Follows::neither,
     [](const Scenario& s, const Report& r) { return interrupted(s, r.goodput.share); }},
    {"gpus.used", false, Follows::gpus,
     [](const Scenario&, const Report& r) { return r.layout.used; }},
    {"hfu", true, Follows::neither,
     [](const Scenario& s, const Report& r) { return training(s, r.time.hfu); }},
    {"layout.free", true, Follows::memory,
     [](const Scenario&, const Report& r) { return r.layout.free.value; }},
    {"layout.per_gpu", false, Follows::memory,
     [](const Scenario&, const Report& r) { return r.layout.per_gpu.value; }},
    {"serving.latency", false, Follows::neither,
     [](const Scenario& s, const Report& r) { return serving(s, r.serving.latency.value); }},
    {"serving.tokens_per_s", true, Follows::neither,
     [](const Scenario& s, const Report& r) { return serving(s, r.serving.tokens_per_s.value); }},
    {"time.gpu_time", false, Follows::time,
     [](const Scenario& s, const Report& r) { return training(s, r.time.gpu_time.value); }},
    {"time.mfu", true, Follows::time,
     [](const Scenario& s, const Report& r) { return training(s, r.time.mfu); }},
    {"time.step", false, Follows::time,
     [](const Scenario& s, const Report& r) { return training(s, r.time.step.value); }},
    {"time.total", false, Follows::time,
     [](const Scenario& s, const Report& r) { return training(s, r.time.total.value); }},
    {"time.wall", false, Follows::neither,
     [](const Scenario& s, const Report& r) { return interrupted(s, r.goodput.wall.value); }},
};

/// What the search orders by: less is better, and nothing known is worst.
double badness(const Measure* measure, double value) {
  return std::isnan(value) ? INFINITY : measure->more ? -value : value;
}

/// Points that are the same plan: a combination of the axes that tell plans apart.
std::size_t plan_size(const Space& space) {
  std::size_t n = 1;
  if (space.distinct > 0)
    for (std::size_t a = space.distinct; a < space.axes.size(); ++a)
      n *= space.axes[a].axis.values.size();
  return n;
}

/// Of equals those come first that are better in what the front compares, in its order.
struct Order {
  const Measure* least;
  std::span<const Measure* const> front;
  bool operator()(const Candidate& a, const Candidate& b) const {
    double x = badness(least, a.value), y = badness(least, b.value);
    for (std::size_t k = 0; x == y && k < front.size(); ++k) {
      x = badness(front[k], a.objectives[k]);
      y = badness(front[k], b.objectives[k]);
    }
    return x != y ? x < y : a.point < b.point;
  }
};

/// The best plans so far, best first.
struct Best {
  const Measure* least;
  std::span<const Measure* const> front;
  std::size_t keep, plan;
  std::vector<Candidate>& kept;

  bool full() const { return kept.size() == keep; }
  /// Where the plan of a point stands, if it does.
  std::vector<Candidate>::iterator same(std::size_t point) const {
    return std::find_if(kept.begin(), kept.end(),
                        [&](const Candidate& c) { return c.point / plan == point / plan; });
  }
  /// Whether one of so many points, which are at best this good, would be kept.
  bool takes(const Candidate& one, std::size_t points = 1) const {
    const Order before{least, front};
    if (full() && (keep == 0 || !before(one, kept.back()))) return false;
    if (points > plan) return true;
    const auto at = same(one.point);
    return at == kept.end() || before(one, *at);
  }
  void add(const Candidate& one) {
    if (!takes(one)) return;
    if (const auto at = same(one.point); at != kept.end())
      kept.erase(at);
    else if (full())
      kept.pop_back();
    kept.insert(std::lower_bound(kept.begin(), kept.end(), one, Order{least, front}), one);
  }
};

/// Nowhere worse. Of equals the first point stays.
bool dominates(std::span<const Measure* const> front, const Candidate& a, const Candidate& b) {
  bool equal = true;
  for (std::size_t k = 0; k < front.size(); ++k) {
    const double x = badness(front[k], a.objectives[k]), y = badness(front[k], b.objectives[k]);
    if (x > y) return false;
    equal = equal && x == y;
  }
  return !equal || a.point < b.point;
}

void put_on_front(std::span<const Measure* const> front, std::vector<Candidate>& all,
                  const Candidate& one) {
  if (front.empty()) return;
  for (const Candidate& other : all)
    if (other.point == one.point || dominates(front, other, one)) return;
  std::erase_if(all, [&](const Candidate& other) { return dominates(front, one, other); });
  const auto by_point = [](const Candidate& a, const Candidate& b) { return a.point < b.point; };
  all.insert(std::lower_bound(all.begin(), all.end(), one, by_point), one);
}

void count(std::vector<Rejection>& all, std::string_view path, std::string_view code,
           std::size_t n) {
  const auto before = [&](const Rejection& r) {
    return r.path != path ? r.path < path : r.code < code;
  };
  const auto at = std::partition_point(all.begin(), all.end(), before);
  if (at != all.end() && at->path == path && at->code == code)
    at->count += n;
  else
    all.insert(at, {std::string(path), std::string(code), n});
}

}  // namespace

std::vector<const Measure*> measures_of(std::span<const Metric* const> metrics) {
  std::vector<const Measure*> out;
  for (const Metric* m : metrics) out.push_back(find_measure(m->id));
  return out;
}

std::span<const Measure> measures() { return kMeasures; }

const Measure* find_measure(std::string_view metric) {
  for (const Measure& m : kMeasures)
    if (m.metric == metric) return &m;
  return nullptr;
}

std::size_t points(const Space& space) {
  std::size_t n = 1;
  for (const SearchAxis& a : space.axes) n *= a.axis.values.size();
  return n;
}

Scenario scenario_at(const Space& space, std::size_t point) {
  Scenario s = space.base;
  for (std::size_t a = space.axes.size(); a-- > 0;) {
    const Axis& axis = space.axes[a].axis;
    set_number(*axis.field, s, axis.values[point % axis.values.size()]);
    point /= axis.values.size();
  }
  return s;
}

void merge(const Space& space, Found& to, const Found& from) {
  const Measure* least = find_measure(space.least->id);
  const std::vector<const Measure*> front = measures_of(space.front);
  Best best{least, front, space.keep, plan_size(space), to.kept};
  for (const Candidate& one : from.kept) best.add(one);
  for (const Candidate& one : from.front) put_on_front(front, to.front, one);
  to.tally.examined += from.tally.examined;
  to.tally.evaluated += from.tally.evaluated;
  to.tally.fit += from.tally.fit;
  to.tally.skipped += from.tally.skipped;
  for (const Rejection& r : from.tally.rejected) count(to.tally.rejected, r.path, r.code, r.count);
}

struct Search::State {
  /// What changes with an axis: the stages before the layout, and those of the pipeline.
  enum : unsigned { kOuter = 1, kStages = 2, kEverything = 3 };
  struct Dial {
    const Field* field;
    std::span<const double> values;
    Slot slot;
    unsigned turns;
    int group;  ///< The first group of rules that reads it.
    std::size_t digit = 0;
    std::size_t inside = 1;  ///< Points of the axes further in.
    std::size_t stride = 0;  ///< Among the combinations of the outer axes.
  };
  /// The stages before the layout of one combination of outer axes; the others are overwritten.
  struct Entry {
    std::size_t key;
    bool quick;  ///< The step is predicted, rank by rank.
    Report report;
  };
  struct Count {
    std::string_view path, code;
    std::size_t count;
  };
  static constexpr std::size_t kEntries = 4096;

  State(const Space& asked, std::size_t from, std::size_t end, Found so_far)
      : space(asked),
        to(std::min(end, points(asked))),
        found(std::move(so_far)),
        s(asked.base),
        program(program_of(asked.base)),
        least(find_measure(asked.least->id)),
        front(measures_of(asked.front)),
        best{least, front, asked.keep, plan_size(asked), found.kept} {
    found.next = std::max(found.next, from);
    for (const Limit& l : space.limits) limits.push_back(find_measure(l.metric->id));
    for (const Measure* m : front) walls = walls || reads_wall(m);
    for (const Measure* m : limits) walls = walls || reads_wall(m);
    walls = walls || reads_wall(least);

    std::size_t combinations = 1;
    dials.resize(space.axes.size());
    for (std::size_t a = space.axes.size(); a-- > 0;) {
      const Axis& axis = space.axes[a].axis;
      Dial& d = dials[a];
      d.field = axis.field;
      d.values = axis.values;
      d.slot = axis.field->at(s);
      const auto among = [&](std::span<const std::string_view> paths) {
        return std::find(paths.begin(), paths.end(), axis.field->path) != paths.end();
      };
      d.turns = !axis.field->path.starts_with("cluster.") ? unsigned{kEverything}
                : among(kSharing)                         ? 0u
                                                          : unsigned{kStages};
      d.group = first_group(axis.field->path);
      if (d.turns & kOuter) {
        d.stride = combinations;
        combinations *= axis.values.size();
      }
      if (a + 1 < dials.size()) d.inside = dials[a + 1].inside * dials[a + 1].values.size();
    }
    entries.resize(std::min(combinations, kEntries));
    beyond.reserve(dials.size());
    for (Dial& d : dials) set(d, 0);
    place(found.next);

    // The innermost axes, as far as each value is dearer than those before.
    branch = dials.size();
    while (branch > 0 && (space.axes[branch - 1].dearer || space.axes[branch - 1].slower)) --branch;
    if (space.exhaustive) branch = dials.size();
    bounded = least->follows == Follows::time;
    for (const Measure* m : front) bounded = bounded && m->follows != Follows::neither;
    if (bounded && branch < dials.size() && points(space) >= space.scouted && found.next == from)
      scout();
  }

  static bool reads_wall(const Measure* m) {
    return m->metric == "time.wall" || m->metric == "cost.wall" || m->metric == "goodput";
  }

  // ---- the odometer

  void set(Dial& d, std::size_t digit) {
    d.digit = digit;
    const double x = d.values[digit];
    if (d.slot.number)
      *d.slot.number = x;
    else
      set_number(*d.field, s, x);
    stale |= d.turns;
    turned = std::min(turned, d.group);
    moved = true;
  }
  void turn(Dial& d, std::size_t digit) {
    if (d.digit != digit) set(d, digit);
  }
  void place(std::size_t point) {
    for (Dial& d : dials) turn(d, point / d.inside % d.values.size());
  }
  void next() {
    for (std::size_t a = dials.size(); a-- > 0;) {
      if (dials[a].digit + 1 < dials[a].values.size()) return set(dials[a], dials[a].digit + 1);
      turn(dials[a], 0);
    }
  }
  std::size_t here() const {
    std::size_t point = 0;
    for (const Dial& d : dials) point += d.digit * d.inside;
    return point;
  }

  // ---- one point

  void reject(std::string_view path, std::string_view code, std::size_t n = 1) {
    for (Count& c : rejected)
      if (c.path.data() == path.data() && c.code.data() == code.data()) {
        c.count += n;
        return;
      }
    rejected.push_back({path, code, n});
  }
  void flush() {
    for (const Count& c : rejected)
      if (c.count > 0) count(found.tally.rejected, c.path, c.code, c.count);
    for (Count& c : rejected) c.count = 0;
  }

  /// The groups of rules before the first that reads a turned axis stay as they were.
  const Breach& rules() {
    const int from = turned;
    const bool again = moved;
    turned = kRuleGroups;
    moved = false;
    if (!again || (!breach.code.empty() && breach.group < from)) return breach;
    breach = {};
    if (from < kRuleGroups) {
      beyond.clear();
      for (const Dial& d : dials)
        if (d.digit > 0) beyond.push_back(d.field);
      breach = first_breach(s, program, {beyond, space.tolerated}, from);
    }
    // It may read any input.
    if (breach.code.empty() && space.refuse)
      if (const std::string_view why = space.refuse(s); !why.empty())
        breach = {kPlan, why, kRuleGroups};
    return breach;
  }

  /// How many points from here on break the same rule: those of the innermost axes that neither it
  /// nor a rule before it reads.
  std::size_t alike(std::size_t point) const {
    std::size_t size = 1;
    for (std::size_t a = dials.size(); a-- > 0 && dials[a].group > breach.group;)
      size = dials[a].inside * dials[a].values.size();
    return size - point % size;
  }

  /// The layout, without what it holds.
  void lay_out() {
    if (stale & kOuter) {
      std::size_t key = 0;
      for (const Dial& d : dials) key += d.stride * d.digit;
      std::unique_ptr<Entry>& e = entries[key % entries.size()];
      if (!e || e->key != key) {
        if (!e) e = std::make_unique<Entry>();
        Report& r = e->report;
        e->key = key;
        e->quick = false;
        if (s.run.task != Task::serve) {
          r.architecture = architecture(s, {});
          r.compute = compute(s, r.architecture, {});
          r.activations = r.architecture.known ? activations(s, r.architecture, {}) : Activations();
          r.memory = memory(s, r.architecture, r.activations, {});
          r.pace = pace(s, r.architecture, r.compute, r.memory, {});
          e->quick = r.pace.predicted;
        }
      }
      entry = e.get();
    }
    Report& r = entry->report;
    quick = entry->quick && given(s.cluster.tp) && given(s.cluster.gpus);
    if (!quick) {
      stale &= ~unsigned{kOuter};
      stale |= kStages;
      r = estimate(s);
      return;
    }
    Layout& l = r.layout;
    if (stale & (kOuter | kStages)) {
      stale &= ~unsigned{kOuter | kStages};
      ranks.emplace(s, r.architecture, r.memory, r.activations, s.cluster.tp);
      worked = false;
      l.tp = s.cluster.tp;
      l.pp = s.cluster.pp;
      l.cp = s.cluster.cp;
      l.used = s.cluster.gpus;
      l.dp = std::max(1.0, std::floor(l.used / ranks->replica()));
      counted = false;
    }
    l.ways = ranks->ways(l.dp);
  }

  /// Whether the layout fits.
  bool fits() {
    lay_out();
    Layout& l = entry->report.layout;
    if (!quick) return l.fits;
    if (!counted) {
      counted = true;
      crowded = ranks->crowded(l.ways);
    }
    hold(s, *ranks, crowded, l);
    return l.fits;
  }

  /// Time and cost of the layout.
  void evaluate() {
    if (!quick) return;
    Report& r = entry->report;
    Layout& l = r.layout;
    if (!worked) {
      worked = true;
      work = step_work(s, r.architecture, *ranks, l.ways);
    }
    l.step = step_time(s, r.architecture, l.ways, work);
    r.time = time(s, r.architecture, r.compute, r.pace, l, {});
    if (walls) r.goodput = goodput(s, r.memory, r.time, l.used, {});
    r.cost = cost(s, r.time, l, r.goodput, r.serving, {});
  }

  Candidate candidate(std::size_t point) const {
    const Report& r = entry->report;
    Candidate one{point, least->of(s, r), {}};
    for (std::size_t i = 0; i < front.size(); ++i) one.objectives[i] = front[i]->of(s, r);
    return one;
  }

  /// A point that breaks no rule.
  void examine(std::size_t point) {
    Tally& tally = found.tally;
    ++tally.examined;
    if (!fits()) return reject(kFree, kMemory);
    ++tally.evaluated;
    evaluate();
    const Report& r = entry->report;
    for (std::size_t i = 0; i < limits.size(); ++i) {
      const double x = limits[i]->of(s, r);
      if (!(x >= space.limits[i].at_least && x <= space.limits[i].at_most))
        return reject(limits[i]->metric, std::isnan(x) ? kUnknown : kLimit);
    }
    const Candidate one = candidate(point);
    if (std::isnan(one.value)) return reject(least->metric, kUnknown);
    ++tally.fit;
    best.add(one);
    put_on_front(front, found.front, one);
  }

  // ---- good plans to begin with

  double tried(std::size_t point) {
    place(point);
    const std::size_t fit = found.tally.fit;
    if (rules().code.empty()) examine(point);
    return found.tally.fit > fit ? badness(least, least->of(s, entry->report)) : INFINITY;
  }

  /// Some points from all over, and what is better along the axes around the best of them, so that
  /// the first branches have something to be worse than. They are counted when their turn comes.
  void scout() {
    constexpr std::size_t kSamples = 512, kClimbs = 4;
    constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15;
    const Tally before = found.tally;
    const std::size_t n = points(space);
    std::vector<std::pair<double, std::size_t>> starts;
    for (std::size_t i = 0; i < kSamples; ++i) {
      const auto point = static_cast<std::size_t>(i * kSpread % n);
      if (const double value = tried(point); value < INFINITY) starts.emplace_back(value, point);
    }
    std::sort(starts.begin(), starts.end());
    if (starts.size() > kClimbs) starts.resize(kClimbs);
    for (auto& [value, point] : starts)
      for (bool better = true; better;) {
        better = false;
        for (const Dial& d : dials) {
          const std::size_t first = point - point / d.inside % d.values.size() * d.inside;
          for (std::size_t k = 0; k < d.values.size(); ++k)
            if (const double other = tried(first + k * d.inside); other < value) {
              better = true;
              value = other;
              point = first + k * d.inside;
            }
        }
      }
    found.tally = before;
    rejected.clear();
    place(found.next);
  }

  // ---- branches

  /// Whether any point of the axes from `a` on can be kept: with time as at their first values,
  /// where they stand, and memory as at their last. Each is known already where the branch around
  /// this one has it at the same place.
  bool worth(std::size_t a, std::size_t point, bool time_known, bool memory_known) {
    const std::size_t size = dials[a].inside * dials[a].values.size();
    if (bounded && !time_known) {
      lay_out();
      if (!quick) return true;  // a layout that chooses for itself keeps no such order
      evaluate();
      const bool lawful = !hides_several(s, entry->report.layout.ways);
      Candidate bound = candidate(point);
      // What is no longer may come out shorter by rounding.
      const auto least_of = [](const Measure* m, double x) {
        return m->follows == Follows::time ? x - (m->more ? -1 : 1) * kRounding * std::fabs(x) : x;
      };
      bound.value = least_of(least, bound.value);
      for (std::size_t i = 0; i < front.size(); ++i)
        bound.objectives[i] = least_of(front[i], bound.objectives[i]);
      for (std::size_t i = 0; i < front.size(); ++i)
        if (front[i]->follows == Follows::memory)
          bound.objectives[i] = front[i]->more ? INFINITY : -INFINITY;
      if (lawful && !std::isnan(bound.value) && !best.takes(bound, size) && !reaches_front(bound)) {
        found.tally.examined += size;
        found.tally.skipped += size;
        return false;
      }
    }
    if (memory_known) return true;
    for (std::size_t k = a; k < dials.size(); ++k)
      if (!space.axes[k].dearer && dials[k].values.size() > 1) return true;
    for (std::size_t k = a; k < dials.size(); ++k) turn(dials[k], dials[k].values.size() - 1);
    const bool holds = fits();
    if (holds || !quick) return true;
    found.tally.examined += size;
    reject(kFree, kMemory, size);
    return false;
  }
  bool reaches_front(const Candidate& bound) const {
    if (front.empty()) return false;
    for (const Candidate& other : found.front)
      if (dominates(front, other, bound)) return false;
    return true;
  }

  /// All points of the axes from `a` on, which stand at their first values.
  void descend(std::size_t a, std::size_t point, bool time_known, bool memory_known) {
    if (a == dials.size()) {
      if (rules().code.empty()) return examine(point);
      ++found.tally.examined;
      return reject(breach.path, breach.code);
    }
    Dial& d = dials[a];
    const std::size_t n = d.values.size();
    if (n > 1 && !worth(a, point, time_known, memory_known)) return;
    for (std::size_t k = 0; k < n; ++k) {
      turn(d, k);
      for (std::size_t i = a + 1; i < dials.size(); ++i) turn(dials[i], 0);
      descend(a + 1, point + k * d.inside, k == 0 && (n == 1 ? time_known : true),
              k + 1 == n && (n == 1 ? memory_known : true));
    }
  }

  /// The outermost axis of the branch that begins with this point; none where it has none.
  std::size_t branch_at(std::size_t point) const {
    std::size_t a = dials.size();
    while (a > branch && dials[a - 1].digit == 0 &&
           point + dials[a - 1].inside * dials[a - 1].values.size() <= to)
      --a;
    return a;
  }

  bool run(std::size_t candidates) {
    const std::size_t begin = found.next;
    while (found.next < to && found.next - begin < candidates) {
      const std::size_t point = found.next;
      if (const Breach& b = rules(); !b.code.empty()) {
        const std::size_t n = std::min(alike(point), to - point);
        found.tally.examined += n;
        reject(b.path, b.code, n);
        found.next += n;
        if (found.next >= to) break;
        n == 1 ? next() : place(found.next);
      } else if (const std::size_t a = branch_at(point); a < dials.size()) {
        found.next += dials[a].inside * dials[a].values.size();
        descend(a, point, false, false);
        if (found.next < to) place(found.next);
      } else {
        examine(point);
        if (++found.next < to) next();
      }
    }
    flush();
    return found.next >= to;
  }

  static constexpr double kRounding = 1e-12;
  static constexpr std::string_view kPlan = "plan", kFree = "layout.free", kMemory = "memory",
                                    kLimit = "limit", kUnknown = "unknown";

  Space space;
  std::size_t to;
  Found found;
  Scenario s;
  Program program;
  const Measure* least;
  std::vector<const Measure*> front, limits;
  Best best;
  bool walls = false;    ///< Something reads the goodput.
  bool bounded = false;  ///< All that is asked for only gets worse with time or with memory.
  std::size_t branch = 0;
  std::vector<Dial> dials;
  std::vector<std::unique_ptr<Entry>> entries;
  std::vector<const Field*> beyond;
  std::vector<Count> rejected;
  unsigned stale = kEverything;
  bool moved = true;  ///< Any axis has turned.
  int turned = 0;     ///< The first group of rules that reads an axis which has turned.
  Breach breach;
  Entry* entry = nullptr;
  bool quick = false;
  std::optional<Ranks> ranks;
  Ranks::Crowded crowded;
  bool counted = false;  ///< `crowded` is of these ranks.
  StepWork work;
  bool worked = false;
};

Search::Search(const Space& space) : Search(space, 0, points(space)) {}
Search::Search(const Space& space, std::size_t from, std::size_t to, Found so_far)
    : state_(std::make_unique<State>(space, from, to, std::move(so_far))) {}
Search::~Search() = default;
bool Search::run(std::size_t candidates) { return state_->run(candidates); }
const Found& Search::found() const { return state_->found; }

}  // namespace envelope
