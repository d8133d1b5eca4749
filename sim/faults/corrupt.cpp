// Flips one bit of a share of datagrams: UDP's checksum is 16 bits and optional, and memory of
// switches rots. A receiver must find out, or a flipped bit becomes a fact.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return impair_links(site, {.corrupt = site.params.get<Share>("share")});
}

std::string says(const Params& params) {
  return says_value(params, "share") + " of datagrams have a bit flipped" + says_links(params);
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "corrupt",
                 .help = "flip one bit of a share of datagrams",
                 .kind = FaultClass::network,
                 .params = link_params({param("share", ParamType::share, "1%", "of datagrams")}),
                 .ends = true,
                 .touches = "link",
                 .does = "message corrupted",
                 .problem = needs_a_share,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "5s..15s",
                             .lasts = "2s..8s",
                             .values = {{"share", "0.1%..2%"}},
                             .bearable = {{"share", "30%"}}}});

}  // namespace
}  // namespace rejoin::sim
