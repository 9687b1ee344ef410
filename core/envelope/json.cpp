// SPDX-License-Identifier: MIT
#include "envelope/json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

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
      if (nlohmann::ordered_json::accept(word))
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

Json convert(const nlohmann::ordered_json& in) {
  Json out;
  if (in.is_boolean()) {
    out.kind = Json::Kind::flag;
    out.flag = *in.get_ptr<const bool*>();
  } else if (in.is_number()) {
    out.kind = Json::Kind::number;
    out.number = in.get<double>();
  } else if (in.is_string()) {
    out.kind = Json::Kind::text;
    out.text = *in.get_ptr<const std::string*>();
  } else if (in.is_array()) {
    out.kind = Json::Kind::array;
    out.items.reserve(in.size());
    for (const auto& item : in) out.items.push_back(convert(item));
  } else if (in.is_object()) {
    out.kind = Json::Kind::object;
    for (const auto& [key, item] : in.items()) {
      out.keys.push_back(key);
      out.items.push_back(convert(item));
    }
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
  auto parsed = too_deep(text) ? nlohmann::ordered_json(nlohmann::ordered_json::value_t::discarded)
                               : nlohmann::ordered_json::parse(text, nullptr, false);
  if (parsed.is_discarded() && !too_deep(text))
    parsed = nlohmann::ordered_json::parse(quote_strange_words(text), nullptr, false);
  if (parsed.is_discarded()) {
    problems.push_back({"", Severity::error, "not_json", "The input is not JSON that can be read.",
                        "Check quotes, commas and brackets; numbers must be finite.",
                        std::string(text.substr(0, 80))});
    return false;
  }
  out = convert(parsed);
  return true;
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
  bool plain = true;
  for (const char c : text) plain = plain && c >= ' ' && c <= '~' && c != '"' && c != '\\';
  if (plain)
    (out_ += '"').append(text) += '"';
  else
    out_ += nlohmann::ordered_json(text).dump(-1, ' ', false,
                                              nlohmann::ordered_json::error_handler_t::replace);
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
