// T0 to T5 with overwrites, deletes and new keys under every mechanism: what each leaves wrong, for
// how long, and at what cost.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "protocols/sync/mechanism.hpp"
#include "protocols/sync/preset.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"
#include "tests/support/golden.hpp"

namespace rejoin::sim {
namespace {

struct Variant {
  std::string text;  // `rejoin-sync, one`
  Schedule schedule;
};

Schedule under(const std::string& sync) {
  const auto scenario =
      load_scenario(REJOIN_SOURCE_DIR "/scenarios/seed/mixed-rejoin-sync.yaml", linked_vocabulary(),
                    {{"sync", sync}, {"versions", "timestamp"}});
  REQUIRE_MESSAGE(scenario.has_value(), sync);
  auto schedule = scenario->materialise(scenario->seed());
  REQUIRE(schedule.has_value());
  schedule->expect = {};
  return *std::move(schedule);
}

// Each mechanism at its defaults, once for each rule by which it chooses its sources; then what is
// composed of several.
std::vector<Variant> variants() {
  std::vector<Variant> out;
  for (const MechanismSpec& spec : Mechanisms::all()) {
    const std::string name(spec.name);
    const Schedule plain = under(name);
    const std::size_t before = out.size();
    for (const ParamSpec& param : spec.params) {
      if (param.name != "source" && param.name != "sources") continue;
      for (const std::string_view choice : param.choices) {
        Variant& variant = out.emplace_back(Variant{name + ", " + std::string(choice), plain});
        variant.schedule.node.sync.mechanisms[0].params.set(param.name, std::string(choice));
      }
    }
    if (out.size() == before) out.push_back({name, plain});
  }
  for (const std::string sum :
       {"hinted-handoff+merkle", "hinted-handoff+read-repair+merkle", "hinted-handoff+rejoin-sync",
        "read-repair+rejoin-sync", "rejoin-sync+merkle"}) {
    out.push_back({sum, under(sum)});
  }
  for (const PresetSpec& preset : Presets::all()) {
    const std::string name(preset.name);
    Variant& variant = out.emplace_back(Variant{"preset " + name, under(name)});
    // Two of 64 partitions every 15 s: a pass takes 8 minutes, and meets one of two others.
    if (name != "riak") continue;
    variant.schedule.limits.settle = 1h;
    variant.schedule.limits.settle_quiet = 20min;
  }
  return out;
}

std::string refusal_of(const Schedule& schedule) {
  for (const auto& each : schedule.node.sync.mechanisms) {
    const MechanismSpec& spec = *Mechanisms::find(each.name);
    if (spec.refuses == nullptr) continue;
    const std::string why = spec.refuses(schedule.node, each.params);
    if (!why.empty()) return why;
  }
  return {};
}

constexpr std::array kSchemes = {VersionScheme::none, VersionScheme::timestamp, VersionScheme::hlc,
                                 VersionScheme::version_vector, VersionScheme::dvv};

std::string row(const std::array<std::string, 6>& cells) {
  constexpr std::array<std::size_t, 5> kWidths = {35, 16, 13, 14, 8};
  std::string out;
  for (std::size_t i = 0; i < kWidths.size(); ++i) {
    out += cells[i];
    out += std::string(kWidths[i] - std::min(kWidths[i] - 1, cells[i].size()), ' ');
  }
  return out + cells.back() + "\n";
}

std::string seconds_text(std::int64_t ns) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%lld.%03llds",
                static_cast<long long>(ns / 1'000'000'000),
                static_cast<long long>(ns / 1'000'000 % 1'000));
  return text.data();
}

std::string line_of(const Variant& variant, VersionScheme scheme, const RunRecord& record) {
  std::set<std::string> broken;
  for (const Violation& violation : record.violations) broken.insert(violation.invariant);
  std::string verdict;
  for (const std::string& name : broken) verdict += (verdict.empty() ? "" : ", ") + name;
  const auto figure = [&record](const char* name) { return record.metrics.at(name).value_or(0); };
  const bool for_ever = figure("stale_keys") + figure("missing_keys") != 0;
  return row({variant.text, std::string(to_name(scheme)),
              for_ever ? "for ever" : seconds_text(figure("stale_ns")),
              std::to_string(figure("repair_bytes")), std::to_string(figure("repair_rounds")),
              verdict.empty() ? "holds" : verdict});
}

}  // namespace

TEST_CASE("what T0 to T5 leaves stale, for how long and at what cost, under every mechanism") {
  std::string table = row({"mechanisms, sources", "versions", "stale for", "repair bytes", "rounds",
                           "broken of what is checked"});
  for (const Variant& variant : variants()) {
    for (const VersionScheme scheme : kSchemes) {
      Schedule one = variant.schedule;
      one.node.store.versions = scheme;
      if (refusal_of(one).empty()) table += line_of(variant, scheme, run(one));
    }
  }
  test::check_golden("strategies.txt", table);
}

}  // namespace rejoin::sim
