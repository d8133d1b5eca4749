#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kSplit = params_of({{"groups", std::vector<Selectors>{nodes({1}), nodes({2})}}});
const Params kCut = params_of({{"from", nodes({3})}, {"to", nodes({1})}});

TEST_CASE("heal ends partitions and cuts, and says how many links they were") {
  FaultRig rig;
  rig.inject(at_time(305ms), "partition", kSplit);
  rig.inject(at_time(405ms), "cut", kCut);
  rig.inject(at_time(705ms), "heal", {});
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{2, 1, 3});
  CHECK(rig.heard[1][2] == 60);
  CHECK(rig.heard[3][1] == 70);
}

TEST_CASE("without heal they stay") {
  FaultRig rig;
  rig.inject(at_time(305ms), "partition", kSplit);
  rig.inject(at_time(405ms), "cut", kCut);
  rig.run_until(at_time(2s));
  CHECK(rig.heard[1][2] == 30);
  CHECK(rig.heard[3][1] == 40);
}

TEST_CASE("heal of a whole network touches nothing") {
  FaultRig rig;
  rig.inject(at_time(100ms), "heal", {});
  rig.run_until(at_time(200ms));
  CHECK(rig.touched == std::vector<std::uint64_t>{0});
  CHECK(says("heal", {}) == "the network heals");
}

}  // namespace
}  // namespace rejoin::sim
