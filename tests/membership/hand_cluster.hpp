// Several membership components around one log that a test leads by hand: messages take 1 ms, an
// entry commits after 10 ms and is then applied by every member that is up.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "protocols/membership/membership.hpp"
#include "tests/support/fake_env.hpp"

namespace rejoin::test {

class HandCluster {
 public:
  struct Host {
    Host(NodeId self, Address address, const MembershipOptions& options,
         const std::vector<Address>& seeds)
        : id(self),
          env(address),
          component(env, bus, self, options, false, seeds, machine, consensus) {}
    NodeId id;
    FakeEnv env;
    FakeBus bus;
    ClusterStateMachine machine{bus, 1};
    FakeConsensus consensus;
    Membership component;
    ComponentHost node{env, bus, component};
    std::size_t applied = 0;  // of the log
    bool contacted = false;   // by a leader, since start
  };
  struct Message {
    NodeId from;
    Address to;
    Bytes frame;
    MessageKind kind;
  };

  explicit HandCluster(std::uint32_t founders, MembershipOptions options = {}) : options_(options) {
    ClusterState state;
    state.cluster = ClusterId(77);
    state.map = std::make_shared<const PartitionMap>();
    for (std::uint32_t n = 1; n <= founders; ++n) {
      const Member member{NodeId(n), Incarnation(1), Address(n)};
      state.members[member.node] = member;
      state.incarnations[member.node] = member.incarnation;
      servers_.servers.push_back({member.node, member.incarnation, member.address, true});
      disks_[member.node][kFile] =
          identity_files(member.node, Incarnation(1), state.cluster)[0].content;
    }
    founding_ = encode_state(state);
    for (std::uint32_t n = 1; n <= founders; ++n) start(NodeId(n));
    lead(NodeId(1));
  }

  void start(NodeId node) { start_at(node, Address(node.value)); }
  void start_at(NodeId node, Address address) {
    auto host = std::make_unique<Host>(node, address, options_,
                                       std::vector{Address(1), Address(2), Address(3)});
    host->env.time = now_;
    host->env.files = disks_[node];
    host->consensus.current_term = term_;
    if (!host->env.files.empty() && node.value <= 3) {
      CHECK_THAT(host->machine.restore(founding_));
      host->consensus.servers = servers_;
    }
    Host& started = *host;
    hosts_[node] = std::move(host);
    started.node.start();
    pump();
  }
  void kill(NodeId node) {
    disks_[node] = hosts_.at(node)->env.files;
    hosts_.erase(node);
    if (leader_ == node) leader_.reset();
  }
  void wipe(NodeId node) { disks_[node].clear(); }
  void lead(std::optional<NodeId> node) {
    if (leader_) tell_leader(*hosts_.at(*leader_), false);
    leader_ = node;
    term_ = term_.next();
    pending_.clear();  // uncommitted: gone with the leader before
    taken_ = 0;
    if (!node) return;
    Host& host = *hosts_.at(*node);
    host.consensus.servers = servers_;
    host.consensus.log.clear();
    host.consensus.last_index = LogIndex(log_.size());
    tell_leader(host, true);
  }

  [[nodiscard]] Host& operator[](NodeId node) { return *hosts_.at(node); }
  [[nodiscard]] Host& operator[](std::uint32_t node) { return *hosts_.at(NodeId(node)); }
  [[nodiscard]] const ClusterState& state() { return hosts_.at(*leader_)->machine.state(); }
  [[nodiscard]] MonotonicTime now() const { return now_; }

  void run_for(Duration time) {
    for (const MonotonicTime end = now_ + time; now_ < end;) {
      now_ = next_event(end);
      deliver_due();
      commit_due();
      keep_contact();
      for (const NodeId node : ids()) {
        if (hosts_.contains(node)) hosts_.at(node)->node.run_to(now_);
      }
      pump();
    }
  }

  // What the network does to a message: how many copies arrive, how late.
  struct Fate {
    int copies = 1;
    Duration delay = 1ms;
  };
  std::function<Fate(const Message&)> fate = [](const Message&) { return Fate{}; };
  Duration commit_delay = 10ms;

 private:
  static constexpr const char* kFile = "membership.identity";

  struct Pending {
    MonotonicTime due;
    FakeConsensus::Entry entry;
  };

  [[nodiscard]] std::vector<NodeId> ids() const {
    std::vector<NodeId> all;
    for (const auto& [node, host] : hosts_) all.push_back(node);
    return all;
  }

