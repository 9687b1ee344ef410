// SPDX-License-Identifier: MIT
#include "envelope/replays.h"

#include "envelope/embedded.h"
#include "envelope/estimate.h"
#include "envelope/json.h"
#include "envelope/link.h"
#include "envelope/metrics.h"

namespace envelope {
namespace {

ReplayItem read_item(const Json& in) {
  ReplayItem item;
  item.label = in.text_at("label");
  item.figure = in.text_at("figure");
  item.link = in.text_at("link");
  item.metric = in.text_at("metric");
  item.baseline = in.text_at("baseline");
  item.baseline_metric = in.text_at("baseline_metric");
  item.op = in.text_at("op");
  item.verdict = in.text_at("verdict", "same");
  item.why = in.text_at("why");
  item.expected = in.number_at("expected");
  if (const double t = in.number_at("tolerance"); given(t)) item.tolerance = t;
  const Metric* metric = find_metric(item.metric);
  item.unit = item.op == "ratio"    ? "factor"
              : item.op == "saving" ? "ratio"
              : metric              ? metric->unit
                                    : "";
  return item;
}

std::vector<Example> read_examples() {
  std::vector<Example> examples;
  Json file;
  Problems problems;
  const std::string_view text = embedded::examples();
  if (!parse_json(text, file, problems, text.size())) return examples;
  if (const Json* list = file.find("rows"))
    for (const Json& in : list->items)
      examples.push_back({std::string(in.text_at("id")), std::string(in.text_at("task")),
                          std::string(in.text_at("title")), std::string(in.text_at("link"))});
  return examples;
}

ReplayBook read_book() {
  ReplayBook book;
  Json file;
  Problems problems;
  const std::string_view text = embedded::replays();
  if (!parse_json(text, file, problems, text.size())) return book;
  if (const Json* list = file.find("documents"))
    for (const Json& in : list->items)
      book.documents.push_back({std::string(in.text_at("id")), std::string(in.text_at("title")),
                                std::string(in.text_at("author")), std::string(in.text_at("date")),
                                std::string(in.text_at("url")), std::string(in.text_at("kind"))});
  if (const Json* list = file.find("rows"))
    for (const Json& in : list->items) {
      Replay replay{std::string(in.text_at("id")),    std::string(in.text_at("document")),
                    std::string(in.text_at("place")), std::string(in.text_at("title")),
                    std::string(in.text_at("note")),  {}};
      if (const Json* items = in.find("items"))
        for (const Json& item : items->items) replay.items.push_back(read_item(item));
      book.replays.push_back(std::move(replay));
    }
  return book;
}

void compute_item(ReplayItem& item) {
  item.value = metric_of_link(item.link, item.metric);
  if (!item.op.empty()) {
    const double base =
        metric_of_link(item.baseline.empty() ? item.link : item.baseline,
                       item.baseline_metric.empty() ? item.metric : item.baseline_metric);
    if (item.op == "ratio") item.value = item.value / base;
    if (item.op == "saving") item.value = 1 - item.value / base;
    if (item.op == "difference") item.value = item.value - base;
  }
  item.difference = item.value / item.expected - 1;
  if (!given(item.expected)) item.verdict = "added";
}

}  // namespace

double metric_of_link(std::string_view link, std::string_view metric) {
  Problems problems;
  const Scenario s = scenario_of(decode(link).patch, problems);
  std::vector<Step> steps;
  estimate(s, Ledger(steps));
  for (const Step& step : steps)
    if (step.id == metric) return step.value;
  return kNone;
}

const std::vector<Example>& examples() {
  static const std::vector<Example> rows = read_examples();
  return rows;
}

const ReplayBook& replay_book() {
  static const ReplayBook book = read_book();
  return book;
}

std::vector<Replay> computed_replays() {
  std::vector<Replay> replays = replay_book().replays;
  for (Replay& replay : replays)
    for (ReplayItem& item : replay.items) compute_item(item);
  return replays;
}

}  // namespace envelope
