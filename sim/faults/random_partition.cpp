// Cuts each link or not, by a draw of its own: with a larger share the same links are cut, and
// more.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const std::vector<Address>& hosts = site.hosts.at("among");
  const Share share = site.params.get<Share>("share");
  const bool symmetric = site.params.get<bool>("symmetric");
  std::vector<std::pair<Address, Address>> links;
  for (const Address from : hosts) {
    for (const Address to : hosts) {
      if (from == to) continue;
      const bool swapped = symmetric && to < from;
      DrawKey key = site.key;
      key.what = mix((swapped ? to : from).value, (swapped ? from : to).value);
      if (chance(draw(key), share)) links.emplace_back(from, to);
    }
  }
  return cut_links(site, LinkSet::pairs(std::move(links)));
}

std::string says(const Params& params) {
  return says_value(params, "share") + " of the links between " + says_hosts(params, "among") +
         (params.get<bool>("symmetric") ? " are cut" : " are cut, each direction by itself");
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "random-partition",
                 .help = "cut each link between hosts with a probability",
                 .kind = FaultClass::network,
                 .params = {param("share", ParamType::share, "30%", "of links"),
                            param("symmetric", ParamType::flag, "true",
                                  "both directions of a link together; false: each by itself"),
                            param("among", ParamType::hosts, "nodes", "between whom")},
                 .ends = true,
                 .touches = "link",
                 .does = "message dropped",
                 .problem = needs_a_share,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.exempt = "whom it cuts off is known only by its draw"}});

}  // namespace
}  // namespace rejoin::sim
