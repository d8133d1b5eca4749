// Splits the network into groups that cannot reach each other. A node in no group, and every
// client, reaches all. Replaces an earlier partition; what is under way across it is lost.
#include "sim/faults/fault.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {
namespace {

using NodeSets = std::vector<std::vector<NodeId>>;

std::uint64_t inject(Kernel& kernel, const Params& params) {
  std::vector<std::vector<Address>> groups;
  for (const auto& set : params.get<NodeSets>("groups")) {
    auto& group = groups.emplace_back();
    for (const NodeId node : set) {
      const Address address = kernel.address_of(node);
      if (!address.is_none()) group.push_back(address);
    }
  }
  return kernel.network().partition(groups);
}

std::string says(const Params& params) {
  std::string text = "the network splits into";
  const auto& sets = params.get<NodeSets>("groups");
  for (std::size_t i = 0; i < sets.size(); ++i) {
    text += i == 0 ? " {" : " | {";
    for (std::size_t j = 0; j < sets[i].size(); ++j) {
      if (j != 0) text += ", ";
      text += to_name(sets[i][j]);
    }
    text += '}';
  }
  return text;
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "partition",
                 .help = "split the network into groups that cannot reach each other",
                 .params = {{.name = "groups",
                             .type = ParamType::node_sets,
                             .unit = "",
                             .fallback = "",
                             .help = "disjoint sets of nodes; others reach everyone",
                             .choices = {}}},
                 .inject = inject,
                 .says = says});

}  // namespace
}  // namespace rejoin::sim
