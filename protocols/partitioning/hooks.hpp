// OnPartitionChange: what a change of the map means for the nodes that must act on it. Pure.
//
// Two behaviours, chosen by PartitioningOptions. As documented: one event for each node that
// becomes an owner, its sources being every old owner that is still a member. As ClusterKit's code
// does it: roles count, not ownership (hooks_on_role_change), and an old replica that the change
// promotes to primary is skipped as a source (skip_promoted_source), which can leave none.
// A node that loses a partition gets no event in either.
#pragma once

#include <vector>

#include "model/ids.hpp"
#include "model/options.hpp"

namespace rejoin {

// One partition before and after a change of the map; `members` as of the change, ascending.
struct OwnerChange {
  const std::vector<NodeId>& before;
  const std::vector<NodeId>& after;
  const std::vector<NodeId>& members;
};

// The nodes whose hook runs, in the order of `after`.
[[nodiscard]] std::vector<NodeId> hook_targets(const OwnerChange& change,
                                               const PartitioningOptions& options);
// Whom `target` may copy from, in the order of `before`.
[[nodiscard]] std::vector<NodeId> hook_sources(const OwnerChange& change, NodeId target,
                                               const PartitioningOptions& options);

}  // namespace rejoin
