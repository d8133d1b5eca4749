// The coordinator: the component of a node that serves clients. It finds the owners of a key,
// writes to or reads from them, and answers when as many as the level asks for have; and it is
// the replica side of that, too. Direct reads are answered from the own store.
//
// Invariants:
// 1. A write is acknowledged when as many owners as its level asks for hold it durably. Owners are
//    those of the map that this node has applied; replicas refuse partitions that they do not own
//    by a map at least as new. In a sloppy quorum a member that keeps the write durably as a hint
//    counts in place of the owner that it is for; no owner counts twice.
// 2. What a read shows is durable where it was read (Store::sequence_of).
// 3. A fenced partition (Gate) is never read here: the answer is `unavailable`.
// 4. A request is answered once; a retry of it is a new attempt at the same operation.
// 5. Under blocking read repair a read shows what as many owners as its level asks for hold
//    durably, so that no later read at levels that overlap sees less.
#pragma once

#include <memory>

#include "model/env.hpp"
#include "model/options.hpp"
#include "protocols/membership/cluster_state.hpp"
#include "protocols/node/component.hpp"
#include "protocols/raft/consensus.hpp"
#include "protocols/store/store.hpp"
#include "protocols/sync/coordination.hpp"
#include "protocols/sync/gate.hpp"

namespace rejoin {

class Coordinator final : public Component {
 public:
  Coordinator(Env& machine, NodeBus& bus, NodeId self, CoordinatorOptions options,
              const ClusterStateMachine& cluster, raft::Consensus& consensus, Store& store,
              const Gate& gate, const Coordination& coordination,
              const PartitioningOptions& partitioning);
  ~Coordinator() override;

  [[nodiscard]] Channel channel() const override { return Channel::coordinator; }
  void start() override;
  [[nodiscard]] bool on_message(Address from, MessageKind kind, ByteView body) override;
  void on_timer(TimerId timer) override;
  void on_io(const IoDone& done) override;
  void on_local(const LocalEvent& event) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rejoin
