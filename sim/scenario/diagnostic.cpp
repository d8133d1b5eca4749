// How a complaint is printed: as compilers do, so that editors find the place.
#include <algorithm>

#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {

namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

// The part of a line around a column (in characters), at most kWidth characters, and where the
// column is in that part. Control characters become spaces: the caret must stay below its place.
struct Excerpt {
  static constexpr int kWidth = 120;
  std::string text;
  int column = 1;
};

Excerpt excerpt(const std::string& line, int column) {
  const int first = std::max(1, column - (2 * Excerpt::kWidth) / 3);
  Excerpt out{.text = {}, .column = column - first + 1};
  int character = 0;
  for (const char c : line) {
    if (!continues_character(c)) ++character;
    if (character < first) continue;
    if (character >= first + Excerpt::kWidth) break;
    const auto byte = static_cast<unsigned char>(c);
    out.text += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string to_text(const Diagnostic& diagnostic) {
  std::string out = diagnostic.file;
  if (diagnostic.line > 0) {
    out += ":" + std::to_string(diagnostic.line) + ":" + std::to_string(diagnostic.column);
  }
  out += (out.empty() ? "error: " : ": error: ") + diagnostic.message + "\n";
  if (diagnostic.line > 0 && !diagnostic.source_line.empty()) {
    const Excerpt part = excerpt(diagnostic.source_line, diagnostic.column);
    const std::string number = std::to_string(diagnostic.line);
    const std::string margin(number.size() + 2, ' ');
    out += "  " + number + " | " + part.text + "\n";
    out += margin + " | " + std::string(static_cast<std::size_t>(part.column - 1), ' ') + "^\n";
  }
  if (!diagnostic.hint.empty()) out += "  hint: " + diagnostic.hint + "\n";
  return out;
}

}  // namespace rejoin::sim
