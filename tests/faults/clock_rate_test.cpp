#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params rate_of(std::int64_t ppm) {
  return params_of({{"target", nodes({2})}, {"rate", Rate{ppm}}});
}

TEST_CASE("a host whose time runs fast ticks early, and it alone") {
  FaultRig rig;
  rig.inject(at_time(0s), "clock-rate", rate_of(1'000'000), 400ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  // A second of its own is over after 600 ms: 400 ms at twice the pace, 200 ms at the usual one.
  MonotonicTime last{};
  std::size_t early = 0;
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    if (arrival.from == 2) last = std::max(last, arrival.at);
    if (arrival.from == 2 && arrival.to == 1 && arrival.at <= at_time(401ms)) ++early;
  }
  CHECK(last == at_time(601ms));
  CHECK(early == 80);
  CHECK(rig.heard[2][1] == 100);
  CHECK(rig.heard[1][2] == 100);
}

TEST_CASE("a slow clock ticks late, and a rate of nothing is refused") {
  FaultRig rig;
  rig.inject(at_time(0s), "clock-rate", rate_of(-500'000));
  rig.run_until(at_time(1001ms));
  CHECK(rig.heard[2][1] == 50);
  CHECK(Faults::find("clock-rate")->problem(rate_of(0), Schedule{}).has_value());
  CHECK(says("clock-rate", rate_of(-500'000)) == "time on node-2 runs off by -500000ppm");
}

}  // namespace
}  // namespace rejoin::sim
