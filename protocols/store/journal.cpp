#include "protocols/store/journal.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "model/check.hpp"

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
  const bool found = done.status == IoStatus::ok;
  if (done.token == kReadSnapshot) {
    if (found && !load_snapshot(done.data)) {
      // The log only holds what is newer: to go on would silently forget everything else.
      bus_.publish(fact::MessageRejected{.reason = "store.snapshot is corrupt"});
      env_.halt("the store's snapshot is corrupt");
      return Progress::none;
    }
    env_.read(kLog, kReadLog);
    return Progress::none;
  }
  if (done.token == kReadLog && found) {
    load_log(done.data);
    return Progress::none;
  }
  if (done.token == kReadLog || done.token == kSettleLog) {
    durable_ = last_;
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
    log_bytes_ += held_.size();
    env_.append(kLog, held_.take());
    held_ = Writer();
  }
  const Progress progress = durable_up_to(log_covers_);
  continue_log();
  return progress;
}

void Journal::append(const LogEntry& entry) {
  CHECK_THAT(entry.seq == last_ + 1);
  last_ = entry.seq;
  if (log_ == LogState::replacing) {
    write_entry(held_, entry);
    return;
  }
  Writer frame;
  frame.reserve(128);
  write_entry(frame, entry);
  log_bytes_ += frame.size();
  env_.append(kLog, frame.view());
  if (snapshot_ != Snapshot::none) tail_.raw(frame.view());
  continue_log();
}

void Journal::write_snapshot(Bytes image) {
  CHECK_THAT(!snapshot_under_way());
  CHECK_THAT(tail_.size() == 0 && held_.size() == 0);
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
    log_bytes_ = tail_.size();
    env_.replace(kLog, tail_.take(), kReplaceLog);
    tail_ = Writer();
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

bool Journal::load_snapshot(ByteView file) {
  EntryReader reader(file);
  const std::optional<LogEntry> header = reader.next();
  if (!header || header->kind != EntryKind::snapshot) return false;
  for (std::uint64_t n = 0; n < header->count; ++n) {
    std::optional<LogEntry> entry = reader.next();
    if (!entry || entry->kind != EntryKind::put || entry->seq > header->seq) return false;
    if (!replay_(*std::move(entry))) return false;
  }
  last_ = header->seq;
  return reader.at_end();
}

// Cuts what follows the last good entry: appends after garbage would be lost with it.
void Journal::load_log(ByteView file) {
  EntryReader reader(file);
  while (std::optional<LogEntry> entry = reader.next()) {
    // In the snapshot already: a crash came between its exchange and that of the log.
    if (entry->seq <= last_) continue;
    const std::uint64_t seq = entry->seq;
    const bool in_order = seq == last_ + 1 && entry->kind != EntryKind::snapshot;
    if (!in_order || !replay_(*std::move(entry))) {
      reader.reject_last();
      break;
    }
    last_ = seq;
  }
  log_bytes_ = reader.good_bytes();
  if (reader.at_end()) {
    env_.sync(kLog, kSettleLog);
    return;
  }
  bus_.publish(fact::MessageRejected{
      .reason = "store.log: the last " + std::to_string(file.size() - reader.good_bytes()) +
                " B, after sequence " + std::to_string(last_) + ", are torn or corrupt: cut off"});
  env_.replace(kLog, file.first(reader.good_bytes()), kSettleLog);
}

}  // namespace rejoin::store
