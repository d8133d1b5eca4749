#include "sim/run/figures.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace rejoin::sim {
namespace {

MonotonicTime at(Duration time) {
  return MonotonicTime(time);
}

class History {
 public:
  Operation& add(OperationKind kind, Duration from, std::optional<Duration> until,
                 ResultKind result) {
    Operation& out = list.emplace_back();
    out.id = {.client = ClientId(1), .n = list.size()};
    out.kind = kind;
    out.invoked = at(from);
    if (until) out.returned = at(*until);
    out.result = result;
    return out;
  }
  [[nodiscard]] std::optional<std::int64_t> figure(const std::string& name) const {
    return client_figures(list, given_up, at(100s)).at(name);
  }
  std::vector<Operation> list;
  std::map<RequestId, MonotonicTime> given_up;
};

constexpr std::int64_t ns(Duration duration) {
  return duration.count();
}

}  // namespace

TEST_CASE("figures: percentiles are nearest rank, over what was answered") {
  History history;
  for (int i = 1; i <= 200; ++i) {
    history.add(OperationKind::read, 0s, i * 1ms, ResultKind::value);
  }
  history.add(OperationKind::read, 0s, 900ms, ResultKind::unavailable);
  history.add(OperationKind::read, 0s, std::nullopt, ResultKind::none);
  CHECK(history.figure("read_latency_p50_ns") == ns(100ms));
  CHECK(history.figure("read_latency_p99_ns") == ns(198ms));
  CHECK_FALSE(history.figure("write_latency_p50_ns"));
  history.add(OperationKind::increment, 1s, 1s + 7ms, ResultKind::ok);
  CHECK(history.figure("write_latency_p50_ns") == ns(7ms));
  CHECK(history.figure("write_latency_p99_ns") == ns(7ms));
}

TEST_CASE("figures: operations a second count from the first invocation to the last answer") {
  History history;
  CHECK_FALSE(history.figure("operations_per_s"));
  for (int i = 0; i < 10; ++i) {
    history.add(OperationKind::write, 10s + i * 500ms, 10s + i * 500ms + 250ms, ResultKind::ok);
  }
  history.add(OperationKind::write, 11s, std::nullopt, ResultKind::none);
  CHECK(history.figure("operations") == 11);
  CHECK(history.figure("operations_per_s") == 2);  // 10 in 4.75 s
}

TEST_CASE("figures: unavailable is when an operation has been open for long, or is refused") {
  History history;
  history.add(OperationKind::write, 10s, 10s + 900ms, ResultKind::ok);
  CHECK(history.figure("unavailable_ns") == 0);
  history.add(OperationKind::write, 20s, 23s, ResultKind::ok);  // from 21 to 23
  CHECK(history.figure("unavailable_ns") == ns(2s));
  history.add(OperationKind::read, 22s, 22s + 500ms, ResultKind::unavailable);  // within
  CHECK(history.figure("unavailable_ns") == ns(2s));
  history.add(OperationKind::read, 30s, 30s + 500ms, ResultKind::unavailable);
  CHECK(history.figure("unavailable_ns") == ns(2500ms));
  CHECK(history.figure("failed_operations") == 2);
  const RequestId given_up =
      history.add(OperationKind::write, 40s, std::nullopt, ResultKind::none).id;
  CHECK(history.figure("unavailable_ns") == ns(2500ms + 59s));  // to the end
  history.given_up[given_up] = at(50s);
  CHECK(history.figure("unavailable_ns") == ns(2500ms + 9s));
  CHECK(history.figure("failed_operations") == 3);
}

TEST_CASE("figures: the order of the history is none of them") {
  History history;
  for (int i = 1; i <= 20; ++i) {
    history.add(i % 2 == 0 ? OperationKind::read : OperationKind::write, i * 1s,
                i * 1s + (i % 5) * 700ms, ResultKind::ok);
  }
  const auto forward = client_figures(history.list, {}, at(100s));
  std::reverse(history.list.begin(), history.list.end());
  CHECK(client_figures(history.list, {}, at(100s)) == forward);
}

}  // namespace rejoin::sim
