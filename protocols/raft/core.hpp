// Raft for one group as a pure state machine: a message, a timer or a completion goes in, an Output
// comes out. It follows Ongaro's paper ("Raft", sections 5, 7, 8) and dissertation ("dissertation",
// chapters 4, 6, 9), and his 2015 correction of single-server changes.
//
// Invariants:
// 1. No I/O, no clock, no callback: time is passed in, everything else is in the Output, which the
//    driver takes after each input and carries out in the order of its fields.
// 2. A message leaves only when its `after` is durable. Records are numbered from 1 in the order
//    in which they are emitted; 0 waits for nothing.
// 3. This server counts towards a quorum (its own vote, its own copy) only after its own sync.
// 4. commit_ never decreases and no entry at or below it is ever truncated.
// 5. The configuration in force is the latest in the log (dissertation 4.1).
// 6. Wrong messages are refused and change nothing. They never reach a CHECK.
//
// Not here: leadership transfer, read-index reads, joint consensus.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "model/facts.hpp"
#include "model/options.hpp"
#include "model/time.hpp"
#include "protocols/raft/consensus.hpp"
#include "protocols/raft/entry_log.hpp"
#include "protocols/raft/log.hpp"
#include "protocols/raft/messages.hpp"

namespace rejoin::raft {

enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader };
[[nodiscard]] std::string_view to_name(Role role);

struct Outgoing {
  Address to;
  Message message;
  PersistSeq after;
};

// Entries to apply. `leading`: this server led the group when they committed.
struct CommittedRange {
  LogIndex first;
  LogIndex last;
  bool leading = false;
};

// A snapshot to write. Completion is told by on_snapshot_saved, in order.
struct SnapshotToSave {
  std::shared_ptr<const Bytes> encoded;
};

struct Output {
  std::vector<Fact> facts;
  std::optional<Bytes> restore;  // replaces the whole state, before anything is applied
  std::vector<CommittedRange> committed;
  std::vector<Record> records;
  std::vector<Outgoing> messages;
  std::vector<SnapshotToSave> saves;
  bool rewrite_log = false;  // the log was compacted: the file holds records that nobody needs
  bool caught_up = false;    // see local::CaughtUp
};

// A draw that the core needs for its next election timeout: fresh for each term and campaign.
struct ElectionDraw {
  Term term;
  std::uint64_t attempt = 0;
};

// What a leader knows about one other server (dissertation 10.1.3; etcd's Progress).
struct Progress {
  enum class Mode : std::uint8_t {
    probe,      // where the logs agree is unknown: one append at a time
    replicate,  // it is known: appends are pipelined
    snapshot,   // what it needs is compacted: chunks, one at a time
  };
  // Sent and unanswered. `last`: the last entry in it; `round`: the heartbeat round then.
  struct InFlight {
    LogIndex last;
    std::uint64_t round = 0;
  };

  Server server;
  Mode mode = Mode::probe;
  LogIndex match;
  LogIndex next;
  LogIndex commit_told;
  MonotonicTime heard{};
  std::deque<InFlight> in_flight;
  std::uint32_t resends = 0;  // since the last progress
  std::shared_ptr<const Bytes> snapshot;
  LogIndex snapshot_index;
  Term snapshot_term;
  std::uint64_t offset = 0;
};

class Core {
 public:
  Core(GroupId group, const RaftOptions& options, Restored restored, MonotonicTime now);

  // ---- Inputs --------------------------------------------------------------------------------
  // Before the first, every message is dropped. Another incarnation is another server.
  void set_identity(MonotonicTime now, ServerId self);
  // The cluster removed this server: it goes on answering but does not campaign.
  void evict(MonotonicTime now);
  // False when the sender may not send this. `from` is where an answer goes.
  [[nodiscard]] bool on_message(MonotonicTime now, Address from, const Message& message);
  // Does nothing before deadline().
  void on_timer(MonotonicTime now);
  // All records up to this one are durable.
  void on_persisted(MonotonicTime now, PersistSeq up_to);
  // The oldest snapshot that was given out and not yet completed is durable.
  void on_snapshot_saved(MonotonicTime now);
  // Answers election_draw().
  void supply_draw(std::uint64_t bits);
  Proposed propose(MonotonicTime now, Bytes command);
  Proposed propose_member(MonotonicTime now, const MemberChange& change, Bytes command);
  // `state` is the state machine's after the last committed entry. Only when compaction_due().
  void compact(MonotonicTime now, Bytes state);

  [[nodiscard]] Output take_output();

  // ---- What it is ----------------------------------------------------------------------------
  [[nodiscard]] GroupId group() const { return group_; }
  [[nodiscard]] Role role() const { return role_; }
  [[nodiscard]] Term term() const { return term_; }
  [[nodiscard]] ServerId vote() const { return vote_; }
  [[nodiscard]] LogIndex commit() const { return commit_; }
  [[nodiscard]] LogIndex durable() const { return durable_; }
  [[nodiscard]] const EntryLog& log() const { return log_; }
  [[nodiscard]] LogIndex snapshot_index() const { return snapshot_.index; }
  [[nodiscard]] std::optional<Server> leader() const { return leader_; }
  [[nodiscard]] std::optional<MonotonicTime> leader_heard() const { return leader_heard_; }
  [[nodiscard]] const Configuration& configuration() const { return configurations_.back().value; }
  [[nodiscard]] const std::map<NodeId, Progress>& peers() const { return peers_; }
  // When on_timer must be called; kForever when never.
  [[nodiscard]] MonotonicTime deadline() const;
  [[nodiscard]] std::optional<ElectionDraw> election_draw() const { return draw_wanted_; }
  [[nodiscard]] bool compaction_due() const;
  [[nodiscard]] PersistSeq last_seq() const { return last_seq_; }

