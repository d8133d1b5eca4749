// Starts the process on a node. One that runs is killed first, as by a power cycle.
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

std::uint64_t inject(Kernel& kernel, const Params& params) {
  const Address host = kernel.address_of(params.get<NodeId>("target"));
  (void)kernel.crash(host);
  return kernel.start(host, {.wipe = params.get<bool>("wipe")}) ? 1 : 0;
}

std::string says(const Params& params) {
  const std::string node = to_name(params.get<NodeId>("target"));
  return node + (params.get<bool>("wipe") ? " restarts on an empty disk" : " restarts");
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "restart",
                 .help = "start a process again, after killing it when it runs",
                 .params = {{.name = "target",
                             .type = ParamType::node,
                             .unit = "",
                             .fallback = "",
                             .help = "the node",
                             .choices = {}},
                            {.name = "wipe",
                             .type = ParamType::flag,
                             .unit = "",
                             .fallback = "false",
                             .help = "its disk is empty",
                             .choices = {}}},
                 .inject = inject,
                 .says = says});

}  // namespace
}  // namespace rejoin::sim
