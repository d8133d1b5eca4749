// Disks that lie: a sync, replace or remove answers ok and has left everything in a volatile cache.
// A crash of the machine loses it, unless a sync of that file was honest before.
#include "sim/faults/disk_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return trouble_disks(site, {.lost_syncs = site.params.get<Share>("share")});
}

std::string says(const Params& params) {
  return "the disk of " + says_hosts(params, "target") + says_file(params) + " loses " +
         says_share(params) + "what it says is synced";
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "lost-sync",
     .help = "let disks answer that they have synced when they have not: a crash loses it",
     .kind = FaultClass::disk,
     .params = disk_params({disk_share("100%", "of syncs, replaces and removes")}),
     .ends = true,
     .destroys = true,
     .needs_disk = true,
     .claims = {{.thing = "share of lost syncs", .hold = Hold::sets}},
     .does = "sync that lied",
     .problem = needs_a_share,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "10s..30s",
                 .lasts = "1s..6s",
                 .values = {{"target", "random"},
                            {"file", "{ pick: [any, store, raft] }"},
                            {"share", "{ pick: [10%, 100%] }"}},
                 .out = "target",
                 .after = NemesisSpec::After::wipe,
                 .lies = true}});

}  // namespace
}  // namespace rejoin::sim
