// A component is one protocol inside a node: Raft, membership, partitioning, store, coordinator,
// sync. This header is what a component sees of its node.
//
// Invariants:
// 1. A component gets only its own messages, timers and file completions: its SubEnv prefixes
//    them with its Channel, the node strips the prefix on the way back.
// 2. Components tell each other things by LocalEvents. A posted event is delivered, to every
//    component in the node's fixed order, after the current event has been handled, never from
//    inside post(). The node drains them to completion before it takes the next outside event.
// 3. A component may call the narrow interfaces that it was constructed with (Consensus, Store,
//    ...); those never call back.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/env.hpp"
#include "model/facts.hpp"
#include "model/partition_map.hpp"

namespace rejoin {

namespace local {

// The membership component knows who this process is; Raft may run.
struct IdentityKnown {
  NodeId node;
  Incarnation incarnation;
  bool from_disk = false;  // it had it before this process started
};
struct LeaderChanged {
  GroupId group;
  Term term;
  std::optional<NodeId> leader;
  bool self = false;
};
// A leader's commit index, as of our first contact with it since start, since (re)admission or
// since a snapshot, has been applied here: what we believe about the cluster is current.
struct CaughtUp {
  GroupId group;
};
// The applied cluster state changed. `old_map` is null unless the map changed; `joined` and
// `removed` are the members that came and went; `updated` moved to another address.
struct ClusterChanged {
  std::shared_ptr<const PartitionMap> old_map;
  std::shared_ptr<const PartitionMap> new_map;
  std::vector<NodeId> joined;
  std::vector<NodeId> removed;
  std::vector<NodeId> updated;
  bool from_snapshot = false;  // restored or installed: no single command caused this
};
// This process learned that the cluster has removed it.
struct Evicted {};
// What the store holds was read back from its files.
struct StoreRecovered {
  std::uint64_t records = 0;
};
// Every write of the store up to this sequence survives a crash.
struct StoreDurable {
  std::uint64_t up_to = 0;
};
// Every hint that this node keeps up to this sequence survives a crash.
struct HintsDurable {
  std::uint64_t up_to = 0;
};
// OnPartitionChange: `copy_to` now needs the partition's data, which `copy_from` may have.
struct PartitionChanged {
  PartitionId partition;
  std::vector<NodeId> copy_from;
  NodeId copy_to;
  fact::ChangeReason reason{};
};

}  // namespace local

using LocalEvent = std::variant<local::IdentityKnown, local::LeaderChanged, local::CaughtUp,
                                local::ClusterChanged, local::Evicted, local::StoreRecovered,
                                local::StoreDurable, local::HintsDurable, local::PartitionChanged>;

// Where a component publishes: facts for observers, local events for its siblings.
class NodeBus {
 public:
  virtual ~NodeBus() = default;
  virtual void post(LocalEvent event) = 0;
  virtual void publish(const Fact& fact) = 0;
};

// An Env for one component: same machine, its own channel of messages, timers, tokens and files.
// Ids given to and by the component are without the prefix and below 2^56.
class SubEnv final : public Env {
 public:
  // `files` prefixes file names: component `raft` gets `raft.log` for `log`.
  SubEnv(Env& machine, Channel channel, std::string_view files)
      : machine_(machine), channel_(channel), files_(files) {}

  [[nodiscard]] MonotonicTime now() const override { return machine_.now(); }
  [[nodiscard]] WallTime wall_now() const override { return machine_.wall_now(); }
  [[nodiscard]] Address self() const override { return machine_.self(); }
  void send(Address to, Transport transport, Bytes frame, const Tag& tag) override;
  void arm(TimerId timer, MonotonicTime deadline) override;
  void disarm(TimerId timer) override;
  void append(std::string_view file, ByteView data) override;
  void sync(std::string_view file, IoToken token) override;
  void read(std::string_view file, IoToken token) override;
  void replace(std::string_view file, ByteView data, IoToken token) override;
  void remove(std::string_view file, IoToken token) override;
  [[nodiscard]] std::uint64_t random(std::string_view label, std::uint64_t what,
                                     std::uint64_t attempt) override;
  void halt(std::string_view reason) override { machine_.halt(reason); }

  // Encodes and sends in one step; the message must be of this component's channel.
  template <class M>
  void send_message(Address to, Transport transport, const M& message, Purpose purpose,
                    std::uint64_t identity, std::uint32_t attempt = 0) {
    send(to, transport, encode_message(message), Tag{M::kind, purpose, identity, attempt});
  }

 private:
  [[nodiscard]] std::string file_name(std::string_view file) const;

  Env& machine_;
  Channel channel_;
  std::string files_;
};

inline constexpr unsigned kChannelShift = 56;

class Component {
 public:
  Component() = default;
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;
  virtual ~Component() = default;

  [[nodiscard]] virtual Channel channel() const = 0;
  virtual void start() = 0;
  // The frame's checksum was right and the kind is of this channel. False when the body is not
  // such a message, or may not be sent by its sender: the node publishes MessageRejected.
  [[nodiscard]] virtual bool on_message(Address from, MessageKind kind, ByteView body) = 0;
  virtual void on_timer(TimerId timer) = 0;
  virtual void on_io(const IoDone& done) = 0;
  virtual void on_local(const LocalEvent& event) = 0;
};

}  // namespace rejoin
