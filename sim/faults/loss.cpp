// Loses a share of datagrams, on top of the network's own, and of segments of streams, which stalls
// them. Which ones is keyed by what they mean: those lost at 10% are lost at 20%, too.
#include "sim/faults/fault.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  Network& network = site.kernel.network();
  const Share share = site.params.get<Share>("share");
  if (share.ppm == 0) return {};
  return on_links(site, {network.impair(LinkSet::all(), {.loss = share})},
                  network.count(LinkSet::all()));
}

std::string says(const Params& params) {
  return to_text(ParamValue(params.get<Share>("share"))) + " of datagrams are lost";
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "loss",
                 .help = "lose a share of all datagrams",
                 .kind = FaultClass::network,
                 .params = {{.name = "share",
                             .type = ParamType::share,
                             .unit = "",
                             .fallback = "",
                             .help = "of datagrams, on every link",
                             .choices = {}}},
                 .ends = true,
                 .inject = inject,
                 .says = says});

}  // namespace
}  // namespace rejoin::sim
