// The log in memory: a contiguous run of entries after a start that is known by index and term.
//
// Invariants:
// 1. Entries are start_index() + 1 .. last_index(), without gaps; terms never decrease.
// 2. What is at or before start_index() is covered by a snapshot.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "protocols/raft/messages.hpp"

namespace rejoin::raft {

class EntryLog {
 public:
  EntryLog() = default;
  EntryLog(LogIndex start_index, Term start_term)
      : start_index_(start_index), start_term_(start_term) {}

  [[nodiscard]] LogIndex start_index() const { return start_index_; }
  [[nodiscard]] Term start_term() const { return start_term_; }
  [[nodiscard]] LogIndex last_index() const {
    return LogIndex(start_index_.value + entries_.size());
  }
  [[nodiscard]] Term last_term() const {
    return entries_.empty() ? start_term_ : entries_.back().term;
  }
  [[nodiscard]] const std::deque<Entry>& entries() const { return entries_; }
  // None before start_index() and after last_index().
  [[nodiscard]] std::optional<Term> term_at(LogIndex index) const;
  // index: start_index() + 1 .. last_index().
  [[nodiscard]] const Entry& at(LogIndex index) const;
  [[nodiscard]] bool contains(LogIndex index, Term term) const { return term_at(index) == term; }
  // The last index up to `index` whose term is at most `term`; start_index() when none is.
  [[nodiscard]] LogIndex last_index_of_term_at_most(LogIndex index, Term term) const;

  // The entry's index is last_index() + 1.
  void append(Entry entry);
  // Drops `from` and all after it. from > start_index().
  void truncate(LogIndex from);
  // Drops all up to `index`, which becomes the start. start_index() <= index <= last_index().
  void compact(LogIndex index);

 private:
  LogIndex start_index_;
  Term start_term_;
  std::deque<Entry> entries_;
};

}  // namespace rejoin::raft
