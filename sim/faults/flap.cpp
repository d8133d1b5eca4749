// Links that go down and up by the clock, beginning down: what a loose plug or a route that flaps
// does to failure detectors.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const LinkSet links = links_of(site);
  return on_links(site, links, [&](Network& network) {
    return network.flap(links, site.params.get<Duration>("period"), site.params.get<Share>("share"),
                        site.kernel.now());
  });
}

std::optional<ValueProblem> problem(const Params& params, const Schedule& schedule) {
  if (params.get<Duration>("period") <= Duration::zero()) {
    return ValueProblem("the period of a flapping link is above 0, such as 1s", "period");
  }
  return needs_a_share(params, schedule);
}

std::string says(const Params& params) {
  return "links are down for " + says_value(params, "share") + " of every " +
         says_value(params, "period") + says_links(params);
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "flap",
     .help = "let links go down and up, again and again",
     .kind = FaultClass::network,
     .params = link_params(
         {param("period", ParamType::duration, "1s", "from one failure to the next"),
          param("share", ParamType::share, "50%", "of each period that they are down")}),
     .ends = true,
     .touches = "link",
     .does = "message dropped",
     .problem = problem,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "6s..20s",
                 .lasts = "2s..8s",
                 .values = {{"from", "{ pick: [random, leader] }"},
                            {"period", "200ms..2s"},
                            {"share", "20%..60%"}},
                 .out = "from"}});

}  // namespace
}  // namespace rejoin::sim
