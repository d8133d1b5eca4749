// A machine for one component, stepped by hand: what it sends and asks for is recorded, and comes
// back when the test says so. FakeConsensus plays Raft for the components above it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "model/check.hpp"
#include "model/env.hpp"
#include "model/facts.hpp"
#include "model/hash.hpp"
#include "model/message.hpp"
#include "model/random.hpp"
#include "protocols/node/component.hpp"
#include "protocols/raft/consensus.hpp"

namespace rejoin::test {

[[nodiscard]] inline MonotonicTime at(Duration since_zero) {
  return MonotonicTime(since_zero);
}

class FakeBus final : public NodeBus {
 public:
  void post(LocalEvent event) override {
    events.push_back(event);
    undelivered.push_back(std::move(event));
  }
  void publish(const Fact& fact) override { facts.push_back(fact); }

  template <class T>
  [[nodiscard]] std::vector<T> facts_of() const {
    return only<T>(facts);
  }
  template <class T>
  [[nodiscard]] std::vector<T> events_of() const {
    return only<T>(events);
  }

  std::vector<Fact> facts;             // ever published
  std::vector<LocalEvent> events;      // ever posted
  std::deque<LocalEvent> undelivered;  // emptied by whoever plays the node

 private:
  template <class T, class Variant>
  [[nodiscard]] static std::vector<T> only(const std::vector<Variant>& all) {
    std::vector<T> some;
    for (const Variant& item : all) {
      if (const T* wanted = std::get_if<T>(&item)) some.push_back(*wanted);
    }
    return some;
  }
};

// Files are durable at once; their completions wait in `completions`.
class FakeEnv final : public Env {
 public:
  struct Sent {
    Address to;
    Transport transport{};
    Bytes frame;
    Tag tag;
  };

  explicit FakeEnv(Address own) : address(own) {}

  [[nodiscard]] MonotonicTime now() const override { return time; }
  [[nodiscard]] WallTime wall_now() const override { return WallTime(time.time_since_epoch()); }
  [[nodiscard]] Address self() const override { return address; }
  void send(Address to, Transport transport, Bytes frame, const Tag& tag) override {
    sent.push_back({to, transport, std::move(frame), tag});
  }
  void arm(TimerId timer, MonotonicTime deadline) override { timers[timer] = deadline; }
  void disarm(TimerId timer) override { timers.erase(timer); }
  void append(std::string_view file, ByteView data) override {
    Bytes& content = files[std::string(file)];
    content.insert(content.end(), data.begin(), data.end());
  }
  void sync(std::string_view /*file*/, IoToken token) override {
    completions.push_back({token, io_status(), {}});
  }
  void read(std::string_view file, IoToken token) override {
    const auto found = files.find(std::string(file));
    if (found == files.end()) {
      completions.push_back({token, IoStatus::not_found, {}});
    } else {
      completions.push_back({token, io_status(), found->second});
    }
  }
  void replace(std::string_view file, ByteView data, IoToken token) override {
    if (!io_fails) files[std::string(file)] = Bytes(data.begin(), data.end());
    completions.push_back({token, io_status(), {}});
  }
  void remove(std::string_view file, IoToken token) override {
    files.erase(std::string(file));
    completions.push_back({token, io_status(), {}});
  }
  [[nodiscard]] std::uint64_t random(std::string_view label, std::uint64_t what,
                                     std::uint64_t attempt) override {
    return draw({.seed = hash64(label),
                 .domain = Domain::process,
                 .who = address.value,
                 .what = what,
                 .attempt = attempt});
  }
  void halt(std::string_view reason) override { halted = std::string(reason); }

  // What was sent since the last call, of one kind.
  template <class M>
  [[nodiscard]] std::vector<std::pair<Address, M>> take_sent() {
    std::vector<std::pair<Address, M>> taken;
    for (const Sent& message : std::exchange(sent, {})) {
      const std::optional<Frame> frame = decode_frame(message.frame);
      if (!frame || frame->kind != M::kind) continue;
      taken.emplace_back(message.to, *decode<M>(frame->body));
    }
    return taken;
  }

  Address address;
  MonotonicTime time{};
  std::vector<Sent> sent;
  std::map<TimerId, MonotonicTime> timers;
  std::map<std::string, Bytes> files;
  std::deque<IoDone> completions;
  std::optional<std::string> halted;
  bool io_fails = false;

 private:
  [[nodiscard]] IoStatus io_status() const { return io_fails ? IoStatus::failed : IoStatus::ok; }
};

// Raft as a script. A proposal that is taken changes the configuration at once, as Raft's does,
// and waits in `log` until the test commits it.
class FakeConsensus final : public raft::Consensus {
 public:
  struct Entry {
    LogIndex index;
    Bytes command;
    std::optional<raft::MemberChange> change;
  };

  [[nodiscard]] bool leads(GroupId) const override { return is_leader; }
  [[nodiscard]] Term term(GroupId) const override { return current_term; }
  [[nodiscard]] std::optional<raft::Server> leader(GroupId) const override { return known_leader; }
  [[nodiscard]] const raft::Configuration& configuration(GroupId) const override { return servers; }
  [[nodiscard]] LogIndex applied(GroupId) const override { return applied_index; }
  [[nodiscard]] std::optional<MonotonicTime> leader_heard(GroupId) const override { return heard; }

