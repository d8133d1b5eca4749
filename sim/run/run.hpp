// One schedule in, one run record out. The composition root: the only place that joins protocols
// to the kernel.
#pragma once

#include "model/run_record.hpp"
#include "model/schedule.hpp"
#include "sim/kernel/kernel.hpp"

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
};

// Runs to the end, or to a bound. Never fails: whatever goes wrong is in the record's verdict.
[[nodiscard]] RunRecord run(const Schedule& schedule, const RunOptions& options = {});

// What a schedule could never do, in sentences with `where`: a node that is not in the cluster, a
// label that no step has. Empty when it can be run.
[[nodiscard]] std::vector<std::string> check_schedule(const Schedule& schedule);

}  // namespace rejoin::sim
