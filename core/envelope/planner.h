// SPDX-License-Identifier: MIT
// In: a scenario, what to minimise, limits, and which practical defaults are switched off. Out: the
// space of layouts that its framework and hardware offer, and the plans found there: distinct in
// GPUs, TP, PP, CP and EP, the simpler first of those within 1 %.
// Neglected: what a launcher cannot express (launch.h says so); layouts of stages that are given
// layer by layer; settings that the step model does not tell apart, such as kernels.
#pragma once

#include "envelope/problem.h"
#include "envelope/search.h"

namespace envelope {

/// Share of the memory that a plan leaves free beside the reserve.
inline constexpr double kSpareMemory = 0.05;

/// What may be asked of a planner.
struct PlanWish {
  const Metric* minimise = nullptr;  ///< Null: time where GPUs are given, else cost.
  std::vector<Limit> limits;
  std::vector<Axis> axes;          ///< In place of the planner's own.
  std::vector<std::string> allow;  ///< Switches.
  std::size_t keep = 12;
};

/// A practical default that may be switched off.
struct PlanSwitch {
  std::string_view id, label, help;
  bool on = false;
};

/// The space of a scenario, and why it is as it is.
struct PlanSpace {
  Scenario scenario;  ///< As asked about.
  PlanWish wish;
  Space space;
  std::vector<std::string> why;  ///< Of each axis.
  std::vector<PlanSwitch> switches;
  Problems problems;
};
PlanSpace plan_space(const Scenario& scenario, const PlanWish& wish = {});

/// One layout.
struct PlanRow {
  Scenario scenario;
  Patch patch;         ///< To be applied on the scenario asked about.
  std::string label;   ///< "TP 8, PP 16, DP 128"
  std::string detail;  ///< "4 virtual stages, ZeRO-1, micro-batch 2, full recomputation"
  std::vector<std::pair<std::string_view, double>> metrics;
  double value = kNone;  ///< Of what is minimised.
  /// Kinds of parallelism, offloads and departures from practical defaults.
  int simplicity = 0;
  bool front = false;
  bool fits = false;
};

/// Metrics that every row has, where they apply.
std::span<const std::string_view> plan_metrics(const Scenario& scenario);

/// Best first.
std::vector<PlanRow> plans(const PlanSpace& space, const Found& found);
/// The scenario as it is.
PlanRow present(const PlanSpace& space);

/// What one more change would buy.
struct Gain {
  std::string label;
  std::string_view allow;  ///< The switch; empty where it is a patch.
  Patch patch;
  /// Of what is minimised, in the plan shown first; `now` is kNone where nothing fits.
  double now = kNone, then = kNone;
  bool whole = true;  ///< False: searched around the best plans alone, and it may be better.
};
/// Searches again with each switch that is off, and with twice the GPUs: all of a small space, the
/// neighbourhood of the best plans in a large one. `shown` are the plans(found).
std::vector<Gain> gains(const PlanSpace& space, const Found& found,
                        const std::vector<PlanRow>& shown);

/// What to say where there is no plan: the commonest reason of the layouts that got the furthest.
Problem no_plan(const PlanSpace& space, const Found& found);

/// Why points were rejected, for people.
std::string label_of(const Rejection& rejection);

}  // namespace envelope
