// Faults that contradict each other are refused where the schedule alone shows it; those that go
// together, and those of which only the run can tell, are not.
#include "sim/run/contradictions.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

constexpr const char* kHead = R"(format: 1
cluster: { nodes: 5, founders: 4 }
topology:
  sites: { a: [node-1, node-2], b: { kind: region }, b-1: { within: b, nodes: node-3 } }
  links: [{ between: [a, b], latency: 1ms }]
timeline:
  - { label: T0, write: key-1 }
)";

// What is said of a timeline that goes on with these steps; empty: nothing. Steps are on lines 8,
// 9, ...
std::string complaints(const std::vector<std::string>& steps) {
  std::string text = kHead;
  for (const std::string& step : steps) text += "  - { " + step + " }\n";
  const auto scenario = read_scenario("t.yaml", text, linked_vocabulary());
  if (!scenario) {
    for (const Diagnostic& diagnostic : scenario.error()) MESSAGE(to_text(diagnostic));
  }
  REQUIRE(scenario.has_value());
  const auto schedule = scenario->materialise(1);
  REQUIRE(schedule.has_value());
  std::string out;
  for (const Complaint& each : complaints_about(*schedule)) {
    out += each.where + ": " + each.what + "\n";
  }
  return out;
}

void check_refused(const std::vector<std::string>& steps, const std::string& says) {
  INFO(steps.front());
  CHECK(complaints(steps) == says + "\n");
}
void check_refused(const std::vector<std::string>& steps) {
  INFO(steps.front() << "; " << steps.back());
  CHECK_FALSE(complaints(steps).empty());
}
void check_fine(const std::vector<std::string>& steps) {
  INFO(steps.front() << "; " << steps.back());
  CHECK(complaints(steps).empty());
}

TEST_CASE("hosts are known by name, by site and as all nodes") {
  check_refused({"label: A, at: 3s, crash: node-1, for: 10s", "label: B, at: 5s, crash: node-1"},
                "t.yaml:9:5: crash of node-1 at 5.000s contradicts crash of step A: node-1 is dead "
                "from 3.000s until 13.000s");
  check_refused({"label: A, at: 3s, crash: zone(a), for: 10s", "label: B, at: 5s, crash: node-2"},
                "t.yaml:9:5: crash of node-2 at 5.000s contradicts crash of step A: node-2 is dead "
                "from 3.000s until 13.000s");
  check_refused({"label: A, at: 3s, crash: node-3, for: 10s", "label: B, at: 5s, crash: zone(b)"});
  check_refused({"label: A, at: 3s, crash: node-3, for: 10s", "label: B, at: 5s, pause: nodes"});
  check_refused({"label: A, at: 3s, crash: node-3, for: 10s", "label: B, at: 5s, pause: all"});
  check_fine({"label: A, at: 3s, crash: zone(a), for: 10s", "label: B, at: 5s, crash: node-3"});
}

TEST_CASE("a site that loses its power is a crash of each node in it") {
  const std::string dark = "label: B, at: 5s, site-down: b, for: 3s";
  check_refused({"label: A, at: 3s, crash: node-3, for: 10s", dark},
                "t.yaml:9:5: site-down of node-3 at 5.000s contradicts crash of step A: node-3 is "
                "dead from 3.000s until 13.000s");
  check_refused({dark, "label: A, at: 6s, crash: node-3"});
  check_fine({"label: A, at: 3s, crash: node-1, for: 10s", dark});
  check_fine({"label: A, at: 3s, crash: node-3, for: 10s",
              "label: B, at: 5s, site-down: { site: b, mode: isolate }, for: 3s"});
}

TEST_CASE("what the table says contradicts is refused, whichever fault strikes") {
  const std::string dead = "label: A, at: 3s, crash: node-1, for: 10s";
  for (const std::string fault :
       {"crash: node-1", "crash-loop: node-1, for: 3s", "pause: node-1, for: 3s", "restart: node-1",
        "upgrade: node-1", "move: node-1", "restart: { target: node-1, if-down: true }",
        "reconfigure: { target: node-1, partitions: 8 }"}) {
    check_refused({dead, "label: B, at: 5s, " + fault});
  }
  for (const std::string fault : {"crash: node-1", "crash-loop: node-1", "restart: node-1",
                                  "upgrade: node-1", "move: node-1"}) {
    check_refused({"label: A, at: 3s, pause: node-1, for: 10s", "label: B, at: 5s, " + fault});
    check_refused({"label: A, at: 3s, crash-loop: node-1, for: 10s", "label: B, at: 5s, " + fault});
  }
  check_refused(
      {"label: A, at: 3s, crash-loop: node-1, for: 10s", "label: B, at: 5s, pause: node-1"});
}

