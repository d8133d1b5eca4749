// Ends every partition, cut, flap and clog. Loss stays as it was set: it is weather, not a broken
// link.
#include "sim/faults/fault.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return {.touched = site.kernel.network().heal()};
}

std::string says(const Params&) {
  return "the network heals";
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "heal",
                 .help = "end every partition, cut, flap and clog",
                 .kind = FaultClass::network,
                 .params = {},
                 .touches = "link",
                 .inject = inject,
                 .says = says,
                 .nemesis = {.exempt = "it ends faults, and theirs end by themselves"}});

}  // namespace
}  // namespace rejoin::sim
