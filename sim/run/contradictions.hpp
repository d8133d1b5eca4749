// Faults of a schedule that contradict each other, as far as it alone decides whom they strike and
// when: two that hold one thing of one host (FaultSpec::claims) at one time, where the table in
// contradictions.cpp says that these do not go together.
//
// Not here: what a fault alone says wrong, and whom only the run knows (the leader, an owner): a
// fault that finds nothing to do there has touched nothing. A step that may miss says itself that
// it may meet anything; so all that a nemesis draws is exempt.
#pragma once

#include <vector>

#include "sim/run/check.hpp"

namespace rejoin::sim {

// At most one for each step, in the order of steps. The schedule has no other complaints.
[[nodiscard]] std::vector<Complaint> contradictions_in(const Schedule& schedule);

}  // namespace rejoin::sim
