// Fails a whole site: its power (every host in it crashes, and starts again when it is over) or its
// network (nothing goes in or out; hosts within it still reach one another).
#include <algorithm>

#include "sim/faults/fault.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {
namespace {

std::optional<ValueProblem> problem(const Params& params, const Schedule& schedule) {
  const auto& name = params.get<std::string>("site");
  std::vector<std::string> known;
  for (const auto& site : schedule.topology.sites) known.push_back(site.name);
  if (known.empty()) return ValueProblem("the scenario has no `topology`", "site");
  if (std::find(known.begin(), known.end(), name) != known.end()) return std::nullopt;
  std::string out = "there is no site `" + name + "`";
  const std::string near = nearest_name(name, known);
  if (!near.empty()) return ValueProblem(out + ": did you mean `" + near + "`?", "site");
  for (std::size_t i = 0; i < known.size(); ++i) out += (i == 0 ? ", only " : ", ") + known[i];
  return ValueProblem(out, "site");
}

Injection crash(Kernel& kernel, const std::vector<Address>& hosts) {
  std::vector<Address> crashed;
  for (const Address host : hosts) {
    // A client that died would forget what it was asked to do: those of a dead site go on.
    if (!kernel.is_diskless(host) && kernel.crash(host)) crashed.push_back(host);
  }
  const std::uint64_t touched = crashed.size();
  return {.touched = touched, .end = [&kernel, crashed] {
            for (const Address host : crashed) (void)kernel.start(host);
          }};
}

Injection inject(FaultSite& site) {
  const auto& name = site.params.get<std::string>("site");
  const std::vector<Address> hosts = site.kernel.network().hosts_of_site(name);
  if (hosts.empty()) return {};
  if (site.params.get<std::string>("mode") == "crash") return crash(site.kernel, hosts);
  return on_links(site, {site.kernel.network().cut_site(name)}, hosts.size());
}

std::string says(const Params& params) {
  const bool crashes = params.get<std::string>("mode") == "crash";
  return "site " + params.get<std::string>("site") + (crashes ? " crashes" : " is cut off");
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "site-down",
     .help = "fail a whole site of the topology: its hosts crash, or it is cut off",
     .kind = FaultClass::host,
     .params = {{.name = "site",
                 .type = ParamType::text,
                 .unit = "",
                 .fallback = "",
                 .help = "by its name; with all that it holds",
                 .choices = {}},
                {.name = "mode",
                 .type = ParamType::choice,
                 .unit = "",
                 .fallback = "crash",
                 .help = "crash: every host; isolate: nothing goes in or out",
                 .choices = {"crash", "isolate"}}},
     .ends = true,
     .claims = {{.thing = "process",
                 .hold = Hold::kills,
                 .of = "site",
                 .unless = "mode",
                 .is = "isolate"}},
     .does = "message dropped or rerouted",
     .problem = problem,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "10s..30s",
                 .lasts = "500ms..8s",
                 .values = {{"site", "any-site"}, {"mode", "{ pick: [crash, isolate] }"}},
                 .alone = true}});

}  // namespace
}  // namespace rejoin::sim
