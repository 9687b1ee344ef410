// SPDX-License-Identifier: MIT
#include "envelope/decimal.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace envelope {
namespace {

/// A whole number of any size, as little of it as the long divisions below need.
class Whole {
 public:
  explicit Whole(std::uint64_t x) {
    for (; x > 0; x >>= 32) limbs_.push_back(static_cast<std::uint32_t>(x));
  }

  void times(std::uint32_t factor, std::uint32_t plus = 0) {
    std::uint64_t carry = plus;
    for (std::uint32_t& limb : limbs_) {
      carry += static_cast<std::uint64_t>(limb) * factor;
      limb = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    if (carry > 0) limbs_.push_back(static_cast<std::uint32_t>(carry));
  }
  void times_ten_to(long exponent) {
    for (; exponent >= 9; exponent -= 9) times(1000000000);
    for (; exponent > 0; --exponent) times(10);
  }
  void shift(long bits) {
    if (limbs_.empty()) return;
    if (bits % 32 > 0) times(std::uint32_t{1} << bits % 32);
    limbs_.insert(limbs_.begin(), static_cast<std::size_t>(bits / 32), 0);
  }

  long bits() const {
    return static_cast<long>(32 * limbs_.size()) -
           (limbs_.empty() ? 0 : std::countl_zero(limbs_.back()));
  }
  /// Negative, zero or positive as this is less than, equal to or more than the other.
  int compared(const Whole& other) const {
    if (limbs_.size() != other.limbs_.size()) return limbs_.size() < other.limbs_.size() ? -1 : 1;
    for (std::size_t i = limbs_.size(); i-- > 0;)
      if (limbs_[i] != other.limbs_[i]) return limbs_[i] < other.limbs_[i] ? -1 : 1;
    return 0;
  }
  /// Takes the other away if that leaves no less than nothing.
  bool take(const Whole& other) {
    if (compared(other) < 0) return false;
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < limbs_.size(); ++i) {
      const std::uint64_t less = (i < other.limbs_.size() ? other.limbs_[i] : 0) + borrow;
      borrow = limbs_[i] < less;
      limbs_[i] -= static_cast<std::uint32_t>(less);
    }
    while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
    return true;
  }
  bool zero() const { return limbs_.empty(); }

 private:
  std::vector<std::uint32_t> limbs_;  // the least first, the last not zero
};

constexpr int kMantissa = std::numeric_limits<double>::digits;                  // bits
constexpr long kLeast = std::numeric_limits<double>::min_exponent - kMantissa;  // 2^-1074
constexpr long kLeastTen = -323;  // below ten to this nothing rounds up to it
constexpr double kTens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                            1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

}  // namespace

double nearest_double(std::string_view digits, long exponent) {
  while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
  for (; !digits.empty() && digits.back() == '0'; ++exponent) digits.remove_suffix(1);
  if (digits.empty()) return 0;
  const long point = exponent + static_cast<long>(digits.size());
  if (point > std::numeric_limits<double>::max_exponent10 + 1)
    return std::numeric_limits<double>::infinity();
  if (point < kLeastTen) return 0;

  // Whole numbers and powers of ten that are doubles: one operation rounds once.
  if (digits.size() <= 15 && exponent >= -22 && exponent <= 22) {
    double x = 0;
    for (const char c : digits) x = 10 * x + (c - '0');
    return exponent < 0 ? x / kTens[-exponent] : x * kTens[exponent];
  }

  // No double and no middle of two has so many digits, so of the others it counts that there are
  // some.
  constexpr std::size_t kMost = 800;
  Whole above(0), below(1);
  for (const char c : digits.substr(0, kMost)) above.times(10, static_cast<std::uint32_t>(c - '0'));
  if (digits.size() > kMost) {
    above.times(10, 1);
    exponent += static_cast<long>(digits.size() - kMost) - 1;
  }
  (exponent < 0 ? below : above).times_ten_to(exponent < 0 ? -exponent : exponent);

  // Long division of two numbers of as many bits: 54 bits or more, and one that tells of a rest.
  const long scale = below.bits() - above.bits();
  (scale > 0 ? above : below).shift(scale > 0 ? scale : -scale);
  constexpr int kPlaces = kMantissa + 1;
  std::uint64_t quotient = 0;
  for (int i = 0; i <= kPlaces; ++i) {
    quotient = 2 * quotient + above.take(below);
    above.shift(1);
  }
  quotient = 2 * quotient + !above.zero();
  const long unit = -scale - kPlaces - 1;  // the power of two that the last bit stands for

  const int bits = 64 - std::countl_zero(quotient);
  const long spare = bits - kMantissa > kLeast - unit ? bits - kMantissa : kLeast - unit;
  const std::uint64_t half = std::uint64_t{1} << (spare - 1), rest = quotient & (2 * half - 1);
  std::uint64_t kept = quotient >> spare;
  if (rest > half || (rest == half && kept % 2 == 1)) ++kept;
  return std::ldexp(static_cast<double>(kept), static_cast<int>(unit + spare));
}

Digits first_digits(double x, int count) {
  int exponent = 0;
  const double mantissa = std::ldexp(std::frexp(x, &exponent), kMantissa);
  exponent -= kMantissa;
  Whole above(static_cast<std::uint64_t>(mantissa)), below(1);
  (exponent < 0 ? below : above).shift(exponent < 0 ? -exponent : exponent);

  Digits out;
  for (Whole ten = below; ten.times(10), above.compared(ten) >= 0; ++out.exponent) below.times(10);
  for (; above.compared(below) < 0; --out.exponent) above.times(10);
  for (int i = 0; i < count; ++i) {
    char digit = '0';
    while (above.take(below)) ++digit;
    out.text += digit;
    if (i + 1 < count) above.times(10);
  }
  above.times(2);
  const int rest = above.compared(below);
  if (rest < 0 || (rest == 0 && out.text.back() % 2 == 0)) return out;
  std::size_t i = out.text.size();
  while (i > 0 && out.text[i - 1] == '9') out.text[--i] = '0';
  if (i > 0) {
    ++out.text[i - 1];
  } else {
    out.text[0] = '1';
    ++out.exponent;
  }
  return out;
}

}  // namespace envelope
