// Cuts hosts off from everyone, clients and each other included; or one direction of that: a host
// that hears and is not heard, or the other way round.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const std::vector<Address>& target = site.hosts.at("target");
  const auto& direction = site.params.get<std::string>("direction");
  if (direction == "in") return cut_links(site, LinkSet::from_to(site.kernel.hosts(), target));
  if (direction == "out") return cut_links(site, LinkSet::from_to(target, site.kernel.hosts()));
  return cut_links(site, LinkSet::touching(target));
}

std::string says(const Params& params) {
  const auto& direction = params.get<std::string>("direction");
  const std::string who = says_hosts(params, "target");
  if (direction == "in")
    return who + verb(params, "target", " no longer hears", " no longer hear") + " anyone";
  if (direction == "out")
    return who + verb(params, "target", " is", " are") + " no longer heard by anyone";
  return who + verb(params, "target", " is", " are") + " cut off from everyone";
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "isolate",
                 .help = "cut hosts off from everyone else",
                 .kind = FaultClass::network,
                 .params = {param("target", ParamType::hosts, "", "who"),
                            {.name = "direction",
                             .type = ParamType::choice,
                             .unit = "",
                             .fallback = "both",
                             .help = "in: they no longer hear; out: they are no longer heard",
                             .choices = {"both", "in", "out"}}},
                 .ends = true,
                 .touches = "link",
                 .does = "message dropped",
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "6s..20s",
                             .lasts = "500ms..6s",
                             .values = {{"target", "{ pick: [random, leader, minority] }"},
                                        {"direction", "{ pick: [both, in, out] }"}},
                             .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
