// SPDX-License-Identifier: MIT
#include "envelope/json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/detail/conversions/to_chars.hpp>

#include "envelope/decimal.h"

namespace envelope {
namespace {

constexpr int kDeepest = 32;

/// Brackets outside strings, so that hostile nesting never reaches a recursive reader.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

/// The UTF-8 character that text begins with. What is none has the bytes that could have begun one.
struct Character {
  std::size_t length = 1;
  bool valid = false;
};
Character character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {1, true};
  if (first < 0xC2 || first > 0xF4) return {};
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  // Not longer than needed, no half of a surrogate pair, not beyond the last code point.
  unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80, high = 0xBF;
  }
  return {length, true};
}

/// Of a key that stands twice the first place and the last value count.
void drop_repeated(Json& object) {
  std::vector<std::size_t> order(object.keys.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int c = object.keys[a].compare(object.keys[b]);
    return c < 0 || (c == 0 && a < b);
  });
  std::vector<bool> repeated(order.size());
  bool any = false;
  for (std::size_t i = 0, first = 0; i < order.size(); ++i) {
    if (object.keys[order[i]] != object.keys[order[first]]) first = i;
    if (i == first) continue;
    object.items[order[first]] = std::move(object.items[order[i]]);
    any = repeated[order[i]] = true;
  }
  if (!any) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < repeated.size(); ++i) {
    if (repeated[i]) continue;
    if (kept != i) {
      object.keys[kept] = std::move(object.keys[i]);
      object.items[kept] = std::move(object.items[i]);
    }
    ++kept;
  }
  object.keys.resize(kept);
  object.items.resize(kept);
}

/// Reads RFC 8259 to the letter. Calls itself for what stands inside of what: see `too_deep`.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool document(Json& out) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);  // a byte order mark
    return value(out) && rest_.empty();
  }

 private:
  char front() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool skip(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void skip_space() {
    const std::size_t end = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(std::min(end, rest_.size()));
  }

  bool value(Json& out) {
    skip_space();
    const bool done = front() == '"' ? (out.kind = Json::Kind::text, string(out.text))
                      : front() == '{' || front() == '[' ? members(out)
                                                         : word(out) || number(out);
    skip_space();
    return done;
  }

  bool word(Json& out) {
    if (skip("null")) return true;
    const bool yes = skip("true");
    if (!yes && !skip("false")) return false;
    out.kind = Json::Kind::flag;
    out.flag = yes;
    return true;
  }

  bool members(Json& out) {
    const bool keyed = front() == '{';
    const std::string_view close = keyed ? "}" : "]";
    out.kind = keyed ? Json::Kind::object : Json::Kind::array;
    rest_.remove_prefix(1);
    skip_space();
    if (skip(close)) return true;
    do {
      if (keyed) {
        skip_space();
        if (!string(out.keys.emplace_back())) return false;
        skip_space();
        if (!skip(":")) return false;
      }
      if (!value(out.items.emplace_back())) return false;
    } while (skip(","));
    if (keyed) drop_repeated(out);
    return skip(close);
  }

  bool digits(std::string& to) {
    const std::size_t end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    to += rest_.substr(0, end);
    rest_.remove_prefix(end);
    return end > 0;
  }

  bool number(Json& out) {
    const bool negative = skip("-");
    const bool zero = front() == '0';
    std::string text;
    if (!digits(text) || (zero && text.size() > 1)) return false;
    long exponent = 0;
    bool whole = true;
    if (skip(".")) {
      whole = false;
      const std::size_t before = text.size();
      if (!digits(text)) return false;
      exponent = static_cast<long>(before) - static_cast<long>(text.size());
    }
    if (skip("e") || skip("E")) {
      whole = false;
      const bool down = skip("-");
      if (!down) skip("+");
      std::string power;
      if (!digits(power)) return false;
      long n = 0;
      for (const char c : power) n = std::min(10 * n + (c - '0'), 1000000L);
      exponent += down ? -n : n;
    }
    const double x = nearest_double(text, exponent);
    out.kind = Json::Kind::number;
    out.number = negative && !(whole && x == 0) ? -x : x;
    return std::isfinite(x);
  }

  bool unit(unsigned& out) {  // four hexadecimal digits
    if (rest_.size() < 4) return false;
    out = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = rest_[static_cast<std::size_t>(i)], low = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9')
        out = 16 * out + static_cast<unsigned>(c - '0');
      else if (low >= 'a' && low <= 'f')
        out = 16 * out + static_cast<unsigned>(low - 'a') + 10;
      else
        return false;
    }
    rest_.remove_prefix(4);
    return true;
  }

  bool escape(std::string& to) {
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    const char letter = front();
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    if (const std::size_t at = kLetters.find(letter); at != std::string_view::npos)
      return to += kMeant[at], true;
    unsigned point = 0, low = 0;
    if (letter != 'u' || !unit(point) || (point >= 0xDC00 && point < 0xE000)) return false;
    if (point >= 0xD800 && point < 0xDC00) {  // the first half of a pair
      if (!skip("\\u") || !unit(low) || low < 0xDC00 || low >= 0xE000) return false;
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    const int more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    constexpr unsigned kFirst[] = {0, 0xC0, 0xE0, 0xF0};
    to += static_cast<char>(kFirst[more] | (point >> 6 * more));
    for (int i = more; i-- > 0;) to += static_cast<char>(0x80 | ((point >> 6 * i) & 0x3F));
    return true;
  }

  bool string(std::string& to) {
    if (!skip("\"")) return false;
    while (!skip("\"")) {
      if (rest_.empty()) return false;
      if (skip("\\")) {
        if (!escape(to)) return false;
        continue;
      }
      std::size_t end = 0;  // of what stands for itself
      while (end < rest_.size() && rest_[end] >= ' ' && rest_[end] <= '~' && rest_[end] != '"' &&
             rest_[end] != '\\')
        ++end;
      if (end == 0) {
        const Character next = character(rest_);
        if (!next.valid || static_cast<unsigned char>(rest_.front()) < ' ') return false;
        end = next.length;
      }
      to += rest_.substr(0, end);
      rest_.remove_prefix(end);
    }
    return true;
  }

  std::string_view rest_;
};

