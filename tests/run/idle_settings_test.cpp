// Settings that a composition never uses are told of.
#include "sim/run/idle_settings.hpp"

#include <doctest/doctest.h>

#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {
namespace {

// As the file says, without a timeline; REQUIRES that it is right.
Schedule given(const std::string& lines) {
  const auto scenario =
      read_scenario("t.yaml", "format: 1\ntimeline: []\n" + lines, linked_vocabulary());
  REQUIRE_MESSAGE(scenario.has_value(), to_text(scenario.error().front()));
  const auto schedule = scenario->materialise(1);
  REQUIRE(schedule.has_value());
  return *schedule;
}

std::vector<std::string> idle(const std::string& lines) {
  return idle_settings(given(lines));
}

constexpr const char* kGate =
    "`gate` has nothing to wait for: no mechanism of `sync` repairs who returns or gains a "
    "partition, so that it opens at once";
constexpr const char* kUncompared =
    "`tombstones` are kept for good: rule after-repair waits for comparisons that give others "
    "what they lack (direction both or push), and no mechanism of `sync` makes any";

TEST_CASE("a gate that nobody's repair opens is told of") {
  const std::vector<std::string> told = {kGate};
  const std::string fence = "versions: timestamp\ngate: fence\nsync: ";
  for (const std::string sync : {"none\n", "read-repair\n", "hinted-handoff+read-repair\n",
                                 "{ merkle: { on-return: false } }\n"}) {
    CAPTURE(sync);
    CHECK(idle(fence + sync) == told);
  }
  for (const std::string sync :
       {"hook-copy\n", "rejoin-sync\n", "{ rejoin-sync: { on-return: false } }\n", "merkle\n",
        "read-repair+digest-list\n", "versioned-merge\n"}) {
    CAPTURE(sync);
    CHECK(idle(fence + sync).empty());
  }
  CHECK(idle("versions: timestamp\nsync: none\n").empty());
  CHECK(idle("versions: timestamp\ngate: redirect\nsync: none\n") == told);
}

TEST_CASE("tombstones that can never be forgotten, by their rule, are told of") {
  const std::string rule = "versions: timestamp\ntombstones: { rule: after-repair }\nsync: ";
  const std::vector<std::string> told = {kUncompared};
  CHECK(idle(rule + "rejoin-sync\n") == told);
  CHECK(idle(rule + "{ merkle: { direction: pull } }\n") == told);
  CHECK(idle(rule + "{ merkle: { direction: push } }\n").empty());
  CHECK(idle(rule + "rejoin-sync+digest-list\n").empty());
  CHECK(idle("tombstones: { rule: grace }\nsync: rejoin-sync\n") ==
        std::vector<std::string>{"`tombstones` are kept for good: without `versions` nobody can "
                                 "tell one that was forgotten from one that never came"});
}

TEST_CASE("a delay of another tombstone rule is told of") {
  const auto with = [](const std::string& tombstones) {
    return idle("versions: timestamp\nsync: merkle\ntombstones: " + tombstones + "\n");
  };
  CHECK(with("{ rule: grace, grace: 5s }").empty());
  CHECK(with("{ rule: all-ack, ack-delay: 5s }").empty());
  CHECK(with("{ rule: after-repair, repair-delay: 5s }").empty());
  CHECK(with("{ rule: keep, grace: 5s }") ==
        std::vector<std::string>{"`tombstones.grace` is for rule grace, and the rule is another"});
  CHECK(with("{ rule: grace, repair-delay: 5s, ack-delay: 5s }") ==
        std::vector<std::string>{
            "`tombstones.repair-delay` is for rule after-repair, and the rule is another",
            "`tombstones.ack-delay` is for rule all-ack, and the rule is another"});
}

TEST_CASE("a run warns of them") {
  const RunRecord record = run(given("versions: timestamp\ngate: fence\nsync: none\n"));
  CHECK(record.warnings == std::vector<std::string>{kGate});
}

}  // namespace
}  // namespace rejoin::sim
