#include "sim/run/workload.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin::sim {
namespace {

action::Operate write_of(const std::vector<Key>& keys, std::uint32_t clients = 1) {
  action::Operate out;
  out.kind = OperationKind::write;
  out.keys = keys;
  out.clients = clients;
  return out;
}

}  // namespace

TEST_CASE("workload: clients take turns, and each numbers its requests from 1 on") {
  const ClientOptions options;
  Workload workload(options);
  const Step step = test::step("load", trigger::Next{}, write_of({"a", "b", "c"}, 2));
  const auto first = workload.begin(step, std::get<action::Operate>(step.action));
  REQUIRE(first.size() == 2);
  REQUIRE(first.at(ClientId(1)).size() == 2);
  CHECK(first.at(ClientId(1))[0].key == "a");
  CHECK(first.at(ClientId(1))[1].key == "c");
  CHECK(first.at(ClientId(1))[1].id == RequestId{.client = ClientId(1), .n = 2});
  CHECK(first.at(ClientId(2))[0].key == "b");
  CHECK(first.at(ClientId(2))[0].value == "client-2/1");
  const auto second = workload.begin(step, std::get<action::Operate>(step.action));
  CHECK(second.at(ClientId(1))[0].id.n == 3);
  CHECK(second.at(ClientId(2))[0].id.n == 2);
}

TEST_CASE("workload: what is listed first and fires last is no late duplicate") {
  Schedule schedule = test::seed_schedule();
  schedule.timeline = {
      test::step("last", trigger::At{MonotonicTime(9s)}, write_of({"key-2"})),
      test::step("first", trigger::At{MonotonicTime(5s)}, write_of({"key-1"})),
  };
  schedule.check = {"acknowledged-writes-survive"};
  const RunRecord record = run(schedule);
  REQUIRE(record.history.size() == 2);
  for (const Operation& operation : record.history) {
    CAPTURE(operation.label);
    CHECK(operation.result == ResultKind::ok);
    REQUIRE(operation.returned.has_value());
    CHECK(*operation.returned - operation.invoked < 1s);  // at the first try
  }
  CHECK(record.history[0].label == "first");
  CHECK(record.history[0].id.n == 1);
}

