// Sets the share of datagrams that are lost, on every link, from now on. Which ones is keyed by
// what they mean: those lost at 10% are lost at 20%, too.
#include "sim/faults/fault.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {
namespace {

std::uint64_t inject(Kernel& kernel, const Params& params) {
  const Share share = params.get<Share>("share");
  return kernel.network().set_loss(share) == share ? 0 : 1;
}

std::string says(const Params& params) {
  return to_text(ParamValue(params.get<Share>("share"))) + " of datagrams are lost";
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "loss",
                 .help = "lose a share of all datagrams",
                 .params = {{.name = "share",
                             .type = ParamType::share,
                             .unit = "",
                             .fallback = "",
                             .help = "of datagrams, on every link; 0% ends it",
                             .choices = {}}},
                 .inject = inject,
                 .says = says});

}  // namespace
}  // namespace rejoin::sim
