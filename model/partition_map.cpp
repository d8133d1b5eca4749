#include "model/partition_map.hpp"

#include <algorithm>

#include "model/hash.hpp"
#include "model/wire.hpp"

namespace rejoin {

bool PartitionMap::owns(NodeId node, PartitionId partition) const {
  if (partition.value >= owners.size()) return false;
  const auto& nodes = owners[partition.value];
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

PartitionId partition_of(std::string_view key, std::size_t partition_count) {
  const auto digest = md5(key);
  std::uint32_t head = 0;
  for (std::size_t i = 0; i < 4; ++i) head = head << 8U | digest[i];
  return PartitionId(static_cast<std::uint32_t>(head % partition_count));
}

std::uint64_t fingerprint(const PartitionMap& map) {
  return hash64(encode(map));
}

}  // namespace rejoin
