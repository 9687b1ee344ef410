// SPDX-License-Identifier: MIT
// In: a scenario with its scaling law, and a budget: dollars, FLOP or GPUs for some days; tokens
// that the model will serve. Out: the size that the law gives for what the budget pays, its tokens,
// with the layout that the planner finds for that model and the speed predicted for it; and
// the smaller model, trained for longer, that reaches the same loss with the fewest FLOP of
// training and serving together (Sardana et al. 2023). Neglected: interruptions; that a law may not
// hold so far beyond the runs it was fitted on.
#pragma once

#include <string>
#include <vector>

#include "envelope/planner.h"

namespace envelope {

struct Budget {
  double usd = kNone, flop = kNone, seconds = kNone;  ///< Any of them; with GPUs or without.
  double served = kNone;                              ///< Tokens read and written in its life.
};

/// A model, and its training run.
struct Trained {
  double params = kNone, active = kNone, tokens = kNone, loss = kNone;
  double gpus = kNone, mfu = kNone, seconds = kNone, usd = kNone;
  double train_flop = kNone;   ///< 6 N D, with the active parameters.
  double served_flop = kNone;  ///< 2 N for each token served.
  std::string layout;          ///< "TP 8, PP 4, DP 16"
  Scenario scenario;
};

struct BestModel {
  Trained optimal;
  Trained served;                   ///< Only where tokens are served and the law tells a loss.
  std::vector<Trained> considered;  ///< Sizes around the best, each with its own layout.
  std::vector<std::string> notes;   ///< What was assumed.
  Problems problems;                ///< Why there is no answer.
};

BestModel best_model(const Scenario& scenario, const Budget& budget);

/// Tokens with which a model of that size reaches a loss; kNone where no number does, or the law
/// tells no loss.
double tokens_for_loss(Law law, double params, double loss);

/// Of the models that reach the loss of the optimum, the size for which training and serving take
/// the fewest FLOP: 6 N D + 2 N x served.
double size_for_serving(Law law, double optimal_params, double loss, double served);

}  // namespace envelope
