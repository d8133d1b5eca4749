// Adds a draw to the delay of each message.
#include "model/distribution.hpp"
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return impair_links(site, {.extra = site.params.get<Delay>("extra").options()});
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  // One without a mean is long enough.
  const auto mean = make_distribution(params.get<Delay>("extra").options())->mean();
  if (!mean || *mean > Duration::zero()) return std::nullopt;
  return ValueProblem(
      "nothing extra leaves the links as they are: it is above 0, such as 50ms..200ms", "extra");
}

std::string says(const Params& params) {
  return "messages take " + says_value(params, "extra") + " longer" + says_links(params);
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "slow-link",
                 .help = "make messages take longer",
                 .kind = FaultClass::network,
                 .params = link_params({param("extra", ParamType::latency, "50ms..200ms",
                                              "added to the delay of each message")}),
                 .ends = true,
                 .touches = "link",
                 .does = "message slowed",
                 .problem = problem,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "5s..15s",
                             .lasts = "1s..8s",
                             .values = {{"extra", "{ pick: [1ms..10ms, 20ms..100ms] }"},
                                        {"from", "{ pick: [all, random] }"}},
                             .bearable = {{"extra", "200ms"}}}});

}  // namespace
}  // namespace rejoin::sim
