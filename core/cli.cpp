// SPDX-License-Identifier: MIT
// The native shell over api.h: scripts, parity tests and whoever has no browser.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "envelope/api.h"
#include "envelope/fields.h"
#include "envelope/json.h"
#include "envelope/metrics.h"
#include "envelope/study.h"
#include "envelope/validate.h"
#include "envelope/value.h"
#include "envelope/version.h"

namespace {

using namespace envelope;

constexpr std::string_view kUsage =
    R"(envelope: FLOPs, memory, GPUs, time and cost of large language models

  envelope estimate [LINK | JSON | -]     one scenario; the default one without input
  envelope solve LINK                     the unknown that the link names (solve=tokens ...)
  envelope open LINK                      what a link says, as a patch
  envelope compare LINK LINK ...          what differs, in inputs and results
  envelope sweep JSON                     {"scenario", "axes", "metrics"} as CSV
  envelope sweep [LINK]                   the chart of a link (x, y, z) as CSV
  envelope sensitivity [LINK | JSON | -]  what moves a result most; JSON: {"scenario", "metric"}
  envelope step [LINK | JSON | -]         timeline and operations of a predicted step, as JSON
  envelope calibrate JSON                 {"scenario", "quantity", "value"}: the overhead of a measured run
  envelope plan [LINK | JSON | -]         the best layouts; --minimise METRIC, --limit 'time.total<=30d',
                                          --allow SWITCH, --keep N
  envelope best [LINK] --usd 2M           the best model for a budget: --usd, --flop, --days, and
                                          --served TOKENS for one that is cheap to run
  envelope launch [LINK | JSON | -]       the commands and files that start it; --launcher ID
  envelope import FILE                    a model from its Hugging Face config.json
  envelope replays                        the documents' figures beside ours
  envelope validate FILE.csv [--rows]     measurements beside predictions, with errors
  envelope study FILE.csv                 published layouts beside planned ones, as a table in Markdown
  envelope schema                         every field, metric, source and catalog row
  envelope types                          TypeScript types of the two tables
  envelope fields                         the keys a link may have

  --json      print JSON and not a table
  --launcher  with launch: the program, such as megatron-lm or vllm
  --rows      with validate: a line for each row
  --lines     read one input a line from stdin, print one JSON answer a line
  -           read the input from stdin

A LINK is what stands behind # in the address, such as
  'model=llama-3.1-70b&task=serve&n=8&wfmt=fp8-e4m3'
)";

std::string significant(double x, const char* suffix) {
  char buffer[64];
  const int digits = std::fabs(x) >= 100 ? 0 : std::fabs(x) >= 10 ? 1 : 2;
  std::snprintf(buffer, sizeof buffer, "%.*f%s", digits, x, suffix);
  return buffer;
}

/// A number for people, three digits; JSON has them all.
std::string human(double x, std::string_view unit) {
  const double a = std::fabs(x);
  const auto scaled = [&](std::string tail) {
    constexpr struct {
      double factor;
      const char* prefix;
    } kScales[] = {{1e15, " P"}, {1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}, {1, " "}};
    for (const auto& [factor, prefix] : kScales)
      if (a >= factor || factor == 1) return significant(x / factor, prefix) + tail;
    return std::string();
  };
  if (unit == "byte") return scaled("B");
  if (unit == "byte/token") return scaled("B/token");
  if (unit == "byte/s") return scaled("B/s");
  if (unit == "flop/s") return scaled("FLOP/s");
  if (unit == "flop" || unit == "flop/token") {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, a >= 1e6 ? "%.3g" : "%.6g", x);
    return std::string(buffer) + (unit == "flop" ? " FLOP" : " FLOP/token");
  }
  if (unit == "second") {
    if (a >= 2 * 86400) return significant(x / 86400, " days");
    if (a >= 2 * 3600) return significant(x / 3600, " hours");
    if (a >= 120) return significant(x / 60, " minutes");
    if (a >= 1 || a == 0) return significant(x, " s");
    return significant(x * 1e3, " ms");
  }
  if (unit == "watt-hour")
    return a >= 1e9   ? significant(x / 1e9, " GWh")
           : a >= 1e6 ? significant(x / 1e6, " MWh")
                      : significant(x / 1e3, " kWh");
  if (unit == "factor") return significant(x, " x");
  if (unit == "number") return significant(x, "");
  if (unit == "ratio") return a <= 2 ? significant(100 * x, " %") : significant(x, " x");
  if (unit == "usd" || unit == "usd/hour")
    return (x < 0 ? "-$" : "$") +
           (a >= 1e9   ? significant(a / 1e9, "B")
            : a >= 1e6 ? significant(a / 1e6, "M")
            : a >= 1e4 ? significant(a / 1e3, "k")
                       : significant(a, "")) +
           (unit == "usd" ? "" : " an hour");
  const std::string tail = unit == "count" ? "" : " " + std::string(unit);
  if (a >= 1e12) return significant(x / 1e12, "T") + tail;
  if (a >= 1e9) return significant(x / 1e9, "B") + tail;
  if (a >= 1e6) return significant(x / 1e6, "M") + tail;
  if (a == std::floor(a)) return number_text(x) + tail;
  return significant(x, "") + tail;
}

