// SPDX-License-Identifier: MIT
#include "envelope/study.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "envelope/link.h"
#include "envelope/planner.h"
#include "envelope/predict.h"
#include "envelope/rules.h"

namespace envelope {
namespace {

/// A run without its layout: what is left is what an expert began with.
Scenario bare(const Scenario& s) {
  Scenario out = s;
  Problems none;
  Scenario usual = scenario_of({{"stack.id", std::string(s.stack.id)}}, none);
  Cluster& c = out.cluster;
  c.tp = kNone;
  c.pp = c.cp = c.ep = c.virtual_stages = 1;
  c.etp = c.shard = c.first_layers = c.last_layers = kNone;
  c.zero = usual.cluster.zero;
  c.schedule = Schedule::one_f_one_b;
  c.offload_weights = c.offload_gradients = c.offload_optimizer = c.offload_activations = false;
  out.run.micro_batch = 1;
  out.run.recompute = Recompute::none;
  out.run.recompute_every = 1;
  return out;
}

/// Switches that the published layout needs: what its owner chose to do, we may do.
std::vector<std::string> allowed(const Scenario& s) {
  std::vector<std::string> out;
  for (const PlanSwitch& known : plan_space(s).switches)
    if (known.on) out.emplace_back(known.id);
  return out;
}

/// Why the published layout is none that the planner looks at.
std::string outside(const PlanSpace& p, const Scenario& s) {
  for (const Field& f : fields()) {
    const auto axis = std::find_if(p.space.axes.begin(), p.space.axes.end(),
                                   [&](const SearchAxis& a) { return a.axis.field == &f; });
    if (axis == p.space.axes.end()) {
      if (!same(f, s, p.space.base))
        return std::string(f.label) + " " + text_of(get(f, s)) + " is no axis";
      continue;
    }
    const double x = get_number(f, s);
    const std::vector<double>& all = axis->axis.values;
    if (std::none_of(all.begin(), all.end(),
                     [&](double y) { return x == y || (std::isnan(x) && std::isnan(y)); }))
      return std::string(f.label) + " " + text_of(get(f, s)) + " is not among its values";
  }
  for (const Problem& problem : check(s)) {
    if (problem.severity != Severity::warning) continue;
    const auto known = [&](const auto& t) {
      return t.path == problem.path && t.code == problem.code;
    };
    if (std::none_of(p.space.tolerated.begin(), p.space.tolerated.end(), known))
      return label_of(Rejection{problem.path, std::string(problem.code)});
  }
  if (p.space.refuse && !p.space.refuse(s).empty())
    return label_of(Rejection{"plan", std::string(p.space.refuse(s))});
  const Layout l = estimate(s).layout;
  if (!l.fits) {
    char text[64];
    std::snprintf(text, sizeof text, "needs %.0f of %.0f GiB by our estimate",
                  l.per_gpu.value / 1073741824, l.capacity.value / 1073741824);
    return text;
  }
  return {};
}

double speed_of(const Record& row) {
  const Measurand m = measure_of(FileKind::throughput, row);
  const double x = measured_in(m, row);
  return m.rate ? x
                : number_at(row, "global_batch") * number_at(row, "seq_len") /
                      (x * number_at(row, "n_gpus"));
}

std::string text_of_plan(const PlanRow& row) { return row.label + "; " + row.detail; }

/// Seconds of a step of the planner's first plan; kNone when there is none.
double planned(const PlanSpace& p, std::string& label, std::string& link) {
  Search search(p.space);
  search.run();
  const std::vector<PlanRow> found = plans(p, search.found());
  if (found.empty()) return kNone;
  label = text_of_plan(found.front());
  link = encode(found.front().scenario);
  return search.found().kept.front().value;
}

/// What the source does not state is not held against it: virtual stages and micro-batch are then
/// the best ones for its layout.
void complete(const Record& row, const PlanSpace& free, Scenario& s, StudyRow& out) {
  std::vector<std::string_view> open;
  if (row.at("virtual_stages").empty() && s.cluster.pp > 1)
    open.push_back("cluster.virtual_stages");
  if (row.at("micro_batch").empty()) open.push_back("run.micro_batch");
  if (open.empty()) return;
  PlanSpace p = free;
  for (SearchAxis& a : p.space.axes)
    if (std::find(open.begin(), open.end(), a.axis.field->path) == open.end())
      a.axis.values = {get_number(*a.axis.field, s)};
  Search search(p.space);
  search.run();
  if (search.found().kept.empty() || !(search.found().kept.front().value < out.published)) return;
  const PlanRow best = plans(p, search.found()).front();
  out.published = search.found().kept.front().value;
  out.published_label = text_of_plan(best);
  out.published_link = encode(best.scenario);
  s = best.scenario;
}

StudyRow row_of(const Record& row, Scenario s) {
  StudyRow out;
  out.id = row.at("id");
  out.source_id = row.at("source_id");
  out.model = row.at("model");
  out.device = s.gpu.id;
  out.gpus = s.cluster.gpus;
  out.measured = s.run.global_batch * s.run.seq / (speed_of(row) * out.gpus);
  // MaxText's batch is that of a device; its ranks take all of theirs at once.
  const double share = s.run.global_batch * s.cluster.tp * s.cluster.cp / s.cluster.gpus;
  if (s.cluster.pp == 1 && plan_space(s).space.refuse(s) == "accumulates")
    s.run.micro_batch = share;
  // Megatron splits activations over tokens, XLA over anything.
  if (row.at("sequence_parallel").empty() && std::fmod(s.run.seq, sequence_unit(s)) != 0)
    s.cluster.sp = false;
  const Report as_published = estimate(s);
  // It ran: so much memory as it takes there is, and its owner kept none to spare.
  if (!as_published.layout.fits) {
    out.lacks = as_published.layout.per_gpu.value / s.gpu.memory - 1;
    s.gpu.memory = as_published.layout.per_gpu.value;
  }
  PlanWish wish;
  wish.minimise = find_metric("time.step");
  wish.allow = allowed(s);
  // What its owner left free is enough.
  wish.limits.push_back({find_metric("layout.free"),
                         std::min(kSpareMemory * s.gpu.memory, estimate(s).layout.free.value),
                         INFINITY});
  wish.axes.push_back({field_by_path("cluster.gpus"), {out.gpus}});
  PlanSpace free = plan_space(bare(s), wish);
  free.space.front.clear();
  PlanSpace as_is = free;
  as_is.scenario = s;
  const PlanRow theirs = present(as_is);
  out.published = theirs.value;
  out.published_label = text_of_plan(theirs);
  out.published_link = encode(s);
  complete(row, free, s, out);
  out.outside = outside(free, s);
  out.free = planned(free, out.free_label, out.free_link);
  const Field& recompute = *field_by_path("run.recompute");
  wish.axes.push_back({&recompute, {get_number(recompute, s)}});
  if (s.cluster.pp > 1 && s.cluster.virtual_stages == 1)
    wish.axes.push_back({field_by_path("cluster.virtual_stages"), {1}});
  PlanSpace same = plan_space(bare(s), wish);
  same.space.front.clear();
  out.ours = planned(same, out.label, out.link);
  return out;
}

/// A published layout is as good as ours within this factor on the time.
constexpr double kNear = 1.05;

std::string number(const char* format, double x) {
  char text[64];
  std::snprintf(text, sizeof text, format, x);
  return text;
}

}  // namespace

Study study(std::string_view text, double least_gpus) {
  Study out;
  Csv csv;
  if (!parse_csv(text, csv, out.problems)) return out;
  struct Best {
    std::string key;
    double speed;
    Scenario scenario;
    const CsvRow* row;
  };
  std::vector<Best> best;
  for (const CsvRow& cells : csv.rows) {
    const Record row(csv, cells);
    if (!(number_at(row, "n_gpus") >= least_gpus) || row.at("tp").empty()) continue;
    const double speed = speed_of(row);
    Mapping mapping = map_row(row);
    if (!given(speed) || !mapping.skipped.empty() || row.at("accelerator_id").empty()) continue;
    Problems problems;
    const Scenario s = scenario_of(mapping.patch, problems);
    if (has_error(problems)) continue;
    const std::string key = std::string(row.at("source_id")) + "/" + std::string(row.at("model"));
    const auto known =
        std::find_if(best.begin(), best.end(), [&](const Best& b) { return b.key == key; });
    if (known == best.end())
      best.push_back({key, speed, s, &cells});
    else if (speed > known->speed)
      *known = {key, speed, s, &cells};
  }
  for (const Best& b : best) out.rows.push_back(row_of(Record(csv, *b.row), b.scenario));
  return out;
}

std::string study_text(const Study& study) {
  std::string out =
      "| Row | Model | GPUs | Published | Planned, recomputation and schedule as published | Time "
      "ratio | Planned, "
      "free to choose both | Time ratio |\n"
      "| --- | --- | --- | --- | --- | ---: | --- | ---: |\n";
  const auto ratio = [](double x) { return given(x) ? number("%.3f", x) : std::string("none"); };
  double near = 0, near_free = 0, inside = 0, no_slower = 0, lack = 0;
  for (const StudyRow& r : study.rows) {
    const double same = r.published / r.ours, free = r.published / r.free;
    near += same <= kNear;
    near_free += free <= kNear;
    inside += r.outside.empty();
    no_slower += same >= 1 - 1e-12 && free >= 1 - 1e-12;
    lack += r.lacks > 0;
    std::string label = r.published_label;
    if (!r.outside.empty()) label += " (" + r.outside + ")";
    if (r.lacks > 0) label += number(" (takes %.0f %% more than there is)", 100 * r.lacks);
    out += "| " + r.id + " " + r.source_id + " | " + r.model + " | " + number("%.0f ", r.gpus) +
           r.device + " | " + label + " | " + (same <= kNear ? "" : r.label) + " | " + ratio(same) +
           " | " + (free <= kNear ? "" : r.free_label) + " | " + ratio(free) + " |\n";
  }
  const double n = static_cast<double>(study.rows.size());
  out += "\nOf " + number("%.0f", n) + " layouts " + number("%.0f", inside) +
         " are in the space; for " + number("%.0f", no_slower) +
         " ours is predicted no slower. With recomputation and schedule as published " +
         number("%.0f", near) + " (" + number("%.0f", 100 * near / n) +
         " %) are within 5 % of our best; free to choose both, " + number("%.0f", near_free) +
         " (" + number("%.0f", 100 * near_free / n) + " %). For " + number("%.0f", lack) +
         " the published layout takes more memory by our estimate than its GPUs have.\n";
  return out;
}

}  // namespace envelope
