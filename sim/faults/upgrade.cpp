// Puts other software on hosts, one after the other: each is restarted with the new version, which
// reads and speaks a newer wire format than the old one does (model/message.hpp). A version of 1
// takes it back. Hosts that have the version are left alone.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

struct Rollout {
  Kernel& kernel;
  Agenda& agenda;
  std::vector<Address> left;  // last first
  std::uint32_t version = 0;
  Duration every{};
  std::uint64_t upgraded = 0;
};

void next(const std::shared_ptr<Rollout>& rollout) {
  if (rollout->left.empty()) return;
  const Address host = rollout->left.back();
  rollout->left.pop_back();
  (void)rollout->kernel.crash(host, CrashScope::process);
  rollout->upgraded += rollout->kernel.start(host, {.version = rollout->version}) ? 1U : 0U;
  rollout->agenda.after(rollout->every, [rollout] { next(rollout); });
}

Injection inject(FaultSite& site) {
  const auto version = static_cast<std::uint32_t>(site.params.get<std::int64_t>("version"));
  std::vector<Address> hosts = site.hosts.at("target");
  // Who has it already is left alone.
  std::erase_if(hosts, [&](Address host) { return site.kernel.version_of(host) == version; });
  const auto rollout =
      std::make_shared<Rollout>(Rollout{.kernel = site.kernel,
                                        .agenda = site.agenda,
                                        .left = {hosts.rbegin(), hosts.rend()},
                                        .version = version,
                                        .every = site.params.get<Duration>("every")});
  next(rollout);
  return {.touched = hosts.size(), .did = [rollout] { return rollout->upgraded; }};
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  const auto version = params.get<std::int64_t>("version");
  if (version >= kFirstFormat && version <= kNewestFormat) return std::nullopt;
  return ValueProblem("there is no software of version " + std::to_string(version) +
                          ": versions are " + std::to_string(kFirstFormat) + " to " +
                          std::to_string(kNewestFormat),
                      "version");
}

std::string says(const Params& params) {
  return says_hosts(params, "target") + verb(params, "target", " restarts", " restart") +
         " with version " + std::to_string(params.get<std::int64_t>("version")) +
         verb(params, "target", "", ", one after the other");
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "upgrade",
                 .help = "restart hosts, one after the other, with software of another version",
                 .kind = FaultClass::host,
                 .params = {{.name = "target",
                             .type = ParamType::hosts,
                             .unit = "",
                             .fallback = "nodes",
                             .help = "who, in order of address",
                             .choices = {}},
                            {.name = "version",
                             .type = ParamType::integer,
                             .unit = "",
                             .fallback = "2",
                             .help = "1 speaks the first wire format, 2 the second where its peer "
                                     "reads it",
                             .choices = {}},
                            {.name = "every",
                             .type = ParamType::duration,
                             .unit = "",
                             .fallback = "10s",
                             .help = "from one host to the next",
                             .choices = {}}},
                 .of_nodes = true,
                 .claims = {{.thing = "process", .hold = Hold::renews}},
                 .does = "host upgraded",
                 .problem = problem,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "15s..40s",
                             .values = {{"target", "random"}, {"version", "{ pick: [1, 2] }"}},
                             .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
