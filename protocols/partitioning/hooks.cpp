#include "protocols/partitioning/hooks.hpp"

#include <algorithm>
#include <cstddef>

namespace rejoin {

namespace {

bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

// Of an owner: the first is the primary, the others are replicas.
bool is_primary(const std::vector<NodeId>& owners, NodeId node) {
  return !owners.empty() && owners.front() == node;
}

bool is_replica(const std::vector<NodeId>& owners, NodeId node) {
  return contains(owners, node) && !is_primary(owners, node);
}

}  // namespace

std::vector<NodeId> hook_targets(const OwnerChange& change, const PartitioningOptions& options) {
  std::vector<NodeId> targets;
  for (const NodeId node : change.after) {
    const bool had_role = is_primary(change.after, node) ? is_primary(change.before, node)
                                                         : is_replica(change.before, node);
    const bool had_data = contains(change.before, node);
    if (options.hooks_on_role_change ? !had_role : !had_data) targets.push_back(node);
  }
  return targets;
}

std::vector<NodeId> hook_sources(const OwnerChange& change, NodeId target,
                                 const PartitioningOptions& options) {
  std::vector<NodeId> sources;
  for (const NodeId node : change.before) {
    if (node == target) continue;
    if (!std::binary_search(change.members.begin(), change.members.end(), node)) continue;
    const bool is_promoted = is_replica(change.before, node) && is_primary(change.after, node);
    if (is_promoted && options.skip_promoted_source) continue;
    sources.push_back(node);
  }
  return sources;
}

}  // namespace rejoin
