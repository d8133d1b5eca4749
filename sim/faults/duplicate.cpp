// Delivers a share of datagrams twice, the second copy after a delay of its own: RFC 768 promises
// neither once nor in order.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return impair_links(site, {.duplicate = site.params.get<Share>("share")});
}

std::string says(const Params& params) {
  return says_value(params, "share") + " of datagrams arrive twice" + says_links(params);
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "duplicate",
     .help = "deliver a share of datagrams twice",
     .kind = FaultClass::network,
     .params = link_params({param("share", ParamType::share, "5%", "of datagrams")}),
     .ends = true,
     .touches = "link",
     .does = "message duplicated",
     .problem = needs_a_share,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "5s..15s", .lasts = "2s..8s", .values = {{"share", "1%..30%"}}}});

}  // namespace
}  // namespace rejoin::sim