double value_of(const Json& answer, std::string_view id) {
  for (const Json& step : answer.find("steps")->items)
    if (step.text_at("id") == id) return step.number_at("value");
  return std::nan("");
}

/// Words of a sentence, with numbers in their places.
std::string sentence(const Json& parts, const Json& answer) {
  std::string out;
  for (const Json& part : parts.items) {
    if (part.kind == Json::Kind::text) {
      out += part.text;
      continue;
    }
    const std::string_view id = part.text_at("metric");
    const Metric* m = find_metric(id);
    // "15.6T tokens" is said by the sentence itself.
    if (m) out += human(value_of(answer, id), m->unit == "token" ? "count" : m->unit);
  }
  return out;
}

void print_problems(const Json& answer) {
  const Json* problems = answer.find("problems");
  if (!problems) return;
  for (const Json& p : problems->items)
    std::cout << p.text_at("severity") << " at " << p.text_at("path") << ": "
              << p.text_at("message") << " " << p.text_at("hint") << "\n";
  if (!problems->items.empty()) std::cout << "\n";
}

void print_estimate(const Json& answer) {
  print_problems(answer);
  std::cout << sentence(*answer.find("summary"), answer) << "\n";
  const Json& verdict = *answer.find("verdict");
  std::cout << sentence(*verdict.find("message"), answer) << "\n";
  for (const Json& r : verdict.find("remedies")->items)
    std::cout << "  try: " << r.text_at("label") << " -> " << human(r.number_at("per_gpu"), "byte")
              << " per GPU" << (r.find("fits")->flag ? ", fits" : "") << "\n";
  std::string_view stage;
  for (const Json& step : answer.find("steps")->items) {
    const Metric* m = find_metric(step.text_at("id"));
    if (!m || m->id.substr(0, 5) == "arch." || m->id.substr(0, 6) == "flops.") continue;
    const std::string_view now = m->id.substr(0, m->id.find('.'));
    if (now != stage) std::cout << "\n";
    stage = now;
    std::printf("%-32.*s %22s  %-9.*s %.*s\n", static_cast<int>(m->id.size()), m->id.data(),
                human(step.number_at("value"), m->unit).c_str(),
                static_cast<int>(kind_id(m->kind).size()), kind_id(m->kind).data(),
                static_cast<int>(m->label.size()), m->label.data());
  }
  std::cout << "\n";
  for (const Json& f : answer.find("findings")->items)
    std::cout << f.text_at("severity") << ": " << sentence(*f.find("message"), answer) << "\n";
  std::cout << "\nlink: #" << answer.text_at("link") << "\n";
}

void print_solved(const Json& answer) {
  print_problems(answer);
  const Json* solved = answer.find("solved");
  if (!solved) {
    std::cout << "The link names no unknown. Add solve=tokens, params, gpus, seq, batch or micro, "
                 "and deadline=30d, usd=2M or peruser=30.\n";
    return;
  }
  const double value = solved->number_at("value");
  std::cout << solved->text_at("message") << "\n\n"
            << solved->text_at("path") << " = "
            << (std::isnan(value) ? std::string("-") : number_text(value)) << "\nlink: #"
            << solved->text_at("link") << "\n";
}

