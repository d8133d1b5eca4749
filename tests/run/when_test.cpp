// What a step can wait for: each fact fires it, at whom it names and at nobody else.
#include <doctest/doctest.h>

#include <algorithm>

#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

using namespace test;
using What = trigger::When::What;
using Kind = Selector::Kind;

trigger::At at(Duration time) {
  return {MonotonicTime(time)};
}
trigger::When when(What what, NodeId node = {}, std::uint64_t count = 0) {
  return {.what = what, .node = node, .text = {}, .count = count, .who = {}};
}
trigger::When when(What what, Selectors who) {
  return {.what = what, .node = {}, .text = {}, .count = 0, .who = std::move(who)};
}

RunRecord play(std::vector<Step> timeline, std::uint32_t nodes = 3) {
  Schedule schedule;
  schedule.name = "when";
  schedule.cluster.nodes = nodes;
  schedule.limits.patience = 90s;
  schedule.timeline = std::move(timeline);
  use_mechanism(schedule, "rejoin-sync");
  schedule.check = {"raft-election-safety"};
  return run(schedule);
}

// The row of the step, or null when it never fired.
const Transition* row(const RunRecord& record, const std::string& label) {
  const auto found = std::find_if(record.transitions.begin(), record.transitions.end(),
                                  [&](const Transition& each) { return each.label == label; });
  return found == record.transitions.end() ? nullptr : &*found;
}
MonotonicTime fired_at(const RunRecord& record, const std::string& label) {
  const Transition* const found = row(record, label);
  REQUIRE(found != nullptr);
  return found->at;
}

action::Inject wiping_restart(NodeId node) {
  action::Inject out = inject("restart", node);
  out.params.set("wipe", std::string("true"));
  return out;
}

TEST_CASE("a node that stops by itself has halted, and a node that is killed has not") {
  const auto timeline = [](const char* fault) {
    return std::vector<Step>{step("begin", at(2s), action::Wait{}),
                             step("halted", when(What::halted, NodeId(2)), action::Wait{}),
                             step("fails", at(5s), inject(fault, NodeId(2))),
                             step("writes", at(6s), operate(OperationKind::write, keys(1, 10)))};
  };
  const RunRecord failed = play(timeline("io-error"));
  REQUIRE(row(failed, "halted") != nullptr);
  CHECK(fired_at(failed, "halted") >= MonotonicTime(5s));
  CHECK(row(failed, "halted")->what == "node-2 has stopped by itself");
  CHECK(row(play(timeline("crash")), "halted") == nullptr);
}

TEST_CASE("a node that finds its disk corrupt says so") {
  action::Inject rot = inject("bit-rot", NodeId(2));
  rot.params.set("bits", std::int64_t{8});
  rot.params.set("file", std::string("raft"));
  const RunRecord record =
      play({step("T0", trigger::Next{}, operate(OperationKind::write, keys(1, 10))),
            step("rot", at(5s), rot), step("cycle", trigger::Next{}, inject("restart", NodeId(2))),
            step("found", when(What::storage_corrupt, NodeId(2)), action::Wait{})});
  CHECK(fired_at(record, "found") >= MonotonicTime(5s));
  CHECK(row(record, "found")->what == "node-2 finds its disk corrupt");
}

TEST_CASE("a gate opens on the node that comes back, and a hook runs") {
  const auto comes_back = [](trigger::When awaited) {
    return play({step("T0", trigger::Next{}, operate(OperationKind::write, keys(1, 20))),
                 step("down", at(10s), inject("crash", NodeId(3))),
                 step("gone", when_removed(NodeId(3)), action::Wait{}),
                 step("back", trigger::After{1s}, wiping_restart(NodeId(3))),
                 step("seen", std::move(awaited), action::Wait{})});
  };
  const RunRecord gate = comes_back(when(What::gate_opened, NodeId(3)));
  CHECK(fired_at(gate, "seen") > fired_at(gate, "back"));
  CHECK(row(gate, "seen")->what == "node-3 opens a gate");
  const RunRecord hook = comes_back(when(What::hook_fired));
  CHECK(fired_at(hook, "seen") > fired_at(hook, "back"));
  CHECK(row(hook, "seen")->what == "a hook has run on some node");
}

TEST_CASE("an entry is committed once and for all; so many more are when they are") {
  const RunRecord record =
      play({step("first", when(What::committed_index, {}, 1), action::Wait{}),
            step("later", at(5s), action::Wait{}),
            // It has been for long.
            step("again", when(What::committed_index, {}, 1), action::Wait{}),
            step("down", trigger::Next{}, inject("crash", NodeId(3))),
            // The removal of node-3 is an entry, at least.
            step("more", when(What::committed_count, {}, 1), action::Wait{}),
            step("never", when(What::committed_index, {}, 1'000'000), action::Wait{})});
  CHECK(fired_at(record, "first") < MonotonicTime(5s));
  CHECK(fired_at(record, "again") == MonotonicTime(5s));
  CHECK(fired_at(record, "more") > MonotonicTime(6s));
  CHECK(row(record, "more")->what == "1 more entries are committed");
  CHECK(row(record, "never") == nullptr);
}

