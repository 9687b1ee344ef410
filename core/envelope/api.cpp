// SPDX-License-Identifier: MIT
// Over 400 lines because it writes every answer, each in one place.
#include "envelope/api.h"

#include <algorithm>

#include "envelope/catalog.h"
#include "envelope/findings.h"
#include "envelope/formats.h"
#include "envelope/hf_config.h"
#include "envelope/json.h"
#include "envelope/least.h"
#include "envelope/link.h"
#include "envelope/metrics.h"
#include "envelope/replays.h"
#include "envelope/rules.h"
#include "envelope/sources.h"
#include "envelope/sweep.h"
#include "envelope/version.h"

namespace envelope::api {
namespace {

constexpr std::size_t kMostPoints = 200000;

/// A scenario as it came in: from JSON or from a link.
struct Input {
  Scenario scenario;
  std::vector<std::pair<char, Scenario>> others;
  Problems problems;
};

void append(Problems& to, Problems from) {
  for (Problem& p : from) to.push_back(std::move(p));
}

Input from_link(std::string_view text) {
  Input in;
  Link link = decode(text);
  in.problems = std::move(link.problems);
  in.scenario = scenario_of(link.patch, in.problems);
  for (const auto& [scope, patch] : link.compare) {
    Scenario other = in.scenario;
    Problems problems = envelope::apply(patch, other);
    for (Problem& p : problems) p.path.insert(0, std::string{scope, '.'});
    append(in.problems, std::move(problems));
    in.others.emplace_back(scope, other);
  }
  return in;
}

Input from_json(const Json& json) {
  Input in;
  if (json.kind != Json::Kind::object)
    in.problems.push_back({"", Severity::error, "wrong_type", "A scenario is an object of fields.",
                           "Give {\"model.id\": \"llama-3.1-8b\"}, or a link.", ""});
  const Patch patch = patch_of(json, in.problems);
  in.scenario = scenario_of(patch, in.problems);
  return in;
}

Input read(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '['))
    return from_link(text);
  Input in;
  Json json;
  if (!parse_json(text, json, in.problems)) {
    in.scenario = scenario_of({}, in.problems);
    return in;
  }
  return from_json(json);
}

Input read(const Json& json) {
  return json.kind == Json::Kind::text ? from_link(json.text) : from_json(json);
}

void write(JsonWriter& w, const Problems& problems) {
  constexpr std::string_view kSeverities[] = {"error", "warning", "note"};
  w.key("problems").array();
  for (const Problem& p : problems) {
    w.object().member("path", p.path).member("severity", kSeverities[static_cast<int>(p.severity)]);
    w.member("code", p.code).member("message", p.message).member("hint", p.hint);
    w.member("value", p.value).end();
  }
  w.end();
}

void write(JsonWriter& w, const Sentence& sentence) {
  w.array();
  for (const Part& part : sentence) {
    if (part.metric.empty())
      w.value(part.text);
    else
      w.object().member("metric", part.metric).end();
  }
  w.end();
}

void write(JsonWriter& w, const Finding& f, const Scenario& s) {
  w.object().member("severity", tone_id(f.tone)).member("code", f.code).key("about").array();
  for (const std::string_view id : f.about) w.value(id);
  w.end().key("message");
  write(w, f.message);
  w.key("remedies").array();
  for (const Remedy& r : f.remedies) {
    Scenario changed = s;
    envelope::apply(r.patch, changed);
    w.object().member("label", r.label).member("patch", r.patch).member("fits", r.fits);
    w.member("per_gpu", r.per_gpu);
    if (given(r.work)) w.member("work", r.work);
    w.member("link", encode(changed)).end();
  }
  w.end().end();
}

/// Parts of a GPU's memory, by metric, in the order they are drawn.
using Drawn = std::vector<std::pair<std::string_view, double>>;

void write_parts(JsonWriter& w, const Drawn& parts) {
  double total = 0;
  for (const auto& [id, bytes] : parts) total += bytes;
  w.member("total", total).key("parts").object();
  for (const auto& [id, bytes] : parts)
    if (bytes > 0) w.member(id, bytes);
  w.end();
}

