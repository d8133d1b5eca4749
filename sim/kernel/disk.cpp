#include "sim/kernel/disk.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "model/hash.hpp"
#include "model/math.hpp"
#include "model/random.hpp"

namespace rejoin::sim {
namespace {

// Attempts of draws that a crash makes; operations count from 0 and stay far below.
constexpr std::uint64_t kTornTail = ~std::uint64_t{0};
constexpr std::uint64_t kInFlight = std::uint64_t{1} << 63U;
constexpr std::uint64_t kLostReplace = std::uint64_t{1} << 62U;

}  // namespace

std::uint32_t Disk::open(std::string_view name) {
  if (const auto it = names_.find(name); it != names_.end()) return it->second;
  const auto index = static_cast<std::uint32_t>(files_.size());
  const auto named = names_.emplace(name, index).first;
  File& file = files_.emplace_back();
  file.name = &named->first;
  file.name_hash = hash64(name);
  return index;
}

std::uint64_t Disk::draw_for(const File& file, std::uint64_t attempt, Draw kind) const {
  const std::uint64_t what = mix(file.name_hash, life_);
  return draw({.seed = seed_,
               .domain = Domain::disk,
               .who = host_.value,
               .what = kind == Draw::latency ? what : mix(what, static_cast<std::uint64_t>(kind)),
               .attempt = attempt});
}

std::uint64_t Disk::draw_by(std::uint64_t key, const File& file, std::uint64_t attempt,
                            Draw kind) const {
  const std::uint64_t what = mix(mix(file.name_hash, life_), static_cast<std::uint64_t>(kind));
  return draw({.seed = seed_,
               .domain = Domain::disk,
               .who = host_.value,
               .what = mix(what, key),
               .attempt = attempt});
}

void Disk::provision(std::string_view name, ByteView data) {
  File& file = files_[open(name)];
  file.generations.assign(1, {.content = Bytes(data.begin(), data.end()),
                              .born = data.size(),
                              .durable = data.size(),
                              .exists = true,
                              .exists_durably = true});
  file.current = 0;
  file.flushing = data.size();
}

void Disk::append(std::string_view name, ByteView data) {
  File& file = files_[open(name)];
  Generation& last = file.generations.back();
  last.exists = true;
  last.content.insert(last.content.end(), data.begin(), data.end());
  file.append_cost += uniform(draw_for(file, file.operations++), options_->append);
}

// ---- Requests --------------------------------------------------------------------------------

Disk::Requested Disk::request(MonotonicTime now, std::uint32_t index, const Pending& pending,
                              std::uint64_t bytes, DurationRange latency) {
  File& file = files_[index];
  ++file.operations;
  Duration transfer = transfer_time(bytes, options_->bandwidth_bytes_per_s);
  Duration delay = uniform(draw_for(file, pending.ordinal), latency);
  if (!troubles_.empty()) {
    const Slowness slow = slowness(file, pending, transfer + delay > 0ns);
    const auto factor = static_cast<std::int64_t>(slow.factor);
    transfer *= factor;
    delay = delay * factor + slow.extra;
  }
  busy_until_ = std::max(now, busy_until_) + transfer;
  file.last_done = std::max<MonotonicTime>(busy_until_ + delay, file.last_done + 1ns);
  file.pending.push_back(pending);
  return {
      .done_at = file.last_done, .file = index, .ordinal = pending.ordinal, .sync = pending.sync};
}

Disk::Requested Disk::sync(MonotonicTime now, std::string_view name, IoToken token) {
  const std::uint32_t index = open(name);
  File& file = files_[index];
  const Generation& last = file.generations.back();
  const std::uint64_t bytes = last.content.size() - file.flushing;
  Pending pending{.op = DiskOp::sync,
                  .token = token,
                  .length = last.content.size(),
                  .missing = !last.exists,
                  .sync = last.exists ? ++syncs_ : 0,
                  .ordinal = file.operations};
  if (!is_honest()) {
    decide(file, pending, bytes);
    if (pending.fate == Fate::no_room) pending.length = file.flushing + room(file);
  }
  file.flushing = pending.length;
  const Duration appends = std::exchange(file.append_cost, Duration{});
  const DurationRange latency{options_->sync.min + appends, options_->sync.max + appends};
  return request(now, index, pending, bytes, latency);
}

Disk::Requested Disk::read(MonotonicTime now, std::string_view name, IoToken token) {
  const std::uint32_t index = open(name);
  const File& file = files_[index];
  const Generation& last = file.generations.back();
  Pending pending{.op = DiskOp::read,
                  .token = token,
                  .length = last.content.size(),
                  .missing = !last.exists,
                  .ordinal = file.operations};
  if (!is_honest()) decide(file, pending, pending.length);
  return request(now, index, pending, pending.length, options_->read);
}

Disk::Requested Disk::replace(MonotonicTime now, std::string_view name, ByteView data,
                              IoToken token) {
  const std::uint32_t index = open(name);
  File& file = files_[index];
  Pending pending{.op = DiskOp::replace,
                  .token = token,
                  .length = data.size(),
                  .sync = ++syncs_,
                  .ordinal = file.operations};
  if (!is_honest()) decide(file, pending, data.size());
  file.generations.push_back(
      {.content = Bytes(data.begin(), data.end()), .born = data.size(), .exists = true});
  file.flushing = data.size();
  file.append_cost = Duration{};
  return request(now, index, pending, data.size(), options_->sync);
}

Disk::Requested Disk::remove(MonotonicTime now, std::string_view name, IoToken token) {
  const std::uint32_t index = open(name);
  File& file = files_[index];
  Pending pending{.op = DiskOp::remove,
                  .token = token,
                  .missing = !file.generations.back().exists,
                  .ordinal = file.operations};
  if (!is_honest()) decide(file, pending, 0);
  file.generations.emplace_back();
  file.flushing = 0;
  file.append_cost = Duration{};
  return request(now, index, pending, 0, options_->sync);
}

// ---- Completions -----------------------------------------------------------------------------

Disk::Completed Disk::complete(std::uint32_t index) {
  File& file = files_[index];
  CHECK_THAT(!file.pending.empty());
  const Pending pending = file.pending.front();
  file.pending.erase(file.pending.begin());
  Completed completed;
  completed.done.token = pending.token;
  completed.sync = pending.sync;
  if (pending.missing) completed.done.status = IoStatus::not_found;
  if (pending.op == DiskOp::read) {
    // Invariant 1: what was requested before has completed, so `current` is what it is about.
    const Bytes& content = file.generations[file.current].content;
    const auto length = static_cast<std::ptrdiff_t>(std::min(pending.length, content.size()));
    completed.done.data.assign(content.begin(), content.begin() + length);
    if (pending.fate != Fate::honest) finish_read(file, pending, completed);
  } else if (pending.fate != Fate::honest) {
    finish_troubled(file, pending, completed);
  } else if (pending.op != DiskOp::sync || !pending.missing) {
    finish(file, pending, completed);
  }
  return completed;
}

// Does what was asked for.
void Disk::finish(File& file, const Pending& pending, Completed& completed) {
  DurableWrite write{.op = pending.op, .file_hash = file.name_hash};
  // What was lost before stays behind: this generation is on the disk now.
  const std::size_t behind = file.current + (pending.op == DiskOp::sync ? 0 : 1);
  file.generations.erase(file.generations.begin(),
                         file.generations.begin() + static_cast<std::ptrdiff_t>(behind));
  file.current = 0;
  Generation& current = file.generations.front();
  if (behind == 0) write.offset = current.durable;
  current.exists_durably = pending.op != DiskOp::remove;
  // A replace that failed may have taken away what a later request was about.
  current.durable = std::clamp(pending.length, write.offset, current.content.size());
  write.length = current.durable - write.offset;
  write.bytes_hash = hash64(ByteView(current.content).subspan(write.offset, write.length));
  bytes_written_ += write.length;
  completed.writes.push_back(write);
}

// ---- Crashes ---------------------------------------------------------------------------------

// Which generation the replaces and removes under way leave as the process would see it.
std::size_t Disk::carried_out(File& file) const {
  std::size_t done = 0;
  for (const Pending& pending : file.pending) {
    if (pending.op != DiskOp::replace && pending.op != DiskOp::remove) continue;
    // In order: a later one cannot have been carried out when an earlier one was not.
    if (pending.fate == Fate::failed_undone || pending.fate == Fate::no_room) break;
    if (draw_for(file, kInFlight + done) % 2 == 0) break;
    Generation& generation = file.generations[file.current + ++done];
    generation.durable = pending.length;
    generation.exists_durably = pending.op == DiskOp::replace;
  }
  return file.current + done;
}

// Leaves the generation that a crash of the machine leaves, with what survives of its tail.
DurableWrite Disk::settle(File& file) {
  std::size_t chosen = 0;
  while (chosen < file.current && draw_for(file, kLostReplace + chosen) % 2 != 0) ++chosen;
  if (chosen == file.current) chosen = carried_out(file);
  // A full disk takes no dirty pages either.
  if (!is_honest() && chosen + 1 == file.generations.size()) {
    Generation& last = file.generations[chosen];
    const std::uint64_t free = std::min<std::uint64_t>(room(file), last.content.size());
    last.content.resize(std::min<std::uint64_t>(
        last.content.size(), std::max<std::uint64_t>(last.durable, file.flushing + free)));
  }
  Generation kept = std::move(file.generations[chosen]);
  std::size_t offset = chosen == 0 ? kept.durable : 0;
  if (tears(file)) {
    tear_sectors(file, kept);
  } else {
    const std::uint64_t tail = kept.content.size() - kept.durable;
    kept.durable += below(draw_for(file, kTornTail), tail + 1);
    kept.content.resize(kept.durable);
  }
  for (const auto& [from, to] : std::exchange(kept.holes, {})) {
    std::fill(kept.content.begin() + static_cast<std::ptrdiff_t>(from),
              kept.content.begin() + static_cast<std::ptrdiff_t>(to), std::uint8_t{0});
    offset = std::min(offset, from);
  }
  kept.exists_durably = kept.exists_durably || kept.durable != 0;
  kept.exists = kept.exists_durably;
  file.generations.clear();
  file.generations.push_back(std::move(kept));
  file.current = 0;
  const ByteView survived = ByteView(file.generations.front().content).subspan(offset);
  return {.op = DiskOp::torn,
          .file_hash = file.name_hash,
          .offset = offset,
          .length = survived.size(),
          .bytes_hash = hash64(survived)};
}

// A process that dies leaves its page cache, but no half of a replace.
std::optional<DurableWrite> Disk::settle_process(File& file) {
  if (file.generations.size() == file.current + 1) return std::nullopt;
  const std::size_t left = carried_out(file);
  const bool replaced = left != file.current;
  file.generations.resize(left + 1);
  if (!replaced) return std::nullopt;
  file.generations.erase(file.generations.begin(),
                         file.generations.begin() + static_cast<std::ptrdiff_t>(left));
  file.current = 0;
  const Generation& now = file.generations.front();
  return DurableWrite{.op = DiskOp::torn,
                      .file_hash = file.name_hash,
                      .offset = 0,
                      .length = now.durable,
                      .bytes_hash = hash64(ByteView(now.content).first(now.durable))};
}

std::vector<DurableWrite> Disk::crash(CrashScope scope) {
  std::vector<DurableWrite> writes;
  // By name: the order of files_ is that of first use, which is as good, but this one is stable.
  for (const auto& [name, index] : names_) {
    File& file = files_[index];
    const Generation& first = file.generations.front();
    const bool in_doubt =
        file.generations.size() > 1 || first.content.size() > first.durable || !first.holes.empty();
    const bool created = first.exists && !first.exists_durably;
    if (scope == CrashScope::process) {
      if (const auto write = settle_process(file)) writes.push_back(*write);
    } else if (in_doubt || created) {
      writes.push_back(settle(file));
    }
    file.pending.clear();
    file.flushing = file.generations.back().durable;
    file.append_cost = Duration{};
    file.operations = 0;
    file.last_done = MonotonicTime{};
  }
  for (const DurableWrite& write : writes) bytes_written_ += write.length;
  busy_until_ = MonotonicTime{};
  ++life_;
  return writes;
}

void Disk::wipe() {
  names_.clear();
  files_.clear();
}

void Disk::wipe(const std::function<bool(std::string_view file)>& is_lost) {
  for (const auto& [name, index] : names_) {
    if (!is_lost(name)) continue;
    files_[index].generations.assign(1, Generation{});
    files_[index].current = 0;
    files_[index].flushing = 0;
  }
}

std::map<std::string, Bytes> Disk::durable_files() const {
  std::map<std::string, Bytes> out;
  for (const auto& [name, index] : names_) {
    const Generation& durable = files_[index].generations.front();
    if (!durable.exists_durably) continue;
    const auto length = static_cast<std::ptrdiff_t>(durable.durable);
    Bytes& content = out[name];
    content.assign(durable.content.begin(), durable.content.begin() + length);
    for (const auto& [from, to] : durable.holes) {
      std::fill(content.begin() + static_cast<std::ptrdiff_t>(from),
                content.begin() + static_cast<std::ptrdiff_t>(to), std::uint8_t{0});
    }
  }
  return out;
}

}  // namespace rejoin::sim
