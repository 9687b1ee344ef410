// SPDX-License-Identifier: MIT
// Over 400 lines because it writes every answer, each in one place.
#include "envelope/api.h"

#include <algorithm>

#include "envelope/budget.h"
#include "envelope/calibrate.h"
#include "envelope/catalog.h"
#include "envelope/chart.h"
#include "envelope/findings.h"
#include "envelope/formats.h"
#include "envelope/hf_config.h"
#include "envelope/json.h"
#include "envelope/launch.h"
#include "envelope/least.h"
#include "envelope/link.h"
#include "envelope/metrics.h"
#include "envelope/planner.h"
#include "envelope/repairs.h"
#include "envelope/replays.h"
#include "envelope/rules.h"
#include "envelope/sensitivity.h"
#include "envelope/solve.h"
#include "envelope/sources.h"
#include "envelope/sweep.h"
#include "envelope/timeline.h"
#include "envelope/version.h"

namespace envelope::api {
namespace {

constexpr std::size_t kMostPoints = 200000;

/// A scenario as it came in: from JSON or from a link.
struct Input {
  Scenario scenario;
  std::vector<std::pair<char, Scenario>> others;
  ChartKeys chart;
  Problems problems;
};

/// The calculator's module has no room for it: what has an unknown is answered by the module of
/// what few ask for. Calls that cannot be answered here give nothing.
constexpr bool kSolves = kSays != Says::work;
bool open_ended(const Scenario& s) { return s.solve.unknown != Unknown::none; }

/// With what is unknown found.
Scenario settled(const Scenario& s) {
  if constexpr (kSolves)
    if (open_ended(s)) return solve(s).scenario;
  return s;
}

void append(Problems& to, Problems from) {
  for (Problem& p : from) to.push_back(std::move(p));
}

Input from_link(std::string_view text) {
  Input in;
  Link link = decode(text);
  in.problems = std::move(link.problems);
  in.scenario = scenario_of(link.patch, in.problems);
  in.chart = link.chart;
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
    w.member("value", p.value);
    if constexpr (kSays != Says::results) {
      w.key("patches").array();
      for (const Repair& r : p.repairs)
        w.object().member("label", r.label).member("patch", r.patch).end();
      w.end();
    }
    w.end();
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

[[maybe_unused]] void write(JsonWriter& w, const Solved& x) {
  w.object().member("path", x.field->path).member("label", x.field->label);
  w.member("value", x.value).member("binding", binding_id(x.binding)).member("met", x.met);
  w.member("message", x.message).member("patch", x.patch).member("link", encode(x.scenario)).end();
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

constexpr struct {
  std::string_view id, label;
} kOperations[] = {{"qkv", "Query, key, value"},
                   {"down", "Down to the latents (MLA)"},
                   {"query", "Queries (MLA)"},
                   {"key_value", "Keys and values (MLA)"},
                   {"output", "Attention output"},
                   {"attention", "Attention"},
                   {"rope", "Positions"},
                   {"linear", "Linear layer"},
                   {"state", "State"},
                   {"norms", "Norms and residuals"},
                   {"adapters", "Adapters"},
                   {"up", "MLP, up"},
                   {"down_mlp", "MLP, down"},
                   {"activation", "Activation function"},
                   {"experts", "Experts"},
                   {"shared_up", "Shared experts, up"},
                   {"shared_down", "Shared experts, down"},
                   {"router", "Router"},
                   {"permute", "Tokens to experts and back"},
                   {"expert_activation", "Activation function, experts"},
                   {"embedding", "Embedding"},
                   {"head", "Output head and loss"}};

std::string_view label_of_operation(std::string_view id) {
  for (const auto& [known, label] : kOperations)
    if (known == id) return label;
  return id;
}

void write_timeline(JsonWriter& w, const Pipeline& line) {
  constexpr std::string_view kKinds[] = {"F", "B", "W"};
  const Timeline t = timeline(line, shown_micro_batches(line));
  const Field& schedule = *field_by_path("cluster.schedule");
  w.key("timeline").object();
  w.member("schedule", schedule.choices[static_cast<std::size_t>(line.schedule)].id);
  w.member("stages", line.stages).member("chunks", static_cast<double>(t.chunks));
  w.member("micro_batches", line.micro_batches);
  w.member("shown", static_cast<double>(t.micro_batches)).member("seconds", t.seconds);
  w.key("slots").array();
  for (const PlacedPass& slot : t.slots) {
    w.array().value(static_cast<double>(slot.stage));
    w.value(kKinds[static_cast<int>(slot.kind)]).value(static_cast<double>(slot.micro_batch));
    w.value(static_cast<double>(slot.chunk)).value(slot.start).value(slot.end).end();
  }
  w.end().end();
}

/// One micro-batch on the slowest stage, forward and backward.
void write_roofline(JsonWriter& w, const Scenario& s, const Report& r, const Stage& slowest) {
  w.key("roofline").object().member("bandwidth", s.gpu.bandwidth).key("peaks").array();
  const Field& precision = *field_by_path("run.precision");
  double last = kNone;
  for (const Precision p : {s.run.precision, Precision::bf16}) {
    const double peak = peak_of(s.gpu, p);
    if (!given(peak) || peak == last) continue;
    last = peak;
    w.object().member("label", precision.choices[static_cast<std::size_t>(p)].label);
    w.member("rate", peak).end();
  }
  w.end().key("operations").array();
  const Machine machine = machine_of(s, kPhysics);
  for (const Operation& op : operations(s, r.architecture, r.layout.ways, machine)) {
    const double n = layers_of(op.where, slowest, s);
    const double flop = n * op.flop.sum(), bytes = n * op.bytes.sum(),
                 seconds = n * op.seconds.sum();
    if (!(seconds > 0)) continue;
    w.object().member("id", op.id).member("label", label_of_operation(op.id));
    w.member("flop", flop).member("bytes", bytes).member("seconds", seconds);
    w.member("intensity", flop / bytes).member("rate", flop / seconds);
    w.member("share", seconds * r.layout.ways.micro_batches / r.layout.step.total).end();
  }
  w.end().end();
}

/// A scenario alone, or a request with one.
Input read_asked(std::string_view request, Json& json) {
  const std::size_t first = request.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || request[first] != '{') return from_link(request);
  Input in;
  if (!parse_json(request, json, in.problems)) {
    in.scenario = scenario_of({}, in.problems);
    return in;
  }
  const Json* scenario = json.find("scenario");
  in = scenario ? read(*scenario) : from_json(json);
  if (!scenario) json = {};
  return in;
}

/// The pairs of a chart, as an answer gave them.
void ask_chart(const Json& json, Input& in) {
  const Json* pairs = json.find("chart");
  if (!pairs) return;
  Link link = decode(pairs->text);
  in.chart = link.chart;
  append(in.problems, std::move(link.problems));
}

void ask_metric(const Json& json, Input& in) {
  const Json* id = json.find("metric");
  if (!id) return;
  in.chart.metric = find_metric(id->text);
  if (!in.chart.metric)
    in.problems.push_back({"metric", Severity::error, "unknown_metric",
                           quoted(id->text) + " is not a result.",
                           "`envelope schema` lists the metrics.", id->text});
}

void ask_side(const Json& json, const std::string& name, Input& in, ChartKeys::Side& side) {
  const Json* path = json.find(name);
  if (!path) return;
  side = {field_by_path(path->text)};
  if (!side.field) {
    if (!path->text.empty())
      in.problems.push_back(
          {name, Severity::error, "unknown_field", quoted(path->text) + " is not an input.",
           "Give the path of a field; `envelope fields` lists them.", path->text});
    return;
  }
  const Field& f = *side.field;
  // As a number, or as people write it.
  const auto end = [&](const std::string& key) {
    double x = json.number_at(key);
    const std::string_view text = json.text_at(key);
    if (!text.empty()) parse_number(text, f.unit, x);
    return x;
  };
  const Json *first = json.find(name + "_from"), *last = json.find(name + "_to");
  if (!first && !last) return;
  const double from = end(name + "_from"), to = end(name + "_to");
  if (f.type == Type::number && f.min <= from && from < to && to <= f.max)
    side.from = from, side.to = to;
  else
    in.problems.push_back({name, Severity::error, "out_of_range",
                           "This is no range within that of " + std::string(f.label) + ".",
                           "Give two values from " + number_text(f.min) + " to " +
                               number_text(f.max) + ", the smaller first.",
                           ""});
}

void write_metric_of(JsonWriter& w, const Metric& m) {
  w.member("metric", m.id).member("label", m.label).member("unit", m.unit);
}

void write_side(JsonWriter& w, const Side& side) {
  const Field& f = *side.field;
  w.object().member("path", f.path).member("label", f.label).member("unit", f.unit);
  w.member("log", side.log).member("why", side.why).key("values").array();
  for (std::size_t i = 0; i < side.size(); ++i) w.value(side.value(i));
  w.end();
  if (f.type != Type::number) {
    w.key("labels").array();
    for (std::size_t i = 0; i < side.size(); ++i) {
      const std::vector<Row>* rows = rows_of(f);
      const Row* row = rows ? find_row(*rows, side.names[i]) : nullptr;
      if (f.type == Type::flag)
        w.value(side.values[i] != 0 ? "on" : "off");
      else if (f.type == Type::choice)
        w.value(f.choices[static_cast<std::size_t>(side.values[i])].label);
      else
        w.value(row ? row->name : side.names[i]);
    }
    w.end();
  }
  w.member("now", side.now == kNowhere ? kNone : static_cast<double>(side.now)).end();
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

/// What a search has found, as a slice hands it to the next.
void write(JsonWriter& w, const Found& found) {
  const auto list = [&](std::string_view key, const std::vector<Candidate>& all) {
    w.key(key).array();
    for (const Candidate& c : all) {
      w.array().value(static_cast<double>(c.point)).value(c.value);
      for (const double x : c.objectives) w.value(x);
      w.end();
    }
    w.end();
  };
  const Tally& t = found.tally;
  w.object().member("next", static_cast<double>(found.next));
  list("kept", found.kept);
  list("front", found.front);
  w.key("tally").array();
  for (const std::size_t n : {t.examined, t.evaluated, t.fit, t.skipped})
    w.value(static_cast<double>(n));
  w.end().key("rejected").array();
  for (const Rejection& r : t.rejected)
    w.array().value(r.path).value(r.code).value(static_cast<double>(r.count)).end();
  w.end().end();
}

/// False when it is none, or none of this space.
bool read_found(const Json& in, const Space& space, Found& out) {
  const std::size_t all = points(space);
  const auto whole = [](const Json& n, std::size_t& to) {
    if (n.kind != Json::Kind::number || !(n.number >= 0 && n.number <= 9007199254740992.0))
      return false;
    to = static_cast<std::size_t>(n.number);
    return true;
  };
  const auto list = [&](std::string_view key, std::vector<Candidate>& to) {
    const Json* rows = in.find(key);
    if (!rows || rows->kind != Json::Kind::array) return false;
    for (const Json& row : rows->items) {
      Candidate c;
      if (row.items.size() != 2 + kObjectives || !whole(row.items[0], c.point) || c.point >= all)
        return false;
      const auto number = [&](std::size_t i) {
        return row.items[i].kind == Json::Kind::number ? row.items[i].number : kNone;
      };
      c.value = number(1);
      for (std::size_t i = 0; i < kObjectives; ++i) c.objectives[i] = number(2 + i);
      to.push_back(c);
    }
    return true;
  };
  const Json *next = in.find("next"), *tally = in.find("tally"), *rejected = in.find("rejected");
  if (!next || !whole(*next, out.next) || !list("kept", out.kept) || !list("front", out.front))
    return false;
  if (!tally || tally->items.size() != 4 || !rejected) return false;
  Tally& t = out.tally;
  std::size_t* const counts[] = {&t.examined, &t.evaluated, &t.fit, &t.skipped};
  for (std::size_t i = 0; i < 4; ++i)
    if (!whole(tally->items[i], *counts[i])) return false;
  for (const Json& row : rejected->items) {
    Rejection r;
    if (row.items.size() != 3 || !whole(row.items[2], r.count)) return false;
    r.path = row.items[0].text;
    r.code = row.items[1].text;
    t.rejected.push_back(std::move(r));
  }
  return true;
}

void write(JsonWriter& w, const PlanRow& row) {
  w.object().member("patch", row.patch).member("link", encode(row.scenario));
  w.member("label", row.label).member("detail", row.detail).key("metrics").object();
  for (const auto& [id, value] : row.metrics) w.member(id, value);
  w.end().member("simplicity", static_cast<double>(row.simplicity));
  w.member("front", row.front).member("fits", row.fits).end();
}

/// A metric that the search can weigh; null, with a problem, when it is none.
const Metric* weighed(std::string_view id, std::string_view path, Problems& problems) {
  const Metric* m = find_metric(id);
  if (m && find_measure(id)) return m;
  std::string known;
  for (const Measure& each : measures())
    known.append(known.empty() ? "" : ", ").append(each.metric);
  problems.push_back({std::string(path), Severity::error, "unknown_choice",
                      "A search cannot weigh " + quoted(id) + ".", "Give one of " + known + ".",
                      std::string(id)});
  return nullptr;
}

/// A member of a request for plans; null, with a problem, where it is of another kind.
const Json* asked(const Json& json, std::string_view key, Json::Kind kind, Problems& problems) {
  const Json* in = json.find(key);
  if (!in || in->kind == kind) return in;
  constexpr std::string_view kKinds[] = {"null", "true or false", "a number",
                                         "text", "a list",        "an object"};
  const std::string wants(kKinds[static_cast<int>(kind)]);
  problems.push_back({std::string(key), Severity::error, "wrong_type",
                      quoted(key) + " is " + std::string(kKinds[static_cast<int>(in->kind)]) +
                          ", and " + wants + " is read there; it was ignored.",
                      "Give " + wants + ", or leave it out.", in->text});
  return nullptr;
}

PlanWish read_wish(const Json& json, Problems& problems) {
  PlanWish wish;
  if (const Json* id = asked(json, "minimise", Json::Kind::text, problems); id && !id->text.empty())
    wish.minimise = weighed(id->text, "minimise", problems);
  if (const Json* limits = asked(json, "limits", Json::Kind::array, problems))
    for (const Json& in : limits->items) {
      Limit limit{weighed(in.text_at("metric"), "limits", problems)};
      if (!limit.metric) continue;
      if (const double x = in.number_at("at_least"); given(x)) limit.at_least = x;
      if (const double x = in.number_at("at_most"); given(x)) limit.at_most = x;
      if (limit.at_least == -INFINITY && limit.at_most == INFINITY)
        problems.push_back({"limits", Severity::error, "wrong_type",
                            "This limit has no number, so that it limits nothing.",
                            "Give {\"metric\": \"time.total\", \"at_most\": 2592000}.",
                            std::string(in.text_at("metric"))});
      wish.limits.push_back(limit);
    }
  if (const Json* axes = asked(json, "axes", Json::Kind::array, problems))
    for (const Json& in : axes->items) {
      Axis axis{};
      if (read_axis(in, axis))
        wish.axes.push_back(std::move(axis));
      else
        problems.push_back({"axes", Severity::error, "wrong_type",
                            "This axis has no values that its field takes.",
                            "Give {\"path\": \"cluster.tp\", \"values\": [1, 2, 4, 8]}.",
                            std::string(in.text_at("path"))});
    }
  if (const Json* allow = asked(json, "allow", Json::Kind::array, problems))
    for (const Json& in : allow->items)
      wish.allow.push_back(in.kind == Json::Kind::number ? number_text(in.number) : in.text);
  const auto number = [&](std::string_view key, double least, double most) {
    const Json* in = asked(json, key, Json::Kind::number, problems);
    if (!in) return kNone;
    if (in->number >= least && in->number <= most) return in->number;
    problems.push_back(
        {std::string(key), Severity::error, "out_of_range",
         quoted(key) + " is " + number_text(in->number) + "; it was ignored.",
         "Give a number from " + number_text(least) + " to " + number_text(most) + ".",
         number_text(in->number)});
    return kNone;
  };
  if (const double keep = number("keep", 1, 100); given(keep))
    wish.keep = static_cast<std::size_t>(keep);
  number("most", 1, 1e15);
  asked(json, "gains", Json::Kind::flag, problems);
  if (const Json* in = asked(json, "part", Json::Kind::array, problems)) {
    const bool pair = in->items.size() == 2 && in->items[0].kind == Json::Kind::number &&
                      in->items[1].kind == Json::Kind::number;
    const double k = pair ? in->items[0].number : -1, n = pair ? in->items[1].number : 0;
    if (!(n >= 1 && n <= 64 && k >= 0 && k < n))
      problems.push_back({"part", Severity::error, "out_of_range",
                          "This is no part of the space, so all of it is searched.",
                          "Give [0, 4] to [3, 4] for the four quarters, at most 64 parts.", ""});
  }
  return wish;
}

/// The answer to what is no request: nothing, and what is wrong.
std::string no_plans(const Problems& problems) {
  JsonWriter w;
  w.object().member("done", true).member("space", 0.0).member("examined", 0.0);
  w.key("counts").object().member("evaluated", 0.0).member("fit", 0.0).member("skipped", 0.0);
  w.key("rejected").array().end().end().member("minimise", "");
  for (const std::string_view key : {"axes", "switches", "plans"}) w.key(key).array().end();
  w.member("present", kNone);
  w.key("gains").array().end();
  write(w, problems);
  return w.end().take();
}

void write_space(JsonWriter& w, const PlanSpace& p) {
  w.member("minimise", p.space.least->id).key("axes").array();
  Scenario any = p.space.base;
  for (std::size_t a = 0; a < p.space.axes.size(); ++a) {
    const Axis& axis = p.space.axes[a].axis;
    w.object().member("path", axis.field->path).member("label", axis.field->label);
    w.key("values").array();
    for (const double x : axis.values) {
      set_number(*axis.field, any, x);
      w.value(get(*axis.field, any));
    }
    w.end().member("why", p.why[a]).end();
  }
  w.end().key("switches").array();
  for (const PlanSwitch& s : p.switches)
    w.object()
        .member("id", s.id)
        .member("label", s.label)
        .member("on", s.on)
        .member("help", s.help)
        .end();
  w.end();
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
  w.object()
      .member("patch", diff(in.scenario))
      .member("link", encode(in.scenario, in.others, in.chart));
  w.key("compare").object();
  for (const auto& [scope, other] : in.others) w.member(std::string_view(&scope, 1), diff(other));
  w.end();
  write(w, in.problems);
  return w.end().take();
}

std::string estimate(std::string_view patch_or_link) {
  Input in = read(patch_or_link);
  Solved solved;
  if (open_ended(in.scenario)) {
    if constexpr (!kSolves) return {};
    if constexpr (kSolves) solved = solve(in.scenario);
  }
  const Scenario& s = solved.field ? solved.scenario : in.scenario;
  Problems broken = check(s);
  if constexpr (kSays != Says::results) repair(s, broken);
  append(in.problems, std::move(broken));
  std::vector<Step> steps;
  steps.reserve(256);
  const Report report = envelope::estimate(s, Ledger(steps));
  JsonWriter w;
  w.object().member("version", kVersion).member("v", static_cast<double>(kDefaultsVersion));
  w.member("d", month_text(s.catalog.snapshot))
      .member("link", encode(in.scenario, in.others, in.chart));
  w.member("patch", diff(in.scenario));
  Scenario shown = s;
  shown.solve = in.scenario.solve;
  write_inputs(w, shown);
  if constexpr (kSolves)
    if (solved.field) {
      w.key("solved");
      write(w, solved);
    }
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

std::string step(std::string_view patch_or_link) {
  Input in = read(patch_or_link);
  const Scenario s = settled(in.scenario);
  const Report r = envelope::estimate(s);
  JsonWriter w;
  w.object();
  if (r.pace.predicted) {
    const Ranks ranks(s, r.architecture, r.memory, r.activations, r.layout.tp);
    StepDetail detail;
    step_time(s, r.architecture, ranks, r.layout.ways, kPhysics, &detail);
    write_timeline(w, detail.line);
    write_roofline(w, s, r, detail.slowest.stage);
  } else {
    in.problems.push_back({"run.mfu", Severity::note, "not_predicted",
                           "The step of this scenario is not predicted.",
                           s.run.task == Task::serve ? "Choose pretraining or fine-tuning."
                                                     : "Leave the MFU empty, and choose a model "
                                                       "whose architecture is known.",
                           ""});
  }
  write(w, in.problems);
  return w.end().take();
}

std::string calibrate(std::string_view request) {
  Problems problems;
  Json json;
  Patch patch;
  Scenario s = scenario_of({}, problems);
  if (parse_json(request, json, problems)) {
    if (const Json* scenario = json.find("scenario")) {
      Input in = read(*scenario);
      s = settled(in.scenario);
      append(problems, std::move(in.problems));
    }
    constexpr std::string_view kQuantities[] = {"step_s", "tokens_per_s_per_gpu", "mfu"};
    const auto* const at =
        std::find(std::begin(kQuantities), std::end(kQuantities), json.text_at("quantity"));
    if (at == std::end(kQuantities))
      problems.push_back(
          {"quantity", Severity::error, "unknown_choice", "What was measured is not known.",
           "Give step_s, tokens_per_s_per_gpu or mfu.", std::string(json.text_at("quantity"))});
    else
      patch = envelope::calibrate(s, static_cast<Measured>(at - kQuantities),
                                  json.number_at("value"), problems);
  }
  envelope::apply(patch, s);
  JsonWriter w;
  w.object().member("patch", patch).member("link", encode(s));
  write(w, problems);
  return w.end().take();
}

std::string plan(std::string_view request) {
  constexpr std::size_t kLongestRequest = std::size_t{1} << 24;  // what parts have found
  Problems problems;
  Json json;
  Scenario s = scenario_of({}, problems);
  if (!request.empty() && !parse_json(request, json, problems, kLongestRequest))
    return no_plans(problems);
  if (!request.empty() && json.kind != Json::Kind::object) {
    problems.push_back({"", Severity::error, "wrong_type",
                        "This request is no object, so there is no scenario to plan.",
                        "Give {\"scenario\": \"model=llama-3.1-70b&n=512\"}.", ""});
    return no_plans(problems);
  }
  if (const Json* scenario = json.find("scenario")) {
    Input in = read(*scenario);
    s = settled(in.scenario);
    append(problems, std::move(in.problems));
  }
  const PlanWish wish = read_wish(json, problems);
  PlanSpace p = plan_space(s, wish);
  append(problems, p.problems);
  for (const std::string& id : wish.allow)
    if (std::none_of(p.switches.begin(), p.switches.end(),
                     [&](const PlanSwitch& known) { return known.id == id; }))
      problems.push_back({"allow", Severity::warning, "not_used",
                          "There is no switch " + quoted(id) + " for this scenario.",
                          "The answer lists its switches.", id});

  const std::size_t all = points(p.space);
  std::size_t from = 0, to = all;
  bool part = false;
  if (const Json* in = json.find("part"); in && in->items.size() == 2) {
    const double k = in->items[0].number, n = in->items[1].number;
    if ((part = n >= 1 && n <= 64 && k >= 0 && k < n)) {
      from = static_cast<std::size_t>(static_cast<double>(all) * k / n);
      to = static_cast<std::size_t>(static_cast<double>(all) * (k + 1) / n);
    }
  }
  const auto stale = [&](std::string_view path) {
    problems.push_back({std::string(path), Severity::error, "wrong_type",
                        "This is not of a search of the same space.",
                        "Give back what an answer to the same request had as resume.", ""});
  };
  Found found;
  bool done = false;
  if (const Json* parts = asked(json, "merge", Json::Kind::array, problems)) {
    for (const Json& in : parts->items) {
      Found one;
      if (read_found(in, p.space, one))
        merge(p.space, found, one);
      else
        stale("merge");
    }
    done = found.tally.examined == all;
    part = false;
  } else {
    if (const Json* resume = json.find("resume"); resume && !read_found(*resume, p.space, found)) {
      stale("resume");
      found = {};
    }
    const double most = json.number_at("most");
    Search search(p.space, from, to, std::move(found));
    done = search.run(most >= 1 ? static_cast<std::size_t>(std::min(most, 1e15))
                                : static_cast<std::size_t>(-1));
    found = search.found();
  }

  const Tally& t = found.tally;
  JsonWriter w;
  w.object().member("done", done).member("space", static_cast<double>(all));
  w.member("examined", static_cast<double>(t.examined)).key("counts").object();
  w.member("evaluated", static_cast<double>(t.evaluated)).member("fit", static_cast<double>(t.fit));
  w.member("skipped", static_cast<double>(t.skipped)).key("rejected").array();
  std::vector<const Rejection*> rejected;
  for (const Rejection& r : t.rejected) rejected.push_back(&r);
  std::stable_sort(rejected.begin(), rejected.end(),
                   [](const Rejection* a, const Rejection* b) { return a->count > b->count; });
  for (const Rejection* r : rejected)
    w.object()
        .member("code", r->path + " " + r->code)
        .member("label", label_of(*r))
        .member("count", static_cast<double>(r->count))
        .end();
  w.end().end();
  write_space(w, p);
  const std::vector<PlanRow> shown = plans(p, found);
  if (done && !part && shown.empty()) problems.push_back(no_plan(p, found));
  w.key("plans").array();
  for (const PlanRow& row : shown) write(w, row);
  w.end().key("present");
  write(w, present(p));
  w.key("gains").array();
  const Json* wanted = json.find("gains");
  if (done && !part && !(wanted && wanted->kind == Json::Kind::flag && !wanted->flag))
    for (const Gain& g : gains(p, found, shown)) {
      w.object().member("label", g.label);
      if (!g.allow.empty()) w.member("switch", g.allow);
      if (!g.patch.empty()) w.member("patch", g.patch);
      w.member("metric", p.space.least->id).member("now", g.now).member("then", g.then);
      w.member("whole", g.whole).end();
    }
  w.end();
  if (!done || part) {
    w.key("resume");
    write(w, found);
  }
  write(w, problems);
  return w.end().take();
}

std::string best_model(std::string_view request) {
  Problems problems;
  Json json;
  Scenario s = scenario_of({}, problems);
  Budget budget;
  if (parse_json(request, json, problems)) {
    if (const Json* scenario = json.find("scenario")) {
      Input in = read(*scenario);
      s = in.scenario;
      append(problems, std::move(in.problems));
    }
    budget = {.usd = json.number_at("usd"),
              .flop = json.number_at("flop"),
              .seconds = json.number_at("days") * kDay.value,
              .served = json.number_at("served")};
  }
  // What the scenario itself says of a budget.
  if (!given(budget.usd)) budget.usd = given(s.solve.usd) ? s.solve.usd : s.scaling.budget_usd;
  if (!given(budget.flop))
    budget.flop = given(s.scaling.flop_budget) ? s.scaling.flop_budget : s.run.compute;
  if (!given(budget.seconds)) budget.seconds = s.run.deadline;
  for (double* x : {&budget.usd, &budget.flop, &budget.seconds, &budget.served})
    if (given(*x) && !(*x > 0 && *x < 1e40)) {
      problems.push_back({"", Severity::error, "out_of_range", "A budget is a number above zero.",
                          "Give dollars, FLOP or days.", number_text(*x)});
      *x = kNone;
    }
  BestModel best = envelope::best_model(s, budget);
  append(problems, std::move(best.problems));
  JsonWriter w;
  const auto write_trained = [&](const Trained& t, bool whole) {
    if (!given(t.params)) return void(w.value(kNone));
    w.object().member("params", t.params).member("active", t.active).member("tokens", t.tokens);
    w.member("loss", t.loss).member("gpus", t.gpus).member("layout", t.layout);
    w.member("mfu", t.mfu).member("seconds", t.seconds).member("usd", t.usd);
    w.member("train_flop", t.train_flop);
    if (whole) {
      w.member("served_flop", t.served_flop).member("link", encode(t.scenario));
      w.member("patch", diff(t.scenario));
    }
    w.end();
  };
  w.object().member("law", law_info(s.scaling.law).label).key("budget").object();
  w.member("usd", budget.usd).member("flop", budget.flop);
  w.member("days", budget.seconds / kDay.value).member("served", budget.served).end();
  w.key("optimal");
  write_trained(best.optimal, true);
  w.key("served");
  write_trained(best.served, true);
  w.key("considered").array();
  for (const Trained& t : best.considered) write_trained(t, false);
  w.end().key("notes").array();
  for (const std::string& note : best.notes) w.value(note);
  w.end();
  write(w, problems);
  return w.end().take();
}

std::string launch(std::string_view request) {
  Problems problems;
  Json json;
  Scenario s = scenario_of({}, problems);
  std::string_view id;
  if (parse_json(request, json, problems)) {
    if (const Json* scenario = json.find("scenario")) {
      Input in = read(*scenario);
      s = settled(in.scenario);
      append(problems, std::move(in.problems));
    }
    id = json.text_at("launcher");
  }
  append(problems, check(s));
  const Launch l = envelope::launch(s, id, problems);
  JsonWriter w;
  w.object().key("launchers").array();
  const auto write_launcher = [&](const Launcher& row) {
    w.object().member("id", row.id).member("name", row.name).member("version", row.version);
    std::string covers;
    for (const std::string& task : row.covers)
      covers.append(covers.empty() ? "" : "|").append(task);
    w.member("as_of", row.as_of).member("source", row.source).member("covers", covers);
  };
  for (const Launcher* row : l.possible) {
    write_launcher(*row);
    w.end();
  }
  w.end().key("cannot").array();
  for (const auto& each : l.impossible) {
    write_launcher(*each.launcher);
    w.member("why", each.why).end();
  }
  w.end().member("launcher", l.launcher ? l.launcher->id : std::string());
  w.member("link", encode(s)).key("files").array();
  for (const LaunchFile& f : l.files)
    w.object().member("name", f.name).member("language", f.language).member("text", f.text).end();
  w.end().key("notes").array();
  for (const std::string& note : l.notes) w.value(note);
  w.end();
  write(w, problems);
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
  if (!kSolves && std::any_of(scenarios.begin(), scenarios.end(), open_ended)) return {};
  if (scenarios.empty() && problems.empty())
    problems.push_back({"scenarios", Severity::error, "missing", "There is nothing to compare.",
                        "Give {\"scenarios\": [...]} with links or patches.", ""});
  std::vector<std::pair<char, Scenario>> others;
  for (std::size_t i = 1; i < scenarios.size(); ++i)
    others.emplace_back(static_cast<char>('a' + i), scenarios[i]);
  JsonWriter w;
  w.object().member("link", scenarios.empty() ? std::string() : encode(scenarios[0], others));
  w.key("scenarios").array();
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
  for (const Scenario& s : scenarios) all.push_back(steps_of(settled(s)));
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

std::string sensitivity(std::string_view request) {
  Json json;
  Input in = read_asked(request, json);
  ask_chart(json, in);
  ask_metric(json, in);
  const Scenario s = settled(in.scenario);
  const Sensitivity found =
      envelope::sensitivity(s, in.chart.metric ? *in.chart.metric : usual_metric(s));
  JsonWriter w;
  in.chart.metric = found.metric;
  w.object().member("chart", encode(in.chart));
  w.member("link", encode(in.scenario, in.others, in.chart));
  write_metric_of(w, *found.metric);
  w.member("value", found.value).key("rows").array();
  for (const SensitivityRow& row : found.rows) {
    w.object().member("path", row.field->path).member("label", row.field->label);
    w.member("unit", row.field->unit).member("now", row.now);
    w.member("low", row.low.input).member("high", row.high.input);
    w.member("at_low", row.low.value).member("at_high", row.high.value);
    w.member("low_note", row.low.note).member("high_note", row.high.note);
    w.member("why", row.why).end();
  }
  w.end();
  if (!given(found.value))
    in.problems.push_back({"metric", Severity::error, "no_value",
                           std::string(found.metric->label) + " has no value in this scenario.",
                           "Choose another result.", std::string(found.metric->id)});
  write(w, in.problems);
  return w.end().take();
}

std::string chart(std::string_view request) {
  Json json;
  Input in = read_asked(request, json);
  ask_chart(json, in);
  ask_side(json, "x", in, in.chart.x);
  ask_side(json, "y", in, in.chart.y);
  ask_metric(json, in);
  if (in.chart.y.field == in.chart.x.field) in.chart.y = {};
  const Scenario s = settled(in.scenario);
  const Chart found = envelope::chart(s, in.chart, in.problems);
  in.chart.x.field = found.x.field;  // as chosen, where nothing was asked for
  in.chart.metric = found.metric;
  JsonWriter w;
  w.object().member("chart", encode(in.chart));
  w.member("link", encode(in.scenario, in.others, in.chart));
  write_metric_of(w, *found.metric);
  w.member("value", found.now).key("x");
  write_side(w, found.x);
  w.key("y");
  if (found.y.field)
    write_side(w, found.y);
  else
    w.value(kNone);
  w.key("values").array();
  for (const double x : found.values) w.value(x);
  w.end().key("marks").array();
  for (const Mark m : found.marks) w.value(static_cast<double>(m));
  w.end().key("reasons").array();
  for (const std::size_t r : found.reasons) w.value(r == kNowhere ? -1.0 : static_cast<double>(r));
  w.end().key("sentences").array();
  for (const std::string& text : found.sentences) w.value(text);
  w.end();
  write(w, in.problems);
  return w.end().take();
}

std::vector<double> sweep(std::string_view request) {
  Json json;
  Problems problems;
  if (!parse_json(request, json, problems)) return {};
  const Json *scenario = json.find("scenario"), *axes_in = json.find("axes"),
             *metrics_in = json.find("metrics");
  if (!axes_in || !metrics_in) return {};
  const Scenario base = scenario ? read(*scenario).scenario : scenario_of({}, problems);
  if (!kSolves && open_ended(base)) return {};
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
  return envelope::sweep(settled(base), axes, wanted);
}

}  // namespace envelope::api
