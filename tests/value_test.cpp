// SPDX-License-Identifier: MIT
// Numbers as people write them, and as links and messages do.
#include "envelope/value.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "catch.h"
#include "envelope/decimal.h"

using namespace envelope;

namespace {

struct Reading {
  const char* text;
  const char* unit;
  double value;
};

std::string bits(double x) {
  std::uint64_t b;
  std::memcpy(&b, &x, sizeof b);
  return std::to_string(b);
}

/// Knuth's MMIX generator: the same numbers natively and in WASM.
struct Random {
  std::uint64_t state = 1;
  std::uint64_t next() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state ^ (state >> 29);
  }
};

}  // namespace

TEST_CASE("a number is read as people write it in the field of its unit") {
  const std::vector<Reading> kReadings = {
      // plain decimals, groups and exponents
      {"0", "count", 0},
      {" 42 ", "count", 42},
      {"007", "count", 7},
      {".5", "ratio", 0.5},
      {"5.", "count", 5},
      {"-3", "count", -3},
      {"+3", "count", 3},
      {"-0", "count", 0},
      {"3.8e25", "flop", 3.8e25},
      {"1e+12", "token", 1e12},
      {"1E-3", "ratio", 1e-3},
      {"1_000", "count", 1000},
      {"1_048_576", "count", 1048576},
      {"1,000,000", "count", 1e6},
      {"1 000 000", "count", 1e6},
      {"1\u202f000\u202f000", "count", 1e6},
      {"12,345.5", "usd", 12345.5},
      // decimal suffixes of counts, tokens and FLOP
      {"8B", "count", 8e9},
      {"8b", "count", 8e9},
      {"8 bn", "count", 8e9},
      {"8 billion", "count", 8e9},
      {"15.6T", "token", 15.6e12},
      {"15.6 trillion tokens", "token", 15.6e12},
      {"1.5tn", "token", 1.5e12},
      {"128k", "token", 128e3},
      {"128K", "token", 128e3},
      {"128Ki", "token", 131072},
      {"16M", "count", 16e6},
      {"0.1T", "token", 1e11},
      {"1.1P", "flop", 1.1e15},
      {"3.5G", "flop", 3.5e9},
      // products and powers
      {"8x64", "count", 512},
      {"8X64", "count", 512},
      {"8*64", "count", 512},
      {"8 \u00d7 64", "count", 512},
      {"2x8x16", "count", 256},
      {"8x64k", "token", 512e3},
      {"2k x 4k", "token", 8e6},
      {"2^14", "count", 16384},
      {"2**14", "count", 16384},
      {"2\u00b9\u2074", "count", 16384},
      {"3x2^10", "count", 3072},
      {"10^25", "flop", 1e25},
      {"10\u00b2\u2075", "flop", 1e25},
      {"3.8 \u00d7 10\u00b2\u2075", "flop", 3.8e25},
      {"3.8x10^25 FLOP", "flop", 3.8e25},
      {"10^25 x 3.8", "flop", 3.8e25},
      {"10\u207b\u00b3", "ratio", 1e-3},
      {"2^-2", "ratio", 0.25},
      // bytes: SI letters are decimal, binary letters are binary
      {"80GB", "byte", 80e9},
      {"80 gb", "byte", 80e9},
      {"80G", "byte", 80e9},
      {"80GiB", "byte", 80.0 * (1 << 30)},
      {"80 gib", "byte", 80.0 * (1 << 30)},
      {"512MB", "byte", 512e6},
      {"1.5TB", "byte", 1.5e12},
      {"1TiB", "byte", 1099511627776.0},
      {"640 KiB", "byte", 655360},
      {"100 bytes", "byte", 100},
      {"8x80GB", "byte", 640e9},
      {"80GB x 8", "byte", 640e9},
      {"3.35TB/s", "byte/s", 3.35e12},
      {"900GB/s", "byte/s", 900e9},
      {"900 GBps", "byte/s", 900e9},
      {"900G", "byte/s", 900e9},
      {"400Gb/s", "byte/s", 50e9},
      {"400Gbps", "byte/s", 50e9},
      {"400 Gbit/s", "byte/s", 50e9},
      {"16 GiB/s", "byte/s", 16.0 * (1 << 30)},
      // operations
      {"989 TFLOP/s", "flop/s", 989e12},
      {"989TFLOPS", "flop/s", 989e12},
      {"989 TFLOPs", "flop/s", 989e12},
      {"989.4 tflops/s", "flop/s", 989.4e12},
      {"1.979 PFLOP/s", "flop/s", 1.979e15},
      {"1979 TOPS", "flop/s", 1979e12},
      {"989T", "flop/s", 989e12},
      {"20PF", "flop/s", 20e15},
      {"1 zFLOP", "flop", 1e21},
      {"720 zettaFLOP", "flop", 720e21},
      {"38 YFLOP", "flop", 38e24},
      {"5EFLOP", "flop", 5e18},
      {"1 PF-day", "flop", 8.64e19},
      {"3640 PF-days", "flop", 3640 * 8.64e19},
      {"2 PFLOP/s-days", "flop", 2 * 8.64e19},
      {"1 petaflop/s-day", "flop", 8.64e19},
      // times: a year has 8,760 h and twelve equal months
      {"90", "second", 90},
      {"90s", "second", 90},
      {"5 min", "second", 300},
      {"1022362h", "second", 1022362.0 * 3600},
      {"30d", "second", 30 * 86400},
      {"30 days", "second", 30 * 86400},
      {"1.5h", "second", 5400},
      {"2w", "second", 14 * 86400},
      {"3mo", "second", 3 * 730 * 3600},
      {"1y", "second", 8760.0 * 3600},
      {"30.84M GPU hours", "second", 30.84e6 * 3600},
      {"30.84M GPU-hours", "second", 30.84e6 * 3600},
      {"2.788Mh", "second", 2.788e6 * 3600},
      {"97 d 4 h", "second", 97 * 86400 + 4 * 3600},
      {"1h30min", "second", 5400},
      {"1 week 2 days", "second", 9 * 86400},
      {"16x30d", "second", 16 * 30 * 86400},
      // shares, money, power
      {"40%", "ratio", 0.4},
      {"38.5 %", "ratio", 0.385},
      {"0.4", "ratio", 0.4},
      {"$2.50/h", "usd/hour", 2.5},
      {"$2.50", "usd/hour", 2.5},
      {"2.50/hr", "usd/hour", 2.5},
      {"2.5 USD/hour", "usd/hour", 2.5},
      {"$2 per GPU-hour", "usd/hour", 2},
      {"$2/GPU/h", "usd/hour", 2},
      {"$5.576M", "usd", 5.576e6},
      {"$ 39,900", "usd", 39900},
      {"100 million dollars", "usd", 1e8},
      {"700W", "watt", 700},
      {"1.2 kW", "watt", 1200},
      {"150MW", "watt", 150e6},
      {"30 GWh", "watt-hour", 30e9},
      {"500 kWh", "watt-hour", 500e3},
      {"2026-11", "month", 202611},
      {"202611", "month", 202611},
      {" 2027-01 ", "month", 202701},
  };
  for (const Reading& reading : kReadings) {
    INFO(reading.text << " as " << reading.unit);
    double x = -1;
    REQUIRE(parse_number(reading.text, reading.unit, x));
    CHECK(bits(x) == bits(reading.value));  // exactly, not nearly
  }
}

