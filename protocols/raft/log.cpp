#include "protocols/raft/log.hpp"

#include <utility>

#include "model/hash.hpp"
#include "model/random.hpp"

namespace rejoin::raft {

namespace {

constexpr std::size_t kFrameBytes = 8;

std::uint32_t checksum(std::size_t length, ByteView payload) {
  return static_cast<std::uint32_t>(mix(length, hash64(payload)));
}

void append_frame(Writer& file, ByteView payload) {
  file.fixed32(static_cast<std::uint32_t>(payload.size()));
  file.fixed32(checksum(payload.size(), payload));
  file.raw(payload);
}

// None when the frame is cut short or damaged; the reader is then where it was left.
std::optional<ByteView> read_frame(Reader& file) {
  const std::uint32_t length = file.fixed32();
  const std::uint32_t sum = file.fixed32();
  const ByteView payload = file.raw(length);
  if (!file.ok() || sum != checksum(length, payload)) return std::nullopt;
  return payload;
}

bool replay(std::map<GroupId, GroupLog>& groups, const record::HardState& r) {
  GroupLog& group = groups[r.group];
  if (r.term < group.term) return false;
  group.term = r.term;
  group.vote = r.vote;
  return true;
}

bool replay(std::map<GroupId, GroupLog>& groups, const record::Append& r) {
  GroupLog& group = groups[r.group];
  if (!well_formed(r.entry) || r.entry.index.is_none()) return false;
  // The first entry after a founding snapshot has no mark before it.
  if (!group.start_known && group.log.entries().empty()) {
    group.log = EntryLog(LogIndex(r.entry.index.value - 1), Term{});
  }
  if (r.entry.index != group.log.last_index().next()) return false;
  if (r.entry.term < group.log.last_term()) return false;
  group.log.append(r.entry);
  return true;
}

bool replay(std::map<GroupId, GroupLog>& groups, const record::Truncate& r) {
  GroupLog& group = groups[r.group];
  if (r.from <= group.log.start_index() || r.from > group.log.last_index()) return false;
  group.log.truncate(r.from);
  return true;
}

bool replay(std::map<GroupId, GroupLog>& groups, const record::SnapshotMark& r) {
  GroupLog& group = groups[r.group];
  if (group.log.contains(r.index, r.term)) {
    group.log.compact(r.index);
  } else {
    group.log = EntryLog(r.index, r.term);
  }
  group.start_known = true;
  return true;
}

}  // namespace

void append_record(Writer& file, const Record& record) {
  Writer payload;
  payload.put(record);
  append_frame(file, payload.view());
}

Bytes encode_snapshot(const Snapshot& snapshot) {
  Writer file;
  append_frame(file, encode(snapshot));
  return file.take();
}

std::optional<Snapshot> decode_snapshot(ByteView bytes) {
  Reader file(bytes);
  const std::optional<ByteView> payload = read_frame(file);
  if (!payload || !file.at_end()) return std::nullopt;
  return decode<Snapshot>(*payload);
}

RecoveredLog recover_log(ByteView file) {
  RecoveredLog recovered;
  Reader reader(file);
  while (!reader.at_end()) {
    const std::string where =
        " at byte " + std::to_string(recovered.valid_bytes) + " of " + std::to_string(file.size());
    const std::optional<ByteView> payload = read_frame(reader);
    if (!payload) {
      recovered.damage = (reader.ok() ? "checksum mismatch" : "torn record") + where;
      break;
    }
    const std::optional<Record> record = decode<Record>(*payload);
    const bool sound =
        record && std::visit([&](const auto& r) { return replay(recovered.groups, r); }, *record);
    if (!sound) {
      recovered.damage = "record out of place" + where;
      break;
    }
    recovered.valid_bytes += kFrameBytes + payload->size();
  }
  return recovered;
}

void append_group(Writer& file, GroupId group, Term term, ServerId vote, const EntryLog& log) {
  append_record(file, record::HardState{group, term, vote});
  append_record(file, record::SnapshotMark{group, log.start_index(), log.start_term()});
  for (const Entry& entry : log.entries()) append_record(file, record::Append{group, entry});
}

std::optional<Restored> restore_group(GroupLog log, Bytes snapshot_file) {
  Restored restored{.term = log.term, .vote = log.vote, .snapshot = {}, .encoded = {}, .log = {}};
  if (!snapshot_file.empty()) {
    std::optional<Snapshot> snapshot = decode_snapshot(snapshot_file);
    if (!snapshot) return std::nullopt;
    restored.snapshot = std::move(*snapshot);
    restored.encoded = std::make_shared<const Bytes>(std::move(snapshot_file));
  }
  restored.log = join(std::move(log), restored.snapshot.index, restored.snapshot.term);
  return restored;
}

EntryLog join(GroupLog group, LogIndex snapshot_index, Term snapshot_term) {
  EntryLog& log = group.log;
  if (!group.start_known) {
    // A start whose term nobody told is of no use unless the snapshot is right there.
    if (log.start_index() == snapshot_index && !log.entries().empty() &&
        log.entries().front().term >= snapshot_term) {
      EntryLog joined(snapshot_index, snapshot_term);
      for (const Entry& entry : log.entries()) joined.append(entry);
      return joined;
    }
    if (log.start_index() >= snapshot_index) return {snapshot_index, snapshot_term};
  }
  if (!log.contains(snapshot_index, snapshot_term)) return {snapshot_index, snapshot_term};
  // The trailing entries stay for slow followers, if their start is known.
  if (!group.start_known) log.compact(snapshot_index);
  return std::move(log);
}

}  // namespace rejoin::raft
