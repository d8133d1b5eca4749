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

}  // namespace

std::uint32_t Disk::open(std::string_view name) {
  if (const auto it = names_.find(name); it != names_.end()) return it->second;
  const auto index = static_cast<std::uint32_t>(files_.size());
  names_.emplace(name, index);
  files_.emplace_back().name_hash = hash64(name);
  return index;
}

std::uint64_t Disk::draw_for(const File& file, std::uint64_t attempt) const {
  return draw({.seed = seed_,
               .domain = Domain::disk,
               .who = host_.value,
               .what = mix(file.name_hash, life_),
               .attempt = attempt});
}

void Disk::provision(std::string_view file, ByteView data) {
  files_[open(file)].generations = {{.content = Bytes(data.begin(), data.end()),
                                     .durable = data.size(),
                                     .exists = true,
                                     .exists_durably = true}};
}

void Disk::append(std::string_view name, ByteView data) {
  File& file = files_[open(name)];
  Generation& last = file.generations.back();
  last.exists = true;
  last.content.insert(last.content.end(), data.begin(), data.end());
  file.append_cost += uniform(draw_for(file, file.operations++), options_->append);
}

Disk::Requested Disk::request(MonotonicTime now, std::uint32_t index, Pending pending,
                              std::uint64_t bytes, DurationRange latency) {
  File& file = files_[index];
  const std::uint64_t ordinal = file.operations++;
  const Duration transfer = transfer_time(bytes, options_->bandwidth_bytes_per_s);
  busy_until_ = std::max(now, busy_until_) + transfer;
  const MonotonicTime done = busy_until_ + uniform(draw_for(file, ordinal), latency);
  file.last_done = std::max(done, file.last_done + 1ns);
  const std::uint64_t sync = pending.sync;
  file.pending.push_back(std::move(pending));
  return {.done_at = file.last_done, .file = index, .ordinal = ordinal, .sync = sync};
}

Disk::Requested Disk::sync(MonotonicTime now, std::string_view name, IoToken token) {
  const std::uint32_t index = open(name);
  File& file = files_[index];
  const Generation& last = file.generations.back();
  const std::uint64_t bytes = last.content.size() - file.flushing;
  file.flushing = last.content.size();
  const Duration appends = std::exchange(file.append_cost, Duration{});
  const DurationRange latency{options_->sync.min + appends, options_->sync.max + appends};
  return request(now, index,
                 {.op = DiskOp::sync,
                  .token = token,
                  .length = last.content.size(),
                  .missing = !last.exists,
                  .sync = last.exists ? ++syncs_ : 0},
                 bytes, latency);
}

Disk::Requested Disk::read(MonotonicTime now, std::string_view name, IoToken token) {
  const std::uint32_t index = open(name);
  const Generation& last = files_[index].generations.back();
  const std::size_t length = last.content.size();
  return request(now, index,
                 {.op = DiskOp::read, .token = token, .length = length, .missing = !last.exists},
                 length, options_->read);
}

Disk::Requested Disk::replace(MonotonicTime now, std::string_view name, ByteView data,
                              IoToken token) {
  const std::uint32_t index = open(name);
  File& file = files_[index];
  file.generations.push_back({.content = Bytes(data.begin(), data.end()), .exists = true});
  file.flushing = data.size();
  file.append_cost = Duration{};
  return request(now, index,
                 {.op = DiskOp::replace, .token = token, .length = data.size(), .sync = ++syncs_},
                 data.size(), options_->sync);
}

Disk::Requested Disk::remove(MonotonicTime now, std::string_view name, IoToken token) {
  const std::uint32_t index = open(name);
  File& file = files_[index];
  const bool missing = !file.generations.back().exists;
  file.generations.emplace_back();
  file.flushing = 0;
  file.append_cost = Duration{};
  return request(now, index, {.op = DiskOp::remove, .token = token, .missing = missing}, 0,
                 options_->sync);
}

Disk::Completed Disk::complete(std::uint32_t index) {
  File& file = files_[index];
  CHECK_THAT(!file.pending.empty());
  const Pending pending = file.pending.front();
  file.pending.erase(file.pending.begin());
  Completed completed;
  completed.done.token = pending.token;
  completed.sync = pending.sync;
  if (pending.missing) completed.done.status = IoStatus::not_found;
  // Invariant 1: what was requested before has completed, so `current` is what this one is about.
  if (pending.op == DiskOp::replace || pending.op == DiskOp::remove) {
    file.generations.erase(file.generations.begin());
  }
  Generation& current = file.generations.front();
  DurableWrite write{.op = pending.op, .file_hash = file.name_hash};
  switch (pending.op) {
    case DiskOp::read:
      completed.done.data.assign(
          current.content.begin(),
          current.content.begin() + static_cast<std::ptrdiff_t>(pending.length));
      return completed;
    case DiskOp::sync:
      if (pending.missing) return completed;
      write.offset = current.durable;
      break;
    case DiskOp::replace:
    case DiskOp::remove:
    case DiskOp::torn:
      break;
  }
  current.exists_durably = pending.op != DiskOp::remove;
  current.durable = pending.length;
  write.length = pending.length - write.offset;
  write.bytes_hash = hash64(ByteView(current.content).subspan(write.offset, write.length));
  bytes_written_ += write.length;
  completed.writes.push_back(write);
  return completed;
}

// Leaves the generation that a crash of this file leaves, with as much of its tail as survives.
DurableWrite Disk::settle(File& file) {
  std::size_t in_flight = 0;  // generation whose replace or remove is next in doubt
  for (const Pending& pending : file.pending) {
    if (pending.op != DiskOp::replace && pending.op != DiskOp::remove) continue;
    // In order: a later one cannot have been carried out when an earlier one was not.
    if (draw_for(file, kInFlight + in_flight) % 2 == 0) break;
    Generation& done = file.generations[++in_flight];
    done.durable = pending.length;
    done.exists_durably = pending.op == DiskOp::replace;
  }
  Generation kept = std::move(file.generations[in_flight]);
  const std::size_t durable = kept.durable;
  const std::uint64_t tail = kept.content.size() - durable;
  kept.durable += below(draw_for(file, kTornTail), tail + 1);
  kept.content.resize(kept.durable);
  kept.exists_durably = kept.exists_durably || kept.durable != 0;
  kept.exists = kept.exists_durably;
  file.generations.clear();
  file.generations.push_back(std::move(kept));
  const Generation& left = file.generations.front();
  const std::size_t offset = in_flight == 0 ? durable : 0;
  const ByteView survived = ByteView(left.content).subspan(offset);
  return {.op = DiskOp::torn,
          .file_hash = file.name_hash,
          .offset = offset,
          .length = survived.size(),
          .bytes_hash = hash64(survived)};
}

std::vector<DurableWrite> Disk::crash() {
  std::vector<DurableWrite> writes;
  // By name: the order of files_ is that of first use, which is as good, but this one is stable.
  for (const auto& [name, index] : names_) {
    File& file = files_[index];
    const Generation& current = file.generations.front();
    const bool in_doubt = file.generations.size() > 1 || current.content.size() > current.durable;
    const bool created = current.exists && !current.exists_durably;
    if (in_doubt || created) {
      writes.push_back(settle(file));
      bytes_written_ += writes.back().length;
    }
    file.pending.clear();
    file.flushing = file.generations.front().content.size();
    file.append_cost = Duration{};
    file.operations = 0;
    file.last_done = MonotonicTime{};
  }
  busy_until_ = MonotonicTime{};
  ++life_;
  return writes;
}

void Disk::wipe() {
  names_.clear();
  files_.clear();
}

}  // namespace rejoin::sim
