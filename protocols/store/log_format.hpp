// How the store's entries look on disk. The log and the snapshot are both a row of frames:
//
//   length of the body (4 bytes, little-endian), checksum (4 bytes), body (one LogEntry)
//
// The first entry of a snapshot is its header; the others are the records that it holds. The first
// entry of a log is its head; marks are strewn in.
//
// Invariants:
// 1. The checksum covers which file it is and where the frame begins, besides length and body: a
//    frame that is cut short, overwritten, zeroed, of another file or of another place is not
//    mistaken for an entry. A body is never empty.
// 2. Sequences of a log count up by one from that of its head; those of a snapshot are the records'
//    own.
// 3. A log is born with its head, in one replace, and tells what must be there: a head, mark or
//    entry has in `synced` up to where entries were durable when it was written. So an entry that
//    does not read although a head before it or anything behind it says that it was synced is
//    corrupt. Whatever else does not read is a torn tail, which nobody was ever told of.
//
// Not here: files and when they are written, and what is done about damage (journal.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  head,      // of a log: what follows comes after `seq`, and up to `synced` came with it
  mark,      // of a log: everything up to `synced` is durable
};
inline constexpr EntryKind kLastEntryKind = EntryKind::mark;

// Which file a frame is of.
enum class FileKind : std::uint8_t { log = 1, snapshot = 2, hints = 3 };

struct LogEntry {
  std::uint64_t seq = 0;
  EntryKind kind{};
  PartitionId partition;
  Record record;
  std::uint64_t count = 0;  // of a snapshot, its records; of a head, the life of the store
  std::uint64_t synced = 0;
  REJOIN_FIELDS(seq, kind, partition, record, count, synced)
};

// What follows a sync that made everything up to `synced` durable.
[[nodiscard]] LogEntry mark_of(std::uint64_t synced);

// A frame of any body, for files of others that are made like these: begin_frame() says where it
// begins in `out`, and once the body is behind that, end_frame() closes it; it will begin in its
// file at byte `at`.
[[nodiscard]] std::size_t begin_frame(Writer& out);
void end_frame(Writer& out, std::size_t start, FileKind file, std::uint64_t at);
// The body of the frame that begins at byte `at`; none when there is no such frame. The next one
// begins at the body's end.
[[nodiscard]] std::optional<ByteView> read_frame(FileKind kind, ByteView file, std::size_t at);

// Appends one frame, which will begin in its file at byte `at`.
void write_entry(Writer& out, FileKind file, std::uint64_t at, const LogEntry& entry);

// Walks over the frames of a file. Views the bytes, which must outlive it.
class EntryReader {
 public:
  EntryReader(FileKind kind, ByteView file, std::size_t at = 0)
      : kind_(kind), file_(file), at_(at) {}

  // The next entry; none at the end, or when the bytes from good_bytes() on are no entry. Once
  // none, always none.
  [[nodiscard]] std::optional<LogEntry> next();
  // The frames read so far end here.
  [[nodiscard]] std::size_t good_bytes() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ == file_.size(); }

 private:
  FileKind kind_;
  ByteView file_;
  std::size_t at_;
};

// What a log file holds.
struct LogContent {
  struct Damage {
    std::uint64_t offset = 0;
    std::string what;
    bool torn = false;  // nobody was told of what is missing; else it is corrupt
  };
  std::uint64_t base = 0;         // the entries come after this sequence
  std::uint64_t life = 0;         // of the store that wrote it
  std::vector<LogEntry> entries;  // without head and marks
  std::optional<Damage> damage;   // behind them
};
[[nodiscard]] LogContent read_log(ByteView file);
// A whole log file: a head, and these entries, which are in order and come after `base`.
[[nodiscard]] Bytes encode_log(std::uint64_t base, const std::vector<LogEntry>& entries,
                               std::uint64_t life);

}  // namespace rejoin::store
