// What a schedule could never do, before it is run.
//
// Not here: what a file can say wrong (sim/scenario), and what only a run can tell: faults that
// touch nothing, steps that never fire.
#pragma once

#include <string>
#include <vector>

#include "model/schedule.hpp"

namespace rejoin::sim {

struct Complaint {
  std::string where;    // Step::where; empty when it is about no step
  std::string what;     // a sentence
  std::string allowed;  // what can be done about it; may be empty
};

// Empty when the schedule can be run. In order: of the cluster, then of the steps.
[[nodiscard]] std::vector<Complaint> complaints_about(const Schedule& schedule);

}  // namespace rejoin::sim
