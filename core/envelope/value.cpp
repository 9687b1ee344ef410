// SPDX-License-Identifier: MIT
// Over 400 lines because the grammar of numbers and its tables of suffixes belong together.
#include "envelope/value.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <optional>

#include "envelope/decimal.h"

namespace envelope {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_capital(std::string_view s) { return !s.empty() && s[0] >= 'A' && s[0] <= 'Z'; }

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

/// Digits times a power of ten, correctly rounded: a suffix moves the exponent instead of
/// multiplying, so 15.6T is the double nearest to 15.6e12.
std::optional<double> decimal(std::string_view digits, long exponent) {
  const double x = nearest_double(digits, exponent);
  const bool vanished = x == 0 && digits.find_first_not_of('0') != std::string_view::npos;
  if (!std::isfinite(x) || vanished) return {};
  return x;
}

/// What people paste, in ASCII: 3.8 × 10²⁵ becomes 3.8 * 10^25.
std::string plain(std::string_view text) {
  static constexpr struct {
    std::string_view from, to;
  } kSigns[] = {
      {"**", "^"},      {"\u00d7", "*"},  {"\u00b7", "*"},  {"\u22c5", "*"},  {"\u2212", "-"},
      {"\u00a0", " "},  {"\u202f", " "},  {"\u2009", " "},  {"\t", " "},      {"\n", " "},
      {"\r", " "},      {"\u00b9", "^1"}, {"\u00b2", "^2"}, {"\u00b3", "^3"}, {"\u2070", "^0"},
      {"\u2074", "^4"}, {"\u2075", "^5"}, {"\u2076", "^6"}, {"\u2077", "^7"}, {"\u2078", "^8"},
      {"\u2079", "^9"}, {"\u207b", "^-"},
  };
  std::string out;
  bool raised = false;  // inside a run of superscripts, which is one exponent
  while (!text.empty()) {
    std::string_view from = text.substr(0, 1), to = from;
    for (const auto& sign : kSigns)
      if (text.starts_with(sign.from)) {
        from = sign.from;
        to = sign.to;
        break;
      }
    const bool raises = to.size() == 2 && to[0] == '^';
    out += raises && raised ? to.substr(1) : to;
    raised = raises;
    text.remove_prefix(from.size());
  }
  return out;
}

/// The front of a text that is read from left to right.
struct Cursor {
  std::string_view rest;
  char at(std::size_t i = 0) const { return i < rest.size() ? rest[i] : '\0'; }
  bool skip(char c) {
    if (at() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  void skip_spaces() {
    while (skip(' ')) {
    }
  }
  bool digits(std::string& to) {
    const std::size_t before = to.size();
    for (; is_digit(at()); rest.remove_prefix(1)) to += at();
    return to.size() > before;
  }
  /// A whole number with its sign. Absurd exponents stop at a million, which overflows anyway.
  std::optional<long> integer() {
    const bool negative = skip('-');
    if (!negative) skip('+');
    std::string text;
    if (!digits(text)) return {};
    long n = 0;
    for (const char c : text)
      if (n < 1000000) n = n * 10 + (c - '0');
    return negative ? -n : n;
  }
};

struct Decimal {
  std::string digits;  ///< Without a point.
  long exponent = 0;
};

/// `1,000,000`: three digits behind each separator, and no group of nothing but zero in front,
/// since `0,500` is somebody's 0.5.
void take_groups(Cursor& at, std::string& digits) {
  if (digits.size() > 3 || digits.front() == '0') return;
  const char separator = at.at();
  if (separator != ',' && separator != ' ') return;
  while (at.at() == separator && is_digit(at.at(1)) && is_digit(at.at(2)) && is_digit(at.at(3)) &&
         !is_digit(at.at(4))) {
    digits += at.rest.substr(1, 3);
    at.rest.remove_prefix(4);
  }
}

bool take_decimal(Cursor& at, Decimal& out) {
  if (at.digits(out.digits)) {
    take_groups(at, out.digits);
    while (at.at() == '_' && is_digit(at.at(1))) {
      at.rest.remove_prefix(1);
      at.digits(out.digits);
    }
  }
  const std::size_t whole = out.digits.size();
  if (at.skip('.')) at.digits(out.digits);
  if (out.digits.empty()) return false;
  out.exponent = -static_cast<long>(out.digits.size() - whole);
  Cursor ahead = at;
  if (ahead.skip('e') || ahead.skip('E'))
    if (const auto exponent = ahead.integer()) {  // else the E of EFLOP
      out.exponent += *exponent;
      at = ahead;
    }
  return true;
}

double whole_power(double base, long exponent) {
  double result = 1;
  for (long n = std::labs(exponent); n > 0; n /= 2, base *= base)
    if (n % 2) result *= base;
  return exponent < 0 ? 1 / result : result;
}

struct Suffix {
  int exponent = 0;   ///< Power of ten.
  double factor = 1;  ///< The rest: exact powers of two and whole seconds.
};

bool strip(std::string& s, std::initializer_list<std::string_view> tails) {
  for (const std::string_view tail : tails)
    if (std::string_view(s).ends_with(tail)) {
      s.resize(s.size() - tail.size());
      return true;
    }
  return false;
}

enum : unsigned { kBillion = 1, kBinary = 2, kLarge = 4 };  // B; Ki Mi Gi; E Z Y

bool take_scale(const std::string& s, unsigned allowed, Suffix& out) {
  static constexpr struct {
    std::string_view text;
    int exponent;
    unsigned needs;
  } kScales[] = {
      {"", 0, 0},         {"k", 3, 0},         {"m", 6, 0},           {"g", 9, 0},
      {"t", 12, 0},       {"p", 15, 0},        {"e", 18, kLarge},     {"z", 21, kLarge},
      {"y", 24, kLarge},  {"b", 9, kBillion},  {"bn", 9, kBillion},   {"tn", 12, kBillion},
      {"thousand", 3, 0}, {"million", 6, 0},   {"billion", 9, 0},     {"trillion", 12, 0},
      {"peta", 15, 0},    {"exa", 18, kLarge}, {"zetta", 21, kLarge}, {"yotta", 24, kLarge}};
  static constexpr std::string_view kPowersOf1024[] = {"ki", "mi", "gi", "ti", "pi"};
  for (const auto& scale : kScales)
    if (s == scale.text && (scale.needs & allowed) == scale.needs) {
      out.exponent += scale.exponent;
      return true;
    }
  if (allowed & kBinary) {
    double factor = 1;
    for (const std::string_view power : kPowersOf1024) {
      factor *= 1024;
      if (s == power) {
        out.factor *= factor;
        return true;
      }
    }
  }
  return false;
}

/// A month is a twelfth of a year and a year 8,760 h, as clouds bill them.
bool take_time(std::string s, bool capital, Suffix& out) {
  static constexpr struct {
    std::string_view text;
    double seconds;
  } kTimes[] = {{"s", 1},           {"sec", 1},         {"second", 1},
                {"seconds", 1},     {"min", 60},        {"minute", 60},
                {"minutes", 60},    {"h", 3600},        {"hr", 3600},
                {"hrs", 3600},      {"hour", 3600},     {"hours", 3600},
                {"d", 86400},       {"day", 86400},     {"days", 86400},
                {"w", 604800},      {"week", 604800},   {"weeks", 604800},
                {"mo", 2628000},    {"month", 2628000}, {"months", 2628000},
                {"y", 31536000},    {"yr", 31536000},   {"year", 31536000},
                {"years", 31536000}};
  for (const auto& time : kTimes) {
    std::string head = s;
    if (!strip(head, {time.text})) continue;
    strip(head, {"gpu", "gpus"});
    // 30.84M GPU hours; only a capital (or k), for `mh` and `5th` are not numbers.
    if (!head.empty() && !capital && head != "k" && head.size() < 3) continue;
    if (!take_scale(head, 0, out)) continue;
    out.factor *= time.seconds;
    return true;
  }
  return false;
}

/// `GB`, `gb` and `G` are bytes. A `b` behind a capital prefix is a bit (400 Gb/s) and only rates
/// are given in bits; `gb/s` could be either, so it is neither.
bool take_bytes(std::string s, std::string_view typed, bool rate, Suffix& out) {
  if (rate) strip(s, {"/sec", "/s", "ps"});
  if (strip(s, {"bits", "bit"})) {
    out.factor /= 8;
    return rate && take_scale(s, 0, out);
  }
  if (!strip(s, {"bytes", "byte"}) && strip(s, {"b"}) && typed[s.size()] == 'b') {
    const bool capital = is_capital(typed);
    if (capital != rate) return false;
    if (rate) out.factor /= 8;
  }
  return take_scale(s, kBinary, out);
}

/// What stands behind the digits. `unit` decides: B is a billion of tokens and one byte.
bool take_suffix(std::string_view text, std::string_view unit, Suffix& out) {
  std::string typed;  // GPU-hours, PF days
  for (const char c : text)
    if (c != ' ' && c != '-') typed += c;
  std::string s = lower_case(typed);
  const bool capital = is_capital(typed);
  if (s == "e") return false;  // the start of an exponent
  if (unit == "count") return take_scale(s, kBillion | kBinary, out);
  if (unit == "token") {
    strip(s, {"tokens", "token", "tok"});
    return take_scale(s, kBillion | kBinary, out);
  }
  if (unit == "byte" || unit == "byte/s") return take_bytes(s, typed, unit == "byte/s", out);
  if (unit == "flop") {  // also a rate held for a time: PF-days, PFLOP/s-day
    if (strip(s, {"days", "day", "d"})) {
      out.factor = 86400;
      return strip(s, {"flop/s", "flops", "flop", "f"}) && take_scale(s, kLarge, out);
    }
    if (!strip(s, {"flops", "flop"})) strip(s, {"f"});
    return take_scale(s, kLarge, out);
  }
  if (unit == "flop/s") {
    strip(s, {"flops/s", "flop/s", "f/s", "op/s", "/s", "flops", "flop", "ops", "f"});
    return take_scale(s, kLarge, out);
  }
  if (unit == "second") return s.empty() || take_time(s, capital, out);
  if (unit == "usd") {
    strip(s, {"$", "usd", "dollars"});
    return take_scale(s, kBillion, out);
  }
  if (unit == "usd/hour") {
    if (strip(s, {"/h", "/hr", "/hour", "/gpuh", "/gpuhr", "/gpuhour", "perhour", "pergpuhour"}))
      strip(s, {"/gpu"});
    strip(s, {"$", "usd"});
    return s.empty();
  }
  if (unit == "ratio") {
    if (strip(s, {"%", "percent"})) out.exponent = -2;
    return s.empty();
  }
  if (unit == "watt" || unit == "watt-hour") {
    strip(s, unit == "watt"
                 ? std::initializer_list<std::string_view>{"watts", "watt", "w"}
                 : std::initializer_list<std::string_view>{"watthours", "watthour", "wh"});
    return (s != "m" || capital) && take_scale(s, 0, out);  // mW is a milliwatt
  }
  if (unit == "bit") strip(s, {"bits", "bit"});
  return s.empty();
}

/// `8x64`, `2^14`, `3.8 * 10^25 FLOP`. Powers of ten only move the exponent, so these are exact
/// too.
std::optional<double> product_of(std::string_view text, std::string_view unit) {
  double product = 1;
  Decimal last{"1", 0};  // the factor not multiplied in yet
  long tens = 0;
  Suffix suffix;
  bool suffixed = false;
  if (text.starts_with("0x") || text.starts_with("0X")) return {};  // hexadecimal, not nought times
  while (true) {
    std::size_t end = 0;  // of this factor
    for (; end < text.size() && text[end] != '*'; ++end) {
      if (text[end] != 'x' && text[end] != 'X') continue;
      const std::string_view after = trim(text.substr(end + 1));
      if (!after.empty() && (is_digit(after[0]) || after[0] == '.')) break;
    }
    Cursor at{trim(text.substr(0, end))};
    Decimal factor;
    if (!take_decimal(at, factor)) return {};
    at.skip_spaces();
    if (at.skip('^')) {
      const auto exponent = at.integer();
      if (!exponent) return {};
      if (factor.digits == "10" && factor.exponent == 0) {
        tens += *exponent;
      } else {
        const auto base = decimal(factor.digits, factor.exponent);
        if (!base) return {};
        product *= whole_power(*base, *exponent);
      }
    } else {
      const auto before = decimal(last.digits, last.exponent);
      if (!before) return {};
      product *= *before;
      last = factor;
    }
    if (const std::string_view rest = trim(at.rest); !rest.empty()) {
      if (suffixed && unit != "count" && unit != "token") return {};  // 2 GB x 3 GB
      if (!take_suffix(rest, unit, suffix)) return {};
      suffixed = true;
    }
    if (end >= text.size()) break;
    text.remove_prefix(end + 1);
  }
  const auto exact = decimal(last.digits, last.exponent + tens + suffix.exponent);
  if (!exact) return {};
  const double x = product * *exact * suffix.factor;
  if (!std::isfinite(x)) return {};
  return x;
}

/// `97 d 4 h`. Every part has its unit: `4h30` could be minutes or seconds.
std::optional<double> duration_of(std::string_view text) {
  double sum = 0;
  std::size_t start = 0;
  for (std::size_t i = 1; i <= text.size(); ++i) {
    const std::string_view before = trim(text.substr(start, i - start));
    const bool starts_part =
        i < text.size() && is_digit(text[i]) && !before.empty() &&
        std::string_view("sndhrywko").find(before.back()) != std::string_view::npos;
    if (i < text.size() && !starts_part) continue;
    const auto part = product_of(before, "second");
    if (!part || (start > 0 && is_digit(before.back()))) return {};
    sum += *part;
    start = i;
  }
  return sum;
}

/// `2026-11` or 202611, as the number YYYYMM.
std::optional<double> month_of(std::string_view text) {
  std::string digits(text);
  if (digits.size() == 7 && digits[4] == '-') digits.erase(4, 1);
  if (digits.size() != 6 || digits.find_first_not_of("0123456789") != std::string::npos) return {};
  const int month = (digits[4] - '0') * 10 + (digits[5] - '0');
  if (month < 1 || month > 12) return {};
  return decimal(digits, 0);
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

const Value* find(const Patch& patch, std::string_view path) {
  for (auto it = patch.rbegin(); it != patch.rend(); ++it)
    if (it->first == path) return &it->second;
  return nullptr;
}

bool parse_number(std::string_view text, std::string_view unit, double& out) {
  const std::string ascii = plain(text);
  std::string_view s = trim(ascii);
  if (unit == "month") {
    const auto month = month_of(s);
    if (month) out = *month;
    return month.has_value();
  }
  Cursor at{s};
  const bool negative = at.skip('-');
  if (!negative) at.skip('+');
  if (unit == "usd" || unit == "usd/hour") at.skip('$');
  s = trim(at.rest);
  const auto x = unit == "second" ? duration_of(s) : product_of(s, unit);
  if (!x) return false;
  out = *x == 0 ? 0 : negative ? -*x : *x;
  return true;
}

std::string quoted(std::string_view s) {
  constexpr std::size_t kShown = 60;
  if (s.size() <= kShown) return '"' + std::string(s) + '"';
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(s[end]) & 0xc0) == 0x80) --end;
  return '"' + std::string(s.substr(0, end)) + "…\"";
}

std::string text_of(const Value& value) {
  if (const double* x = std::get_if<double>(&value)) return number_text(*x);
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return std::get<std::string>(value);
}

std::string number_text(double x) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x < 0 ? "-inf" : "inf";
  if (std::fabs(x) < 1e6 && x == std::trunc(x)) return std::to_string(static_cast<long>(x));
  // The fewest digits that read back, of those that rounding to so many places gives: a link
  // written by the page and by the command line is the same. Up to 15 digits survive the way
  // through a normal double, so zeros behind a shorter text are cut.
  std::string digits;
  long exponent = 0;
  const bool is_normal = std::fabs(x) >= std::numeric_limits<double>::min();
  for (int count = is_normal ? 15 : 1; count <= 17; ++count) {
    const Digits first = first_digits(std::fabs(x), count);
    digits = first.text;
    exponent = first.exponent;
    if (nearest_double(digits, exponent - count + 1) == std::fabs(x)) break;
  }
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();

  const bool is_plain = exponent >= -3 && exponent < 6;
  const long shown = is_plain ? 0 : exponent - ((exponent % 3) + 3) % 3;  // a multiple of three
  const long point = exponent - shown + 1;                                // digits before the point
  std::string out = x < 0 ? "-" : "";
  if (point <= 0) {
    out += "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  } else {
    const auto before = static_cast<std::size_t>(point);
    if (digits.size() < before) digits.resize(before, '0');
    out += digits.substr(0, before);
    if (digits.size() > before) out += '.' + digits.substr(before);
  }
  if (shown != 0) out += 'e' + std::to_string(shown);
  return out;
}

}  // namespace envelope
