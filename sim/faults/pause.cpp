// Stops hosts from handling anything, as a long garbage collection or a suspended machine does.
// Their clocks go on; what comes meanwhile is handled when it ends, in order, and timers fire late.
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return on_each(site, "target", [](Kernel& kernel, Address host) {
    return kernel.is_up(host) ? kernel.pause(host) : EffectId{};
  });
}

std::string says(const Params& params) {
  return says_hosts(params, "target") + verb(params, "target", " stands still", " stand still");
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "pause",
                 .help = "hosts handle nothing, and what comes meanwhile waits",
                 .kind = FaultClass::host,
                 .params = {{.name = "target",
                             .type = ParamType::hosts,
                             .unit = "",
                             .fallback = "",
                             .help = "who",
                             .choices = {}}},
                 .ends = true,
                 .claims = {{.thing = "process", .hold = Hold::stills}},
                 .does = "event held",
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "6s..20s",
                             .lasts = "200ms..6s",
                             .values = {{"target", "{ pick: [random, minority, leader] }"}},
                             .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
