// Holds what is sent and releases all of it at once when it ends: messages are late, and come in a
// crowd, but none is lost.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const LinkSet links = links_of(site);
  return on_links(site, links, [&](Network& network) { return network.clog(links); });
}

std::string says(const Params& params) {
  return "messages are held back" + says_links(params);
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "clog",
                 .help = "hold messages back, and release them all at once when it ends",
                 .kind = FaultClass::network,
                 .params = link_params({}),
                 .ends = true,
                 .touches = "link",
                 .does = "message held",
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "5s..15s",
                             .lasts = "100ms..3s",
                             .values = {{"from", "{ pick: [random, leader] }"},
                                        {"one_way", "{ pick: [true, false] }"}},
                             .out = "from"}});

}  // namespace
}  // namespace rejoin::sim
