// Flips bits: of what disks hold, once; and, while it lasts, one bit of a share of the answers to
// reads, on the way up from a disk that is as it was.
#include <algorithm>

#include "sim/faults/disk_fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const auto bits = static_cast<std::uint32_t>(site.params.get<std::int64_t>("bits"));
  const Share reads = site.params.get<Share>("reads");
  Injection out;
  if (reads.ppm != 0) out = trouble_disks(site, {.read_rot = reads});
  std::uint64_t rotten = 0;
  std::uint64_t hosts = 0;
  for (const Address host : site.hosts.at("target")) {
    const std::uint64_t bytes =
        site.kernel.rot_disk(host, file_of(site.params), bits, site.key.who);
    rotten += bytes;
    hosts += bytes != 0 ? 1U : 0U;
  }
  out.touched = std::max(out.touched, hosts);
  out.did = [rotten] { return rotten; };
  return out;
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  const auto bits = params.get<std::int64_t>("bits");
  if (bits > 1'000'000) return ValueProblem("at most 1000000 bits rot at once", "bits");
  if (bits == 0 && params.get<Share>("reads").ppm == 0) {
    return ValueProblem("no bits and no share of reads: nothing would rot", "bits");
  }
  return std::nullopt;
}

std::string says(const Params& params) {
  const auto bits = params.get<std::int64_t>("bits");
  const Share reads = params.get<Share>("reads");
  std::string out;
  if (bits != 0) out = std::to_string(bits) + (bits == 1 ? " bit rots" : " bits rot");
  if (bits != 0 && reads.ppm != 0) out += ", and ";
  if (reads.ppm != 0) out += to_text(ParamValue(reads)) + " of reads have a bit flipped";
  return out + " on the disk of " + says_hosts(params, "target") + says_file(params);
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "bit-rot",
     .help = "flip bits of what disks hold, or of what they answer to reads",
     .kind = FaultClass::disk,
     .params = disk_params({{.name = "bits",
                             .type = ParamType::integer,
                             .unit = "",
                             .fallback = "8",
                             .help = "of what is durable, at once, on each disk",
                             .choices = {}},
                            {.name = "reads",
                             .type = ParamType::share,
                             .unit = "",
                             .fallback = "0%",
                             .help = "of reads, answered with one bit flipped",
                             .choices = {}}}),
     .ends = true,
     .destroys = true,
     .needs_disk = true,
     .claims =
         {{.thing = "share of reads that rot", .hold = Hold::sets, .unless = "reads", .is = "0%"}},
     .does = "corruption",
     .problem = problem,
     .inject = inject,
     .says = says,
     .nemesis = {.every = "10s..30s",
                 .lasts = "1s..6s",
                 .values = {{"target", "random"},
                            {"file", "{ pick: [any, store, raft] }"},
                            {"bits", "1..64"}},
                 .out = "target",
                 .after = NemesisSpec::After::wipe,
                 .lies = true}});

}  // namespace
}  // namespace rejoin::sim
