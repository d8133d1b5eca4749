#include "sim/run/workload.hpp"

#include <doctest/doctest.h>

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

}  // namespace rejoin::sim
