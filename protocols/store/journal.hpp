// The store's files: a log with group commit, and a snapshot that lets the log be short.
//
// Invariants:
// 1. At most one sync of the log is under way. What is appended meanwhile goes into the next one.
// 2. Every crash leaves snapshot and log such that the entries of the snapshot, followed by those
//    of the log that are newer, are a prefix of what was appended that contains all that was
//    durable. The snapshot is replaced first; entries that are then in both are told apart by
//    their sequence.
// 3. What recovery reports is durable: what was read back may have been in a cache only, so it is
//    synced (or rewritten, when a tail was cut) before anyone hears of it.
// 4. A failed operation or a snapshot that does not check halts the process.
//
// Not here: what entries mean. While the log is being replaced, appends wait in memory: an append
// must not race the exchange of the file that it is for.
#pragma once

#include <cstdint>
#include <functional>

#include "model/env.hpp"
#include "protocols/node/component.hpp"
#include "protocols/store/log_format.hpp"

namespace rejoin::store {

class Journal {
 public:
  // `replay` gets every recovered entry in order and says whether it is one of this store's.
  using Replay = std::function<bool(LogEntry entry)>;
  enum class Progress : std::uint8_t { none, recovered, durable };

  Journal(Env& machine, NodeBus& bus, Replay replay);

  // Reads the files; on_io says `recovered` when that is done.
  void start();
  // `durable`: durable_sequence() has grown.
  [[nodiscard]] Progress on_io(const IoDone& done);

  // The entry's sequence is last_sequence() + 1.
  void append(const LogEntry& entry);
  // Starts a snapshot: `image` is a header and the records, as of last_sequence().
  void write_snapshot(Bytes image);

  [[nodiscard]] std::uint64_t last_sequence() const { return last_; }
  [[nodiscard]] std::uint64_t durable_sequence() const { return durable_; }
  [[nodiscard]] std::uint64_t log_bytes() const { return log_bytes_; }
  // From write_snapshot until the log has been exchanged, too.
  [[nodiscard]] bool snapshot_under_way() const {
    return snapshot_ != Snapshot::none || log_ == LogState::replacing;
  }

 private:
  enum class LogState : std::uint8_t { idle, syncing, replacing };
  enum class Snapshot : std::uint8_t { none, writing, written };

  [[nodiscard]] bool load_snapshot(ByteView file);
  void load_log(ByteView file);
  void continue_log();
  [[nodiscard]] Progress durable_up_to(std::uint64_t seq);

  SubEnv env_;
  NodeBus& bus_;
  Replay replay_;

  std::uint64_t last_ = 0;
  std::uint64_t durable_ = 0;
  std::uint64_t log_bytes_ = 0;
  LogState log_ = LogState::idle;
  std::uint64_t log_covers_ = 0;  // the sync or replace under way makes durable up to here
  Snapshot snapshot_ = Snapshot::none;
  std::uint64_t snapshot_covers_ = 0;
  Writer tail_;  // frames newer than the snapshot under way: the log to be
  Writer held_;  // frames appended while the log is being replaced
};

}  // namespace rejoin::store
