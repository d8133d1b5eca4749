// Makes disks slow: every latency and transfer takes a factor longer, and a draw more.
#include "sim/faults/disk_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return trouble_disks(
      site, {.slower = static_cast<std::uint32_t>(site.params.get<std::int64_t>("factor")),
             .extra = site.params.get<DurationRange>("extra")});
}

// The factor's bound keeps a sync of minutes from overflowing when a few such faults meet.
std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  const auto factor = params.get<std::int64_t>("factor");
  if (factor < 1 || factor > 10'000) {
    return ValueProblem("a disk is slower by a factor of 1 to 10000", "factor");
  }
  if (factor == 1 && params.get<DurationRange>("extra").max == Duration::zero()) {
    return ValueProblem("a factor of 1 and nothing extra leave the disk as it is", "factor");
  }
  return std::nullopt;
}

std::string says(const Params& params) {
  std::string out = "the disk of " + says_hosts(params, "target") + says_file(params);
  const auto factor = params.get<std::int64_t>("factor");
  const DurationRange extra = params.get<DurationRange>("extra");
  if (factor != 1) out += " is " + std::to_string(factor) + " times slower";
  if (extra.max == Duration::zero()) return out;
  return out + (factor != 1 ? ", and" : "") + " takes " + to_text(ParamValue(extra)) + " more";
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "slow-disk",
     .help = "make disks slow: latencies and transfers take a factor longer, and some more",
     .kind = FaultClass::disk,
     .params = disk_params({{.name = "factor",
                             .type = ParamType::integer,
                             .unit = "",
                             .fallback = "10",
                             .help = "of every latency and transfer, 1 to 10000",
                             .choices = {}},
                            {.name = "extra",
                             .type = ParamType::duration_range,
                             .unit = "",
                             .fallback = "0s",
                             .help = "added to every latency",
                             .choices = {}}}),
     .ends = true,
     .needs_disk = true,
     .claims = {{.thing = "speed of the disk", .hold = Hold::sets}},
     .does = "operation slowed",
     .problem = problem,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "6s..20s",
                 .lasts = "1s..8s",
                 .values = {{"target", "{ pick: [random, leader, minority] }"},
                            {"factor", "2..100"},
                            {"extra", "{ pick: [0s, 1ms..20ms] }"}},
                 .bearable = {{"factor", "100"}, {"extra", "200ms"}}}});

}  // namespace
}  // namespace rejoin::sim
