// Each host sees its two neighbours alone, in order of address: everyone is in reach of everyone,
// by others, and every majority lacks links (Jepsen's "majorities ring", drawn to its end).
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const std::vector<Address>& ring = site.hosts.at("among");
  std::vector<std::pair<Address, Address>> links;
  for (std::size_t a = 0; a < ring.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (a - b == 1 || a - b == ring.size() - 1) continue;
      links.emplace_back(ring[a], ring[b]);
      links.emplace_back(ring[b], ring[a]);
    }
  }
  return cut_links(site, LinkSet::pairs(std::move(links)));
}

std::optional<ValueProblem> problem(const Params& params, const Schedule& schedule) {
  const auto& among = params.get<Selectors>("among");
  const bool nodes = among.size() == 1 && among.front().kind == Selector::Kind::nodes;
  if (!nodes || schedule.cluster.nodes >= 4) return std::nullopt;
  return ValueProblem("a ring of fewer than 4 nodes cuts nothing: all of them are neighbours",
                      "among");
}

std::string says(const Params& params) {
  return "of " + says_hosts(params, "among") + ", each sees its two neighbours alone";
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "ring",
                 .help = "let each node see its two neighbours alone",
                 .kind = FaultClass::network,
                 .params = {param("among", ParamType::hosts, "nodes", "the ring, at least 4")},
                 .ends = true,
                 .touches = "link",
                 .does = "message dropped",
                 .problem = problem,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.exempt = "no majority sees itself whole while it lasts"}});

}  // namespace
}  // namespace rejoin::sim
