#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params loop_of(Duration down, Duration up) {
  return params_of({{"target", nodes({2})}, {"down", down}, {"up", up}});
}

TEST_CASE("a crash loop kills and starts a host until it is taken back, and leaves it up") {
  FaultRig rig;
  rig.inject(at_time(105ms), "crash-loop", loop_of(50ms, 100ms), 400ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  // Down from 105, 255 and 405 ms on, for 50 ms each.
  CHECK(rig.machines.recorder.count("ProcessCrashed") == 3);
  CHECK(rig.did() == 3);
  CHECK(rig.starts[2] == 4);
  CHECK(rig.is_up(2));
  CHECK(rig.heard[2][1] < 90);
}

TEST_CASE("taken back while the host is down, the loop starts it at once") {
  FaultRig rig;
  rig.inject(at_time(105ms), "crash-loop", loop_of(500ms, 100ms), 20ms);
  rig.run_until(at_time(2s));
  CHECK(rig.starts[2] == 2);
  CHECK(rig.is_up(2));
  CHECK(rig.heard[2][1] > 95);
}

TEST_CASE("a loop of whoever is down already touches nothing, and one without time is refused") {
  FaultRig rig;
  rig.inject(at_time(50ms), "crash", params_of({{"target", nodes({2})}}));
  rig.inject(at_time(105ms), "crash-loop", loop_of(50ms, 100ms));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 0});
  CHECK_FALSE(rig.is_up(2));
  const FaultSpec& fault = *Faults::find("crash-loop");
  CHECK(fault.problem(loop_of(0s, 1s), Schedule{}).has_value());
  CHECK(fault.problem(loop_of(1s, 0s), Schedule{}).has_value());
  CHECK_FALSE(fault.problem(loop_of(1s, 1s), Schedule{}).has_value());
  CHECK(says("crash-loop", loop_of(1s, 2s)) == "node-2 crashes every 3s");
}

}  // namespace
}  // namespace rejoin::sim