TEST_CASE("what the table says composes is not") {
  const std::string dead = "label: A, at: 3s, crash: node-1, for: 10s";
  for (const std::string fault :
       {"twin: node-1", "slow-cpu: { target: node-1, service: 1ms }", "slow-disk: node-1",
        "bit-rot: node-1", "isolate: node-1", "clock-step: { target: node-1, by: 1s }"}) {
    check_fine({dead, "label: B, at: 5s, " + fault});
  }
  const std::string still = "label: A, at: 3s, pause: node-1, for: 10s";
  for (const std::string fault :
       {"pause: node-1, for: 20s", "slow-cpu: { target: node-1, service: 1ms }", "twin: node-1",
        "loss: 10%", "clock-step: { target: node-1, by: 1s }"}) {
    check_fine({still, "label: B, at: 5s, " + fault});
  }
  check_fine({"label: A, at: 3s, partition: [[node-1], [others]], for: 10s",
              "label: B, at: 5s, loss: 50%", "label: C, at: 6s, cut: { from: node-1, to: node-2 }",
              "label: D, at: 7s, heal: true"});
  check_fine({"label: A, at: 3s, restart: node-1", "label: B, at: 3s, restart: node-1"});
}

TEST_CASE("a crash without a duration is in force until something starts the node") {
  const std::string dead = "label: A, at: 3s, crash: node-1";
  check_refused({dead, "label: B, at: 100s, crash: node-1"},
                "t.yaml:9:5: crash of node-1 at 100.000s contradicts crash of step A: node-1 is "
                "dead from 3.000s to the end");
  check_refused({dead, "label: B, at: 5s, crash: node-1", "label: C, at: 6s, restart: node-1"},
                "t.yaml:9:5: crash of node-1 at 5.000s contradicts crash of step A: node-1 is dead "
                "from 3.000s until step C");
  check_refused({dead, "label: B, at: 5s, pause: node-1"});
  for (const std::string fault : {"restart", "upgrade", "move"}) {
    check_fine(
        {dead, "label: B, at: 5s, " + fault + ": node-1", "label: C, at: 6s, crash: node-1"});
  }
  check_fine({dead, "label: B, at: 5s, end: A", "label: C, at: 6s, crash: node-1"});
  check_fine({dead, "label: B, at: 5s, restart: random", "label: C, at: 6s, crash: node-1"});
  // It says itself when it ends; a restart before that is not what ends it.
  check_refused({dead, "label: B, at: 5s, restart: node-1", "label: C, at: 6s, end: A"});
}

TEST_CASE("steps that follow one another are as far apart as they say, and in order") {
  // From a moment that only the run knows.
  const std::string gone = "label: G, when: { rebalanced: any }";
  check_refused({gone, "label: A, after: 1s, crash: node-1, for: 10s", "label: W, after: 5s",
                 "label: B, after: 4s, crash: node-1"},
                "t.yaml:11:5: crash of node-1 (step B) contradicts crash of step A: node-1 is dead "
                "from then on for 10s");
  check_fine({gone, "label: A, after: 1s, crash: node-1, for: 10s", "label: W, after: 5s",
              "label: B, after: 5s, crash: node-1"});
  check_refused({"label: A, at: 3s, crash: node-1", gone, "label: B, crash: node-1"});
  check_refused({"label: A, at: 3s, crash: node-1", gone, "label: B, crash: node-1",
                 "label: C, restart: node-1"});
  check_fine({"label: A, at: 3s, crash: node-1", gone, "label: C, restart: node-1",
              "label: B, crash: node-1"});
  // It may be over by then, or not.
  check_fine({"label: A, at: 3s, crash: node-1, for: 10s", gone, "label: B, crash: node-1"});
  // An operation takes its time.
  check_fine({"label: A, at: 3s, crash: node-1, for: 10s", "label: O, write: key-2",
              "label: B, after: 1s, crash: node-1"});
  // Whichever is first.
  check_refused(
      {"label: A, when: { rebalanced: any }, crash: node-1", "label: B, at: 30s, crash: node-1"});
}

