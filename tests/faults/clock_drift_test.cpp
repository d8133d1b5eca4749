#include <doctest/doctest.h>

#include <map>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

// How far the second node's wall clock is from where its monotonic one says that it should be, at
// each tick.
struct Readings {
  explicit Readings(FaultRig& rig) {
    const auto tick = rig.machines.script(2).timer;
    rig.machines.script(2).timer = [this, tick](Env& env, TimerId id) {
      off[env.now()] =
          env.wall_now().time_since_epoch() - env.now().time_since_epoch() - 1'704'067'200s;
      tick(env, id);
    };
  }
  [[nodiscard]] Duration at(Duration time) const { return off.at(at_time(time)); }
  std::map<MonotonicTime, Duration> off;
};

Params drift_of(std::int64_t ppm) {
  return params_of({{"target", nodes({2})}, {"rate", Rate{ppm}}});
}

TEST_CASE(
    "a wall clock drifts while it lasts and stays where it has drifted to; timers do not care") {
  FaultRig rig;
  const Readings readings(rig);
  rig.inject(at_time(200ms), "clock-drift", drift_of(-100'000), 400ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  CHECK(readings.at(190ms) == 0s);
  CHECK(readings.at(400ms) == -20ms);
  CHECK(readings.at(900ms) == -40ms);
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    CHECK((arrival.at - at_time(1ms)) % 10ms == Duration{});
  }
  CHECK(Faults::find("clock-drift")->problem(drift_of(0), Schedule{}).has_value());
  CHECK(says("clock-drift", drift_of(200)) == "the wall clock of node-2 drifts by +200ppm");
}

}  // namespace
}  // namespace rejoin::sim
