// Lets operations fail and say so. A sync that failed may have written everything or nothing, and
// nobody may try it again (Rebello et al., "Can Applications Recover from fsync Failures?", 2020).
#include "sim/faults/disk_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const Share share = site.params.get<Share>("share");
  const auto& of = site.params.get<std::string>("of");
  return trouble_disks(site, {.sync_errors = of == "reads" ? Share{} : share,
                              .read_errors = of == "syncs" ? Share{} : share});
}

std::string says(const Params& params) {
  const auto& of = params.get<std::string>("of");
  return says_share(params) + (of == "all" ? "syncs and reads" : of) + " fail on the disk of " +
         says_hosts(params, "target") + says_file(params);
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "io-error",
     .help = "let operations of disks fail; a sync may have happened all the same",
     .kind = FaultClass::disk,
     .params = disk_params({{.name = "of",
                             .type = ParamType::choice,
                             .unit = "",
                             .fallback = "all",
                             .help = "what fails; replaces and removes are syncs",
                             .choices = {"all", "syncs", "reads"}},
                            disk_share("100%", "of these")}),
     .ends = true,
     .needs_disk = true,
     .claims =
         {{.thing = "share of syncs that fail", .hold = Hold::sets, .unless = "of", .is = "reads"},
          {.thing = "share of reads that fail", .hold = Hold::sets, .unless = "of", .is = "syncs"}},
     .does = "operation failed",
     .problem = needs_a_share,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "10s..30s",
                 .lasts = "1s..6s",
                 .values = {{"target", "random"},
                            {"of", "{ pick: [all, syncs, reads] }"},
                            {"share", "{ pick: [1%, 10%, 100%] }"}},
                 .out = "target",
                 .after = NemesisSpec::After::restart,
                 .restarts = true}});

}  // namespace
}  // namespace rejoin::sim
