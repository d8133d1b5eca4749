#include "tests/scenario/support.hpp"

#include <utility>

namespace rejoin::sim {

ParamSpec param(std::string_view name, ParamType type, std::string_view fallback,
                std::vector<std::string_view> choices) {
  return {.name = name,
          .type = type,
          .unit = "",
          .fallback = fallback,
          .help = "for tests",
          .choices = std::move(choices)};
}

Vocabulary test_vocabulary() {
  Vocabulary out;
  out.faults = {
      {.name = "clock",
       .params = {param("target", ParamType::hosts, ""), param("offset", ParamType::offset, "0s"),
                  param("rate", ParamType::rate, "0")},
       .ends = true,
       .problem = [](const Params& params, const Schedule& schedule) -> std::optional<std::string> {
         if (params.get<Duration>("offset") <= 1h + 0s * schedule.cluster.nodes) return {};
         return "an offset of at most 1h";
       }},
      {.name = "crash", .params = {param("target", ParamType::hosts, "")}, .ends = true},
      {.name = "heal"},
      {.name = "partition", .params = {param("groups", ParamType::host_sets, "")}, .ends = true},
      {.name = "restart",
       .params = {param("target", ParamType::hosts, ""),
                  param("wipe", ParamType::choice, "false", {"false", "true", "consensus"})}},
      {.name = "rot", .params = {param("target", ParamType::hosts, "")}, .needs_disk = true},
  };
  out.mechanisms = {
      {.name = "hook-copy"},
      {.name = "none"},
      {.name = "rejoin-sync",
       .params = {param("source", ParamType::choice, "freshest", {"freshest", "one", "all"}),
                  param("delay", ParamType::duration, "1s")}},
  };
  out.invariants = {{.name = "bounded-staleness",
                     .params = {param("versions", ParamType::integer, "1"),
                                param("time", ParamType::duration, "5s")}},
                    {.name = "no-stale-read"},
                    {.name = "replicas-converge"}};
  out.placements = {{.name = "rendezvous"}};
  out.detectors = {{.name = "heartbeat"}};
  out.conflicts = {{.name = "natural"}};
  out.metrics = {"missing_reads", "repair_bytes"};
  return out;
}

tl::expected<Scenario, Diagnostics> read(const std::string& text,
                                         const std::vector<Override>& overrides) {
  return read_scenario("t.yaml", text, test_vocabulary(), overrides);
}

std::string complaints(const std::string& text, const std::vector<Override>& overrides) {
  const auto scenario = read(text, overrides);
  std::string out;
  if (!scenario) {
    for (const Diagnostic& diagnostic : scenario.error()) out += to_text(diagnostic);
  }
  return out;
}

Schedule schedule_of(const std::string& text, const std::vector<Override>& overrides,
                     std::uint64_t seed) {
  const auto scenario = read(text, overrides);
  if (!scenario) {
    for (const Diagnostic& diagnostic : scenario.error()) MESSAGE(to_text(diagnostic));
  }
  REQUIRE(scenario.has_value());
  const auto schedule = scenario->materialise(seed);
  REQUIRE(schedule.has_value());
  return *schedule;
}

std::string with_timeline(const std::string& text) {
  return "format: 1\n" + text + "\ntimeline: [{ label: T0, write: key-1..key-10 }]\n";
}

std::string with_steps(const std::string& steps) {
  return "format: 1\ntimeline:\n" + steps;
}

}  // namespace rejoin::sim
