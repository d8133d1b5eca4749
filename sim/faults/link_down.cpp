// Takes a link of the topology down: what crossed it takes the next shortest way, or none.
#include <algorithm>

#include "sim/faults/fault.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {
namespace {

std::optional<ValueProblem> problem(const Params& params, const Schedule& schedule) {
  const auto& name = params.get<std::string>("link");
  std::vector<std::string> known;
  for (const auto& link : schedule.topology.links) known.push_back(link.name);
  if (std::find(known.begin(), known.end(), name) != known.end()) return std::nullopt;
  if (known.empty()) return ValueProblem("the scenario has no `topology` with links", "link");
  std::string out = "there is no link `" + name + "`";
  const std::string near = nearest_name(name, known);
  if (!near.empty()) return ValueProblem(out + ": did you mean `" + near + "`?", "link");
  for (std::size_t i = 0; i < known.size(); ++i) out += (i == 0 ? ", only " : ", ") + known[i];
  return ValueProblem(out, "link");
}

Injection inject(FaultSite& site) {
  const EffectId cut = site.kernel.network().cut_site_link(site.params.get<std::string>("link"));
  if (cut.is_none()) return {};
  return on_links(site, {cut}, 1);
}

std::string says(const Params& params) {
  return "link " + params.get<std::string>("link") + " is down";
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "link-down",
                 .help = "cut a link of the topology: traffic goes round, or nowhere",
                 .kind = FaultClass::network,
                 .params = {{.name = "link",
                             .type = ParamType::text,
                             .unit = "",
                             .fallback = "",
                             .help = "by its name: eu--us, unless it has one of its own",
                             .choices = {}}},
                 .ends = true,
                 .touches = "link",
                 .does = "message dropped or rerouted",
                 .problem = problem,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "5s..20s",
                             .lasts = "500ms..8s",
                             .values = {{"link", "any-link"}},
                             .alone = true}});

}  // namespace
}  // namespace rejoin::sim
