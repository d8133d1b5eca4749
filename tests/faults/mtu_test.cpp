#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params at_most(std::uint64_t bytes) {
  return params_of({{"bytes", Size{bytes}}, {"from", nodes({1})}, {"one_way", true}});
}

TEST_CASE("datagrams above the limit vanish, and smaller ones pass") {
  FaultRig rig;
  // `ping 310000000` has 14 bytes, what is sent before 0.1 s has 13.
  rig.inject(at_time(5ms), "mtu", at_most(13), 500ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{2});
  CHECK(rig.heard[1][2] == 9 + 50);
  CHECK(rig.heard[2][1] == 100);
  CHECK(says("mtu", at_most(13)) == "datagrams above 13B vanish from node-1 to everyone");
}

TEST_CASE("a limit of nothing, or above what the network lets pass, is refused") {
  const FaultSpec* const fault = Faults::find("mtu");
  CHECK_FALSE(fault->problem(completed(*fault, {}), {}).has_value());
  CHECK(fault->problem(completed(*fault, at_most(0)), {}).has_value());
  CHECK(fault->problem(completed(*fault, at_most(70'000)), {}).has_value());
}

}  // namespace
}  // namespace rejoin::sim
