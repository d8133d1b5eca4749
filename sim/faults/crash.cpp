// Kills what runs on hosts: the machine, with what its disk had not synced (all but a torn tail),
// or the process alone, whose appended bytes the machine still writes. Given a duration, it is
// started again after that.
#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

Injection inject(FaultSite& site) {
  const bool alone = site.params.get<std::string>("of") == "process";
  Injection out;
  std::vector<Address> crashed;
  for (const Address host : site.hosts.at("target")) {
    if (site.kernel.crash(host, alone ? CrashScope::process : CrashScope::machine)) {
      crashed.push_back(host);
    }
  }
  out.touched = crashed.size();
  out.end = [&kernel = site.kernel, crashed] {
    for (const Address host : crashed) (void)kernel.start(host);
  };
  return out;
}

std::string says(const Params& params) {
  const bool alone = params.get<std::string>("of") == "process";
  return (alone ? "the process on " : "") + says_hosts(params, "target") +
         (alone ? " crashes" : verb(params, "target", " crashes", " crash"));
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "crash",
                 .help = "kill a machine (what it had not synced is lost) or its process alone",
                 .kind = FaultClass::host,
                 .params = {{.name = "target",
                             .type = ParamType::hosts,
                             .unit = "",
                             .fallback = "",
                             .help = "who",
                             .choices = {}},
                            {.name = "of",
                             .type = ParamType::choice,
                             .unit = "",
                             .fallback = "machine",
                             .help = "what dies: a process leaves its page cache behind",
                             .choices = {"machine", "process"}}},
                 .ends = true,
                 .stays = true,
                 .of_nodes = true,
                 .claims = {{.thing = "process", .hold = Hold::kills}},
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "6s..20s",
                             .lasts = "500ms..8s",
                             .values = {{"target", "{ pick: [random, minority, leader] }"},
                                        {"of", "{ pick: [machine, process] }"}},
                             .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
