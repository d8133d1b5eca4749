// A machine's disk: named files, what of them is durable, and when operations complete.
//
// Invariants:
// 1. Operations on one file complete in the order of their requests, at distinct instants.
// 2. A sync that completes has made durable what was appended before it was requested. A replace
//    or remove is atomic: at completion, or at a crash by a keyed draw, all of it or nothing.
// 3. A crash loses what is not durable, except that of each file's unsynced tail a prefix of
//    keyed random length survives: a kernel flushes dirty pages when it likes, so a torn tail is
//    what a log must expect. What survives a crash is durable.
// 4. Draws are keyed by (host, file, life, operation on that file in that life): operations on
//    one file do not move the draws of another.
//
// Not here: the event of a completion and the facts about it (Host), failing or corrupt media.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/env.hpp"
#include "model/options.hpp"

namespace rejoin::sim {

// Bytes that have become durable, for the digest. `op` tells a remove from an empty file.
enum class DiskOp : std::uint8_t { sync, read, replace, remove, torn };
struct DurableWrite {
  DiskOp op{};
  std::uint64_t file_hash = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t bytes_hash = 0;
};

// What is wrong with a disk, besides DiskOptions. Chances are of each operation, by keyed draws.
struct DiskTrouble {
  std::uint32_t slower = 1;                   // every latency times this
  DurationRange extra{};                      // added to every latency
  std::optional<std::uint64_t> free_bytes{};  // may still be written; then every sync and replace
                                              // that needs more fails, for good in this life
  Share sync_errors{};         // a sync or replace fails; what it was about may be lost
  Share read_errors{};         // a read fails
  Share lost_syncs{};          // a sync answers ok and has done nothing: a crash loses it
  Share misdirected_writes{};  // what a sync wrote went over older bytes of the same disk
  Share misdirected_reads{};   // a read answers with another place's bytes
  Share read_rot{};            // a read answers with one bit flipped; the disk is as it was
  bool torn_sectors = false;   // at a crash, any of the unsynced 512-byte sectors survive, not
                               // a prefix; and the last of them holds garbage
};

class Disk {
 public:
  Disk(const DiskOptions& options, std::uint64_t seed, Address host)
      : options_(&options), seed_(seed), host_(host) {}

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
    std::uint64_t sync = 0;
    std::vector<DurableWrite> writes{};  // at most one
  };
  // Completes the oldest operation on `file` (of Requested).
  [[nodiscard]] Completed complete(std::uint32_t file);

  // Ends a life: drops what was requested and not completed. Returns the tails that survived.
  std::vector<DurableWrite> crash();
  void wipe();

  [[nodiscard]] std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  // What a file holds from one replace or remove to the next.
  struct Generation {
    Bytes content{};
    std::size_t durable = 0;  // bytes, from the start, once this generation is current
    bool exists = false;      // as the process sees it
    bool exists_durably = false;
  };
  struct Pending {
    DiskOp op{};
    IoToken token{};
    std::size_t length = 0;  // of the content, when requested
    bool missing = false;
    std::uint64_t sync = 0;
  };
  struct File {
    std::uint64_t name_hash = 0;
    std::vector<Generation> generations{1};  // the first is current, the others are requested
    std::vector<Pending> pending;            // oldest first
    std::size_t flushing = 0;                // bytes of the last generation that are paid for
    Duration append_cost{};                  // to be added to the next sync
    std::uint64_t operations = 0;
    MonotonicTime last_done{};
  };

  [[nodiscard]] std::uint32_t open(std::string_view name);
  [[nodiscard]] Requested request(MonotonicTime now, std::uint32_t index, Pending pending,
                                  std::uint64_t bytes, DurationRange latency);
  [[nodiscard]] std::uint64_t draw_for(const File& file, std::uint64_t attempt) const;
  [[nodiscard]] DurableWrite settle(File& file);

  const DiskOptions* options_;  // shared by all hosts
  std::uint64_t seed_;
  Address host_;
  std::map<std::string, std::uint32_t, std::less<>> names_;
  std::vector<File> files_;
  std::uint64_t life_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t bytes_written_ = 0;
  MonotonicTime busy_until_{};  // of the bus: transfers queue, latencies overlap
};

}  // namespace rejoin::sim
