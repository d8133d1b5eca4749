// What a file says, before anyone asks what it means: scalars, lists and maps, each knowing where
// it was written.
//
// Invariants:
// 1. Keys of a map are distinct up to `-`, `_` and case.
// 2. A scalar is its text: numbers, booleans and durations are told apart by who reads them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {

// A file or an override as it was read, for carets.
struct Source {
  std::string file;
  std::vector<std::string> lines;  // empty for an override
};

struct Mark {
  std::shared_ptr<const Source> source;
  int line = 0;    // from 1; 0: the whole source
  int column = 0;  // in bytes, from 1
};

// `file:line:column`
[[nodiscard]] std::string to_text(const Mark& mark);

struct Entry;

struct Tree {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text;            // of a scalar
  std::vector<Tree> items;     // of a list
  std::vector<Entry> entries;  // of a map, in the order written
  Mark mark;

  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  // The value of a key (`-` and `_` alike), or null.
  [[nodiscard]] const Tree* find(std::string_view key) const;
  [[nodiscard]] Tree* find(std::string_view key);
  void set(std::string_view key, Tree value);  // replaces in place, or appends
  void erase(std::string_view key);
};

struct Entry {
  std::string key;
  Mark mark;
  Tree value;
};

[[nodiscard]] Tree make_scalar(std::string text, Mark mark = {});
[[nodiscard]] Tree make_list(std::vector<Tree> items, Mark mark = {});
[[nodiscard]] Tree make_map(std::vector<Entry> entries, Mark mark = {});

// `{ pick: ... }`: a value that a seed chooses once for a run.
[[nodiscard]] bool is_pick(const Tree& tree);
// Keys that begin with x- are notes to people and other tools.
[[nodiscard]] bool is_ignored(std::string_view key);
// Letters, digits, `-` and `_`, at most kLabelMax of them.
inline constexpr std::size_t kLabelMax = 64;
[[nodiscard]] bool is_label(std::string_view text);
// What was found, for messages: `5` in backticks, `a list`, `a map`, `nothing`.
[[nodiscard]] std::string found(const Tree& tree);

// Collects what is wrong with a file, so that all of it is said at once.
class Problems {
 public:
  static constexpr std::size_t kShown = 100;

  void add(const Mark& mark, std::string message, std::string hint = {});
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  [[nodiscard]] Diagnostics take();

 private:
  Diagnostics list_;
  std::size_t left_out_ = 0;
};

// As files are written: `one-way` for `one_way`.
[[nodiscard]] std::string written_name(std::string_view name);
// `did you mean X? Known here: A, B, C`; without the question when no name is near.
[[nodiscard]] std::string known_hint(std::string_view name, const std::vector<std::string>& known);

}  // namespace rejoin::sim
