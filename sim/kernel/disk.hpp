// A machine's disk: named files, what of them is durable, when operations complete, and what is
// wrong with it.
//
// Invariants:
// 1. Operations on one file complete in the order of their requests, at distinct instants.
// 2. A sync that completes has made durable what was appended before it was requested. A replace
//    or remove is atomic: at completion, or at a crash by a keyed draw, all of it or nothing.
// 3. A crash of the machine loses what is not durable, except that of each file's unsynced tail a
//    prefix of keyed random length survives: a kernel flushes dirty pages when it likes, so a torn
//    tail is what a log must expect. What survives is durable. A crash of the process alone loses
//    no byte that was appended, but makes none durable.
// 4. Draws are keyed by (host, file, life, operation on that file in that life), a life by when it
//    began: operations on one file do not move the draws of another, nor an earlier crash those of
//    a later life.
// 5. Troubles break 2 and nothing else, and only while they are in force. What an operation meets
//    is decided when it is requested, by draws of each trouble's own key: one moves nothing that
//    another does. Two troubles of a kind compose: factors multiply, delays add, shares are those
//    of independent events, the least room counts.
//
// What the troubles do, as devices do them:
// - A sync that fails has written everything, or nothing, by a draw. Nothing means that its pages
//   are marked clean all the same: they are read until the machine crashes, no later sync writes
//   them, and then they are a hole of zeros (Rebello et al., "Can Applications Recover from fsync
//   Failures?", ATC 2020). A replace or remove that fails has happened or not, whole.
// - A full disk takes of a sync the prefix that fits, of a replace nothing: the old content stays.
// - A lost sync stays in a volatile cache. The next honest sync of that file writes it, too, as a
//   FLUSH CACHE that is obeyed would. A sync of another file does not: that is worse than one
//   cache for all, and as files on several devices are.
// - A misdirected write lands on durable bytes of any file of the machine, from the start of a
//   sector on; the place that it was meant for is a hole of zeros once the machine has crashed, or
//   of a replace the file as it was before (Bairavasundaram et al., "An Analysis of Data
//   Corruption in the Storage Stack", FAST 2008).
// - Torn sectors: at a crash, each 512-byte sector of the unsynced tail is written or not, the
//   last of them with garbage. Those before it that are not are holes of zeros. Synced bytes of
//   the sector in which the tail begins are safe: a sector is written whole or not at all.
//
// Not here: the event of a completion and the facts about it (Host); caches of what is durable (so
// damage is read at once); a file that another one's damage makes longer or shorter.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/env.hpp"
#include "model/options.hpp"
#include "sim/kernel/effect_counts.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

// Bytes that have become durable, for the digest. `op` tells a remove from an empty file; damage is
// of bytes that were durable before.
enum class DiskOp : std::uint8_t { sync, read, replace, remove, torn, damage };
struct DurableWrite {
  DiskOp op{};
  std::uint64_t file_hash = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t bytes_hash = 0;
};

// What is wrong with a disk, besides DiskOptions. Chances are of each operation, by keyed draws.
struct DiskTrouble {
  std::string file{};                         // only of files whose name contains this; empty: all
  std::uint32_t slower = 1;                   // every latency and transfer times this; 1 and up
  DurationRange extra{};                      // added to every latency
  std::optional<std::uint64_t> free_bytes{};  // may still be written, besides what is freed
  Share sync_errors{};         // a sync, replace or remove fails; it may have happened or not
  Share read_errors{};         // a read fails
  Share lost_syncs{};          // a sync, replace or remove answers ok and a crash may lose it
  Share misdirected_writes{};  // what a sync or replace wrote went over older bytes of the disk
  Share misdirected_reads{};   // a read answers with bytes of another file from some sector on
  Share read_rot{};            // a read answers with one bit flipped; the disk is as it was
  bool torn_sectors = false;   // of the tails that a crash leaves
};

