// T0 to T5 with overwrites, deletes and new keys under every mechanism: what each leaves wrong, for
// how long, and at what cost.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "protocols/sync/mechanism.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"
#include "tests/support/golden.hpp"

namespace rejoin::sim {
namespace {

struct Variant {
  std::string text;  // `rejoin-sync, source one`
  SyncOptions::Mechanism mechanism;
};

// Each mechanism at its defaults, once for each rule by which it chooses its sources.
std::vector<Variant> variants() {
  std::vector<Variant> out;
  for (const MechanismSpec& spec : Mechanisms::all()) {
    const std::string name(spec.name);
    const SyncOptions::Mechanism plain{.name = name, .params = default_params(spec.params)};
    const std::size_t before = out.size();
    for (const ParamSpec& param : spec.params) {
      if (param.name != "source" && param.name != "sources") continue;
      for (const std::string_view choice : param.choices) {
        Variant& variant = out.emplace_back(Variant{name + ", " + std::string(choice), plain});
        variant.mechanism.params.set(param.name, std::string(choice));
      }
    }
    if (out.size() == before) out.push_back({name, plain});
  }
  return out;
}

constexpr std::array kSchemes = {VersionScheme::none, VersionScheme::timestamp, VersionScheme::hlc,
                                 VersionScheme::version_vector, VersionScheme::dvv};

std::string row(const std::array<std::string, 5>& cells) {
  constexpr std::array<std::size_t, 4> kWidths = {24, 16, 13, 13};
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
  const std::optional<std::int64_t> converged = record.metrics.at("converged_after_ns");
  return row({variant.text, std::string(to_name(scheme)),
              converged ? seconds_text(*converged) : "for ever",
              std::to_string(record.metrics.at("repair_bytes").value_or(0)),
              verdict.empty() ? "holds" : verdict});
}

}  // namespace

TEST_CASE("what T0 to T5 leaves stale, for how long and at what cost, under every mechanism") {
  const auto scenario = load_scenario(REJOIN_SOURCE_DIR "/scenarios/seed/mixed-rejoin-sync.yaml",
                                      linked_vocabulary());
  REQUIRE(scenario.has_value());
  const auto schedule = scenario->materialise(scenario->seed());
  REQUIRE(schedule.has_value());
  std::string table = row(
      {"mechanism, sources", "versions", "stale for", "repair bytes", "broken of what is checked"});
  for (const Variant& variant : variants()) {
    const MechanismSpec& spec = *Mechanisms::find(variant.mechanism.name);
    for (const VersionScheme scheme : kSchemes) {
      Schedule one = *schedule;
      one.expect = {};
      one.node.store.versions = scheme;
      one.node.sync.mechanisms = {variant.mechanism};
      if (spec.refuses != nullptr && !spec.refuses(one.node, variant.mechanism.params).empty()) {
        continue;
      }
      table += line_of(variant, scheme, run(one));
    }
  }
  test::check_golden("strategies.txt", table);
}

}  // namespace rejoin::sim
