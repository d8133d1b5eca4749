// RaftShadow: each server's log, term and role, rebuilt from facts. Raft's invariants share it.
//
// Invariants:
// 1. What a crash may have undone is unknown, never guessed: a truncation may not have reached the
//    disk, so that the old entries come back. An unknown entry is judged by nobody until it is
//    applied or appended again.
// 2. A server is a node's, whatever its incarnation, until its disk is wiped. A twin is no server.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "model/facts.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"
#include "sim/invariants/invariant.hpp"

namespace rejoin::sim {

struct ShadowEntry {
  Term term;
  std::uint64_t digest = 0;
  friend bool operator==(const ShadowEntry&, const ShadowEntry&) = default;
};

class ShadowLog {
 public:
  // The index up to which the log is compacted; the first entry follows it.
  [[nodiscard]] LogIndex base() const { return base_; }
  [[nodiscard]] LogIndex last() const { return LogIndex(base_.value + entries_.size()); }
  // None when it is compacted, unknown, or beyond the end.
  [[nodiscard]] std::optional<ShadowEntry> at(LogIndex index) const;
  // Also of the base, when it is known; that of index 0 is 0.
  [[nodiscard]] std::optional<Term> term_at(LogIndex index) const;

  void append(LogIndex index, const ShadowEntry& entry);
  void learn(LogIndex index, const ShadowEntry& entry);  // of an entry that was unknown
  void truncate(LogIndex from);
  void compact(LogIndex index, std::optional<Term> term);
  void recover(LogIndex snapshot, LogIndex last);

 private:
  LogIndex base_;
  std::optional<Term> base_term_ = Term(0);
  std::deque<std::optional<ShadowEntry>> entries_;
  std::optional<LogIndex> doubtful_from_;  // lowest truncation of this life
};

struct ShadowServer {
  struct Append {
    LogIndex index;
    MonotonicTime at{};
  };

  bool up = false;
  Term term;  // highest that it showed in this life; 0 when it showed none
  bool leads = false;
  Term leads_term;
  MonotonicTime leads_since{};
  bool committed_in_term = false;  // while leading
  std::deque<Append> uncommitted;  // appended while leading, oldest first
  ShadowLog log;
};

class RaftShadow {
 public:
  static constexpr FactSet kInterests =
      fact_set<fact::ProcessStarted, fact::ProcessCrashed, fact::ProcessHalted, fact::DiskWiped,
               fact::BecameLeader, fact::LostLeadership, fact::VoteGranted, fact::EntryAppended,
               fact::LogTruncated, fact::Committed, fact::EntryApplied, fact::SnapshotInstalled,
               fact::LogCompacted, fact::LogRecovered>();
  using Id = std::pair<GroupId, NodeId>;

  void absorb(const FactEvent& event);

  [[nodiscard]] const std::map<Id, ShadowServer>& servers() const { return servers_; }
  [[nodiscard]] const ShadowServer* find(GroupId group, NodeId node) const;

 private:
  void absorb_process(const FactEvent& event);
  void show_term(ShadowServer& server, Term term);

  std::map<Id, ShadowServer> servers_;
  std::map<NodeId, bool> up_;
};

}  // namespace rejoin::sim
