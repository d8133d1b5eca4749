#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params flapping(NodeId from) {
  return params_of(
      {{"from", Selectors{select(from)}}, {"period", Duration(100ms)}, {"share", Share{500'000}}});
}

TEST_CASE("a flapping link is down for its share of each period, beginning down") {
  FaultRig rig;
  rig.inject(at_time(305ms), "flap", flapping(NodeId(1)), 400ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{4});
  // Four periods of ten pings, half of them lost.
  CHECK(rig.heard[1][2] == 80);
  CHECK(rig.heard[3][1] == 80);
  CHECK(rig.heard[2][3] == 100);
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    if (arrival.from != 1) continue;
    CHECK_FALSE((arrival.at > at_time(305ms) && arrival.at < at_time(355ms)));
  }
  CHECK(says("flap", flapping(NodeId(1))) ==
        "links are down for 50% of every 100ms between node-1 and everyone");
}

TEST_CASE("a link that is never down, or flaps without time, is refused") {
  const FaultSpec* const fault = Faults::find("flap");
  CHECK_FALSE(fault->problem(completed(*fault, {}), {}).has_value());
  CHECK(fault->problem(completed(*fault, params_of({{"period", Duration(0ns)}})), {}).has_value());
  CHECK(fault->problem(completed(*fault, params_of({{"share", Share{0}}})), {}).has_value());
}

}  // namespace
}  // namespace rejoin::sim
