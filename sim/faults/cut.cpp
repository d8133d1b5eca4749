// Cuts one direction between hosts: requests arrive, answers do not, or the other way round.
#include "sim/faults/fault.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const LinkSet links = LinkSet::from_to(site.hosts.at("from"), site.hosts.at("to"));
  Network& network = site.kernel.network();
  return on_links(site, {network.cut(links)}, network.count(links));
}

std::string says(const Params& params) {
  return says_hosts(params, "from") + " can no longer reach " + says_hosts(params, "to");
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "cut",
                 .help = "cut one direction between hosts",
                 .kind = FaultClass::network,
                 .params = {{.name = "from",
                             .type = ParamType::hosts,
                             .unit = "",
                             .fallback = "",
                             .help = "whose messages are lost",
                             .choices = {}},
                            {.name = "to",
                             .type = ParamType::hosts,
                             .unit = "",
                             .fallback = "",
                             .help = "whom they no longer reach",
                             .choices = {}}},
                 .ends = true,
                 .inject = inject,
                 .says = says});

}  // namespace
}  // namespace rejoin::sim
