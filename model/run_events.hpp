// Run events: what pictures of a run need and a run record lacks: every message and fact, what each
// node and each replica held over time, and the messages that were never sent.
//
// Invariants:
// 1. Messages are in order of sending, facts in order of time; spans of a node, and of a replica,
//    follow each other without a gap from the first on.
// 2. An index counts from 0 into the list that its comment names.
// 3. What was left out is counted in `hidden`.
//
// Not here: violations, steps, operations and metrics, which a run record has.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/history.hpp"
#include "model/ids.hpp"
#include "model/message.hpp"
#include "model/run_record.hpp"
#include "model/time.hpp"

namespace rejoin {

struct RunEvents {
  static constexpr std::uint32_t kNone = 0xffffffff;

  struct Message {
    MonotonicTime sent{};
    std::optional<MonotonicTime> arrived;  // none: it never did
    std::uint32_t from = 0;                // of hosts, as is `to`
    std::uint32_t to = 0;
    std::uint32_t kind = 0;  // of kinds
    Purpose purpose{};
    std::uint32_t bytes = 0;       // of its frame
    std::uint32_t fate = 0;        // of fates
    std::uint32_t key = kNone;     // of keys
    std::uint64_t send_event = 0;  // the event of the sender in which it was sent
    std::uint64_t arrive_event = 0;
    std::uint32_t text = 0;    // of strings: decoded
    std::uint64_t serial = 0;  // how many were sent before; kept when others are left out
  };
  struct FactRow {
    MonotonicTime at{};
    std::uint64_t event = 0;
    std::uint32_t host = kNone;  // of hosts; none: the world
    std::uint32_t kind = 0;      // of fact_kinds
    std::uint32_t text = 0;      // of strings
    std::uint32_t key = kNone;   // of keys
    bool routine = false;        // told by other lists, or again and again
  };
  struct NodeSpan {
    MonotonicTime from{};
    MonotonicTime to{};
    NodeSnapshot what;
    bool claims = false;  // it serves as if all that it owns were repaired
  };
  enum class HeldCause : std::uint8_t { foreground, repair, collection, crash };
  struct Held {
    MonotonicTime from{};
    MonotonicTime to{};
    RequestId origin;  // none: nothing is held
    bool deleted = false;
    HeldCause cause{};
    std::optional<MonotonicTime> durable_from;  // from when on a crash would have left it
  };
  struct Store {
    PartitionId partition;
    std::map<NodeId, std::vector<Held>> replicas;
  };
  // A read that was stale, whoever asked.
  struct StaleRead {
    RequestId missed;
    std::string why;
  };
  // A message that was never sent, though a replica lacks what it would have brought.
  struct Ghost {
    MonotonicTime at{};
    std::uint32_t from = 0;  // of hosts
    std::uint32_t to = 0;
    std::uint32_t key = 0;  // of keys
    std::string says;
  };
  struct Hidden {
    std::uint64_t messages = 0;
    std::uint64_t facts = 0;
    std::uint64_t spans = 0;  // of nodes: joined with others
    std::uint64_t ghosts = 0;
  };

  std::vector<std::string> hosts;  // nodes, then clients, then twins
  std::uint32_t nodes = 0;
  std::uint32_t clients = 0;
  std::vector<std::string> kinds;
  std::vector<std::string> fates;  // the first: delivered
  std::vector<std::string> keys;
  std::vector<std::string> strings;
  std::vector<std::string> fact_kinds;
  std::vector<Message> messages;
  std::vector<FactRow> facts;
  std::vector<std::vector<NodeSpan>> spans;  // by node
  std::map<Key, Store> stores;
  std::map<RequestId, StaleRead> stale_reads;
  std::vector<Ghost> ghosts;
  Hidden hidden;
};

struct EventLimits {
  std::size_t messages = 0;
  std::size_t facts = 0;
};
// Leaves out what is above the limits: first what is sent or told again and again, and of that what
// is farthest from any of `marks` (faults, steps, violations; in order of time). Strings that
// nothing names any more stay in their list.
void thin(RunEvents& events, const EventLimits& limits, const std::vector<MonotonicTime>& marks);

// Joins spans of a node that begin in one stretch of time, of which there are `most` in all, and
// differ in numbers alone; what is joined has the numbers of the worst of them, and what differs in
// more stays. The last one is left as it is. How many have gone.
std::uint64_t join(std::vector<RunEvents::NodeSpan>& spans, std::size_t most);

// To the nearest of them; the largest number when there is none. In nanoseconds.
[[nodiscard]] std::int64_t distance_to(const std::vector<MonotonicTime>& marks, MonotonicTime at);

}  // namespace rejoin
