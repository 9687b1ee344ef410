// SPDX-License-Identifier: MIT
// One object of a Hugging Face config.json: values by any of their names, in the range of the field
// they are for, with a problem for what is missing, of a wrong kind or never asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "envelope/json.h"
#include "envelope/scenario.h"

namespace envelope {

class HfReader {
 public:
  /// Names of one value, separated by spaces, the usual one first.
  using Names = std::string_view;

  /// `nested`: a text_config, which leaves out what is the default of its class.
  HfReader(const Json& object, std::string prefix, bool nested, Problems& problems);

  /// The value under the first name that has one; null counts as absent.
  const Json* find(Names names);
  bool has(Names names) { return find(names) != nullptr; }
  /// The key is there, if only as null.
  bool mentions(std::string_view name) const { return object_->find(name) != nullptr; }
  /// A number within the range of `field`, or `otherwise`.
  double number(Names names, std::string_view field, double otherwise);
  /// A number that a model cannot do without. Only a nested object may leave it to its class.
  double essential(Names names, std::string_view field, double of_class);
  /// A whole number that no field holds as it is: a period, a factor, a multiple.
  double count(Names names, double otherwise, double least = 0, double most = 1e6);
  bool flag(Names names, bool otherwise);
  std::string_view text(Names names, std::string_view otherwise = {});
  /// Words of a list; empty when there is none.
  std::vector<std::string_view> words(Names names);
  /// Numbers of a list; empty when there is none.
  std::vector<double> numbers(Names names);
  /// An object inside this one, or an empty one.
  HfReader inner(std::string_view name);

  void error(std::string_view key, std::string_view code, std::string message, std::string hint);
  void warn(std::string_view key, std::string_view code, std::string message, std::string hint);
  void note(std::string_view key, std::string_view code, std::string message, std::string hint);

  /// Warns of keys nobody asked for whose names say that they could matter.
  void rest();

  bool nested() const { return nested_; }
  /// Essential keys that were left to the class.
  const std::vector<std::string_view>& defaulted() const { return defaulted_; }

 private:
  double checked(Names names, const Json& json, double least, double most, bool whole,
                 std::string_view what, double otherwise);
  void add(Severity severity, std::string_view key, std::string_view code, std::string message,
           std::string hint);
  std::string path(std::string_view key) const { return prefix_ + std::string(key); }

  const Json* object_;
  std::string prefix_;
  bool nested_;
  Problems* problems_;
  std::vector<bool> used_;
  std::vector<std::string_view> defaulted_;
};

}  // namespace envelope
