// Coordinators and stores of a few nodes, moved by hand: every message can be looked at, dropped or
// held, and every sync happens when the test says so. One partition, so that every key has the
// same owners.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocols/client/coordinator.hpp"
#include "protocols/client/messages.hpp"
#include "tests/support/hand_env.hpp"

namespace rejoin {

inline constexpr PartitionId kOnly{0};
inline constexpr ClientId kRigClient{5};

// Raft as far as a coordinator sees it: it leads or not, and remembers what was proposed.
class FakeConsensus final : public raft::Consensus {
 public:
  [[nodiscard]] bool leads(GroupId) const override { return leading; }
  [[nodiscard]] Term term(GroupId) const override { return term_now; }
  [[nodiscard]] std::optional<raft::Server> leader(GroupId) const override { return known_leader; }
  [[nodiscard]] const raft::Configuration& configuration(GroupId) const override { return none_; }
  [[nodiscard]] LogIndex applied(GroupId) const override { return {}; }
  [[nodiscard]] std::optional<MonotonicTime> leader_heard(GroupId) const override {
    return std::nullopt;
  }
  raft::Proposed propose(GroupId, Bytes command) override {
    if (!leading) return {.index = std::nullopt, .refusal = raft::Refusal::not_leader};
    proposed.push_back(std::move(command));
    return {.index = LogIndex(proposed.size()), .refusal = {}};
  }
  raft::Proposed propose_member(GroupId, const raft::MemberChange&, Bytes) override {
    return {.index = std::nullopt, .refusal = raft::Refusal::not_leader};
  }

  bool leading = false;
  Term term_now{1};
  std::optional<raft::Server> known_leader;
  std::vector<Bytes> proposed;

 private:
  raft::Configuration none_;
};

// Keeps hints as far as a coordinator sees it; they are durable when a test says so.
class FakeHints final : public HintKeeper {
 public:
  [[nodiscard]] bool ready() const override { return is_ready; }
  std::optional<std::uint64_t> keep(NodeId owner, const Record& record) override {
    if (full) return std::nullopt;
    kept.emplace_back(owner, record);
    return kept.size();
  }
  [[nodiscard]] std::uint64_t durable_sequence() const override { return durable; }
  void heard(Address from) override { heard_of.push_back(from); }

  bool is_ready = true;
  bool full = false;
  std::uint64_t durable = 0;
  std::vector<std::pair<NodeId, Record>> kept;
  std::vector<Address> heard_of;
};

struct RigNode {
  RigNode(NodeId id, CoordinatorOptions options, VersionScheme versions, std::uint32_t copies)
      : node(id),
        env(disk, Address(id.value)),
        cluster(bus, 1),
        gate(1),
        store(env, bus, StoreOptions{.versions = versions}, 1),
        coordinator(env, bus, id, options, cluster, consensus, store, gate, coordination,
                    {.partitions = 1, .replication = copies}) {}

  void drain() {
    while (!bus.posted.empty()) {
      const LocalEvent event = std::move(bus.posted.front());
      bus.posted.pop_front();
      coordinator.on_local(event);
    }
  }
  void complete_io() {
    IoDone done = env.complete();
    done.token = IoToken(done.token.value & kHandIdMask);
    store.on_io(done);
    drain();
  }
  void sync() {
    while (!env.ops.empty()) complete_io();
  }

  NodeId node;
  HandDisk disk;
  HandEnv env;
  HandBus bus;
  ClusterStateMachine cluster;
  FakeConsensus consensus;
  Gate gate;
  Store store;
  FakeHints hints;
  Coordination coordination;
  Coordinator coordinator;
};

class ClusterRig {
 public:
  explicit ClusterRig(std::uint32_t count = 3, VersionScheme versions = VersionScheme::timestamp,
                      CoordinatorOptions options = {.timeout = 900ms}, std::uint32_t copies = 3) {
    for (std::uint32_t n = 1; n <= count; ++n) {
      nodes.push_back(std::make_unique<RigNode>(NodeId(n), options, versions, copies));
    }
    std::vector<NodeId> all;
    for (const auto& each : nodes) all.push_back(each->node);
    for (const auto& each : nodes) {
      set_map(each->node, Epoch(1), all, all);
      each->store.start();
      each->sync();
    }
  }

  RigNode& node(std::uint32_t n) { return *nodes[n - 1]; }

  void set_map(NodeId at, Epoch epoch, const std::vector<NodeId>& owners,
               const std::vector<NodeId>& members) {
    ClusterState state;
    state.cluster = ClusterId(1);
    for (const NodeId member : members) {
      state.members[member] = {
          .node = member, .incarnation = Incarnation(1), .address = Address(member.value)};
      state.incarnations[member] = Incarnation(1);
    }
    for (const NodeId owner : owners) state.incarnations[owner] = Incarnation(1);
    state.map =
        std::make_shared<const PartitionMap>(PartitionMap{.epoch = epoch, .owners = {owners}});
    REQUIRE(node(at.value).cluster.restore(encode_state(state)));
    node(at.value).drain();
  }