TEST_CASE("a node is upgraded when it starts with other software, and not when it restarts") {
  const RunRecord record = play({step("begin", at(2s), action::Wait{}),
                                 step("upgraded", when(What::upgraded, NodeId(2)), action::Wait{}),
                                 step("restart", at(5s), inject("restart", NodeId(2))),
                                 step("upgrade", at(10s), inject("upgrade", NodeId(2)))});
  CHECK(fired_at(record, "upgraded") == MonotonicTime(10s));
  CHECK(row(record, "upgraded")->what == "node-2 runs other software");
}

TEST_CASE("a step can wait for one node to lead, and only that node fires it") {
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> second;
  for (std::uint32_t n = 1; n <= 3; ++n) {
    const RunRecord now = play({step("any", when(What::leader), action::Wait{}),
                                step("led", when(What::leader, NodeId(n)), action::Wait{})});
    if (row(now, "led") != nullptr) first.push_back(n);
    action::Inject down = inject("crash", NodeId(1));
    down.params.set("target", Selectors{{.kind = Kind::leader}});
    const RunRecord then = play(
        {step("down", at(5s), down), step("led", when(What::leader, NodeId(n)), action::Wait{})});
    if (row(then, "led") != nullptr) second.push_back(n);
  }
  CHECK(first.size() == 1);
  CHECK(second.size() == 1);
  CHECK(first != second);
}

TEST_CASE("a selector means who it meant when the waiting began") {
  action::Inject down = inject("crash", NodeId(1));
  down.params.set("target", Selectors{{.kind = Kind::leader}});
  const RunRecord record =
      play({step("any", at(4s), action::Wait{}),
            step("gone", when(What::removed, Selectors{{.kind = Kind::leader}}), action::Wait{}),
            step("down", at(5s), down)});
  // Whoever leads when the first leader is removed is another node.
  CHECK(fired_at(record, "gone") > MonotonicTime(5s));
  CHECK(row(record, "gone")->what == "the leader is removed");
  // Of several, the first.
  const RunRecord some =
      play({step("begin", at(2s), action::Wait{}),
            step("one", when(What::crashed, Selectors{select(NodeId(1)), select(NodeId(2))}),
                 action::Wait{}),
            step("other", at(4s), inject("crash", NodeId(3))),
            step("down", at(6s), inject("crash", NodeId(2)))},
           5);
  CHECK(fired_at(some, "one") == MonotonicTime(6s));
  CHECK(row(some, "one")->what == "one of node-1 and node-2 has crashed");
  // Nobody leads yet.
  const RunRecord nobody =
      play({step("gone", when(What::crashed, Selectors{{.kind = Kind::leader}}), action::Wait{}),
            step("down", at(5s), inject("crash", NodeId(2)))});
  CHECK(row(nobody, "gone") == nullptr);
  CHECK(nobody.verdict == Verdict::fail);
}

TEST_CASE("a twin is waited for by its own name, and is not its node") {
  action::Inject twin = inject("twin", NodeId(3));
  twin.lasts = 2s;
  const auto timeline = [&](trigger::When awaited) {
    return std::vector<Step>{step("twin", at(5s), twin), step("died", awaited, action::Wait{}),
                             step("later", at(10s), inject("crash", NodeId(2)))};
  };
  const RunRecord second =
      play(timeline(when(What::crashed, Selectors{{.kind = Kind::twin, .node = NodeId(3)}})));
  CHECK(fired_at(second, "died") > MonotonicTime(5s));
  CHECK(fired_at(second, "died") <= MonotonicTime(7s));
  CHECK(row(second, "died")->what == "the twin of node-3 has crashed");
  const RunRecord any = play(timeline(when(What::crashed)));
  CHECK(fired_at(any, "died") != fired_at(second, "died"));
  CHECK(row(any, "died")->what == "some node has crashed");
}

TEST_CASE("what no twin can do is refused") {
  Schedule schedule;
  schedule.timeline = {step("gone",
                            when(What::removed, Selectors{{.kind = Kind::twin, .node = NodeId(3)}}),
                            action::Wait{})};
  use_mechanism(schedule, "none");
  CHECK(check_schedule(schedule).size() == 1);
}

}  // namespace
}  // namespace rejoin::sim
