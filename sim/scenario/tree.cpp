#include "sim/scenario/tree.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "model/params.hpp"

namespace rejoin::sim {

std::string to_text(const Mark& mark) {
  if (mark.source == nullptr) return {};
  if (mark.line == 0) return mark.source->file;
  return mark.source->file + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column);
}

const Tree* Tree::find(std::string_view key) const {
  const std::string wanted = normal_name(key);
  for (const Entry& entry : entries) {
    if (normal_name(entry.key) == wanted) return &entry.value;
  }
  return nullptr;
}

Tree* Tree::find(std::string_view key) {
  return const_cast<Tree*>(std::as_const(*this).find(key));
}

void Tree::set(std::string_view key, Tree value) {
  if (Tree* const old = find(key)) {
    *old = std::move(value);
  } else {
    const Mark mark_of_key = value.mark;
    entries.push_back({std::string(key), mark_of_key, std::move(value)});
  }
}

void Tree::erase(std::string_view key) {
  const std::string unwanted = normal_name(key);
  std::erase_if(entries, [&](const Entry& entry) { return normal_name(entry.key) == unwanted; });
}

Tree make_scalar(std::string text, Mark mark) {
  Tree out;
  out.kind = Tree::Kind::scalar;
  out.text = std::move(text);
  out.mark = std::move(mark);
  return out;
}

Tree make_list(std::vector<Tree> items, Mark mark) {
  Tree out;
  out.kind = Tree::Kind::list;
  out.items = std::move(items);
  out.mark = std::move(mark);
  return out;
}

Tree make_map(std::vector<Entry> entries, Mark mark) {
  Tree out;
  out.kind = Tree::Kind::map;
  out.entries = std::move(entries);
  out.mark = std::move(mark);
  return out;
}

bool is_pick(const Tree& tree) {
  return tree.is_map() && tree.entries.size() == 1 && normal_name(tree.entries[0].key) == "pick";
}

bool is_ignored(std::string_view key) {
  return key.starts_with("x-");
}

bool is_label(std::string_view text) {
  if (text.empty() || text.size() > kLabelMax) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

std::string found(const Tree& tree) {
  constexpr std::size_t shown = 60;
  switch (tree.kind) {
    case Tree::Kind::null:
      return "nothing";
    case Tree::Kind::scalar:
      if (tree.text.size() > shown) return "`" + tree.text.substr(0, shown) + "...`";
      return "`" + tree.text + "`";
    case Tree::Kind::list:
      return "a list";
    case Tree::Kind::map:
      return "a map";
  }
  return "?";
}

namespace {

// Columns are counted in characters, as editors do; marks count bytes.
int column_in_characters(std::string_view line, int column) {
  int characters = 1;
  const auto bytes = static_cast<std::size_t>(std::max(column - 1, 0));
  for (const char c : line.substr(0, std::min(bytes, line.size()))) {
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++characters;
  }
  return characters;
}

}  // namespace

void Problems::add(const Mark& mark, std::string message, std::string hint) {
  Diagnostic out;
  if (mark.source != nullptr) {
    out.file = mark.source->file;
    if (mark.line > 0) {
      out.line = mark.line;
      const auto index = static_cast<std::size_t>(mark.line - 1);
      if (index < mark.source->lines.size()) out.source_line = mark.source->lines[index];
      out.column = column_in_characters(out.source_line, mark.column);
    }
  }
  out.message = std::move(message);
  out.hint = std::move(hint);
  const bool known = std::any_of(list_.begin(), list_.end(), [&](const Diagnostic& other) {
    return other.file == out.file && other.line == out.line && other.column == out.column &&
           other.message == out.message;
  });
  if (known) return;
  if (list_.size() == kShown) {
    ++left_out_;
    return;
  }
  list_.push_back(std::move(out));
}

Diagnostics Problems::take() {
  // In the order of the text, file by file as they were first met.
  std::vector<std::string> files;
  const auto place = [&files](const Diagnostic& diagnostic) {
    const auto at = std::find(files.begin(), files.end(), diagnostic.file);
    return std::tuple(at - files.begin(), diagnostic.line, diagnostic.column);
  };
  for (const Diagnostic& diagnostic : list_) {
    if (std::get<0>(place(diagnostic)) == std::ssize(files)) files.push_back(diagnostic.file);
  }
  std::stable_sort(list_.begin(), list_.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
  if (left_out_ != 0) {
    Diagnostic more;
    more.file = list_.back().file;
    more.message = "too many errors: " + std::to_string(left_out_) + " more are not shown";
    list_.push_back(std::move(more));
    left_out_ = 0;
  }
  return std::exchange(list_, {});
}

std::string written_name(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

std::string known_hint(std::string_view name, const std::vector<std::string>& known) {
  const std::string near = nearest_name(name, known);
  std::string out = near.empty() ? "" : "did you mean `" + near + "`? ";
  out += "known here: ";
  bool first = true;
  for (const std::string& each : known) {
    if (!first) out += ", ";
    first = false;
    out += each;
  }
  return known.empty() ? "nothing is known here" : out;
}

}  // namespace rejoin::sim