/// What is held beside the live tensors: as known of the framework, and at least the reserve.
void add_overhead(const Scenario& s, double slack, double context, double buffers, Drawn& parts) {
  parts.emplace_back("rank.communication", buffers);
  parts.emplace_back("rank.context", context);
  parts.emplace_back("rank.slack", slack);
  parts.emplace_back("layout.reserve",
                     std::max(0.0, s.cluster.reserve - slack - context - buffers));
}

Drawn drawn(const Scenario& s, const Layout& l, const Parts& p) {
  const double allocated = p.sum();
  Drawn out = {{"rank.weights", p.weights},         {"rank.gradients", p.gradients},
               {"rank.master", p.master},           {"rank.optimizer", p.optimizer},
               {"rank.activations", p.activations}, {"rank.working", p.working},
               {"rank.logits", p.logits},           {"rank.gathered", p.gathered}};
  add_overhead(s, s.stack.slack * allocated, s.stack.context, l.buffers.value, out);
  return out;
}

constexpr std::string_view kMomentIds[] = {"start", "forward", "loss", "backward", "update"};
constexpr std::string_view kMomentLabels[] = {"Between steps", "Forward pass", "Loss",
                                              "Backward pass", "Optimizer step"};

void write_training_memory(JsonWriter& w, const Scenario& s, const Report& r) {
  const Ranks ranks(s, r.architecture, r.memory, r.activations, r.layout.tp);
  const Ways& ways = r.layout.ways;
  w.key("stages").array();
  for (double i = 0; i < ways.pp; ++i) {
    const RankMemory rank = ranks.peak(ranks.stage(i, ways), ways);
    const Stage& st = rank.stage;
    w.object().member("stage", i);
    w.member("name", ways.pp == 1       ? "only"
                     : i == 0           ? "first"
                     : i == ways.pp - 1 ? "last"
                                        : "middle");
    w.member("ranks", ways.tp * ways.cp * ways.dp).member("layers", st.layers);
    w.member("in_flight", st.layers > 0 ? st.kept_layers / st.layers : 0);
    w.member("moment", kMomentIds[static_cast<int>(rank.moment)]);
    write_parts(w, drawn(s, r.layout, rank.parts));
    w.end();
  }
  w.end().key("timeline").array();
  const Stage& fullest = r.layout.fullest.stage;
  for (int k = 0; k < kMoments; ++k) {
    const Moment moment = static_cast<Moment>(k);
    if (moment == Moment::loss && !fullest.last) continue;
    w.object().member("moment", kMomentIds[k]).member("label", kMomentLabels[k]);
    write_parts(w, drawn(s, r.layout, ranks.parts(fullest, ways, moment)));
    w.end();
  }
  w.end();
}

void write_serving_memory(JsonWriter& w, const Scenario& s, const Report& r) {
  const ServeMemory& m = r.layout.serving;
  const ServeMoments& x = m.moments;
  const auto moment = [&](double cache, double working, double logits) {
    Drawn out = {{"rank.weights", m.weights},
                 {"rank.kv_cache", cache},
                 {"rank.working", working},
                 {"rank.logits", logits}};
    add_overhead(s, x.reserved - x.allocated, s.stack.context, m.communication, out);
    return out;
  };
  const double end = x.prefill_hidden + x.prefill_logits;
  const bool wide = x.prefill_work > end;
  const Drawn load = moment(0, x.load, 0);
  const Drawn prefill = moment(x.prefill_cache, wide ? x.prefill_work : x.prefill_hidden,
                               wide ? 0 : x.prefill_logits);
  const double step_end = x.step_hidden + x.step_logits;
  const bool inner = x.step_work > step_end;
  const Drawn decode =
      moment(x.cache, inner ? x.step_work : x.step_hidden, inner ? 0 : x.step_logits);
  const auto total = [](const Drawn& parts) {
    double sum = 0;
    for (const auto& [id, bytes] : parts) sum += bytes;
    return sum;
  };
  const struct {
    std::string_view id, label;
    const Drawn& parts;
  } moments[] = {{"load", "Loading the weights", load},
                 {"prefill", "Reading the prompts", prefill},
                 {"decode", "The last token", decode}};
  const auto* most = &moments[0];
  for (const auto& each : moments)
    if (total(each.parts) > total(most->parts)) most = &each;
  w.key("stages").array().object().member("stage", 0.0).member("name", "only");
  w.member("ranks", m.used).member("layers", r.architecture.layers).member("in_flight", 1.0);
  w.member("moment", most->id);
  write_parts(w, most->parts);
  w.end().end().key("timeline").array();
  for (const auto& each : moments) {
    w.object().member("moment", each.id).member("label", each.label);
    write_parts(w, each.parts);
    w.end();
  }
  w.end();
}

