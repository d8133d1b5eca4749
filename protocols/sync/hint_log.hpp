// The hints that a node keeps: writes for owners that did not take them, in memory and, when they
// are durable, in a file of their own, `hints`.
//
// The file is a row of frames as the store's log is (protocols/store/log_format.hpp): a head, the
// hints that came with it, then hints that are kept and hints that end, with marks strewn in.
//
// Invariants:
// 1. At most one sync is under way; what is appended meanwhile goes into the next one. While the
//    file is being replaced, appends wait in memory.
// 2. What was read back is durable: the file is rewritten before anyone hears of it.
// 3. A tail that a crash has torn is cut off and reported; nobody was told of what was in it, but
//    a hint that had ended may be there again, and be delivered once more. Damage that no crash
//    explains is published as StorageCorrupt and halts the process: a hint may be all that is left
//    of a write that was acknowledged (a sloppy quorum).
// 4. A failed operation halts the process, and is never tried again.
// 5. The file is replaced by what is left of it when it has grown by kWasteBytesMax and has
// doubled.
//
// Not here: whom hints are for, how many are kept and for how long (hint_replay.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/fields.hpp"
#include "model/ids.hpp"
#include "model/record.hpp"
#include "model/wire.hpp"
#include "protocols/node/component.hpp"

namespace rejoin::sync_detail {

inline constexpr std::string_view kHintFile = "hints";
// Below: what the GateKeeper uses. One operation of each kind is under way at a time.
inline constexpr IoToken kReadHints{16};
inline constexpr IoToken kReplaceHints{17};
inline constexpr IoToken kSyncHints{18};

struct Hint {
  std::uint64_t seq = 0;
  NodeId owner;
  Incarnation incarnation;  // of the owner, as known when it was kept
  WallTime kept{};          // wall time goes on while a process is down
  Record record;
  REJOIN_FIELDS(seq, owner, incarnation, kept, record)
};

enum class HintEntryKind : std::uint8_t {
  head,  // everything up to `number` is told by the `count` hints that follow; `life` of the log
  held,  // of the head: `hint` came with it
  keep,  // `hint`, whose sequence is `number`
  end,   // the hint `ended` is no more
  mark,  // everything up to `synced` is durable
};
inline constexpr HintEntryKind kLastHintEntryKind = HintEntryKind::mark;

struct HintEntry {
  HintEntryKind kind{};
  std::uint64_t number = 0;
  Hint hint{};
  std::uint64_t ended = 0;
  std::uint64_t count = 0;
  std::uint64_t life = 0;
  std::uint64_t synced = 0;  // entries were durable up to here when it was written
  REJOIN_FIELDS(kind, number, hint, ended, count, life, synced)
};

// What a file of hints holds.
struct HintContent {
  struct Damage {
    std::uint64_t offset = 0;
    std::string what;
    bool torn = false;  // nobody was told of what is missing; else it is corrupt
  };
  std::uint64_t life = 0;
  std::uint64_t last = 0;  // number of the last entry
  std::map<std::uint64_t, Hint> hints;
  std::optional<Damage> damage;
};
[[nodiscard]] HintContent read_hints(ByteView file);

class HintLog {
 public:
  static constexpr std::uint64_t kWasteBytesMax = 1024 * 1024;

  enum class Progress : std::uint8_t { none, recovered, durable };

  // `durable` false: nothing is written, and every hint counts as durable at once.
  HintLog(SubEnv& env, NodeBus& bus, bool durable) : env_(env), bus_(bus), durable_kept_(durable) {}

  // Reads the file; on_io says `recovered` when that is done. Not durable: ready at once.
  void start();
  [[nodiscard]] static bool owns(IoToken token) {
    return token == kReadHints || token == kReplaceHints || token == kSyncHints;
  }
  [[nodiscard]] Progress on_io(const IoDone& done);

  [[nodiscard]] bool ready() const { return ready_; }
  // Another number after hints were lost with their file. Ready.
  [[nodiscard]] std::uint64_t life() const { return life_; }
  [[nodiscard]] const std::map<std::uint64_t, Hint>& hints() const { return hints_; }
  [[nodiscard]] std::uint64_t durable_sequence() const { return durable_kept_ ? durable_ : last_; }

  // Ready. `hint.seq` is assigned here, and returned. Publishes HintStored.
  std::uint64_t keep(Hint hint);
  // The hint must be there. Publishes HintEnded.
  void end(std::uint64_t seq, const std::string& how);

 private:
  enum class State : std::uint8_t { idle, syncing, replacing };

  void load(const IoDone& done);
  void corrupt(std::uint64_t offset, const std::string& what);
  void append(HintEntry entry);
  void replace_file();
  void continue_file();
  void append_mark();

  SubEnv& env_;
  NodeBus& bus_;
  bool durable_kept_;
  bool ready_ = false;
  std::uint64_t life_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t durable_ = 0;
  std::uint64_t marked_ = 0;  // the file says that entries up to here are durable
  std::map<std::uint64_t, Hint> hints_;
  State state_ = State::idle;
  std::uint64_t covers_ = 0;       // the sync or replace under way makes durable up to here
  std::uint64_t file_bytes_ = 0;   // of the file, or of what it is being replaced by
  std::uint64_t fresh_bytes_ = 0;  // of the file when it was last replaced
  Writer held_back_;               // frames appended while the file is being replaced
};

}  // namespace rejoin::sync_detail
