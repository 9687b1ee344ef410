// SPDX-License-Identifier: MIT
// In: a scenario, axes of values for some of its inputs, what to minimise, limits. Out: the best
// points of the product of the axes, the Pareto front, and why the others were rejected. Axes are
// data; no field is known by name. A point is rejected by the first of: the rules, in their order,
// of which one is that an axis beyond its first value has an effect (else it repeats another
// point); memory; limits. Neglected: nothing; the answer is that of checking and estimating each
// point.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "envelope/estimate.h"
#include "envelope/metrics.h"
#include "envelope/rules.h"
#include "envelope/sweep.h"

namespace envelope {

/// A metric that the search can read off a report, without a ledger.
struct Measure {
  std::string_view metric;
  bool more = false;  ///< More is better, so that the least of it is the worst.
  /// What it only gets worse with: a longer step, or more bytes on a GPU; or how many GPUs there
  /// are.
  enum class Follows : unsigned char { neither, time, memory, gpus } follows = Follows::neither;
  double (*of)(const Scenario&, const Report&);
};
std::span<const Measure> measures();
/// Null where the search cannot read this metric.
const Measure* find_measure(std::string_view metric);

struct Limit {
  const Metric* metric;
  double at_least = -INFINITY, at_most = INFINITY;
};

struct SearchAxis {
  Axis axis;  ///< kNone among the values is "auto".
  /// No value is faster than those before it, nor holds more memory (recomputation; offload of
  /// activations and of the optimizer): then the first bounds the time of a branch from below, and
  /// the last its memory. Only the innermost axes, all of them dearer or slower, make a branch.
  bool dearer = false;
  bool slower = false;  ///< No value is faster, but some may hold more (offload of weights).
};

/// Equal values are settled by the order of the points, so axes begin with their simplest value.
struct Space {
  Scenario base;
  std::vector<SearchAxis> axes;      ///< Outermost first.
  const Metric* least = nullptr;     ///< The best has least of it, or most where more is better.
  std::vector<const Metric*> front;  ///< At most kObjectives.
  std::vector<Limit> limits;
  /// Rules, by path and code, that points may break: as a rule those that the scenario breaks in
  /// fields which are no axis.
  std::vector<Breach> tolerated;
  /// What no rule forbids and nobody would launch: a stable word, or nothing. Rejected as "plan".
  std::string_view (*refuse)(const Scenario&) = nullptr;
  std::size_t keep = 12;
  std::size_t distinct = 0;  ///< Outermost axes that tell plans apart: of each combination of them
                             ///< only the best is kept. 0: all do.
  std::size_t scouted = std::size_t{1} << 17;  ///< Points from which on it begins with some from
                                               ///< all over. The answer is the same.
  bool exhaustive = false;  ///< Looks at every point, without bounds. The answer is the same.
};
inline constexpr std::size_t kObjectives = 4;

struct Candidate {
  std::size_t point = 0;
  double value = 0;                              ///< Of `least`.
  std::array<double, kObjectives> objectives{};  ///< Of `front`; kNone where unknown.
};

/// Why points were rejected: path and code of the rule; "layout.free" and "memory"; the metric and
/// "limit".
struct Rejection {
  std::string path;
  std::string code;
  std::size_t count = 0;
};

/// Each examined point is rejected, fits, or is skipped. With bounds, a branch of which no point
/// can hold the model counts as rejected by memory, whatever rules it breaks as well; how many are
/// skipped depends on what was found before.
struct Tally {
  std::size_t examined = 0;
  std::size_t evaluated = 0;        ///< Timed: they break no rule and fit into memory.
  std::size_t fit = 0;              ///< Within all limits too.
  std::size_t skipped = 0;          ///< They cannot be better than what was kept, nor on the front.
  std::vector<Rejection> rejected;  ///< By path and code, in alphabetical order.
};

/// What a search has so far. Those of disjoint ranges merge into that of all.
struct Found {
  std::size_t next = 0;          ///< The first point not yet examined.
  std::vector<Candidate> kept;   ///< Best first.
  std::vector<Candidate> front;  ///< In the order of their points.
  Tally tally;
};

std::size_t points(const Space& space);
Scenario scenario_at(const Space& space, std::size_t point);
/// Adds what was found in another range; `next` stays.
void merge(const Space& space, Found& to, const Found& from);

class Search {
 public:
  /// All points.
  explicit Search(const Space& space);
  /// The points [from, to), or what is left of them behind `so_far`.
  Search(const Space& space, std::size_t from, std::size_t to, Found so_far = {});

  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;
  ~Search();

  /// Examines about so many points more, and says whether all are done. Slices stop at the ends of
  /// branches, so that their size changes nothing.
  bool run(std::size_t candidates = static_cast<std::size_t>(-1));
  const Found& found() const;

 private:
  struct State;  // a scenario that the axes turn, and what stays while the inner ones do
  std::unique_ptr<State> state_;
};

}  // namespace envelope
