// Cuts one direction between hosts: requests arrive, answers do not, or the other way round.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return cut_links(site, LinkSet::from_to(site.hosts.at("from"), site.hosts.at("to")));
}

std::string says(const Params& params) {
  return says_hosts(params, "from") + " can no longer reach " + says_hosts(params, "to");
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "cut",
     .help = "cut one direction between hosts: their messages are lost, answers are not",
     .kind = FaultClass::network,
     .params = {param("from", ParamType::hosts, "", "whose messages are lost"),
                param("to", ParamType::hosts, "", "whom they no longer reach")},
     .ends = true,
     .touches = "link",
     .does = "message dropped",
     .inject = inject,
     .says = says,
     .nemesis = {.every = "8s..25s",
                 .lasts = "1s..6s",
                 .values = {{"from", "{ pick: [random, leader] }"},
                            {"to", "{ pick: [nodes, random, majority] }"}},
                 .out = "from"}});

}  // namespace
}  // namespace rejoin::sim
