// SPDX-License-Identifier: MIT
// The evaluator of formula strings must itself be right, or the ledger test proves nothing.
#include "ledger_eval.h"

#include <cmath>

#include "catch.h"

using envelope_test::evaluate;
using envelope_test::Values;

namespace {

const Values kValues = {{"a", 3}, {"b.c", 4}, {"run.batch_size", 0.5}, {"nothing", std::nan("")}};

double value_of(const char* formula) {
  const auto result = evaluate(formula, kValues);
  INFO(formula);
  CHECK(result.error == "");
  return result.value;
}

}  // namespace

TEST_CASE("formula: the order of operations") {
  CHECK(value_of("1+2*3") == 7);
  CHECK(value_of("(1+2)*3") == 9);
  CHECK(value_of("10-4-3") == 3);
  CHECK(value_of("64/4/2") == 8);
  CHECK(value_of("2*3^2") == 18);
  CHECK(value_of("2^3^2") == 512);
  CHECK(value_of("-2^2") == -4);
  CHECK(value_of("2^-1") == 0.5);
  CHECK(value_of("2*-3") == -6);
  CHECK(value_of("--3") == 3);
  CHECK(value_of(" 1 - ( 2 - 3 ) ") == 2);
}

TEST_CASE("formula: numbers, names and functions") {
  CHECK(value_of("8.64e19") == 8.64e19);
  CHECK(value_of("1e-3+.5") == 0.501);
  CHECK(value_of("a*b.c/run.batch_size") == 24);
  CHECK(value_of("min(a,b.c)+max(1,a,2)") == 6);
  CHECK(value_of("ceil(2.1)*floor(2.9)*sqrt(16)") == 24);
  CHECK(value_of("max(-a,ceil(b.c/3))") == 2);
  CHECK(std::isnan(value_of("nothing+1")));
  CHECK(evaluate("a+b.c*a", kValues).ids == std::vector<std::string>{"a", "b.c", "a"});
}

TEST_CASE("formula: what is malformed is refused, not guessed") {
  for (const char* formula : {"",    "1+",     "(1",        "1)",     "a b.c",    "2 3",  "unknown",
                              "a.b", "sqrt()", "sqrt(1,2)", "min(1)", "pow(2,3)", "1..2", "1e",
                              "a^",  "2**3",   "a%2",       ",",      "min(1,)",  "a=3"}) {
    INFO(formula);
    const auto result = evaluate(formula, kValues);
    CHECK(result.error != "");
    CHECK(std::isnan(result.value));
  }
  CHECK(evaluate(std::string(100000, '('), kValues).error != "");
  CHECK(evaluate(std::string(100000, '-'), kValues).error != "");
}
