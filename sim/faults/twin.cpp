// Starts a second machine with the id of a node, as a restored backup or a copied configuration
// does: on a copy of the node's disk, or on an empty one. Taken back, the second one dies.
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const bool copy = site.params.get<std::string>("disk") == "copy";
  std::vector<Address> twins;
  for (const Address host : site.hosts.at("target")) {
    const Address twin = site.kernel.twin(host, copy, site.key.who);
    if (!twin.is_none()) twins.push_back(twin);
  }
  return {.touched = twins.size(), .end = [&kernel = site.kernel, twins] {
            for (const Address twin : twins) (void)kernel.crash(twin);
          }};
}

std::string says(const Params& params) {
  const bool copy = params.get<std::string>("disk") == "copy";
  return verb(params, "target", "a second ", "a second one of each of ") +
         says_hosts(params, "target") + " starts on " +
         (copy ? "a copy of its disk" : "an empty disk");
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "twin",
     .help = "start a second process with the id of a node",
     .kind = FaultClass::host,
     .params = {{.name = "target",
                 .type = ParamType::hosts,
                 .unit = "",
                 .fallback = "",
                 .help = "who",
                 .choices = {}},
                {.name = "disk",
                 .type = ParamType::choice,
                 .unit = "",
                 .fallback = "copy",
                 .help = "what the second one finds",
                 .choices = {"copy", "empty"}}},
     .ends = true,
     .of_nodes = true,
     .claims = {{.thing = "process", .hold = Hold::doubles}},
     .inject = inject,
     .says = says,
     .nemesis = {.exempt = "two processes that are one server give its vote twice, and no "
                           "consensus survives that"}});

}  // namespace
}  // namespace rejoin::sim
