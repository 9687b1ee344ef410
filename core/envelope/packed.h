// SPDX-License-Identifier: MIT
// Texts of a table, end to end. In a module for a browser the pointer and the length of a text
// weigh as much as the text once all is compressed, and texts compress best beside others of their
// column. So the compiler writes a table down as one text, column after column, and whoever asks
// for the table first has it taken apart.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace envelope {

/// A column is a function from a row to a reference to a text.
template <class Rows, class... Column>
constexpr std::size_t packed_size(const Rows& rows, Column... column) {
  std::size_t size = 0;
  const auto add = [&](auto of) {
    for (const auto& row : rows) size += of(row).size() + 1;
  };
  (add(column), ...);
  return size;
}

/// Each text with a zero behind it.
template <std::size_t kSize, class Rows, class... Column>
constexpr std::array<char, kSize> packed(const Rows& rows, Column... column) {
  std::array<char, kSize> out{};
  std::size_t at = 0;
  const auto add = [&](auto of) {
    for (const auto& row : rows) {
      for (const char c : of(row)) out[at++] = c;
      ++at;
    }
  };
  (add(column), ...);
  return out;
}

/// The texts of `packed`, back in the rows.
template <class Rows, class... Column>
void unpack(const char* text, Rows& rows, Column... column) {
  const auto take = [&](auto of) {
    for (auto& row : rows) {
      of(row) = text;
      text += of(row).size() + 1;
    }
  };
  (take(column), ...);
}

}  // namespace envelope
