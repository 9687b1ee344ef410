// SPDX-License-Identifier: MIT
#include "envelope/launch_text.h"

#include <algorithm>
#include <cmath>

#include "envelope/json.h"

namespace envelope {
namespace {

std::string in_quotes(std::string_view text) {
  JsonWriter w;
  // A JSON string is a string of YAML and TOML as well.
  return w.value(text).take();
}

/// A text as YAML: bare where no reader could take it for anything else.
std::string yaml_scalar(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '/' ||
           c == '-' || (c >= '0' && c <= '9');
  };
  const bool word =
      !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
  const std::string low = lower_case(text);
  for (const char* taken : {"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
    if (low == taken) return in_quotes(text);
  return word && std::all_of(text.begin(), text.end(), plain) ? std::string(text) : in_quotes(text);
}

std::string scalar(const Option& s, bool as_yaml) {
  switch (s.kind) {
    case Option::Kind::variable:
      return in_quotes("<" + s.value + ">");
    case Option::Kind::text:
      return as_yaml ? yaml_scalar(s.value) : in_quotes(s.value);
    default:
      return s.value;
  }
}

std::string shell_value(const Option& s) {
  if (s.kind == Option::Kind::variable) return "\"$" + s.value + "\"";
  return s.kind == Option::Kind::raw ? s.value : shell_word(s.value);
}

std::string commented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.append("# ").append(text.substr(0, end)).append("\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string_view head_of(std::string_view key) {
  const std::size_t dot = key.find('.');
  return dot == std::string_view::npos ? key : key.substr(0, dot);
}

/// Rows whose key begins with `prefix`, as YAML or JSON; every map once, where it is first named.
void nested(const std::vector<Option>& rows, const std::string& prefix, int depth, bool as_yaml,
            std::string& out) {
  std::vector<std::string> done;
  const std::string indent(static_cast<std::size_t>(2 * (depth + (as_yaml ? 0 : 1))), ' ');
  bool first = true;
  for (const Option& s : rows) {
    if (s.key.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string_view rest = std::string_view(s.key).substr(prefix.size());
    const std::string head(head_of(rest));
    const bool leaf = head.size() == rest.size();
    if (!leaf && std::count(done.begin(), done.end(), head) > 0) continue;
    if (!as_yaml) out.append(first ? "\n" : ",\n");
    first = false;
    // "items[]" is a list of one map: its first line has the dash.
    const bool list = as_yaml && head.size() > 2 && head.compare(head.size() - 2, 2, "[]") == 0;
    const std::string name = list ? head.substr(0, head.size() - 2) : head;
    out.append(indent).append(as_yaml ? name : in_quotes(name)).append(":");
    if (leaf) {
      out.append(" ").append(scalar(s, as_yaml));
      if (as_yaml && !s.comment.empty()) out.append("  # ").append(s.comment);
      if (as_yaml) out.append("\n");
      continue;
    }
    done.push_back(head);
    out.append(as_yaml ? "\n" : " {");
    const std::size_t dash = out.size() + indent.size() + 2;
    nested(rows, prefix + head + ".", depth + (list ? 2 : 1), as_yaml, out);
    if (list) out.replace(dash, 1, "-");
    if (!as_yaml) out.append("\n").append(indent).append("}");
  }
}

}  // namespace

Settings& Settings::flag(std::string_view key, bool on) {
  if (on) rows_.push_back({std::string(key), "", Option::Kind::flag, ""});
  return *this;
}

std::string plain_number(double value) {
  constexpr double kMost = 1e18;
  const bool whole = std::floor(value) == value && value > -kMost && value < kMost;
  return whole ? std::to_string(static_cast<long long>(value)) : number_text(value);
}

Settings& Settings::number(std::string_view key, double value) {
  rows_.push_back({std::string(key), plain_number(value), Option::Kind::bare, ""});
  return *this;
}

Settings& Settings::yes(std::string_view key, bool value) {
  rows_.push_back({std::string(key), value ? "true" : "false", Option::Kind::bare, ""});
  return *this;
}

Settings& Settings::text(std::string_view key, std::string_view value) {
  rows_.push_back({std::string(key), std::string(value), Option::Kind::text, ""});
  return *this;
}

Settings& Settings::variable(std::string_view key, std::string_view name,
                             std::string_view comment) {
  rows_.push_back(
      {std::string(key), std::string(name), Option::Kind::variable, std::string(comment)});
  return *this;
}

Settings& Settings::raw(std::string_view key, std::string value) {
  rows_.push_back({std::string(key), std::move(value), Option::Kind::raw, ""});
  return *this;
}

Settings& Settings::add(const Settings& more) {
  rows_.insert(rows_.end(), more.rows_.begin(), more.rows_.end());
  return *this;
}

std::string shell_word(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./=:,+@%").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string out = "'";
  for (const char c : text)
    if (c == '\'')
      out.append("'\\''");
    else
      out += c;
  return out + "'";
}

std::string command(std::string_view start, const Settings& settings, bool joined) {
  std::string out(start);
  for (const Option& s : settings.rows()) {
    out.append(" \\\n    ").append(s.key);
    if (s.kind != Option::Kind::flag)
      out.append(joined && s.key.compare(0, 2, "--") != 0 ? "=" : " ").append(shell_value(s));
  }
  return out + "\n";
}

std::string yaml(std::string_view comment, const Settings& settings) {
  std::string out = commented(comment);
  nested(settings.rows(), "", 0, true, out);
  return out;
}

std::string toml(std::string_view comment, const Settings& settings) {
  std::string out = commented(comment);
  std::vector<std::string> done;
  for (const Option& s : settings.rows()) {
    const std::string section(head_of(s.key));
    if (std::count(done.begin(), done.end(), section) > 0) continue;
    done.push_back(section);
    out.append("\n[").append(section).append("]\n");
    for (const Option& each : settings.rows()) {
      if (head_of(each.key) != section) continue;
      out.append(each.key, section.size() + 1, std::string::npos).append(" = ");
      out.append(scalar(each, false));
      if (!each.comment.empty()) out.append("  # ").append(each.comment);
      out.append("\n");
    }
  }
  return out;
}

std::string json_text(const Settings& settings) {
  std::string out = "{";
  nested(settings.rows(), "", 0, false, out);
  return out + "\n}\n";
}

std::string script_head(std::string_view comment, const std::vector<Variable>& variables) {
  std::string out = "#!/bin/sh\n" + commented(comment) + "set -eu\n";
  if (!variables.empty()) out.append("\n# Yours to set:\n");
  for (const Variable& v : variables) {
    out.append(": \"${").append(v.name);
    if (v.otherwise.empty())
      out.append(":?Set ").append(v.name).append(": ").append(v.about).append("}\"\n");
    else
      out.append(":=").append(v.otherwise).append("}\"  # ").append(v.about).append("\n");
  }
  return out + "\n";
}

}  // namespace envelope
