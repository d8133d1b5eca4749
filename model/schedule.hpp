// A schedule: a scenario with nothing left to chance but keyed draws. One schedule and one binary
// are one run, bit for bit.
//
// Invariants:
// 1. Every value is concrete: picks were resolved by (seed, path), never by position in a list.
// 2. Steps are addressed by label; labels are unique.
// 3. Nothing here names a file format; sim/scenario reads and writes YAML.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/history.hpp"
#include "model/ids.hpp"
#include "model/options.hpp"
#include "model/params.hpp"
#include "model/time.hpp"

namespace rejoin {

// ---- When a step fires ---------------------------------------------------------------------

namespace trigger {
struct Next {};  // when the step before it has completed
struct At {
  MonotonicTime time{};
};  // at that virtual time, whatever went before
struct After {
  Duration delay{};
};  // that long after the step before it has completed
// When the fact has been observed, counted from when the step before it has completed.
// `removed`, `joined`: committed and applied on the leader. `leader`: that node leads.
// `rebalanced`: a new map applied on the leader. `repair_started`, `repair_completed`: of any
// partition on the node. `started`: the step with label `text` has fired. `sync_requested`,
// `sync_completed`: the node's `count`-th sync of the run. `ended`: the fault of the step with
// label `text` has been taken back. `crashed`: the process of the node has died or halted.
// `halted`: it stopped by itself. `storage_corrupt`: it found that its disk is. `gate_opened`: the
// node answers reads of some partition from now on. `hook_fired`: OnPartitionChange ran there.
// `upgraded`: it runs software of another version than when the waiting began.
// `committed_index`: some server knows that entry `count` of the cluster group is committed.
// `committed_count`: that so many more are than when the waiting began.
struct When {
  enum class What : std::uint8_t {
    removed,
    joined,
    leader,
    rebalanced,
    repair_started,
    repair_completed,
    started,
    sync_requested,
    sync_completed,
    ended,
    crashed,
    halted,
    storage_corrupt,
    gate_opened,
    hook_fired,
    upgraded,
    committed_index,
    committed_count,
  };
  What what{};
  NodeId node;  // none: any node, unless `who` says
  std::string text;
  std::uint64_t count = 0;
  // Instead of `node`: those whom these mean at the moment when the waiting begins, any of them.
  Selectors who{};
};
// No client operation open, no change of leader, membership or map, no foreground or repair data
// applied, for `length`, counted from when the step before it has completed.
struct Quiet {
  Duration length{};
};
}  // namespace trigger

using Trigger =
    std::variant<trigger::Next, trigger::At, trigger::After, trigger::When, trigger::Quiet>;

// ---- What a step does ----------------------------------------------------------------------

namespace action {
// Operations on each of `keys`, in order, shared out among `clients` clients, each of which has
// one open at a time.
struct Operate {
  OperationKind kind{};
  std::vector<Key> keys;
  std::optional<Consistency> level;  // the client's own when absent
  NodeId via;  // coordinator, or the node read directly; none: client's choice
  bool direct = false;
  std::uint32_t clients = 1;
  Duration every{};                             // pause of a client between two of its operations
  bool background = false;                      // the next step does not wait for it
  std::optional<ResultKind> expect;             // of every operation of the step
  std::map<std::string, std::string> settings;  // of configure: name to value
  // By how much a counter is counted up or down; the element of a set. Empty: 1; named after the
  // request.
  Value value;
};
// Operations drawn one by one, each by (seed, label of the step, client, number): so that leaving
// one out moves no other. A client has one open at a time.
//
// Open loop (`rate_per_hour`): they begin at drawn times, whatever becomes of those before; what
// finds its client busy waits for it. Closed loop: a client begins its next one a draw from `think`
// after the end of the one before.
struct Workload {
  // Whose keys are asked for how often, by their order in `keys`.
  struct Popularity {
    enum class Kind : std::uint8_t {
      uniform,
      zipf,  // the i-th key by 1 / i^exponent
      hot,   // `share` of the operations on the first `of` of the keys, the rest on the others
    };
    Kind kind{};
    std::uint32_t exponent_ppm = 990'000;  // of zipf: millionths, up to 10'000'000; 0.99 as in YCSB
    Share share{.ppm = 900'000};
    Share of{.ppm = 100'000};
    friend bool operator==(const Popularity&, const Popularity&) = default;
  };
  // Bytes, both included.
  struct SizeRange {
    std::uint64_t min = 0;
    std::uint64_t max = 0;
    friend bool operator==(const SizeRange&, const SizeRange&) = default;
  };
  enum class Arrivals : std::uint8_t {
    poisson,  // independent of each other: exponential times between two of a client
    even,     // at equal times, the clients evenly one after the other
  };
  // Of a client: its first-th to last-th of this step, counted from 1.
  struct Range {
    ClientId client;
    std::uint64_t first = 1;
    std::uint64_t last = 1;
    friend bool operator==(const Range&, const Range&) = default;
  };

  std::vector<Key> keys;
  // Of all clients together, which take turns; absent: as many as begin within `lasts`. One of
  // them.
  std::optional<std::uint64_t> operations;
  std::optional<Duration> lasts;
  std::uint32_t clients = 1;
  std::map<OperationKind, Share> mix;  // together all of them; no configure
  Popularity popularity;
  SizeRange value_size;             // of what is written, at least its name
  std::uint64_t elements = 8;       // of add and discard: element-1 to element-N
  std::uint64_t rate_per_hour = 0;  // of all clients together; 0: a closed loop
  Arrivals arrivals{};
  DurationRange think;                     // of a closed loop
  std::optional<Consistency> read_level;   // the client's own when absent
  std::optional<Consistency> write_level;  // of all that changes a key
  NodeId via;                              // coordinator; none: the client's choice
  bool background = false;                 // the next step does not wait for it
  // What is left of it, ascending and apart: shrinking leaves operations out. Absent: all.
  std::optional<std::vector<Range>> keep;
};
struct Inject {
  std::string fault;                // a registered fault
  Params params;                    // complete
  std::optional<Duration> lasts{};  // then it is taken back; absent: until the end
  // Drawn by a nemesis: that it touches nothing (its target is down already) proves nothing wrong.
  bool may_miss = false;
};
// Takes back the fault of the step with that label, if it is in force.
struct End {
  std::string label;
};
struct Wait {};  // nothing: a label for the table, or a pause
}  // namespace action

using Action =
    std::variant<action::Operate, action::Inject, action::End, action::Wait, action::Workload>;

struct Step {
  std::string label;
  Trigger trigger;
  Action action;
  std::string where;  // file:line:column, for errors
};

// ---- What must be seen ---------------------------------------------------------------------

struct MetricBound {
  std::optional<std::int64_t> at_least;
  std::optional<std::int64_t> at_most;
  std::optional<std::int64_t> equals;
  std::string where;
};

struct Expectation {
  std::vector<std::string> violates;  // exactly these invariants break; sorted
  std::vector<std::string> vacuous;   // these may have judged nothing
  // Any of them: the schedule was saved for what it showed (`found` of a file), and once that is
  // mended it may show nothing.
  bool nothing = false;
  std::map<std::string, MetricBound> metrics;
};

struct Limits {
  Duration virtual_time = 24h;
  std::uint64_t events = 50'000'000;
  Duration settle = 30s;  // at most, after the last step, until quiet
  // The settling begins with the end of every fault that can be taken back. False: they last, and
  // only safety can be asked for.
  bool heal = true;
  // Nodes that are down then are started first: the core, on which liveness is judged. Empty: none.
  Selectors core{};
  // What the mechanisms promise is judged, too. False: the world is worse than any of them allows
  // for, so that neither their promises nor liveness are asked for (an unbounded nemesis).
  bool promises = true;
  Duration settle_quiet = 2s;
  // A step that waits for a fact for longer than this never fires: an unmet expectation.
  Duration patience = 10min;
};

struct ClusterOptions {
  std::uint32_t nodes = 3;
  // Nodes 1..founders found the cluster; the others have empty disks and are down until a step
  // starts them. 0: all of them.
  std::uint32_t founders = 0;
  std::uint32_t clients = 1;
};

struct Schedule {
  std::string name;
  std::string file;   // where it was read from; empty when made in memory
  std::string about;  // first comment lines of the file, for reports
  std::uint64_t seed = 1;
  std::string profile = "documented";  // or clusterkit
  bool fifo = false;                   // order events at one instant by arrival, not by hash
  ClusterOptions cluster;
  NodeOptions node;
  ClientOptions client;
  NetworkOptions network;
  TopologyOptions topology;
  HostOptions host;
  DiskOptions disk;
  std::vector<Step> timeline;
  std::vector<std::string> check;  // registered invariants, sorted
  // By invariant of `check`: of those that take parameters, complete. Absent: all defaults.
  std::map<std::string, Params> check_params;
  Expectation expect;
  Limits limits;
};

}  // namespace rejoin
