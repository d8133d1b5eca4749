// Planted bugs in the whole simulator: with the bug the invariant that is named for it breaks,
// without it nothing does. (tests/raft plants those that need a hand on every message.)
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/mutant.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

struct Planted {
  explicit Planted(std::string_view bug) { REQUIRE(plant_mutant(bug)); }
  ~Planted() { plant_mutant(""); }
  Planted(const Planted&) = delete;
  Planted& operator=(const Planted&) = delete;
};

std::string invariant_for(std::string_view bug) {
  for (const MutantSpec& spec : mutants()) {
    if (spec.name == bug) return std::string(spec.invariant);
  }
  FAIL("no such bug");
  return {};
}

bool breaks(const Schedule& schedule, const std::string& invariant) {
  const RunRecord record = run(schedule, {.expectations = false});
  return std::any_of(record.violations.begin(), record.violations.end(),
                     [&](const Violation& violation) { return violation.invariant == invariant; });
}

bool caught(std::string_view bug, Schedule schedule) {
  const std::string invariant = invariant_for(bug);
  schedule.check = {invariant};
  const Planted planted(bug);
  return breaks(schedule, invariant);
}
bool holds_without(std::string_view bug, Schedule schedule) {
  const std::string invariant = invariant_for(bug);
  schedule.check = {invariant};
  const RunRecord record = run(schedule, {.expectations = false});
  return record.violations.empty() && record.judged.at(invariant) > 0;
}

Schedule load(const std::string& file, const std::vector<Override>& overrides = {}) {
  const auto scenario = load_scenario(REJOIN_SOURCE_DIR "/" + file, linked_vocabulary(), overrides);
  REQUIRE(scenario.has_value());
  const auto schedule = scenario->materialise(1);
  REQUIRE(schedule.has_value());
  return *schedule;
}

action::Operate set_mode() {
  action::Operate out;
  out.kind = OperationKind::configure;
  out.settings = {{"mode", "fast"}};
  return out;
}

// A client changes a setting; the leader, node-1, crashes when node-2 has the entry. An impatient
// client asks again before the next leader knows that the entry is committed.
Schedule leader_crash_during_change(std::uint64_t sync) {
  Schedule out = test::seed_schedule();
  out.client.try_timeout = 3ms;
  out.timeline = {
      test::step("start", trigger::At{MonotonicTime(2s)}, action::Wait{}),
      test::step("change", trigger::Next{}, set_mode()),
      test::step("beside", trigger::At{MonotonicTime(0s)}, action::Wait{}),
      test::step("crash",
                 trigger::When{.what = trigger::When::What::sync_completed,
                               .node = NodeId(2),
                               .text = {},
                               .count = sync},
                 test::inject("crash", NodeId(1))),
      test::step("restart", trigger::After{5s}, test::inject("restart", NodeId(1))),
  };
  return out;
}

}  // namespace

TEST_CASE("cluster-apply-twice: a change that is asked for again at a new leader applies once") {
  bool found = false;
  // The sixth sync of node-2 makes the change durable there, as often as not.
  for (std::uint64_t seed = 1; seed <= 20 && !found; ++seed) {
    Schedule schedule = leader_crash_during_change(6);
    schedule.seed = seed;
    CHECK_FALSE(breaks(schedule, invariant_for("cluster-apply-twice")));
    found = caught("cluster-apply-twice", schedule);
  }
  CHECK(found);
}

TEST_CASE("sync-blind-merge: a repair never replaces a newer write") {
  const Schedule schedule =
      load("scenarios/seed/hook-copy-race.yaml",
           {{"sync", "rejoin-sync"}, {"versions", "timestamp"}, {"fetch.in-flight", "64"}});
  CHECK(holds_without("sync-blind-merge", schedule));
  CHECK(caught("sync-blind-merge", schedule));
}

