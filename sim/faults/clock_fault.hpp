// What the faults of clocks have in common: whose clocks, by how much, and that they are troubles
// of those (ClockTrouble in sim/kernel/kernel.hpp says what each does).
#pragma once

#include <vector>

#include "sim/faults/fault.hpp"

namespace rejoin::sim {

// target and the clock's error.
[[nodiscard]] inline std::vector<ParamSpec> clock_params(std::string_view error, ParamType type,
                                                         std::string_view help) {
  return {{.name = "target",
           .type = ParamType::hosts,
           .unit = "",
           .fallback = "",
           .help = "who",
           .choices = {}},
          {.name = error, .type = type, .unit = "", .fallback = "", .help = help, .choices = {}}};
}

// The trouble on each target.
[[nodiscard]] inline Injection trouble_clocks(FaultSite& site, const ClockTrouble& trouble) {
  return on_each(site, "target", [&trouble](Kernel& kernel, Address host) {
    return kernel.trouble_clock(host, trouble);
  });
}

// A rate of 0 is no fault.
[[nodiscard]] inline std::optional<ValueProblem> problem_of_rate(const Params& params,
                                                                 const Schedule&) {
  if (params.get<Rate>("rate") != Rate{}) return std::nullopt;
  return ValueProblem("a clock that runs off has a rate that is not 0: +200ppm, -1%", "rate");
}

}  // namespace rejoin::sim
