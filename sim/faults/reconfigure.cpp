// Gives hosts a configuration of their own that says another number of partitions, and restarts
// them with it; who is down is started. The cluster's number takes it back.
#include "model/limits.hpp"
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const auto partitions = static_cast<std::uint32_t>(site.params.get<std::int64_t>("partitions"));
  Injection out;
  for (const Address host : site.hosts.at("target")) {
    (void)site.kernel.crash(host, CrashScope::process);
    out.touched += site.kernel.start(host, {.partitions = partitions}) ? 1U : 0U;
  }
  return out;
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  const auto partitions = params.get<std::int64_t>("partitions");
  if (partitions >= 1 && partitions <= kPartitionsMax) return std::nullopt;
  return ValueProblem("no cluster has " + std::to_string(partitions) +
                          " partitions: there are 1 to " + std::to_string(kPartitionsMax),
                      "partitions");
}

std::string says(const Params& params) {
  const auto partitions = params.get<std::int64_t>("partitions");
  return says_hosts(params, "target") +
         verb(params, "target", " restarts, configured", " restart, configured") + " for " +
         std::to_string(partitions) + (partitions == 1 ? " partition" : " partitions");
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "reconfigure",
     .help = "restart hosts with a configuration that says another number of partitions",
     .kind = FaultClass::host,
     .params = {{.name = "target",
                 .type = ParamType::hosts,
                 .unit = "",
                 .fallback = "",
                 .help = "who",
                 .choices = {}},
                {.name = "partitions",
                 .type = ParamType::integer,
                 .unit = "",
                 .fallback = "",
                 .help = "how many it says from now on; the cluster's number takes it back",
                 .choices = {}}},
     .of_nodes = true,
     .claims = {{.thing = "process", .hold = Hold::renews}},
     .problem = problem,
     .inject = inject,
     .says = says,
     .nemesis = {.exempt = "a node that refuses its cluster stays down until a person corrects it, "
                           "so this would be a crash under another name"}});

}  // namespace
}  // namespace rejoin::sim
