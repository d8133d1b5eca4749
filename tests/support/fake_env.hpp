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

[[nodiscard]] MonotonicTime at(Duration since_zero);

class FakeBus final : public NodeBus {
 public:
  void post(LocalEvent event) override;
  void publish(const Fact& fact) override;

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

  explicit FakeEnv(Address own);

  [[nodiscard]] MonotonicTime now() const override { return time; }
  [[nodiscard]] WallTime wall_now() const override;
  [[nodiscard]] Address self() const override { return address; }
  void send(Address to, Transport transport, Bytes frame, const Tag& tag) override;
  void arm(TimerId timer, MonotonicTime deadline) override;
  void disarm(TimerId timer) override;
  void append(std::string_view file, ByteView data) override;
  void sync(std::string_view /*file*/, IoToken token) override;
  void read(std::string_view file, IoToken token) override;
  void replace(std::string_view file, ByteView data, IoToken token) override;
  void remove(std::string_view file, IoToken token) override;
  [[nodiscard]] std::uint64_t random(std::string_view label, std::uint64_t what,
                                     std::uint64_t attempt) override;
  void halt(std::string_view reason) override;

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

  raft::Proposed propose(GroupId, Bytes command) override;
  raft::Proposed propose_member(GroupId, const raft::MemberChange& change, Bytes command) override;

  void change_servers(const raft::MemberChange& change);

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
  raft::Proposed take(Bytes command, std::optional<raft::MemberChange> change);
};

// Plays the node for one component: strips the channel, completes files, drains local events.
class ComponentHost {
 public:
  ComponentHost(FakeEnv& env, FakeBus& bus, Component& component);

  void start();
  template <class M>
  bool deliver(Address from, const M& message) {
    const bool accepted = component_.on_message(from, M::kind, encode(message));
    settle();
    return accepted;
  }
  bool deliver_frame(Address from, ByteView bytes);
  void tell(LocalEvent event);
  [[nodiscard]] std::optional<MonotonicTime> next_timer() const;
  // Fires what is due on the way, in order of time.
  void run_to(MonotonicTime end);
  void run_for(Duration time);
  // Completions and events until nothing is left.
  void settle();
  bool hold_completions = false;

 private:
  FakeEnv& env_;
  FakeBus& bus_;
  Component& component_;
};

// Commits what was proposed: the leader's own state machine applies it.
void commit(FakeConsensus& consensus, raft::StateMachine& machine);

}  // namespace rejoin::test
