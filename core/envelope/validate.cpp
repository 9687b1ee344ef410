// SPDX-License-Identifier: MIT
#include "envelope/validate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "envelope/estimate.h"
#include "envelope/json.h"
#include "envelope/link.h"
#include "envelope/patch.h"

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

double number_at(const Record& row, std::string_view column) {
  double x = kNone;
  parse_number(row.at(column), "number", x);
  return x;
}

/// The quantity of a row and the column it is measured in.
struct Quantity {
  std::string_view name, column;
};
Quantity quantity_of(FileKind kind, const Record& row) {
  const auto first = [&](std::initializer_list<Quantity> all) {
    for (const Quantity& q : all)
      if (!row.at(q.column).empty()) return q;
    return *all.begin();
  };
  switch (kind) {
    case FileKind::throughput:
      return first(
          {{"tokens_per_s_per_gpu", "tokens_per_s_per_gpu"}, {"step_time_s", "step_time_s"}});
    case FileKind::runs:
      return {"gpu_hours", "gpu_hours"};
    case FileKind::inference:
      return first(
          {{"tokens_per_s", "tokens_per_s_total"}, {"ttft", "ttft_ms"}, {"tpot", "tpot_ms"}});
    case FileKind::memory:
    case FileKind::unknown:
      break;
  }
  return {"mem_gib", "mem_gib"};
}

/// Why the file itself leaves the row out; empty when it does not.
std::string left_out(const Record& row) {
  if (row.at("scorable") == "0") {
    const std::string_view why = row.at("scorable_reason");
    return why.empty() ? "scorable: 0" : "scorable: 0 (" + std::string(why) + ")";
  }
  if (!row.at("scorable").empty()) return {};
  for (const std::string_view quality :
       {"doubtful", "anomalous", "partial", "weakly specified", "analytic"})
    if (row.at("quality") == quality) return "quality: " + std::string(quality);
  return {};
}

std::string why_unmeasured(const Record& row, const Quantity& q) {
  const std::string column(q.column);
  if (row.at("oom") == "1") return "oom: 1, it ran out of memory";
  if (row.at(q.column).empty()) return column + " is empty: nothing is measured";
  return column + ": " + quoted(row.at(q.column)) + " is not a positive number";
}

void predict_memory(const Record& row, ValidatedRow& out) {
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

  Problems problems;
  const Scenario scenario = scenario_of(mapping.patch, problems);
  for (const Problem& p : problems)
    if (p.severity == Severity::error) {
      out.skipped = std::string(column_of(p.path)) + ": " + p.message;
      return;
    }
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
  out.predicted = bytes / (1024.0 * 1024 * 1024);
  out.link = encode(scenario);
}

ValidatedRow validate_row(const Csv& csv, const CsvRow& cells, FileKind kind) {
  const Record row(csv, cells);
  ValidatedRow out;
  out.id = row.at("id");
  if (out.id.empty()) out.id = "line " + std::to_string(cells.line);
  out.source_id = row.at("source_id");
  const Quantity quantity = quantity_of(kind, row);
  out.quantity = quantity.name;
  if (!cells.ragged.empty()) {
    out.id = "line " + std::to_string(cells.line);
    out.source_id.clear();
    out.skipped = cells.ragged;
    return out;
  }
  out.measured = number_at(row, quantity.column);
  out.skipped = left_out(row);
  out.unscorable = !out.skipped.empty();
  if (out.unscorable) return out;
  if (!(out.measured > 0)) out.measured = kNone;
  if (kind != FileKind::memory) {
    out.skipped = "this version predicts memory only";
  } else if (!given(out.measured)) {
    out.skipped = why_unmeasured(row, quantity);
  } else {
    predict_memory(row, out);
  }
  if (!out.skipped.empty()) return out;
  out.error = (out.predicted - out.measured) / out.measured;
  if (!std::isfinite(out.error)) {
    out.error = out.predicted = kNone;
    out.skipped = why_unmeasured(row, quantity);
  }
  return out;
}