class Disk {
 public:
  // The counts outlive it.
  Disk(const DiskOptions& options, std::uint64_t seed, Address host, EffectCounts& counts)
      : options_(&options), seed_(seed), host_(host), counts_(counts) {}
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  void provision(std::string_view file, ByteView data);
  void append(std::string_view file, ByteView data);

  struct Requested {
    MonotonicTime done_at{};
    std::uint32_t file = 0;     // for complete()
    std::uint64_t ordinal = 0;  // of the operation on its file in this life
    std::uint64_t sync = 0;     // counts syncs and replaces from 1; 0 for anything else
  };
  [[nodiscard]] Requested sync(MonotonicTime now, std::string_view file, IoToken token);
  [[nodiscard]] Requested read(MonotonicTime now, std::string_view file, IoToken token);
  [[nodiscard]] Requested replace(MonotonicTime now, std::string_view file, ByteView data,
                                  IoToken token);
  [[nodiscard]] Requested remove(MonotonicTime now, std::string_view file, IoToken token);

  struct Completed {
    IoDone done{};
    std::uint64_t sync = 0;  // 0, too, when it failed
    std::vector<DurableWrite> writes{};
  };
  // Completes the oldest operation on `file` (of Requested).
  [[nodiscard]] Completed complete(std::uint32_t file);

  // By when it began its draws are keyed. Without it lives are told apart by their number.
  void begin_life(MonotonicTime now) {
    life_ = static_cast<std::uint64_t>(now.time_since_epoch().count());
  }
  // Ends a life: drops what was requested and not completed. Returns what became durable by it.
  std::vector<DurableWrite> crash(CrashScope scope = CrashScope::machine);
  void wipe();
  // Only the files that are lost.
  void wipe(const std::function<bool(std::string_view file)>& is_lost);

  // ---- What is wrong with it (disk_trouble.cpp) ----
  // `key`: whose draws these are, without the seed.
  void trouble(EffectId id, DiskTrouble what, std::uint64_t key);
  bool end(EffectId id);  // false when it is none of its own
  // Damage of what is durable in files whose name contains `file_contains`, drawn by `draw_key`
  // alone: so many distinct bits of all of them together flipped; each byte of the last `bytes` of
  // each of them made another. Returns what was damaged, a write for each run of bytes.
  std::vector<DurableWrite> rot(std::string_view file_contains, std::uint32_t bits,
                                std::uint64_t draw_key);
  std::vector<DurableWrite> corrupt_tails(std::string_view file_contains, std::uint64_t bytes,
                                          std::uint64_t draw_key);

  [[nodiscard]] std::uint64_t bytes_written() const { return bytes_written_; }
  // What a machine that lost power now would find at least: durable files and their bytes.
  [[nodiscard]] std::map<std::string, Bytes> durable_files() const;

 private:
  using Range = std::pair<std::size_t, std::size_t>;  // from, to
  // What a file holds from one replace or remove to the next.
  struct Generation {
    Bytes content{};
    std::size_t born = 0;     // bytes that came with its replace
    std::size_t durable = 0;  // bytes, from the start, once this generation is current
    bool exists = false;      // as the process sees it
    bool exists_durably = false;
    std::vector<Range> holes{};  // durable as far as any sync knows; zeros after a crash
  };
  // What becomes of an operation.
  enum class Fate : std::uint8_t {
    honest,
    failed_done,    // reported as failed, but done
    failed_undone,  // reported as failed, and not done
    no_room,
    lost,
    misdirected,
    rotten,  // a read
  };
  struct Pending {
    DiskOp op{};
    IoToken token{};
    std::size_t length = 0;  // of the content, when requested
    bool missing = false;
    Fate fate = Fate::honest;
    std::vector<EffectId> by{};  // whose doing that is
    std::uint64_t key = 0;       // of the first of them
    std::uint64_t sync = 0;
    std::uint64_t ordinal = 0;
  };
  struct File {
    const std::string* name = nullptr;  // in names_
    std::uint64_t name_hash = 0;
    // The first is what a crash of the machine may fall back to, `current` what completed
    // operations have left (another one only after a lost replace), the others are requested.
    std::vector<Generation> generations{1};
    std::size_t current = 0;
    std::vector<Pending> pending;  // oldest first
    std::size_t flushing = 0;      // bytes of the last generation that are paid for
    Duration append_cost{};        // to be added to the next sync
    std::uint64_t operations = 0;
    MonotonicTime last_done{};
  };
  struct Trouble {
    EffectId id;
    DiskTrouble what;
    std::uint64_t key = 0;                  // of its draws
    std::optional<std::uint64_t> used_max;  // bytes
    [[nodiscard]] bool concerns(const File& file) const {
      return file.name->find(what.file) != std::string::npos;
    }
  };
  // What a draw of one operation is for. 0 is its latency.
  enum class Draw : std::uint8_t {
    latency,
    extra,
    error,
    done,  // whether what failed has happened
    misdirect,
    place,   // where a misdirected write went
    source,  // where a misdirected read came from
    lose,
    rot,
    rot_bit,
    tear,     // of a sector, by its number
    garbage,  // by offset
  };

