// Holds a share of datagrams back, so that later ones overtake them.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return impair_links(site, {.reorder = site.params.get<Share>("share"),
                             .reorder_by = site.params.get<DurationRange>("by")});
}

std::string says(const Params& params) {
  return says_value(params, "share") + " of datagrams come " + says_value(params, "by") +
         " late, out of order" + says_links(params);
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "reorder",
                 .help = "hold a share of datagrams back, so that later ones overtake them",
                 .kind = FaultClass::network,
                 .params = link_params({param("share", ParamType::share, "10%", "of datagrams"),
                                        param("by", ParamType::duration_range, "1ms..10ms",
                                              "how long they are held back")}),
                 .ends = true,
                 .touches = "link",
                 .does = "message held back",
                 .problem = needs_a_share,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "5s..15s",
                             .lasts = "2s..8s",
                             .values = {{"share", "1%..30%"}},
                             .bearable = {{"by", "200ms"}}}});

}  // namespace
}  // namespace rejoin::sim
