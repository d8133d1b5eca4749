// One schedule in, one run record out. The composition root: the only place that joins protocols
// to the kernel.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/run_record.hpp"
#include "model/schedule.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin {
struct RunEvents;  // model/run_events.hpp
}  // namespace rejoin

namespace rejoin::sim {

// What a run is doing, for whoever forbids it the real world meanwhile (sim/app/guard.hpp).
struct Dispatch {
  bool under_way = false;          // a process or a listener of the run is on the stack
  const Kernel* kernel = nullptr;  // of the run; null when none is alive
};

struct RunOptions {
  bool expectations = true;      // judge `expect`; off for --no-expect, where every violation fails
  TraceSink* trace = nullptr;    // not owned; may be null
  Dispatch* dispatch = nullptr;  // likewise
  // Where pictures of the run are to find what they need; null: nothing is recorded for them. It
  // changes nothing of the run.
  RunEvents* events = nullptr;
  // Where faults that touched something are counted, by fault and by the phase of the cluster in
  // which they struck: `electing` (no leader), `repairing`, `joining`, `member down`, `steady`, the
  // first of them that holds. May be null.
  std::map<std::string, std::map<std::string, std::uint64_t>>* phases = nullptr;
};

// Runs to the end, or to a bound. Never fails: whatever goes wrong is in the record's verdict.
[[nodiscard]] RunRecord run(const Schedule& schedule, const RunOptions& options = {});

// What a schedule could never do, in sentences with `where`: a node that is not in the cluster, a
// label that no step has. Empty when it can be run.
[[nodiscard]] std::vector<std::string> check_schedule(const Schedule& schedule);

}  // namespace rejoin::sim
