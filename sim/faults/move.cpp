// Gives nodes another address: each is killed, keeps its machine and disk, and starts again where
// nobody expects it.
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  Injection out;
  for (const Address host : site.hosts.at("target")) {
    out.touched += site.kernel.move(host, site.key.who).is_none() ? 0U : 1U;
  }
  return out;
}

std::string says(const Params& params) {
  return says_hosts(params, "target") +
         verb(params, "target", " moves to another address", " move to other addresses");
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "move",
     .help = "restart nodes at another address, with their disks",
     .kind = FaultClass::host,
     .params = {{.name = "target",
                 .type = ParamType::hosts,
                 .unit = "",
                 .fallback = "",
                 .help = "who",
                 .choices = {}}},
     .of_nodes = true,
     .claims = {{.thing = "process", .hold = Hold::renews}},
     .inject = inject,
     .says = says,
     .nemesis = {.every = "15s..40s", .values = {{"target", "random"}}, .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
