#include "protocols/store/journal.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "model/check.hpp"
#include "model/mutant.hpp"
#include "model/random.hpp"

namespace rejoin::store {

namespace {

constexpr std::string_view kLog = "log";
constexpr std::string_view kSnapshot = "snapshot";

// One operation of each kind is under way at a time, so its kind names it.
constexpr IoToken kReadSnapshot{1};
constexpr IoToken kReadLog{2};
constexpr IoToken kSettleLog{3};
constexpr IoToken kSyncLog{4};
constexpr IoToken kReplaceLog{5};
constexpr IoToken kReplaceSnapshot{6};

}  // namespace

Journal::Journal(Env& machine, NodeBus& bus, Replay replay)
    : env_(machine, Channel::store, "store"), bus_(bus), replay_(std::move(replay)) {}

void Journal::start() {
  env_.read(kSnapshot, kReadSnapshot);
}

Journal::Progress Journal::on_io(const IoDone& done) {
  if (done.status == IoStatus::failed) {
    // Rebello et al. 2020: after a failed sync nobody knows what the disk holds. Never retried.
    env_.halt("the store's disk failed");
    return Progress::none;
  }
  if (done.token == kReadSnapshot) {
    snapshot_found_ = done.status == IoStatus::ok;
    if (snapshot_found_ && !load_snapshot(done.data)) return Progress::none;
    env_.read(kLog, kReadLog);
    return Progress::none;
  }
  if (done.token == kReadLog) {
    load_log(done);
    return Progress::none;
  }
  if (done.token == kSettleLog) {
    durable_ = last_;
    marked_ = last_;
    return Progress::recovered;
  }
  if (done.token == kReplaceSnapshot) {
    CHECK_THAT(snapshot_ == Snapshot::writing);
    snapshot_ = Snapshot::written;
    const Progress progress = durable_up_to(snapshot_covers_);
    continue_log();
    return progress;
  }
  CHECK_THAT(log_ != LogState::idle);
  CHECK_THAT(done.token == (log_ == LogState::syncing ? kSyncLog : kReplaceLog));
  log_ = LogState::idle;
  if (held_.size() != 0) {
    env_.append(kLog, held_.take());
    held_ = Writer();
  }
  const Progress progress = durable_up_to(log_covers_);
  append_mark();
  continue_log();
  return progress;
}

void Journal::append(LogEntry& entry) {
  CHECK_THAT(entry.seq == last_ + 1);
  last_ = entry.seq;
  entry.synced = durable_;
  marked_ = durable_;
  if (log_ == LogState::replacing) {
    const std::size_t before = held_.size();
    write_entry(held_, FileKind::log, log_bytes_, entry);
    log_bytes_ += held_.size() - before;
    return;
  }
  Writer frame;
  frame.reserve(128);
  write_entry(frame, FileKind::log, log_bytes_, entry);
  log_bytes_ += frame.size();
  env_.append(kLog, frame.view());
  if (snapshot_ != Snapshot::none) tail_.push_back(entry);
  continue_log();
}

// So that the entries of this sync are vouched for even when none follows.
void Journal::append_mark() {
  if (marked_ == durable_) return;
  marked_ = durable_;
  Writer frame;
  write_entry(frame, FileKind::log, log_bytes_, mark_of(durable_));
  log_bytes_ += frame.size();
  env_.append(kLog, frame.view());
}

void Journal::write_snapshot(Bytes image) {
  CHECK_THAT(!snapshot_under_way());
  CHECK_THAT(tail_.empty() && held_.size() == 0);
  snapshot_ = Snapshot::writing;
  snapshot_covers_ = last_;
  env_.replace(kSnapshot, image, kReplaceSnapshot);
}

// Starts what the log waits for, if it is free: its exchange once the snapshot is written, else
// the next sync.
void Journal::continue_log() {
  if (log_ != LogState::idle) return;
  if (snapshot_ == Snapshot::written) {
    log_ = LogState::replacing;
    log_covers_ = last_;
    const Bytes content = encode_log(snapshot_covers_, std::exchange(tail_, {}), life_);
    log_bytes_ = content.size();
    marked_ = last_;
    env_.replace(kLog, content, kReplaceLog);
    snapshot_ = Snapshot::none;
    return;
  }
  if (last_ == durable_) return;
  log_ = LogState::syncing;
  log_covers_ = last_;
  env_.sync(kLog, kSyncLog);
}

Journal::Progress Journal::durable_up_to(std::uint64_t seq) {
  if (seq <= durable_) return Progress::none;
  CHECK_THAT(seq <= last_);
  durable_ = seq;
  return Progress::durable;
}

void Journal::corrupt(std::string_view file, std::uint64_t offset, const std::string& what) {
  const std::string name = "store." + std::string(file);
  bus_.publish(fact::StorageCorrupt{.file = name, .offset = offset, .what = what});
  env_.halt(name + " is corrupt: " + what + "; restart this node on an empty disk");
}

void Journal::misfit(std::string_view file, PartitionId partition) {
  env_.halt("configured for fewer partitions than the disk is of: store." + std::string(file) +
            " has " + to_name(partition));
}

// It is replaced whole, so no crash explains what is wrong with it.
bool Journal::load_snapshot(ByteView file) {
  const auto damaged = [this](const std::string& what) {
    corrupt(kSnapshot, 0, what);
    return false;
  };
  EntryReader reader(FileKind::snapshot, file);
  const std::optional<LogEntry> header = reader.next();
  if (!header || header->kind != EntryKind::snapshot) return damaged("its header is damaged");
  for (std::uint64_t n = 0; n < header->count; ++n) {
    const std::string where = " at byte " + std::to_string(reader.good_bytes());
    std::optional<LogEntry> entry = reader.next();
    if (!entry) return damaged("damaged record" + where);
    if (entry->kind != EntryKind::put || entry->seq > header->seq) {
      return damaged("record out of place" + where);
    }
    if (!replay_(*entry)) {
      misfit(kSnapshot, entry->partition);
      return false;
    }
  }
  if (!reader.at_end()) return damaged("bytes behind the last record");
  last_ = header->seq;
  return true;
}

// Two lives of one node's store must not share a number; time tells them apart.
std::uint64_t Journal::new_life() {
  if (MUTANT("versions-life-reused")) return 1;
  const auto monotonic = static_cast<std::uint64_t>(env_.now().time_since_epoch().count());
  const auto wall = static_cast<std::uint64_t>(env_.wall_now().time_since_epoch().count());
  // 32 bits are short on the wire, and enough for the lives of one node.
  return std::max<std::uint64_t>(env_.random("life", mix(monotonic, wall), 0) >> 32U, 1);
}

// The log is rewritten in any case (invariant 3): without a torn tail, for appends after garbage
// would be lost with it.
void Journal::load_log(const IoDone& done) {
  LogContent log;
  if (done.status == IoStatus::ok) {
    log = read_log(done.data);
    if (log.damage && !log.damage->torn) {
      return corrupt(kLog, log.damage->offset, log.damage->what);
    }
    if (log.base > last_) {
      return corrupt(kSnapshot, 0,
                     "it ends at " + std::to_string(last_) + ", before the log, which follows " +
                         std::to_string(log.base));
    }
    life_ = log.life;
  } else if (snapshot_found_) {
    return corrupt(kLog, 0, "it is missing, but there is a snapshot");
  } else {
    life_ = new_life();
  }
  // In the snapshot already: a crash came between its exchange and that of the log.
  std::erase_if(log.entries, [this](const LogEntry& entry) { return entry.seq <= last_; });
  if (log.damage) {
    bus_.publish(fact::MessageRejected{
        .reason = "store.log: " + log.damage->what + " cut off: sequence " +
                  std::to_string(last_ + log.entries.size()) + " is the last"});
  }
  const Bytes content = encode_log(last_, log.entries, life_);
  for (const LogEntry& entry : log.entries) {
    if (!replay_(entry)) return misfit(kLog, entry.partition);
    last_ = entry.seq;
  }
  log_bytes_ = content.size();
  env_.replace(kLog, content, kSettleLog);
}

}  // namespace rejoin::store
