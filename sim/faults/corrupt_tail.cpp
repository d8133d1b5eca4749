// Damages the last bytes of files, once: what a controller leaves that loses power with a write
// under way. Of a host that is up, the end of what it has synced; it reads it when it starts again.
#include "sim/faults/disk_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  Injection out;
  std::uint64_t changed = 0;
  for (const Address host : site.hosts.at("target")) {
    const std::uint64_t bytes = site.kernel.corrupt_tail(
        host, file_of(site.params), site.params.get<Size>("bytes").bytes, site.key.who);
    changed += bytes;
    out.touched += bytes != 0 ? 1U : 0U;
  }
  out.did = [changed] { return changed; };
  return out;
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  if (params.get<Size>("bytes").bytes != 0) return std::nullopt;
  return ValueProblem("a tail of no bytes cannot be corrupted", "bytes");
}

std::string says(const Params& params) {
  return "the last " + to_text(ParamValue(params.get<Size>("bytes"))) + " of files of " +
         says_hosts(params, "target") + says_file(params) + " are corrupted";
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "corrupt-tail",
                 .help = "damage the last durable bytes of files",
                 .kind = FaultClass::disk,
                 .params = disk_params({{.name = "bytes",
                                         .type = ParamType::size,
                                         .unit = "",
                                         .fallback = "16B",
                                         .help = "at the end of each file, all of them changed",
                                         .choices = {}}}),
                 .destroys = true,
                 .needs_disk = true,
                 .does = "byte changed",
                 .problem = problem,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "10s..30s",
                             .values = {{"target", "random"},
                                        {"file", "{ pick: [any, store, raft] }"},
                                        {"bytes", "1B..200B"}},
                             .out = "target",
                             .after = NemesisSpec::After::wipe,
                             .lies = true}});

}  // namespace
}  // namespace rejoin::sim
