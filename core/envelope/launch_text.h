// SPDX-License-Identifier: MIT
// In: settings, each a key and a value. Out: the same as words of a shell command, YAML, TOML or
// JSON. What a person must fill in is a variable of the shell or a <NAME> in a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace envelope {

struct Option {
  enum class Kind : unsigned char {
    flag,      ///< A word alone.
    bare,      ///< A number, true or false.
    text,      ///< Quoted where the format needs it.
    variable,  ///< Filled in by the person: "$NAME" in a shell, "<NAME>" in a file.
    raw        ///< Already in the syntax of the format.
  };
  std::string key, value;
  Kind kind = Kind::text;
  std::string comment;
};

class Settings {
 public:
  Settings& flag(std::string_view key, bool on = true);
  Settings& number(std::string_view key, double value);
  Settings& yes(std::string_view key, bool value);
  Settings& text(std::string_view key, std::string_view value);
  Settings& variable(std::string_view key, std::string_view name, std::string_view comment = "");
  Settings& raw(std::string_view key, std::string value);
  /// Adds those of another list.
  Settings& add(const Settings& more);

  const std::vector<Option>& rows() const { return rows_; }

 private:
  std::vector<Option> rows_;
};

/// Whole numbers in digits alone: a parser of integers reads no 3.5e6.
std::string plain_number(double value);

/// One word of a POSIX shell, whatever the text holds.
std::string shell_word(std::string_view text);

/// Lines of one command: `start`, then each setting as --key value, continued with a backslash.
/// Where `joined`, as key=value (Hydra, MaxText).
std::string command(std::string_view start, const Settings& settings, bool joined = false);

/// Dotted keys become nested maps; those of one map stand together. "items[].key" is a list of one.
std::string yaml(std::string_view comment, const Settings& settings);
/// "section.key" becomes [section] and key.
std::string toml(std::string_view comment, const Settings& settings);
/// Dotted keys become nested objects.
std::string json_text(const Settings& settings);

/// The head of a script: variables that must be set, each with what it is.
struct Variable {
  std::string_view name, about;
  std::string otherwise;  ///< A value where none is set; without one the script stops and says so.
};
std::string script_head(std::string_view comment, const std::vector<Variable>& variables);

}  // namespace envelope
