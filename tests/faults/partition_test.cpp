#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params groups(std::vector<Selectors> sets) {
  return params_of({{"groups", std::move(sets)}});
}

TEST_CASE("partition separates its groups in both directions and leaves the inside alone") {
  FaultRig rig;
  rig.inject(at_time(505ms), "partition", groups({nodes({1, 2}), nodes({3})}));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{4});
  CHECK(rig.heard[1][3] == 50);
  CHECK(rig.heard[3][1] == 50);
  CHECK(rig.heard[2][3] == 50);
  CHECK(rig.heard[1][2] == 100);
  CHECK(rig.heard[2][1] == 100);
}

TEST_CASE("without a partition nothing is dropped") {
  FaultRig rig;
  rig.run_until(at_time(2s));
  CHECK(rig.heard[1][3] == 100);
  CHECK(rig.machines.kernel.traffic().dropped == 0);
}

TEST_CASE("two partitions are both in force, and a node in no group reaches all") {
  FaultRig rig;
  rig.inject(at_time(305ms), "partition", groups({nodes({1}), nodes({2, 3})}), 400ms);
  rig.inject(at_time(505ms), "partition", groups({nodes({2}), nodes({3})}), 400ms);
  rig.inject(at_time(905ms), "partition", groups({nodes({1, 2, 3})}));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{4, 2, 0});
  CHECK(rig.heard[1][2] == 60);
  CHECK(rig.heard[2][3] == 60);
  CHECK(says("partition", groups({nodes({1, 2}), nodes({3})})) ==
        "the network splits into {node-1, node-2} | {node-3}");
}

}  // namespace
}  // namespace rejoin::sim
