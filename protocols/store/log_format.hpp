// How the store's entries look on disk. The log and the snapshot are both a row of frames:
//
//   length of the body (4 bytes, little-endian), checksum (4 bytes), body (one LogEntry)
//
// The first entry of a snapshot is its header; the others are the records that it holds.
//
// Invariants:
// 1. The checksum covers length and body, so that a frame which is cut short, overwritten or
//    zeroed is not mistaken for an entry. A body is never empty.
// 2. Sequences of a log count up by one; those of a snapshot are the records' own.
//
// Not here: files and when they are written (journal.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "model/bytes.hpp"
#include "model/fields.hpp"
#include "model/ids.hpp"
#include "model/record.hpp"
#include "model/wire.hpp"

namespace rejoin::store {

enum class EntryKind : std::uint8_t {
  put,       // `record` is stored
  erase,     // the key of `record` is gone, without a tombstone
  drop,      // the whole partition is gone
  snapshot,  // header: everything up to `seq` is here, in `count` records
};
inline constexpr EntryKind kLastEntryKind = EntryKind::snapshot;

struct LogEntry {
  std::uint64_t seq = 0;
  EntryKind kind{};
  PartitionId partition;
  Record record;
  std::uint64_t count = 0;
  REJOIN_FIELDS(seq, kind, partition, record, count)
};

// Appends one frame.
void write_entry(Writer& out, const LogEntry& entry);

// Walks over the frames of a file. Views the bytes, which must outlive it.
class EntryReader {
 public:
  explicit EntryReader(ByteView file) : file_(file) {}

  // The next entry; none at the end, or when the bytes from good_bytes() on are no entry. Once
  // none, always none.
  [[nodiscard]] std::optional<LogEntry> next();
  // The frames read so far end here.
  [[nodiscard]] std::size_t good_bytes() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ == file_.size(); }
  // The frame last read is not acceptable after all: it does not count as read.
  void reject_last() { at_ = last_; }

 private:
  ByteView file_;
  std::size_t at_ = 0;
  std::size_t last_ = 0;
};

}  // namespace rejoin::store