TEST_CASE("what could be two numbers or none is refused, and the old value stays") {
  const std::vector<std::pair<const char*, const char*>> kRefused = {
      {"", "count"},
      {" ", "count"},
      {"abc", "count"},
      {"nan", "count"},
      {"inf", "count"},
      {"-inf", "ratio"},
      {"infinity", "count"},
      {"NaN", "second"},
      {"1e400", "flop"},
      {"1e-400", "ratio"},
      {"-1e400", "count"},
      {"10^400", "flop"},
      {"9^999999999", "flop"},
      {"1e200x1e200", "flop"},
      {"1e99999999999999999999", "flop"},
      {"0x10", "count"},
      {"0X1p3", "count"},
      {"1.2.3", "count"},
      {"1e5.5", "count"},
      {"1..2", "count"},
      {".", "count"},
      {"-", "count"},
      {"--1", "count"},
      {"e5", "count"},
      {"5e", "flop"},
      {"1,5", "ratio"},
      {"0,500", "ratio"},
      {"1,0000", "count"},
      {"1000,000", "count"},
      {"1,00", "count"},
      {"1__000", "count"},
      {"_1", "count"},
      {"1_", "count"},
      {"8x", "count"},
      {"x8", "count"},
      {"8xx8", "count"},
      {"8*", "count"},
      {"2^", "count"},
      {"2^0.5", "count"},
      {"2^3^4", "count"},
      {"8 64", "count"},
      {"8/64", "ratio"},
      {"40%", "count"},
      {"80GB", "count"},
      {"80GB", "token"},
      {"80Gb", "byte"},
      {"80Gbit", "byte"},
      {"900gb/s", "byte/s"},
      {"2GB x 3GB", "byte"},
      {"30m", "second"},
      {"30mh", "second"},
      {"5th", "second"},
      {"4h30", "second"},
      {"4h 30", "second"},
      {"30 parsecs", "second"},
      {"$2.50/day", "usd/hour"},
      {"2.50\u20ac", "usd"},
      {"$5", "count"},
      {"700mW", "watt"},
      {"2026-13", "month"},
      {"2026-00", "month"},
      {"2026", "month"},
      {"2026-11-05", "month"},
      {"1e3", "month"},
      {"8\0", "count"},
      {"8\x80", "count"},
      {"\xff", "count"},
      {"8\u00d7", "count"},
      {"\u00b2", "count"},
      {"5E", "token"},
      {"8B", "bit"},
      {"1k", "ratio"},
  };
  for (const auto& [text, unit] : kRefused) {
    INFO(text << " as " << unit);
    double x = 7;
    // The NUL in the table ends a C string, so it is put back here.
    const std::string typed = std::string(text) == "8" ? std::string("8\0", 2) : text;
    CHECK_FALSE(parse_number(typed, unit, x));
    CHECK(x == 7);
  }
}

