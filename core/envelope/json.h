// SPDX-License-Identifier: MIT
// Reading and writing JSON. The JSON library only finds the digits of the doubles that are written.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "envelope/problem.h"
#include "envelope/value.h"

namespace envelope {

/// A parsed document.
struct Json {
  enum class Kind : unsigned char { null, flag, number, text, array, object };
  Kind kind = Kind::null;
  bool flag = false;
  double number = 0;
  std::string text;
  std::vector<Json> items;        ///< Of an array, or the values of an object.
  std::vector<std::string> keys;  ///< Of an object, one for each item.

  const Json* find(std::string_view key) const;
  /// Text of a member, or `otherwise`.
  std::string_view text_at(std::string_view key, std::string_view otherwise = {}) const;
  /// Number of a member, or NaN.
  double number_at(std::string_view key) const;
};

/// Input longer than this is refused before it is parsed.
inline constexpr std::size_t kLongestInput = 65536;

/// False, with a problem, when `text` is not JSON, too long, or nested too deeply.
bool parse_json(std::string_view text, Json& out, Problems& problems,
                std::size_t longest = kLongestInput);

/// An object as a patch. Nested objects become dotted paths; arrays and null become problems.
Patch patch_of(const Json& object, Problems& problems);

/// Writes one document, front to back. NaN is written as null.
class JsonWriter {
 public:
  JsonWriter& object() { return open('{'); }
  JsonWriter& array() { return open('['); }
  JsonWriter& end();
  JsonWriter& key(std::string_view k);
  JsonWriter& value(double x);
  JsonWriter& value(bool x);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(const Value& v);
  JsonWriter& value(const Patch& patch);
  template <class T>
  JsonWriter& member(std::string_view k, const T& v) {
    return key(k).value(v);
  }
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  void comma();

  std::string out_, closers_;
  bool first_ = true, keyed_ = false;
};

}  // namespace envelope
