// The driver: joins the pure cores of all groups of a host to its Env, its log file and the node.
//
// Invariants:
// 1. It takes part only after its files were read and it knows its identity (node, incarnation).
// 2. After each input it carries out the core's Output in this order: facts, restore, apply,
//    records, messages, snapshots. A message waits until its record is durable.
// 3. One log file, one sync under way, one frame of heartbeats a peer, for all groups.
// 4. A failed write or read halts the node, and is never tried again. So does damage that no crash
//    explains, or a file that must be there and is not: what this server voted and acknowledged is
//    not known any more, so it must not go on as the same server (log.hpp). An operator restarts
//    the machine with an empty disk, which makes it another one.
// 5. The log is rewritten at each start: what was read may have been in a cache only, even after a
//    sync that failed (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "model/env.hpp"
#include "model/options.hpp"
#include "protocols/node/component.hpp"
#include "protocols/raft/consensus.hpp"
#include "protocols/raft/core.hpp"
#include "protocols/raft/log_writer.hpp"

namespace rejoin::raft {

class Raft final : public Component, public Consensus {
 public:
  Raft(Env& machine, NodeBus& bus, NodeId self, const RaftOptions& options);

  // Before start(). The state machine must outlive this; it is restored before it applies.
  void add_group(GroupId group, StateMachine& machine);

  // ---- Component ----
  [[nodiscard]] Channel channel() const override { return Channel::raft; }
  void start() override;
  [[nodiscard]] bool on_message(Address from, MessageKind kind, ByteView body) override;
  void on_timer(TimerId timer) override;
  void on_io(const IoDone& done) override;
  void on_local(const LocalEvent& event) override;

  // ---- Consensus: of a group that was added. Nothing but defaults before the files were read ----
  [[nodiscard]] bool leads(GroupId group) const override;
  [[nodiscard]] Term term(GroupId group) const override;
  [[nodiscard]] std::optional<Server> leader(GroupId group) const override;
  [[nodiscard]] const Configuration& configuration(GroupId group) const override;
  [[nodiscard]] LogIndex applied(GroupId group) const override;
  [[nodiscard]] std::optional<MonotonicTime> leader_heard(GroupId group) const override;
  Proposed propose(GroupId group, Bytes command) override;
  Proposed propose_member(GroupId group, const MemberChange& change, Bytes command) override;

 private:
  struct LeaderView {
    Term term;
    std::optional<ServerId> leader;
    friend bool operator==(const LeaderView&, const LeaderView&) = default;
  };
  struct Group {
    StateMachine* machine = nullptr;
    std::unique_ptr<Core> core;  // null until the files were read
    Bytes snapshot_file;         // until then
    LogIndex applied;
    PersistSeq durable;
    LeaderView told;               // what LeaderChanged said last
    std::deque<Outgoing> waiting;  // for their records
  };

  void on_read(IoToken token, const IoDone& done);
  void recover();
  [[nodiscard]] bool recover_group(GroupId id, Group& group, GroupLog log);
  void corrupt(std::string_view file, std::uint64_t offset, const std::string& what);
  void enter();
  void drain(GroupId id, Group& group);
  void apply(GroupId id, Group& group, const CommittedRange& range);
  void send_or_hold(Group& group, Outgoing out);
  void transmit(const Outgoing& out);
  void finish();
  void write_log();
  void send_beats();
  void arm_timer();
  template <class M>
  [[nodiscard]] bool receive(Address from, ByteView body);
  [[nodiscard]] bool deliver(Address from, const Message& message);
  [[nodiscard]] const Group& group(GroupId id) const;
  [[nodiscard]] Group& group(GroupId id);
  void halt(std::string_view reason);

  SubEnv env_;
  NodeBus& bus_;
  NodeId self_;
  RaftOptions options_;
  LogWriter writer_;
  std::map<GroupId, Group> groups_;
  std::size_t reads_left_ = 0;
  Bytes log_file_;
  bool log_found_ = false;
  bool identity_found_ = false;  // on the disk, so this server is older than this process
  bool rewrite_wanted_ = false;
  bool ready_ = false;  // the files were read, and the log is durable
  bool halted_ = false;
  std::optional<ServerId> identity_;
  bool evicted_ = false;
  std::optional<MonotonicTime> armed_;
  // Of the event being handled, by peer: a frame each at its end. Emptied, not erased: the next
  // beat needs them again.
  std::map<Address, Heartbeats> beats_;
  std::map<Address, HeartbeatResponses> beat_answers_;
};

// The files, with their full names, of a founding member of `group`: one snapshot at index 1 of
// term 1, and an empty log, identical on all founders. `state` is what StateMachine::restore takes.
[[nodiscard]] std::vector<DiskFile> bootstrap_files(GroupId group,
                                                    const Configuration& configuration,
                                                    ByteView state);

}  // namespace rejoin::raft
