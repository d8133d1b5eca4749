// The main job: T0 to T5, replayed and judged.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "sim/run/run.hpp"
#include "tests/support/answers.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

using test::seed_schedule;

std::set<std::string> broken(const RunRecord& record) {
  std::set<std::string> out;
  for (const Violation& violation : record.violations) out.insert(violation.invariant);
  return out;
}

const NodeSnapshot& node_at(const RunRecord& record, const std::string& label, std::uint32_t node) {
  for (const Transition& transition : record.transitions) {
    if (transition.label == label) return transition.nodes.at(node - 1);
  }
  FAIL("no step " << label);
  return record.transitions.front().nodes.front();
}

}  // namespace

TEST_CASE("without sync node-3 returns with 100 keys and answers NOT FOUND for key-125") {
  const RunRecord record = run(seed_schedule());
  CHECK(node_at(record, "T0", 3).keys == 100);
  CHECK(node_at(record, "T1", 3).state == NodeState::dead);
  CHECK(node_at(record, "T2", 3).state == NodeState::offline);
  CHECK(node_at(record, "T3", 1).keys == 150);
  CHECK(node_at(record, "T3", 2).keys == 150);
  CHECK(node_at(record, "T4", 3).state == NodeState::alive);
  CHECK(node_at(record, "T5", 3).keys == 100);
  CHECK(node_at(record, "T5", 3).missing_keys == 50);
  REQUIRE(record.reads.size() == 1);
  CHECK(record.reads[0].operation.result == ResultKind::not_found);
  CHECK(record.reads[0].stale);
  CHECK(record.reads[0].expected_value == "client-1/125");
  CHECK(broken(record) ==
        std::set<std::string>{"no-stale-read", "no-stale-read-after-repair", "replicas-converge"});
  CHECK(record.metrics.at("missing_reads") == 1);
  CHECK(record.metrics.at("converged_after_ns") == std::nullopt);
  test::check_golden("t0-t5-none-answers.txt", test::answers(record.history));
}

TEST_CASE("with rejoin-sync nothing breaks and key-125 is found on node-3") {
  const RunRecord record = run(seed_schedule("rejoin-sync"));
  INFO(record.verdict_says);
  CHECK(record.verdict == Verdict::pass);
  CHECK(record.violations.empty());
  REQUIRE(record.reads.size() == 1);
  CHECK(record.reads[0].operation.value == "client-1/125");
  CHECK(node_at(record, "T5", 3).keys == 150);
  CHECK(record.metrics.at("repair_bytes").value() > 0);
  CHECK(record.metrics.at("converged_after_ns").has_value());
  test::check_golden("t0-t5-rejoin-sync-answers.txt", test::answers(record.history));
}

TEST_CASE("the same seed gives the same digest, another seed another") {
  Schedule schedule = seed_schedule("rejoin-sync");
  const RunRecord first = run(schedule);
  const RunRecord again = run(schedule);
  CHECK(first.digest == again.digest);
  CHECK(first.events == again.events);
  schedule.seed = 2;
  CHECK(run(schedule).digest != first.digest);
}

TEST_CASE("a step whose fact never comes is reported, not waited for until the end of time") {
  Schedule schedule = seed_schedule();
  // Nobody crashes, so nobody is removed.
  std::erase_if(schedule.timeline, [](const Step& s) { return s.label == "T1"; });
  const RunRecord record = run(schedule);
  CHECK(record.verdict == Verdict::fail);
  REQUIRE_FALSE(record.unmet.empty());
  CHECK(record.unmet.front() ==
        "step T2 never fired: what it waits for did not happen; 1 of 5 steps were applied");
}

TEST_CASE("a pass in which an invariant never judged is vacuous") {
  Schedule schedule = seed_schedule("rejoin-sync");
  // No read is left for the two invariants that judge reads.
  schedule.timeline.pop_back();
  RunRecord record = run(schedule);
  CHECK(record.verdict == Verdict::vacuous);
  CHECK(record.verdict_says ==
        "proves nothing: no-stale-read never judged, no-stale-read-after-repair never judged");
  schedule.expect.vacuous = {"no-stale-read", "no-stale-read-after-repair"};
  record = run(schedule);
  CHECK(record.verdict == Verdict::pass);
}

TEST_CASE("an expected violation that stays away is a failure") {
  Schedule schedule = seed_schedule("rejoin-sync");
  schedule.expect.violates = {"no-stale-read"};
  const RunRecord record = run(schedule);
  CHECK(record.verdict == Verdict::fail);
  CHECK(record.unmet ==
        std::vector<std::string>{"expected a violation of no-stale-read, but it held"});
}

TEST_CASE("expected violations pass, and only they") {
  Schedule schedule = seed_schedule();
  schedule.expect.violates = {"no-stale-read", "no-stale-read-after-repair", "replicas-converge"};
  CHECK(run(schedule).verdict == Verdict::pass);
  schedule.expect.violates = {"no-stale-read"};
  CHECK(run(schedule).verdict == Verdict::fail);
}

TEST_CASE("a bound that is reached is a verdict of its own") {
  Schedule schedule = seed_schedule();
  schedule.limits.events = 500;
  CHECK(run(schedule).verdict == Verdict::unbounded);
}

TEST_CASE("without its crash the timeline shows nothing stale") {
  Schedule schedule = seed_schedule();
  schedule.expect.violates = {"no-stale-read", "no-stale-read-after-repair", "replicas-converge"};
  for (Step& step : schedule.timeline) {
    if (step.label == "T1" || step.label == "T2" || step.label == "T4")
      step.action = action::Wait{};
    if (step.label == "T2") step.trigger = trigger::Next{};
  }
  const RunRecord record = run(schedule);
  CHECK(record.verdict == Verdict::fail);
  CHECK(record.violations.empty());
}

}  // namespace rejoin::sim
