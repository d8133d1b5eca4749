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

Params step_of(Duration by) {
  return params_of({{"target", nodes({2})}, {"by", by}});
}

TEST_CASE("a step moves the wall clock for good, there and back") {
  FaultRig rig;
  const Readings readings(rig);
  rig.inject(at_time(205ms), "clock-step", step_of(3s));
  rig.inject(at_time(505ms), "clock-step", step_of(-4s));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 1});
  CHECK(readings.at(200ms) == 0s);
  CHECK(readings.at(210ms) == 3s);
  CHECK(readings.at(510ms) == -1s);
  CHECK(readings.at(1000ms) == -1s);
  CHECK(rig.heard[2][1] == 100);
  CHECK(Faults::find("clock-step")->problem(step_of(0s), Schedule{}).has_value());
  CHECK(says("clock-step", step_of(-250ms)) == "the wall clock of node-2 jumps by -250ms");
}

}  // namespace
}  // namespace rejoin::sim
