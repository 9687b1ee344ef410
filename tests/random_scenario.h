// SPDX-License-Identifier: MIT
// Scenarios from anywhere in the field table, the same on every platform: an own generator, and
// numbers made of decimal digits, so that no math library takes part.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "envelope/catalog.h"
#include "envelope/patch.h"

namespace envelope_test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// 0 <= result < n. Knuth's MMIX generator; its high bits are the good ones.
  std::size_t below(std::size_t n) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>((state_ >> 33) % n);
  }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

/// Anything that the field takes: its ends, or three digits at any power of ten between.
inline double random_number(const envelope::Field& f, Random& random) {
  if (f.unit == "month") return f.min;
  if (random.one_in(12)) return f.min;
  if (random.one_in(12)) return f.max;
  int low = 0, high = 0;  // powers of ten that the range spans; small shares may be below one
  for (double x = f.max; x >= 10; x /= 10) ++high;
  for (double x = f.min > 0 ? f.min : f.flags & envelope::kWhole ? 1 : 1e-3; x < 1; x *= 10) --low;
  const auto digits = 100 + random.below(900);
  const int power = low + static_cast<int>(random.below(static_cast<std::size_t>(high - low + 1)));
  const std::string text = std::to_string(digits) + "e" + std::to_string(power - 2);
  double x = std::strtod(text.c_str(), nullptr);
  if (f.flags & envelope::kWhole) x = std::floor(x);
  return std::clamp(x, f.min, f.max);
}

inline envelope::Value random_value(const envelope::Field& f, Random& random) {
  using envelope::Type;
  switch (f.type) {
    case Type::flag:
      return random.one_in(2);
    case Type::choice:
      return std::string(f.choices[random.below(f.choices.size())].id);
    case Type::name: {
      if (const auto* rows = envelope::rows_of(f)) return (*rows)[random.below(rows->size())].id;
      const auto& prices = envelope::catalog().prices;
      return random.one_in(3) ? std::string("median")
                              : prices[random.below(prices.size())].provider;
    }
    case Type::number:
      break;
  }
  if ((f.flags & envelope::kOptional) && random.one_in(4)) return std::string("auto");
  return random_number(f, random);
}

/// A task, a model and an accelerator, then up to `most` fields at random.
inline envelope::Patch random_patch(Random& random, std::size_t most = 12) {
  envelope::Patch patch;
  const auto add = [&](const envelope::Field& f) {
    for (const auto& [path, value] : patch)
      if (path == f.path) return;
    patch.emplace_back(std::string(f.path), random_value(f, random));
  };
  for (const char* path : {"run.task", "model.id", "gpu.id"}) add(*envelope::field_by_path(path));
  const auto all = envelope::fields();
  for (std::size_t i = random.below(most + 1); i > 0; --i) add(all[random.below(all.size())]);
  return patch;
}

}  // namespace envelope_test