void print_replays(const Json& answer) {
  std::string_view document;
  int same = 0, explained = 0, added = 0;
  for (const Json& row : answer.find("rows")->items) {
    if (row.text_at("document") != document) {
      document = row.text_at("document");
      std::cout << "\n== " << document << "\n";
    }
    std::cout << "\n" << row.text_at("id") << "  " << row.text_at("title") << "\n";
    for (const Json& i : row.find("items")->items) {
      const double difference = i.number_at("difference");
      const bool explain = i.text_at("verdict") == "explained";
      (explain ? explained : i.text_at("verdict") == "added" ? added : same)++;
      std::printf("    %-58.*s %-28.*s %18s  %s\n", static_cast<int>(i.text_at("label").size()),
                  i.text_at("label").data(), static_cast<int>(i.text_at("figure").size()),
                  i.text_at("figure").data(),
                  human(i.number_at("value"), i.text_at("unit")).c_str(),
                  std::isfinite(difference) ? significant(100 * difference, " %").c_str() : "");
      if (!i.text_at("why").empty()) std::cout << "        " << i.text_at("why") << "\n";
    }
  }
  std::cout << "\n"
            << same << " figures agree, " << explained << " differ and are explained, " << added
            << " are added where the document prints none.\n";
}

void print_compare(const Json& answer) {
  print_problems(answer);
  const auto rows = [](const Json& list, bool metrics) {
    for (const Json& row : list.items) {
      const std::string_view id = row.text_at(metrics ? "id" : "path");
      std::printf("%-32.*s", static_cast<int>(id.size()), id.data());
      const Metric* m = find_metric(id);
      for (const Json& v : row.find("values")->items) {
        std::string cell = v.kind == Json::Kind::text   ? v.text
                           : v.kind == Json::Kind::flag ? (v.flag ? "on" : "off")
                           : v.kind == Json::Kind::number
                               ? human(v.number, m && metrics ? m->unit : "count")
                               : "-";
        std::printf(" %20s", cell.c_str());
      }
      std::printf("\n");
    }
  };
  rows(*answer.find("inputs"), false);
  std::printf("\n");
  rows(*answer.find("metrics"), true);
}

void print_types() {
  const auto list = [](const char* name, const auto& rows, auto id) {
    std::cout << "export type " << name << " =\n";
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::cout << "  | '" << id(rows[i]) << (i + 1 < rows.size() ? "'\n" : "';\n\n");
  };
  std::cout << "// SPDX-License-Identifier: MIT\n"
               "// Generated by `envelope types` from the tables of the core. Do not edit.\n\n";
  list("Path", fields(), [](const Field& f) { return f.path; });
  list("Key", fields(), [](const Field& f) { return f.key; });
  list("MetricId", metrics(), [](const Metric& m) { return m.id; });
  std::cout << "export type Patch = Partial<Record<Path, string | number | boolean>>;\n";
}

void print_fields() {
  for (const Field& f : fields())
    std::printf("%-12.*s %-28.*s %-9.*s %.*s\n", static_cast<int>(f.key.size()), f.key.data(),
                static_cast<int>(f.path.size()), f.path.data(), static_cast<int>(f.unit.size()),
                f.unit.data(), static_cast<int>(f.help.text.size()), f.help.text.data());
}

std::string csv_cell(const Json& v) {
  if (v.kind == Json::Kind::number) return number_text(v.number);
  if (v.kind == Json::Kind::flag) return v.flag ? "1" : "0";
  return v.kind == Json::Kind::text ? v.text : std::string();
}

/// In quotes where a separator or a quote is inside.
std::string csv_text(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out.find_first_of(",\"\n") == std::string::npos ? out : '"' + out + '"';
}

