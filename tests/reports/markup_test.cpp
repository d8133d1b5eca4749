#include "reports/markup.hpp"

#include <doctest/doctest.h>

#include "reports/shell_word.hpp"

namespace rejoin::reports {
namespace {

TEST_CASE("in XML nothing of a text is markup, and what XML cannot hold is told") {
  CHECK(xml_text("a<b> & \"c\"") == "a&lt;b&gt; &amp; &quot;c&quot;");
  CHECK(xml_text("one\ntwo\tthree") == "one\ntwo\tthree");
  CHECK(xml_text(std::string("a\0b\x1b", 4)) == "a?b?");
  CHECK(xml_text("\uFFFE \u00e9") == "? \u00e9");
  CHECK(xml_text("cut \xc3") == "cut \uFFFD");
}

TEST_CASE("in a cell of Markdown nothing ends the cell or the row, and nothing is markup") {
  CHECK(markdown_cell("a|b\nc\r\td") == "a\\|b c  d");
  CHECK(markdown_cell("*_`[x]~\\") == "\\*\\_\\`\\[x\\]\\~\\\\");
  CHECK(markdown_cell("<b> & c") == "&lt;b&gt; &amp; c");
}

TEST_CASE("a word that is not plain to a shell is quoted") {
  CHECK(shell_word("a-b_c/d.yaml") == "a-b_c/d.yaml");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("it's $x") == "'it'\\''s $x'");
}

}  // namespace
}  // namespace rejoin::reports
