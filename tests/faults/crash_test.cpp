#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kNode2 = params_of({{"target", nodes({2})}});

TEST_CASE("crash kills the process: it neither speaks nor hears until it is started") {
  FaultRig rig;
  rig.inject(at_time(505ms), "crash", kNode2);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  CHECK_FALSE(rig.is_up(2));
  CHECK(rig.heard[2][1] == 50);
  CHECK(rig.heard[1][2] == 50);
  CHECK(rig.heard[1][3] == 100);
  CHECK(rig.machines.recorder.count("ProcessCrashed") == 1);
}

TEST_CASE("a crash that lasts ends with a restart on the disk that it left") {
  FaultRig rig;
  rig.inject(at_time(505ms), "crash", kNode2, 100ms);
  rig.run_until(at_time(2s));
  CHECK(rig.starts[2] == 2);
  CHECK(rig.journal_at_start[2] == 50);
}

TEST_CASE("without a crash everyone hears everyone to the end") {
  FaultRig rig;
  rig.run_until(at_time(2s));
  CHECK(rig.is_up(2));
  CHECK(rig.heard[2][1] == 100);
  CHECK(rig.heard[1][2] == 100);
  CHECK(rig.machines.recorder.count("ProcessCrashed") == 0);
}

TEST_CASE("a crash of a process that is down touches nothing") {
  FaultRig rig;
  rig.inject(at_time(100ms), "crash", kNode2);
  rig.inject(at_time(200ms), "crash", kNode2);
  rig.inject(at_time(300ms), "crash", params_of({{"target", nodes({77})}}));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 0, 0});
  CHECK(says("crash", kNode2) == "node-2 crashes");
}

}  // namespace
}  // namespace rejoin::sim
