// Loses a share of datagrams, on top of the network's own, and of segments of streams, which stalls
// them. Which ones is keyed by what they mean: those lost at 10% are lost at 20%, too.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return impair_links(site, {.loss = site.params.get<Share>("share")});
}

std::string says(const Params& params) {
  return says_value(params, "share") + " of datagrams are lost" + says_links(params);
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "loss",
                 .help = "lose a share of datagrams; streams stall, and send again",
                 .kind = FaultClass::network,
                 .params = link_params({param("share", ParamType::share, "",
                                              "of datagrams, and of segments of streams")}),
                 .ends = true,
                 .touches = "link",
                 .does = "message lost",
                 .problem = needs_a_share,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "8s..25s",
                             .lasts = "1s..8s",
                             .values = {{"share", "1%..20%"}},
                             .bearable = {{"share", "30%"}}}});

}  // namespace
}  // namespace rejoin::sim
