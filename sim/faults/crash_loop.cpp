// Crashes hosts again and again: each is killed, started after `down`, killed `up` later, and so
// on, until it is taken back; then it stays up.
#include <memory>

#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

// Nothing starts, or is noticed, in less; and a run would be all of crashes.
constexpr Duration kShortest = 1ms;

struct Loop {
  Kernel& kernel;
  Agenda& agenda;
  std::vector<Address> hosts;
  Duration down;
  Duration up;
  CrashScope scope;
  bool over = false;
  std::uint64_t crashes = 0;
};

void kill(const std::shared_ptr<Loop>& loop);

void revive(const std::shared_ptr<Loop>& loop) {
  if (loop->over) return;
  for (const Address host : loop->hosts) (void)loop->kernel.start(host);
  loop->agenda.after(loop->up, [loop] { kill(loop); });
}

void kill(const std::shared_ptr<Loop>& loop) {
  if (loop->over) return;
  for (const Address host : loop->hosts) {
    loop->crashes += loop->kernel.crash(host, loop->scope) ? 1U : 0U;
  }
  loop->agenda.after(loop->down, [loop] { revive(loop); });
}

Injection inject(FaultSite& site) {
  const bool alone = site.params.get<std::string>("of") == "process";
  auto loop =
      std::make_shared<Loop>(Loop{.kernel = site.kernel,
                                  .agenda = site.agenda,
                                  .hosts = {},
                                  .down = site.params.get<Duration>("down"),
                                  .up = site.params.get<Duration>("up"),
                                  .scope = alone ? CrashScope::process : CrashScope::machine});
  // Whoever is down already is not part of it.
  for (const Address host : site.hosts.at("target")) {
    if (site.kernel.is_up(host)) loop->hosts.push_back(host);
  }
  if (loop->hosts.empty()) return {};
  kill(loop);
  return {.touched = loop->hosts.size(),
          .end =
              [loop] {
                loop->over = true;
                for (const Address host : loop->hosts) (void)loop->kernel.start(host);
              },
          .did = [loop] { return loop->crashes; }};
}

std::optional<ValueProblem> problem(const Params& params, const Schedule&) {
  for (const std::string_view name : {"down", "up"}) {
    if (params.get<Duration>(name) >= kShortest) continue;
    return ValueProblem("`" + std::string(name) + "` of a crash loop is at least " +
                            to_text(kShortest) + ", not " + to_text(params.get<Duration>(name)),
                        name);
  }
  return std::nullopt;
}

std::string says(const Params& params) {
  return says_hosts(params, "target") + verb(params, "target", " crashes every ", " crash every ") +
         to_text(params.get<Duration>("down") + params.get<Duration>("up"));
}

[[maybe_unused]] const bool registered =
    Faults::add({.name = "crash-loop",
                 .help = "kill and start hosts again and again",
                 .kind = FaultClass::host,
                 .params = {{.name = "target",
                             .type = ParamType::hosts,
                             .unit = "",
                             .fallback = "",
                             .help = "who",
                             .choices = {}},
                            {.name = "down",
                             .type = ParamType::duration,
                             .unit = "",
                             .fallback = "1s",
                             .help = "between a crash and the next start",
                             .choices = {}},
                            {.name = "up",
                             .type = ParamType::duration,
                             .unit = "",
                             .fallback = "2s",
                             .help = "between a start and the next crash",
                             .choices = {}},
                            {.name = "of",
                             .type = ParamType::choice,
                             .unit = "",
                             .fallback = "machine",
                             .help = "what dies: a process leaves its page cache behind",
                             .choices = {"machine", "process"}}},
                 .ends = true,
                 .of_nodes = true,
                 .claims = {{.thing = "process", .hold = Hold::cycles}},
                 .does = "crash",
                 .problem = problem,
                 .inject = inject,
                 .says = says,
                 .nemesis = {.every = "10s..30s",
                             .lasts = "3s..9s",
                             .values = {{"target", "random"},
                                        {"down", "100ms..1s"},
                                        {"up", "200ms..3s"},
                                        {"of", "{ pick: [machine, process] }"}},
                             .out = "target"}});

}  // namespace
}  // namespace rejoin::sim
