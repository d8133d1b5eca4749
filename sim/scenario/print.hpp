// Writes trees as YAML, and schedules as trees.
#pragma once

#include <string>

#include "model/schedule.hpp"
#include "sim/scenario/tree.hpp"

namespace rejoin::sim {

// Keys of the file and of its sections in the order of the manual; `extends` and x- keys are left
// out.
[[nodiscard]] Tree in_order(const Tree& file);
// YAML that reads back as the same tree: lines of at most 100 columns where that can be.
[[nodiscard]] std::string print_yaml(const Tree& file);
// What a schedule has beyond its profile's defaults.
[[nodiscard]] Tree as_tree(const Schedule& schedule);

}  // namespace rejoin::sim
