#include "reports/markup.hpp"

#include "model/utf8.hpp"

namespace rejoin::reports {

std::string xml_text(std::string_view given) {
  const std::string text = as_utf8(given, "\uFFFD");
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view one = std::string_view(text).substr(at, utf8_length(text.substr(at, 4)));
    at += one.size();
    const auto code = static_cast<unsigned char>(one.front());
    if (one == "&") {
      out += "&amp;";
    } else if (one == "<") {
      out += "&lt;";
    } else if (one == ">") {
      out += "&gt;";
    } else if (one == "\"") {
      out += "&quot;";
    } else if (code < 0x20 && one != "\n" && one != "\t") {
      out += '?';
    } else if (one == "\uFFFE" || one == "\uFFFF") {
      out += '?';
    } else {
      out += one;
    }
  }
  return out;
}

std::string markdown_cell(std::string_view text) {
  constexpr std::string_view kMarkup = "|\\`*_[]~";
  std::string out;
  for (const char c : text) {
    if (kMarkup.find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

}  // namespace rejoin::reports
