// The store's files: a log with group commit, and a snapshot that lets the log be short.
//
// Invariants:
// 1. At most one sync of the log is under way. What is appended meanwhile goes into the next one.
// 2. Every crash leaves snapshot and log such that the entries of the snapshot, followed by those
//    of the log that are newer, are a prefix of what was appended that contains all that was
//    durable. The snapshot is replaced first; entries that are then in both are told apart by
//    their sequence.
// 3. What recovery reports is durable: what was read back may have been in a cache only, even after
//    a sync that failed, so the log is rewritten before anyone hears of it (Rebello et al., "Can
//    Applications Recover from fsync Failures?", ATC 2020).
// 4. A failed operation halts the process, and is never tried again.
// 5. Damage that no crash explains (log_format.hpp), a snapshot that is older than what the log
//    follows, or a log that is missing beside a snapshot, is published as StorageCorrupt and halts
//    the process; nothing of it is served. An operator restarts it on an empty disk, and it comes
//    back as another life of the node that owns nothing it has not copied. To discard the store
//    and keep the identity would be less work and is not safe: others count this node among those
//    that hold what it acknowledged, and whether it may answer before it is repaired is not for
//    the store to know (an open gate does).
// 6. A torn tail is cut off and reported; nobody was told of what was in it.
// 7. Files with a partition that the store has not are sound: the node was configured for more when
//    it wrote them. That halts the process, too, and is no corruption.
//
// Not here: what entries mean. While the log is being replaced, appends wait in memory: an append
// must not race the exchange of the file that it is for. Nor what looks alike: a mark is
// behind what it vouches for, and waits for the next sync itself. Entries that decay together with
// everything behind them pass for a torn tail, unless they came with the head. A disk that lost a
// sync, or a whole replace, leaves files that were right some time ago: nothing in them shows it,
// so StoreRecovered says less than StoreDurable did.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/env.hpp"
#include "protocols/node/component.hpp"
#include "protocols/store/log_format.hpp"

namespace rejoin::store {

class Journal {
 public:
  // `replay` gets every recovered entry in order and says whether its partition is one of this
  // store's.
  using Replay = std::function<bool(const LogEntry& entry)>;
  enum class Progress : std::uint8_t { none, recovered, durable };

  Journal(Env& machine, NodeBus& bus, Replay replay);

  // Reads the files; on_io says `recovered` when that is done.
  void start();
  // `durable`: durable_sequence() has grown.
  [[nodiscard]] Progress on_io(const IoDone& done);

  // The entry's sequence is last_sequence() + 1. Fills in its `synced`.
  void append(LogEntry& entry);
  // Starts a snapshot: `image` is a header and the records, as of last_sequence().
  void write_snapshot(Bytes image);

  [[nodiscard]] std::uint64_t last_sequence() const { return last_; }
  [[nodiscard]] std::uint64_t durable_sequence() const { return durable_; }
  // Since when there has been a log: another number after data was lost with its file. Recovered.
  [[nodiscard]] std::uint64_t life() const { return life_; }
  [[nodiscard]] std::uint64_t log_bytes() const { return log_bytes_; }
  // From write_snapshot until the log has been exchanged, too.
  [[nodiscard]] bool snapshot_under_way() const {
    return snapshot_ != Snapshot::none || log_ == LogState::replacing;
  }

 private:
  enum class LogState : std::uint8_t { idle, syncing, replacing };
  enum class Snapshot : std::uint8_t { none, writing, written };

  // False: the process is halted.
  [[nodiscard]] bool load_snapshot(ByteView file);
  [[nodiscard]] std::uint64_t new_life();
  void load_log(const IoDone& done);
  void corrupt(std::string_view file, std::uint64_t offset, const std::string& what);
  void misfit(std::string_view file, PartitionId partition);
  void continue_log();
  void append_mark();
  [[nodiscard]] Progress durable_up_to(std::uint64_t seq);

  SubEnv env_;
  NodeBus& bus_;
  Replay replay_;

  std::uint64_t life_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t durable_ = 0;
  std::uint64_t log_bytes_ = 0;  // of the file, or of what it is being replaced by
  std::uint64_t marked_ = 0;     // the log says that entries up to here are durable
  bool snapshot_found_ = false;
  LogState log_ = LogState::idle;
  std::uint64_t log_covers_ = 0;  // the sync or replace under way makes durable up to here
  Snapshot snapshot_ = Snapshot::none;
  std::uint64_t snapshot_covers_ = 0;
  std::vector<LogEntry> tail_;  // newer than the snapshot under way: the log to be
  Writer held_;                 // frames appended while the log is being replaced
};

}  // namespace rejoin::store
