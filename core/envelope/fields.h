// SPDX-License-Identifier: MIT
// Table 1: one row for each input. Form, links, JSON, validation, types, CLI help and sweeps derive
// from it. The default is not a column: it is the member initialiser in scenario.h.
#pragma once

#include <span>
#include <string_view>

#include "envelope/prose.h"
#include "envelope/scenario.h"
#include "envelope/value.h"

namespace envelope {

struct Choice {
  std::string_view id, label;
};

/// Where a field lives in a scenario; exactly one pointer is set.
struct Slot {
  double* number = nullptr;
  bool* flag = nullptr;
  unsigned char* choice = nullptr;
  Id* name = nullptr;
};

enum class Type : unsigned char { number, flag, choice, name };

/// Flags of a row.
enum : unsigned {
  kWhole = 1,      ///< Only whole numbers.
  kOptional = 2,   ///< May be empty ("auto"): a stage derives it.
  kBasic = 4,      ///< Shown without unfolding a group.
  kSelects = 8,    ///< Chooses catalog rows; applied before all other fields.
  kPretrain = 16,  ///< The tasks that read it.
  kFinetune = 32,
  kServe = 64,
  kTrain = kPretrain | kFinetune,
  kAll = kTrain | kServe,
};

struct Field {
  std::string_view path, key, group;
  Type type;
  std::string_view unit;  ///< Canonical unit; empty for flags, choices and names.
  double min, max;
  unsigned flags;
  std::span<const Choice> choices;
  std::string_view label;
  Prose help;
  std::string_view since;
  Slot (*at)(Scenario&);
};

struct Group {
  std::string_view id, label;
};

std::span<const Field> fields();
std::span<const Group> groups();
const Field* field_by_path(std::string_view path);
const Field* field_by_key(std::string_view key);

/// 202611 -> "2026-11".
std::string month_text(double yyyymm);

/// The present value. An optional number that is not given reads as the text "auto".
Value get(const Field& field, const Scenario& scenario);
/// The present value as a number: choices by their index, flags as 0 or 1, names as NaN.
double get_number(const Field& field, const Scenario& scenario);
/// Sets a number without any check; for sweeps. False for names.
bool set_number(const Field& field, Scenario& scenario, double value);
/// Puts a value of the right type, unchecked; false when the type or the choice does not fit.
bool put(const Field& field, const Value& value, Scenario& scenario);
bool same(const Field& field, const Scenario& a, const Scenario& b);
void copy(const Field& field, const Scenario& from, Scenario& to);

/// The id of a choice, for any of the enums of scenario.h.
std::string_view choice_id(const Field& field, const Scenario& scenario);

}  // namespace envelope
