// SPDX-License-Identifier: MIT
#include "envelope/predict.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <vector>

#include "envelope/estimate.h"
#include "envelope/link.h"
#include "envelope/patch.h"
#include "envelope/plan.h"

namespace envelope {
namespace {

double value_of(const std::vector<Step>& steps, std::string_view id) {
  for (const Step& step : steps)
    if (step.id == id) return step.value;
  return kNone;
}

/// The sum of those metrics that the scenario has; kNone when it has none of them.
double sum_of(const std::vector<Step>& steps, std::initializer_list<std::string_view> ids) {
  double sum = kNone;
  for (const std::string_view id : ids)
    if (const double x = value_of(steps, id); given(x)) sum = given(sum) ? sum + x : x;
  return sum;
}

/// Bytes per device that a reading of this kind shows. A peak of unstated kind is read, of
/// training, as what the driver shows, where people look; of inference, as what the caching
/// allocator holds.
double bytes_read(std::string_view kind, bool serve, const std::vector<Step>& steps) {
  if (kind == "weights_file") return value_of(steps, "memory.weights");
  if (kind == "activations") return value_of(steps, "rank.activations");
  if (kind == "model_states")
    return sum_of(steps, {"rank.weights", "rank.gradients", "rank.master", "rank.optimizer"});
  const bool device = kind == "device" || (kind.empty() && !serve);
  return value_of(steps, kind == "allocated" ? "rank.allocated"
                         : device            ? "rank.device"
                                             : "rank.reserved");
}

/// What every further device adds to a sum over devices. In serving without tensor parallelism the
/// layers are spread, so that each device adds only the workspace of its own pass.
double bytes_of_another_device(const Scenario& s, std::string_view kind,
                               const std::vector<Step>& steps) {
  const bool serve = s.run.task == Task::serve;
  if (!serve || (given(s.cluster.tp) && s.cluster.tp > 1) || s.cluster.gpus > 1)
    return bytes_read(kind, serve, steps);
  if (kind == "weights_file" || kind == "model_states") return 0;
  const double working = value_of(steps, "rank.working");
  // The peak while loading is over before the other devices work.
  if (!given(working) || working == value_of(steps, "serving.load_bytes")) return 0;
  return sum_of(steps, {"rank.working", "rank.logits"});
}

/// Kinds of reading that are not the memory of a configuration.
std::string_view no_reading(std::string_view kind) {
  if (kind == "context_capacity") return "the longest context is given, not the memory";
  if (kind == "process_rss") return "the memory of a process depends on the operating system";
  if (kind == "relative") return "a share of something else";
  return {};
}

/// The scenario of a patch; false, with the reason, when the core cannot make one.
bool scenario_of(const Patch& patch, Scenario& scenario, Prediction& out) {
  Problems problems;
  scenario = scenario_of(patch, problems);
  for (const Problem& p : problems)
    if (p.severity == Severity::error) {
      out.skipped = std::string(column_of(p.path)) + ": " + p.message;
      return false;
    }
  out.moe = scenario.model.experts > 0;
  return true;
}

void memory_of(const Record& row, Prediction& out) {
  Mapping mapping = map_row(row);
  out.note = std::move(mapping.note);
  const std::string_view kind = row.at("mem_kind");
  if (mapping.skipped.empty())
    if (const std::string_view why = no_reading(kind); !why.empty())
      mapping.skipped = "mem_kind: " + std::string(kind) + ", " + std::string(why);
  const double devices = row.at("mem_devices").empty() ? 1 : number_at(row, "mem_devices");
  if (mapping.skipped.empty() && !(devices >= 1))
    mapping.skipped = "mem_devices: " + quoted(row.at("mem_devices")) + " is not a count";
  if (!mapping.skipped.empty()) return void(out.skipped = std::move(mapping.skipped));

  Scenario scenario;
  if (!scenario_of(mapping.patch, scenario, out)) return;
  std::vector<Step> steps;
  estimate(scenario, Ledger(steps));
  const std::string_view read = row.at("task") == "weights_file" ? "weights_file" : kind;
  const bool serve = scenario.run.task == Task::serve;
  const double bytes = bytes_read(read, serve, steps) +
                       (devices - 1) * bytes_of_another_device(scenario, read, steps);
  if (!std::isfinite(bytes) || bytes <= 0) {
    out.skipped = "this version does not predict mem_kind " +
                  (kind.empty() ? std::string("(empty)") : std::string(kind)) + " for task " +
                  std::string(row.at("task"));
    return;
  }
  out.value = bytes / (1024.0 * 1024 * 1024);
  out.link = encode(scenario);
}

void speed_of(const Record& row, const Measurand& quantity, Prediction& out) {
  Mapping mapping = map_row(row);
  out.note = std::move(mapping.note);
  const std::string_view task = row.at("task");
  if (mapping.skipped.empty() && (task == "inference" || task == "weights_file"))
    mapping.skipped = "task: " + std::string(task) + " has no training step";
  if (mapping.skipped.empty() && row.at("accelerator_id").empty())
    mapping.skipped = "accelerator_id is empty";
  if (!mapping.skipped.empty()) return void(out.skipped = std::move(mapping.skipped));
  Scenario s;
  if (!scenario_of(mapping.patch, s, out)) return;
  const double step = estimate(s).time.step.value;
  out.step = step;
  out.value = quantity.rate ? s.run.global_batch * s.run.seq / (step * s.cluster.gpus) : step;
  out.link = encode(s);
}

/// GPU-hours of a whole run, interruptions and evaluation included.
void hours_of(const Record& row, Prediction& out) {
  Mapping mapping = map_run(row);
  out.note = std::move(mapping.note);
  if (!mapping.skipped.empty()) return void(out.skipped = std::move(mapping.skipped));
  Scenario s;
  if (!scenario_of(mapping.patch, s, out)) return;
  out.value = s.cluster.gpus * (estimate(s).goodput.wall / kHour);
  out.link = encode(s);
}

}  // namespace

double number_at(const Record& row, std::string_view column) {
  double x = kNone;
  parse_number(row.at(column), "number", x);
  return x;
}

Measurand measure_of(FileKind kind, const Record& row) {
  const auto first = [&](std::initializer_list<Measurand> all) {
    for (const Measurand& q : all)
      if (!row.at(q.column).empty()) return q;
    return *all.begin();
  };
  switch (kind) {
    case FileKind::throughput:
      return first(
          {{"tokens_per_s_per_gpu", "tokens_per_s_per_gpu", true}, {"step_time_s", "step_time_s"}});
    case FileKind::runs:
      return first({{"gpu_hours", "gpu_hours"},
                    {"gpu_hours", "days"},
                    {"gpu_hours", "minutes"},
                    {"gpu_hours", "tokens_per_s_total"}});
    case FileKind::inference:
      return first(
          {{"tokens_per_s", "tokens_per_s_total", true}, {"ttft", "ttft_ms"}, {"tpot", "tpot_ms"}});
    case FileKind::memory:
    case FileKind::unknown:
      break;
  }
  return {"mem_gib", "mem_gib"};
}

double measured_in(const Measurand& quantity, const Record& row) {
  double x = number_at(row, quantity.column);
  if (quantity.name == "gpu_hours" && quantity.column != "gpu_hours") {
    const double stated = number_at(row, "n_accelerators"),
                 gpus = given(stated) ? stated : number_at(row, "n_gpus");
    const double hours = quantity.column == "days" ? 24 * x
                         : quantity.column == "minutes"
                             ? x / 60
                             : 1e9 * number_at(row, "tokens_b") / x / 3600;
    x = gpus * hours;
  }
  return x > 0 ? x : kNone;
}

Prediction predict(FileKind kind, const Record& row, const Measurand& quantity) {
  Prediction out;
  if (kind == FileKind::memory)
    memory_of(row, out);
  else if (kind == FileKind::throughput)
    speed_of(row, quantity, out);
  else if (kind == FileKind::runs)
    hours_of(row, out);
  else
    out.skipped = "this version does not predict tables of " + std::string(kind_name(kind));
  return out;
}

}  // namespace envelope
