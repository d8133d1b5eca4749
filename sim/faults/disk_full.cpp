// Fills disks up: so many bytes may still be written. A sync that needs more writes what fits and
// fails, a replace fails and leaves the old content. What is removed or replaced is room again.
#include "sim/faults/disk_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return trouble_disks(site, {.free_bytes = site.params.get<Size>("free").bytes});
}

std::string says(const Params& params) {
  const Size free = params.get<Size>("free");
  return "the disk of " + says_hosts(params, "target") + says_file(params) +
         (free.bytes == 0 ? " is full" : " has room for " + to_text(ParamValue(free)));
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "disk-full",
                 .help = "leave disks so much room: what needs more fails",
                 .kind = FaultClass::disk,
                 .params = disk_params({{.name = "free",
                                         .type = ParamType::size,
                                         .unit = "",
                                         .fallback = "0B",
                                         .help = "may still be written",
                                         .choices = {}}}),
                 .ends = true,
                 .needs_disk = true,
                 .claims = {{.thing = "room on disk", .hold = Hold::sets}},
                 .does = "write refused",
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "10s..30s",
                             .lasts = "1s..6s",
                             .values = {{"target", "random"}, {"free", "0B..8KiB"}},
                             .out = "target",
                             .after = NemesisSpec::After::restart}});

}  // namespace
}  // namespace rejoin::sim
