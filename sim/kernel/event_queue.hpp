// The queue of future events behind one interface, with two implementations: a ladder for runs and
// a plain 4-ary heap as its oracle in tests (and for tiny queues).
//
// Invariant: pop() returns the least (at, order, sequence); sequences are unique, so the order is
// total and both implementations agree on it.
#pragma once

#include <cstdint>
#include <vector>

namespace rejoin::sim {

// 32 bytes. What an event does is in a table that `slot` names: the queue never touches it.
struct QueueEntry {
  std::int64_t at_ns = 0;
  std::uint64_t order = 0;     // keyed hash, or 0 with fifo
  std::uint64_t sequence = 0;  // of scheduling
  std::uint32_t slot = 0;
  std::uint32_t spare = 0;

  [[nodiscard]] friend bool operator<(const QueueEntry& a, const QueueEntry& b) {
    if (a.at_ns != b.at_ns) return a.at_ns < b.at_ns;
    if (a.order != b.order) return a.order < b.order;
    return a.sequence < b.sequence;
  }
};
static_assert(sizeof(QueueEntry) == 32);

}  // namespace rejoin::sim
