// SPDX-License-Identifier: MIT
// Evaluates the formula strings of the ledger. Grammar: numbers, ids (metric ids and field paths),
// + - * / ^, unary minus, parentheses, min max ceil floor sqrt. `^` binds tightest and to the
// right; a minus before a power negates the power, so -2^2 is -4. Powers use the core's own
// `power`, so a formula that says what the code does gives the same number to the last places.
#pragma once

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "envelope/math.h"

namespace envelope_test {

using Values = std::map<std::string, double, std::less<>>;

struct Evaluation {
  double value = envelope::kNone;
  std::string error;             ///< Empty when the formula is well formed and every id is known.
  std::vector<std::string> ids;  ///< Every id that it reads, in order, with repeats.
};

class Evaluator {
 public:
  Evaluator(std::string_view formula, const Values& values) : text_(formula), values_(values) {}

  Evaluation run() {
    Evaluation result;
    result.value = sum();
    skip_spaces();
    if (at_ < text_.size()) fail("unexpected '" + std::string(1, text_[at_]) + "'");
    if (!error_.empty()) result.value = envelope::kNone;
    result.error = error_;
    result.ids = ids_;
    return result;
  }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  char peek() {
    skip_spaces();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail("expected '" + std::string(1, c) + "'");
  }
  double fail(const std::string& what) {
    if (error_.empty()) error_ = what + " at " + std::to_string(at_) + " in " + std::string(text_);
    at_ = text_.size();
    return envelope::kNone;
  }

  double sum() {
    double x = product();
    for (;;) {
      if (take('+'))
        x += product();
      else if (take('-'))
        x -= product();
      else
        return x;
    }
  }
  double product() {
    double x = unary();
    for (;;) {
      if (take('*'))
        x *= unary();
      else if (take('/'))
        x /= unary();
      else
        return x;
    }
  }
  double unary() {
    if (!take('-')) return exponentiation();
    if (++depth_ > kMaxDepth) return fail("nested too deeply");
    const double x = -unary();
    --depth_;
    return x;
  }
  double exponentiation() {
    const double base = atom();
    return take('^') ? envelope::power(base, unary()) : base;
  }
  double atom() {
    const char c = peek();
    if (c == '(') {
      if (++depth_ > kMaxDepth) return fail("nested too deeply");
      ++at_;
      const double x = sum();
      expect(')');
      --depth_;
      return x;
    }
    if (digit(c) || c == '.') return number();
    if (letter(c)) return word();
    return fail(c ? "unexpected '" + std::string(1, c) + "'" : "unexpected end");
  }
  double number() {
    const std::size_t from = at_;
    while (at_ < text_.size() && (digit(text_[at_]) || text_[at_] == '.')) ++at_;
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      while (at_ < text_.size() && digit(text_[at_])) ++at_;
    }
    const std::string token(text_.substr(from, at_ - from));
    char* end = nullptr;
    const double x = std::strtod(token.c_str(), &end);
    return *end == '\0' ? x : fail("bad number " + token);
  }
  double word() {
    const std::size_t from = at_;
    while (at_ < text_.size() && (letter(text_[at_]) || digit(text_[at_]) || text_[at_] == '.'))
      ++at_;
    const std::string name(text_.substr(from, at_ - from));
    if (peek() == '(') return call(name);
    ids_.push_back(name);
    const auto found = values_.find(name);
    return found != values_.end() ? found->second : fail("unknown id " + name);
  }
  double call(const std::string& name) {
    expect('(');
    std::vector<double> args{sum()};
    while (take(',')) args.push_back(sum());
    expect(')');
    if (args.size() == 1) {
      if (name == "ceil") return std::ceil(args[0]);
      if (name == "floor") return std::floor(args[0]);
      if (name == "sqrt") return std::sqrt(args[0]);
    }
    if (args.size() >= 2 && (name == "min" || name == "max")) {
      double x = args[0];
      for (const double y : args) x = name == "min" ? (y < x ? y : x) : (y > x ? y : x);
      return x;
    }
    return fail("unknown function or wrong number of arguments: " + name);
  }

  static bool digit(char c) { return c >= '0' && c <= '9'; }
  static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }

  static constexpr int kMaxDepth = 200;
  std::string_view text_;
  const Values& values_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::string error_;
  std::vector<std::string> ids_;
};

inline Evaluation evaluate(std::string_view formula, const Values& values) {
  return Evaluator(formula, values).run();
}

}  // namespace envelope_test
