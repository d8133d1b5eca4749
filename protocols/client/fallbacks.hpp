// Who stands in for an owner that is down, in a sloppy quorum: the members that would be owners
// next if there were more copies, in the order of the placement.
//
// Invariants:
// 1. Every node that has applied the same members says the same of a partition.
//
// Not here: who is down.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/options.hpp"
#include "protocols/membership/cluster_state.hpp"

namespace rejoin {

class Fallbacks {
 public:
  // Beyond so many nobody is asked: a write that so many could not take is refused by its level.
  static constexpr std::uint32_t kMax = 8;

  Fallbacks(PartitioningOptions options, const ClusterStateMachine& cluster)
      : options_(std::move(options)), cluster_(cluster) {}

  // Members that are no owners of the partition, the next one first; at most kMax.
  [[nodiscard]] std::vector<NodeId> of(PartitionId partition);
  // Members may have changed.
  void forget() { longer_.reset(); }

 private:
  PartitioningOptions options_;
  const ClusterStateMachine& cluster_;
  std::shared_ptr<const PartitionMap> longer_;  // the map with kMax more copies
};

}  // namespace rejoin