void write_memory(JsonWriter& w, const Scenario& s, const Report& r) {
  if (r.memory.by_rule) return;
  w.key("memory");
  w.object().member("capacity", s.gpu.memory);
  w.member("fullest", s.run.task == Task::serve ? 0 : r.layout.fullest.stage.index);
  w.key("parts").array();
  for (const std::string_view id :
       {"rank.weights", "rank.gradients", "rank.master", "rank.optimizer", "rank.kv_cache",
        "rank.activations", "rank.working", "rank.logits", "rank.gathered", "rank.communication",
        "rank.context", "rank.slack", "layout.reserve"})
    w.value(id);
  w.end();
  if (s.run.task == Task::serve)
    write_serving_memory(w, s, r);
  else
    write_training_memory(w, s, r);
  w.key("least");
  const Least least = kSays == Says::results ? Least() : least_layout(s, r);
  if (given(least.gpus)) {
    Scenario changed = s;
    envelope::apply(least.patch, changed);
    w.object().member("gpus", least.gpus).member("label", least.label);
    w.member("patch", least.patch).member("link", encode(changed)).end();
  } else {
    w.value(kNone);
  }
  w.end();
}

void write_row(JsonWriter& w, const Row& row) {
  w.object().member("id", row.id).member("name", row.name).member("family", row.family);
  if (row.year > 0) w.member("year", row.year);
  w.member("source", row.source).member("as_of", row.as_of);
  if (!row.note.empty()) w.member("note", row.note);
  if (row.published_params > 0) {
    w.member("published_params", row.published_params)
        .member("published_exact", row.published_exact);
    w.member("published_source", row.published_source);
  }
  if (row.published_active > 0) w.member("published_active", row.published_active);
  w.end();
}

void write_price(JsonWriter& w, const PriceRow& p) {
  w.object().member("accelerator", p.accelerator).member("provider", p.provider);
  w.member("provider_name", p.provider_name);
  w.member("terms", field_by_path("price.terms")->choices[static_cast<std::size_t>(p.terms)].id);
  w.member("usd_per_hour", p.usd).member("instance", p.instance).member("count", p.count);
  w.member("date", p.as_of).member("source", p.source).member("url", p.source_url).end();
}

/// Where the facts of this scenario come from.
void write_quotes(JsonWriter& w, const Scenario& s) {
  w.key("quotes").object();
  const auto row = [&](std::string_view key, const std::vector<Row>& rows, const Id& id) {
    if (const Row* r = find_row(rows, id)) {
      w.key(key);
      write_row(w, *r);
    }
  };
  row("model", catalog().models, s.model.id);
  row("gpu", catalog().accelerators, s.gpu.id);
  if constexpr (kSays == Says::results) return void(w.end());
  row("recipe", catalog().recipes, s.states.recipe);
  row("stack", catalog().stacks, s.stack.id);
  const double listed = price_of(s);
  const bool own = !(listed == s.price.usd_per_gpu_hour) && given(s.price.usd_per_gpu_hour);
  w.key("price").object().member("own", own).member("listed", listed).key("rows").array();
  for (const PriceRow* p : price_rows(s)) write_price(w, *p);
  w.end().end().end();
}

void write_inputs(JsonWriter& w, const Scenario& s) {
  w.key("inputs").object();
  for (const Field& f : fields()) w.member(f.path, get(f, s));
  w.end();
}