bool read(std::string_view text, Json& out) {
  Json json;
  if (!Reader(text).document(json)) return false;
  out = std::move(json);
  return true;
}

/// Words that JSON does not know (1e400, NaN, 15.6T) become text, so that the field they stand at
/// can say what is wrong with them and the rest of the document is kept.
std::string quote_strange_words(std::string_view text) {
  const auto wordy = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '+' || c == '-' || c == '_' || c == '%' || c == '^' || c == '$';
  };
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    if (text[i] == '"') {
      for (++end; end < text.size() && text[end] != '"'; ++end)
        if (text[end] == '\\') ++end;
      end = std::min(end + 1, text.size());
      out += text.substr(i, end - i);
    } else if (wordy(text[i])) {
      while (end < text.size() && wordy(text[end])) ++end;
      const std::string word(text.substr(i, end - i));
      if (Json ignored; read(word, ignored))
        out += word;
      else
        out.append("\"").append(word).append("\"");
    } else {
      out += text[end++];
    }
    i = end;
  }
  return out;
}

void flatten(const Json& in, const std::string& prefix, Patch& patch, Problems& problems) {
  for (std::size_t i = 0; i < in.keys.size(); ++i) {
    const Json& item = in.items[i];
    const std::string path = prefix.empty() ? in.keys[i] : prefix + "." + in.keys[i];
    switch (item.kind) {
      case Json::Kind::object:
        flatten(item, path, patch, problems);
        break;
      case Json::Kind::number:
        patch.emplace_back(path, item.number);
        break;
      case Json::Kind::flag:
        patch.emplace_back(path, item.flag);
        break;
      case Json::Kind::text:
        patch.emplace_back(path, item.text);
        break;
      case Json::Kind::null:
        patch.emplace_back(path, std::string("auto"));
        break;
      case Json::Kind::array:
        problems.push_back({path, Severity::error, "wrong_type",
                            "A list cannot be the value of one field.",
                            "Give a number, a word, or true or false.", "[...]"});
    }
  }
}

}  // namespace

