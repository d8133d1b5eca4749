// A client's copy of the partition map: who is asked first for a key.
//
// Invariants:
// 1. What is kept is well formed, and never replaced by an older map: answers may overtake each
//    other.
// 2. It may be as stale as it likes. Nothing is decided by it but whom to ask first.
//
// Not here: when it is asked for, and of whom (client.cpp).
#pragma once

#include <cstdint>
#include <vector>

#include "model/ids.hpp"
#include "model/partition_map.hpp"
#include "model/record.hpp"

namespace rejoin {

class MapCache {
 public:
  enum class Taken : std::uint8_t { replaced, old_news, malformed };
  [[nodiscard]] Taken take(PartitionMap map);
  [[nodiscard]] Epoch epoch() const { return map_.epoch; }  // none before the first map
  // The primary first; empty before the first map. Valid until the next take.
  [[nodiscard]] const std::vector<NodeId>& owners_of(const Key& key) const;

 private:
  PartitionMap map_;
};

}  // namespace rejoin
