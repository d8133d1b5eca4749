// What is wrong with a disk: what becomes of operations under it, and damage of what is durable.
#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "model/check.hpp"
#include "model/hash.hpp"
#include "model/random.hpp"
#include "sim/kernel/disk.hpp"

namespace rejoin::sim {
namespace {

constexpr std::size_t kSectorBytes = 512;
// Together: a sync of minutes, far from any overflow.
constexpr std::uint64_t kSlowerMax = 1'000'000;

std::size_t sectors(std::size_t bytes) {
  return (bytes + kSectorBytes - 1) / kSectorBytes;
}

// Of two independent events at least one.
Share either(Share a, Share b) {
  const std::uint64_t product = std::uint64_t{a.ppm} * b.ppm / 1'000'000;
  return {.ppm = static_cast<std::uint32_t>(a.ppm + b.ppm - product)};
}

// Lays `source` over the bytes from `offset` up to `end`; how many they were.
std::size_t overlay(Bytes& target, std::size_t offset, std::size_t end, ByteView source) {
  const std::size_t length = std::min(source.size(), end - offset);
  std::copy_n(source.begin(), length, target.begin() + static_cast<std::ptrdiff_t>(offset));
  return length;
}

}  // namespace

void Disk::trouble(EffectId id, DiskTrouble what) {
  CHECK_THAT(what.slower >= 1);
  std::optional<std::uint64_t> used_max;
  if (what.free_bytes) used_max = used() + *what.free_bytes;
  troubles_.push_back({.id = id, .what = std::move(what), .used_max = used_max});
}

bool Disk::end(EffectId id) {
  return std::erase_if(troubles_, [id](const Trouble& trouble) { return trouble.id == id; }) != 0;
}

// Invariant 5. Room is that of room().
DiskTrouble Disk::in_force(const File& file) const {
  DiskTrouble all;
  for (const auto& [id, one, used_max] : troubles_) {
    if (file.name->find(one.file) == std::string::npos) continue;
    all.slower = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(std::uint64_t{all.slower} * one.slower, kSlowerMax));
    all.extra.min += one.extra.min;
    all.extra.max += one.extra.max;
    all.sync_errors = either(all.sync_errors, one.sync_errors);
    all.read_errors = either(all.read_errors, one.read_errors);
    all.lost_syncs = either(all.lost_syncs, one.lost_syncs);
    all.misdirected_writes = either(all.misdirected_writes, one.misdirected_writes);
    all.misdirected_reads = either(all.misdirected_reads, one.misdirected_reads);
    all.read_rot = either(all.read_rot, one.read_rot);
    all.torn_sectors = all.torn_sectors || one.torn_sectors;
  }
  return all;
}

// ---- Room ------------------------------------------------------------------------------------

// Blocks are allocated when data is sent to the disk, not when it is appended.
std::uint64_t Disk::used() const {
  std::uint64_t bytes = 0;
  for (const File& file : files_) {
    for (std::size_t g = 0; g + 1 < file.generations.size(); ++g) {
      bytes += file.generations[g].content.size();
    }
    bytes += file.flushing;
  }
  return bytes;
}

std::uint64_t Disk::room(const File& file) const {
  std::uint64_t used_max = std::numeric_limits<std::uint64_t>::max();
  if (options_->capacity_bytes != 0) used_max = options_->capacity_bytes;
  for (const Trouble& trouble : troubles_) {
    const bool concerns = file.name->find(trouble.what.file) != std::string::npos;
    if (concerns && trouble.used_max) used_max = std::min(used_max, *trouble.used_max);
  }
  const std::uint64_t taken = used();
  return used_max > taken ? used_max - taken : 0;
}

// ---- Operations ------------------------------------------------------------------------------

Disk::Fate Disk::fate_of(const File& file, const Pending& pending, std::uint64_t bytes) const {
  if (pending.missing) return Fate::honest;
  const DiskTrouble trouble = in_force(file);
  const auto meets = [&](Share share, Draw kind) {
    return share.ppm != 0 && chance(draw_for(file, pending.ordinal, kind), share);
  };
  if (pending.op == DiskOp::read) {
    if (meets(trouble.read_errors, Draw::error)) return Fate::failed_undone;
    if (meets(trouble.misdirected_reads, Draw::misdirect)) return Fate::misdirected;
    if (meets(trouble.read_rot, Draw::rot)) return Fate::rotten;
    return Fate::honest;
  }
  if (bytes > room(file)) return Fate::no_room;
  if (meets(trouble.sync_errors, Draw::error)) {
    const bool done = draw_for(file, pending.ordinal, Draw::done) % 2 != 0;
    return done ? Fate::failed_done : Fate::failed_undone;
  }
  if (bytes != 0 && meets(trouble.misdirected_writes, Draw::misdirect)) return Fate::misdirected;
  if (meets(trouble.lost_syncs, Draw::lose)) return Fate::lost;
  return Fate::honest;
}