const Json* Json::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (keys[i] == key) return &items[i];
  return nullptr;
}

std::string_view Json::text_at(std::string_view key, std::string_view otherwise) const {
  const Json* j = find(key);
  return j && j->kind == Kind::text ? std::string_view(j->text) : otherwise;
}

double Json::number_at(std::string_view key) const {
  const Json* j = find(key);
  return j && j->kind == Kind::number ? j->number : std::numeric_limits<double>::quiet_NaN();
}

bool parse_json(std::string_view text, Json& out, Problems& problems, std::size_t longest) {
  if (text.size() > longest) {
    problems.push_back({"", Severity::error, "too_long",
                        "The input is " + std::to_string(text.size()) + " bytes long; at most " +
                            std::to_string(longest) + " are read.",
                        "Send only the fields that differ from the defaults.",
                        std::string(text.substr(0, 80))});
    return false;
  }
  if (!too_deep(text) && (read(text, out) || read(quote_strange_words(text), out))) return true;
  problems.push_back({"", Severity::error, "not_json", "The input is not JSON that can be read.",
                      "Check quotes, commas and brackets; numbers must be finite.",
                      std::string(text.substr(0, 80))});
  return false;
}

Patch patch_of(const Json& object, Problems& problems) {
  Patch patch;
  flatten(object, "", patch, problems);
  return patch;
}

JsonWriter& JsonWriter::open(char bracket) {
  comma();
  out_ += bracket;
  closers_ += bracket == '{' ? '}' : ']';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end() {
  out_ += closers_.back();
  closers_.pop_back();
  first_ = false;
  return *this;
}

void JsonWriter::comma() {
  if (!keyed_ && !first_) out_ += ',';
  first_ = keyed_ = false;
}

JsonWriter& JsonWriter::key(std::string_view k) {
  value(k);
  out_ += ':';
  keyed_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(double x) {
  comma();
  if (!std::isfinite(x)) {
    out_ += "null";
    return *this;
  }
  char buffer[64];
  const char* end = nlohmann::detail::to_chars(buffer, buffer + sizeof buffer, x);
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  if (text.size() > 2 && text.substr(text.size() - 2) == ".0") text.remove_suffix(2);
  out_ += text;
  return *this;
}

JsonWriter& JsonWriter::value(bool x) {
  comma();
  out_ += x ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  comma();
  out_ += '"';
  for (std::size_t i = 0; i < text.size();) {
    const Character next = character(text.substr(i));
    const char c = text[i];
    if (!next.valid) {
      out_ += "\xEF\xBF\xBD";  // what is no UTF-8 is replaced
    } else if (c == '"' || c == '\\') {
      (out_ += '\\') += c;
    } else if (static_cast<unsigned char>(c) < ' ') {
      constexpr std::string_view kShort = "\b\t\n\f\r", kLetters = "btnfr";
      const std::size_t at = kShort.find(c);
      constexpr char kHex[] = "0123456789abcdef";
      if (at != std::string_view::npos)
        (out_ += '\\') += kLetters[at];
      else
        ((out_ += "\\u00") += kHex[c / 16]) += kHex[c % 16];
    } else {
      out_ += text.substr(i, next.length);
    }
    i += next.length;
  }
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::value(const Value& v) {
  if (const double* x = std::get_if<double>(&v)) return value(*x);
  if (const bool* b = std::get_if<bool>(&v)) return value(*b);
  return value(*std::get_if<std::string>(&v));
}

JsonWriter& JsonWriter::value(const Patch& patch) {
  object();
  for (const auto& [path, v] : patch) member(path, v);
  return end();
}

}  // namespace envelope
