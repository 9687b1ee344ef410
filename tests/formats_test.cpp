// SPDX-License-Identifier: MIT
// Number formats against the numbers that the standards and papers print.
#include "envelope/formats.h"

#include <cmath>
#include <limits>
#include <set>

#include "catch.h"
#include "envelope/fields.h"
#include "envelope/sources.h"

using namespace envelope;

namespace {

const FormatInfo& row(std::string_view id) {
  for (const FormatInfo& f : formats())
    if (f.id == id) return f;
  FAIL("no format " << id);
  return formats()[0];
}

// Every value of a small float, decoded from its code by the definition.
double decode(unsigned code, const FormatInfo& f) {
  const int mantissa_bits = static_cast<int>(f.mantissa_bits);
  const unsigned mantissa = code & ((1u << mantissa_bits) - 1);
  const int exponent = static_cast<int>(code >> mantissa_bits);
  const double fraction = std::ldexp(mantissa, -mantissa_bits);
  const int bias = static_cast<int>(f.bias);
  return exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
}

}  // namespace

TEST_CASE("formats: rows stand in the order of the enum and match the field's choices") {
  const Field* field = field_by_path("serve.weights");
  REQUIRE(field);
  REQUIRE(formats().size() == field->choices.size() + 1);  // and TF32
  for (std::size_t i = 0; i < field->choices.size(); ++i) {
    CHECK(formats()[i].format == static_cast<Format>(i));
    CHECK(formats()[i].id == field->choices[i].id);
    CHECK(formats()[i].label == field->choices[i].label);
    CHECK(formats()[i].storage);
    CHECK(bytes_per_value(static_cast<Format>(i)) == formats()[i].bits / 8);
  }
  std::set<std::string_view> ids;
  for (const FormatInfo& f : formats()) {
    INFO(f.id);
    CHECK(ids.insert(f.id).second);
    CHECK(source(f.source));
    CHECK_FALSE(f.note.empty());
  }
}

TEST_CASE("formats: bytes of a value") {
  CHECK(bytes_per_value(Format::fp32) == 4);
  CHECK(bytes_per_value(Format::fp16) == 2);
  CHECK(bytes_per_value(Format::bf16) == 2);
  CHECK(bytes_per_value(Format::fp8_e4m3) == 1);
  CHECK(bytes_per_value(Format::fp8_e5m2) == 1);
  CHECK(bytes_per_value(Format::int8) == 1);
  CHECK(bytes_per_value(Format::int4) == 0.5);
  CHECK(bytes_per_value(Format::fp4) == 0.5);
  CHECK(bytes_per_value(Format::none) == 0);
}

TEST_CASE("formats: block constants count") {
  // QLoRA, section 3: blocks of 64 cost 0.5 bit with FP32 constants, 0.127 bit double quantized.
  CHECK(row("nf4").bits - 4 == 0.5);
  CHECK(row("nf4-dq").bits - 4 == Approx(0.127).margin(0.0005));
  CHECK(row("int4-g128").bits == 4.15625);
  // OCP MX: 32 elements and one E8M0 scale are 17 bytes.
  CHECK(row("mxfp4").bits == 17 * 8 / 32.0);
  CHECK(row("nvfp4").bits == 4.5);
  // ggml: a block of 32 is 18 bytes in Q4_0 and 34 bytes in Q8_0.
  CHECK(row("q4-0").bits == 18 * 8 / 32.0);
  CHECK(row("q8-0").bits == 34 * 8 / 32.0);
  // ggml: bytes of a block of 32, and of a super-block of 256, as its static_asserts have them.
  const struct {
    const char* id;
    double bytes, values;
  } blocks[] = {{"q4-1", 20, 32},     {"q5-0", 22, 32},     {"q5-1", 24, 32},
                {"iq4-nl", 18, 32},   {"q2-k", 84, 256},    {"q3-k-s", 110, 256},
                {"q4-k-s", 144, 256}, {"q5-k-s", 176, 256}, {"q6-k", 210, 256},
                {"iq1-s", 50, 256},   {"iq1-m", 56, 256},   {"iq2-xxs", 66, 256},
                {"iq2-xs", 74, 256},  {"iq2-m", 82, 256},   {"iq3-xxs", 98, 256},
                {"iq3-s", 110, 256},  {"iq4-xs", 136, 256}};
  for (const auto& b : blocks) {
    INFO(b.id);
    CHECK(row(b.id).bits == b.bytes * 8 / b.values);
  }
  // GPTQ: a group of 32 or 128 has a 16-bit scale and a zero point as wide as an element.
  CHECK(row("int4-g32").bits == 4 + 20 / 32.0);
  CHECK(row("int8-g128").bits == 8 + 24 / 128.0);
  CHECK(row("exl2-2-5").bits == 2.5);
  CHECK(row("fp8-block").bits == 8 + 32 / 16384.0);
  CHECK(row("fp8-block").max == 448);
  // LLM.int8, section 3.2: outliers add about 0.1 %; the row constants add as much again.
  CHECK(row("llm-int8").bits / 8 == Approx(1.002).margin(0.0005));
}