std::vector<Step> steps_of(const Scenario& s) {
  std::vector<Step> steps;
  steps.reserve(256);
  estimate(s, Ledger(steps));
  return steps;
}

void write_field(JsonWriter& w, const Field& f, const Scenario& defaults) {
  constexpr std::string_view kTypes[] = {"number", "flag", "choice", "name"};
  w.object().member("path", f.path).member("key", f.key).member("group", f.group);
  w.member("type", kTypes[static_cast<int>(f.type)]);
  if (f.type == Type::number) {
    w.member("unit", f.unit).member("min", f.min).member("max", f.max);
    w.member("whole", (f.flags & kWhole) != 0).member("optional", (f.flags & kOptional) != 0);
  }
  w.member("default", get(f, defaults)).member("label", f.label);
  if constexpr (kSays == Says::all) w.member("help", f.help.text).member("since", f.since);
  w.member("basic", (f.flags & kBasic) != 0).key("tasks").array();
  if (f.flags & kPretrain) w.value("pretrain");
  if (f.flags & kFinetune) w.value("finetune");
  if (f.flags & kServe) w.value("serve");
  w.end();
  if (!f.choices.empty()) {
    w.key("choices").array();
    for (const Choice& c : f.choices) w.object().member("id", c.id).member("label", c.label).end();
    w.end();
  }
  w.end();
}

[[maybe_unused]] void write_format(JsonWriter& w, const FormatInfo& f) {
  w.object().member("id", f.id).member("label", f.label).member("storage", f.storage);
  w.member("bits", f.bits)
      .member("sign_bits", f.sign_bits)
      .member("exponent_bits", f.exponent_bits);
  w.member("mantissa_bits", f.mantissa_bits).member("bias", f.bias).member("max", f.max);
  w.member("min_normal", f.min_normal).member("min_subnormal", f.min_subnormal);
  w.member("epsilon", f.epsilon).member("digits", f.digits).member("infinity", f.infinity);
  w.member("note", f.note).member("source", f.source).end();
}

[[maybe_unused]] void write_words(JsonWriter& w, std::string_view words) {
  w.array();
  while (!words.empty()) {
    const std::size_t space = std::min(words.find(' '), words.size());
    if (space > 0) w.value(words.substr(0, space));
    words.remove_prefix(std::min(space + 1, words.size()));
  }
  w.end();
}

void write_metric(JsonWriter& w, const Metric& m) {
  w.object().member("id", m.id).member("symbol", m.symbol).member("unit", m.unit);
  w.member("kind", kind_id(m.kind)).member("label", m.label);
  w.member("stage", m.id.substr(0, m.id.find('.')));
  if constexpr (kSays == Says::all) {
    w.member("help", m.help.text).member("since", m.since).key("source");
    write_words(w, m.sources.text);
  }
  w.end();
}

/// What is quoted, for the pages that list it.
[[maybe_unused]] void write_references(JsonWriter& w) {
  w.key("sources").object();
  for (const Source& s : kSources) {
    w.key(s.key).object().member("author", s.author).member("year", static_cast<double>(s.year));
    w.member("title", s.title).member("url", s.url).end();
  }
  w.end().key("formats").array();
  for (const FormatInfo& f : formats()) write_format(w, f);
  w.end().key("laws").array();
  for (const LawInfo& law : laws()) {
    w.object().member("id", law.id).member("label", law.label).member("formula", law.formula);
    w.member("domain", law.domain).member("source", law.source).end();
  }
  w.end();
}

