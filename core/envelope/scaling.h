// SPDX-License-Identifier: MIT
// Scaling laws: the loss that a fit predicts, and how it splits a budget into size and tokens.
// Training compute is 6ND here, as in all these papers, whatever the rest of the estimate counts.
#pragma once

#include <span>
#include <string_view>

#include "envelope/ledger.h"
#include "envelope/scenario.h"
#include "envelope/units.h"

namespace envelope {

struct LawConstant {
  Literal id;  ///< A row of the metrics table, as formulas name it.
  double value;
};

struct LawInfo {
  Law law;
  std::string_view id, label;
  std::string_view formula;  ///< For people.
  std::string_view domain;   ///< Where it was fitted and what to beware of.
  double params_min, params_max, flops_min, flops_max;  ///< kNone: the paper gives no bound.
  std::string_view source;
  std::span<const LawConstant> constants;
};

/// Rows in the order of `Law`.
std::span<const LawInfo> laws();
const LawInfo& law_info(Law law);

/// What a law says; kNone where it says nothing.
struct ScalingResult {
  double loss = kNone;  ///< Of this model on these tokens; nats per token.
  double tokens_per_param = kNone;
  double tokens_20 = kNone;       ///< 20 tokens for each parameter, the usual rule of thumb.
  double optimal_params = kNone;  ///< Best size for the budget.
  double optimal_tokens = kNone;  ///< Tokens that the budget pays for at that size.
  double optimal_loss = kNone;    ///< Loss there: the least that the budget buys.
  double over_training = kNone;   ///< Tokens, relative to `compute_optimal_tokens`.
  double budget = kNone;          ///< FLOP.
  double compute_optimal_tokens = kNone;  ///< Tokens at which this size is the optimal one.
  double relative_error = kNone;          ///< Hestness: error relative to the reference data size.
};

/// Loss in nats per token; kNone where the law has none (Hoffmann 1 and 2, Hestness).
/// Henighan gives the two limits alone, so this is the larger of them: a lower bound.
double loss_at(Law law, double params, double tokens);

/// `params` counts the embeddings; of a mixture of experts it is the active ones. `budget_formula`
/// says where the budget comes from; it stays empty when the budget was typed in.
ScalingResult scaling(const Scenario& scenario, double params, Tokens tokens, Flops budget,
                      Ledger note, Formula budget_formula = {});

}  // namespace envelope