void summarise(Validation& v) {
  std::vector<double> all, medians;
  for (const ValidatedRow& row : v.rows) {
    v.all += 1;
    v.skipped += row.skipped.empty() ? 0 : 1;
    v.unscorable += row.unscorable ? 1 : 0;
    if (!row.skipped.empty()) continue;
    all.push_back(std::fabs(row.error));
    const auto same = [&](const ValidatedSource& s) { return s.source_id == row.source_id; };
    if (std::none_of(v.sources.begin(), v.sources.end(), same))
      v.sources.push_back({row.source_id});
  }
  for (ValidatedSource& source : v.sources) {
    std::vector<double> errors;
    double sum = 0;
    for (const ValidatedRow& row : v.rows) {
      if (!row.skipped.empty() || row.source_id != source.source_id) continue;
      errors.push_back(std::fabs(row.error));
      sum += row.error;
    }
    source.rows = static_cast<double>(errors.size());
    source.mean_signed = sum / source.rows;
    source.median_abs = percentile(std::move(errors), 0.5);
    medians.push_back(source.median_abs);
  }
  std::stable_sort(v.sources.begin(), v.sources.end(),
                   [](const auto& a, const auto& b) { return a.rows > b.rows; });
  v.median_abs = percentile(all, 0.5);
  v.p90_abs = percentile(all, 0.9);
  double sum = 0;
  for (const double m : medians) sum += m;
  if (!medians.empty()) v.mean_of_source_medians = sum / static_cast<double>(medians.size());
}

std::string format(const char* pattern, double x) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, pattern, x);
  return buffer;
}

std::string percent(double x) {
  // A negative zero would print a sign.
  return given(x) ? format("%.1f %%", 100 * x + 0.0) : "-";
}

/// Columns of text, the first `left` of them aligned to the left.
std::string table(const std::vector<std::vector<std::string>>& rows, std::size_t left) {
  std::vector<std::size_t> width;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i >= width.size()) width.push_back(0);
      width[i] = std::max(width[i], row[i].size());
    }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(width[i] - row[i].size(), ' ');
      out.append(i ? "  " : "").append(i < left ? row[i] + blanks : blanks + row[i]);
    }
    out += '\n';
  }
  return out;
}

std::vector<std::string> line_of(const ValidatedRow& row) {
  return {row.id, row.source_id.empty() ? "-" : row.source_id, format("%.3f", row.measured),
          format("%.3f", row.predicted), percent(row.error)};
}

/// How often each reason was given.
std::string reasons(const Validation& v) {
  std::vector<std::pair<std::string, double>> counts;
  for (const ValidatedRow& row : v.rows) {
    if (row.skipped.empty()) continue;
    const auto at = std::find_if(counts.begin(), counts.end(),
                                 [&](const auto& c) { return c.first == row.skipped; });
    if (at == counts.end())
      counts.emplace_back(row.skipped, 1);
    else
      at->second += 1;
  }
  std::stable_sort(counts.begin(), counts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out;
  for (const auto& [reason, count] : counts) out += format("%6.0f  ", count) + reason + "\n";
  return out;
}

}  // namespace

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return kNone;
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const double below = std::floor(at);
  const auto i = static_cast<std::size_t>(below);
  if (i + 1 >= values.size()) return values.back();
  return values[i] + (at - below) * (values[i + 1] - values[i]);
}

Validation validate(std::string_view text) {
  Validation v;
  Csv csv;
  if (!parse_csv(text, csv, v.problems)) return v;
  v.kind = kind_of(csv);
  if (v.kind == FileKind::unknown) {
    v.problems.push_back(
        {"file",
         Severity::error,
         "no_measurement",
         "The file has no column with a measurement that this program knows.",
         "Name the measured column mem_gib, tokens_per_s_per_gpu, step_time_s, gpu_hours, "
         "tokens_per_s_total, ttft_ms or tpot_ms.",
         {}});
    return v;
  }
  for (const CsvRow& row : csv.rows) v.rows.push_back(validate_row(csv, row, v.kind));
  summarise(v);
  return v;
}

