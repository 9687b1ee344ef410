// SPDX-License-Identifier: MIT
#include "envelope/formats.h"

#include <array>
#include <cstddef>

namespace envelope {
namespace {

constexpr double kLog10Of2 = 0.30102999566398119521;

// std::ldexp is not constexpr before C++23.
constexpr double power_of_two(int n) {
  double x = 1;
  for (; n > 0; --n) x *= 2;
  for (; n < 0; ++n) x /= 2;
  return x;
}

/// What the codes with the highest exponent mean.
enum class Top {
  infinities_and_nans,  ///< IEEE 754: the whole top binade is special.
  one_nan,              ///< E4M3: only the all-ones code is NaN.
  finite,               ///< E2M1: every code is a number.
};

/// How one element is coded.
struct Element {
  int sign, exponent, mantissa;
  Top top = Top::infinities_and_nans;
};

/// Constants that a block of values shares, in bits: `scale` for every `size` values, and `outer`
/// for every `outer_size` blocks. A zero size is "no block".
struct Blocks {
  double scale = 0, size = 0, outer = 0, outer_size = 0;
};

constexpr double bits_with(double element, Blocks b) {
  double bits = element;
  if (b.size > 0) bits += b.scale / b.size;
  if (b.outer_size > 0) bits += b.outer / (b.size * b.outer_size);
  return bits;
}

struct About {
  Format format;
  std::string_view id, label;
  std::string_view note, source;
};

constexpr FormatInfo floating(About a, Element e, Blocks blocks = {}) {
  const int bias = static_cast<int>(power_of_two(e.exponent - 1)) - 1;
  const int top_code = static_cast<int>(power_of_two(e.exponent)) - 1;
  const int top = (e.top == Top::infinities_and_nans ? top_code - 1 : top_code) - bias;
  // Significand of the largest finite value: all ones, or one step less where all ones is NaN.
  const double largest = 2 - (e.top == Top::one_nan ? 2 : 1) * power_of_two(-e.mantissa);
  const double min_normal = power_of_two(1 - bias);
  return {.format = a.format,
          .id = a.id,
          .label = a.label,
          .storage = true,
          .bits = bits_with(e.sign + e.exponent + e.mantissa, blocks),
          .sign_bits = static_cast<double>(e.sign),
          .exponent_bits = static_cast<double>(e.exponent),
          .mantissa_bits = static_cast<double>(e.mantissa),
          .bias = static_cast<double>(bias),
          .max = largest * power_of_two(top),
          .min_normal = min_normal,
          .min_subnormal = min_normal * power_of_two(-e.mantissa),
          .epsilon = power_of_two(-e.mantissa),
          .digits = (e.mantissa + 1) * kLog10Of2,
          .infinity = e.top == Top::infinities_and_nans,
          .note = a.note,
          .source = a.source};
}

/// Two's complement with evenly spaced levels: an absolute step of 1, so no relative precision.
constexpr FormatInfo integer(About a, int bits, double overhead = 0, Blocks blocks = {}) {
  return {.format = a.format,
          .id = a.id,
          .label = a.label,
          .storage = true,
          .bits = bits_with(bits + overhead, blocks),
          .sign_bits = 1,
          .exponent_bits = 0,
          .mantissa_bits = static_cast<double>(bits - 1),
          .bias = kNone,
          .max = power_of_two(bits - 1) - 1,
          .min_normal = 1,
          .min_subnormal = kNone,
          .epsilon = kNone,
          .digits = (bits - 1) * kLog10Of2,
          .infinity = false,
          .note = a.note,
          .source = a.source};
}

/// A table of levels, scaled so that the largest is 1; in a codebook of several values at once the
/// bits of one are a fraction.
constexpr FormatInfo levels(About a, double bits, Blocks blocks) {
  return {.format = a.format,
          .id = a.id,
          .label = a.label,
          .storage = true,
          .bits = bits_with(bits, blocks),
          .sign_bits = 0,
          .exponent_bits = 0,
          .mantissa_bits = 0,
          .bias = kNone,
          .max = 1,
          .min_normal = kNone,
          .min_subnormal = kNone,
          .epsilon = kNone,
          .digits = kNone,
          .infinity = false,
          .note = a.note,
          .source = a.source};
}

constexpr FormatInfo nothing(About a) {
  FormatInfo row = levels(a, 0, {});
  row.max = kNone;
  return row;
}

constexpr FormatInfo compute_only(FormatInfo row, double bits_in_memory) {
  row.storage = false;
  row.bits = bits_in_memory;
  return row;
}

constexpr Element kFp32{1, 8, 23}, kTf32{1, 8, 10}, kFp16{1, 5, 10}, kBf16{1, 8, 7};
constexpr Element kE4M3{1, 4, 3, Top::one_nan}, kE5M2{1, 5, 2}, kE2M1{1, 2, 1, Top::finite};

// LLM.int8 keeps the few outlier features in 16 bits: at most 7 dimensions up to 13B parameters,
// about 0.1 % additional memory (section 3.2). An FP32 constant for each row is spread over 4096,
// the usual width of a 7B model; wider rows cost less.
constexpr double kLlmInt8Outliers = 8 * 0.001;

constexpr FormatInfo kRows[] = {
    floating({Format::fp32, "fp32", "FP32", "IEEE 754 binary32.", "ieee-754-2019"}, kFp32),
    floating(
        {Format::fp16, "fp16", "FP16",
         "IEEE 754 binary16. Small gradients vanish without loss scaling.", "micikevicius-2018"},
        kFp16),
    floating({Format::bf16, "bf16", "BF16", "The range of FP32 with 8 significant bits.",
              "kalamkar-2019"},
             kBf16),
    floating({Format::fp8_e4m3, "fp8-e4m3", "FP8 E4M3",
              "No infinities; one NaN code for each sign. One scale for a tensor is not counted.",
              "micikevicius-2022"},
             kE4M3),
    floating({Format::fp8_e5m2, "fp8-e5m2", "FP8 E5M2",
              "Follows IEEE 754. One scale for a tensor is not counted.", "micikevicius-2022"},
             kE5M2),
    integer({Format::int8, "int8", "INT8",
             "Evenly spaced levels. One scale for a tensor or a channel is not counted.",
             "dettmers-2022"},
            8),
    integer({Format::llm_int8, "llm-int8", "LLM.int8 (mixed)",
             "INT8, plus 0.1 % for outlier features in 16 bits and an FP32 constant for each row "
             "of 4096.",
             "dettmers-2022"},
            8, kLlmInt8Outliers, {.scale = 32, .size = 4096}),
    integer(
        {Format::int4, "int4", "INT4", "Bare 4-bit levels, scales not counted.", "frantar-2022"},
        4),
    integer({Format::int4_g128, "int4-g128", "INT4, groups of 128",
             "A 16-bit scale and a 4-bit zero point for each group of 128 (GPTQ and AWQ files).",
             "frantar-2022"},
            4, 0, {.scale = 16 + 4, .size = 128}),
    levels(
        {Format::nf4, "nf4", "NF4",
         "16 levels at normal quantiles, an FP32 maximum for each block of 64.", "dettmers-2023"},
        4, {.scale = 32, .size = 64}),
    levels({Format::nf4_dq, "nf4-dq", "NF4, double quantized",
            "The maximum of each block of 64 in 8 bits, an FP32 constant for 256 blocks.",
            "dettmers-2023"},
           4, {.scale = 8, .size = 64, .outer = 32, .outer_size = 256}),
    floating({Format::fp4, "fp4", "FP4 E2M1",
              "No infinities and no NaN. Bare elements, scales not counted.", "ocp-mx-2023"},
             kE2M1),
    floating({Format::mxfp4, "mxfp4", "MXFP4", "E2M1 with an 8-bit power-of-two scale for 32.",
              "ocp-mx-2023"},
             kE2M1, {.scale = 8, .size = 32}),
    floating({Format::nvfp4, "nvfp4", "NVFP4",
              "E2M1 with an FP8 E4M3 scale for 16. The FP32 scale for a tensor is not counted.",
              "nvidia-nvfp4-2025"},
             kE2M1, {.scale = 8, .size = 16}),
    integer({Format::q4_0, "q4-0", "GGUF Q4_0", "INT4 with an FP16 scale for 32.", "ggml"}, 4, 0,
            {.scale = 16, .size = 32}),
    integer({Format::q8_0, "q8-0", "GGUF Q8_0", "INT8 with an FP16 scale for 32.", "ggml"}, 8, 0,
            {.scale = 16, .size = 32}),
    floating({Format::fp8_block, "fp8-block", "FP8, blocks of 128 x 128",
              "E4M3 with an FP32 scale for each block of 128 by 128 weights.", "deepseek-v3-2024"},
             kE4M3, {.scale = 32, .size = 128 * 128}),
    integer({Format::int8_g128, "int8-g128", "INT8, groups of 128",
             "A 16-bit scale and an 8-bit zero point for each group of 128 (GPTQ files).",
             "frantar-2022"},
            8, 0, {.scale = 16 + 8, .size = 128}),
    integer({Format::int4_nog, "int4-nog", "INT4, one scale per row",
             "A 16-bit scale and a 4-bit zero point for each row, counted as 4096 long.",
             "frantar-2022"},
            4, 0, {.scale = 16 + 4, .size = 4096}),
    integer({Format::int4_g32, "int4-g32", "INT4, groups of 32",
             "A 16-bit scale and a 4-bit zero point for each group of 32.", "frantar-2022"},
            4, 0, {.scale = 16 + 4, .size = 32}),
    integer({Format::int4_g32_emb8, "int4-g32-emb8", "INT4, groups of 32; 8-bit embedding and head",
             "A 16-bit scale for each group of 32 in the layers; embedding and head in 8 bits.",
             "executorch"},
            4, 0, {.scale = 16, .size = 32}),
    levels({Format::exl2_2_5, "exl2-2-5", "EXL2, 2.5 bits",
            "Groups of 2 to 8 bits that average to this over the layers, scales included; the head "
            "in 6 bits, the embedding in 16.",
            "exllamav2"},
           2.5, {}),
    levels({Format::exl2_3, "exl2-3", "EXL2, 3 bits",
            "Groups of 2 to 8 bits that average to this over the layers, scales included; the head "
            "in 6 bits, the embedding in 16.",
            "exllamav2"},
           3, {}),
    levels({Format::exl2_4, "exl2-4", "EXL2, 4 bits",
            "Groups of 2 to 8 bits that average to this over the layers, scales included; the head "
            "in 6 bits, the embedding in 16.",
            "exllamav2"},
           4, {}),
    levels({Format::exl2_5, "exl2-5", "EXL2, 5 bits",
            "Groups of 2 to 8 bits that average to this over the layers, scales included; the head "
            "in 6 bits, the embedding in 16.",
            "exllamav2"},
           5, {}),
    integer({Format::q2_k, "q2-k", "GGUF Q2_K",
             "Blocks of 16 with a 4-bit scale and minimum, two FP16 constants for 256. Q3_K and "
             "more in value, output and down projections.",
             "ggml"},
            2, 0, {.scale = 8, .size = 16, .outer = 32, .outer_size = 16}),
    integer({Format::q2_k_s, "q2-k-s", "GGUF Q2_K_S",
             "Blocks of 16 with a 4-bit scale and minimum, two FP16 constants for 256. Q4_K in the "
             "first eighth of the down projections.",
             "ggml"},
            2, 0, {.scale = 8, .size = 16, .outer = 32, .outer_size = 16}),
    integer(
        {Format::q3_k_s, "q3-k-s", "GGUF Q3_K_S",
         "Blocks of 16 with a 6-bit scale, an FP16 constant for 256. The head in Q6_K.", "ggml"},
        3, 0, {.scale = 6, .size = 16, .outer = 16, .outer_size = 16}),
    integer({Format::q3_k_m, "q3-k-m", "GGUF Q3_K_M",
             "Blocks of 16 with a 6-bit scale, an FP16 constant for 256. Q4_K and Q5_K in value, "
             "output and down projections.",
             "ggml"},
            3, 0, {.scale = 6, .size = 16, .outer = 16, .outer_size = 16}),
    integer({Format::q3_k_l, "q3-k-l", "GGUF Q3_K_L",
             "Blocks of 16 with a 6-bit scale, an FP16 constant for 256. Q5_K in value, output and "
             "down projections.",
             "ggml"},
            3, 0, {.scale = 6, .size = 16, .outer = 16, .outer_size = 16}),
    integer({Format::q4_1, "q4-1", "GGUF Q4_1",
             "INT4 with an FP16 scale and minimum for 32. The head in Q6_K.", "ggml"},
            4, 0, {.scale = 32, .size = 32}),
    integer({Format::q4_k_s, "q4-k-s", "GGUF Q4_K_S",
             "Blocks of 32 with a 6-bit scale and minimum, two FP16 constants for 256. Q5_K in the "
             "first down and value projections.",
             "ggml"},
            4, 0, {.scale = 12, .size = 32, .outer = 32, .outer_size = 8}),
    integer({Format::q4_k_m, "q4-k-m", "GGUF Q4_K_M",
             "Blocks of 32 with a 6-bit scale and minimum, two FP16 constants for 256. Q6_K in "
             "half of the value and down projections.",
             "ggml"},
            4, 0, {.scale = 12, .size = 32, .outer = 32, .outer_size = 8}),
    integer({Format::q5_0, "q5-0", "GGUF Q5_0", "INT5 with an FP16 scale for 32. The head in Q6_K.",
             "ggml"},
            5, 0, {.scale = 16, .size = 32}),
    integer({Format::q5_1, "q5-1", "GGUF Q5_1",
             "INT5 with an FP16 scale and minimum for 32. The head in Q6_K.", "ggml"},
            5, 0, {.scale = 32, .size = 32}),
    integer({Format::q5_k_s, "q5-k-s", "GGUF Q5_K_S",
             "Blocks of 32 with a 6-bit scale and minimum, two FP16 constants for 256. The head in "
             "Q6_K.",
             "ggml"},
            5, 0, {.scale = 12, .size = 32, .outer = 32, .outer_size = 8}),
    integer({Format::q5_k_m, "q5-k-m", "GGUF Q5_K_M",
             "Blocks of 32 with a 6-bit scale and minimum, two FP16 constants for 256. Q6_K in "
             "half of the value and down projections.",
             "ggml"},
            5, 0, {.scale = 12, .size = 32, .outer = 32, .outer_size = 8}),
    integer({Format::q6_k, "q6-k", "GGUF Q6_K",
             "Blocks of 16 with an 8-bit scale, an FP16 constant for 256.", "ggml"},
            6, 0, {.scale = 8, .size = 16, .outer = 16, .outer_size = 16}),
    levels({Format::iq1_s, "iq1-s", "GGUF IQ1_S",
            "Codebook of 8 values in 11 bits, a 3-bit scale and a shift for 32, an FP16 constant "
            "for 256.",
            "ggml"},
           1.5, {.scale = 16, .size = 256}),
    levels({Format::iq1_m, "iq1-m", "GGUF IQ1_M",
            "Codebook of 8 values in 11 bits with a shift, a 3-bit scale for 16, FP16 constants in "
            "the spare bits.",
            "ggml"},
           1.5, {.scale = 4, .size = 16}),
    levels({Format::iq2_xxs, "iq2-xxs", "GGUF IQ2_XXS",
            "Codebook of 8 values with signs, a 4-bit scale for 32, an FP16 constant for 256.",
            "ggml"},
           2, {.scale = 16, .size = 256}),
    levels({Format::iq2_xs, "iq2-xs", "GGUF IQ2_XS",
            "Codebook of 8 values with signs, a 4-bit scale for 16, an FP16 constant for 256.",
            "ggml"},
           2, {.scale = 4, .size = 16, .outer = 16, .outer_size = 16}),
    levels({Format::iq2_s, "iq2-s", "GGUF IQ2_S",
            "IQ2_XS blocks, with IQ3_S in output and the first down projections.", "ggml"},
           2, {.scale = 4, .size = 16, .outer = 16, .outer_size = 16}),
    levels({Format::iq2_m, "iq2-m", "GGUF IQ2_M",
            "IQ2_S blocks (2.25 bits, a 4-bit scale for 16), with IQ3_S in output and the first "
            "down projections.",
            "ggml"},
           2.25, {.scale = 4, .size = 16, .outer = 16, .outer_size = 16}),
    levels({Format::iq3_xxs, "iq3-xxs", "GGUF IQ3_XXS",
            "Codebook of 4 values with signs, a 4-bit scale for 32, an FP16 constant for 256.",
            "ggml"},
           3, {.scale = 16, .size = 256}),
    levels({Format::iq3_xs, "iq3-xs", "GGUF IQ3_XS",
            "IQ3_S blocks, with IQ3_XXS in query, key and most gate and up projections.", "ggml"},
           3.25, {.scale = 4, .size = 32, .outer = 16, .outer_size = 8}),
    levels(
        {Format::iq3_s, "iq3-s", "GGUF IQ3_S",
         "Codebook of 4 values and signs, a 4-bit scale for 32, an FP16 constant for 256.", "ggml"},
        3.25, {.scale = 4, .size = 32, .outer = 16, .outer_size = 8}),
    levels({Format::iq3_m, "iq3-m", "GGUF IQ3_M",
            "IQ3_S blocks, with Q4_K in value, output and the first down projections.", "ggml"},
           3.25, {.scale = 4, .size = 32, .outer = 16, .outer_size = 8}),
    levels({Format::iq4_xs, "iq4-xs", "GGUF IQ4_XS",
            "16 uneven levels, a 6-bit scale for 32, an FP16 constant for 256.", "ggml"},
           4, {.scale = 6, .size = 32, .outer = 16, .outer_size = 8}),
    levels({Format::iq4_nl, "iq4-nl", "GGUF IQ4_NL", "16 uneven levels with an FP16 scale for 32.",
            "ggml"},
           4, {.scale = 16, .size = 32}),
    nothing({Format::none, "none", "None", "Not stored.", "envelope"}),

    compute_only(floating({Format::none, "tf32", "TF32",
                           "The range of FP32 with the mantissa of FP16. Tensor cores multiply in "
                           "these 19 bits; memory holds FP32.",
                           "nvidia-a100-2020"},
                          kTf32),
                 32),
};

constexpr bool rows_follow_the_enum() {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(Format::none); ++i)
    if (kRows[i].format != static_cast<Format>(i)) return false;
  return true;
}
static_assert(rows_follow_the_enum());

/// Apart from the rows: a module that lists no formats then has none of their texts.
constexpr auto kBytes = [] {
  std::array<double, std::size(kRows)> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = kRows[i].bits / 8;
  return bytes;
}();

}  // namespace

std::span<const FormatInfo> formats() { return kRows; }

double bytes_per_value(Format format) { return kBytes[static_cast<std::size_t>(format)]; }

}  // namespace envelope