void Disk::finish_troubled(File& file, const Pending& pending, Completed& completed) {
  const bool is_sync = pending.op == DiskOp::sync;
  const bool fails = pending.fate == Fate::failed_done || pending.fate == Fate::failed_undone ||
                     pending.fate == Fate::no_room;
  if (fails) {
    completed.done.status = IoStatus::failed;
    completed.sync = 0;
  }
  // Of a full disk a sync gets the prefix that fits.
  if (pending.fate == Fate::failed_done || (is_sync && pending.fate == Fate::no_room)) {
    return finish(file, pending, completed);
  }
  Generation& current = file.generations[file.current];
  const std::size_t end = std::clamp(pending.length, current.durable, current.content.size());
  if (fails && !is_sync) {
    file.generations.erase(file.generations.begin() +
                           static_cast<std::ptrdiff_t>(file.current + 1));
    return;
  }
  if (!is_sync) {
    Generation& next = file.generations[++file.current];
    next.durable = pending.length;
    next.exists_durably = pending.op == DiskOp::replace;
    if (pending.fate != Fate::misdirected) return;
    const Bytes written(next.content.begin(),
                        next.content.begin() + static_cast<std::ptrdiff_t>(pending.length));
    if (const auto write = misdirect(file, pending, written)) completed.writes.push_back(*write);
    return;
  }
  // A lost sync leaves the bytes dirty, for the next one.
  if (pending.fate == Fate::lost) return;
  if (pending.fate == Fate::misdirected) {
    const Bytes written(current.content.begin() + static_cast<std::ptrdiff_t>(current.durable),
                        current.content.begin() + static_cast<std::ptrdiff_t>(end));
    if (const auto write = misdirect(file, pending, written)) completed.writes.push_back(*write);
    current.exists_durably = true;
  }
  if (end != current.durable) current.holes.emplace_back(current.durable, end);
  current.durable = end;
}

void Disk::finish_read(File& file, const Pending& pending, Completed& completed) {
  Bytes& data = completed.done.data;
  if (pending.fate == Fate::failed_undone) {
    data.clear();
    completed.done.status = IoStatus::failed;
    return;
  }
  if (data.empty()) return;
  if (pending.fate == Fate::rotten) {
    const std::uint64_t bit =
        below(draw_for(file, pending.ordinal, Draw::rot_bit), data.size() * 8);
    data[bit / 8] = static_cast<std::uint8_t>(data[bit / 8] ^ (1U << (bit % 8)));
    return;
  }
  const auto from = place_for(draw_for(file, pending.ordinal, Draw::source), &file);
  if (!from) return;
  const std::uint64_t sector =
      below(draw_for(file, pending.ordinal, Draw::place), sectors(data.size()));
  const Generation& other = from->file->generations.front();
  (void)overlay(data, sector * kSectorBytes, data.size(),
                ByteView(other.content).first(other.durable).subspan(from->offset));
}

std::vector<Disk::File*> Disk::durable_matches(std::string_view file_contains) {
  std::vector<File*> out;
  for (const auto& [name, index] : names_) {
    if (name.find(file_contains) == std::string::npos) continue;
    if (files_[index].generations.front().durable != 0) out.push_back(&files_[index]);
  }
  return out;
}

std::optional<Disk::Place> Disk::place_for(std::uint64_t bits, const File* except) {
  std::vector<File*> files = durable_matches({});
  std::erase(files, except);
  std::uint64_t total = 0;
  for (const File* file : files) total += sectors(file->generations.front().durable);
  if (total == 0) return std::nullopt;
  std::uint64_t sector = below(bits, total);
  for (File* file : files) {
    const std::size_t own = sectors(file->generations.front().durable);
    if (sector < own) return Place{.file = file, .offset = sector * kSectorBytes};
    sector -= own;
  }
  CHECK_THAT(false);
  return {};  // not reached, but a compiler that does not optimise cannot tell
}

