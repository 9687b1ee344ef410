// SPDX-License-Identifier: MIT
// Number formats: what a value costs to store, and how far and how finely it reaches.
// Facts are bit counts and block constants; every size and range is computed from them.
#pragma once

#include <span>
#include <string_view>

#include "envelope/math.h"
#include "envelope/scenario.h"

namespace envelope {

struct FormatInfo {
  Format format;  ///< `none` for a row that is not a storage format (TF32).
  std::string_view id, label;
  bool storage;  ///< False for TF32: tensor cores compute in it, memory holds FP32.
  double bits;   ///< Bits in memory for one value, with its share of the block constants.

  // One element, before the scale of its block. Integers and tables of levels have no exponent.
  double sign_bits, exponent_bits, mantissa_bits;
  double bias;
  // kNone where the idea does not apply.
  double max;            ///< Largest finite value.
  double min_normal;     ///< Smallest positive value at full precision.
  double min_subnormal;  ///< Smallest positive value.
  double epsilon;        ///< Gap between 1 and the next value: relative precision.
  double digits;         ///< Decimal digits that the significand carries.
  bool infinity;         ///< Has infinities; otherwise an overflow is NaN or sticks at `max`.

  std::string_view note;  ///< What is in `bits`, or what is special.
  std::string_view source;
};

/// Rows in the order of `Format`, then TF32.
std::span<const FormatInfo> formats();
/// Bytes in memory for one value, with its share of the block constants.
double bytes_per_value(Format format);

}  // namespace envelope