bool read_axis(const Json& in, Axis& axis) {
  axis.field = field_by_path(in.text_at("path"));
  if (!axis.field || axis.field->type == Type::name || (axis.field->flags & kSelects)) return false;
  if (const Json* values = in.find("values")) {
    for (const Json& v : values->items) {
      if (v.kind == Json::Kind::number) axis.values.push_back(v.number);
      if (v.kind == Json::Kind::text)
        for (std::size_t i = 0; i < axis.field->choices.size(); ++i)
          if (axis.field->choices[i].id == v.text) axis.values.push_back(static_cast<double>(i));
    }
  } else {
    const double from = in.number_at("from"), to = in.number_at("to"),
                 count = in.number_at("count");
    const bool log = in.text_at("scale") == "log";
    if (!given(from) || !given(to) || !(count >= 1 && count <= kMostPoints)) return false;
    if (log && !(from > 0 && to > 0)) return false;
    axis.values = spaced(*axis.field, from, to, static_cast<std::size_t>(count), log);
  }
  std::erase_if(axis.values,
                [&](double v) { return !(v >= axis.field->min && v <= axis.field->max); });
  return !axis.values.empty();
}

}  // namespace

std::string schema() {
  Problems ignored;
  const Scenario defaults = scenario_of({}, ignored);
  JsonWriter w;
  w.object().member("version", kVersion).member("v", static_cast<double>(kDefaultsVersion));
  w.key("snapshots").array();
  for (const double month : snapshots()) w.value(month_text(month));
  w.end().key("groups").array();
  for (const Group& g : groups()) w.object().member("id", g.id).member("label", g.label).end();
  w.end().key("fields").array();
  for (const Field& f : fields()) write_field(w, f, defaults);
  w.end().key("metrics").array();
  for (const Metric& m : metrics()) write_metric(w, m);
  w.end();
  const auto rows = [&](std::string_view key, const std::vector<Row>& list) {
    w.key(key).array();
    for (const Row& row : list) write_row(w, row);
    w.end();
  };
  rows("models", catalog().models);
  rows("accelerators", catalog().accelerators);
  rows("recipes", catalog().recipes);
  rows("stacks", catalog().stacks);
  w.key("examples").array();
  for (const Example& e : examples())
    w.object()
        .member("id", e.id)
        .member("task", e.task)
        .member("title", e.title)
        .member("link", e.link)
        .end();
  w.end();
  if constexpr (kSays != Says::results) {
    w.key("prices").array();
    for (const PriceRow& p : catalog().prices) write_price(w, p);
    w.end();
  }
  if constexpr (kSays == Says::all) write_references(w);
  return w.end().take();
}

std::string open(std::string_view link) {
  const Input in = from_link(link);
  JsonWriter w;
  w.object().member("patch", diff(in.scenario)).member("link", encode(in.scenario, in.others));
  w.key("compare").object();
  for (const auto& [scope, other] : in.others) w.member(std::string_view(&scope, 1), diff(other));
  w.end();
  write(w, in.problems);
  return w.end().take();
}

std::string estimate(std::string_view patch_or_link) {
  Input in = read(patch_or_link);
  const Scenario& s = in.scenario;
  append(in.problems, check(s));
  std::vector<Step> steps;
  steps.reserve(256);
  const Report report = envelope::estimate(s, Ledger(steps));
  JsonWriter w;
  w.object().member("version", kVersion).member("v", static_cast<double>(kDefaultsVersion));
  w.member("d", month_text(s.catalog.snapshot)).member("link", encode(s, in.others));
  w.member("patch", diff(s));
  write_inputs(w, s);
  w.key("summary");
  write(w, summary(s, report));
  w.key("verdict");
  write(w, verdict(s, report), s);
  write_memory(w, s, report);
  w.key("steps").array();
  for (const Step& step : steps) {
    w.object().member("id", step.id).member("value", step.value);
    if constexpr (kSays != Says::results) w.member("formula", step.formula);
    w.end();
  }
  w.end().key("findings").array();
  if constexpr (kSays != Says::results)
    for (const Finding& f : findings(s, report)) write(w, f, s);
  w.end();
  write_quotes(w, s);
  write(w, in.problems);
  return w.end().take();
}

std::string import_config(std::string_view text) {
  const HfConfig config = import_hf_config(text);
  Problems none;
  const Scenario s = scenario_of(config.patch, none);
  JsonWriter w;
  w.object().member("name", config.name).member("patch", config.patch);
  w.member("link", config.patch.empty() ? std::string() : encode(s));
  write(w, config.problems);
  return w.end().take();
}