std::string validation_json(std::string_view file, const Validation& v) {
  JsonWriter w;
  w.object().member("file", file).member("kind", kind_name(v.kind));
  w.key("rows").array();
  for (const ValidatedRow& row : v.rows) {
    w.object().member("id", row.id).member("source_id", row.source_id);
    w.member("quantity", row.quantity).member("measured", row.measured);
    w.member("predicted", row.predicted).member("error", row.error);
    if (!row.skipped.empty()) w.member("skipped", row.skipped);
    if (!row.note.empty()) w.member("note", row.note);
    if (!row.link.empty()) w.member("link", row.link);
    w.end();
  }
  w.end().key("sources").array();
  for (const ValidatedSource& s : v.sources) {
    w.object().member("source_id", s.source_id).member("rows", s.rows);
    w.member("median_abs", s.median_abs).member("mean_signed", s.mean_signed).end();
  }
  w.end().key("summary").object().member("rows", v.all).member("skipped", v.skipped);
  w.member("unscorable", v.unscorable).member("median_abs", v.median_abs);
  w.member("p90_abs", v.p90_abs).member("mean_of_source_medians", v.mean_of_source_medians);
  w.end().key("problems").array();
  for (const Problem& p : v.problems)
    w.object().member("code", p.code).member("message", p.message).member("hint", p.hint).end();
  return w.end().end().take();
}

std::string validation_text(const Validation& v, bool every_row) {
  std::string out;
  std::vector<const ValidatedRow*> scored;
  for (const ValidatedRow& row : v.rows)
    if (row.skipped.empty()) scored.push_back(&row);
  const std::string quantity(v.rows.empty() ? std::string_view() : v.rows[0].quantity);
  const std::vector<std::string> head = {"row", "source", quantity, "predicted", "error"};
  if (every_row && !scored.empty()) {
    std::vector<std::vector<std::string>> lines = {head};
    for (const ValidatedRow* row : scored) lines.push_back(line_of(*row));
    out += table(lines, 2) + "\n";
  }
  if (!v.sources.empty()) {
    std::vector<std::vector<std::string>> lines = {{"source", "rows", "median |error|", "mean"}};
    for (const ValidatedSource& s : v.sources)
      lines.push_back({s.source_id.empty() ? "(no source)" : s.source_id, format("%.0f", s.rows),
                       percent(s.median_abs), percent(s.mean_signed)});
    out += table(lines, 1) + "\n";
  }
  const double n = static_cast<double>(scored.size());
  out += "Of " + format("%.0f", v.all) + " rows of " + std::string(kind_name(v.kind)) + ", " +
         format("%.0f", n) + " are predicted and " + format("%.0f", v.skipped) + " are skipped.\n";
  if (n > 0)
    out += "median |error| " + percent(v.median_abs) + ", 90th percentile " + percent(v.p90_abs) +
           ", mean of the sources' medians " + percent(v.mean_of_source_medians) + "\n";
  if (!every_row && !scored.empty()) {
    constexpr std::size_t kWorst = 10;
    std::stable_sort(scored.begin(), scored.end(), [](const auto* a, const auto* b) {
      return std::fabs(a->error) > std::fabs(b->error);
    });
    scored.resize(std::min(scored.size(), kWorst));
    std::vector<std::vector<std::string>> lines = {head};
    for (const ValidatedRow* row : scored) lines.push_back(line_of(*row));
    out += "\nFurthest off (--rows prints all)\n" + table(lines, 2);
  }
  if (v.skipped > 0) out += "\nSkipped\n" + reasons(v);
  return out;
}

}  // namespace envelope
