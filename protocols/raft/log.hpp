// What Raft keeps on disk.
//
// `log`: one file a host, shared by all its groups, of framed records:
//   length (4 bytes, little-endian), checksum (4 bytes), payload (a Record, a Head or a Mark).
// `snapshot-<group>`: one encoded snapshot, framed likewise, replaced as a whole.
//
// Invariants:
// 1. Replaying the records in order gives the hard state and the log of every group: a truncation
//    is a record, nothing is overwritten in place.
// 2. A snapshot file alone is enough: log records that do not join onto it are dropped. It is never
//    older than the start of the log.
// 3. The checksum covers which file it is and where the frame begins, besides length and payload:
//    bytes that are rotten, cut short, of another file or of another place are no frame.
// 4. A log is born with a Head, in one replace: it tells how many records came with it. After each
//    sync a Mark follows that tells how many are durable. So a record that does not read although a
//    Head before it or a Mark anywhere says that it was synced is damage, and the server must not
//    go on: it may have voted, or acknowledged an entry, by what it cannot read any more, and a
//    log that is cut silently makes a majority of less than one (Alagappan et al., "Protocol-Aware
//    Recovery for Consensus-Based Storage", FAST 2018).
// 5. Anything else that does not read is a torn tail, which nobody was ever told of: it is cut, and
//    the file is rewritten before anything is appended.
//
// Not here: telling apart what looks alike. A Mark is behind what it vouches for, and waits for the
// next sync itself: records that decay together with every Mark behind them (the end of the file
// does, whole) pass for a torn tail, unless they came with the Head. A disk that lost a sync, or a
// whole replace, leaves files that were right some time ago: nothing in them shows it. Records are
// not repaired from other servers: the server comes back on an empty disk, under another
// incarnation.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "protocols/raft/entry_log.hpp"
#include "protocols/raft/messages.hpp"

namespace rejoin::raft {

namespace record {
struct HardState {
  GroupId group;
  Term term;
  ServerId vote;  // none: not given in this term
  REJOIN_FIELDS(group, term, vote)
};
struct Append {
  GroupId group;
  Entry entry;
  REJOIN_FIELDS(group, entry)
};
// `from` and all after it are gone.
struct Truncate {
  GroupId group;
  LogIndex from;
  REJOIN_FIELDS(group, from)
};
// The log starts after this index. What is after it stays if the entry there has this term.
struct SnapshotMark {
  GroupId group;
  LogIndex index;
  Term term;
  REJOIN_FIELDS(group, index, term)
};
}  // namespace record

using Record =
    std::variant<record::HardState, record::Append, record::Truncate, record::SnapshotMark>;

namespace record {
// First in a file: so many records came with it.
struct Head {
  std::uint64_t records = 0;
  REJOIN_FIELDS(records)
};
// So many records of the file, Head and Marks not counted, were durable when this was written.
struct Mark {
  std::uint64_t records = 0;
  REJOIN_FIELDS(records)
};
}  // namespace record

// `at`: where in the file the frame will begin, in bytes.
void append_record(Writer& out, const Record& record, std::uint64_t at);
void append_mark(Writer& out, const record::Mark& mark, std::uint64_t at);
// A whole file.
[[nodiscard]] Bytes encode_log(const std::vector<Record>& records);

struct Snapshot {
  LogIndex index;  // the last entry that it covers
  Term term;
  Configuration configuration;  // in force at index
  Bytes state;
  REJOIN_FIELDS(index, term, configuration, state)
};

[[nodiscard]] Bytes encode_snapshot(const Snapshot& snapshot);
// None when the bytes are damaged.
[[nodiscard]] std::optional<Snapshot> decode_snapshot(ByteView bytes);

// What the log file says of one group.
struct GroupLog {
  Term term;
  ServerId vote;
  bool start_known = false;  // a SnapshotMark told the term of the start
  EntryLog log;
};

// Where reading stopped before the end of the file, or of what the file promises.
struct LogDamage {
  std::uint64_t offset = 0;
  std::string what;
  bool torn = false;  // invariant 5; else 4
};

struct RecoveredLog {
  std::map<GroupId, GroupLog> groups;
  std::optional<LogDamage> damage;
};

// Of no bytes, nothing: a file that is not there.
[[nodiscard]] RecoveredLog recover_log(ByteView file);

// The records that a rewritten file holds of one group.
void append_group(std::vector<Record>& records, GroupId group, Term term, ServerId vote,
                  const EntryLog& log);

// What a server had on its disk.
struct Restored {
  Term term;
  ServerId vote;
  Snapshot snapshot;
  std::shared_ptr<const Bytes> encoded;  // the snapshot as it was read; null when there was none
  EntryLog log;
};

// From what the log says of a group and its snapshot file (empty: there is none). The error says
// what is wrong with the snapshot.
[[nodiscard]] tl::expected<Restored, std::string> restore_group(GroupLog log, Bytes snapshot_file);

// Joins a log onto the snapshot it was read with (invariant 2). Dropped entries were never
// committed or are covered by the snapshot.
[[nodiscard]] EntryLog join(GroupLog group, LogIndex snapshot_index, Term snapshot_term);

}  // namespace rejoin::raft
