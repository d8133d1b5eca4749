// Starts hosts. One that runs is killed first, as by a power cycle.
#include <array>
#include <utility>

#include "sim/faults/fault.hpp"

namespace rejoin::sim {
namespace {

constexpr std::array<std::pair<std::string_view, Wipe>, 5> kWipes = {
    {{"false", Wipe::none},
     {"true", Wipe::all},
     {"consensus", Wipe::consensus},
     {"data", Wipe::data},
     {"half", Wipe::half}}};

Wipe wipe_of(const Params& params) {
  for (const auto& [name, wipe] : kWipes) {
    if (name == params.get<std::string>("wipe")) return wipe;
  }
  return Wipe::none;
}

Injection inject(FaultSite& site) {
  Injection out;
  const bool if_down = site.params.get<bool>("if_down");
  for (const Address host : site.hosts.at("target")) {
    if (if_down && site.kernel.is_up(host)) continue;
    (void)site.kernel.crash(host);
    out.touched +=
        site.kernel.start(host, {.wipe = wipe_of(site.params), .key = site.key.who}) ? 1U : 0U;
  }
  return out;
}

std::string says(const Params& params) {
  const std::string what = says_hosts(params, "target") +
                           verb(params, "target", " restarts", " restart") +
                           (params.get<bool>("if_down")
                                ? verb(params, "target", ", if it is down,", ", if they are down,")
                                : "");
  switch (wipe_of(params)) {
    case Wipe::none:
      return what;
    case Wipe::all:
      return what + " on an empty disk";
    case Wipe::consensus:
      return what + " without its identity and log";
    case Wipe::data:
      return what + " without its data";
    case Wipe::half:
      return what + " on half of its files";
  }
  return what;
}

[[maybe_unused]] const bool registered = Faults::add(
    {.name = "restart",
     .help = "start a process again, after killing it when it runs",
     .kind = FaultClass::host,
     .params = {{.name = "target",
                 .type = ParamType::hosts,
                 .unit = "",
                 .fallback = "",
                 .help = "who",
                 .choices = {}},
                {.name = "wipe",
                 .type = ParamType::choice,
                 .unit = "",
                 .fallback = "false",
                 .help = "its disk is empty, or without some of its files",
                 .choices = {"false", "true", "consensus", "data", "half"}},
                {.name = "if_down",
                 .type = ParamType::flag,
                 .unit = "",
                 .fallback = "false",
                 .help = "who runs is left alone",
                 .choices = {}}},
     .of_nodes = true,
     .claims = {{.thing = "process", .hold = Hold::renews}},
     .inject = inject,
     .says = says,
     .nemesis = {.every = "8s..25s",
                 .values = {{"target", "random"},
                            {"wipe", "{ pick: [false, true, consensus, data, half] }"}},
                 .out = "target",
                 .after = NemesisSpec::After::replace,
                 .destroys = [](const Params& params) { return wipe_of(params) != Wipe::none; }}});

}  // namespace
}  // namespace rejoin::sim
