#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kOneToTwo = params_of({{"from", nodes({1})}, {"to", nodes({2})}});

TEST_CASE("cut silences one direction of one link") {
  FaultRig rig;
  rig.inject(at_time(505ms), "cut", kOneToTwo);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  CHECK(rig.heard[1][2] == 50);
  CHECK(rig.heard[2][1] == 100);
  CHECK(rig.heard[1][3] == 100);
}

TEST_CASE("without a cut both directions work") {
  FaultRig rig;
  rig.run_until(at_time(2s));
  CHECK(rig.heard[1][2] == 100);
}

TEST_CASE("a link that is cut twice works when both cuts have ended") {
  FaultRig rig;
  rig.inject(at_time(105ms), "cut", kOneToTwo, 200ms);
  rig.inject(at_time(205ms), "cut", kOneToTwo, 400ms);
  rig.run_until(at_time(2s));
  CHECK(rig.heard[1][2] == 50);
}

TEST_CASE("a cut of a node that is not there touches nothing") {
  FaultRig rig;
  rig.inject(at_time(300ms), "cut", params_of({{"from", nodes({1})}, {"to", nodes({77})}}));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{0});
  CHECK(says("cut", kOneToTwo) == "node-1 can no longer reach node-2");
}

}  // namespace
}  // namespace rejoin::sim