TEST_CASE("an upgrade reaches one node after the other") {
  const std::string roll = "label: U, at: 5s, upgrade: { target: nodes, every: 10s }";
  check_refused({roll, "label: A, at: 22s, crash: node-3, for: 10s"},
                "t.yaml:8:5: upgrade of node-3 at 25.000s contradicts crash of step A: node-3 is "
                "dead from 22.000s until 32.000s");
  check_fine({roll, "label: A, at: 12s, crash: node-3, for: 10s"});
  check_fine({roll, "label: A, at: 26s, crash: node-3, for: 10s"});
}

TEST_CASE("a node that founds nothing is dead until a step starts it") {
  check_refused({"label: A, at: 3s, crash: node-5"},
                "t.yaml:8:5: crash of node-5 at 3.000s contradicts the cluster: node-5 is no "
                "founder, and dead until a step starts it");
  check_fine({"label: S, at: 2s, restart: node-5", "label: A, at: 3s, crash: node-5"});
}

TEST_CASE("a clock or a disk has one setting at a time") {
  const auto on = [](const std::string& label, const std::string& at, const std::string& fault,
                     const std::string& more) {
    return "label: " + label + ", at: " + at + ", " + fault + ": { target: node-1, " + more +
           " }, for: 10s";
  };
  check_refused(
      {on("A", "3s", "clock-drift", "rate: +1%"), "label: B, at: 5s, clock-freeze: node-1"});
  check_refused(
      {on("A", "3s", "clock-offset", "by: 5s"), on("B", "5s", "clock-offset", "by: -5s")});
  check_refused(
      {on("A", "3s", "clock-rate", "rate: 1%"), on("B", "5s", "clock-rate", "rate: -1%")},
      "t.yaml:9:5: clock-rate of node-1 at 5.000s contradicts clock-rate of step A: node-1 "
      "has its rate of all clocks set from 3.000s until 13.000s");
  check_fine({on("A", "3s", "clock-rate", "rate: 1%"), on("B", "5s", "clock-drift", "rate: -1%")});
  check_refused(
      {on("A", "3s", "slow-disk", "factor: 10"), on("B", "5s", "slow-disk", "factor: 20")});
  check_refused({on("A", "3s", "disk-full", "free: 0B"), on("B", "5s", "disk-full", "free: 8KiB")});
  check_refused({on("A", "3s", "io-error", "share: 1%"), on("B", "5s", "io-error", "of: reads")});
  check_fine({on("A", "3s", "io-error", "of: syncs"), on("B", "5s", "io-error", "of: reads")});
  check_fine({on("A", "3s", "slow-disk", "file: raft"), on("B", "5s", "slow-disk", "file: store")});
  check_fine({on("A", "3s", "slow-disk", "factor: 10"), on("B", "14s", "slow-disk", "factor: 20")});
}

TEST_CASE("whom only the run knows, and what may miss, contradicts nothing") {
  check_fine({"label: A, at: 3s, crash: leader, for: 10s", "label: B, at: 5s, crash: node-1"});
  check_fine({"label: A, at: 3s, crash: node-1, for: 10s", "label: B, at: 5s, crash: random"});
  check_fine({"label: A, at: 3s, crash: node-1, for: 10s",
              "label: B, at: 5s, crash: node-1, may-miss: true"});
}

TEST_CASE("ten thousand steps about every node are judged in a moment") {
  std::vector<std::string> steps;
  for (int s = 0; s < 4'900; ++s) {
    const std::string at = std::to_string(10 + s);
    steps.push_back("label: C" + at + ", at: " + at + "s, crash: nodes");
    steps.push_back("label: R" + at + ", at: " + at + "s500ms, restart: nodes");
  }
  check_fine(steps);
}

TEST_CASE("no seed of a nemesis draws a schedule that is refused") {
  for (const auto& file :
       std::filesystem::directory_iterator(REJOIN_SOURCE_DIR "/scenarios/nemesis")) {
    const auto scenario = load_scenario(file.path().string(), linked_vocabulary());
    REQUIRE(scenario.has_value());
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
      const auto schedule = scenario->materialise(seed);
      REQUIRE(schedule.has_value());
      INFO(file.path().string() << ", seed " << seed);
      CHECK(complaints_about(*schedule).empty());
    }
  }
}

}  // namespace
}  // namespace rejoin::sim
