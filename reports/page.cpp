#include "reports/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "model/check.hpp"

namespace rejoin::reports {

namespace {

constexpr std::size_t kTableIndent = 2;
constexpr std::size_t kGap = 2;

std::string_view ansi(Paint paint) {
  switch (paint) {
    case Paint::plain:
      return "";
    case Paint::strong:
      return "\x1b[1m";
    case Paint::good:
      return "\x1b[32m";
    case Paint::bad:
      return "\x1b[31m";
    case Paint::warn:
      return "\x1b[33m";
    case Paint::dim:
      return "\x1b[2m";
  }
  return "";
}

// Invariant 2. Line breaks of a text are spaces to us, who wrap it anew.
std::string clean(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\t') {
      out += ' ';
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

struct CodeRange {
  std::uint32_t first;
  std::uint32_t last;
};
// Unicode's East Asian Width W and F, by block.
constexpr CodeRange kWide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
                               {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                               {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};

std::size_t columns_of(std::uint32_t code) {
  if (code >= 0x300 && code <= 0x36f) return 0;  // combining marks
  const bool wide = std::any_of(std::begin(kWide), std::end(kWide), [code](const CodeRange& range) {
    return code >= range.first && code <= range.last;
  });
  return wide ? 2 : 1;
}

std::size_t longest_word(std::string_view text) {
  std::size_t longest = 0;
  for (const std::string& word : wrap(text, 1)) longest = std::max(longest, display_width(word));
  return longest;
}

// As wide as their contents, then narrowed, widest first, until the table fits or every column is
// as narrow as its longest word.
std::vector<std::size_t> column_widths(const Table& table, std::size_t width) {
  std::vector<std::size_t> wanted;
  std::vector<std::size_t> least;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    std::size_t all = display_width(table.columns[c].title);
    std::size_t word = longest_word(table.columns[c].title);
    for (const auto& row : table.rows) {
      all = std::max(all, display_width(row[c].text));
      word = std::max(word, longest_word(row[c].text));
    }
    wanted.push_back(all);
    least.push_back(word);
  }
  const std::size_t fixed = kTableIndent + kGap * (table.columns.size() - 1);
  std::size_t total = std::accumulate(wanted.begin(), wanted.end(), fixed);
  while (total > width) {
    std::size_t widest = table.columns.size();
    for (std::size_t c = 0; c < wanted.size(); ++c) {
      if (wanted[c] <= least[c]) continue;
      if (widest == table.columns.size() || wanted[c] > wanted[widest]) widest = c;
    }
    if (widest == table.columns.size()) break;
    --wanted[widest];
    --total;
  }
  return wanted;
}

// `key-17` is ("key-", 17); no number when there is none, or when it would not print the same.
struct NumberedName {
  std::string stem;
  std::uint64_t number = 0;
  bool numbered = false;
};

NumberedName numbered(const std::string& name) {
  std::size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') --digits;
  NumberedName out;
  const auto [end, error] =
      std::from_chars(name.data() + digits, name.data() + name.size(), out.number);
  out.numbered = error == std::errc{} && end == name.data() + name.size() &&
                 std::to_string(out.number).size() == name.size() - digits;
  out.stem = out.numbered ? name.substr(0, digits) : name;
  return out;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto head = static_cast<unsigned char>(text[i]);
    const std::size_t length = head < 0x80 ? 1 : head < 0xe0 ? 2 : head < 0xf0 ? 3 : 4;
    std::uint32_t code = length == 1 ? head : head & (0x7fU >> length);
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k) {
      code = (code << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
    }
    columns += columns_of(code);
    i += length;
  }
  return columns;
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t space = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, space - at);
    at = space + 1;
    if (word.empty()) continue;
    if (!line.empty() && display_width(line) + 1 + display_width(word) > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  if (!line.empty() || lines.empty()) lines.push_back(std::move(line));
  return lines;
}

void Page::put(std::string_view text, Paint paint) {
  const bool painted = colour_ && paint != Paint::plain && !text.empty();
  if (painted) out_ += ansi(paint);
  out_ += text;
  if (painted) out_ += "\x1b[0m";
}

void Page::blank() {
  if (!out_.empty()) out_ += '\n';
}

void Page::section(std::string_view title) {
  blank();
  put(clean(title), Paint::strong);
  out_ += '\n';
}

void Page::paragraph(std::string_view text, std::size_t indent, std::size_t hanging, Paint paint) {
  // The hanging lines decide the width of all of them; one line more or less is no matter.
  const std::size_t room = width_ - std::min(width_ - 1, std::max(indent, hanging));
  std::size_t margin = indent;
  for (const std::string& line : wrap(clean(text), room)) {
    out_.append(margin, ' ');
    put(line, paint);
    out_ += '\n';
    margin = hanging;
  }
}

void Page::verbatim(std::string_view text, std::size_t indent, Paint paint) {
  out_.append(indent, ' ');
  put(clean(text), paint);
  out_ += '\n';
}

void Page::row(const std::vector<Cell>& cells, const Table& table,
               const std::vector<std::size_t>& widths) {
  std::vector<std::vector<std::string>> lines;
  std::size_t height = 0;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    lines.push_back(wrap(cells[c].text, widths[c]));
    height = std::max(height, lines.back().size());
  }
  for (std::size_t k = 0; k < height; ++k) {
    std::size_t owed = kTableIndent;  // spaces before the next text: none are left at line ends
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string text = k < lines[c].size() ? lines[c][k] : "";
      const std::size_t pad = widths[c] - std::min(widths[c], display_width(text));
      if (table.columns[c].align == Align::right) owed += pad;
      if (!text.empty()) {
        out_.append(owed, ' ');
        owed = 0;
        put(text, cells[c].paint);
      }
      if (table.columns[c].align == Align::left) owed += pad;
      owed += kGap;
    }
    out_ += '\n';
  }
}

