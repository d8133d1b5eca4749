// Faults as steps: how long they last, what ends them, who waits for that.
#include <doctest/doctest.h>

#include <algorithm>

#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

using namespace test;

trigger::At at(Duration time) {
  return {MonotonicTime(time)};
}
trigger::When ended(std::string label) {
  return {.what = trigger::When::What::ended, .node = {}, .text = std::move(label), .count = 0};
}

action::Inject crash(Selectors target, std::optional<Duration> lasts = {}) {
  action::Inject out = inject("crash");
  out.params.set("target", std::move(target));
  out.lasts = lasts;
  return out;
}

RunRecord play(std::vector<Step> timeline, Limits limits = {}) {
  Schedule schedule;
  schedule.name = "fault-steps";
  schedule.limits = limits;
  schedule.timeline = std::move(timeline);
  use_mechanism(schedule, "rejoin-sync");
  schedule.check = {"raft-election-safety"};
  return run(schedule);
}

const Transition& row(const RunRecord& record, const std::string& label) {
  const auto found = std::find_if(record.transitions.begin(), record.transitions.end(),
                                  [&](const Transition& each) { return each.label == label; });
  REQUIRE(found != record.transitions.end());
  return *found;
}

NodeState state_of(const RunRecord& record, const std::string& label, std::uint32_t node) {
  return row(record, label).nodes.at(node - 1).state;
}

TEST_CASE("a fault is taken back when its duration is over, and a step can wait for that") {
  const RunRecord record =
      play({step("down", at(5s), crash({select(NodeId(2))}, 3s)),
            step("during", at(7s), action::Wait{}), step("over", ended("down"), action::Wait{}),
            step("up", trigger::After{1s}, action::Wait{})});
  CHECK(record.verdict == Verdict::pass);
  CHECK(state_of(record, "during", 2) == NodeState::dead);
  CHECK(row(record, "over").at == MonotonicTime(8s));
  CHECK(state_of(record, "up", 2) == NodeState::alive);
}

TEST_CASE("an end that is over already is not waited for in vain") {
  const RunRecord record =
      play({step("down", at(5s), crash({select(NodeId(2))}, 1s)),
            step("later", at(9s), action::Wait{}), step("over", ended("down"), action::Wait{})});
  CHECK(record.verdict == Verdict::pass);
  CHECK(row(record, "over").at == MonotonicTime(9s));
}

TEST_CASE("a step ends a fault before its duration is over, once") {
  const RunRecord record = play({step("down", at(5s), crash({select(NodeId(2))}, 30s)),
                                 step("end", at(7s), action::End{"down"}),
                                 step("again", at(9s), crash({select(NodeId(2))})),
                                 step("late", at(40s), action::Wait{})});
  CHECK(record.verdict == Verdict::pass);
  // The end of the duration, at 35 s, starts nobody.
  CHECK(state_of(record, "late", 2) == NodeState::offline);
}

TEST_CASE("the run goes on until every duration is over") {
  const RunRecord record = play({step("down", at(5s), crash({select(NodeId(2))}, 60s))});
  CHECK(record.virtual_end > MonotonicTime(65s));
  CHECK(record.verdict == Verdict::pass);
}

TEST_CASE("the last phase takes back what lasts, but leaves the dead where they are") {
  const auto cut = [](std::optional<bool> heal) {
    Limits limits;
    limits.heal = heal.value_or(true);
    action::Inject isolate = inject("isolate", NodeId(2));
    return play({step("cut", at(5s), isolate), step("end", at(6s), action::Wait{})}, limits);
  };
  const auto dropped = [](const RunRecord& record) {
    return *record.metrics.at("dropped_messages");
  };
  CHECK(dropped(cut(true)) * 2 < dropped(cut(false)));
  // Long enough for who stays dead to be removed.
  Limits patient;
  patient.settle = 90s;
  patient.settle_quiet = 60s;
  const auto removed = [&](std::optional<Duration> lasts) {
    const RunRecord record =
        play({step("down", at(5s), crash({select(NodeId(2))}, lasts))}, patient);
    return *record.metrics.at("members_removed");
  };
  CHECK(removed({}) == 1);
  CHECK(removed(1s) == 0);
}

TEST_CASE("the table says whom a selector hit, and a fault counts once each time") {
  const RunRecord record =
      play({step("down", at(5s), crash({{.kind = Selector::Kind::leader}}, 2s)),
            step("too", at(10s), crash({{.kind = Selector::Kind::minority}}, 2s))});
  CHECK(row(record, "down").what.starts_with("the leader (node-"));
  CHECK(row(record, "down").what.ends_with(") crashes"));
  CHECK(record.injected.at("crash") == 2);
}

TEST_CASE("a fault that touches nothing makes a run vacuous, unless it may miss") {
  const std::vector<Step> timeline = {step("down", at(5s), crash({select(NodeId(2))})),
                                      step("miss", at(6s), inject("isolate", NodeId(77)))};
  const RunRecord record = play(timeline);
  CHECK(record.verdict == Verdict::vacuous);
  CHECK(record.injected.at("isolate") == 0);
  std::vector<Step> drawn = timeline;
  std::get<action::Inject>(drawn[1].action).may_miss = true;
  const RunRecord excused = play(drawn);
  CHECK(excused.verdict == Verdict::pass);
  CHECK_FALSE(excused.injected.contains("isolate"));
  CHECK(excused.warnings.empty());
}

TEST_CASE("a step can wait for a crash of its node") {
  const trigger::When crashed{
      .what = trigger::When::What::crashed, .node = NodeId(3), .text = {}, .count = 0};
  const RunRecord record =
      play({step("start", at(1s), action::Wait{}), step("seen", crashed, action::Wait{}),
            step("down", at(5s), crash({select(NodeId(3))}))});
  CHECK(record.verdict == Verdict::pass);
  CHECK(row(record, "seen").at == MonotonicTime(5s));
}

}  // namespace
}  // namespace rejoin::sim
