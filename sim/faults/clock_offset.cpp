// Sets the wall clocks of hosts fast or slow by a constant, as before the first synchronisation.
// Taken back, they jump to where they would have been.
#include "sim/faults/clock_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  ClockTrouble trouble;
  trouble.wall_offset = site.params.get<Duration>("by");
  return trouble_clocks(site, trouble);
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  if (params.get<Duration>("by") != Duration{}) return std::nullopt;
  return ValueProblem("a clock that is off is off by something: -5s, +250ms", "by");
}

std::string says(const Params& params) {
  return "the wall clock of " + says_hosts(params, "target") + " is off by " +
         to_text(ParamValue(params.get<Duration>("by")));
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "clock-offset",
     .help = "wall clocks are ahead or behind",
     .kind = FaultClass::clock,
     .params = clock_params("by", ParamType::offset, "how far ahead (or, below 0, behind) it is"),
     .ends = true,
     .claims = {{.thing = "offset of the wall clock", .hold = Hold::sets}},
     .does = "reading wrong",
     .problem = problem,
     .inject = inject,
     .says = says,
     .nemesis = {
         .every = "8s..25s",
         .lasts = "1s..8s",
         .values = {{"target", "random"}, {"by", "{ pick: [-10s, -1s, -50ms, +50ms, +1s, +10s] }"}},
         .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
