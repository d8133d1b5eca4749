// Datagrams above a size vanish, and no one is told: a black hole, as where ICMP is filtered
// (RFC 2923, section 2.1). Small messages pass, so all seems well.
#include "sim/faults/link_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return impair_links(site, {.mtu_bytes = site.params.get<Size>("bytes").bytes});
}

std::optional<ValueProblem> problem(const Params& params, const Schedule& schedule) {
  const std::uint64_t usual = schedule.network.mtu_bytes;
  const std::uint64_t bytes = params.get<Size>("bytes").bytes;
  if (bytes == 0) {
    return ValueProblem("the largest datagram that passes has a size above 0, such as 1500B",
                        "bytes");
  }
  if (usual == 0 || bytes < usual) return std::nullopt;
  return ValueProblem("the network lets datagrams of " + std::to_string(usual) +
                          " bytes pass (network.mtu): a limit is below that",
                      "bytes");
}

std::string says(const Params& params) {
  return "datagrams above " + says_value(params, "bytes") + " vanish" + says_links(params);
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "mtu",
                 .help = "drop datagrams above a size, silently",
                 .kind = FaultClass::network,
                 .params = link_params(
                     {param("bytes", ParamType::size, "512B", "the largest datagram that passes")}),
                 .ends = true,
                 .touches = "link",
                 .does = "message dropped",
                 .problem = problem,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "6s..20s",
                             .lasts = "1s..8s",
                             .values = {{"from", "{ pick: [random, leader] }"}},
                             .out = "from"}});

}  // namespace
}  // namespace rejoin::sim