int print_chart(const std::string& link) {
  const std::string text = api::chart(link);
  Json chart;
  Problems problems;
  if (!parse_json(text, chart, problems, text.size())) return 1;
  for (const Json& p : chart.find("problems")->items)
    std::cerr << p.text_at("path") << ": " << p.text_at("message") << " " << p.text_at("hint")
              << "\n";
  const std::vector<Json>& values = chart.find("values")->items;
  if (values.empty()) return 2;
  const Json &x = *chart.find("x"), &y = *chart.find("y");
  const bool two = y.kind == Json::Kind::object;
  std::cout << x.text_at("path") << (two ? "," : "") << y.text_at("path") << ","
            << chart.text_at("metric") << ",mark,why\n";
  const std::size_t width = two ? y.find("values")->items.size() : 1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    constexpr const char* kMarks[] = {"", "does not fit", "breaks a rule"};
    std::cout << csv_cell(x.find("values")->items[i / width]) << ",";
    if (two) std::cout << csv_cell(y.find("values")->items[i % width]) << ",";
    const double reason = chart.find("reasons")->items[i].number;
    std::cout << csv_cell(values[i]) << ","
              << kMarks[static_cast<int>(chart.find("marks")->items[i].number)] << ",";
    if (reason >= 0)
      std::cout << csv_text(chart.find("sentences")->items[static_cast<std::size_t>(reason)].text);
    std::cout << "\n";
  }
  return 0;
}

void print_sensitivity(const Json& answer) {
  print_problems(answer);
  const std::string_view unit = answer.text_at("unit");
  std::cout << answer.text_at("label") << ": " << human(answer.number_at("value"), unit) << "\n\n";
  const auto input = [](const Json& v, std::string_view of) {
    return v.kind == Json::Kind::number ? human(v.number, of) : csv_cell(v);
  };
  for (const Json& row : answer.find("rows")->items) {
    const std::string_view unit_of = row.text_at("unit"),
                           of = unit_of == "token" ? "count" : unit_of;
    std::printf("%-30.*s %12s  at %-16s %12s  at %-16s\n",
                static_cast<int>(row.text_at("label").size()), row.text_at("label").data(),
                human(row.number_at("at_low"), unit).c_str(), input(*row.find("low"), of).c_str(),
                human(row.number_at("at_high"), unit).c_str(),
                input(*row.find("high"), of).c_str());
    std::cout << "    " << row.text_at("why") << "\n";
    for (const char* end : {"low", "high"}) {
      const std::string_view note = row.text_at(std::string(end) + "_note");
      if (!note.empty())
        std::cout << "    at " << input(*row.find(end), of) << ": " << note << "\n";
    }
  }
}

int print_sweep(const std::string& request) {
  const std::vector<double> rows = api::sweep(request);
  Json json;
  Problems problems;
  if (rows.empty() || !parse_json(request, json, problems)) {
    std::cerr << "The request names an unknown path or metric, or has no points.\n";
    return 1;
  }
  std::vector<std::string> names;
  for (const Json& a : json.find("axes")->items) names.emplace_back(a.text_at("path"));
  for (const Json& m : json.find("metrics")->items) names.push_back(m.text);
  for (std::size_t i = 0; i < names.size(); ++i) std::cout << (i ? "," : "") << names[i];
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::cout << (i % names.size() ? "," : "\n")
              << (std::isnan(rows[i]) ? std::string() : number_text(rows[i]));
  std::cout << "\n";
  return 0;
}

/// The options of `plan`.
struct PlanOptions {
  std::string minimise, keep;
  std::vector<std::string> limits, allow;
};

/// `time.total<=30d`, in the unit of the metric.
bool write_limit(JsonWriter& w, const std::string& text) {
  const std::size_t at = text.find_first_of("<>");
  if (at == std::string::npos) return false;
  const std::string id = text.substr(0, at);
  const std::size_t number = text.find_first_not_of("<>=", at);
  const Metric* m = find_metric(id);
  double x = 0;
  if (number == std::string::npos || !parse_number(text.substr(number), m ? m->unit : "number", x))
    return false;
  w.object().member("metric", id).member(text[at] == '<' ? "at_most" : "at_least", x).end();
  return true;
}

/// Begins a request with a link or a patch as its scenario; false where the input is a whole
/// request, or none, and the answer will say what is wrong.
bool begin_request(JsonWriter& w, const std::string& input) {
  Json json;
  Problems problems;
  const std::size_t first = input.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && (input[first] == '{' || input[first] == '['))
    if (!parse_json(input, json, problems) || json.kind != Json::Kind::object ||
        json.find("scenario"))
      return false;
  w.object().key("scenario");
  if (json.kind == Json::Kind::object)
    w.value(patch_of(json, problems));
  else
    w.value(input);
  return true;
}

