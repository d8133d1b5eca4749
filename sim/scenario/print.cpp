#include "sim/scenario/print.hpp"

#include <algorithm>
#include <utility>

#include "model/params.hpp"
#include "sim/scenario/fields.hpp"

namespace rejoin::sim {

namespace {

constexpr std::size_t kColumns = 100;

// The keys of the file, in the order of the manual.
const std::vector<std::string_view> kOrder = {
    "format",      "name",     "about",    "seed",    "trials",     "profile", "cluster",
    "membership",  "raft",     "topology", "network", "host",       "disk",    "store",
    "coordinator", "versions", "sync",     "gate",    "fetch",      "client",  "fifo",
    "timeline",    "nemesis",  "check",    "expect",  "thresholds", "limits"};
const std::vector<std::string_view> kStepOrder = {"label", "at", "after", "when"};

std::size_t rank(std::string_view key, const std::vector<std::string_view>& order) {
  const auto at = std::find_if(order.begin(), order.end(), [&](std::string_view each) {
    return normal_name(each) == normal_name(key);
  });
  return static_cast<std::size_t>(at - order.begin());
}

void sort_keys(Tree& map, const std::vector<std::string_view>& order) {
  std::stable_sort(map.entries.begin(), map.entries.end(), [&](const Entry& a, const Entry& b) {
    return rank(a.key, order) < rank(b.key, order);
  });
}

void drop_ignored(Tree& tree) {
  std::erase_if(tree.entries, [](const Entry& entry) { return is_ignored(entry.key); });
  for (Entry& entry : tree.entries) drop_ignored(entry.value);
  for (Tree& item : tree.items) drop_ignored(item);
}

// Texts that YAML reads as themselves, here and in every other reader.
bool is_plain(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return false;
  }
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '/' || c == '.';
  };
  if (!is_word(text.front()) || text == "...") return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_word(c) || c == '-' || c == '+' || c == '%' || c == '(' || c == ')';
  });
}

std::string scalar_text(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (is_plain(text)) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += digits[byte >> 4U];
      out += digits[byte & 0xfU];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string flow(const Tree& tree) {
  std::string out;
  switch (tree.kind) {
    case Tree::Kind::null:
      return "null";
    case Tree::Kind::scalar:
      return scalar_text(tree.text);
    case Tree::Kind::list:
      for (const Tree& item : tree.items) out += (out.empty() ? "" : ", ") + flow(item);
      return "[" + out + "]";
    case Tree::Kind::map:
      if (tree.entries.empty()) return "{}";
      for (const Entry& entry : tree.entries) {
        out += (out.empty() ? "" : ", ") + scalar_text(entry.key) + ": " + flow(entry.value);
      }
      return "{ " + out + " }";
  }
  return out;
}

// After `key:` or `-`, whose line has `used` columns: on that line if it fits, else below.
void print_value(const Tree& tree, std::size_t indent, std::size_t used, std::string& out) {
  const std::string line = flow(tree);
  const bool may_break = (tree.is_map() && !tree.entries.empty() && !is_pick(tree)) ||
                         (tree.is_list() && !tree.items.empty());
  if (!may_break || used + 1 + line.size() <= kColumns) {
    out += " " + line + "\n";
    return;
  }
  out += "\n";
  const std::string margin(indent, ' ');
  for (const Entry& entry : tree.entries) {
    const std::string key = margin + scalar_text(entry.key) + ":";
    out += key;
    print_value(entry.value, indent + 2, key.size(), out);
  }
  for (const Tree& item : tree.items) {
    out += margin + "-";
    print_value(item, indent + 2, margin.size() + 1, out);
  }
}

}  // namespace

Tree in_order(const Tree& file) {
  Tree out = file;
  drop_ignored(out);
  out.erase("extends");
  sort_keys(out, kOrder);
  for (Entry& entry : out.entries) {
    const std::string section = normal_name(entry.key);
    std::vector<std::string_view> order;
    for (const Field& field : fields()) {
      if (!field.section.empty() && section == normal_name(field.section)) {
        order.push_back(field.key);
      }
    }
    if (!order.empty() && entry.value.is_map()) sort_keys(entry.value, order);
    if (section != "timeline") continue;
    for (Tree& step : entry.value.items) sort_keys(step, kStepOrder);
  }
  return out;
}

std::string print_yaml(const Tree& file) {
  std::string out;
  for (const Entry& entry : file.entries) {
    const std::string key = scalar_text(entry.key) + ":";
    out += key;
    // Steps are read one below the other, however short.
    if (normal_name(entry.key) == "timeline" && !entry.value.items.empty()) {
      out += "\n";
      for (const Tree& step : entry.value.items) {
        out += "  -";
        print_value(step, 4, 3, out);
      }
    } else {
      print_value(entry.value, 2, key.size(), out);
    }
  }
  return out;
}

}  // namespace rejoin::sim
