// SPDX-License-Identifier: MIT
#include "envelope/catalog.h"

#include <algorithm>

#include "envelope/embedded.h"
#include "envelope/json.h"

namespace envelope {
namespace {

constexpr double kSnapshots[] = {202611};

double month_of(std::string_view text) {  // "2026-11" or "2026-11-03" -> 202611
  double out = 0;
  for (const char c : text.substr(0, 7))
    if (c >= '0' && c <= '9') out = 10 * out + (c - '0');
  return out;
}

Patch set_of(const Json& row) {
  Problems ignored;  // a test applies each row and demands that there are none
  const Json* set = row.find("set");
  return set ? patch_of(*set, ignored) : Patch{};
}

std::vector<Row> read_rows(std::string_view text) {
  std::vector<Row> rows;
  Json file;
  Problems problems;
  if (!parse_json(text, file, problems, text.size())) return rows;
  const Json* list = file.find("rows");
  if (!list) return rows;
  for (const Json& in : list->items) {
    Row row;
    row.id = in.text_at("id");
    row.name = in.text_at("name");
    row.family = in.text_at("family", in.text_at("vendor"));
    row.source = in.text_at("source");
    row.as_of = in.text_at("as_of", row.source.starts_with("http") ? "2026-11" : "");
    row.note = in.text_at("note");
    if (const double year = in.number_at("year"); given(year)) row.year = year;
    row.set = set_of(in);
    if (const Json* past = in.find("history"))
      for (const Json& p : past->items)
        row.history.push_back({month_of(p.text_at("until")), set_of(p)});
    if (const Json* published = in.find("published")) {
      if (const double n = published->number_at("params"); given(n)) row.published_params = n;
      if (const double n = published->number_at("active"); given(n)) row.published_active = n;
      const Json* exact = published->find("exact");
      row.published_exact = exact && exact->flag;
      row.published_source = published->text_at("source");
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<PriceRow> read_prices(std::string_view text) {
  std::vector<PriceRow> rows;
  Json file;
  Problems problems;
  if (!parse_json(text, file, problems, text.size())) return rows;
  const Json *list = file.find("rows"), *sources = file.find("sources");
  if (!list || !sources) return rows;
  const Field& terms = *field_by_path("price.terms");
  for (const Json& in : list->items) {
    PriceRow row;
    row.accelerator = in.text_at("accelerator");
    row.provider = in.text_at("provider");
    row.provider_name = in.text_at("provider_name", row.provider);
    row.instance = in.text_at("instance");
    row.as_of = in.text_at("as_of", "2026-11");
    row.usd = in.number_at("usd");
    row.since = kSnapshots[0];
    if (const std::string_view since = in.text_at("since"); !since.empty())
      row.since = month_of(since);
    if (const double count = in.number_at("count"); given(count)) row.count = count;
    if (const Json* source = sources->find(in.text_at("source"))) {
      row.source = source->text_at("title");
      row.source_url = source->text_at("url");
    }
    Scenario scratch;
    if (put(terms, std::string(in.text_at("terms")), scratch)) row.terms = scratch.price.terms;
    rows.push_back(std::move(row));
  }
  return rows;
}

void fill(const std::vector<Row>& rows, const Id& id, Scenario& s) {
  const Row* row = find_row(rows, id);
  if (!row) return;
  for (const auto& [path, value] : row->as_of_snapshot(s.catalog.snapshot))
    if (const Field* f = field_by_path(path)) put(*f, value, s);
}

bool holds(const PriceRow& row, const Scenario& s) {
  return row.accelerator == std::string_view(s.gpu.id) && row.terms == s.price.terms &&
         row.since <= s.catalog.snapshot &&
         (std::string_view(s.price.provider) == "median" ||
          row.provider == std::string_view(s.price.provider));
}

}  // namespace

const Patch& Row::as_of_snapshot(double snapshot) const {
  for (const Past& past : history)
    if (snapshot <= past.until) return past.set;
  return set;
}

const CatalogData& catalog() {
  static const CatalogData data = {read_rows(embedded::models()),
                                   read_rows(embedded::accelerators()),
                                   read_rows(embedded::recipes()), read_rows(embedded::stacks()),
                                   read_prices(embedded::prices())};
  return data;
}

std::span<const double> snapshots() { return kSnapshots; }

const Row* find_row(const std::vector<Row>& rows, std::string_view id) {
  for (const Row& row : rows)
    if (row.id == id) return &row;
  return nullptr;
}

const std::vector<Row>* rows_of(const Field& field) {
  if (field.path == "model.id") return &catalog().models;
  if (field.path == "gpu.id") return &catalog().accelerators;
  if (field.path == "states.recipe") return &catalog().recipes;
  if (field.path == "stack.id") return &catalog().stacks;
  return nullptr;
}

std::vector<const PriceRow*> price_rows(const Scenario& s) {
  std::vector<const PriceRow*> rows;
  for (const PriceRow& row : catalog().prices)
    if (holds(row, s)) rows.push_back(&row);
  return rows;
}

double price_of(const Scenario& s) {
  std::vector<double> usd;
  for (const PriceRow& row : catalog().prices)
    if (holds(row, s)) usd.push_back(row.usd);
  if (usd.empty()) return kNone;
  std::sort(usd.begin(), usd.end());
  const std::size_t mid = usd.size() / 2;
  return usd.size() % 2 ? usd[mid] : (usd[mid - 1] + usd[mid]) / 2;
}

void fill_model(Scenario& s) {
  const Id id = s.model.id;
  s.model = Model{};
  s.model.id = id;
  fill(catalog().models, id, s);
}

void fill_gpu(Scenario& s) {
  const Id id = s.gpu.id;
  s.gpu = Gpu{};
  s.gpu.id = id;
  fill(catalog().accelerators, id, s);
}

void fill_recipe(Scenario& s) { fill(catalog().recipes, s.states.recipe, s); }

void fill_stack(Scenario& s) {
  const Id id = s.stack.id;
  s.stack = Stack{};
  s.stack.id = id;
  const Id recipe = s.states.recipe;
  fill(catalog().stacks, id, s);
  s.states.recipe = recipe;
}

void choose_stack_recipe(Scenario& s) {
  if (const Row* row = find_row(catalog().stacks, s.stack.id))
    for (const auto& [path, value] : row->as_of_snapshot(s.catalog.snapshot))
      if (path == "states.recipe") put(*field_by_path(path), value, s);
}

void fill_price(Scenario& s) { s.price.usd_per_gpu_hour = price_of(s); }

}  // namespace envelope
