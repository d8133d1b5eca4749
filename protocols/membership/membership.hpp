// Membership: who this process is, whether it is a member, how it becomes one, and, on the leader,
// who joins and who is removed because its health checks fail.
//
// Invariants:
// 1. An identity is durable before anything is said in its name; the cluster has it in its log
//    before the node hears of it (command::Admit). So no two lives of a node share an incarnation.
// 2. A node is added only after its life before has left the configuration: one member a node.
// 3. Only the leader decides, and only by proposing; what it remembers besides (failure counts,
//    who is waiting) may be lost with its leadership at any moment.
// 4. A process that learns that a later life of its node is a member halts.
// 5. Every message may be lost, duplicated, late or reordered. A late request of an earlier life
//    cannot remove a later one: to replace a member, a request must name its incarnation.
//
// Known limits: two live machines that are given one node id take it from each other, for the
// leader cannot tell an empty disk from a misconfigured twin; a late request from an address that
// a node has left moves the member back there until the node, orphaned, asks again.
//
// membership.cpp: the component, and whether this node is a member. join.cpp: asking, and being
// asked. health.cpp: checking, and being checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/options.hpp"
#include "protocols/membership/cluster_state.hpp"
#include "protocols/membership/detector.hpp"
#include "protocols/membership/identity.hpp"
#include "protocols/membership/messages.hpp"
#include "protocols/node/component.hpp"
#include "protocols/raft/consensus.hpp"

namespace rejoin {

class Membership final : public Component {
 public:
  // `learners`: new servers do not vote until Raft promotes them. `seeds`: whom to ask when no
  // member is known; its own address among them is skipped.
  Membership(Env& machine, NodeBus& bus, NodeId self, MembershipOptions options, bool learners,
             std::vector<Address> seeds, const ClusterStateMachine& cluster,
             raft::Consensus& consensus);

  [[nodiscard]] Channel channel() const override { return Channel::membership; }
  void start() override;
  [[nodiscard]] bool on_message(Address from, MessageKind kind, ByteView body) override;
  void on_timer(TimerId timer) override;
  void on_io(const IoDone& done) override;
  void on_local(const LocalEvent& event) override;

  // None before it has one.
  [[nodiscard]] const std::optional<Identity>& identity() const { return identity_; }
  // It knew itself a member at its last contact with the cluster.
  [[nodiscard]] bool is_member() const { return standing_ == Standing::member; }

 private:
  enum class Standing : std::uint8_t {
    reading,     // its identity from disk
    asking,      // the cluster, until it is told that it is a member
    persisting,  // the life that it was given
    member,
    evicted,  // and stays so
  };
  // A member, to its leader.
  struct Watched {
    std::uint32_t failures = 0;  // in a row
    std::unique_ptr<FailureDetector> detector;
  };

  // ---- membership.cpp: this node -----------------------------------------------------------
  void on_identity_read(const IoDone& done);
  void write_identity();
  void on_identity_written(const IoDone& done);
  void on_leader_changed(const local::LeaderChanged& changed);
  void on_cluster_changed(const local::ClusterChanged& changed);
  void review(bool current);
  [[nodiscard]] bool is_applied_member() const;
  void settle();
  void on_removed();
  void on_orphan_timer();
  void halt_superseded();

  // ---- join.cpp: asking --------------------------------------------------------------------
  void begin_asking();
  void want_life(Incarnation replaces);
  void ask();
  [[nodiscard]] bool moved_while_leading();
  void ask_at(Address target);
  void wait_and_ask();
  void on_join_timer();
  [[nodiscard]] std::vector<Address> targets() const;
  [[nodiscard]] Incarnation asked_incarnation() const;
  [[nodiscard]] bool on_join_reply(Address from, const membership::JoinReply& reply);
  void take_answer(Address from, const membership::JoinReply& reply);
  void on_assigned(const membership::JoinReply& reply);

  // ---- join.cpp: being asked ---------------------------------------------------------------
  [[nodiscard]] bool on_join_request(Address from, const membership::JoinRequest& request);
  [[nodiscard]] membership::JoinReply answer(const membership::JoinRequest& request);
  void answer_as_leader(const membership::JoinRequest& request, membership::JoinReply& reply);
  void confirm(const membership::JoinRequest& request, const Member& member,
               membership::JoinReply& reply);
  void give_life(const membership::JoinRequest& request, membership::JoinReply& reply);
  void add(const membership::JoinRequest& request);
  void propose_set(const Member& member, bool voter);
  void propose_removal(NodeId node);
  void send_reply(Address to, const membership::JoinReply& reply);
  void answer_waiting();

  // ---- health.cpp --------------------------------------------------------------------------
  void start_checks();
  void stop_checks();
  void on_cycle_timer();
  void begin_cycle();
  void check_next();
  void judge(bool healthy);
  [[nodiscard]] Watched& watched(NodeId node);
  void remove_suspects();
  [[nodiscard]] std::uint64_t check_number() const;
  [[nodiscard]] bool on_health_check(Address from, const membership::HealthCheck& check);
  [[nodiscard]] bool on_health_reply(Address from, const membership::HealthReply& reply);
  [[nodiscard]] std::string why_not_ready() const;

  SubEnv env_;
  NodeBus& bus_;
  NodeId self_;
  MembershipOptions options_;
  bool learners_;
  std::vector<Address> seeds_;
  const ClusterStateMachine& cluster_;
  raft::Consensus& consensus_;

  Standing standing_ = Standing::reading;
  std::optional<Identity> identity_;
  Identity persisting_;
  bool was_member_ = false;     // this life, as this process saw it
  MonotonicTime settled_at_{};  // when it was last told so

  // ---- Asking ----
  bool wants_life_ = false;  // else it asks in the name of identity_
  Incarnation replaces_;
  std::uint64_t nonce_ = 0;
  std::uint64_t number_ = 0;  // of the last attempt
  bool unanswered_ = false;
  std::size_t rotation_ = 0;  // of the targets
  std::uint32_t redirects_ = 0;
  Duration backoff_{};

  // ---- Of the leader ----
  bool leading_ = false;
  // Requests that were answered `joining`, by node: answered again as soon as something changes.
  std::map<NodeId, membership::JoinRequest> waiting_;
  std::map<NodeId, Watched> watched_;  // since their first check
  std::uint64_t cycle_ = 0;            // since it leads
  MonotonicTime next_cycle_{};
  bool cycle_due_ = false;  // the interval passed while a cycle was under way
  std::vector<NodeId> to_check_;
  std::size_t position_ = 0;        // in to_check_
  std::optional<NodeId> checking_;  // and unanswered

  std::optional<bool> published_ready_;
};

}  // namespace rejoin
