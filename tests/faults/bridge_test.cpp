#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kOverThree = params_of({{"over", nodes({3})}});

TEST_CASE("each half sees its own and the bridge, and not the other half") {
  FaultRig rig({.nodes = 5});
  rig.inject(at_time(505ms), "bridge", kOverThree);
  rig.run_until(at_time(2s));
  // Two times two nodes, both ways.
  CHECK(rig.touched == std::vector<std::uint64_t>{8});
  for (const std::uint32_t n : {1U, 2U, 4U, 5U}) {
    CHECK(rig.heard[3][n] == 100);
    CHECK(rig.heard[n][3] == 100);
    std::uint32_t in_sight = 0;
    for (const std::uint32_t other : {1U, 2U, 4U, 5U}) {
      if (other == n) continue;
      CHECK(rig.heard[n][other] == rig.heard[other][n]);
      in_sight += rig.heard[n][other] == 100 ? 1U : 0U;
    }
    CHECK(in_sight == 1);
  }
  CHECK(says("bridge", kOverThree) == "all nodes split into halves that meet only in node-3");
}

TEST_CASE("two steps split by draws of their own") {
  // Of 8 nodes there are 35 ways to split: ten steps that all agree would not be drawn.
  std::vector<std::vector<std::uint64_t>> seen;
  FaultRig rig({.nodes = 9});
  for (std::uint32_t i = 0; i < 10; ++i) {
    rig.inject(at_time(Duration(100ms) * i + 5ms), "bridge", params_of({{"over", nodes({9})}}),
               90ms);
  }
  rig.run_until(at_time(2s));
  std::uint64_t least = 100;
  std::uint64_t most = 0;
  for (std::uint32_t n = 2; n <= 8; ++n) {
    least = std::min(least, rig.heard[1][n]);
    most = std::max(most, rig.heard[1][n]);
  }
  CHECK(least < most);
}

}  // namespace
}  // namespace rejoin::sim
