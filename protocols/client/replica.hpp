// The replica side: carries out what coordinators, this node's own among them, ask of this node's
// store, and answers when the answer is durable.
//
// Invariants:
// 1. No answer shows or promises what a crash of this node could take back: it waits for the
//    store's sequence.
// 2. A partition that this node does not own, by a map at least as new as the asker's, is refused;
//    so is a read of a fenced one.
//
// Not here: which replicas are asked and how their answers count (coordinator.cpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "protocols/client/messages.hpp"
#include "protocols/membership/cluster_state.hpp"
#include "protocols/store/store.hpp"
#include "protocols/sync/coordination.hpp"
#include "protocols/sync/gate.hpp"

namespace rejoin {

class Replica {
 public:
  using LocalReply =
      std::variant<ReplicaWriteReply, ReplicaReadReply, ReplicaRepairReply, HintedWriteReply>;

  Replica(Env& env, NodeId self, const ClusterStateMachine& cluster, Store& store, const Gate& gate,
          const Coordination& coordination);

  // The store has been read back and there is a map: requests can be served.
  [[nodiscard]] bool ready() const;
  [[nodiscard]] PartitionId partition_of_key(const Key& key) const;  // ready only

  // Answers go to `asker`; to this node itself, they wait in take_local().
  void write(Address asker, const ReplicaWrite& message);
  void read(Address asker, const ReplicaRead& message);
  void read(Address asker, const RepairRead& message);
  void repair(Address asker, const ReplicaRepair& message);
  // False when nobody would ask this node for it. Answered once the hint is durable.
  [[nodiscard]] bool keep_hint(Address asker, const HintedWrite& message);
  // Whether the record can be one of this cluster's: a peer may send anything.
  [[nodiscard]] bool takes(const Record& record) const {
    return well_formed(store_.rules(), record);
  }
  // What a client is told of a record; null: nothing is known of the key.
  void show(const Record* record, ClientReply& reply) const;
  // From this node's store, whatever the map says.
  void direct_read(Address client, const ClientRequest& request);

  // Answers whose sequence is durable now go out.
  void on_durable();
  void on_hints_durable();
  [[nodiscard]] std::vector<LocalReply> take_local();

 private:
  using Reply = std::variant<ReplicaWriteReply, ReplicaReadReply, ReplicaRepairReply,
                             RepairReadReply, HintedWriteReply, ClientReply>;
  struct Waiting {
    Address to;
    Reply reply;
  };

  [[nodiscard]] bool may_serve(PartitionId partition, Epoch asker_epoch) const;
  template <class Answer, class Question>
  void answer_read(Address asker, const Question& message);
  void redirect(PartitionId partition, const ClientRequest& request, ClientReply& reply) const;
  void answer(Address to, std::uint64_t seq, Reply reply);
  void send(Address to, const Reply& reply);

  Env& env_;
  NodeId self_;
  const ClusterStateMachine& cluster_;
  Store& store_;
  const Gate& gate_;
  const Coordination& coordination_;
  std::multimap<std::uint64_t, Waiting> waiting_;  // by sequence; equal ones in order of arrival
  std::multimap<std::uint64_t, Waiting> waiting_hints_;  // by the hints' sequence
  std::vector<LocalReply> local_;
};

}  // namespace rejoin
