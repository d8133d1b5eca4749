#include "protocols/sync/hint_log.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "model/random.hpp"
#include "protocols/store/log_format.hpp"

namespace rejoin::sync_detail {

namespace {

using store::FileKind;

void write_entry(Writer& out, std::uint64_t at, const HintEntry& entry) {
  const std::size_t start = store::begin_frame(out);
  HintEntry::fields(out, entry);
  store::end_frame(out, start, FileKind::hints, at);
}

// Walks over the frames of a file.
class HintReader {
 public:
  explicit HintReader(ByteView file, std::size_t at = 0) : file_(file), at_(at) {}

  std::optional<HintEntry> next() {
    const std::optional<ByteView> body = store::read_frame(FileKind::hints, file_, at_);
    if (!body) return std::nullopt;
    std::optional<HintEntry> entry = decode<HintEntry>(*body);
    if (!entry || entry->kind > kLastHintEntryKind) return std::nullopt;
    at_ = static_cast<std::size_t>(body->data() + body->size() - file_.data());
    return entry;
  }
  [[nodiscard]] std::size_t good_bytes() const { return at_; }

 private:
  ByteView file_;
  std::size_t at_;
};

HintEntry mark_of(std::uint64_t synced) {
  return {.kind = HintEntryKind::mark, .number = synced, .synced = synced};
}

// Up to where entries were durable, as far as anything behind `from` says.
std::uint64_t synced_behind(ByteView file, std::size_t from) {
  std::uint64_t synced = 0;
  for (std::size_t at = from; at < file.size();) {
    HintReader reader(file, at);
    const std::optional<HintEntry> entry = reader.next();
    if (entry) synced = std::max(synced, entry->synced);
    at = entry ? reader.good_bytes() : at + 1;
  }
  return synced;
}

// The head and its hints came in one replace: no crash explains that they do not read.
bool read_head(HintReader& reader, HintContent& out) {
  const std::optional<HintEntry> head = reader.next();
  if (!head || head->kind != HintEntryKind::head) return false;
  out.life = head->life;
  out.last = head->number;
  for (std::uint64_t n = 0; n < head->count; ++n) {
    std::optional<HintEntry> entry = reader.next();
    if (!entry || entry->kind != HintEntryKind::held) return false;
    const std::uint64_t seq = entry->hint.seq;
    const bool ascends = out.hints.empty() || out.hints.rbegin()->first < seq;
    if (!ascends || seq > head->number) return false;
    out.hints.emplace(seq, std::move(entry->hint));
  }
  return true;
}

// False when the entry cannot follow what was read before it.
bool take(HintEntry entry, HintContent& out) {
  switch (entry.kind) {
    case HintEntryKind::mark:
      return entry.synced <= out.last;
    case HintEntryKind::keep:
      if (entry.number != out.last + 1 || entry.hint.seq != entry.number) return false;
      out.hints.emplace(entry.number, std::move(entry.hint));
      break;
    case HintEntryKind::end:
      if (entry.number != out.last + 1 || out.hints.erase(entry.ended) == 0) return false;
      break;
    case HintEntryKind::head:
    case HintEntryKind::held:
      return false;
  }
  out.last = entry.number;
  return true;
}

}  // namespace

HintContent read_hints(ByteView file) {
  HintContent out;
  HintReader reader(file);
  const auto damaged = [&](std::size_t at, std::string what, bool torn) {
    what += " at byte " + std::to_string(at) + " of " + std::to_string(file.size());
    out.damage = {.offset = at, .what = std::move(what), .torn = torn};
    return std::move(out);
  };
  if (!read_head(reader, out)) return damaged(reader.good_bytes(), "damaged head", false);
  std::uint64_t synced = out.last;
  while (true) {
    const std::size_t at = reader.good_bytes();
    std::optional<HintEntry> entry = reader.next();
    if (!entry) break;
    synced = std::max(synced, entry->synced);
    if (!take(*std::move(entry), out)) return damaged(at, "entry out of place", false);
  }
  const std::size_t end = reader.good_bytes();
  if (end == file.size() && out.last >= synced) return out;
  // Cut short in the mark that follows the last sync: nothing is missing.
  Writer mark;
  write_entry(mark, end, mark_of(out.last));
  const ByteView rest = file.subspan(end);
  const bool torn_mark = out.last >= synced && rest.size() < mark.size() &&
                         std::equal(rest.begin(), rest.end(), mark.view().begin());
  if (torn_mark) return out;
  synced = std::max(synced, synced_behind(file, end));
  if (out.last >= synced) return damaged(end, "torn entry", true);
  return damaged(end,
                 "entry " + std::to_string(out.last + 1) + ", of " + std::to_string(synced) +
                     " that were synced, does not read",
                 false);
}

// ---- The file ------------------------------------------------------------------------------

void HintLog::start() {
  // Two lives of one node's hints must not share a number; time tells them apart.
  const auto monotonic = static_cast<std::uint64_t>(env_.now().time_since_epoch().count());
  const auto wall = static_cast<std::uint64_t>(env_.wall_now().time_since_epoch().count());
  life_ = std::max<std::uint64_t>(env_.random("life of hints", mix(monotonic, wall), 0) >> 32U, 1);
  if (durable_kept_) return env_.read(kHintFile, kReadHints);
  ready_ = true;
}

HintLog::Progress HintLog::on_io(const IoDone& done) {
  if (done.status == IoStatus::failed) {
    env_.halt("the disk of the hints failed");
    return Progress::none;
  }
  if (done.token == kReadHints) {
    load(done);
    return Progress::none;
  }
  CHECK_THAT(state_ != State::idle);
  CHECK_THAT(done.token == (state_ == State::syncing ? kSyncHints : kReplaceHints));
  state_ = State::idle;
  durable_ = std::max(durable_, covers_);
  if (held_back_.size() != 0) {
    env_.append(kHintFile, held_back_.take());
    held_back_ = Writer();
  }
  const Progress progress = ready_ ? Progress::durable : Progress::recovered;
  ready_ = true;
  append_mark();
  continue_file();
  return progress;
}

void HintLog::load(const IoDone& done) {
  if (done.status == IoStatus::ok) {
    HintContent content = read_hints(done.data);
    if (content.damage && !content.damage->torn) {
      return corrupt(content.damage->offset, content.damage->what);
    }
    if (content.damage) {
      bus_.publish(fact::MessageRejected{.reason = "sync.hints: " + content.damage->what +
                                                   " cut off: sequence " +
                                                   std::to_string(content.last) + " is the last"});
    }
    life_ = content.life;
    last_ = content.last;
    hints_ = std::move(content.hints);
  }
  replace_file();
}

void HintLog::corrupt(std::uint64_t offset, const std::string& what) {
  bus_.publish(fact::StorageCorrupt{.file = "sync.hints", .offset = offset, .what = what});
  env_.halt("sync.hints is corrupt: " + what + "; restart this node on an empty disk");
}

std::uint64_t HintLog::keep(Hint hint) {
  CHECK_THAT(ready_);
  const std::uint64_t seq = last_ + 1;
  hint.seq = seq;
  bus_.publish(fact::HintStored{
      .owner = hint.owner, .key = hint.record.key, .origin = hint.record.origin, .seq = seq});
  append({.kind = HintEntryKind::keep, .number = seq, .hint = hint});
  hints_.emplace(seq, std::move(hint));
  return seq;
}

void HintLog::end(std::uint64_t seq, const std::string& how) {
  const auto at = hints_.find(seq);
  CHECK_THAT(at != hints_.end());
  bus_.publish(fact::HintEnded{.owner = at->second.owner,
                               .key = at->second.record.key,
                               .origin = at->second.record.origin,
                               .how = how});
  hints_.erase(at);
  append({.kind = HintEntryKind::end, .number = last_ + 1, .ended = seq});
}

void HintLog::append(HintEntry entry) {
  CHECK_THAT(entry.number == last_ + 1);
  last_ = entry.number;
  if (!durable_kept_) return;
  entry.synced = durable_;
  marked_ = durable_;
  Writer frame;
  frame.reserve(128);
  write_entry(frame, file_bytes_, entry);
  file_bytes_ += frame.size();
  if (state_ == State::replacing) {
    held_back_.raw(frame.view());
    return;
  }
  env_.append(kHintFile, frame.view());
  continue_file();
}

// So that the entries of this sync are vouched for even when none follows.
void HintLog::append_mark() {
  if (marked_ == durable_) return;
  marked_ = durable_;
  Writer frame;
  write_entry(frame, file_bytes_, mark_of(durable_));
  file_bytes_ += frame.size();
  env_.append(kHintFile, frame.view());
}

void HintLog::replace_file() {
  CHECK_THAT(state_ == State::idle && held_back_.size() == 0);
  Writer file;
  write_entry(file, 0,
              {.kind = HintEntryKind::head,
               .number = last_,
               .count = hints_.size(),
               .life = life_,
               .synced = last_});
  for (const auto& [seq, hint] : hints_) {
    write_entry(file, file.size(), {.kind = HintEntryKind::held, .hint = hint, .synced = last_});
  }
  state_ = State::replacing;
  covers_ = last_;
  marked_ = last_;
  file_bytes_ = fresh_bytes_ = file.size();
  env_.replace(kHintFile, file.take(), kReplaceHints);
}

// Starts what the file waits for, if it is free: to be rid of what has ended, else its next sync.
void HintLog::continue_file() {
  if (state_ != State::idle || last_ == durable_) return;
  const std::uint64_t grown = file_bytes_ - fresh_bytes_;
  if (grown > kWasteBytesMax && grown > fresh_bytes_) return replace_file();
  state_ = State::syncing;
  covers_ = last_;
  env_.sync(kHintFile, kSyncHints);
}

}  // namespace rejoin::sync_detail
