// SPDX-License-Identifier: MIT
// Quantities with a dimension. A wrong factor in a formula does not compile.
//
// Counts (parameters, GPUs, layers) and ratios are plain doubles; bytes, FLOP, seconds, dollars and
// tokens are not. The way in is explicit, `Bytes{2 * n}`; the way out is `.value`, which is easy to
// see.
#pragma once

#include <compare>
#include <type_traits>

namespace envelope {

struct Dim {
  int byte = 0, flop = 0, second = 0, dollar = 0, token = 0;
  bool operator==(const Dim&) const = default;
};
constexpr Dim operator+(Dim a, Dim b) {
  return {a.byte + b.byte, a.flop + b.flop, a.second + b.second, a.dollar + b.dollar,
          a.token + b.token};
}
constexpr Dim operator-(Dim a) { return {-a.byte, -a.flop, -a.second, -a.dollar, -a.token}; }

template <Dim D>
struct Quantity {
  double value = 0;
  constexpr Quantity() = default;
  constexpr explicit Quantity(double v) : value(v) {}
  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity& operator+=(Quantity o) { return value += o.value, *this; }
};

/// A dimensionless result is a plain double.
template <Dim D>
using Of = std::conditional_t<D == Dim{}, double, Quantity<D>>;

// The return types are `auto` because g++ 12 cannot mangle Of<A + B> in a signature.
template <Dim D>
constexpr auto operator+(Quantity<D> a, Quantity<D> b) {
  return Quantity<D>{a.value + b.value};
}
template <Dim D>
constexpr auto operator-(Quantity<D> a, Quantity<D> b) {
  return Quantity<D>{a.value - b.value};
}
template <Dim D>
constexpr auto operator*(double k, Quantity<D> a) {
  return Quantity<D>{k * a.value};
}
template <Dim D>
constexpr auto operator*(Quantity<D> a, double k) {
  return Quantity<D>{a.value * k};
}
template <Dim D>
constexpr auto operator/(Quantity<D> a, double k) {
  return Quantity<D>{a.value / k};
}
template <Dim A, Dim B>
constexpr auto operator*(Quantity<A> a, Quantity<B> b) {
  return Of<A + B>{a.value * b.value};
}
template <Dim A, Dim B>
constexpr auto operator/(Quantity<A> a, Quantity<B> b) {
  return Of<A + (-B)>{a.value / b.value};
}

using Bytes = Quantity<Dim{.byte = 1}>;
using Flops = Quantity<Dim{.flop = 1}>;
using Seconds = Quantity<Dim{.second = 1}>;
using Dollars = Quantity<Dim{.dollar = 1}>;
using Tokens = Quantity<Dim{.token = 1}>;
using FlopsPerToken = Quantity<Dim{.flop = 1, .token = -1}>;
using BytesPerToken = Quantity<Dim{.byte = 1, .token = -1}>;
using FlopsPerSecond = Quantity<Dim{.flop = 1, .second = -1}>;
using BytesPerSecond = Quantity<Dim{.byte = 1, .second = -1}>;
using TokensPerSecond = Quantity<Dim{.second = -1, .token = 1}>;

inline constexpr Seconds kHour{3600};
inline constexpr Seconds kDay{86400};

/// The number inside, whatever the dimension.
constexpr double raw(double x) { return x; }
template <Dim D>
constexpr double raw(Quantity<D> q) {
  return q.value;
}

}  // namespace envelope
