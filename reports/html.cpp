#include "reports/html.hpp"

#include "model/check.hpp"
#include "reports/markup.hpp"

namespace rejoin::reports {

namespace {

// `<` stands in strings alone, where an escape means the same: no `</script` or `<!--` is left.
void append_data(std::string& out, std::string_view json) {
  std::size_t from = 0;
  for (std::size_t at = json.find('<'); at != std::string_view::npos; at = json.find('<', from)) {
    out += json.substr(from, at - from);
    out += "\\u003c";
    from = at + 1;
  }
  out += json.substr(from);
}

void append_part(std::string& out, std::string_view name, std::string_view title,
                 std::string_view json) {
  if (name == "title") {
    out += xml_text(title);
  } else if (name == "style") {
    out += page_style();
  } else if (name == "script") {
    out += page_script();
  } else {
    CHECK_THAT(name == "data");
    append_data(out, json);
  }
}

}  // namespace

std::string html_page(std::string_view title, std::string_view json) {
  const std::string_view shell = page_shell();
  std::string out;
  out.reserve(shell.size() + page_style().size() + page_script().size() + json.size() + 1024);
  std::size_t from = 0;
  for (std::size_t open = shell.find("{{"); open != std::string_view::npos;
       open = shell.find("{{", from)) {
    const std::size_t close = shell.find("}}", open);
    CHECK_THAT(close != std::string_view::npos);
    out += shell.substr(from, open - from);
    append_part(out, shell.substr(open + 2, close - open - 2), title, json);
    from = close + 2;
  }
  out += shell.substr(from);
  return out;
}

}  // namespace rejoin::reports