  [[nodiscard]] std::uint32_t open(std::string_view name);
  [[nodiscard]] Requested request(MonotonicTime now, std::uint32_t index, const Pending& pending,
                                  std::uint64_t bytes, DurationRange latency);
  [[nodiscard]] std::uint64_t draw_for(const File& file, std::uint64_t attempt,
                                       Draw kind = Draw::latency) const;
  // Of a trouble, or of what came of it.
  [[nodiscard]] std::uint64_t draw_by(std::uint64_t key, const File& file, std::uint64_t attempt,
                                      Draw kind) const;
  void finish(File& file, const Pending& pending, Completed& completed);
  [[nodiscard]] std::size_t carried_out(File& file) const;
  [[nodiscard]] DurableWrite settle(File& file);
  [[nodiscard]] std::optional<DurableWrite> settle_process(File& file);

  // ---- disk_trouble.cpp ----
  // Nothing can go wrong.
  [[nodiscard]] bool is_honest() const {
    return troubles_.empty() && options_->capacity_bytes == 0;
  }
  // How long an operation takes by what is wrong, and by whose doing.
  struct Slowness {
    std::uint64_t factor = 1;
    Duration extra{};
  };
  [[nodiscard]] Slowness slowness(const File& file, const Pending& pending, bool takes_time);
  [[nodiscard]] bool tears(const File& file) const;
  [[nodiscard]] std::uint64_t used() const;
  [[nodiscard]] std::uint64_t room(const File& file) const;
  void decide(const File& file, Pending& pending, std::uint64_t bytes) const;
  void decide_read(const File& file, Pending& pending) const;
  // Sets the fate when one of the troubles strikes by its share; false when none does.
  bool strikes(const File& file, Pending& pending, Share DiskTrouble::*share, Draw kind,
               Fate fate) const;
  void count(const Pending& pending);
  void finish_troubled(File& file, const Pending& pending, Completed& completed);
  void finish_read(File& file, const Pending& pending, Completed& completed);
  // A sector of a durable file.
  struct Place {
    File* file = nullptr;
    std::size_t offset = 0;
  };
  [[nodiscard]] std::optional<Place> place_for(std::uint64_t bits, const File* except);
  [[nodiscard]] std::optional<DurableWrite> misdirect(const File& from, const Pending& pending,
                                                      const Bytes& bytes);
  void tear_sectors(const File& file, Generation& kept);
  [[nodiscard]] std::vector<File*> durable_matches(std::string_view file_contains);

  const DiskOptions* options_;  // shared by all hosts
  std::uint64_t seed_;
  Address host_;
  EffectCounts& counts_;
  std::map<std::string, std::uint32_t, std::less<>> names_;
  std::vector<File> files_;
  std::vector<Trouble> troubles_;
  std::uint64_t life_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t bytes_written_ = 0;
  MonotonicTime busy_until_{};  // of the bus: transfers queue, latencies overlap
};

}  // namespace rejoin::sim
