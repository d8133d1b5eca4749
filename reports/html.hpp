// One file of HTML that draws the data that it holds. It asks for nothing: the style and the script
// (reports/page/dist) are in the program and go into it.
//
// Invariants:
// 1. Nothing of the data or the title ends an element early: `<` is escaped in both.
// 2. Each part goes in once and as it is: what looks like a place for another part in it is text.
//
// Not here: what the data says (page/src/data.ts), and who opens it.
#pragma once

#include <string>
#include <string_view>

namespace rejoin::reports {

// `json` is a document that page/src/data.ts describes, in UTF-8; `title` is plain text.
[[nodiscard]] std::string html_page(std::string_view title, std::string_view json);

// Of the program: what pages are filled from.
[[nodiscard]] std::string_view page_shell();
[[nodiscard]] std::string_view page_style();
[[nodiscard]] std::string_view page_script();

}  // namespace rejoin::reports
