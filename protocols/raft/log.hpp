// What Raft keeps on disk.
//
// `log`: one file a host, shared by all its groups, of framed records:
//   length (4 bytes, little-endian), checksum (4 bytes, over length and payload), payload (a
//   Record).
// `snapshot-<group>`: one encoded snapshot, framed likewise, replaced as a whole.
//
// Invariants:
// 1. Replaying the records in order gives the hard state and the log of every group: a truncation
//    is a record, nothing is overwritten in place.
// 2. A snapshot file alone is enough: log records that do not join onto it are dropped.
// 3. Reading stops at the first record that is cut short, fails its checksum or makes no sense.
//    What is behind it is not used, and the file is rewritten before anything is appended.
//
// Not here: telling a torn tail (never acknowledged) from decay of what was synced; both are cut
// and reported. A server that lost what it acknowledged weakens the quorum that it was in
// (Alagappan et al., "Protocol-Aware Recovery", FAST 2018).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

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

void append_record(Writer& file, const Record& record);

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

struct RecoveredLog {
  std::map<GroupId, GroupLog> groups;
  std::size_t valid_bytes = 0;
  // Why reading stopped before the end of the file.
  std::optional<std::string> damage;
};

[[nodiscard]] RecoveredLog recover_log(ByteView file);

// The records that a rewritten file holds of one group.
void append_group(Writer& file, GroupId group, Term term, ServerId vote, const EntryLog& log);

// What a server had on its disk.
struct Restored {
  Term term;
  ServerId vote;
  Snapshot snapshot;
  std::shared_ptr<const Bytes> encoded;  // the snapshot as it was read; null when there was none
  EntryLog log;
};

// From what the log says of a group and its snapshot file (empty: there is none). None when the
// snapshot is damaged.
[[nodiscard]] std::optional<Restored> restore_group(GroupLog log, Bytes snapshot_file);

// Joins a log onto the snapshot it was read with (invariant 2). Dropped entries were never
// committed or are covered by the snapshot.
[[nodiscard]] EntryLog join(GroupLog group, LogIndex snapshot_index, Term snapshot_term);

}  // namespace rejoin::raft
