// SPDX-License-Identifier: MIT
#include "envelope/csv.h"

#include <algorithm>

#include "envelope/value.h"

namespace envelope {
namespace {

bool refuse(Problems& to, std::string path, std::string_view code, std::string message,
            std::string hint) {
  to.push_back({std::move(path), Severity::error, code, std::move(message), std::move(hint), {}});
  return false;
}

std::string line_text(std::size_t n) { return "line " + std::to_string(n); }

std::string_view trim(std::string_view s) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

/// Bytes of the UTF-8 sequence at the start of `s`, or 0 where there is none. Strict (RFC 3629),
/// because what is read here is written into JSON again.
std::size_t sequence_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80                    ? 1
                             : lead >= 0xc2 && lead <= 0xdf ? 2
                             : (lead & 0xf0) == 0xe0        ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
  if (length == 0 || length > s.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  // Longer than needed, a surrogate, or beyond the last code point.
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) >= 0xa0) ||
      (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) >= 0x90))
    return 0;
  return length;
}

/// False, with a problem, where `text` holds what no text file holds.
bool is_text(std::string_view text, Problems& problems) {
  std::size_t line = 1;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') ++line;
    if ((byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7f)
      return refuse(problems, line_text(line), "not_text",
                    "Line " + std::to_string(line) +
                        " holds a control character, so this is not a text file.",
                    "Give a CSV file saved as UTF-8 text, not a spreadsheet or an archive.");
    const std::size_t length = sequence_length(text.substr(i));
    if (length == 0)
      return refuse(problems, line_text(line), "not_utf8",
                    "Line " + std::to_string(line) + " is not UTF-8.",
                    "Save the file as CSV with UTF-8 encoding.");
    i += length;
  }
  return true;
}

/// Splits text into records. Total: an open quote ends with the text and is told by `open_line`.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : rest_(text) {}

  bool next(CsvRow& row) {
    row = {};
    if (at_ >= rest_.size()) return false;
    row.line = line_;
    for (bool more = true; more;) {
      row.cells.emplace_back();
      more = cell(row.cells.back());
    }
    return true;
  }
  std::size_t open_line() const { return open_; }

 private:
  /// Reads one cell and what ends it; false at the end of the record.
  bool cell(std::string& out) {
    bool was_quoted = false;
    if (at_ < rest_.size() && rest_[at_] == '"') {
      was_quoted = true;
      const std::size_t began = line_;
      ++at_;
      for (;; ++at_) {
        if (at_ >= rest_.size()) return open_ = began, false;
        const char c = rest_[at_];
        if (c == '"') {
          if (at_ + 1 >= rest_.size() || rest_[at_ + 1] != '"') break;
          ++at_;  // two quotes stand for one
        }
        if (c == '\n') ++line_;
        out += c;
      }
      ++at_;
    }
    const std::size_t begin = at_;
    while (at_ < rest_.size() && rest_[at_] != ',' && rest_[at_] != '\n' && rest_[at_] != '\r')
      ++at_;
    const std::string_view bare = rest_.substr(begin, at_ - begin);
    out.append(was_quoted ? bare : trim(bare));
    if (at_ >= rest_.size()) return false;
    const char end = rest_[at_++];
    if (end == ',') return true;
    if (end == '\r' && at_ < rest_.size() && rest_[at_] == '\n') ++at_;
    ++line_;
    return false;
  }

  std::string_view rest_;
  std::size_t at_ = 0, line_ = 1, open_ = 0;
};

bool blank(const CsvRow& row) { return row.cells.size() == 1 && row.cells[0].empty(); }

bool read_header(const CsvRow& row, Csv& out, Problems& problems) {
  const auto separated_by = [&](char c) {
    return row.cells.size() == 1 && std::count(row.cells[0].begin(), row.cells[0].end(), c) > 1;
  };
  for (const auto& [c, name] :
       {std::pair{';', "semicolons"}, std::pair{'\t', "tabs"}, std::pair{'|', "bars"}})
    if (separated_by(c))
      return refuse(problems, line_text(row.line), "wrong_separator",
                    std::string("The columns are separated by ") + name + ", not by commas.",
                    "Save the file as comma-separated values.");
  const auto is_number = [](const std::string& cell) {
    double x = 0;
    return parse_number(cell, "count", x);
  };
  if (std::any_of(row.cells.begin(), row.cells.end(), is_number))
    return refuse(problems, line_text(row.line), "no_header",
                  "Line " + std::to_string(row.line) +
                      " holds numbers where the names of the columns should be.",
                  "Begin the file with a line of column names.");
  for (const std::string& cell : row.cells) {
    const std::string name = lower_case(trim(cell));
    if (!name.empty() && out.column(name) != Csv::npos)
      return refuse(problems, line_text(row.line), "column_twice",
                    "The column " + quoted(name) + " is there twice.",
                    "Remove or rename one of the two.");
    out.header.push_back(name);
  }
  return true;
}

}  // namespace

std::size_t Csv::column(std::string_view name) const {
  const auto at = std::find(header.begin(), header.end(), name);
  return at == header.end() ? npos : static_cast<std::size_t>(at - header.begin());
}

bool parse_csv(std::string_view text, Csv& out, Problems& problems) {
  out = {};
  if (text.size() > kLongestCsv)
    return refuse(problems, "file", "too_long",
                  "The file is longer than " + number_text(kLongestCsv / (1024.0 * 1024.0)) +
                      " MiB, the most that is read.",
                  "Split it, or remove what is not needed.");
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.substr(0, 3) == kByteOrderMark) text.remove_prefix(3);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return refuse(problems, "file", "empty", "The file is empty.",
                  "Give a CSV file with a header and at least one row.");
  if (const std::string_view mark = text.substr(0, 2); mark == "\xff\xfe" || mark == "\xfe\xff")
    return refuse(problems, "file", "not_utf8", "The file is UTF-16.",
                  "Save the file as CSV with UTF-8 encoding.");
  if (!is_text(text, problems)) return false;

  Splitter splitter(text);
  CsvRow row;
  while (splitter.next(row) && blank(row)) {
  }
  if (!splitter.open_line() && !read_header(row, out, problems)) return false;
  while (!splitter.open_line() && splitter.next(row)) {
    if (blank(row)) continue;
    if (row.cells.size() != out.header.size())
      row.ragged = "line " + std::to_string(row.line) + " has " + std::to_string(row.cells.size()) +
                   " cells where the header has " + std::to_string(out.header.size());
    out.rows.push_back(std::move(row));
  }
  if (const std::size_t line = splitter.open_line())
    return refuse(problems, line_text(line), "open_quote",
                  "A quote that opens on line " + std::to_string(line) + " is never closed.",
                  "Close it, or write two quotes for one inside a cell.");
  if (out.rows.empty())
    return refuse(problems, "file", "no_rows", "The file has a header and no rows.",
                  "Add at least one row.");
  return true;
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

}  // namespace envelope
