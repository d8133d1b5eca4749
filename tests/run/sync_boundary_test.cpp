// Durability: a crash just before and just after every sync of T0 to T5, one run each.
#include <doctest/doctest.h>

#include <algorithm>

#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

using What = trigger::When::What;

// T0 to T5 in which `node` crashes at its `count`-th sync and comes back half a second later.
Schedule crash_at(NodeId node, What what, std::uint64_t count, std::uint32_t copies) {
  Schedule schedule = test::seed_schedule("none");
  schedule.node.partitioning.replication = copies;
  if (copies == 1) {
    // Nobody is removed, so that the only copy stays where it is.
    std::erase_if(schedule.timeline,
                  [](const Step& step) { return step.label != "T0" && step.label != "T3"; });
  }
  schedule.check = {"acknowledged-writes-survive", "raft-election-safety",
                    "raft-leader-completeness", "raft-log-matching", "raft-state-machine-safety"};
  // An `at` step begins a chain of its own beside T0 to T5.
  schedule.timeline.push_back(
      test::step("boundary", trigger::At{MonotonicTime(0s)}, action::Wait{}));
  schedule.timeline.push_back(
      test::step("crash", trigger::When{.what = what, .node = node, .text = {}, .count = count},
                 test::inject("crash", node)));
  schedule.timeline.push_back(
      test::step("restart", trigger::After{500ms}, test::inject("restart", node)));
  return schedule;
}

// Crashes at every boundary that the run reaches; returns how many there were.
std::uint64_t sweep(NodeId node, What what, std::uint32_t copies = 3) {
  constexpr std::uint64_t most = 5'000;
  for (std::uint64_t count = 1; count < most; ++count) {
    const RunRecord record = run(crash_at(node, what, count, copies));
    INFO(to_name(node) << ", sync " << count << ": " << record.verdict_says);
    const bool reached = std::any_of(record.transitions.begin(), record.transitions.end(),
                                     [](const Transition& t) { return t.label == "crash"; });
    if (!reached) return count - 1;
    REQUIRE(record.verdict != Verdict::unbounded);
    REQUIRE(record.judged.at("acknowledged-writes-survive") >= 100);
    if (!record.violations.empty()) FAIL(record.violations.front().says);
  }
  return most;
}

}  // namespace

TEST_CASE("a crash while any sync of node-1 is under way loses no acknowledged write") {
  CHECK(sweep(NodeId(1), What::sync_requested) > 150);
}
TEST_CASE("a crash while any sync of node-2 is under way loses no acknowledged write") {
  CHECK(sweep(NodeId(2), What::sync_requested) > 150);
}
TEST_CASE("a crash while any sync of node-3 is under way loses no acknowledged write") {
  CHECK(sweep(NodeId(3), What::sync_requested) > 100);
}
TEST_CASE("a crash right after any sync of node-1 loses no acknowledged write") {
  CHECK(sweep(NodeId(1), What::sync_completed) > 150);
}
TEST_CASE("a crash right after any sync of node-2 loses no acknowledged write") {
  CHECK(sweep(NodeId(2), What::sync_completed) > 150);
}
TEST_CASE("a crash right after any sync of node-3 loses no acknowledged write") {
  CHECK(sweep(NodeId(3), What::sync_completed) > 100);
}

// With one copy nobody else can make up for what a node has lost.
TEST_CASE(
    "a node that holds the only copy keeps what it acknowledged through a crash at any sync") {
  CHECK(sweep(NodeId(1), What::sync_requested, 1) > 30);
  CHECK(sweep(NodeId(1), What::sync_completed, 1) > 30);
  CHECK(sweep(NodeId(2), What::sync_requested, 1) > 30);
  CHECK(sweep(NodeId(2), What::sync_completed, 1) > 30);
}

}  // namespace rejoin::sim
