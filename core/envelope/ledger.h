// SPDX-License-Identifier: MIT
// The ledger: a number and its formula are one line of code.
//
//   const auto train = note("compute.train", per_token * tokens,
//   "compute.per_token*compute.tokens");
//
// A test evaluates every formula against the ledger's own values and the scenario's fields, so that
// "show the work" is proved to be the work. A value that was looked up or chosen has no formula.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string_view>
#include <vector>

#include "envelope/prose.h"
#include "envelope/units.h"

namespace envelope {

/// Text of a string literal. Its length is not counted before someone reads it: a thousand places
/// in a module name one, so each byte there counts, and most are never read.
class Literal {
 public:
  constexpr Literal(const char* text = "") : text_(text) {}
  constexpr operator std::string_view() const { return text_; }
  constexpr bool empty() const { return *text_ == '\0'; }
  constexpr bool operator==(std::string_view other) const {
    std::size_t i = 0;
    while (i < other.size() && text_[i] != '\0' && text_[i] == other[i]) ++i;
    return i == other.size() && text_[i] == '\0';
  }
  template <class Char>
  friend std::basic_ostream<Char>& operator<<(std::basic_ostream<Char>& out, Literal literal) {
    return out << std::string_view(literal);
  }

 private:
  const char* text_;
};

/// A formula on its way into the ledger. An embed shows none and carries none.
#if ENVELOPE_SAYS > 0
using Formula = Literal;
#else
struct Formula {
  constexpr Formula(const char* = "") {}
  constexpr operator std::string_view() const { return {}; }
  constexpr bool empty() const { return true; }
};
#endif

struct Step {
  Literal id;       ///< A row of the metrics table.
  double value;     ///< In the metric's canonical unit.
  Formula formula;  ///< Over metric ids and field paths; empty when looked up.
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
  template <class Q>
  [[gnu::always_inline]] Q operator()(Literal id, Q value, Formula formula = {}) const {
    if constexpr (kSays == Says::results) {
      write(id, raw(value), formula);  // an embed rather has fewer branches than be fast
    } else {
      if (steps_) [[unlikely]]
        write(id, raw(value), formula);
    }
    return value;
  }

 private:
  friend class Loud;
  [[gnu::noinline]] void write(Literal id, double value, Formula formula) const {
    if (steps_) steps_->push_back({id, value, formula});
  }

  std::vector<Step>* steps_ = nullptr;
};

/// The same for code that runs only when something is written down: a call, and nothing inlined.
class Loud {
 public:
  explicit Loud(const Ledger& ledger) : ledger_(ledger) {}
  double operator()(Literal id, double value, Formula formula = {}) const {
    return ledger_.write(id, value, formula), value;
  }
  template <Dim D>
  Quantity<D> operator()(Literal id, Quantity<D> value, Formula formula = {}) const {
    return ledger_.write(id, value.value, formula), value;
  }

 private:
  const Ledger& ledger_;
};

}  // namespace envelope
