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

const Params kNode2 = params_of({{"target", nodes({2})}});

TEST_CASE("a frozen wall clock stands while it lasts, and goes on from there") {
  FaultRig rig;
  const Readings readings(rig);
  rig.inject(at_time(200ms), "clock-freeze", kNode2, 400ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  CHECK(readings.at(190ms) == 0s);
  CHECK(readings.at(300ms) == -100ms);
  CHECK(readings.at(500ms) == -300ms);
  CHECK(readings.at(900ms) == -400ms);
  CHECK(rig.heard[2][1] == 100);
  CHECK(says("clock-freeze", kNode2) == "the wall clock of node-2 stands still");
}

}  // namespace
}  // namespace rejoin::sim