namespace {

Schedule with_load(const action::Workload& load, std::uint32_t clients = 1) {
  Schedule schedule = test::seed_schedule();
  schedule.cluster.clients = clients;
  schedule.timeline = {test::step("load", trigger::At{MonotonicTime(5s)}, load)};
  schedule.check = {"acknowledged-writes-survive"};
  return schedule;
}

action::Workload load_of(std::uint64_t operations) {
  action::Workload out;
  out.keys = test::keys(1, 20);
  out.operations = operations;
  out.mix = {{OperationKind::write, Share{.ppm = 500'000}},
             {OperationKind::read, Share{.ppm = 500'000}}};
  return out;
}

std::map<RequestId, Operation> by_id(const RunRecord& record) {
  std::map<RequestId, Operation> out;
  for (const Operation& operation : record.history) out[operation.id] = operation;
  return out;
}

}  // namespace

TEST_CASE("workload: a closed loop thinks between an answer and the next operation") {
  action::Workload load = load_of(200);
  load.think = {10ms, 20ms};
  const RunRecord record = run(with_load(load));
  REQUIRE(record.history.size() == 200);
  for (std::size_t i = 1; i < record.history.size(); ++i) {
    const Duration thought = record.history[i].invoked - *record.history[i - 1].returned;
    CHECK(thought >= 10ms);
    CHECK(thought <= 20ms);
  }
  CHECK(record.verdict == Verdict::pass);
}

TEST_CASE("workload: a closed loop that lasts begins nothing afterwards") {
  action::Workload load = load_of(1);
  load.operations.reset();
  load.lasts = 3s;
  load.think = {10ms, 10ms};
  const RunRecord record = run(with_load(load));
  CHECK(record.history.size() > 200);
  CHECK(record.history.size() < 300);
  CHECK(record.history.back().invoked < MonotonicTime(8s));
}

TEST_CASE("workload: an open loop begins its operations whatever becomes of those before") {
  action::Workload load = load_of(100);
  load.rate_per_hour = 10 * 3'600;
  load.arrivals = action::Workload::Arrivals::even;
  load.clients = 2;
  Schedule schedule = with_load(load, 2);
  action::Inject isolate = test::inject("isolate", NodeId(1));
  isolate.params.set("target", Selectors{{.kind = Selector::Kind::client, .client = ClientId(1)}});
  isolate.lasts = 2s;
  schedule.timeline.insert(schedule.timeline.begin(),
                           test::step("cut", trigger::At{MonotonicTime(6s)}, isolate));
  const RunRecord record = run(schedule);
  REQUIRE(record.history.size() == 100);
  // The other client is not held up: its last one begins when it should.
  MonotonicTime last{};
  for (const Operation& operation : record.history) {
    if (operation.id.client == ClientId(2)) last = std::max(last, operation.invoked);
  }
  CHECK(last == MonotonicTime(5s + 9900ms));
  // What waited for the busy client follows at once.
  std::size_t late = 0;
  for (const Operation& operation : record.history) {
    const bool on_time = (operation.invoked - MonotonicTime(5s)) % 100ms == 0ns;
    if (operation.id.client == ClientId(1) && !on_time) ++late;
  }
  CHECK(late >= 8);
  CHECK(late <= 30);
}

TEST_CASE("workload: an operation that is left out of an open loop moves no other") {
  action::Workload load = load_of(60);
  load.rate_per_hour = 20 * 3'600;
  load.clients = 2;
  const Schedule whole = with_load(load, 2);
  const auto all = by_id(run(whole));
  REQUIRE(all.size() == 60);
  load.keep = {{.client = ClientId(1), .first = 1, .last = 11},
               {.client = ClientId(1), .first = 13, .last = 30},
               {.client = ClientId(2), .first = 1, .last = 30}};
  Schedule less = with_load(load, 2);
  const auto kept = by_id(run(less));
  CHECK(kept.size() == 59);
  CHECK_FALSE(kept.contains({.client = ClientId(1), .n = 12}));
  for (const auto& [id, operation] : kept) {
    CAPTURE(to_name(id));
    const Operation& before = all.at(id);
    CHECK(operation.key == before.key);
    CHECK(operation.kind == before.kind);
    CHECK(operation.invoked == before.invoked);
    if (operation.kind == OperationKind::write) CHECK(operation.value == before.value);
  }
}

TEST_CASE("workload: the next step waits for its last operation, unless it is in the background") {
  for (const bool background : {false, true}) {
    action::Workload load = load_of(50);
    load.think = {100ms, 100ms};
    load.background = background;
    Schedule schedule = with_load(load);
    schedule.timeline.push_back(test::step("after", trigger::Next{}, action::Wait{}));
    const RunRecord record = run(schedule);
    REQUIRE(record.transitions.size() >= 2);
    const MonotonicTime after = record.transitions[1].at;
    CHECK((after > *record.history.back().returned - 1ns) == !background);
    CHECK(record.history.size() == 50);
  }
}

TEST_CASE("workload: values have their size, begin with their name and stay unique") {
  action::Workload load = load_of(100);
  load.value_size = {.min = 4, .max = 64};
  const RunRecord record = run(with_load(load));
  std::set<Value> values;
  for (const Operation& operation : record.history) {
    if (operation.kind == OperationKind::write) {
      CHECK(operation.value.starts_with(to_name(operation.id)));
      CHECK(operation.value.size() <= 64);
      CHECK(values.insert(operation.value).second);
    } else if (operation.result == ResultKind::value) {
      CHECK(values.contains(operation.value));
    }
  }
  CHECK(values.size() > 30);
  CHECK(record.verdict == Verdict::pass);
}

TEST_CASE("workload: levels of reads and of writes are their own") {
  action::Workload load = load_of(50);
  load.read_level = Consistency::all;
  load.write_level = Consistency::quorum;
  for (const Operation& operation : run(with_load(load)).history) {
    CHECK(operation.level ==
          (operation.kind == OperationKind::read ? Consistency::all : Consistency::quorum));
  }
}

}  // namespace rejoin::sim
