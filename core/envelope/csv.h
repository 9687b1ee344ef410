// SPDX-License-Identifier: MIT
// Reading tables of comma-separated values as RFC 4180 has them: quotes, line breaks inside quotes,
// either line end, a byte order mark. Problems name the line of the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "envelope/problem.h"

namespace envelope {

struct CsvRow {
  std::size_t line = 0;  ///< Line of the file on which the row begins, from 1.
  std::vector<std::string> cells;
  std::string ragged;  ///< Why the row cannot be read by its columns; empty when it can.
};

struct Csv {
  std::vector<std::string> header;  ///< In lower case, without blanks around.
  std::vector<CsvRow> rows;

  /// Place of a column, or npos.
  std::size_t column(std::string_view name) const;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

/// A longer file is refused before it is parsed.
inline constexpr std::size_t kLongestCsv = 8 * 1024 * 1024;

/// False, with a problem, when `text` is not a table: empty, too long, not text, without a header,
/// a quote left open, a column twice. A row with too few or too many cells stays in, with the
/// reason.
bool parse_csv(std::string_view text, Csv& out, Problems& problems);

/// The text as one cell, in quotes where it needs them.
std::string csv_cell(std::string_view text);

}  // namespace envelope
