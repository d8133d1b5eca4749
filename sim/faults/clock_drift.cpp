// Lets the wall clocks of hosts run fast or slow; timers do not notice. Taken back, they run on
// from where they have drifted to.
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const auto rate = site.params.get<Rate>("rate");
  return on_each(site, "target", [rate](Kernel& kernel, Address host) {
    ClockTrouble trouble;
    trouble.wall_rate = rate;
    return kernel.trouble_clock(host, trouble);
  });
}

std::optional<std::string> problem(const Params& params, const Schedule&) {
  if (params.get<Rate>("rate") != Rate{}) return std::nullopt;
  return "a clock that drifts has a rate that is not 0: +200ppm, -1%";
}

std::string says(const Params& params) {
  return "the wall clock of " + says_hosts(params, "target") + " drifts by " +
         to_text(ParamValue(params.get<Rate>("rate")));
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "clock-drift",
     .help = "wall clocks run fast or slow",
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
                 .help = "how fast (or, below 0, slow) it runs",
                 .choices = {}}},
     .ends = true,
     .claims = "wall-clock",
     .problem = problem,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "8s..25s",
                 .lasts = "1s..8s",
                 .values = {{"target", "random"}, {"rate", "{ pick: [-10%, -1%, +1%, +10%] }"}},
                 .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
