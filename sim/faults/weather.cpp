// Rough and calm times by link: in each slot of time a link is rough or not, by a draw of (link,
// slot), whatever else happens. Congestion comes in bursts, and independent losses hide that.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const LinkSet links = links_of(site);
  const WeatherOptions weather{.slot = site.params.get<Duration>("slot"),
                               .rough = site.params.get<Share>("share"),
                               .extra = site.params.get<DurationRange>("extra"),
                               .loss = site.params.get<Share>("loss")};
  return on_links(site, links,
                  [&](Network& network) { return network.weather(links, weather, site.key.who); });
}

std::optional<ValueProblem> problem(const Params& params, const Schedule& schedule) {
  if (params.get<Duration>("slot") <= Duration::zero()) {
    return ValueProblem("a slot of weather is above 0, such as 5s", "slot");
  }
  if (params.get<Share>("loss").ppm == 0 &&
      params.get<DurationRange>("extra").max == Duration::zero()) {
    return ValueProblem("rough weather delays (`extra`) or loses (`loss`), or it is calm", "extra");
  }
  return needs_a_share(params, schedule);
}

std::string says(const Params& params) {
  return "links are rough for " + says_value(params, "share") + " of slots of " +
         says_value(params, "slot") + says_links(params);
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "weather",
                 .help = "let each link be rough (slow and lossy) in some slots of time",
                 .kind = FaultClass::network,
                 .params = link_params(
                     {param("share", ParamType::share, "20%", "of slots that are rough"),
                      param("slot", ParamType::duration, "5s", "how long the weather stays"),
                      param("extra", ParamType::duration_range, "10ms..100ms",
                            "added to each message's delay in a rough slot"),
                      param("loss", ParamType::share, "5%", "of datagrams, in a rough slot")}),
                 .ends = true,
                 .touches = "link",
                 .does = "message in rough slots",
                 .problem = problem,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "6s..20s",
                             .lasts = "4s..10s",
                             .values = {{"share", "10%..40%"}, {"slot", "500ms..3s"}},
                             .bearable = {{"extra", "200ms"}, {"loss", "30%"}}}});

}  // namespace
}  // namespace rejoin::sim
