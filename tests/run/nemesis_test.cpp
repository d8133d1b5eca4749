// Hostile worlds over T0 to T5: what is promised holds under every seed, and every fault was there.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "sim/faults/fault.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {
namespace {

constexpr std::uint64_t kSeeds = 200;

Scenario load(const std::string& name) {
  auto scenario =
      load_scenario(REJOIN_SOURCE_DIR "/scenarios/nemesis/" + name + ".yaml", linked_vocabulary());
  if (!scenario) {
    for (const Diagnostic& diagnostic : scenario.error()) MESSAGE(to_text(diagnostic));
  }
  REQUIRE(scenario.has_value());
  return *scenario;
}

Schedule drawn(const Scenario& scenario, std::uint64_t seed) {
  const auto schedule = scenario.materialise(seed);
  REQUIRE(schedule.has_value());
  return *schedule;
}

void check_passes(const RunRecord& record) {
  INFO(record.scenario << ", seed " << record.seed << ": " << record.verdict_says);
  CHECK(record.verdict == Verdict::pass);
}

void check_class(const std::string& name) {
  const Scenario scenario = load(name);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) check_passes(run(drawn(scenario, seed)));
}

}  // namespace

TEST_CASE("T0-T5 with rejoin-sync under 200 seeds of bounded nemesis: nothing promised is broken") {
  const Scenario scenario = load("t0-t5-bounded");
  std::map<std::string, std::uint64_t> injected;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const RunRecord record = run(drawn(scenario, seed));
    check_passes(record);
    for (const auto& [fault, touched] : record.injected) injected[fault] += touched;
  }
  for (const FaultSpec& fault : Faults::all()) {
    if (!fault.nemesis.exempt.empty()) continue;
    INFO(fault.name);
    CHECK(injected[std::string(fault.name)] > 0);
  }
}

TEST_CASE("under bounded faults of one class nothing promised is broken") {
  check_class("network");
  check_class("hosts");
  check_class("disks");
  check_class("clocks");
}

TEST_CASE("an unbounded nemesis breaks no safety") {
  check_class("unbounded");
}

TEST_CASE("the schedule that a nemesis drew, written and read again, is the same run") {
  const Scenario scenario = load("t0-t5-bounded");
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Schedule schedule = drawn(scenario, seed);
    const auto again = read_scenario("again.yaml", to_yaml(schedule), linked_vocabulary());
    REQUIRE(again.has_value());
    CHECK(run(drawn(*again, again->seed())).digest == run(schedule).digest);
  }
}

}  // namespace rejoin::sim
