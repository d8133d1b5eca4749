// What a store holds of one partition, in memory: its records, each with the sequence of the log
// that made it, ordered by key.
//
// Invariants:
// 1. What get() returns is what put() was given last.
// 2. A record takes what it takes on the wire and some ten bytes more (model/packed_map.hpp): as a
//    struct it would take 240. That makes a copy of it, some 50 ns, the price of every look at it.
//
// Not here: durability and versions (store.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "model/packed_map.hpp"
#include "model/record.hpp"
#include "model/wire.hpp"

namespace rejoin::store {

struct Held {
  Record record;
  std::uint64_t seq = 0;
};

class RecordTable {
 public:
  [[nodiscard]] std::optional<Held> get(const Key& key) const;
  [[nodiscard]] std::optional<std::uint64_t> sequence_of(const Key& key) const;
  void put(const Record& record, std::uint64_t seq);
  void erase(const Key& key) { entries_.erase(key); }
  void clear() { entries_.clear(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  // visit(const Held&) for the records with key >= `first`, in order, until it says false.
  template <class Visit>
  void visit(const Key& first, Visit visit) const {
    entries_.visit(
        first, [&visit](std::string_view key, ByteView rest) { return visit(unpack(key, rest)); });
  }

 private:
  [[nodiscard]] static Held unpack(std::string_view key, ByteView rest);

  PackedMap entries_;  // by key: the sequence, and the record without its key
  Writer packed_;      // used again, so that a put allocates nothing
};

}  // namespace rejoin::store
