// Text that stands in XML, HTML or Markdown: nothing in it is markup.
#pragma once

#include <string>
#include <string_view>

namespace rejoin::reports {

/// For content and for attributes in double quotes, of HTML, too. A byte that is no UTF-8 becomes
/// U+FFFD, and what XML cannot hold at all a question mark. Source: XML 1.0 (fifth edition),
/// sections 2.2 and 2.4.
[[nodiscard]] std::string xml_text(std::string_view text);

/// For a cell of a table as GitHub shows it: nothing ends the cell or the row.
/// Source: GitHub Flavored Markdown, sections 2.4 and 4.10.
[[nodiscard]] std::string markdown_cell(std::string_view text);

}  // namespace rejoin::reports
