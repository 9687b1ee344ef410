// SPDX-License-Identifier: MIT
// The ledger: a number and its formula are one line of code.
//
//   const auto train = note("compute.train", per_token * tokens,
//   "compute.per_token*compute.tokens");
//
// A test evaluates every formula against the ledger's own values and the scenario's fields, so that
// "show the work" is proved to be the work. A value that was looked up or chosen has no formula.
#pragma once

#include <string_view>
#include <vector>

#include "envelope/prose.h"
#include "envelope/units.h"

namespace envelope {

struct Step {
  std::string_view id;       ///< A row of the metrics table.
  double value;              ///< In the metric's canonical unit.
  std::string_view formula;  ///< Over metric ids and field paths; empty when looked up.
};

/// A formula on its way into the ledger; an embed shows none and carries none.
struct Formula {
  std::string_view text;
  constexpr Formula() = default;
  template <class Text>
  constexpr Formula(const Text& given) {
    if constexpr (kSays != Says::results) text = given;
  }
};

/// Writes steps down, or does nothing at all. A silent ledger costs one branch.
class Ledger {
 public:
  Ledger() = default;  ///< Silent.
  explicit Ledger(std::vector<Step>& steps) : steps_(&steps) {}

  /// Whether anything is written down; to skip work that only explains.
  explicit operator bool() const { return steps_ != nullptr; }

  /// Notes `value` under the metric `id` and gives it back. Ids and formulas are string literals.
  // Inlined, so that a silent ledger never builds its arguments: in WASM that doubles the speed.
  // The formula keeps its type for the same reason: a choice of literals would have its length
  // counted.
  template <class Q, class Text = std::string_view>
  [[gnu::always_inline]] Q operator()(std::string_view id, Q value,
                                      const Text& formula = {}) const {
    if (steps_) [[unlikely]]
      write(id, raw(value), Formula(formula));
    return value;
  }

 private:
  friend class Loud;
  [[gnu::noinline]] void write(std::string_view id, double value, Formula formula) const {
    steps_->push_back({id, value, formula.text});
  }

  std::vector<Step>* steps_ = nullptr;
};

/// The same for code that runs only when something is written down: a call, and nothing inlined.
class Loud {
 public:
  explicit Loud(const Ledger& ledger) : ledger_(ledger) {}
  double operator()(std::string_view id, double value, Formula formula = {}) const {
    return ledger_.write(id, value, formula), value;
  }
  template <Dim D>
  Quantity<D> operator()(std::string_view id, Quantity<D> value, Formula formula = {}) const {
    return ledger_.write(id, value.value, formula), value;
  }

 private:
  const Ledger& ledger_;
};

}  // namespace envelope
