// Lets both clocks of hosts run fast or slow, and with them all their timers: a bad crystal, or a
// virtual machine that is not given its time. Taken back, they run on from where they are.
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const auto rate = site.params.get<Rate>("rate");
  return on_each(site, "target", [rate](Kernel& kernel, Address host) {
    ClockTrouble trouble;
    trouble.monotonic_rate = rate;
    return kernel.trouble_clock(host, trouble);
  });
}

std::optional<std::string> problem(const Params& params, const Schedule&) {
  if (params.get<Rate>("rate") != Rate{}) return std::nullopt;
  return "a clock that runs off has a rate that is not 0: +200ppm, -1%";
}

std::string says(const Params& params) {
  return "time on " + says_hosts(params, "target") + " runs off by " +
         to_text(ParamValue(params.get<Rate>("rate")));
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "clock-rate",
                 .help = "all clocks and timers of hosts run fast or slow",
                 .kind = FaultClass::clock,
                 .params = {{.name = "target",
                             .type = ParamType::hosts,
                             .unit = "",
                             .fallback = "",
                             .help = "who",
                             .choices = {}},
                            {.name = "rate",
                             .type = ParamType::rate,
                             .unit = "",
                             .fallback = "",
                             .help = "how fast (or, below 0, slow) they run",
                             .choices = {}}},
                 .ends = true,
                 .problem = problem,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "8s..25s",
                             .lasts = "1s..8s",
                             .values = {{"target", "{ pick: [random, minority, leader] }"},
                                        {"rate", "{ pick: [-50%, -10%, +10%, +50%] }"}},
                             .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
