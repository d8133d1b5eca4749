// Freezes the wall clocks of hosts. Taken back, they go on from where they stood.
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return on_each(site, "target", [](Kernel& kernel, Address host) {
    ClockTrouble trouble;
    trouble.wall_frozen = true;
    return kernel.trouble_clock(host, trouble);
  });
}

std::string says(const Params& params) {
  return "the wall clock of " + says_hosts(params, "target") + " stands still";
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "clock-freeze",
                 .help = "wall clocks stand still",
                 .kind = FaultClass::clock,
                 .params = {{.name = "target",
                             .type = ParamType::hosts,
                             .unit = "",
                             .fallback = "",
                             .help = "who",
                             .choices = {}}},
                 .ends = true,
                 .claims = {{.thing = "wall clock", .hold = Hold::sets}},
                 .does = "reading wrong",
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "8s..25s",
                             .lasts = "1s..8s",
                             .values = {{"target", "random"}},
                             .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
