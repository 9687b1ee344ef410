// SPDX-License-Identifier: MIT
#include "envelope/patch.h"

#include <algorithm>
#include <cmath>

#include "envelope/catalog.h"

namespace envelope {
namespace {

/// The few names closest to what was typed: those that contain it first, then by edit distance.
template <class Names>
std::string suggestion(std::string_view typed, const Names& names) {
  const std::string want = lower_case(typed.substr(0, 40));
  std::vector<std::pair<std::size_t, std::string_view>> ranked;
  for (const std::string_view name : names) {
    const bool inside = !want.empty() && name.find(want) != std::string_view::npos;
    ranked.emplace_back(inside ? 0 : 1 + edit_distance(want, name), name);
  }
  std::string out;
  for (std::size_t i = 0; i < 3 && !ranked.empty(); ++i) {
    const auto next =
        std::min_element(ranked.begin(), ranked.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
    out.append(i ? ", " : "").append(next->second);
    ranked.erase(next);
  }
  return out;
}

Problems problem(const Field& f, std::string_view code, const Value& value, std::string message,
                 std::string hint, Severity severity = Severity::error) {
  return {
      {std::string(f.path), severity, code, std::move(message), std::move(hint), text_of(value)}};
}

std::string unit_hint(const Field& f) {
  if (f.unit == "token") return "Give a count of tokens, like 15.6T or 300e9.";
  if (f.unit == "byte") return "Give bytes, like 80GB or 80GiB.";
  if (f.unit == "flop") return "Give FLOP, like 3.8e25.";
  if (f.unit == "flop/s") return "Give FLOP per second, like 989TFLOP/s or 989e12.";
  if (f.unit == "byte/s") return "Give bytes per second, like 3.35TB/s.";
  if (f.unit == "second") return "Give a time, like 30d, 12h or 3600.";
  if (f.unit == "ratio") return "Give a share, like 40% or 0.4.";
  if (f.unit == "usd" || f.unit == "usd/hour") return "Give dollars, like 2.50.";
  if (f.unit == "month") return "Give a month, like 2026-11.";
  return (f.flags & kWhole) ? "Give a whole number, like 64 or 8x64." : "Give a number, like 70B.";
}

/// A bound or a value of the field as people write it.
std::string shown(const Field& f, double x) {
  return f.unit == "ratio" ? number_text(100 * x) + " %" : number_text(x);
}

Problems set_number(const Field& f, const Value& value, Scenario& s) {
  double x = kNone;
  if (const double* number = std::get_if<double>(&value)) {
    x = *number;
  } else if (const std::string* text = std::get_if<std::string>(&value)) {
    const std::string word = lower_case(*text);
    if (word == "auto" || word.empty()) {
      if (f.flags & kOptional) return put(f, kNone, s), Problems{};
      return problem(f, "not_a_number", value, std::string(f.label) + " cannot be empty.",
                     unit_hint(f));
    }
    if (!parse_number(*text, f.unit, x))
      return problem(
          f, "not_a_number", value,
          std::string(f.label) + " must be a number, not " + quoted(text_of(value)) + ".",
          unit_hint(f));
  } else {
    return problem(f, "wrong_type", value,
                   std::string(f.label) + " must be a number, not true or false.", unit_hint(f));
  }
  if (!std::isfinite(x))
    return problem(f, "not_a_number", value, std::string(f.label) + " must be a finite number.",
                   unit_hint(f));
  if ((f.flags & kWhole) && std::floor(x) != x)
    return problem(f, "not_whole", value,
                   std::string(f.label) + " must be a whole number, not " + number_text(x) + ".",
                   "Try " + number_text(std::max(f.min, std::floor(x))) + " or " +
                       number_text(std::ceil(x)) + ".");
  if (f.unit == "month" && x > snapshots().back()) {
    put(f, snapshots().back(), s);
    return problem(f, "newer_catalog", value,
                   "The link asks for the facts of " + text_of(value) +
                       "; this version knows those of " + month_text(snapshots().back()) + ".",
                   "Open the newest version of this page to see them.", Severity::warning);
  }
  if (x < f.min || x > f.max)
    return problem(f, "out_of_range", value,
                   std::string(f.label) + " must be from " + shown(f, f.min) + " to " +
                       shown(f, f.max) + ", not " + shown(f, x) + ".",
                   unit_hint(f));
  put(f, x, s);
  return {};
}

Problems set_flag(const Field& f, const Value& value, Scenario& s) {
  if (put(f, value, s)) return {};
  const std::string word = lower_case(text_of(value));
  for (const std::string_view yes : {"1", "true", "yes", "on"})
    if (word == yes) return put(f, true, s), Problems{};
  for (const std::string_view no : {"0", "false", "no", "off"})
    if (word == no) return put(f, false, s), Problems{};
  return problem(f, "wrong_type", value,
                 std::string(f.label) + " must be on or off, not " + quoted(text_of(value)) + ".",
                 "Give 1 or 0.");
}

Problems set_choice(const Field& f, const Value& value, Scenario& s) {
  const std::string word = lower_case(text_of(value));
  if (put(f, word, s)) return {};
  std::vector<std::string_view> ids;
  for (const Choice& c : f.choices) ids.push_back(c.id);
  std::string all;
  for (const std::string_view id : ids) all.append(all.empty() ? "" : ", ").append(id);
  return problem(
      f, "unknown_choice", value,
      std::string(f.label) + " must be one of the choices, not " + quoted(text_of(value)) + ".",
      "Choose one of " + all + ".");
}

Problems set_name(const Field& f, const Value& value, Scenario& s) {
  const std::string word = lower_case(text_of(value));
  std::vector<std::string_view> ids;
  if (const std::vector<Row>* rows = rows_of(f)) {
    for (const Row& row : *rows) ids.push_back(row.id);
  } else {
    ids.push_back("median");
    for (const PriceRow& row : catalog().prices)
      if (std::find(ids.begin(), ids.end(), row.provider) == ids.end()) ids.push_back(row.provider);
  }
  if (std::find(ids.begin(), ids.end(), word) != ids.end()) return put(f, word, s), Problems{};
  return problem(f, f.path == "model.id" ? "unknown_model" : "unknown_choice", value,
                 std::string(f.label) + " " + quoted(text_of(value)) + " is not in the catalog.",
                 "Did you mean " + suggestion(word, ids) + "?");
}

void append(Problems& to, Problems from) {
  for (Problem& p : from) to.push_back(std::move(p));
}

const Scenario& defaults() {
  static const Scenario filled = [] {
    Scenario s;
    fill_model(s);
    fill_gpu(s);
    fill_recipe(s);
    fill_stack(s);
    fill_price(s);
    return s;
  }();
  return filled;
}

}  // namespace

Problems set(const Field& f, const Value& value, Scenario& s) {
  switch (f.type) {
    case Type::number:
      return set_number(f, value, s);
    case Type::flag:
      return set_flag(f, value, s);
    case Type::choice:
      return set_choice(f, value, s);
    case Type::name:
      return set_name(f, value, s);
  }
  return {};
}

Problems apply(const Patch& patch, Scenario& s) {
  Problems problems;
  bool model = false, gpu = false, recipe = false, stack = false, price = false, snapshot = false;
  for (const auto& [path, value] : patch) {
    const Field* f = field_by_path(path);
    if (!f) {
      std::vector<std::string_view> paths;
      for (const Field& each : fields()) paths.push_back(each.path);
      problems.push_back({path, Severity::error, "unknown_field",
                          "There is no field called " + quoted(path) + ".",
                          "Did you mean " + suggestion(path, paths) + "?", text_of(value)});
      continue;
    }
    if (!(f->flags & kSelects)) continue;
    append(problems, set(*f, value, s));
    model = model || f->path == "model.id";
    gpu = gpu || f->path == "gpu.id";
    recipe = recipe || f->path == "states.recipe";
    stack = stack || f->path == "stack.id";
    price = price || f->group == "price";
    snapshot = snapshot || f->path == "catalog.snapshot";
  }
  // A framework brings its recipe, unless the patch names one.
  if (stack && !recipe) {
    choose_stack_recipe(s);
    recipe = true;
  }
  if (model || snapshot) fill_model(s);
  if (gpu || snapshot) fill_gpu(s);
  if (recipe || snapshot) fill_recipe(s);
  if (stack || snapshot) fill_stack(s);
  if (price || gpu || snapshot) fill_price(s);

  for (const auto& [path, value] : patch)
    if (const Field* f = field_by_path(path); f && !(f->flags & kSelects))
      append(problems, set(*f, value, s));
  if (s.model.kind == ModelKind::size_only && !given(s.model.params)) {
    s.model.kind = ModelKind::decoder;
    problems.push_back({"model.params", Severity::error, "missing",
                        "A model known by its size alone needs a number of parameters.",
                        "Give Parameters, like 70B, or choose another kind.", "auto"});
  }
  return problems;
}

Scenario scenario_of(const Patch& patch, Problems& problems) {
  Scenario s = defaults();
  append(problems, apply(patch, s));
  return s;
}

Patch diff(const Scenario& s) {
  Scenario base = defaults();
  Patch chosen;  // rows of the catalog
  const Field& stack = *field_by_path("stack.id");
  if (!same(stack, base, s)) {  // it brings a recipe, which then need not be named
    chosen.emplace_back(stack.path, get(stack, s));
    copy(stack, s, base);
    choose_stack_recipe(base);
  }
  for (const Field& f : fields())
    if ((f.flags & kSelects) && !same(f, base, s)) {
      chosen.emplace_back(f.path, get(f, s));
      copy(f, s, base);
    }
  if (!chosen.empty()) {
    fill_model(base);
    fill_gpu(base);
    fill_recipe(base);
    fill_stack(base);
    fill_price(base);
  }
  Patch patch;
  for (const Field& f : fields()) {
    if (f.flags & kSelects) {
      if (const Value* v = find(chosen, f.path)) patch.emplace_back(f.path, *v);
    } else if (!same(f, base, s)) {
      patch.emplace_back(f.path, get(f, s));
    }
  }
  return patch;
}

}  // namespace envelope