/// The request for api::plan; empty, with what is wrong on stderr, when an option is not one.
std::string plan_request(const std::string& input, const PlanOptions& options) {
  JsonWriter w;
  if (!begin_request(w, input)) return input;
  if (!options.minimise.empty()) w.member("minimise", options.minimise);
  if (double keep = 0; !options.keep.empty() && parse_number(options.keep, "count", keep))
    w.member("keep", keep);
  w.key("limits").array();
  for (const std::string& text : options.limits)
    if (!write_limit(w, text)) {
      std::cerr << "--limit " << text << " is no limit. Write --limit 'time.total<=30d'.\n";
      return {};
    }
  w.end().key("allow").array();
  for (const std::string& id : options.allow) w.value(id);
  return w.end().end().take();
}

void print_plans(const Json& answer) {
  print_problems(answer);
  const Json& counts = *answer.find("counts");
  const Metric* least = find_metric(answer.text_at("minimise"));
  if (!least) return;
  std::printf("%s layouts, %s timed, %s fit; by %s.\n",
              number_text(answer.number_at("space")).c_str(),
              number_text(counts.number_at("evaluated")).c_str(),
              number_text(counts.number_at("fit")).c_str(), std::string(least->label).c_str());
  std::printf("\nWhat is tried\n");
  for (const Json& axis : answer.find("axes")->items) {
    std::string values;
    for (const Json& v : axis.find("values")->items)
      values.append(values.empty() ? "" : " ")
          .append(v.kind == Json::Kind::number ? number_text(v.number)
                  : v.kind == Json::Kind::flag ? (v.flag ? "on" : "off")
                                               : v.text);
    std::printf("  %-26.*s %s\n  %-26s %.*s\n", static_cast<int>(axis.text_at("label").size()),
                axis.text_at("label").data(), values.c_str(), "",
                static_cast<int>(axis.text_at("why").size()), axis.text_at("why").data());
  }
  const auto row = [&](const Json& plan) {
    std::string numbers;
    const Json& metrics = *plan.find("metrics");
    for (std::size_t i = 0; i < metrics.keys.size(); ++i) {
      const Metric* m = find_metric(metrics.keys[i]);
      if (m->id == "layout.per_gpu" || m->id == "time.tokens_per_s_per_gpu") continue;
      char cell[64];
      const std::string text = human(metrics.items[i].number, m->unit);
      std::snprintf(cell, sizeof cell, " %12s", text.c_str());
      numbers += cell;
    }
    std::printf("%s%-32.*s%s  %.*s\n", plan.find("front")->flag ? "*" : " ",
                static_cast<int>(plan.text_at("label").size()), plan.text_at("label").data(),
                numbers.c_str(), static_cast<int>(plan.text_at("detail").size()),
                plan.text_at("detail").data());
  };
  const Json& plans = *answer.find("plans");
  const Json& present = *answer.find("present");
  std::printf("\n %-32s", "Plans (* none better in all)");
  for (const std::string& id : present.find("metrics")->keys)
    if (id != "layout.per_gpu" && id != "time.tokens_per_s_per_gpu")
      std::printf(" %12s", id.substr(id.find('.') + 1).substr(0, 12).c_str());
  std::printf("\n");
  for (const Json& plan : plans.items) row(plan);
  std::printf("as it is%s\n", present.find("fits")->flag ? "" : " (does not fit)");
  row(present);
  std::printf("\nWhy others are not\n");
  for (const Json& r : counts.find("rejected")->items)
    std::printf("  %10s  %.*s\n", number_text(r.number_at("count")).c_str(),
                static_cast<int>(r.text_at("label").size()), r.text_at("label").data());
  if (counts.number_at("skipped") > 0)
    std::printf("  %10s  Cannot be better\n", number_text(counts.number_at("skipped")).c_str());
  const std::vector<Json>& gains = answer.find("gains")->items;
  if (!gains.empty()) std::printf("\nWhat one more change would buy\n");
  for (const Json& g : gains)
    std::printf(
        "  %-40.*s %s%s%s%s\n", static_cast<int>(g.text_at("label").size()),
        g.text_at("label").data(), g.find("whole")->flag ? "" : "at least as good as ",
        human(g.number_at("then"), least->unit).c_str(),
        std::isfinite(g.number_at("now")) ? " instead of " : "",
        std::isfinite(g.number_at("now")) ? human(g.number_at("now"), least->unit).c_str() : "");
  std::printf("\nOff by default (--allow)\n");
  for (const Json& s : answer.find("switches")->items)
    if (!s.find("on")->flag)
      std::printf("  %-12.*s %.*s\n", static_cast<int>(s.text_at("id").size()),
                  s.text_at("id").data(), static_cast<int>(s.text_at("label").size()),
                  s.text_at("label").data());
  if (!plans.items.empty())
    std::cout << "\nlink of the first: #" << plans.items[0].text_at("link") << "\n";
}