TEST_CASE("formats: FP32 is the float of this machine") {
  using Float = std::numeric_limits<float>;
  const FormatInfo& f = row("fp32");
  CHECK(f.max == static_cast<double>(Float::max()));
  CHECK(f.min_normal == static_cast<double>(Float::min()));
  CHECK(f.min_subnormal == static_cast<double>(Float::denorm_min()));
  CHECK(f.epsilon == static_cast<double>(Float::epsilon()));
  CHECK(f.bias == 127);
  CHECK(f.digits == Approx(7.22).margin(0.005));
}

TEST_CASE("formats: 16-bit ranges as published") {
  const FormatInfo& half = row("fp16");
  CHECK(half.max == 65504);
  CHECK(half.min_normal == Approx(6.10352e-5).epsilon(1e-5));
  CHECK(half.min_subnormal == Approx(5.96046e-8).epsilon(1e-5));
  CHECK(half.epsilon == 0.0009765625);
  CHECK(half.bias == 15);

  const FormatInfo& brain = row("bf16");
  CHECK(brain.max == Approx(3.38953e38).epsilon(1e-5));
  CHECK(brain.min_normal == Approx(1.17549e-38).epsilon(1e-5));
  CHECK(brain.epsilon == 0.0078125);
  CHECK(brain.digits == Approx(2.41).margin(0.005));

  const FormatInfo& tensor = row("tf32");
  CHECK_FALSE(tensor.storage);
  CHECK(tensor.bits == 32);
  CHECK(tensor.sign_bits + tensor.exponent_bits + tensor.mantissa_bits == 19);
  CHECK(tensor.max == Approx(3.40116e38).epsilon(1e-5));
  CHECK(tensor.min_normal == brain.min_normal);
  CHECK(tensor.epsilon == half.epsilon);
}

TEST_CASE("formats: 8-bit and 4-bit floats as published") {
  // Micikevicius et al. 2022, table 1.
  const FormatInfo& e4m3 = row("fp8-e4m3");
  CHECK(e4m3.max == 448);
  CHECK(e4m3.min_normal == std::ldexp(1, -6));
  CHECK(e4m3.min_subnormal == std::ldexp(1, -9));
  CHECK(e4m3.bias == 7);
  CHECK_FALSE(e4m3.infinity);
  const FormatInfo& e5m2 = row("fp8-e5m2");
  CHECK(e5m2.max == 57344);
  CHECK(e5m2.min_normal == std::ldexp(1, -14));
  CHECK(e5m2.min_subnormal == std::ldexp(1, -16));
  CHECK(e5m2.bias == 15);
  CHECK(e5m2.infinity);
  // OCP MX, section 5.3.3: 0, 0.5, 1, 1.5, 2, 3, 4, 6.
  for (const char* id : {"fp4", "mxfp4", "nvfp4"}) {
    CHECK(row(id).max == 6);
    CHECK(row(id).min_normal == 1);
    CHECK(row(id).min_subnormal == 0.5);
    CHECK(row(id).epsilon == 0.5);
    CHECK(row(id).bias == 1);
  }
}

TEST_CASE("formats: the computed ranges are those of the codes, decoded one by one") {
  struct Case {
    const char* id;
    unsigned last;  // The code of the largest finite value.
  };
  for (const Case c : {Case{"fp8-e4m3", 0b1111110}, Case{"fp8-e5m2", 0b1111011}, Case{"fp4", 0b111},
                       Case{"fp16", 0b11110'1111111111}}) {
    const FormatInfo& f = row(c.id);
    INFO(c.id);
    CHECK(decode(c.last, f) == f.max);
    CHECK(decode(1, f) == f.min_subnormal);
    CHECK(decode(1u << static_cast<unsigned>(f.mantissa_bits), f) == f.min_normal);
    for (unsigned code = 1; code < c.last; ++code) REQUIRE(decode(code, f) < decode(code + 1, f));
    const auto one = static_cast<unsigned>(std::ldexp(f.bias, static_cast<int>(f.mantissa_bits)));
    CHECK(decode(one, f) == 1);
    CHECK(decode(one + 1, f) - 1 == f.epsilon);
  }
}

TEST_CASE("formats: integers") {
  CHECK(row("int8").max == 127);
  CHECK(row("q8-0").max == 127);
  CHECK(row("int4").max == 7);
  CHECK(std::isnan(row("int8").epsilon));
  CHECK(row("nf4").max == 1);
  CHECK(std::isnan(row("nf4").epsilon));
}

TEST_CASE("sources: keys are slugs, once each, with a title") {
  std::set<std::string_view> keys;
  for (const Source& s : kSources) {
    INFO(s.key);
    CHECK(keys.insert(s.key).second);
    CHECK(source(s.key) == &s);
    CHECK(s.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == s.key.npos);
    CHECK_FALSE(s.author.empty());
    CHECK_FALSE(s.title.empty());
    CHECK((s.year == 0 || (s.year >= 1950 && s.year <= 2026)));
    CHECK((s.url.empty() || s.url.substr(0, 8) == "https://"));
  }
  CHECK(source("no-such-source") == nullptr);
}

TEST_CASE("sources: an arXiv number agrees with the year") {
  for (const Source& s : kSources) {
    constexpr std::string_view prefix = "https://arxiv.org/abs/";
    if (s.url.substr(0, prefix.size()) != prefix) continue;
    INFO(s.key);
    const std::string_view id = s.url.substr(prefix.size());
    REQUIRE(id.size() >= 9);
    CHECK(id[4] == '.');
    CHECK(2000 + (id[0] - '0') * 10 + (id[1] - '0') == s.year);
  }
}
