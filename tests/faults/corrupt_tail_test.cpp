#include <doctest/doctest.h>

#include "tests/faults/disk_rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

TEST_CASE("corrupt-tail changes the last durable bytes of a file, each of them") {
  DiskRig rig;
  rig.inject(at_time(505ms), "corrupt-tail", params_of({{"bytes", Size{7}}}));
  rig.power_cycle(at_time(605ms));
  rig.run();
  CHECK(rig.rig.touched == std::vector<std::uint64_t>{1});
  CHECK(rig.rig.did() == 7);
  REQUIRE(rig.journal.size() == 60);
  // What was written behind it is as it should be.
  for (std::size_t i = 0; i < 60; ++i) CHECK((rig.journal[i] != 'x') == (i >= 43 && i < 50));
}

TEST_CASE("corrupt-tail of a disk without such a file touches nothing") {
  DiskRig rig;
  rig.inject(at_time(505ms), "corrupt-tail", params_of({{"file", std::string("raft")}}));
  rig.run();
  CHECK(rig.rig.touched == std::vector<std::uint64_t>{0});
  const FaultSpec& fault = *Faults::find("corrupt-tail");
  const Params none = completed(fault, params_of({{"target", nodes({2})}, {"bytes", Size{0}}}));
  CHECK(fault.problem(none, Schedule{}).has_value());
  CHECK(says("corrupt-tail", params_of({{"target", nodes({2})}})) ==
        "the last 16B of files of node-2 are corrupted");
}

}  // namespace
}  // namespace rejoin::sim
