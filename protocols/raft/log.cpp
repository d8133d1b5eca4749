#include "protocols/raft/log.hpp"

#include <algorithm>
#include <utility>

#include "model/hash.hpp"
#include "model/random.hpp"

namespace rejoin::raft {

namespace {

constexpr std::size_t kFrameBytes = 8;

// What a log file holds. On disk the four of Record have the same numbers.
using FileRecord = std::variant<record::HardState, record::Append, record::Truncate,
                                record::SnapshotMark, record::Head, record::Mark>;

// Which file a frame is of; part of its checksum.
enum class FileKind : std::uint8_t { log = 1, snapshot = 2 };

std::uint32_t checksum(FileKind kind, std::uint64_t at, ByteView payload) {
  const std::uint64_t place = mix(static_cast<std::uint64_t>(kind), at);
  return static_cast<std::uint32_t>(mix(place, mix(payload.size(), hash64(payload))));
}

void append_frame(Writer& out, FileKind kind, std::uint64_t at, ByteView payload) {
  out.fixed32(static_cast<std::uint32_t>(payload.size()));
  out.fixed32(checksum(kind, at, payload));
  out.raw(payload);
}

template <class R>
void append_to_log(Writer& out, const R& record, std::uint64_t at) {
  Writer payload;
  payload.put(record);
  append_frame(out, FileKind::log, at, payload.view());
}

// The payload of the frame that begins there; none when there is none.
std::optional<ByteView> read_frame(FileKind kind, ByteView file, std::size_t at) {
  Reader reader(file.subspan(at));
  const std::uint32_t length = reader.fixed32();
  const std::uint32_t sum = reader.fixed32();
  const ByteView payload = reader.raw(length);
  if (!reader.ok() || sum != checksum(kind, at, payload)) return std::nullopt;
  return payload;
}

// How many records the last Mark behind `from` says are durable; 0 when there is none.
std::uint64_t marked_behind(ByteView file, std::size_t from) {
  std::uint64_t records = 0;
  for (std::size_t at = from; at < file.size();) {
    const std::optional<ByteView> payload = read_frame(FileKind::log, file, at);
    if (!payload) {
      ++at;
      continue;
    }
    at += kFrameBytes + payload->size();
    const std::optional<FileRecord> found = decode<FileRecord>(*payload);
    const auto* mark = found ? std::get_if<record::Mark>(&*found) : nullptr;
    if (mark != nullptr) records = std::max(records, mark->records);
  }
  return records;
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

void append_record(Writer& out, const Record& record, std::uint64_t at) {
  append_to_log(out, record, at);
}

void append_mark(Writer& out, const record::Mark& mark, std::uint64_t at) {
  append_to_log(out, FileRecord(mark), at);
}

Bytes encode_log(const std::vector<Record>& records) {
  Writer file;
  append_to_log(file, FileRecord(record::Head{.records = records.size()}), 0);
  for (const Record& record : records) append_record(file, record, file.size());
  return file.take();
}

Bytes encode_snapshot(const Snapshot& snapshot) {
  Writer file;
  append_frame(file, FileKind::snapshot, 0, encode(snapshot));
  return file.take();
}

std::optional<Snapshot> decode_snapshot(ByteView bytes) {
  const std::optional<ByteView> payload = read_frame(FileKind::snapshot, bytes, 0);
  if (!payload || payload->size() + kFrameBytes != bytes.size()) return std::nullopt;
  return decode<Snapshot>(*payload);
}

namespace {

// Reads a log from its start.
class LogReader {
 public:
  explicit LogReader(ByteView file) : file_(file) {}

  RecoveredLog read() {
    while (at_ < file_.size() && !out_.damage) {
      const std::optional<ByteView> payload = read_frame(FileKind::log, file_, at_);
      if (!payload) {
        stop();
        break;
      }
      const std::optional<FileRecord> record = decode<FileRecord>(*payload);
      // It is what was written here: no crash explains it.
      if (!record || !take(*record)) {
        out_.damage = {.offset = at_, .what = "record out of place" + where(), .torn = false};
        break;
      }
      at_ += kFrameBytes + payload->size();
    }
    if (!out_.damage && records_ < promised_) stop();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string where() const {
    return " at byte " + std::to_string(at_) + " of " + std::to_string(file_.size());
  }

  bool take(const FileRecord& record) {
    if (const auto* head = std::get_if<record::Head>(&record)) {
      promised_ = head->records;
      return at_ == 0;
    }
    if (at_ == 0) return false;
    if (const auto* mark = std::get_if<record::Mark>(&record)) {
      promised_ = std::max(promised_, mark->records);
      return mark->records <= records_;
    }
    ++records_;
    return std::visit(
        [this](const auto& r) {
          if constexpr (requires { r.group; }) return replay(out_.groups, r);
          return false;
        },
        record);
  }

  // Cut short in the Mark that follows the last sync: nothing is missing.
  [[nodiscard]] bool is_torn_mark() const {
    Writer mark;
    append_mark(mark, {.records = records_}, at_);
    const ByteView rest = file_.subspan(at_);
    return at_ != 0 && records_ >= promised_ && rest.size() < mark.size() &&
           std::equal(rest.begin(), rest.end(), mark.view().begin());
  }

  // Invariants 4 and 5.
  void stop() {
    if (is_torn_mark()) return;
    const std::uint64_t durable = std::max(promised_, marked_behind(file_, at_));
    const bool headless = at_ == 0;  // a file is born with its head
    out_.damage = {.offset = at_,
                   .what = headless ? "damaged head" + where() : "torn record" + where(),
                   .torn = true};
    if (!headless && records_ >= durable) return;
    out_.damage->torn = false;
    if (headless) return;
    out_.damage->what = "record " + std::to_string(records_ + 1) + where() + ", of " +
                        std::to_string(durable) + " that were synced, does not read";
  }

  ByteView file_;
  std::size_t at_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t promised_ = 0;
  RecoveredLog out_;
};

}  // namespace

RecoveredLog recover_log(ByteView file) {
  return LogReader(file).read();
}

void append_group(std::vector<Record>& records, GroupId group, Term term, ServerId vote,
                  const EntryLog& log) {
  records.emplace_back(record::HardState{group, term, vote});
  records.emplace_back(record::SnapshotMark{group, log.start_index(), log.start_term()});
  for (const Entry& entry : log.entries()) records.emplace_back(record::Append{group, entry});
}

tl::expected<Restored, std::string> restore_group(GroupLog log, Bytes snapshot_file) {
  Restored restored{.term = log.term, .vote = log.vote, .snapshot = {}, .encoded = {}, .log = {}};
  if (!snapshot_file.empty()) {
    std::optional<Snapshot> snapshot = decode_snapshot(snapshot_file);
    if (!snapshot) return tl::unexpected(std::string("it is damaged"));
    restored.snapshot = std::move(*snapshot);
    restored.encoded = std::make_shared<const Bytes>(std::move(snapshot_file));
  }
  // Invariant 2: the log was cut only when the snapshot was durable.
  if (log.start_known && restored.snapshot.index < log.log.start_index()) {
    return tl::unexpected("it ends at " + std::to_string(restored.snapshot.index.value) +
                          ", before the log, which starts after " +
                          std::to_string(log.log.start_index().value));
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
