// Two halves that meet in one host alone: each half sees its own and the bridge, and no majority
// sees itself whole (Jepsen's "bridge" nemesis).
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

// The hosts but the bridge, in two halves: by a rank of each host's own, so that one host more does
// not shuffle the others.
std::vector<std::vector<Address>> halves(const FaultSite& site) {
  const std::vector<Address>& bridge = site.hosts.at("over");
  std::vector<std::pair<std::uint64_t, Address>> ranked;
  for (const Address host : site.hosts.at("among")) {
    if (std::binary_search(bridge.begin(), bridge.end(), host)) continue;
    DrawKey key = site.key;
    key.what = host.value;
    ranked.emplace_back(draw(key), host);
  }
  std::stable_sort(ranked.begin(), ranked.end());
  std::vector<std::vector<Address>> out(2);
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    out[2 * i < ranked.size() ? 0 : 1].push_back(ranked[i].second);
  }
  return out;
}

Injection inject(FaultSite& site) {
  return cut_links(site, LinkSet::between(halves(site)));
}

std::string says(const Params& params) {
  return says_hosts(params, "among") + " split into halves that meet only in " +
         says_hosts(params, "over");
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "bridge",
                 .help = "split nodes into two halves (by a draw) that both see one bridge",
                 .kind = FaultClass::network,
                 .params = {param("over", ParamType::hosts, "random", "the bridge"),
                            param("among", ParamType::hosts, "nodes", "who is split")},
                 .ends = true,
                 .touches = "link",
                 .does = "message dropped",
                 .inject = inject,
                 .says = says,
                 .nemesis = {.exempt = "no majority sees itself whole while it lasts"}});

}  // namespace
}  // namespace rejoin::sim
