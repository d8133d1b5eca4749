#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kOneToTwo = params_of({{"from", Selectors{select(NodeId(1))}}, {"to", Selectors{select(NodeId(2))}}});

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

TEST_CASE("a cut of what is cut, or of a node that is not there, touches nothing") {
  FaultRig rig;
  rig.inject(at_time(100ms), "cut", kOneToTwo);
  rig.inject(at_time(200ms), "cut", kOneToTwo);
  rig.inject(at_time(300ms), "cut", params_of({{"from", Selectors{select(NodeId(1))}}, {"to", Selectors{select(NodeId(77))}}}));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 0, 0});
  CHECK(says("cut", kOneToTwo) == "node-1 can no longer reach node-2");
}

}  // namespace
}  // namespace rejoin::sim