void Page::table(const Table& raw) {
  Table table = raw;
  bool titled = false;
  std::vector<Cell> titles;
  for (Table::Column& column : table.columns) {
    column.title = clean(column.title);
    titled |= !column.title.empty();
    titles.push_back({column.title, Paint::dim});
  }
  for (auto& cells : table.rows) {
    CHECK_THAT(cells.size() == table.columns.size());
    for (Cell& cell : cells) cell.text = clean(cell.text);
  }
  const std::vector<std::size_t> widths = column_widths(table, width_);
  if (titled) row(titles, table, widths);
  for (const auto& cells : table.rows) row(cells, table, widths);
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string grouped(std::int64_t number) {
  if (number >= 0) return grouped(static_cast<std::uint64_t>(number));
  return "-" + grouped(~static_cast<std::uint64_t>(number) + 1);
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return grouped(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string plural_of(std::string_view what) {
  const std::size_t end = std::min(what.find(' '), what.size());
  const std::string_view word = what.substr(0, end);
  const bool hisses = word.ends_with('s') || word.ends_with("sh") || word.ends_with('x');
  return std::string(word) + (hisses ? "es" : "s") + std::string(what.substr(end));
}

std::string counted_of(std::uint64_t number, std::string_view what) {
  return grouped(number) + " " + (number == 1 ? std::string(what) : plural_of(what));
}

std::string readable_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  std::size_t unit = 0;
  auto amount = static_cast<double>(bytes) / 1024;
  while (amount >= 1024 && unit + 1 < std::size(kUnits)) {
    amount /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string name_ranges(const std::vector<std::string>& names, std::size_t shown_max) {
  std::vector<NumberedName> all;
  for (const std::string& name : names) all.push_back(numbered(name));
  std::sort(all.begin(), all.end(), [](const NumberedName& a, const NumberedName& b) {
    if (a.stem != b.stem) return a.stem < b.stem;
    return a.number < b.number;
  });
  const auto text = [](const NumberedName& name) {
    return name.numbered ? name.stem + std::to_string(name.number) : name.stem;
  };
  std::string out;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < all.size();) {
    if (shown++ == shown_max) return out + fmt::format(" and {} more", grouped(all.size() - i));
    std::size_t last = i;
    while (last + 1 < all.size() && all[i].numbered && all[last + 1].numbered &&
           all[last + 1].stem == all[i].stem && all[last + 1].number == all[last].number + 1) {
      ++last;
    }
    if (last - i < 2) last = i;  // a run of two reads better as two names
    if (!out.empty()) out += ", ";
    out += text(all[i]);
    if (last != i) out += ".." + text(all[last]);
    i = last + 1;
  }
  return out;
}

}  // namespace rejoin::reports
