// Narrows links: what is sent waits behind what was sent before, and a datagram that finds the
// queue full is dropped.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  Impairment narrow{.bandwidth_bytes_per_s = site.params.get<Size>("rate").bytes};
  if (const std::uint64_t queue = site.params.get<Size>("queue").bytes; queue != 0) {
    narrow.queue_bytes = queue;
  }
  return impair_links(site, narrow);
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  if (params.get<Size>("rate").bytes != 0) return std::nullopt;
  return ValueProblem(
      "a link of no bandwidth is a cut one (`cut`): the rate is above 0, such as 64KiB", "rate");
}

std::string says(const Params& params) {
  return "links carry " + says_value(params, "rate") + " a second" + says_links(params);
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "bandwidth",
     .help = "narrow links: messages queue behind each other",
     .kind = FaultClass::network,
     .params =
         link_params({param("rate", ParamType::size, "64KiB", "that each link carries in a second"),
                      param("queue", ParamType::size, "0B",
                            "what may wait for a link; more is dropped. 0B: as it is")}),
     .ends = true,
     .touches = "link",
     .does = "message slowed",
     .problem = problem,
     .inject = inject,
     .says = says,
     .nemesis = {
         .every = "6s..20s",
         .lasts = "1s..8s",
         .values = {{"rate", "{ pick: [64KiB, 256KiB] }"}, {"from", "{ pick: [random, leader] }"}},
         .out = "from"}});

}  // namespace
}  // namespace rejoin::sim
