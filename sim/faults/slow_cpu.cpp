// Makes hosts take time for each event: a queue with one server, so that a busy host falls behind.
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

HostOptions load_of(const Params& params) {
  return {.service = params.get<Duration>("service"),
          .bytes_per_s = params.get<Size>("bytes_per_s").bytes};
}

Injection inject(FaultSite& site) {
  const HostOptions load = load_of(site.params);
  return on_each(site, "target",
                 [&load](Kernel& kernel, Address host) { return kernel.slow(host, load); });
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  if (load_of(params) != HostOptions{}) return std::nullopt;
  return ValueProblem(
      "a slow host takes some time: give a service time above 0s, or bytes-per-s above 0B",
      "service");
}

std::string says(const Params& params) {
  return says_hosts(params, "target") + verb(params, "target", " takes ", " take ") +
         to_text(params.get<Duration>("service")) + " for each event";
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "slow-cpu",
                 .help = "hosts take time for each message, timer and completion",
                 .kind = FaultClass::host,
                 .params = {{.name = "target",
                             .type = ParamType::hosts,
                             .unit = "",
                             .fallback = "",
                             .help = "who",
                             .choices = {}},
                            {.name = "service",
                             .type = ParamType::duration,
                             .unit = "",
                             .fallback = "0s",
                             .help = "of each event",
                             .choices = {}},
                            {.name = "bytes_per_s",
                             .type = ParamType::size,
                             .unit = "",
                             .fallback = "0B",
                             .help = "that messages are read at, besides; 0: no matter",
                             .choices = {}}},
                 .ends = true,
                 .does = "event slowed",
                 .problem = problem,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "6s..20s",
                             .lasts = "1s..8s",
                             .values = {{"target", "{ pick: [random, minority, leader] }"},
                                        {"service", "100us..5ms"}},
                             .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
