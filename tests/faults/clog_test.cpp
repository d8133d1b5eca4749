#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kFromOne = params_of({{"from", nodes({1})}, {"to", nodes({2})}, {"one_way", true}});

TEST_CASE("a clog holds every message and releases all of them when it ends") {
  FaultRig rig;
  rig.inject(at_time(305ms), "clog", kFromOne, 200ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  CHECK(rig.heard[1][2] == 100);
  CHECK(rig.heard[2][1] == 100);
  std::size_t in_the_crowd = 0;
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    if (arrival.from != 1 || arrival.to != 2) continue;
    CHECK_FALSE((arrival.at > at_time(306ms) && arrival.at < at_time(505ms)));
    in_the_crowd += arrival.at >= at_time(505ms) && arrival.at <= at_time(507ms) ? 1U : 0U;
  }
  CHECK(in_the_crowd == 20);
  CHECK(rig.did() == 20);
}

TEST_CASE("without an end what a clog holds stays held") {
  FaultRig rig;
  rig.inject(at_time(305ms), "clog", kFromOne);
  rig.run_until(at_time(2s));
  CHECK(rig.heard[1][2] == 30);
  CHECK(says("clog", kFromOne) == "messages are held back from node-1 to node-2");
}

}  // namespace
}  // namespace rejoin::sim
