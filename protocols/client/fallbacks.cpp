#include "protocols/client/fallbacks.hpp"

#include <utility>

#include "protocols/partitioning/placement.hpp"

namespace rejoin {

std::vector<NodeId> Fallbacks::of(PartitionId partition) {
  const PartitionMap& map = *cluster_.state().map;
  if (longer_ == nullptr) {
    PartitioningOptions longer = options_;
    longer.partitions = static_cast<std::uint32_t>(map.partition_count());
    longer.replication += kMax;
    longer.shortage = MapShortage::as_many_as_nodes;
    auto made = make_map(map.epoch, longer, cluster_.state().member_ids());
    if (!made) return {};
    longer_ = std::make_shared<const PartitionMap>(*std::move(made));
  }
  std::vector<NodeId> out;
  for (const NodeId node : longer_->owners_of(partition)) {
    if (!map.owns(node, partition) && out.size() < kMax) out.push_back(node);
  }
  return out;
}

}  // namespace rejoin
