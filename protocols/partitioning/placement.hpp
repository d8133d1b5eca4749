// Placements: which nodes own which partition. One .cpp each, with one registration.
//
// Invariants:
// 1. A placement is a pure function of its input: every node that computes it gets the same map.
// 2. The owners of a partition are distinct members, min(replication, members) of them, the
//    primary first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "model/ids.hpp"
#include "model/options.hpp"
#include "model/params.hpp"
#include "model/partition_map.hpp"
#include "model/registry.hpp"

namespace rejoin {

struct PlacementInput {
  std::uint32_t partitions = 0;
  std::uint32_t replication = 0;  // at least 1
  std::vector<NodeId> members;    // ascending, at least one
};

struct PlacementSpec {
  std::string_view name;
  std::string_view help;  // one line
  std::vector<ParamSpec> params;
  // Owners by partition. `params` is complete.
  std::vector<std::vector<NodeId>> (*place)(const PlacementInput& input,
                                            const Params& params) = nullptr;
};

using Placements = Registry<PlacementSpec>;

// The map that the options ask for with these members (in any order). The error is a sentence for
// people: `not enough nodes: 2 of 3`, `no placement is called "x"`.
[[nodiscard]] tl::expected<PartitionMap, std::string> make_map(Epoch epoch,
                                                               const PartitioningOptions& options,
                                                               std::vector<NodeId> members);

}  // namespace rejoin
