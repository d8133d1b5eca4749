#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

TEST_CASE("in a ring each node sees its two neighbours alone") {
  FaultRig rig({.nodes = 5});
  rig.inject(at_time(305ms), "ring", {}, 200ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{10});
  for (std::uint32_t n = 1; n <= 5; ++n) {
    for (std::uint32_t other = 1; other <= 5; ++other) {
      if (other == n) continue;
      const bool neighbours = (n % 5) + 1 == other || (other % 5) + 1 == n;
      CHECK(rig.heard[n][other] == (neighbours ? 100U : 80U));
    }
  }
  CHECK(says("ring", {}) == "of all nodes, each sees its two neighbours alone");
}

TEST_CASE("a ring of three cuts nothing, and a file is told so") {
  FaultRig rig;
  rig.inject(at_time(305ms), "ring", {});
  rig.run_until(at_time(1s));
  CHECK(rig.touched == std::vector<std::uint64_t>{0});
  const FaultSpec* const fault = Faults::find("ring");
  Schedule schedule;
  CHECK(fault->problem(default_params(fault->params), schedule).has_value());
  schedule.cluster.nodes = 4;
  CHECK_FALSE(fault->problem(default_params(fault->params), schedule).has_value());
}

}  // namespace
}  // namespace rejoin::sim