std::string compare(std::string_view request) {
  Problems problems;
  Json json;
  std::vector<Scenario> scenarios;
  if (parse_json(request, json, problems))
    if (const Json* list = json.find("scenarios"))
      for (const Json& item : list->items) {
        if (scenarios.size() == 4) break;
        Input in = read(item);
        append(problems, std::move(in.problems));
        scenarios.push_back(in.scenario);
        for (const auto& [scope, other] : in.others) scenarios.push_back(other);
      }
  if (scenarios.size() > 4) scenarios.resize(4);
  if (scenarios.empty() && problems.empty())
    problems.push_back({"scenarios", Severity::error, "missing", "There is nothing to compare.",
                        "Give {\"scenarios\": [...]} with links or patches.", ""});
  JsonWriter w;
  w.object().key("scenarios").array();
  for (const Scenario& s : scenarios) w.object().member("link", encode(s)).end();
  w.end().key("inputs").array();
  for (const Field& f : fields()) {
    if (std::all_of(scenarios.begin(), scenarios.end(),
                    [&](const Scenario& s) { return same(f, s, scenarios.front()); }))
      continue;
    w.object().member("path", f.path).key("values").array();
    for (const Scenario& s : scenarios) w.value(get(f, s));
    w.end().end();
  }
  w.end().key("metrics").array();
  std::vector<std::vector<Step>> all;
  for (const Scenario& s : scenarios) all.push_back(steps_of(s));
  for (const Metric& m : metrics()) {
    std::vector<double> values;
    for (const std::vector<Step>& steps : all) {
      values.push_back(kNone);
      for (const Step& step : steps)
        if (step.id == m.id) values.back() = step.value;
    }
    const bool differs = std::any_of(values.begin(), values.end(), [&](double v) {
      return v != values.front() && (given(v) || given(values.front()));
    });
    if (!differs) continue;
    w.object().member("id", m.id).key("values").array();
    for (const double v : values) w.value(v);
    w.end().end();
  }
  w.end();
  write(w, problems);
  return w.end().take();
}

std::string replays() {
  JsonWriter w;
  w.object().key("documents").array();
  for (const Document& d : replay_book().documents)
    w.object()
        .member("id", d.id)
        .member("title", d.title)
        .member("author", d.author)
        .member("date", d.date)
        .member("url", d.url)
        .member("kind", d.kind)
        .end();
  w.end().key("rows").array();
  for (const Replay& r : computed_replays()) {
    w.object().member("id", r.id).member("document", r.document).member("place", r.place);
    w.member("title", r.title).member("note", r.note).key("items").array();
    for (const ReplayItem& i : r.items) {
      w.object().member("label", i.label).member("figure", i.figure).member("expected", i.expected);
      w.member("value", i.value).member("unit", i.unit).member("difference", i.difference);
      w.member("verdict", i.verdict).member("why", i.why).member("metric", i.metric);
      w.member("link", i.link).member("op", i.op);
      if (!i.baseline.empty()) w.member("baseline_link", i.baseline);
      w.end();
    }
    w.end().end();
  }
  return w.end().end().take();
}

std::vector<double> sweep(std::string_view request) {
  Json json;
  Problems problems;
  if (!parse_json(request, json, problems)) return {};
  const Json *scenario = json.find("scenario"), *axes_in = json.find("axes"),
             *metrics_in = json.find("metrics");
  if (!axes_in || !metrics_in) return {};
  const Scenario base = scenario ? read(*scenario).scenario : scenario_of({}, problems);
  std::vector<Axis> axes;
  for (const Json& in : axes_in->items) {
    Axis axis{};
    if (!read_axis(in, axis)) return {};
    axes.push_back(std::move(axis));
  }
  std::vector<const Metric*> wanted;
  for (const Json& in : metrics_in->items) {
    const Metric* m = find_metric(in.text);
    if (!m) return {};
    wanted.push_back(m);
  }
  if (points(axes) > kMostPoints) return {};
  return envelope::sweep(base, axes, wanted);
}

}  // namespace envelope::api
