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

Params off_by(Duration by) {
  return params_of({{"target", nodes({2})}, {"by", by}});
}

TEST_CASE("an offset is there while it lasts, and offsets add up") {
  FaultRig rig;
  const Readings readings(rig);
  rig.inject(at_time(205ms), "clock-offset", off_by(-5s), 400ms);
  rig.inject(at_time(405ms), "clock-offset", off_by(2s), 400ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 1});
  CHECK(readings.at(200ms) == 0s);
  CHECK(readings.at(210ms) == -5s);
  CHECK(readings.at(500ms) == -3s);
  CHECK(readings.at(700ms) == 2s);
  CHECK(readings.at(900ms) == 0s);
  CHECK(rig.heard[2][1] == 100);
}

TEST_CASE("an offset of nothing is refused, one of nobody touches nothing") {
  FaultRig rig;
  rig.inject(at_time(205ms), "clock-offset",
             params_of({{"target", nodes({77})}, {"by", Duration{1s}}}));
  rig.run_until(at_time(1s));
  CHECK(rig.touched == std::vector<std::uint64_t>{0});
  CHECK(Faults::find("clock-offset")->problem(off_by(0s), Schedule{}).has_value());
  CHECK(says("clock-offset", off_by(-5s)) == "the wall clock of node-2 is off by -5s");
}

}  // namespace
}  // namespace rejoin::sim