 private:
  struct LoggedConfiguration {
    LogIndex index;
    Configuration value;
  };
  // A record that is not durable yet and the log's end when it was emitted.
  struct Unsynced {
    PersistSeq seq;
    LogIndex last;
  };
  struct Saving {
    Snapshot meta;  // without state
    std::shared_ptr<const Bytes> encoded;
    std::optional<Bytes> state;  // set: installed from a leader, to be restored
    Header request;              // then: whom to tell
    Address reply_to;
    LogIndex settled;
  };
  struct Incoming {
    LogIndex index;
    Term term;
    std::uint64_t size_bytes = 0;
    Bytes bytes;
  };

  // ---- core.cpp: identity, persistence ----
  [[nodiscard]] const Server* self_in_configuration() const;
  [[nodiscard]] bool is_voter() const;
  PersistSeq persist(Record record);
  void set_term(Term term, ServerId vote);
  void send(Address to, Message message, PersistSeq after = {});
  [[nodiscard]] Header header_to(const Server& server, std::uint32_t attempt) const;
  [[nodiscard]] Header answer_to(const Header& request) const;
  // The record that makes the log durable up to `index`; none when it is.
  [[nodiscard]] PersistSeq seq_covering(LogIndex index) const;
  void want_draw();

  // ---- election.cpp ----
  void campaign();
  void start_pre_vote();
  void start_election();
  void request_votes(bool pre);
  void count_votes();
  void become_leader();
  void become_follower(Term term, std::optional<Server> leader);
  [[nodiscard]] bool heard_leader_recently() const;
  [[nodiscard]] bool log_is_behind_mine(const RequestVote& m) const;
  bool request_vote(Address from, const RequestVote& m);
  bool request_vote_response(Address from, const RequestVoteResponse& m);

  // ---- replication.cpp ----
  // Of a message that only a leader sends. False: stale; the caller answers with our term.
  [[nodiscard]] bool accept_leader(Address from, const Header& header);
  [[nodiscard]] bool contradicts_committed(const AppendEntries& m) const;
  bool append_entries(Address from, const AppendEntries& m);
  bool append_entries_response(Address from, const AppendEntriesResponse& m);
  bool heartbeat(Address from, const Heartbeat& m);
  bool heartbeat_response(Address from, const HeartbeatResponse& m);
  // The peer that answered; null when the answer is not for what we are now.
  [[nodiscard]] Progress* answering_peer(const Header& header);
  void append_entry(EntryType type, Bytes command, std::optional<Configuration> configuration);
  void append_to_log(Entry entry);
  void truncate_log(LogIndex from);
  void replicate(Progress& peer);
  void send_entries(Progress& peer);
  void resend(Progress& peer);
  void tell_commit(Progress& peer);
  void broadcast();
  void beat();
  [[nodiscard]] bool quorum_is_heard(const Configuration& configuration, Duration within) const;
  void advance_commit();
  void commit_to(LogIndex index);
  [[nodiscard]] LogIndex settled() const;
  void note_settled(LogIndex index);

  // ---- configuration.cpp ----
  [[nodiscard]] std::optional<Refusal> refuse_change() const;
  void append_configuration(Configuration next, Bytes command);
  void follow_configuration();
  void promote_learner();
  [[nodiscard]] bool may_vote_now(const Server& learner) const;

  // ---- snapshot.cpp ----
  void begin_snapshot(Progress& peer);
  void send_chunk(Progress& peer);
  bool install_snapshot(Address from, const InstallSnapshot& m);
  bool install_snapshot_response(Address from, const InstallSnapshotResponse& m);
  void finish_install(Saving saved);
  void finish_compaction(Saving saved);

  GroupId group_;
  RaftOptions options_;
  MonotonicTime now_;
  std::optional<ServerId> self_;
  bool evicted_ = false;

  // Persistent (Raft, figure 2).
  Term term_;
  ServerId vote_;
  EntryLog log_;
  std::vector<LoggedConfiguration> configurations_;  // the snapshot's, then those of the log
  Snapshot snapshot_;                                // without state
  std::shared_ptr<const Bytes> snapshot_encoded_;

  // Volatile.
  Role role_ = Role::follower;
  LogIndex commit_;
  std::optional<Server> leader_;
  std::optional<MonotonicTime> leader_heard_;
  MonotonicTime election_since_;
  Duration election_timeout_;
  std::optional<ElectionDraw> draw_wanted_;
  std::uint64_t draw_attempt_ = 0;
  std::optional<LogIndex> settled_target_;  // to be applied before we are caught up
  bool caught_up_ = false;

  // Persistence.
  PersistSeq last_seq_;
  PersistSeq synced_;
  PersistSeq hard_state_seq_;
  PersistSeq vote_seq_;  // of a vote that is not durable yet; 0: none
  LogIndex durable_;
  std::deque<Unsynced> unsynced_;

  // Candidate.
  std::map<NodeId, bool> votes_;
  std::uint32_t campaign_attempt_ = 0;

  // Leader.
  std::map<NodeId, Progress> peers_;
  LogIndex term_start_;  // the no-op of this leader
  std::uint64_t round_ = 0;
  MonotonicTime next_beat_;

  // Snapshots.
  std::deque<Saving> saving_;
  std::optional<Incoming> incoming_;

  Output output_;
};

}  // namespace rejoin::raft
