// Two hosts (or groups) that cannot see each other, while everyone else sees both: the partition
// that systems are least prepared for, since there is no side to take (Alfatafta et al., "Toward a
// Generic Fault Tolerance Technique for Partial Network Partitioning", OSDI 2020).
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return cut_links(site, LinkSet::between({site.hosts.at("one"), site.hosts.at("other")}));
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  const auto& other = params.get<Selectors>("other");
  for (const Selector& host : params.get<Selectors>("one")) {
    if (std::find(other.begin(), other.end(), host) == other.end()) continue;
    return ValueProblem(to_text(host) + " is on both sides: a host does not lose sight of itself",
                        "other");
  }
  return std::nullopt;
}

std::string says(const Params& params) {
  return says_hosts(params, "one") + " and " + says_hosts(params, "other") +
         " cannot see each other, and everyone else sees both";
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "partial-partition",
     .help = "two hosts lose sight of each other, while everyone else sees both",
     .kind = FaultClass::network,
     .params = {param("one", ParamType::hosts, "leader", "on one side"),
                param("other", ParamType::hosts, "follower", "on the other side")},
     .ends = true,
     .touches = "link",
     .does = "message dropped",
     .problem = problem,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "6s..20s",
                 .lasts = "1s..8s",
                 .values = {{"one", "{ pick: [random, leader] }"}, {"other", "follower"}},
                 .out = "one"}});

}  // namespace
}  // namespace rejoin::sim
