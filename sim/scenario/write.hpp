// The parts of writing that more than one section needs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/schedule.hpp"
#include "sim/scenario/tree.hpp"

namespace rejoin::sim {

[[nodiscard]] Tree map_of(std::vector<std::pair<std::string, Tree>> entries);
[[nodiscard]] Tree tree_of(Duration duration);
[[nodiscard]] Tree tree_of(std::uint64_t number);
[[nodiscard]] Tree tree_of(const ParamValue& value);
[[nodiscard]] Tree tree_of(const Params& params);
[[nodiscard]] Tree tree_of(const LatencyOptions& latency);

// ---- write_network.cpp ----
// What of `network` is no field of the table, put into the file's; `topology`, where there is one.
void add_network(const NetworkOptions& network, Tree& file);
void add_topology(const TopologyOptions& topology, Tree& file);

}  // namespace rejoin::sim
