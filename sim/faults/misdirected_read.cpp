// Reads from the wrong place: from some sector on, a read answers with bytes of another file of the
// disk, which is as it was.
#include "sim/faults/disk_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return trouble_disks(site, {.misdirected_reads = site.params.get<Share>("share")});
}

std::string says(const Params& params) {
  return "the disk of " + says_hosts(params, "target") + says_file(params) + " answers " +
         says_share(params) + "reads with bytes of another file";
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "misdirected-read",
     .help = "let disks answer reads with bytes of another file",
     .kind = FaultClass::disk,
     .params = disk_params({disk_share("100%", "of reads")}),
     .ends = true,
     .needs_disk = true,
     .claims = {{.thing = "share of misdirected reads", .hold = Hold::sets}},
     .does = "read misdirected",
     .problem = needs_a_share,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "10s..30s",
                 .lasts = "1s..6s",
                 .values = {{"target", "random"}, {"share", "{ pick: [10%, 50%, 100%] }"}},
                 .out = "target",
                 .after = NemesisSpec::After::restart,
                 .restarts = true}});

}  // namespace
}  // namespace rejoin::sim
