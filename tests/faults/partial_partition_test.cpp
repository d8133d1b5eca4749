#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kOneAndThree = params_of({{"one", nodes({1})}, {"other", nodes({3})}});

TEST_CASE("two nodes lose sight of each other, and the third sees both") {
  FaultRig rig;
  rig.inject(at_time(305ms), "partial-partition", kOneAndThree, 200ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{2});
  CHECK(rig.heard[1][3] == 80);
  CHECK(rig.heard[3][1] == 80);
  CHECK(rig.heard[1][2] == 100);
  CHECK(rig.heard[2][1] == 100);
  CHECK(rig.heard[3][2] == 100);
  CHECK(says("partial-partition", kOneAndThree) ==
        "node-1 and node-3 cannot see each other, and everyone else sees both");
}

TEST_CASE("a host cannot be on both sides") {
  const FaultSpec* const fault = Faults::find("partial-partition");
  CHECK_FALSE(fault->problem(kOneAndThree, {}).has_value());
  CHECK(fault->problem(params_of({{"one", nodes({1, 2})}, {"other", nodes({2})}}), {}) ==
        "node-2 is on both sides: a host does not lose sight of itself");
}

}  // namespace
}  // namespace rejoin::sim
