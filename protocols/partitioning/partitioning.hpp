// Keeps the partition map what the placement says: the leader proposes the next map when members
// change, and every node tells its siblings what a new map asks of it (hooks.hpp).
//
// Invariants:
// 1. Only the leader proposes, only against the map that it has applied, and one map at a time;
//    of two maps of one epoch the second is refused when it is applied.
// 2. A map is proposed only while every membership change that the leader knows of has been
//    applied: otherwise it would name nodes that are going, and data would move twice.
// 3. What is proposed may be refused or lost; as long as this node leads and the map is not what
//    the placement says, it tries again.
// 4. The first map that a process sees is its baseline and runs no hook.
//
// Not here: copying data (protocols/sync).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/options.hpp"
#include "protocols/membership/cluster_state.hpp"
#include "protocols/node/component.hpp"
#include "protocols/raft/consensus.hpp"

namespace rejoin {

class Partitioning final : public Component {
 public:
  Partitioning(Env& machine, NodeBus& bus, NodeId self, PartitioningOptions options,
               const ClusterStateMachine& cluster, raft::Consensus& consensus);

  [[nodiscard]] Channel channel() const override { return Channel::partitioning; }
  void start() override {}
  [[nodiscard]] bool on_message(Address from, MessageKind kind, ByteView body) override;
  void on_timer(TimerId timer) override;
  void on_io(const IoDone& done) override;
  void on_local(const LocalEvent& event) override;

 private:
  void on_leader_changed(const local::LeaderChanged& changed);
  void on_cluster_changed(const local::ClusterChanged& changed);
  void schedule(Duration delay);
  void stop();
  void rebalance();
  [[nodiscard]] bool membership_settled() const;
  void refuse(const std::string& reason, const std::vector<NodeId>& members);
  void run_hooks(const PartitionMap& before, const PartitionMap& after);
  [[nodiscard]] fact::ChangeReason reason_for(NodeId target) const;
  void forget_explained(const PartitionMap& after);

  SubEnv env_;
  NodeBus& bus_;
  NodeId self_;
  PartitioningOptions options_;
  const ClusterStateMachine& cluster_;
  raft::Consensus& consensus_;

  // ---- Of the leader ----
  bool leading_ = false;
  bool scheduled_ = false;
  std::optional<LogIndex> proposed_;  // a map that was taken in proposed_in_, not applied yet
  Term proposed_in_;
  // The members for which a shortage was published.
  std::optional<std::vector<NodeId>> refused_for_;

  // ---- Of every node ----
  bool has_baseline_ = false;
  // Members that came (true: again) and went since a map took account of it.
  std::map<NodeId, bool> joined_;
  std::set<NodeId> removed_;
};

}  // namespace rejoin
