// What sync mechanisms want of the coordinator of their node: written by the SyncManager when it
// makes its mechanisms, read by the coordinator. Nothing here calls the coordinator back; that
// hints have become durable it learns by local::HintsDurable.
#pragma once

#include <cstdint>
#include <optional>

#include "model/ids.hpp"
#include "model/random.hpp"
#include "model/record.hpp"

namespace rejoin {

// What a coordinator does when replicas answer a read differently.
struct ReadRepair {
  // The client is answered when as many replicas as the level asks for hold what it is shown; else
  // at once.
  bool blocking = true;
  Share probability{1'000'000};  // of reads at which it is done
  bool local = false;            // only this node's own copy is mended
  bool background = true;        // a read at level one has the others compared, once answered
};

// Keeps writes for owners that did not take them.
class HintKeeper {
 public:
  HintKeeper() = default;
  HintKeeper(const HintKeeper&) = delete;
  HintKeeper& operator=(const HintKeeper&) = delete;
  virtual ~HintKeeper() = default;

  // What it kept before has been read back. Until then it keeps nothing.
  [[nodiscard]] virtual bool ready() const = 0;
  // Keeps the record for the owner, unless it has been away for too long or there are too many,
  // and says under which sequence. The same record again keeps its sequence.
  virtual std::optional<std::uint64_t> keep(NodeId owner, const Record& record) = 0;
  // Hints up to this sequence survive a crash (of this process, or also of its memory: whatever
  // the mechanism was told to do).
  [[nodiscard]] virtual std::uint64_t durable_sequence() const = 0;
  // A message has come from this address: who is there is not away.
  virtual void heard(Address from) = 0;
};

struct Coordination {
  std::optional<ReadRepair> read_repair;  // none: differences are left as they are
  HintKeeper* hints = nullptr;            // null: nothing is kept for anyone
};

}  // namespace rejoin
