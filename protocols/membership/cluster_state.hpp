// The replicated cluster state: members, partition map with epochs, settings. Raft's cluster group
// replicates it; every node applies the same commands in the same order.
//
// Invariants:
// 1. One member a node; its incarnation only grows, across removals too.
// 2. Epochs of the map count up by one; a map proposed against another epoch is refused.
// 3. A request id takes effect once, however often its command is in the log.
// 4. The number of partitions is for life. A node that is configured for another one refuses the
//    state, of which every node's first is a snapshot, before its siblings hear of it.
//
// Bytes that are no command, and commands that would break an invariant, change nothing: every
// node ignores the same ones.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/facts.hpp"
#include "model/fields.hpp"
#include "model/ids.hpp"
#include "model/partition_map.hpp"
#include "model/wire.hpp"
#include "protocols/node/component.hpp"
#include "protocols/raft/consensus.hpp"

namespace rejoin {

struct Member {
  NodeId node;
  Incarnation incarnation;
  Address address;

  friend bool operator==(const Member&, const Member&) = default;
  REJOIN_FIELDS(node, incarnation, address)
};

// A life that was given to a node which is no member (yet). It is in the log before the node hears
// of it, so no two lives of a node share an incarnation, whatever leader gave them out: a node
// that loses its disk while it joins could vote twice otherwise.
struct Admission {
  Incarnation incarnation;
  std::uint64_t nonce = 0;  // of the process that asked; its retries get the same life
  bool returns = false;     // the node was a member before

  friend bool operator==(const Admission&, const Admission&) = default;
  REJOIN_FIELDS(incarnation, nonce, returns)
};

namespace command {
// Upsert: adds the member, or moves it to another address or incarnation.
struct SetMember {
  Member member;
  REJOIN_FIELDS(member)
};
// Removes exactly this life of the node; any other is left alone.
struct RemoveMember {
  NodeId node;
  Incarnation incarnation;
  REJOIN_FIELDS(node, incarnation)
};
// The whole next map; refused unless map.epoch is the current one plus one.
struct SetMap {
  PartitionMap map;
  REJOIN_FIELDS(map)
};
struct ChangeSetting {
  RequestId request;
  std::string name;
  std::string value;
  REJOIN_FIELDS(request, name, value)
};
// Gives the next incarnation to a node that is no member; the same nonce gets it once.
struct Admit {
  NodeId node;
  std::uint64_t nonce = 0;
  REJOIN_FIELDS(node, nonce)
};
}  // namespace command

// Encoded with encode(ClusterCommand(...)).
using ClusterCommand = std::variant<command::SetMember, command::RemoveMember, command::SetMap,
                                    command::ChangeSetting, command::Admit>;

// A value; copied into snapshots.
struct ClusterState {
  ClusterId cluster{};
  std::map<NodeId, Member> members{};
  std::map<NodeId, Incarnation> incarnations{};  // highest ever given, removed nodes included
  std::shared_ptr<const PartitionMap> map{};     // never null
  std::map<std::string, std::string> settings{};
  std::map<ClientId, std::uint64_t> sessions{};  // last request that took effect, by client
  std::map<NodeId, Admission> admissions{};      // of nodes that are no members; their highest

  // Null when the node is no member.
  [[nodiscard]] const Member* find(NodeId node) const;
  [[nodiscard]] const Admission* find_admission(NodeId node) const;
  [[nodiscard]] std::vector<NodeId> member_ids() const;  // ascending
  // None when the node was never given one.
  [[nodiscard]] Incarnation highest_incarnation(NodeId node) const;
  // This life was a member and is not any more, or was given out and passed over. Once true, true
  // for ever, in every later state.
  [[nodiscard]] bool is_over(NodeId node, Incarnation incarnation) const;
};

[[nodiscard]] Bytes encode_state(const ClusterState& state);
[[nodiscard]] std::optional<ClusterState> decode_state(ByteView bytes);

// The state machine of the cluster group. Publishes what it applied as facts and posts one
// local::ClusterChanged for each command that changed something.
class ClusterStateMachine final : public raft::StateMachine {
 public:
  // `partitions`: what this node is configured for, which is how many its siblings have room for.
  ClusterStateMachine(NodeBus& bus, std::uint32_t partitions);

  [[nodiscard]] const ClusterState& state() const { return state_; }

  void apply(LogIndex index, Term term, ByteView command, bool leading) override;
  [[nodiscard]] Bytes snapshot() const override;
  [[nodiscard]] tl::expected<void, raft::SnapshotRefused> restore(ByteView snapshot) override;

 private:
  void apply_command(LogIndex index, const command::SetMember& command, bool leading);
  void apply_command(LogIndex index, const command::RemoveMember& command, bool leading);
  void apply_command(LogIndex index, const command::SetMap& command, bool leading);
  void apply_command(LogIndex index, const command::ChangeSetting& command, bool leading);
  void apply_command(LogIndex index, const command::Admit& command, bool leading);
  void took_effect(LogIndex index, RequestId request, local::ClusterChanged changed);
  void publish_members();
  void publish_map(bool leading);

  NodeBus& bus_;
  std::uint32_t partitions_;
  ClusterState state_;
};

}  // namespace rejoin