std::optional<DurableWrite> Disk::misdirect(const File& from, const Pending& pending,
                                            const Bytes& bytes) {
  const auto place = place_for(draw_for(from, pending.ordinal, Draw::place), nullptr);
  if (!place) return std::nullopt;
  Generation& victim = place->file->generations.front();
  const std::size_t length = overlay(victim.content, place->offset, victim.durable, bytes);
  bytes_written_ += length;
  return DurableWrite{.op = DiskOp::damage,
                      .file_hash = place->file->name_hash,
                      .offset = place->offset,
                      .length = length,
                      .bytes_hash = hash64(ByteView(bytes).first(length))};
}

// ---- Torn sectors ----------------------------------------------------------------------------

void Disk::tear_sectors(const File& file, Generation& kept) const {
  Bytes& content = kept.content;
  std::size_t last_from = kept.durable;
  std::size_t last_to = kept.durable;
  for (std::size_t s = kept.durable / kSectorBytes; s < sectors(content.size()); ++s) {
    const std::size_t from = std::max(s * kSectorBytes, kept.durable);
    const std::size_t to = std::min((s + 1) * kSectorBytes, content.size());
    if (draw_for(file, s, Draw::tear) % 2 != 0) {
      last_from = from;
      last_to = to;
    } else {
      std::fill(content.begin() + static_cast<std::ptrdiff_t>(from),
                content.begin() + static_cast<std::ptrdiff_t>(to), std::uint8_t{0});
    }
  }
  for (std::size_t i = last_from; i < last_to; ++i) {
    content[i] = static_cast<std::uint8_t>(draw_for(file, i, Draw::garbage));
  }
  content.resize(last_to);
  kept.durable = last_to;
}

// ---- Damage ----------------------------------------------------------------------------------

std::vector<DurableWrite> Disk::rot(std::string_view file_contains, std::uint32_t bits,
                                    std::uint64_t draw_key) {
  const std::vector<File*> files = durable_matches(file_contains);
  std::uint64_t total = 0;
  for (const File* file : files) total += file->generations.front().durable * 8;
  std::set<std::uint64_t> chosen;
  for (std::uint64_t n = 0; n < std::min<std::uint64_t>(bits, total); ++n) {
    std::uint64_t bit = below(draw({.seed = seed_,
                                    .domain = Domain::fault,
                                    .who = host_.value,
                                    .what = draw_key,
                                    .attempt = n}),
                              total);
    while (!chosen.insert(bit).second) bit = (bit + 1) % total;
  }
  std::vector<DurableWrite> writes;
  std::uint64_t start = 0;  // of the file, in bits of all
  auto at = chosen.begin();
  for (File* file : files) {
    Generation& durable = file->generations.front();
    for (; at != chosen.end() && *at < start + durable.durable * 8; ++at) {
      const std::size_t byte = (*at - start) / 8;
      durable.content[byte] = static_cast<std::uint8_t>(durable.content[byte] ^ (1U << (*at % 8)));
      if (!writes.empty() && writes.back().file_hash == file->name_hash &&
          writes.back().offset == byte) {
        writes.pop_back();
      }
      writes.push_back({.op = DiskOp::damage,
                        .file_hash = file->name_hash,
                        .offset = byte,
                        .length = 1,
                        .bytes_hash = hash64(ByteView(durable.content).subspan(byte, 1))});
    }
    start += durable.durable * 8;
  }
  return writes;
}

std::vector<DurableWrite> Disk::corrupt_tails(std::string_view file_contains, std::uint64_t bytes,
                                              std::uint64_t draw_key) {
  std::vector<DurableWrite> writes;
  for (File* file : durable_matches(file_contains)) {
    Generation& durable = file->generations.front();
    const std::size_t length = std::min<std::uint64_t>(bytes, durable.durable);
    const std::size_t from = durable.durable - length;
    for (std::size_t i = from; i < durable.durable; ++i) {
      const std::uint64_t random = draw({.seed = seed_,
                                         .domain = Domain::fault,
                                         .who = host_.value,
                                         .what = mix(draw_key, file->name_hash),
                                         .attempt = i - from});
      // By 1..255: every byte changes.
      durable.content[i] = static_cast<std::uint8_t>(durable.content[i] ^ (1 + below(random, 255)));
    }
    if (length == 0) continue;
    writes.push_back({.op = DiskOp::damage,
                      .file_hash = file->name_hash,
                      .offset = from,
                      .length = length,
                      .bytes_hash = hash64(ByteView(durable.content).subspan(from, length))});
  }
  return writes;
}

}  // namespace rejoin::sim
