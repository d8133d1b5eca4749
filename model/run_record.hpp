// A run record: all that a run leaves behind. Reports read run records and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/hash.hpp"
#include "model/history.hpp"
#include "model/ids.hpp"
#include "model/message.hpp"
#include "model/time.hpp"

namespace rejoin {

enum class Verdict : std::uint8_t {
  pass,
  fail,       // an invariant broke unexpectedly, or an expectation was missed
  vacuous,    // an invariant that was to be checked never judged anything
  unbounded,  // the bound on events or virtual time was reached
};
[[nodiscard]] std::string_view to_name(Verdict verdict);

// One thing that an invariant saw; `says` is a sentence a stranger understands, `evidence` the
// facts and operations behind it, in order of time.
struct Violation {
  std::string invariant;
  MonotonicTime at{};
  std::uint64_t event = 0;
  NodeId node;  // none when it concerns no single node
  Key key;      // empty when it concerns no single key
  // What that node had been through: `unbroken`, `restarted` or `renewed` (it lost its disk, or
  // was removed and joined as another life). Empty when there is no node.
  std::string role;
  bool expected = false;
  std::string says;
  std::vector<std::string> evidence;
};

enum class NodeState : std::uint8_t { alive, dead, offline, syncing, evicted };
[[nodiscard]] std::string_view to_name(NodeState state);

// A node at one moment. alive: up and a member. syncing: the same, a repair is under way.
// dead: down, still a member. offline: down and removed. evicted: up and removed.
struct NodeSnapshot {
  NodeId node;
  NodeState state{};
  bool leader = false;
  std::uint64_t keys = 0;  // live keys in the store (on disk, when down)
  // Of partitions that it owns, where it is up and a member: older than the newest acknowledged.
  std::uint64_t stale_keys = 0;
  std::uint64_t missing_keys = 0;  // acknowledged, owned and absent
};

// The cluster when a step had completed.
struct Transition {
  MonotonicTime at{};  // when the step fired
  MonotonicTime completed{};
  std::string label;
  std::string what;  // `node-3 crashes`, `100 writes, key-1..key-100`
  std::vector<NodeSnapshot> nodes;
};

struct ReadRecord {
  Operation operation;
  bool stale = false;
  std::string expected_value;  // what should have been seen; empty when the read was right
  std::string why;             // why it was not, in a sentence; empty when the read was right
};

// What became of a fault: of each step that injected one.
struct FaultRecord {
  std::string label;  // of the step
  std::string fault;
  bool may_miss = false;  // touching or doing nothing proves nothing wrong
  std::uint64_t touched = 0;
  std::string unit;       // what that counts, one of them: `host`, `link`
  std::uint64_t did = 0;  // by the end of the run
  std::string of;         // what that counts: `message lost`; `unit`, of what is done in a moment
};

struct RunRecord {
  std::string scenario;
  std::string file;
  std::string about;
  std::uint64_t seed = 1;
  std::string profile;
  std::string sync;  // as a user would write it: `none`, `rejoin-sync`
  std::string versions;
  std::uint32_t nodes = 0;
  std::uint32_t partitions = 0;
  std::uint32_t replication = 0;

  Verdict verdict = Verdict::pass;
  std::string verdict_says;  // one line
  Hash128 digest;
  MonotonicTime virtual_end{};
  std::int64_t wall_ns = 0;  // the only real-time figure; not in the digest
  std::uint64_t events = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::array<std::uint64_t, kPurposeCount> messages_by_purpose{};
  std::array<std::uint64_t, kPurposeCount> bytes_by_purpose{};

  std::vector<Violation> violations;
  std::vector<std::string> unmet;                 // expectations that were missed
  std::vector<std::string> warnings;              // a fault that touched nothing, ...
  std::map<std::string, std::uint64_t> judged;    // by invariant
  std::map<std::string, std::uint64_t> injected;  // by fault: steps of it that touched something
  std::vector<FaultRecord> faults;                // in the order in which they struck
  std::vector<Transition> transitions;
  std::vector<ReadRecord> reads;   // of read steps, in order
  std::vector<Operation> history;  // every operation, in order of invocation
  std::map<std::string, std::optional<std::int64_t>> metrics;
};

}  // namespace rejoin
