// A page of plain text for a terminal: wrapped paragraphs, aligned tables, colour when asked.
//
// Invariants:
// 1. Nothing is cut: a line that is too long is wrapped between words, a word that is too long
//    makes the line longer.
// 2. What comes from a file or a run cannot steer the terminal: control characters are escaped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rejoin::reports {

enum class Paint : std::uint8_t { plain, strong, good, bad, warn, dim };
enum class Align : std::uint8_t { left, right };

struct Cell {
  std::string text;
  Paint paint = Paint::plain;
};

struct Table {
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  // each as long as `columns`
};

class Page {
 public:
  Page(std::size_t width, bool colour) : width_(width), colour_(colour) {}

  // A blank line (unless the page is empty) and a title.
  void section(std::string_view title);
  // Wrapped at the width; the first line is indented by `indent`, the others by `hanging`.
  void paragraph(std::string_view text, std::size_t indent, std::size_t hanging,
                 Paint paint = Paint::plain);
  void paragraph(std::string_view text, std::size_t indent = 0) { paragraph(text, indent, indent); }
  // As it is, for what is to be copied.
  void verbatim(std::string_view text, std::size_t indent, Paint paint = Paint::plain);
  // Indented by two; titles that are all empty make no line.
  void table(const Table& table);
  void blank();

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void put(std::string_view text, Paint paint);
  void row(const std::vector<Cell>& cells, const Table& table,
           const std::vector<std::size_t>& widths);

  std::size_t width_;
  bool colour_;
  std::string out_;
};

// Columns that the text takes on a terminal (UTF-8; wide characters take two).
[[nodiscard]] std::size_t display_width(std::string_view text);
// Lines of at most `width` columns, broken at spaces; never empty.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t width);

// `1,234,567`.
[[nodiscard]] std::string grouped(std::uint64_t number);
[[nodiscard]] std::string grouped(std::int64_t number);
// `1 read`, `2 reads`.
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view noun);
// `1 message lost`, `20 messages lost`, `2 crashes`: the first word is counted.
[[nodiscard]] std::string counted_of(std::uint64_t number, std::string_view what);
// The same without the number: `messages lost`.
[[nodiscard]] std::string plural_of(std::string_view what);
// `512 B`, `12.1 KiB`.
[[nodiscard]] std::string readable_bytes(std::uint64_t bytes);
// `key-1..key-24, key-26, other`: sorted by name and number, runs of three or more joined. At most
// `shown_max` items, then how many there are besides.
[[nodiscard]] std::string name_ranges(const std::vector<std::string>& names,
                                      std::size_t shown_max = 12);

}  // namespace rejoin::reports
