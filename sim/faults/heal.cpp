// Ends every partition and cut. Loss stays as it was set: it is weather, not a broken link.
#include "sim/faults/fault.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {
namespace {

std::uint64_t inject(Kernel& kernel, const Params&) {
  return kernel.network().heal();
}

std::string says(const Params&) {
  return "the network heals";
}

[[maybe_unused]] const bool registered = Faults::add({.name = "heal",
                                                      .help = "end every partition and cut",
                                                      .params = {},
                                                      .inject = inject,
                                                      .says = says});

}  // namespace
}  // namespace rejoin::sim