TEST_CASE("a suffix moves the exponent, so it gives the double nearest to the decimal") {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    const std::string digits =
        std::to_string(random.next() % 1000) + '.' + std::to_string(random.next() % 100000);
    for (const auto& [suffix, exponent] :
         {std::pair("k", "e3"), {"M", "e6"}, {"B", "e9"}, {"T", "e12"}, {"P", "e15"}}) {
      double with_suffix = 0, with_exponent = 1;
      REQUIRE(parse_number(digits + suffix, "token", with_suffix));
      REQUIRE(parse_number(digits + exponent, "token", with_exponent));
      INFO(digits << suffix);
      CHECK(bits(with_suffix) == bits(with_exponent));
    }
  }
}

TEST_CASE("number text is the shortest, with engineering exponents outside 1e-3 to 1e6") {
  const std::vector<std::pair<double, const char*>> kTexts = {
      {0, "0"},
      {-0.0, "0"},
      {1, "1"},
      {-5, "-5"},
      {16384, "16384"},
      {999999, "999999"},
      {1e6, "1e6"},
      {1234567, "1.234567e6"},
      {10e6, "10e6"},
      {100e6, "100e6"},
      {405e9, "405e9"},
      {15.6e12, "15.6e12"},
      {2147483648, "2.147483648e9"},
      {85899345920, "85.89934592e9"},
      {3.8e25, "38e24"},
      {0.4, "0.4"},
      {0.001, "0.001"},
      {0.0012345, "0.0012345"},
      {0.0009, "900e-6"},
      {1e-9, "1e-9"},
      {-1.5e-7, "-150e-9"},
      {0.1 + 0.2, "0.30000000000000004"},
      {2.5, "2.5"},
      {123456.5, "123456.5"},
      {999999.5, "999999.5"},
      {1e5 + 1e-10, "100000.0000000001"},
      {5.6843418860808015e-14, "56.843418860808015e-15"},  // 2^-44, a shorter text is a neighbour's
      {std::numeric_limits<double>::max(), "179.76931348623157e306"},
      {std::numeric_limits<double>::min(), "22.250738585072014e-309"},
      {std::numeric_limits<double>::denorm_min(), "5e-324"},
      {std::numeric_limits<double>::quiet_NaN(), "nan"},
      {std::numeric_limits<double>::infinity(), "inf"},
      {-std::numeric_limits<double>::infinity(), "-inf"},
  };
  for (const auto& [x, text] : kTexts) CHECK(number_text(x) == text);
}