TEST_CASE("sync-hint-not-durable: what stand-ins acknowledged is there when they come back") {
  const Schedule schedule =
      load("scenarios/cases/sloppy-quorum-loses.yaml",
           {{"disk.sync", "500ms"}, {"timeline.lost.after", "10ms"}, {"timeline.lost.for", "5s"}});
  CHECK(holds_without("sync-hint-not-durable", schedule));
  CHECK(caught("sync-hint-not-durable", schedule));
}

TEST_CASE("sync-repair-not-awaited: who has read a write of a minority reads no less after it") {
  const Schedule schedule = load("scenarios/cases/read-repair-blocking.yaml");
  CHECK(holds_without("sync-repair-not-awaited", schedule));
  CHECK(caught("sync-repair-not-awaited", schedule));
}

TEST_CASE("sync-tombstone-early: an owner that was away for the delete does not bring it back") {
  const Schedule schedule =
      load("scenarios/cases/delete-while-down.yaml", {{"membership.failures", "1000"},
                                                      {"timeline.removed.remove", "true"},
                                                      {"tombstones.rule", "after-repair"},
                                                      {"tombstones.repair-delay", "1s"},
                                                      {"sync", "merkle"},
                                                      {"sync.merkle.period", "1s"},
                                                      {"timeline.restart.after", "10s"}});
  CHECK(holds_without("sync-tombstone-early", schedule));
  CHECK(caught("sync-tombstone-early", schedule));
}

TEST_CASE("versions-hlc-not-merged: a write by a slow clock is later than what its node holds") {
  const Schedule schedule = load("scenarios/cases/clocks-apart.yaml", {{"versions", "hlc"}});
  CHECK(holds_without("versions-hlc-not-merged", schedule));
  CHECK(caught("versions-hlc-not-merged", schedule));
}

TEST_CASE("raft-no-pre-vote: a server that was cut off does not depose the leader") {
  Schedule schedule = test::seed_schedule();
  action::Inject partition = test::inject("partition");
  partition.params.set("groups", std::vector<Selectors>{{select(NodeId(1)), select(NodeId(2))},
                                                        {select(NodeId(3))}});
  schedule.timeline = {
      test::step("before", trigger::At{MonotonicTime(10s)}, action::Wait{}),
      test::step("partition", trigger::Next{}, partition),
      test::step("heal", trigger::After{6s}, test::inject("heal")),
      test::step("after", trigger::After{15s}, action::Wait{}),
  };
  CHECK(holds_without("raft-no-pre-vote", schedule));
  CHECK(caught("raft-no-pre-vote", schedule));
}

TEST_CASE("raft-no-check-quorum: a leader that nobody can answer makes way for another") {
  Schedule schedule = test::seed_schedule();
  const auto cut = [](std::uint32_t from) {
    action::Inject out = test::inject("cut", NodeId(from));
    out.params.set("to", Selectors{select(NodeId(1))});
    return out;
  };
  schedule.limits.heal = false;
  schedule.timeline = {
      test::step("before", trigger::At{MonotonicTime(10s)}, action::Wait{}),
      test::step("cut 2", trigger::Next{}, cut(2)),
      test::step("cut 3", trigger::Next{}, cut(3)),
      // What it appends now is never acknowledged.
      test::step("set", trigger::Next{}, set_mode()),
      test::step("after", trigger::After{60s}, action::Wait{}),
  };
  CHECK(holds_without("raft-no-check-quorum", schedule));
  CHECK(caught("raft-no-check-quorum", schedule));
}

TEST_CASE("wire-eager: one node of two with newer software still makes a quorum with the other") {
  Schedule schedule = test::seed_schedule();
  schedule.timeline = {
      test::step("before", trigger::At{MonotonicTime(5s)}, action::Wait{}),
      test::step("crash", trigger::Next{}, test::inject("crash", NodeId(3))),
      test::step("upgrade", trigger::After{1s}, test::inject("upgrade", NodeId(1))),
      test::step("after", trigger::After{60s}, action::Wait{}),
  };
  CHECK(holds_without("wire-eager", schedule));
  CHECK(caught("wire-eager", schedule));
}

}  // namespace rejoin::sim
