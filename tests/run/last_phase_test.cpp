// The last phase: what is taken back, who is started, and what is missed when that is not enough.
#include <doctest/doctest.h>

#include <algorithm>

#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

using test::inject;
using test::step;

action::Inject lasting(action::Inject fault, Duration duration) {
  fault.lasts = duration;
  return fault;
}

// node-3 crashes for good, and node-2 is paused for good.
Schedule left_broken() {
  Schedule out = test::seed_schedule("rejoin-sync");
  out.client.write = Consistency::quorum;
  out.limits.settle = 60s;
  out.check = {"raft-leader-exists"};
  out.timeline = {
      step("crash", trigger::At{MonotonicTime(10s)}, inject("crash", NodeId(3))),
      step("pause", trigger::At{MonotonicTime(12s)}, inject("pause", NodeId(2))),
      step("end", trigger::At{MonotonicTime(14s)}, action::Wait{}),
  };
  return out;
}

Selectors all_nodes() {
  return {{.kind = Selector::Kind::nodes}};
}

const Transition* row(const RunRecord& record) {
  const auto at = std::find_if(record.transitions.begin(), record.transitions.end(),
                               [](const Transition& each) { return each.label == "last phase"; });
  return at == record.transitions.end() ? nullptr : &*at;
}

}  // namespace

TEST_CASE("without a core the dead stay dead, and what is paused goes on") {
  const RunRecord record = run(left_broken());
  INFO(record.verdict_says);
  CHECK(record.verdict == Verdict::pass);  // two of three lead
  CHECK(row(record) == nullptr);
}

TEST_CASE("the core is started when the timeline is done, and waited for") {
  Schedule schedule = left_broken();
  schedule.limits.core = all_nodes();
  const RunRecord record = run(schedule);
  INFO(record.verdict_says);
  CHECK(record.verdict == Verdict::pass);
  REQUIRE(row(record) != nullptr);
  CHECK(row(record)->what == "all faults end; node-3 starts");
  for (const NodeSnapshot& node : row(record)->nodes) CHECK(node.state == NodeState::alive);
}

TEST_CASE("a node that finds its disk corrupt is started with an empty one") {
  Schedule schedule = left_broken();
  schedule.limits.core = all_nodes();
  action::Inject rot = inject("bit-rot", NodeId(3));
  rot.params.set("bits", std::int64_t{2000});
  rot.params.set("file", std::string("raft"));
  schedule.timeline.insert(schedule.timeline.begin() + 1,
                           step("rot", trigger::At{MonotonicTime(11s)}, lasting(rot, 1s)));
  const RunRecord record = run(schedule);
  INFO(record.verdict_says);
  CHECK(record.verdict == Verdict::pass);
  REQUIRE(row(record) != nullptr);
  CHECK(row(record)->what == "all faults end; node-3 and node-3 (on an empty disk) start");
}

TEST_CASE("a core that does not come back in time is missed, unless nothing is promised") {
  Schedule schedule = left_broken();
  schedule.limits.core = all_nodes();
  schedule.limits.settle = 1ms;
  schedule.check = {"raft-election-safety"};
  schedule.timeline.back().trigger = trigger::At{MonotonicTime(40s)};  // it has been removed
  schedule.timeline[1].action = action::Wait{};
  const RunRecord record = run(schedule);
  CHECK(record.verdict == Verdict::fail);
  REQUIRE_FALSE(record.unmet.empty());
  CHECK(record.unmet.back().starts_with("node-3, of the core, is "));
  schedule.limits.promises = false;
  CHECK(run(schedule).verdict == Verdict::pass);
}

TEST_CASE("where nothing is promised, liveness is not judged and not vacuous") {
  Schedule schedule = left_broken();
  schedule.limits.promises = false;
  schedule.check = {"raft-election-safety", "raft-leader-exists", "replicas-converge"};
  const RunRecord record = run(schedule);
  CHECK(record.verdict == Verdict::pass);
  CHECK(record.judged.size() == 1);
  CHECK(record.judged.contains("raft-election-safety"));
}

}  // namespace rejoin::sim
