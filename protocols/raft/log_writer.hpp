// Writes the log file that all groups of a host share.
//
// Invariants:
// 1. At most one operation (sync or rewrite) is under way. Records that come meanwhile wait in
//    memory and go out together: one sync for all groups.
// 2. A rewrite contains every record handed over before it, so nothing is lost by it and its
//    completion makes them all durable.
// 3. A failed operation is never retried.
// 4. The first operation is a rewrite: it gives the file its head. Each sync is followed by a Mark,
//    which the next sync takes with it.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "model/env.hpp"
#include "protocols/raft/log.hpp"

namespace rejoin::raft {

class LogWriter {
 public:
  static constexpr std::string_view kFile = "log";

  LogWriter(Env& env, IoToken token) : env_(env), token_(token) {}

  // `seq`: the group's number of this record.
  void add(GroupId group, PersistSeq seq, Record record);
  [[nodiscard]] bool idle() const { return !busy_; }
  [[nodiscard]] bool has_pending() const { return !pending_.empty(); }
  // Only when idle. Appends and syncs what is pending.
  void sync();
  // Only when idle. `records` are the whole file, all records handed over so far included.
  void rewrite(const std::vector<Record>& records);
  // The operation completed ok. Returns what is durable now, by group.
  [[nodiscard]] std::map<GroupId, PersistSeq> complete();

 private:
  Env& env_;
  IoToken token_;
  bool busy_ = false;
  bool rewriting_ = false;
  std::uint64_t size_bytes_ = 0;  // of the file; none: it was never written
  std::uint64_t records_ = 0;     // in it
  std::vector<Record> pending_;
  std::map<GroupId, PersistSeq> pending_marks_;
  std::map<GroupId, PersistSeq> marks_under_way_;
};

}  // namespace rejoin::raft
