// SPDX-License-Identifier: MIT
#include "envelope/csv.h"

#include "catch.h"

namespace {

using namespace envelope;
using Cells = std::vector<std::string>;

Csv table_of(std::string_view text) {
  Csv out;
  Problems problems;
  INFO(text);
  const bool read = parse_csv(text, out, problems);
  for (const Problem& p : problems) FAIL_CHECK(p.message);
  REQUIRE(read);
  return out;
}

Problem refusal_of(std::string_view text) {
  Csv out;
  Problems problems;
  CHECK_FALSE(parse_csv(text, out, problems));
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].severity == Severity::error);
  CHECK_FALSE(problems[0].message.empty());
  CHECK_FALSE(problems[0].hint.empty());
  return problems[0];
}

}  // namespace

TEST_CASE("csv: quotes hold commas, line breaks and doubled quotes") {
  const Csv t = table_of("a,b\n\"1,5\",\"two\nlines\"\n\"a \"\"word\"\"\",\n");
  REQUIRE(t.rows.size() == 2);
  CHECK(t.rows[0].cells == Cells{"1,5", "two\nlines"});
  CHECK(t.rows[1].cells == Cells{"a \"word\"", ""});
  CHECK(t.rows[0].line == 2);
  CHECK(t.rows[1].line == 4);  // the row before took two lines
}

TEST_CASE("csv: either line end, a byte order mark, blank lines and a missing last line end") {
  const Csv unix_lines = table_of("a,b\n1,2\n3,4\n");
  for (const char* text : {"a,b\r\n1,2\r\n3,4\r\n",
                           "\xef\xbb\xbf"
                           "a,b\n1,2\n3,4",
                           "a,b\r1,2\r3,4", "\n\na,b\n\n1,2\n\n3,4\n\n\n"}) {
    const Csv t = table_of(text);
    CHECK(t.header == unix_lines.header);
    REQUIRE(t.rows.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) CHECK(t.rows[i].cells == unix_lines.rows[i].cells);
  }
}

TEST_CASE("csv: names of columns are without case and blanks; cells keep theirs in quotes") {
  const Csv t = table_of(" ID , Seq_Len\n x ,\" y \"\n");
  CHECK(t.header == Cells{"id", "seq_len"});
  CHECK(t.column("seq_len") == 1);
  CHECK(t.column("absent") == Csv::npos);
  CHECK(t.rows[0].cells == Cells{"x", " y "});
}

TEST_CASE("csv: a row with too few or too many cells says so with its line, and the rest is read") {
  const Csv t = table_of("a,b,c\n1,2,3\n1,2\n\"x\ny\",2,3\n1,2,3,4\n");
  REQUIRE(t.rows.size() == 4);
  CHECK(t.rows[0].ragged.empty());
  CHECK(t.rows[1].ragged == "line 3 has 2 cells where the header has 3");
  CHECK(t.rows[2].ragged.empty());
  CHECK(t.rows[3].ragged == "line 6 has 4 cells where the header has 3");
}

TEST_CASE("csv: what is no table is refused with a reason") {
  CHECK(refusal_of("").code == "empty");
  CHECK(refusal_of(" \r\n\n").code == "empty");
  CHECK(refusal_of("id,layers\n").code == "no_rows");
  CHECK(refusal_of("1,32,4096\n2,32,4096\n").code == "no_header");
  CHECK(refusal_of("id;layers;hidden\n1;2;3\n").code == "wrong_separator");
  CHECK(refusal_of("id\tlayers\thidden\n1\t2\t3\n").code == "wrong_separator");
  CHECK(refusal_of(std::string("PK\x03\x04\0\0", 6)).code == "not_text");
  CHECK(refusal_of(std::string("id,layers\na,\0\n", 13)).path == "line 2");
  CHECK(refusal_of("\xff\xfei\0d\0").code == "not_utf8");
  CHECK(refusal_of("id,note\n1,caf\xe9\n").code == "not_utf8");
  CHECK(refusal_of("id,note\n1,\xed\xa0\x80\n").code == "not_utf8");  // a surrogate
  CHECK(refusal_of("id,note\n1,\xc0\xaf\n").code == "not_utf8");      // longer than needed
  const Problem twice = refusal_of("id,layers,ID\n1,2,3\n");
  CHECK(twice.code == "column_twice");
  CHECK(twice.message.find("\"id\"") != std::string::npos);
}

TEST_CASE("csv: a quote that is never closed names the line on which it opens") {
  const Problem p = refusal_of("a,b\n1,2\n3,\"open\n4,5\n");
  CHECK(p.code == "open_quote");
  CHECK(p.path == "line 3");
  CHECK(refusal_of("\"a,b\n1,2\n").path == "line 1");
}

TEST_CASE("csv: ten megabytes are refused at once, a few are read") {
  std::string text = "a,b\n";
  while (text.size() < 4 * 1024 * 1024) text += "1234567,\"some text, quoted\"\n";
  CHECK(table_of(text).rows.size() > 100000);
  while (text.size() < 10 * 1024 * 1024) text += text;
  CHECK(refusal_of(text).code == "too_long");
}

TEST_CASE("csv: a cell that is written is read back") {
  for (const std::string cell : {"plain", "a,b", "say \"hi\"", "two\nlines", "", "ü €"}) {
    const Csv t = table_of("a,b\n1," + csv_cell(cell) + "\n");
    CHECK(t.rows[0].cells[1] == cell);
  }
}