  raft::Proposed propose(GroupId, Bytes command) override {
    if (!is_leader) return {std::nullopt, raft::Refusal::not_leader};
    return take(std::move(command), std::nullopt);
  }
  raft::Proposed propose_member(GroupId, const raft::MemberChange& change, Bytes command) override {
    ++member_proposals;
    if (!is_leader) return {std::nullopt, raft::Refusal::not_leader};
    if (refusal) return {std::nullopt, *refusal};
    for (const Entry& entry : log) {
      if (entry.change) return {std::nullopt, raft::Refusal::change_in_progress};
    }
    const raft::Configuration before = servers;
    change_servers(change);
    if (servers == before) return {std::nullopt, raft::Refusal::no_change};
    return take(std::move(command), change);
  }

  void change_servers(const raft::MemberChange& change) {
    auto& all = servers.servers;
    const NodeId node = change.set ? change.set->node : change.remove;
    const auto place = std::lower_bound(
        all.begin(), all.end(), node,
        [](const raft::Server& server, NodeId wanted) { return server.node < wanted; });
    const bool is_there = place != all.end() && place->node == node;
    if (!change.set) {
      if (is_there) all.erase(place);
    } else if (is_there) {
      *place = *change.set;
    } else {
      all.insert(place, *change.set);
    }
  }

  bool is_leader = false;
  Term current_term{1};
  std::optional<raft::Server> known_leader;
  raft::Configuration servers;
  LogIndex applied_index;
  std::optional<MonotonicTime> heard;
  std::optional<raft::Refusal> refusal;  // of every member change
  std::deque<Entry> log;                 // taken, not committed
  LogIndex last_index;
  int member_proposals = 0;  // refused ones included

 private:
  raft::Proposed take(Bytes command, std::optional<raft::MemberChange> change) {
    last_index = std::max(last_index, applied_index).next();
    log.push_back({last_index, std::move(command), std::move(change)});
    return {last_index, {}};
  }
};

// Plays the node for one component: strips the channel, completes files, drains local events.
class ComponentHost {
 public:
  ComponentHost(FakeEnv& env, FakeBus& bus, Component& component)
      : env_(env), bus_(bus), component_(component) {}

  void start() {
    component_.start();
    settle();
  }
  template <class M>
  bool deliver(Address from, const M& message) {
    const bool accepted = component_.on_message(from, M::kind, encode(message));
    settle();
    return accepted;
  }
  bool deliver_frame(Address from, ByteView bytes) {
    const std::optional<Frame> frame = decode_frame(bytes);
    if (!frame) return false;
    const bool accepted = component_.on_message(from, frame->kind, frame->body);
    settle();
    return accepted;
  }
  void tell(LocalEvent event) {
    bus_.post(std::move(event));
    settle();
  }
  [[nodiscard]] std::optional<MonotonicTime> next_timer() const {
    std::optional<MonotonicTime> first;
    for (const auto& [timer, due] : env_.timers) first = std::min(first.value_or(due), due);
    return first;
  }
  // Fires what is due on the way, in order of time.
  void run_to(MonotonicTime end) {
    for (auto due = next_timer(); due && *due <= end; due = next_timer()) {
      env_.time = std::max(env_.time, *due);
      const auto timer = std::find_if(env_.timers.begin(), env_.timers.end(),
                                      [&](const auto& armed) { return armed.second == *due; });
      const TimerId id(timer->first.value & ((1ULL << kChannelShift) - 1));
      env_.timers.erase(timer);
      component_.on_timer(id);
      settle();
    }
    env_.time = end;
  }
  void run_for(Duration time) { run_to(env_.time + time); }
  // Completions and events until nothing is left.
  void settle() {
    while (!env_.completions.empty() || !bus_.undelivered.empty()) {
      if (!bus_.undelivered.empty()) {
        const LocalEvent event = std::move(bus_.undelivered.front());
        bus_.undelivered.pop_front();
        component_.on_local(event);
      } else {
        if (hold_completions) return;
        IoDone done = std::move(env_.completions.front());
        env_.completions.pop_front();
        done.token = IoToken(done.token.value & ((1ULL << kChannelShift) - 1));
        component_.on_io(done);
      }
    }
  }
  bool hold_completions = false;

 private:
  FakeEnv& env_;
  FakeBus& bus_;
  Component& component_;
};

// Commits what was proposed: the leader's own state machine applies it.
inline void commit(FakeConsensus& consensus, raft::StateMachine& machine) {
  while (!consensus.log.empty()) {
    const FakeConsensus::Entry entry = consensus.log.front();
    consensus.log.pop_front();
    consensus.applied_index = entry.index;
    if (!entry.command.empty()) {
      machine.apply(entry.index, consensus.current_term, entry.command, consensus.is_leader);
    }
  }
}

}  // namespace rejoin::test
