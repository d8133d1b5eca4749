#include "protocols/partitioning/hooks.hpp"

#include <doctest/doctest.h>

#include "protocols/partitioning/placement.hpp"

namespace rejoin {
namespace {

using Nodes = std::vector<NodeId>;
const Nodes all_three = {NodeId(1), NodeId(2), NodeId(3)};
const Nodes first_two = {NodeId(1), NodeId(2)};

PartitioningOptions faithful() {
  PartitioningOptions options;
  options.skip_promoted_source = true;
  options.hooks_on_role_change = true;
  return options;
}

TEST_CASE("as documented, only a node that becomes an owner gets the hook, from all old owners") {
  const Nodes before = {NodeId(3), NodeId(1)};
  const Nodes after = {NodeId(1), NodeId(2)};
  const OwnerChange change{before, after, all_three};
  CHECK(hook_targets(change, {}) == Nodes{NodeId(2)});
  CHECK(hook_sources(change, NodeId(2), {}) == Nodes{NodeId(3), NodeId(1)});
  // An old owner that is no member is no source.
  CHECK(hook_sources({before, after, first_two}, NodeId(2), {}) == Nodes{NodeId(1)});
}

TEST_CASE("an owner that stays, whatever its role, gets no hook as documented") {
  const Nodes before = {NodeId(1), NodeId(2)};
  const Nodes after = {NodeId(2), NodeId(1)};
  CHECK(hook_targets({before, after, all_three}, {}).empty());
  // ClusterKit: the primary changed, and the old primary is a replica that was none.
  CHECK(hook_targets({before, after, all_three}, faithful()) == Nodes{NodeId(2), NodeId(1)});
}

TEST_CASE("ClusterKit skips a promoted replica as a source, for every target") {
  const Nodes before = {NodeId(3), NodeId(1)};
  const Nodes after = {NodeId(1), NodeId(2)};
  const OwnerChange change{before, after, first_two};
  CHECK(hook_targets(change, faithful()) == Nodes{NodeId(1), NodeId(2)});
  CHECK(hook_sources(change, NodeId(1), faithful()).empty());
  CHECK(hook_sources(change, NodeId(2), faithful()).empty());
  // With the old primary alive there is a source left.
  CHECK(hook_sources({before, after, all_three}, NodeId(2), faithful()) == Nodes{NodeId(3)});
}

TEST_CASE("RF 2, P 64, from 3 to 2 nodes: 22 new owners have nobody to copy from, in ClusterKit") {
  PartitioningOptions options;
  options.replication = 2;
  const PartitionMap before = *make_map(Epoch(1), options, all_three);
  const PartitionMap after = *make_map(Epoch(2), options, first_two);
  const auto new_owners_without_source = [&](const PartitioningOptions& behaviour) {
    std::size_t without = 0;
    for (std::uint32_t i = 0; i < 64; ++i) {
      const PartitionId p(i);
      const OwnerChange change{before.owners_of(p), after.owners_of(p), first_two};
      for (const NodeId target : hook_targets(change, behaviour)) {
        if (before.owns(target, p)) continue;  // holds the data already
        without += hook_sources(change, target, behaviour).empty() ? 1U : 0U;
      }
    }
    return without;
  };
  CHECK(new_owners_without_source(faithful()) == 22);
  CHECK(new_owners_without_source({}) == 0);
}

}  // namespace
}  // namespace rejoin