/// The options of `best`: a name, the unit of its value, and what was typed.
struct BudgetOptions {
  struct {
    const char *option, *key, *unit;
    std::string text;
  } rows[4] = {{"--usd", "usd", "usd", ""},
               {"--flop", "flop", "flop", ""},
               {"--days", "days", "number", ""},
               {"--served", "served", "token", ""}};
  bool take(std::string_view arg, const char* value) {
    for (auto& row : rows)
      if (value && arg == row.option) return row.text = value, true;
    return false;
  }
};

/// The request for api::best_model; empty, with what is wrong on stderr, when a value is none.
std::string best_request(const std::string& input, const BudgetOptions& options) {
  JsonWriter w;
  if (!begin_request(w, input)) return input;
  for (const auto& row : options.rows) {
    double x = 0;
    if (row.text.empty()) continue;
    if (!parse_number(row.text, row.unit, x)) {
      std::cerr << row.option << " " << row.text << " is no number. Write " << row.option
                << (row.unit == std::string_view("usd") ? " 2M.\n" : " 30.\n");
      return {};
    }
    w.member(row.key, x);
  }
  return w.end().take();
}

void print_best(const Json& answer) {
  print_problems(answer);
  const auto row = [&](const char* title, const Json* t) {
    if (!t || t->kind != Json::Kind::object) return;
    const auto number = [&](std::string_view key, std::string_view unit) {
      const double x = t->number_at(key);
      return std::isnan(x) ? std::string("-") : human(x, unit);
    };
    std::cout << title << "\n";
    const auto line = [](const char* label, const std::string& text) {
      std::printf("  %-22s %s\n", label, text.c_str());
    };
    line("Parameters", number("params", "count"));
    line("Tokens", number("tokens", "count"));
    line("Loss", number("loss", "number"));
    line("GPUs", number("gpus", "count") + ", " + std::string(t->text_at("layout")));
    line("MFU", number("mfu", "ratio"));
    line("Time", number("seconds", "second"));
    line("Cost", number("usd", "usd"));
    line("FLOP of training", number("train_flop", "flop"));
    line("FLOP of serving", number("served_flop", "flop"));
    std::cout << "  link: #" << t->text_at("link") << "\n\n";
  };
  std::cout << answer.text_at("law") << "\n\n";
  row("The size that the law gives for this budget", answer.find("optimal"));
  row("As good, with the fewest FLOP of training and serving", answer.find("served"));
  for (const Json& note : answer.find("notes")->items) std::cout << note.text << "\n";
}

void print_import(const Json& answer) {
  print_problems(answer);
  const Json& patch = *answer.find("patch");
  if (patch.items.empty()) return;
  Json report;
  Problems problems;
  const std::string text = api::estimate(answer.text_at("link"));
  if (parse_json(text, report, problems, text.size()))
    std::printf("%s: %.0f parameters, %.0f active\n\n", std::string(answer.text_at("name")).c_str(),
                value_of(report, "params.total"), value_of(report, "params.active"));
  for (std::size_t i = 0; i < patch.keys.size(); ++i) {
    const Json& v = patch.items[i];
    std::printf("%-28s %s\n", patch.keys[i].c_str(),
                v.kind == Json::Kind::number ? number_text(v.number).c_str()
                : v.kind == Json::Kind::flag ? (v.flag ? "true" : "false")
                                             : v.text.c_str());
  }
  std::cout << "\nlink: #" << answer.text_at("link") << "\n";
}

