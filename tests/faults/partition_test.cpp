#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

using NodeSets = std::vector<std::vector<NodeId>>;

Params groups(NodeSets sets) {
  return params_of({{"groups", std::move(sets)}});
}

TEST_CASE("partition separates its groups in both directions and leaves the inside alone") {
  FaultRig rig;
  rig.inject(at_time(505ms), "partition", groups({{NodeId(1), NodeId(2)}, {NodeId(3)}}));
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

TEST_CASE("a partition replaces the one before it, and a node in no group reaches all") {
  FaultRig rig;
  rig.inject(at_time(305ms), "partition", groups({{NodeId(1)}, {NodeId(2), NodeId(3)}}));
  rig.inject(at_time(605ms), "partition", groups({{NodeId(2)}, {NodeId(3)}}));
  rig.inject(at_time(905ms), "partition", groups({{NodeId(1), NodeId(2), NodeId(3)}}));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{4, 2, 0});
  CHECK(rig.heard[1][2] == 70);
  CHECK(rig.heard[2][3] == 70);
  CHECK(says("partition", groups({{NodeId(1), NodeId(2)}, {NodeId(3)}})) ==
        "the network splits into {node-1, node-2} | {node-3}");
}

}  // namespace
}  // namespace rejoin::sim
