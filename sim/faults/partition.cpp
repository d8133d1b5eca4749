// Splits hosts into groups that cannot reach each other. A host in no group reaches all. What is
// under way across the split is lost.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return cut_links(site, LinkSet::between(site.sets.at("groups")));
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  const auto& groups = params.get<std::vector<Selectors>>("groups");
  if (groups.size() < 2) return ValueProblem("a partition has at least two groups", "groups");
  for (std::size_t a = 0; a < groups.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      for (const Selector& host : groups[a]) {
        if (std::find(groups[b].begin(), groups[b].end(), host) == groups[b].end()) continue;
        return ValueProblem(to_text(host) + " is in two groups: each host is in one, or in none",
                            "groups");
      }
    }
  }
  return std::nullopt;
}

std::string says(const Params& params) {
  return "the network splits into " + says_sets(params, "groups");
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "partition",
                 .help = "split hosts into groups that cannot reach each other",
                 .kind = FaultClass::network,
                 .params = {param("groups", ParamType::host_sets, "",
                                  "disjoint sets; hosts in none reach everyone")},
                 .ends = true,
                 .touches = "link",
                 .does = "message dropped",
                 .problem = problem,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "8s..25s",
                             .lasts = "1s..8s",
                             .values = {{"groups",
                                         "{ pick: [[[minority], [others]], "
                                         "[[random], [others]], [[leader], [others]]] }"}},
                             .out = "groups"}});

}  // namespace
}  // namespace rejoin::sim
