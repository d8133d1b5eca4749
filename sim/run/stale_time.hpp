// How long replicas that clients may ask held something older than what had been acknowledged.
//
// Invariants:
// 1. What is stale is what a row of the table counts (World::copy_of): by nodes that are up,
// members
//    and owners. A write that is acknowledged before all owners have it makes the others stale
//    until it arrives there.
// 2. A fact costs what it changes: the copies of one key; all of a node when its process or disk
//    comes or goes; everything when the membership or the map changes.
#pragma once

#include <cstdint>
#include <set>
#include <utility>

#include "model/facts.hpp"
#include "model/time.hpp"
#include "sim/invariants/world.hpp"

namespace rejoin::sim {

class StaleTime {
 public:
  explicit StaleTime(const World& world) : world_(world) {}

  // After the world has absorbed the fact.
  void on_fact(MonotonicTime at, const FactSource& source, const Fact& fact);

  // Up to `end`, which is no earlier than the last fact: time in which any copy was stale or
  // missing; and that time summed over all such copies.
  [[nodiscard]] Duration any(MonotonicTime end) const;
  [[nodiscard]] Duration copies(MonotonicTime end) const;

 private:
  void look_at(NodeId node, const Key& key);
  void look_at_copies(const Key& key);
  void look_at_all(NodeId node);
  void look_at_all();

  const World& world_;
  std::set<std::pair<NodeId, Key>> behind_;
  MonotonicTime last_{};  // when the two below were counted up to
  Duration any_{};
  Duration copies_{};
};

}  // namespace rejoin::sim
