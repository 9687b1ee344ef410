// SPDX-License-Identifier: MIT
// The native shell over api.h: scripts, parity tests and whoever has no browser.
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
#include "envelope/validate.h"
#include "envelope/version.h"

namespace {

using namespace envelope;

constexpr std::string_view kUsage =
    R"(envelope: FLOPs, memory, GPUs, time and cost of large language models

  envelope estimate [LINK | JSON | -]     one scenario; the default one without input
  envelope open LINK                      what a link says, as a patch
  envelope compare LINK LINK ...          what differs, in inputs and results
  envelope sweep JSON                     {"scenario", "axes", "metrics"} as CSV
  envelope import FILE                    a model from its Hugging Face config.json
  envelope replays                        the documents' figures beside ours
  envelope validate FILE.csv [--rows]     measurements beside predictions, with errors
  envelope schema                         every field, metric, source and catalog row
  envelope types                          TypeScript types of the two tables
  envelope fields                         the keys a link may have

  --json      print JSON and not a table
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
  if (command == "estimate") return api::estimate(input);
  if (command == "open") return api::open(input);
  if (command == "compare") return api::compare(input);
  if (command == "import") return api::import_config(input);
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

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> args;
  bool json = false, lines = false, rows = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--json")
      json = true;
    else if (arg == "--lines")
      lines = true;
    else if (arg == "--rows")
      rows = true;
    else
      args.emplace_back(arg);
  }
  const std::string command = args.empty() ? "help" : args[0];
  if (!args.empty()) args.erase(args.begin());
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
  if (command == "sweep" && !json) return print_sweep(input);

  std::string answer;
  if (command == "replays")
    answer = api::replays();
  else
    answer = call(command, command == "compare" ? compare_request(args) : input);
  if (answer.empty()) {
    std::cout << kUsage;
    return command == "help" || command == "--help" ? 0 : 1;
  }
  if (json || command == "open" || command == "sweep") return std::cout << answer << "\n", 0;
  Json parsed;
  Problems problems;
  if (!parse_json(answer, parsed, problems, answer.size())) return 1;
  if (command == "estimate") print_estimate(parsed);
  if (command == "replays") print_replays(parsed);
  if (command == "compare") print_compare(parsed);
  if (command == "import") print_import(parsed);
  for (const Json& p :
       parsed.find("problems") ? parsed.find("problems")->items : std::vector<Json>{})
    if (p.text_at("severity") == "error") return 2;
  return 0;
}
