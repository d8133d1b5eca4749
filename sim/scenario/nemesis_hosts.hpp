// Whom a fault would hit, as far as its selectors show it before the run.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "model/random.hpp"
#include "model/schedule.hpp"
#include "sim/scenario/tree.hpp"

namespace rejoin::sim {

struct NodesHit {
  std::set<NodeId> nodes{};  // who are known by name
  std::uint32_t roving = 0;  // how many more are known only at run time: the leader, an owner
  std::uint32_t least = 0;   // how many it hits whoever is drawn; a node too many is too many
};

// Of the value of a parameter of type hosts, or host_sets: all sets but the largest (a client
// alone counts nothing). A text that is no selector hits nobody: the reader complains about it.
[[nodiscard]] NodesHit nodes_hit(const Tree& value, const Schedule& schedule);
[[nodiscard]] NodesHit nodes_hit(const ParamValue& value, const Schedule& schedule);

// The same value with `random`, `random(N)`, `minority` and `majority` made names: the first three
// by draws from `pool` (as many as there are), the last being whoever is not in it, or, when the
// pool is everyone, a majority.
[[nodiscard]] Tree name_hosts(const Tree& value, const std::vector<NodeId>& pool,
                              const Schedule& schedule, const DrawKey& key);

// So many of them, in order of id.
[[nodiscard]] std::vector<NodeId> draw_nodes(std::vector<NodeId> from, std::size_t count,
                                             DrawKey key);

}  // namespace rejoin::sim
