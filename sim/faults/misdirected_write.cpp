// Writes in the wrong place: what a sync or replace wrote goes over older bytes of any file of the
// disk, and the place that it was meant for keeps what was there.
#include "sim/faults/disk_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  return trouble_disks(site, {.misdirected_writes = site.params.get<Share>("share")});
}

std::string says(const Params& params) {
  return "the disk of " + says_hosts(params, "target") + says_file(params) + " puts " +
         says_share(params) + "what it writes in a wrong place";
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "misdirected-write",
     .help = "let what disks write go over older bytes, of whatever file",
     .kind = FaultClass::disk,
     .params = disk_params({disk_share("100%", "of the syncs and replaces that write something")}),
     .ends = true,
     .destroys = true,
     .needs_disk = true,
     .claims = {{.thing = "share of misdirected writes", .hold = Hold::sets}},
     .does = "write misdirected",
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