/// Each file behind a line with its name, so that the whole can be read and cut.
void print_launch(const Json& answer) {
  print_problems(answer);
  // Who asked for one launcher is not given the text of another.
  const auto wanted = [](const Json& p) {
    return p.text_at("path") == "launcher" && p.text_at("severity") == "error";
  };
  const std::vector<Json>& problems = answer.find("problems")->items;
  if (std::any_of(problems.begin(), problems.end(), wanted)) return;
  for (const Json& f : answer.find("files")->items)
    std::cout << "==> " << f.text_at("name") << " <==\n" << f.text_at("text") << "\n";
  for (const Json& note : answer.find("notes")->items) std::cout << "note: " << note.text << "\n";
  std::cout << "launchers:";
  for (const Json& row : answer.find("launchers")->items)
    std::cout << " " << row.text_at("id")
              << (row.text_at("id") == answer.text_at("launcher") ? "*" : "");
  std::cout << "\n";
  for (const Json& row : answer.find("cannot")->items)
    std::cout << "not " << row.text_at("id") << ": " << row.text_at("why") << "\n";
}

/// A launch request of a link or of a patch; a request is passed on.
std::string launch_request(const std::string& input, const std::string& launcher) {
  Json json;
  Problems problems;
  const bool parsed =
      !input.empty() && input.find('{') != std::string::npos && parse_json(input, json, problems);
  if (parsed && json.find("scenario")) return input;
  JsonWriter w;
  w.object().key("scenario");
  if (parsed) {
    const Patch patch = patch_of(json, problems);
    w.value(patch);
  } else {
    w.value(input);
  }
  if (!launcher.empty()) w.member("launcher", launcher);
  return w.end().take();
}

std::string everything(std::istream& in) {
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string compare_request(const std::vector<std::string>& links) {
  if (links.size() == 1 && !links[0].empty() && links[0][0] == '{') return links[0];
  JsonWriter w;
  w.object().key("scenarios").array();
  for (const std::string& link : links) w.value(link);
  return w.end().end().take();
}

std::string call(std::string_view command, const std::string& input) {
  if (command == "estimate" || command == "solve") return api::estimate(input);
  if (command == "open") return api::open(input);
  if (command == "compare") return api::compare(input);
  if (command == "step") return api::step(input);
  if (command == "calibrate") return api::calibrate(input);
  if (command == "plan") return api::plan(input);
  if (command == "best") return api::best_model(input);
  if (command == "sensitivity") return api::sensitivity(input);
  if (command == "chart") return api::chart(input);
  if (command == "import") return api::import_config(input);
  if (command == "launch") return api::launch(input);
  if (command == "sweep") {
    JsonWriter w;
    w.array();
    for (const double x : api::sweep(input)) w.value(x);
    return w.end().take();
  }
  return {};
}

/// The start of a file, a little more than what the reader of tables accepts; "-" is stdin.
bool read_file(const std::string& name, std::string& out) {
  std::ifstream file;
  if (name != "-") file.open(name, std::ios::binary);
  std::istream& in = name == "-" ? std::cin : file;
  out.resize(kLongestCsv + 1);
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<std::size_t>(in.gcount()));
  return name == "-" ||
         (file.is_open() && !file.bad() && file.eof() == (out.size() <= kLongestCsv));
}

int print_validation(const std::vector<std::string>& args, bool json, bool rows) {
  if (args.size() != 1) {
    std::cerr << "envelope validate takes one file: envelope validate FILE.csv\n";
    return 1;
  }
  std::string text;
  if (!read_file(args[0], text)) {
    std::cerr << args[0] << ": cannot be read. Check the name and whether it is a file.\n";
    return 1;
  }
  const Validation v = validate(text);
  if (json) {
    std::cout << validation_json(args[0], v) << "\n";
  } else {
    for (const Problem& p : v.problems)
      std::cerr << args[0] << ": " << p.message << " " << p.hint << "\n";
    if (v.problems.empty()) std::cout << validation_text(v, rows);
  }
  return v.problems.empty() ? 0 : 2;
}

