// Lets both clocks of hosts run fast or slow, and with them all their timers: a bad crystal, or a
// virtual machine that is not given its time. Taken back, they run on from where they are.
#include "sim/faults/clock_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  ClockTrouble trouble;
  trouble.monotonic_rate = site.params.get<Rate>("rate");
  return trouble_clocks(site, trouble);
}

std::string says(const Params& params) {
  return "time on " + says_hosts(params, "target") + " runs off by " +
         to_text(ParamValue(params.get<Rate>("rate")));
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "clock-rate",
     .help = "all clocks and timers of hosts run fast or slow",
     .kind = FaultClass::clock,
     .params = clock_params("rate", ParamType::rate, "how fast (or, below 0, slow) they run"),
     .ends = true,
     .claims = {{.thing = "rate of all clocks", .hold = Hold::sets}},
     .does = "reading wrong",
     .problem = problem_of_rate,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "8s..25s",
                 .lasts = "1s..8s",
                 .values = {{"target", "{ pick: [random, minority, leader] }"},
                            {"rate", "{ pick: [-50%, -10%, +10%, +50%] }"}},
                 .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
