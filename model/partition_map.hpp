// Which nodes own which partition, and which partition owns which key.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/fields.hpp"
#include "model/ids.hpp"

namespace rejoin {

// Invariants: one map an epoch; owners of a partition are distinct, the first is the primary.
struct PartitionMap {
  Epoch epoch;                              // 0: no map was ever made
  std::vector<std::vector<NodeId>> owners;  // by partition

  [[nodiscard]] std::size_t partition_count() const { return owners.size(); }
  [[nodiscard]] const std::vector<NodeId>& owners_of(PartitionId p) const {
    return owners[p.value];
  }
  [[nodiscard]] bool owns(NodeId node, PartitionId partition) const;

  friend bool operator==(const PartitionMap&, const PartitionMap&) = default;
  REJOIN_FIELDS(epoch, owners)
};

// First four bytes of md5(key), big-endian, modulo the number of partitions (>= 1): ClusterKit's
// rule, so that its published vectors hold here.
[[nodiscard]] PartitionId partition_of(std::string_view key, std::size_t partition_count);

// A fingerprint of the whole map, for facts and digests.
[[nodiscard]] std::uint64_t fingerprint(const PartitionMap& map);

}  // namespace rejoin
