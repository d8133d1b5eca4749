// Pages as files: what is in them arrives at the script as it was given, whatever it holds.
#include "reports/html.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

using namespace rejoin;

namespace {

// Between what begins and what ends it, the first of each.
std::string between(const std::string& text, const std::string& open, const std::string& close) {
  const std::size_t from = text.find(open);
  REQUIRE(from != std::string::npos);
  const std::size_t to = text.find(close, from + open.size());
  REQUIRE(to != std::string::npos);
  return text.substr(from + open.size(), to - from - open.size());
}

std::string data_in(const std::string& html) {
  return between(html, R"(id="rejoin-data">)", "</script>");
}

std::size_t count_of(const std::string& text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

std::string file_text(const std::string& path) {
  std::ifstream in(std::string(REJOIN_SOURCE_DIR) + "/" + path, std::ios::binary);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("a page holds its data, and what looks like markup in it ends nothing") {
  const nlohmann::json data = {{"says", "</script><script>alert(1)</script><!-- {{script}} $& $1"},
                               {"key", "a & b < c > d"}};
  const std::string html = reports::html_page("a page", data.dump());
  CHECK(nlohmann::json::parse(data_in(html)) == data);
  CHECK(data_in(html).find('<') == std::string::npos);
  const std::string plain = reports::html_page("a page", "{}");
  CHECK(count_of(html, "<script") == count_of(plain, "<script"));
}

TEST_CASE("a title is text") {
  const std::string html = reports::html_page("</title><b> {{data}} & more", "{}");
  CHECK(between(html, "<title>", "</title>") == "&lt;/title&gt;&lt;b&gt; {{data}} &amp; more");
  CHECK(data_in(html) == "{}");
}

TEST_CASE("what the program holds of the page is what is in its files") {
  CHECK(reports::page_shell() == file_text("reports/page/shell.html"));
  CHECK(reports::page_style() == file_text("reports/page/dist/page.css"));
  CHECK(reports::page_script() == file_text("reports/page/dist/page.js"));
  const std::string html = reports::html_page("t", "{}");
  CHECK(html.find(std::string(reports::page_style())) != std::string::npos);
  CHECK(html.find(std::string(reports::page_script())) != std::string::npos);
}

TEST_CASE("a page ends no element inside its style or its script") {
  CHECK(reports::page_style().find("</style") == std::string_view::npos);
  CHECK(reports::page_script().find("</script") == std::string_view::npos);
}

TEST_CASE("a page asks for nothing") {
  const std::string html = reports::html_page("t", "{}");
  for (const char* ask : {"src=\"http", "href=\"http", "@import", "url(http"}) {
    CAPTURE(ask);
    CHECK(html.find(ask) == std::string::npos);
  }
}