  // At least 1 ms on, so that time passes whatever is due.
  [[nodiscard]] MonotonicTime next_event(MonotonicTime end) const {
    MonotonicTime next = end;
    if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
    if (!pending_.empty()) next = std::min(next, pending_.front().due);
    for (const auto& [node, host] : hosts_) {
      next = std::min(next, host->node.next_timer().value_or(end));
    }
    return std::max(next, std::min(end, now_ + 1ms));
  }
  void tell_leader(Host& host, bool leads) {
    host.consensus.is_leader = leads;
    host.consensus.current_term = term_;
    host.node.tell(local::LeaderChanged{
        .group = kClusterGroup, .term = term_, .leader = leader_, .self = leads});
  }

  // Takes what was sent and proposed; halted processes are gone.
  void pump() {
    for (const NodeId node : ids()) {
      Host& host = *hosts_.at(node);
      for (auto& sent : std::exchange(host.env.sent, {})) {
        const Message message{node, sent.to, std::move(sent.frame), sent.tag.kind};
        const Fate what = fate(message);
        for (int i = 0; i < what.copies; ++i) {
          wire_.emplace(now_ + what.delay + std::chrono::milliseconds(i), message);
        }
      }
      if (host.env.halted) halted[node] = *host.env.halted;
    }
    if (!leader_) return;
    FakeConsensus& consensus = hosts_.at(*leader_)->consensus;
    while (taken_ < consensus.log.size()) {
      pending_.push_back({now_ + commit_delay, consensus.log[taken_++]});
    }
  }

  void deliver_due() {
    while (!wire_.empty() && wire_.begin()->first <= now_) {
      const Message message = wire_.begin()->second;
      wire_.erase(wire_.begin());
      const Address from = sender_address(message.from);
      for (const NodeId node : ids()) {
        Host& host = *hosts_.at(node);
        if (host.env.address != message.to || host.env.halted) continue;
        host.env.time = now_;
        host.node.deliver_frame(from, message.frame);
        break;
      }
      pump();
    }
  }
  [[nodiscard]] Address sender_address(NodeId node) const {
    const auto host = hosts_.find(node);
    return host == hosts_.end() ? Address(node.value) : host->second->env.address;
  }

  void commit_due() {
    while (leader_ && !pending_.empty() && pending_.front().due <= now_) {
      const FakeConsensus::Entry entry = pending_.front().entry;
      pending_.pop_front();
      FakeConsensus& consensus = hosts_.at(*leader_)->consensus;
      consensus.log.pop_front();
      --taken_;
      if (entry.change) {
        FakeConsensus scratch;
        scratch.servers = servers_;
        scratch.change_servers(*entry.change);
        servers_ = scratch.servers;
      }
      log_.push_back(entry.command);
      replicate();
      pump();
    }
  }

  // Every member that is up, at the address that the configuration names, applies the log.
  void replicate() {
    for (const NodeId node : ids()) {
      Host& host = *hosts_.at(node);
      if (!reachable(host)) continue;
      if (leader_ != node) host.consensus.servers = servers_;
      if (host.applied == 0 && !host.contacted && host.machine.state().members.empty()) {
        CHECK_THAT(host.machine.restore(founding_));
      }
      while (host.applied < log_.size()) {
        const Bytes& command = log_[host.applied++];
        host.consensus.applied_index = LogIndex(host.applied);
        if (command.empty()) continue;
        host.env.time = now_;
        host.machine.apply(LogIndex(host.applied), term_, command, leader_ == node);
        host.node.settle();
      }
    }
  }
  [[nodiscard]] bool reachable(const Host& host) const {
    if (cut.contains(host.id) || !leader_ || host.env.halted) return false;
    const raft::Server* server = servers_.find(host.id);
    return server != nullptr && server->address == host.env.address && host.component.identity() &&
           host.component.identity()->incarnation == server->incarnation;
  }
  void keep_contact() {
    if (!leader_) return;
    replicate();
    for (const NodeId node : ids()) {
      Host& host = *hosts_.at(node);
      if (!reachable(host)) continue;
      host.consensus.heard = now_;
      host.consensus.known_leader = *servers_.find(*leader_);
      if (std::exchange(host.contacted, true)) continue;
      host.node.tell(local::CaughtUp{kClusterGroup});
    }
  }

  MembershipOptions options_;
  Bytes founding_;
  raft::Configuration servers_;  // committed
  std::vector<Bytes> log_;       // committed commands
  std::deque<Pending> pending_;
  std::size_t taken_ = 0;  // of the leader's proposals, into pending_
  std::map<NodeId, std::map<std::string, Bytes>> disks_;
  std::map<NodeId, std::unique_ptr<Host>> hosts_;
  std::optional<NodeId> leader_;
  Term term_{1};
  MonotonicTime now_{};
  std::multimap<MonotonicTime, Message> wire_;

 public:
  std::map<NodeId, std::string> halted;  // why
  std::map<NodeId, bool> cut;            // from the leader's log (messages: see fate)
};

}  // namespace rejoin::test
