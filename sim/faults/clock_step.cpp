// Steps the wall clocks of hosts, forward or back, for good: what a time daemon does that has found
// out, or a person.
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const auto by = site.params.get<Duration>("by");
  Injection out;
  for (const Address host : site.hosts.at("target")) {
    out.touched += site.kernel.step_wall_clock(host, by) ? 1U : 0U;
  }
  return out;
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  if (params.get<Duration>("by") != Duration{}) return std::nullopt;
  return ValueProblem("a step goes somewhere: -5s, +250ms", "by");
}

std::string says(const Params& params) {
  return "the wall clock of " + says_hosts(params, "target") + " jumps by " +
         to_text(ParamValue(params.get<Duration>("by")));
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "clock-step",
     .help = "wall clocks jump, for good",
     .kind = FaultClass::clock,
     .params = {{.name = "target",
                 .type = ParamType::hosts,
                 .unit = "",
                 .fallback = "",
                 .help = "who",
                 .choices = {}},
                {.name = "by",
                 .type = ParamType::offset,
                 .unit = "",
                 .fallback = "",
                 .help = "how far; below 0: back",
                 .choices = {}}},
     .problem = problem,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "8s..25s",
                 .values = {{"target", "random"},
                            {"by", "{ pick: [-5s, -500ms, -20ms, +20ms, +500ms, +5s] }"}},
                 .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
