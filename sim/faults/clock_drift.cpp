// Lets the wall clocks of hosts run fast or slow; timers do not notice. Taken back, they run on
// from where they have drifted to.
#include "sim/faults/clock_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  ClockTrouble trouble;
  trouble.wall_rate = site.params.get<Rate>("rate");
  return trouble_clocks(site, trouble);
}

std::string says(const Params& params) {
  return "the wall clock of " + says_hosts(params, "target") + " drifts by " +
         to_text(ParamValue(params.get<Rate>("rate")));
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "clock-drift",
     .help = "wall clocks run fast or slow",
     .kind = FaultClass::clock,
     .params = clock_params("rate", ParamType::rate, "how fast (or, below 0, slow) it runs"),
     .ends = true,
     .claims = {{.thing = "wall clock", .hold = Hold::sets}},
     .does = "reading wrong",
     .problem = problem_of_rate,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "8s..25s",
                 .lasts = "1s..8s",
                 .values = {{"target", "random"}, {"rate", "{ pick: [-10%, -1%, +1%, +10%] }"}},
                 .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
