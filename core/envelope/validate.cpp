// SPDX-License-Identifier: MIT
#include "envelope/validate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "envelope/json.h"

namespace envelope {
namespace {

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

std::string why_unmeasured(const Record& row, const Measurand& q) {
  const std::string column(q.column);
  if (row.at("oom") == "1") return "oom: 1, it ran out of memory";
  if (row.at(q.column).empty()) return column + " is empty: nothing is measured";
  return column + ": " + quoted(row.at(q.column)) + " is not a positive number";
}

ValidatedRow validate_row(const Csv& csv, const CsvRow& cells, FileKind kind) {
  const Record row(csv, cells);
  ValidatedRow out;
  out.id = row.at("id");
  if (out.id.empty()) out.id = "line " + std::to_string(cells.line);
  out.source_id = row.at("source_id");
  const Measurand quantity = measure_of(kind, row);
  out.quantity = quantity.name;
  if (!cells.ragged.empty()) {
    out.id = "line " + std::to_string(cells.line);
    out.source_id.clear();
    out.skipped = cells.ragged;
    return out;
  }
  out.measured = measured_in(quantity, row);
  out.device = row.at("accelerator_id");
  out.skipped = left_out(row);
  out.unscorable = !out.skipped.empty();
  if (out.unscorable) return out;
  out.measured = measured_in(quantity, row);
  if (!given(out.measured)) {
    out.skipped = why_unmeasured(row, quantity);
    return out;
  }
  Prediction p = predict(kind, row, quantity);
  out.skipped = std::move(p.skipped);
  out.note = std::move(p.note);
  out.link = std::move(p.link);
  out.moe = p.moe;
  if (!out.skipped.empty()) return out;
  out.predicted = p.value;
  out.step = p.step;
  out.error = (out.predicted - out.measured) / (quantity.rate ? -out.predicted : out.measured);
  if (!std::isfinite(out.error)) {
    out.error = out.predicted = kNone;
    out.skipped = why_unmeasured(row, quantity);
  }
  return out;
}

void describe(ValidatedGroup& group, const std::vector<double>& errors) {
  std::vector<double> off;
  double sum = 0;
  for (const double e : errors) {
    off.push_back(std::fabs(e));
    sum += e;
  }
  group.rows = static_cast<double>(off.size());
  if (off.empty()) return;
  group.mean_signed = sum / group.rows;
  group.median_abs = percentile(off, 0.5);
  group.p90_abs = percentile(off, 0.9);
}

/// Predicted rows by what `name` says of them, most rows first.
std::vector<ValidatedGroup> grouped(const std::vector<ValidatedRow>& rows,
                                    const std::string ValidatedRow::*name) {
  std::vector<ValidatedGroup> groups;
  std::vector<std::vector<double>> errors;
  for (const ValidatedRow& row : rows) {
    if (!row.skipped.empty()) continue;
    const auto at = std::find_if(groups.begin(), groups.end(),
                                 [&](const ValidatedGroup& g) { return g.name == row.*name; });
    const auto i = static_cast<std::size_t>(at - groups.begin());
    if (at == groups.end()) {
      groups.push_back({row.*name});
      errors.emplace_back();
    }
    errors[i].push_back(row.error);
  }
  for (std::size_t i = 0; i < groups.size(); ++i) describe(groups[i], errors[i]);
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.rows > b.rows; });
  return groups;
}

void summarise(Validation& v) {
  std::vector<double> all, moe;
  for (const ValidatedRow& row : v.rows) {
    v.all += 1;
    v.skipped += row.skipped.empty() ? 0 : 1;
    v.unscorable += row.unscorable ? 1 : 0;
    if (!row.skipped.empty()) continue;
    all.push_back(std::fabs(row.error));
    if (row.moe) moe.push_back(row.error);
  }
  v.sources = grouped(v.rows, &ValidatedRow::source_id);
  v.devices = grouped(v.rows, &ValidatedRow::device);
  describe(v.moe, moe);
  v.median_abs = percentile(all, 0.5);
  v.p90_abs = percentile(all, 0.9);
  double sum = 0;
  for (const ValidatedGroup& source : v.sources) sum += source.median_abs;
  if (!v.sources.empty()) v.mean_of_source_medians = sum / static_cast<double>(v.sources.size());
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

void write_group(JsonWriter& w, std::string_view name, const ValidatedGroup& g) {
  w.object();
  if (!name.empty()) w.member(name, g.name);
  w.member("rows", g.rows).member("median_abs", g.median_abs).member("p90_abs", g.p90_abs);
  w.member("mean_signed", g.mean_signed).end();
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
    if (!row.device.empty()) w.member("device", row.device);
    if (row.moe) w.member("moe", true);
    if (given(row.step))
      w.key("step")
          .object()
          .member("measured", row.step / (1 + row.error))
          .member("predicted", row.step)
          .end();
    if (!row.skipped.empty()) w.member("skipped", row.skipped);
    if (!row.note.empty()) w.member("note", row.note);
    if (!row.link.empty()) w.member("link", row.link);
    w.end();
  }
  w.end().key("sources").array();
  for (const ValidatedGroup& g : v.sources) write_group(w, "source_id", g);
  w.end().key("devices").array();
  for (const ValidatedGroup& g : v.devices)
    if (!g.name.empty()) write_group(w, "device", g);
  w.end().key("summary").object().member("rows", v.all).member("skipped", v.skipped);
  w.member("unscorable", v.unscorable).member("median_abs", v.median_abs);
  w.member("p90_abs", v.p90_abs).member("mean_of_source_medians", v.mean_of_source_medians);
  w.end();
  if (v.moe.rows > 0) {
    w.key("moe");
    write_group(w, {}, v.moe);
  }
  w.key("problems").array();
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
    for (const ValidatedGroup& g : v.sources)
      lines.push_back({g.name.empty() ? "(no source)" : g.name, format("%.0f", g.rows),
                       percent(g.median_abs), percent(g.mean_signed)});
    out += table(lines, 1) + "\n";
  }
  const double n = static_cast<double>(scored.size());
  out += "Of " + format("%.0f", v.all) + " rows of " + std::string(kind_name(v.kind)) + ", " +
         format("%.0f", n) + " are predicted and " + format("%.0f", v.skipped) + " are skipped.\n";
  if (n > 0)
    out += "median |error| " + percent(v.median_abs) + ", 90th percentile " + percent(v.p90_abs) +
           ", mean of the sources' medians " + percent(v.mean_of_source_medians) + "\n";
  if (v.moe.rows > 0 && v.moe.rows < n)
    out += format("of models with experts (%.0f): ", v.moe.rows) + "median |error| " +
           percent(v.moe.median_abs) + ", 90th percentile " + percent(v.moe.p90_abs) + "\n";
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
