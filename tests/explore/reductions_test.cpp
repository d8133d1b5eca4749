// Ways to make a workload smaller.
#include "sim/explore/reductions.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "sim/explore/shrink.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

using Range = action::Workload::Range;

const Vocabulary& words() {
  static const Vocabulary all = linked_vocabulary();
  return all;
}

action::Workload load_of(std::uint64_t operations, std::uint32_t clients) {
  action::Workload out;
  out.keys = test::keys(1, 30);
  out.operations = operations;
  out.clients = clients;
  out.rate_per_hour = 20 * 3'600;
  out.mix = {{OperationKind::write, Share{.ppm = 600'000}},
             {OperationKind::read, Share{.ppm = 400'000}}};
  return out;
}

Schedule with_load(const action::Workload& load) {
  Schedule schedule = test::seed_schedule();
  schedule.cluster.clients = load.clients;
  schedule.timeline = {test::step("load", trigger::At{MonotonicTime(5s)}, load)};
  schedule.check = {"acknowledged-writes-survive"};
  return schedule;
}

const Removal& operations() {
  return *std::find_if(removals().begin(), removals().end(),
                       [](const Removal& each) { return each.what == "operations"; });
}

const std::vector<Range>& kept(const Schedule& schedule) {
  return *std::get<action::Workload>(schedule.timeline.at(0).action).keep;
}

}  // namespace

TEST_CASE(
    "reductions: each operation of a workload can be left out, alone or with its neighbours") {
  const Schedule whole = with_load(load_of(10, 2));
  CHECK(operations().size(whole) == 10);
  const auto one = operations().without(whole, 2, 1);
  REQUIRE(one);
  CHECK(kept(*one) == std::vector<Range>{{.client = ClientId(1), .first = 1, .last = 2},
                                         {.client = ClientId(1), .first = 4, .last = 5},
                                         {.client = ClientId(2), .first = 1, .last = 5}});
  CHECK(operations().size(*one) == 9);
  const auto more = operations().without(*one, 1, 5);
  REQUIRE(more);
  CHECK(kept(*more) == std::vector<Range>{{.client = ClientId(1), .first = 1, .last = 1},
                                          {.client = ClientId(2), .first = 3, .last = 5}});
  const auto none = operations().without(*more, 0, 4);
  REQUIRE(none);
  CHECK(none->timeline.empty());
}

TEST_CASE("reductions: of a loop that lasts, all that there can be are left out one by one") {
  action::Workload load = load_of(1, 1);
  load.operations.reset();
  load.lasts = 2s;
  CHECK(operations().size(with_load(load)) > 20);
  load.rate_per_hour = 0;
  load.think = {10ms, 10ms};
  CHECK(operations().size(with_load(load)) == 200);
}

TEST_CASE("reductions: a few operations of an open loop become steps at their times") {
  action::Workload load = load_of(100, 2);
  load.keep = {{.client = ClientId(1), .first = 4, .last = 6},
               {.client = ClientId(2), .first = 9, .last = 9}};
  const Schedule schedule = with_load(load);
  const auto plain = with_plain_operations(schedule, 0);
  REQUIRE(plain);
  REQUIRE(plain->timeline.size() == 4);
  const RunRecord drawn = run(schedule);
  const RunRecord written = run(*plain);
  REQUIRE(drawn.history.size() == 4);
  REQUIRE(written.history.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(written.history[i].key == drawn.history[i].key);
    CHECK(written.history[i].kind == drawn.history[i].kind);
  }
  CHECK(std::get<trigger::At>(plain->timeline[0].trigger).time == drawn.history[0].invoked);
  load.keep.reset();
  CHECK_FALSE(with_plain_operations(with_load(load), 0));
}

TEST_CASE("shrink: of a workload is left the one write that was missed, and nothing is moved") {
  Schedule schedule = test::seed_schedule("none");
  action::Workload load = load_of(400, 2);
  load.mix = {{OperationKind::write, Share{.ppm = 1'000'000}}};
  load.background = true;
  schedule.cluster.clients = 2;
  schedule.timeline[0] = test::step("load", trigger::At{MonotonicTime(35s)}, load);
  schedule.timeline.erase(schedule.timeline.begin() + 3);  // T3: the workload goes on meanwhile
  schedule.timeline.back() =
      test::step("T5", trigger::Quiet{5s}, test::direct_read("key-7", NodeId(3)));
  schedule.check = {"no-stale-read"};
  const Trial trial = run_trial(schedule, {.expectations = false});
  REQUIRE(trial.failed());
  Workers workers({.count = 2}, trial_work({.expectations = false}));
  const auto found = shrink(schedule, trial.signatures.front(), words(), workers);
  REQUIRE(found);
  CAPTURE(to_short_yaml(found->schedule, words()));
  CHECK(found->minimal);
  std::size_t writes = 0;
  for (const Step& step : found->schedule.timeline) {
    if (const auto* workload = std::get_if<action::Workload>(&step.action)) {
      for (const Range& each : *workload->keep) writes += each.last - each.first + 1;
    } else if (const auto* operate = std::get_if<action::Operate>(&step.action)) {
      writes += operate->kind == OperationKind::write ? operate->keys.size() : 0;
    }
  }
  CHECK(writes == 1);
}

}  // namespace rejoin::sim