  static ClientRequest request(std::uint64_t n, OperationKind kind, const Key& key,
                               Consistency level, const Value& value = {}) {
    return {.id = {.client = kRigClient, .n = n},
            .attempt = 1,
            .operation = kind,
            .key = key,
            .value = value,
            .level = level,
            .direct = false};
  }
  void ask(std::uint32_t to, const ClientRequest& message) {
    deliver_to(node(to), client_address(message.id.client), encode_message(message));
  }

  // Delivers what nodes have sent, once, in order of node; answers to clients are kept. `passes`
  // says which messages get through.
  using Passes = std::function<bool(Address from, const HandEnv::Sent& sent)>;
  bool deliver(const Passes& passes = {}) {
    std::vector<std::pair<Address, HandEnv::Sent>> batch;
    for (const auto& each : nodes) {
      for (auto& sent : each->env.sent) batch.emplace_back(each->env.self(), std::move(sent));
      each->env.sent.clear();
    }
    for (auto& [from, sent] : batch) {
      if (passes && !passes(from, sent)) continue;
      if (is_client(sent.to)) {
        const auto frame = decode_frame(sent.frame);
        REQUIRE(frame);
        REQUIRE(frame->kind == ClientReply::kind);
        answers.push_back(*decode<ClientReply>(frame->body));
      } else {
        deliver_to(node(sent.to.value), from, sent.frame);
      }
    }
    return !batch.empty();
  }
  // Until nothing moves but timers.
  void settle(const Passes& passes = {}) {
    bool moved = true;
    while (moved) {
      moved = deliver(passes);
      for (const auto& each : nodes) {
        moved = moved || !each->env.ops.empty();
        each->sync();
      }
    }
  }
  void fire_timers(std::uint32_t n) {
    const auto timers = std::exchange(node(n).env.timers, {});
    for (const auto& [timer, deadline] : timers) {
      node(n).env.advance(std::max(deadline - node(n).env.now(), Duration{}));
      node(n).coordinator.on_timer(TimerId(timer.value & kHandIdMask));
      node(n).drain();
    }
  }
  // The one answer that has arrived since the last call.
  std::optional<ClientReply> take_answer() {
    if (answers.empty()) return std::nullopt;
    REQUIRE(answers.size() == 1);
    const ClientReply answer = answers.front();
    answers.clear();
    return answer;
  }
  void deliver_to(RigNode& to, Address from, const Bytes& bytes) {
    const auto frame = decode_frame(bytes);
    REQUIRE(frame);
    REQUIRE(to.coordinator.on_message(from, frame->kind, frame->body));
    to.drain();
  }
  // As a peer would send it; false: it was rejected.
  template <class M>
  bool take(std::uint32_t to, Address from, const M& message) {
    const Bytes bytes = encode_message(message);
    const auto frame = decode_frame(bytes);
    REQUIRE(frame);
    const bool taken = node(to).coordinator.on_message(from, frame->kind, frame->body);
    node(to).drain();
    return taken;
  }
  // Messages of one kind that a node has sent and nobody has got yet.
  template <class M>
  [[nodiscard]] std::vector<M> sent(std::uint32_t n) {
    std::vector<M> out;
    for (const auto& each : node(n).env.sent) {
      const auto frame = decode_frame(each.frame);
      REQUIRE(frame);
      if (frame->kind == M::kind) out.push_back(*decode<M>(frame->body));
    }
    return out;
  }
  // Puts a record straight into a node's store, durably.
  void plant(std::uint32_t n, const Key& key, const Value& value, std::uint64_t origin,
             Duration version, bool deleted = false) {
    node(n).store.put(kOnly,
                      {.key = key,
                       .value = value,
                       .deleted = deleted,
                       .version = {.timestamp = WallTime(version), .writer = NodeId(n)},
                       .origin = {.client = ClientId(99), .n = origin}},
                      MergeRule::overwrite, fact::WriteCause::foreground);
    node(n).sync();
  }
  [[nodiscard]] std::string value_at(std::uint32_t n, const Key& key) {
    const std::optional<Record> record = node(n).store.get(kOnly, key);
    if (!record) return "absent";
    return record->deleted ? "deleted" : record->value;
  }

  std::vector<std::unique_ptr<RigNode>> nodes;
  std::vector<ClientReply> answers;
};

// Lets through only what neither comes from nor goes to these nodes.
inline ClusterRig::Passes without(std::vector<std::uint32_t> cut) {
  return [cut](Address from, const HandEnv::Sent& sent) {
    return std::none_of(cut.begin(), cut.end(), [&](std::uint32_t n) {
      return from == Address(n) || sent.to == Address(n);
    });
  };
}

}  // namespace rejoin
