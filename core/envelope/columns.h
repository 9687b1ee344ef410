// SPDX-License-Identifier: MIT
// In: one row of a table of measurements, by column. Out: the scenario it describes, as a patch, or
// the reason why there is none. Only columns with a closed vocabulary and plain numbers are read,
// never free text; docs/validate.md describes them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "envelope/csv.h"
#include "envelope/value.h"

namespace envelope {

enum class FileKind : unsigned char { unknown, memory, throughput, runs, inference };

/// What is measured in the file, by its columns.
FileKind kind_of(const Csv& csv);
std::string_view kind_name(FileKind kind);

/// Cells of one row by the name of their column; a column that is not there reads as empty.
class Record {
 public:
  Record(const Csv& csv, const CsvRow& row) : csv_(&csv), row_(&row) {}
  std::string_view at(std::string_view column) const;
  std::size_t line() const { return row_->line; }

 private:
  const Csv* csv_;
  const CsvRow* row_;
};

/// The words a column may hold.
struct Vocabulary {
  std::string_view column;
  std::span<const std::string_view> words;
  bool list = false;  ///< Several of them, separated by commas.
};
std::span<const Vocabulary> vocabularies();

/// A row as a scenario.
struct Mapping {
  Patch patch;
  std::string skipped;  ///< Why there is no scenario: names the column and its value.
  std::string note;     ///< What was not stated and is taken as usual.
};

/// Column and value of a word outside its vocabulary, in all columns or `only` one; empty when all
/// are inside.
std::string unknown_word(const Record& row, std::string_view only = {});

/// The column that a field is read from, for messages; the path itself where there is none.
std::string_view column_of(std::string_view path);

/// The scenario of a row of memory.csv or throughput.csv; both have the same columns.
Mapping map_row(const Record& row);

}  // namespace envelope
