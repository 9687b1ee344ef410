// SPDX-License-Identifier: MIT
// Catalog rows: models, accelerators, recipes, prices. Compiled in; each row has a source and a
// date, and what it sets is a patch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "envelope/fields.h"
#include "envelope/problem.h"

namespace envelope {

/// What a row said up to a snapshot, before a correction. Append-only.
struct Past {
  double until = 0;  ///< Last snapshot (YYYYMM) for which it holds.
  Patch set;
};

struct Row {
  std::string id, name, family, source, as_of, note;
  double year = 0;
  Patch set;
  std::vector<Past> history;
  // Models: what the publisher states.
  double published_params = 0, published_active = 0;
  bool published_exact = false;
  std::string published_source;

  /// What the row set as of a snapshot.
  const Patch& as_of_snapshot(double snapshot) const;
};

struct PriceRow {
  std::string accelerator, provider, provider_name, instance, source, source_url, as_of;
  Terms terms = Terms::on_demand;
  double usd = 0, count = 1;
  double since = 0;  ///< First snapshot that holds the row.
};

struct CatalogData {
  std::vector<Row> models, accelerators, recipes, stacks;
  std::vector<PriceRow> prices;
};

/// The catalog, read once from what is compiled in.
const CatalogData& catalog();

/// Snapshots that links may name, oldest first.
std::span<const double> snapshots();

const Row* find_row(const std::vector<Row>& rows, std::string_view id);
/// The rows that a name field chooses from; null for the price provider.
const std::vector<Row>* rows_of(const Field& field);

/// The price of the scenario's accelerator, provider and terms; kNone where there is none.
double price_of(const Scenario& scenario);
/// The rows behind that price.
std::vector<const PriceRow*> price_rows(const Scenario& scenario);

/// Puts what the named rows set into the scenario.
void fill_model(Scenario& scenario);
void fill_gpu(Scenario& scenario);
void fill_recipe(Scenario& scenario);
void fill_stack(Scenario& scenario);
/// Names the recipe that the framework uses, where its row says so.
void choose_stack_recipe(Scenario& scenario);
void fill_price(Scenario& scenario);

}  // namespace envelope
