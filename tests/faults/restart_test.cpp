#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kCrash = params_of({{"target", nodes({2})}});
const Params kKeep = params_of({{"target", nodes({2})}, {"wipe", std::string("false")}});
const Params kWipe = params_of({{"target", nodes({2})}, {"wipe", std::string("true")}});

TEST_CASE("restart starts a crashed process on the disk that it left") {
  FaultRig rig;
  rig.inject(at_time(505ms), "crash", kCrash);
  rig.inject(at_time(605ms), "restart", kKeep);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 1});
  CHECK(rig.starts[2] == 2);
  CHECK(rig.journal_at_start[2] == 50);
  CHECK(rig.heard[2][1] > 80);
  CHECK(rig.heard[2][1] < 100);
}

TEST_CASE("without a restart a crashed process stays down") {
  FaultRig rig;
  rig.inject(at_time(505ms), "crash", kCrash);
  rig.run_until(at_time(2s));
  CHECK(rig.starts[2] == 1);
  CHECK(rig.heard[2][1] == 50);
}

TEST_CASE("restart with wipe starts it on an empty disk") {
  FaultRig rig;
  rig.inject(at_time(505ms), "crash", kCrash);
  rig.inject(at_time(605ms), "restart", kWipe);
  rig.run_until(at_time(2s));
  CHECK(rig.starts[2] == 2);
  CHECK(rig.journal_at_start[2] == 0);
  CHECK(rig.machines.recorder.count("DiskWiped") == 1);
}

TEST_CASE("restart of a process that runs kills it first") {
  FaultRig rig;
  rig.inject(at_time(505ms), "restart", kKeep);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  CHECK(rig.starts[2] == 2);
  CHECK(rig.machines.recorder.count("ProcessCrashed") == 1);
  CHECK(says("restart", kKeep) == "node-2 restarts");
  CHECK(says("restart", kWipe) == "node-2 restarts on an empty disk");
}

}  // namespace
}  // namespace rejoin::sim
