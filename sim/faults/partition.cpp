// Splits hosts into groups that cannot reach each other. A host in no group reaches all. What is
// under way across the split is lost.
#include "sim/faults/fault.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const LinkSet links = LinkSet::between(site.sets.at("groups"));
  Network& network = site.kernel.network();
  return on_links(site, {network.cut(links)}, network.count(links));
}

std::string says(const Params& params) {
  std::string text = "the network splits into";
  const auto& sets = params.get<std::vector<Selectors>>("groups");
  for (std::size_t i = 0; i < sets.size(); ++i) {
    text += i == 0 ? " {" : " | {";
    for (std::size_t j = 0; j < sets[i].size(); ++j) {
      if (j != 0) text += ", ";
      text += to_text(sets[i][j]);
    }
    text += '}';
  }
  return text;
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "partition",
                 .help = "split hosts into groups that cannot reach each other",
                 .kind = FaultClass::network,
                 .params = {{.name = "groups",
                             .type = ParamType::host_sets,
                             .unit = "",
                             .fallback = "",
                             .help = "disjoint sets; hosts in none reach everyone",
                             .choices = {}}},
                 .ends = true,
                 .inject = inject,
                 .says = says});

}  // namespace
}  // namespace rejoin::sim
