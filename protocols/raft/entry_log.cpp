#include "protocols/raft/entry_log.hpp"

#include <algorithm>

#include "model/check.hpp"

namespace rejoin::raft {

std::optional<Term> EntryLog::term_at(LogIndex index) const {
  if (index == start_index_) return start_term_;
  if (index < start_index_ || index > last_index()) return std::nullopt;
  return at(index).term;
}

const Entry& EntryLog::at(LogIndex index) const {
  CHECK_THAT(index > start_index_ && index <= last_index());
  return entries_[index.value - start_index_.value - 1];
}

LogIndex EntryLog::last_index_of_term_at_most(LogIndex index, Term term) const {
  // Invariant 1: terms never decrease, so the entries that qualify are a prefix.
  const auto end = std::partition_point(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.index <= index && entry.term <= term;
  });
  return LogIndex(start_index_.value + static_cast<std::uint64_t>(end - entries_.begin()));
}

void EntryLog::append(Entry entry) {
  CHECK_THAT(entry.index == last_index().next());
  CHECK_THAT(entry.term >= last_term());
  entries_.push_back(std::move(entry));
}

void EntryLog::truncate(LogIndex from) {
  CHECK_THAT(from > start_index_);
  while (last_index() >= from) entries_.pop_back();
}

void EntryLog::compact(LogIndex index) {
  const std::optional<Term> term = term_at(index);
  CHECK_THAT(term.has_value());
  while (start_index_ < index) {
    entries_.pop_front();
    start_index_ = start_index_.next();
  }
  start_term_ = *term;
}

}  // namespace rejoin::raft