int print_study(const std::vector<std::string>& args) {
  std::string text;
  if (args.size() != 1 || !read_file(args[0], text)) {
    std::cerr << "envelope study takes one table of measured speeds: envelope study FILE.csv\n";
    return 1;
  }
  const Study s = study(text);
  for (const Problem& p : s.problems)
    std::cerr << args[0] << ": " << p.message << " " << p.hint << "\n";
  if (s.problems.empty()) std::cout << study_text(s);
  return s.problems.empty() ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> args;
  bool json = false, lines = false, rows = false;
  PlanOptions options;
  BudgetOptions budget;
  std::string launcher;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const bool more = i + 1 < argc;
    if (arg == "--json")
      json = true;
    else if (arg == "--lines")
      lines = true;
    else if (arg == "--rows")
      rows = true;
    else if (arg == "--minimise" && more)
      options.minimise = argv[++i];
    else if (budget.take(arg, more ? argv[i + 1] : nullptr))
      ++i;
    else if (arg == "--keep" && more)
      options.keep = argv[++i];
    else if (arg == "--limit" && more)
      options.limits.emplace_back(argv[++i]);
    else if (arg == "--allow" && more)
      options.allow.emplace_back(argv[++i]);
    else if (arg == "--launcher" && i + 1 < argc)
      launcher = argv[++i];
    else
      args.emplace_back(arg);
  }
  const std::string command = args.empty() ? "help" : args[0];
  if (!args.empty()) args.erase(args.begin());
  if (command == "study") return print_study(args);
  if (command == "validate") return print_validation(args, json, rows);
  if (args.size() == 1 && args[0] == "-") {
    args[0] = everything(std::cin);
  } else if (command == "import" && !args.empty()) {
    std::string text;
    if (!read_file(args[0], text)) {
      std::cerr << args[0] << ": cannot be read. Check the name and whether it is a file.\n";
      return 1;
    }
    args[0] = text;
  }
  const std::string input = args.empty() ? "" : args[0];

  if (lines) {
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) std::cout << call(command, line) << "\n";
    return 0;
  }
  if (command == "types") return print_types(), 0;
  if (command == "fields") return print_fields(), 0;
  if (command == "schema") return std::cout << api::schema() << "\n", 0;
  if (command == "version" || command == "--version") return std::cout << kVersion << "\n", 0;
  const bool is_request = input.find("\"axes\"") != std::string::npos;
  if (command == "sweep" && !is_request && json) return std::cout << api::chart(input) << "\n", 0;
  if (command == "sweep" && !json) return is_request ? print_sweep(input) : print_chart(input);

  std::string answer;
  if (command == "plan") {
    const std::string request = plan_request(input, options);
    if (request.empty()) return 1;
    answer = api::plan(request);
  } else if (command == "best") {
    const std::string request = best_request(input, budget);
    if (request.empty()) return 1;
    answer = api::best_model(request);
  } else if (command == "replays")
    answer = api::replays();
  else
    answer = call(command, command == "compare"  ? compare_request(args)
                           : command == "launch" ? launch_request(input, launcher)
                                                 : input);
  if (answer.empty()) {
    std::cout << kUsage;
    return command == "help" || command == "--help" ? 0 : 1;
  }
  if (json || command == "open" || command == "sweep" || command == "calibrate" ||
      command == "step" || command == "chart")
    return std::cout << answer << "\n", 0;
  Json parsed;
  Problems problems;
  if (!parse_json(answer, parsed, problems, answer.size())) return 1;
  if (command == "estimate") print_estimate(parsed);
  if (command == "solve") print_solved(parsed);
  if (command == "replays") print_replays(parsed);
  if (command == "compare") print_compare(parsed);
  if (command == "plan") print_plans(parsed);
  if (command == "best") print_best(parsed);
  if (command == "import") print_import(parsed);
  if (command == "sensitivity") print_sensitivity(parsed);
  if (command == "launch") print_launch(parsed);
  for (const Json& p :
       parsed.find("problems") ? parsed.find("problems")->items : std::vector<Json>{})
    if (p.text_at("severity") == "error") return 2;
  return 0;
}
