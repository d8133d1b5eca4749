#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kNode2 =
    params_of({{"target", nodes({2})}, {"service", Duration{8ms}}, {"bytes_per_s", Size{}}});

TEST_CASE("a slow host falls behind, in order, and catches up when it is fast again") {
  // Two pings every 10 ms are 16 ms of work.
  FaultRig rig;
  rig.inject(at_time(505ms), "slow-cpu", kNode2, 300ms);
  rig.run_until(at_time(3s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  CHECK(rig.heard[1][2] == 100);
  MonotonicTime before{};
  Duration worst{};
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    if (arrival.from != 1 || arrival.to != 2) continue;
    CHECK(arrival.at >= before);
    before = arrival.at;
    worst = std::max(worst, arrival.at - at_time(Duration(std::stoll(arrival.text.substr(5)))));
  }
  CHECK(worst > 50ms);
  CHECK(rig.heard[2][1] < 100);
  CHECK(rig.heard[2][1] > 40);
}

TEST_CASE("a host that is not slowed hears a ping a millisecond after it was sent") {
  FaultRig rig;
  rig.run_until(at_time(3s));
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    CHECK(arrival.at - at_time(Duration(std::stoll(arrival.text.substr(5)))) == 1ms);
  }
}

TEST_CASE("a load of nothing is refused") {
  const Params none =
      params_of({{"target", nodes({2})}, {"service", Duration{}}, {"bytes_per_s", Size{}}});
  const FaultSpec& fault = *Faults::find("slow-cpu");
  CHECK(fault.problem(none, Schedule{}).has_value());
  CHECK_FALSE(fault.problem(kNode2, Schedule{}).has_value());
  CHECK(says("slow-cpu", kNode2) == "node-2 takes 8ms for each event");
}

}  // namespace
}  // namespace rejoin::sim
