// Cuts one direction of one link: requests arrive, answers do not, or the other way round.
#include "sim/faults/fault.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {
namespace {

std::uint64_t inject(Kernel& kernel, const Params& params) {
  const Address from = kernel.address_of(params.get<NodeId>("from"));
  const Address to = kernel.address_of(params.get<NodeId>("to"));
  if (from.is_none() || to.is_none()) return 0;
  return kernel.network().cut(from, to) ? 1 : 0;
}

std::string says(const Params& params) {
  return to_name(params.get<NodeId>("from")) + " can no longer reach " +
         to_name(params.get<NodeId>("to"));
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "cut",
                 .help = "cut one direction between two nodes",
                 .params = {{.name = "from",
                             .type = ParamType::node,
                             .unit = "",
                             .fallback = "",
                             .help = "whose messages are lost",
                             .choices = {}},
                            {.name = "to",
                             .type = ParamType::node,
                             .unit = "",
                             .fallback = "",
                             .help = "whom they no longer reach",
                             .choices = {}}},
                 .inject = inject,
                 .says = says});

}  // namespace
}  // namespace rejoin::sim
