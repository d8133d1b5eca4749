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

// Lays `source` over the bytes from `offset` up to `end`; how many they were.
std::size_t overlay(Bytes& target, std::size_t offset, std::size_t end, ByteView source) {
  const std::size_t length = std::min(source.size(), end - offset);
  std::copy_n(source.begin(), length, target.begin() + static_cast<std::ptrdiff_t>(offset));
  return length;
}

}  // namespace

void Disk::trouble(EffectId id, DiskTrouble what, std::uint64_t key) {
  CHECK_THAT(what.slower >= 1);
  std::optional<std::uint64_t> used_max;
  if (what.free_bytes) used_max = used() + *what.free_bytes;
  troubles_.push_back({.id = id, .what = std::move(what), .key = key, .used_max = used_max});
}

bool Disk::end(EffectId id) {
  return std::erase_if(troubles_, [id](const Trouble& trouble) { return trouble.id == id; }) != 0;
}

// `takes_time`: that it would, of an honest disk.
Disk::Slowness Disk::slowness(const File& file, const Pending& pending, bool takes_time) {
  Slowness out;
  for (const Trouble& trouble : troubles_) {
    if (!trouble.concerns(file)) continue;
    out.factor = std::min(out.factor * trouble.what.slower, kSlowerMax);
    Duration extra{};
    if (trouble.what.extra.max != Duration::zero()) {
      extra = uniform(draw_by(trouble.key, file, pending.ordinal, Draw::extra), trouble.what.extra);
    }
    out.extra += extra;
    if ((takes_time && trouble.what.slower > 1) || extra > 0ns) counts_.add(trouble.id);
  }
  return out;
}

bool Disk::tears(const File& file) const {
  return std::any_of(troubles_.begin(), troubles_.end(), [&](const Trouble& trouble) {
    return trouble.what.torn_sectors && trouble.concerns(file);
  });
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
    if (trouble.used_max && trouble.concerns(file))
      used_max = std::min(used_max, *trouble.used_max);
  }
  const std::uint64_t taken = used();
  return used_max > taken ? used_max - taken : 0;
}

// ---- Operations ------------------------------------------------------------------------------

bool Disk::strikes(const File& file, Pending& pending, Share DiskTrouble::*share, Draw kind,
                   Fate fate) const {
  for (const Trouble& trouble : troubles_) {
    const Share chances = trouble.what.*share;
    if (chances.ppm == 0 || !trouble.concerns(file)) continue;
    if (!chance(draw_by(trouble.key, file, pending.ordinal, kind), chances)) continue;
    if (pending.by.empty()) pending.key = trouble.key;
    pending.by.push_back(trouble.id);
    pending.fate = fate;
  }
  return !pending.by.empty();
}

void Disk::decide_read(const File& file, Pending& pending) const {
  (void)(strikes(file, pending, &DiskTrouble::read_errors, Draw::error, Fate::failed_undone) ||
         strikes(file, pending, &DiskTrouble::misdirected_reads, Draw::misdirect,
                 Fate::misdirected) ||
         strikes(file, pending, &DiskTrouble::read_rot, Draw::rot, Fate::rotten));
}

void Disk::decide(const File& file, Pending& pending, std::uint64_t bytes) const {
  if (pending.missing) return;
  if (pending.op == DiskOp::read) return decide_read(file, pending);
  if (bytes > room(file)) {
    pending.fate = Fate::no_room;
    const std::uint64_t taken = used();
    for (const Trouble& trouble : troubles_) {
      if (!trouble.used_max || !trouble.concerns(file)) continue;
      if (taken + bytes > *trouble.used_max) pending.by.push_back(trouble.id);
    }
    return;
  }
  if (strikes(file, pending, &DiskTrouble::sync_errors, Draw::error, Fate::failed_undone)) {
    const bool done = draw_by(pending.key, file, pending.ordinal, Draw::done) % 2 != 0;
    if (done) pending.fate = Fate::failed_done;
    return;
  }
  if (bytes != 0 && strikes(file, pending, &DiskTrouble::misdirected_writes, Draw::misdirect,
                            Fate::misdirected)) {
    return;
  }
  (void)strikes(file, pending, &DiskTrouble::lost_syncs, Draw::lose, Fate::lost);
}

// What was decided has come true.
void Disk::count(const Pending& pending) {
  for (const EffectId effect : pending.by) counts_.add(effect);
}

void Disk::finish_troubled(File& file, const Pending& pending, Completed& completed) {
  const bool is_sync = pending.op == DiskOp::sync;
  const bool fails = pending.fate == Fate::failed_done || pending.fate == Fate::failed_undone ||
                     pending.fate == Fate::no_room;
  if (fails) {
    completed.done.status = IoStatus::failed;
    completed.sync = 0;
  }
  if (fails || !is_sync || pending.fate == Fate::misdirected) count(pending);
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
  // A lost sync leaves the bytes dirty, for the next one. It lied if there were any.
  if (pending.fate == Fate::lost) {
    if (end != current.durable || !current.exists_durably) count(pending);
    return;
  }
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
    count(pending);
    data.clear();
    completed.done.status = IoStatus::failed;
    return;
  }
  if (data.empty()) return;
  if (pending.fate == Fate::rotten) {
    const std::uint64_t bit =
        below(draw_by(pending.key, file, pending.ordinal, Draw::rot_bit), data.size() * 8);
    count(pending);
    data[bit / 8] = static_cast<std::uint8_t>(data[bit / 8] ^ (1U << (bit % 8)));
    return;
  }
  const auto from = place_for(draw_by(pending.key, file, pending.ordinal, Draw::source), &file);
  if (!from) return;
  count(pending);
  const std::uint64_t sector =
      below(draw_by(pending.key, file, pending.ordinal, Draw::place), sectors(data.size()));
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
  const auto place = place_for(draw_by(pending.key, from, pending.ordinal, Draw::place), nullptr);
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

// Torn or not is all that there is to it: of two troubles the draws are the same.
void Disk::tear_sectors(const File& file, Generation& kept) {
  Bytes& content = kept.content;
  for (const Trouble& trouble : troubles_) {
    const bool tears = trouble.what.torn_sectors && trouble.concerns(file);
    if (tears && content.size() > kept.durable) counts_.add(trouble.id);
  }
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
