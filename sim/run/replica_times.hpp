// What each node, and each replica of each key, was like over time: for pictures of a run.
//
// Invariants:
// 1. What is stale or missing is what a row of the table counts (World::copy_of).
// 2. A fact costs what it changes, as in stale_time.hpp.
// 3. Spans of a node are joined above twice `spans_max`, down to so many where states allow it.
// 4. A write is durable from the moment on at which its node says so, until a crash shows what is
//    left.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "model/facts.hpp"
#include "model/run_events.hpp"
#include "sim/invariants/world.hpp"

namespace rejoin::sim {

class ReplicaTimes {
 public:
  static constexpr std::size_t kSpansMax = 20'000;

  explicit ReplicaTimes(const World& world, std::size_t spans_max = kSpansMax);

  // After the world has absorbed the fact.
  void on_fact(MonotonicTime at, const FactSource& source, const Fact& fact);
  // Once, at the end of the run: closes what is open.
  void finish(MonotonicTime end);
  // By node. Whole once it is finished.
  [[nodiscard]] const std::vector<std::vector<RunEvents::NodeSpan>>& spans() const {
    return spans_;
  }
  // Spans that have gone into others.
  [[nodiscard]] std::uint64_t joined() const { return joined_; }
  [[nodiscard]] std::map<Key, RunEvents::Store>& stores() { return stores_; }

 private:
  using Cause = RunEvents::HeldCause;
  struct Counts {
    std::uint64_t keys = 0;
    std::uint64_t stale = 0;
    std::uint64_t missing = 0;
  };
  struct Undurable {
    std::uint64_t seq = 0;
    Key key;
  };

  void absorb(MonotonicTime at, const FactSource& source, const Fact& fact);
  void claim(NodeId node, const Fact& fact);
  void look_at_held(MonotonicTime at, NodeId node, const Key& key, Cause cause);
  void look_at_copy(NodeId node, const Key& key);
  void look_at_copies(const Key& key);
  void look_at_all_held(MonotonicTime at, NodeId node, Cause cause);
  void look_at_all_copies();
  void make_durable(MonotonicTime at, NodeId node, std::uint64_t up_to);
  void take_span(MonotonicTime at, NodeId node);
  [[nodiscard]] bool claims(NodeId node) const;

  const World& world_;
  std::size_t spans_max_;
  std::vector<std::vector<RunEvents::NodeSpan>> spans_;
  std::vector<std::size_t> join_at_;  // by node: how many spans are too many
  std::uint64_t joined_ = 0;
  std::map<Key, RunEvents::Store> stores_;
  std::map<NodeId, Counts> counts_;
  std::map<std::pair<NodeId, Key>, Copy> behind_;  // none of them current
  std::map<NodeId, std::deque<Undurable>> undurable_;
  std::map<NodeId, std::set<PartitionId>> claimed_;
};

}  // namespace rejoin::sim
