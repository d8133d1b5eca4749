// Tears what a crash interrupts: while it lasts, any of the unsynced sectors of a file survive a
// crash of the machine, the last of them with garbage. Without it a prefix of the bytes survives.
#include "sim/faults/disk_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return trouble_disks(site, {.torn_sectors = true});
}

std::string says(const Params& params) {
  return "a crash of " + says_hosts(params, "target") + says_file(params) +
         " tears what is not synced into sectors";
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "torn-write",
                 .help = "let crashes tear what is not synced: any of its sectors survive, the "
                         "last with garbage",
                 .kind = FaultClass::disk,
                 .params = disk_params({}),
                 .ends = true,
                 .needs_disk = true,
                 .does = "write torn",
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "8s..25s",
                             .lasts = "1s..6s",
                             .values = {{"target", "random"}},
                             .out = "target",
                             .restarts = true}});

}  // namespace
}  // namespace rejoin::sim
