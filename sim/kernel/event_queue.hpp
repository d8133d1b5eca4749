// The queue of future events behind one interface, with two implementations: a ladder for runs and
// a plain 4-ary heap as its oracle in tests (and for what lands late in the ladder's bottom run).
//
// Invariants:
// 1. pop() returns the least (at, order, sequence); sequences are unique, so the order is total
//    and both implementations agree on it.
// 2. An entry may be pushed before the last one popped; at_ns is 0 or more.
// 3. `spare` belongs to the queue: what was pushed there is not what is popped.
//
// Not here: what an event is, and removal from the middle (the kernel skips stale entries).
#pragma once

#include <array>
#include <cstddef>
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

class HeapQueue {
 public:
  void push(const QueueEntry& entry);
  QueueEntry pop();  // not empty
  [[nodiscard]] const QueueEntry& front() const { return heap_.front(); }
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  // Empties the queue; in no particular order.
  [[nodiscard]] std::vector<QueueEntry> take_all();

 private:
  std::vector<QueueEntry> heap_;
};

// A ladder queue (Tang, Goh and Thng, "Ladder queue: An O(1) priority queue structure for
// large-scale discrete event simulation", TOMACS 15(3), 2005). Entries beyond the ladder wait
// unsorted in the top; each rung spreads one bucket of the rung above; only the next bucket is
// sorted, in the bottom. Differs from the paper: bucket widths are powers of two, a rung is as
// fine as its entries' own range and its last bucket takes whatever is later (a far timer does
// not coarsen the near future), and what lands in a long bottom goes to a heap, so that a burst
// at one instant costs log n an entry.
class LadderQueue {
 public:
  void push(const QueueEntry& entry);
  QueueEntry pop();                         // not empty
  [[nodiscard]] const QueueEntry& front();  // not empty; until the next call
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::vector<QueueEntry> take_all();

 private:
  static constexpr std::size_t kRunMax = 64;    // sorted by insertion up to here
  static constexpr std::size_t kRungsMax = 16;  // then a bucket is sorted, however large
  static constexpr std::uint32_t kNil = 0xffffffffU;

  struct Rung {
    std::uint64_t start = 0;
    unsigned shift = 0;                // a bucket is 2^shift ns wide
    std::size_t current = 0;           // buckets before it are spent
    std::size_t left = 0;              // entries
    std::vector<std::uint32_t> heads;  // of lists through QueueEntry::spare in nodes_
  };

  [[nodiscard]] bool bottom_empty() const { return run_.empty() && late_.empty(); }
  void push_bottom(const QueueEntry& entry);
  void spread_bottom();
  void refill();
  void take_bucket(Rung& rung);
  void make_rung(const std::vector<QueueEntry>& entries);
  void sort_into_run();
  void link(Rung& rung, std::size_t bucket, const QueueEntry& entry);
  void drop_spent_rungs();

  std::size_t size_ = 0;
  std::uint64_t top_start_ = 0;  // what is at or after it is in the top
  std::vector<QueueEntry> top_;
  std::array<Rung, kRungsMax> rungs_;  // the first `depth_` are in use, coarsest first
  std::size_t depth_ = 0;
  std::vector<QueueEntry> nodes_;  // of all lists
  std::uint32_t free_ = kNil;
  std::vector<QueueEntry> run_;  // descending: the last is the next
  HeapQueue late_;               // what came into the bottom's time after a long run was sorted
  std::size_t spread_at_ = kRunMax;
  std::vector<QueueEntry> scratch_;
};

}  // namespace rejoin::sim