TEST_CASE("every double survives its text, which has no plus and no trailing zeros") {
  Random random;
  std::uint64_t sum = 14695981039346656037u;  // FNV-1a of all texts
  for (int i = 0; i < 100000; ++i) {
    double x;
    const std::uint64_t word = random.next();
    if (i % 3 == 0) {
      std::memcpy(&x, &word, sizeof x);  // any bit pattern
    } else if (i % 3 == 1) {
      x = static_cast<double>(word % 1000000000) / 1000;  // as people write them
    } else {
      x = std::ldexp(static_cast<double>(word >> 11), static_cast<int>(random.next() % 120) - 80);
    }
    if (!std::isfinite(x)) continue;
    const std::string text = number_text(x);
    double back = 0;
    const std::string mantissa = text.substr(0, text.find('e'));
    const bool survives = parse_number(text, "count", back) && bits(back) == bits(x == 0 ? 0 : x);
    const bool is_short = mantissa.find('.') == std::string::npos || mantissa.back() != '0';
    if (!survives || !is_short || text.find('+') != std::string::npos) FAIL(text);
    for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
  // The texts themselves, so that a link written by the page and by the command line is the same.
  CHECK(sum == 3516289089507027139u);
}

TEST_CASE("digits become the double that the C library gives, at halves and at both ends too") {
  Random random;
  const auto agree = [](const std::string& digits, long exponent) {
    const std::string text = digits + 'e' + std::to_string(exponent);
    if (bits(nearest_double(digits, exponent)) != bits(std::strtod(text.c_str(), nullptr)))
      FAIL_CHECK(text);
  };
  for (int i = 0; i < 20000; ++i) {
    std::string digits;
    for (std::uint64_t n = 1 + random.next() % (i % 5 == 0 ? 60 : 20); n > 0; --n)
      digits += static_cast<char>('0' + random.next() % 10);
    agree(digits, static_cast<long>(random.next() % 700) - 360);
    agree(digits, static_cast<long>(random.next() % 60) - 30);
  }
  // Between two neighbours, exactly and a little beside it: all digits count, however many.
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t whole = (std::uint64_t{1} << 53) + 2 * (random.next() >> 12) + 1;
    std::string half = std::to_string(whole);
    agree(half, 0);
    half += std::string(900, '0');
    agree(half, -900);
    half.back() = '1';
    agree(half, -900);
    agree(std::to_string(whole - 1) + std::string(900, '9'), -900);
  }
  for (const char* edge : {"17976931348623157", "17976931348623158", "17976931348623159"})
    agree(edge, 292);
  for (const char* edge : {"49406564584124654", "24703282292062327", "24703282292062328", "1"})
    agree(edge, -340);
  agree("0", 400);
  agree("1", 1000000);
  agree("1", -1000000);
}

TEST_CASE("the first digits of a double are those that printf gives") {
  Random random;
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t word = random.next() >> 1;
    double x;
    std::memcpy(&x, &word, sizeof x);
    if (i % 2 == 0) x = static_cast<double>(word % 1000000) / 64;  // exact halves among them
    if (!std::isfinite(x) || x == 0) continue;
    const int count = 1 + static_cast<int>(random.next() % 17);
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*e", count - 1, x);
    std::string expected(buffer);
    const std::size_t e = expected.find('e');
    const int exponent = std::stoi(expected.substr(e + 1));
    expected.resize(e);
    std::erase(expected, '.');
    const Digits digits = first_digits(x, count);
    if (digits.text != expected || digits.exponent != exponent) FAIL_CHECK(buffer);
  }
}

TEST_CASE("the text of a value is what a person would type") {
  CHECK(text_of(15.6e12) == "15.6e12");
  CHECK(text_of(true) == "true");
  CHECK(text_of(false) == "false");
  CHECK(text_of(std::string("auto")) == "auto");
}

TEST_CASE("in a patch with a path twice the later value counts") {
  const Patch patch = {{"cluster.gpus", 8.0}, {"model.layers", 80.0}, {"cluster.gpus", 16.0}};
  REQUIRE(find(patch, "cluster.gpus"));
  CHECK(std::get<double>(*find(patch, "cluster.gpus")) == 16);
  CHECK(find(patch, "gpu.id") == nullptr);
}
