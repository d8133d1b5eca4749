#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params narrow(std::uint64_t rate, std::uint64_t queue) {
  return params_of({{"rate", Size{rate}},
                    {"queue", Size{queue}},
                    {"from", nodes({1})},
                    {"to", nodes({2})},
                    {"one_way", true}});
}

TEST_CASE("on a narrow link messages wait for those before them, and come late") {
  FaultRig rig;
  // 14 bytes every 10 ms are 1,400 bytes a second; half of that passes.
  rig.inject(at_time(205ms), "bandwidth", narrow(700, 0));
  rig.run_until(at_time(1s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  CHECK(rig.heard[1][2] > 20 + 35);
  CHECK(rig.heard[1][2] < 20 + 45);
  CHECK(rig.heard[2][1] >= 99);
  rig.run_until(at_time(10s));
  CHECK(rig.heard[1][2] == 100);
}

TEST_CASE("what finds the queue full is dropped") {
  FaultRig rig;
  rig.inject(at_time(205ms), "bandwidth", narrow(700, 60));
  rig.run_until(at_time(10s));
  CHECK(rig.heard[1][2] > 20 + 35);
  CHECK(rig.heard[1][2] < 20 + 55);
  CHECK(says("bandwidth", narrow(700, 60)) == "links carry 700B a second from node-1 to node-2");
}

TEST_CASE("no bandwidth at all is refused") {
  const FaultSpec* const fault = Faults::find("bandwidth");
  CHECK(fault->problem(completed(*fault, narrow(0, 0)), {}).has_value());
}

}  // namespace
}  // namespace rejoin::sim
