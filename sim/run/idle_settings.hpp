// Settings that a schedule has and that its composition never uses: each is right by itself, and
// changes nothing in the run. Said, and not refused: mechanisms are compared under the same ones.
//
// Not here: what contradicts itself (each plugin's `refuses`).
#pragma once

#include <string>
#include <vector>

#include "model/schedule.hpp"

namespace rejoin::sim {

// A sentence each.
[[nodiscard]] std::vector<std::string> idle_settings(const Schedule& schedule);

}  // namespace rejoin::sim
