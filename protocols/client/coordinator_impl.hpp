// What the coordinator is made of; its parts are in coordinator.cpp (requests, settings),
// coordinator_writes.cpp, coordinator_reads.cpp, coordinator_repairs.cpp (what reads find to
// differ) and coordinator_hints.cpp (what owners did not take).
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "protocols/client/coordinator.hpp"
#include "protocols/client/fallbacks.hpp"
#include "protocols/client/messages.hpp"
#include "protocols/client/missed_writes.hpp"
#include "protocols/client/read_repairs.hpp"
#include "protocols/client/replica.hpp"

namespace rejoin {

namespace coordinator_detail {

// Timers besides those of requests, which bear the number of the client.
inline constexpr TimerId kMissedTimer{1ULL << 40U};
inline constexpr TimerId kRepairTimer{2ULL << 40U};

[[nodiscard]] inline bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

// The latest request of one client. A client has one operation open at a time, so what comes
// before it has no one waiting any more.
struct Request {
  ClientRequest message;  // with the latest attempt
  Address client;
  bool answered = false;

  std::vector<NodeId> owners;  // of the key, by the map as of the latest attempt
  Epoch epoch;                 // of that map
  std::size_t needed = 0;

  // Of a write.
  Version version;  // assigned once: a retry is no newer than the first try
  // Where versions track causality: what this node, an owner, made of it, and the sequence of the
  // store at which that is durable. Nobody else gets it before: a crash here would forget that the
  // dot was given away, and give it to another write.
  std::optional<Record> made;
  std::uint64_t made_seq = 0;
  bool replicated = false;
  bool written_here = false;
  bool outdated = false;        // an owner by a newer map refused it: it must be sent anew
  std::vector<NodeId> holders;  // hold it durably, or somebody does so for them
  // Of a sloppy quorum: who was asked to keep it for which owner.
  std::map<NodeId, NodeId> fallbacks;  // by owner

  // Of a read, its latest attempt.
  std::vector<NodeId> candidates;  // owners that can be asked, in that order
  std::size_t asked = 0;
  std::vector<NodeId> refused;
  std::vector<ReplicaReadReply> answers;

  // Of a configure: the term in which it was proposed.
  std::optional<Term> proposed;
};

[[nodiscard]] inline bool is_write(const Request& request) {
  return changes_key(request.message.operation);
}

}  // namespace coordinator_detail

struct Coordinator::Impl {
  using Request = coordinator_detail::Request;

  Impl(Env& machine, NodeId self_id, CoordinatorOptions options_to_use,
       const ClusterStateMachine& cluster_state, raft::Consensus& raft, Store& store_of_node,
       const Gate& gate_of_node, const Coordination& wanted,
       const PartitioningOptions& partitioning)
      : env(machine, Channel::coordinator, "coordinator"),
        self(self_id),
        options(options_to_use),
        replication(partitioning.replication),
        rules(store_of_node.rules()),
        cluster(cluster_state),
        consensus(raft),
        store(store_of_node),
        gate(gate_of_node),
        coordination(wanted),
        replica(env, self_id, cluster_state, store_of_node, gate_of_node, wanted),
        fallbacks(partitioning, cluster_state) {}

  void handle(Address from, const ClientRequest& message);
  void locate(Address from, const LocateRequest& message);
  void show_map(Address from, const MapRequest& message);
  void notify_watchers();
  void start(Request& request);
  void start_write(Request& request);
  [[nodiscard]] bool make(Request& request);
  [[nodiscard]] Actor writer_of(const Request& request) const;
  void send_on(const Request& request);
  void replicate(Request& request);
  void on_durable();
  void answer_if_held(Request& request);
  void follow_map();
  void on_refused(const RequestId& id);
  void start_read(Request& request);
  void ask_next(Request& request);
  void start_configure(Request& request);
  void answer_configured();
  void handle_local_replies();
  void handle(const ReplicaWriteReply& reply);
  void handle(const ReplicaReadReply& reply);
  void on_timeout(ClientId client);
  void answer(Request& request, ResultKind result);
  void answer_read(Request& request, const std::optional<Record>& found);

  // The messages of both parts below; false as of Component::on_message.
  [[nodiscard]] bool take_for_mechanisms(Address from, MessageKind kind, ByteView body);

  // ---- Read repair ----
  [[nodiscard]] bool repairs(const Request& request);
  void finish_read(Request& request, const std::optional<Record>& found);
  void ask_the_others(Request& request, RepairedRead& read);
  [[nodiscard]] RepairedRead* find_repair(const RequestId& id, std::uint32_t attempt);
  // A replica has answered a read that its client need not wait for.
  void compare(RepairedRead& read, NodeId node, const std::optional<Record>& record);
  void mend(RepairedRead& read, NodeId node);
  void tell_if_held(RepairedRead& read);
  void drop_if_done(const RequestId& id);
  void forget_repair(const RequestId& id);
  void handle(const RepairReadReply& reply);
  void handle(const ReplicaRepairReply& reply);
  void end_repairs();
  void arm_repairs();

  // ---- Hints ----
  void heard(Address from);
  void asked(Address node);
  void follow_members();
  [[nodiscard]] bool is_silent(Address node) const;
  void keep_track(Request& request, const Record& record);
  // In a sloppy quorum another member is asked to keep the write for the owner. True: one is, or
  // was.
  bool stand_in(Request& request, NodeId owner, const Record& record);
  void keep_missed();
  void arm_missed();
  void handle(const HintedWriteReply& reply);
  void send_answer(Address client, const ClientRequest& message, ClientReply reply);
  void find_owners(Request& request);
  [[nodiscard]] Request* find_open(const RequestId& id);
  [[nodiscard]] std::optional<Record> choose(const Request& request) const;
  [[nodiscard]] Version next_version(const Version& seen);

  SubEnv env;
  NodeId self;
  CoordinatorOptions options;
  std::uint32_t replication;  // N, of which a level asks for some
  VersionRules rules;
  const ClusterStateMachine& cluster;
  raft::Consensus& consensus;
  Store& store;
  const Gate& gate;
  const Coordination& coordination;
  Replica replica;
  std::map<ClientId, Request> requests;
  std::set<ClientId> configuring;  // whose latest request was proposed here and is not applied
  std::map<RequestId, RepairedRead> repairs_under_way;
  std::set<std::pair<MonotonicTime, RequestId>> repairs_end;
  MissedWrites missed;
  Fallbacks fallbacks;
  // Whom this node has asked something and not heard since, and since when. Hosts of members only.
  std::map<Address, MonotonicTime> unanswered;
  std::set<Address> map_watchers;  // clients that have this node's map; at most kWatchersMax
  WallTime last_reading{};
  Version last_version;
};

}  // namespace rejoin
