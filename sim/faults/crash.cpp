// Kills the process on a node. What its disk had not synced is lost, all but a torn tail.
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

std::uint64_t inject(Kernel& kernel, const Params& params) {
  return kernel.crash(kernel.address_of(params.get<NodeId>("target"))) ? 1 : 0;
}

std::string says(const Params& params) {
  return to_name(params.get<NodeId>("target")) + " crashes";
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "crash",
                 .help = "kill a process; what it had not synced is lost",
                 .params = {{.name = "target",
                             .type = ParamType::node,
                             .unit = "",
                             .fallback = "",
                             .help = "the node",
                             .choices = {}}},
                 .inject = inject,
                 .says = says});

}  // namespace
}  // namespace rejoin::sim
