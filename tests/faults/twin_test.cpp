#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params twin_on(const std::string& disk) {
  return params_of({{"target", nodes({2})}, {"disk", disk}});
}

TEST_CASE("a twin is a second process of the node, on a copy of its disk or an empty one") {
  for (const std::string disk : {"copy", "empty"}) {
    FaultRig rig;
    rig.inject(at_time(505ms), "twin", twin_on(disk));
    rig.run_until(at_time(2s));
    CHECK(rig.touched == std::vector<std::uint64_t>{1});
    CHECK(rig.starts[2] == 2);
    CHECK(rig.is_up(2));
    CHECK(rig.heard[2][1] == 100);
    CHECK(rig.machines.kernel.hosts().size() == 4);
    CHECK(rig.journal_at_start[2] == (disk == "copy" ? 50 : 0));
  }
}

TEST_CASE("taken back, the twin dies and the node lives on") {
  FaultRig rig;
  rig.inject(at_time(505ms), "twin", twin_on("copy"), 200ms);
  rig.run_until(at_time(2s));
  const Address twin = rig.machines.kernel.hosts().back();
  CHECK_FALSE(rig.machines.kernel.is_up(twin));
  CHECK(rig.is_up(2));
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    if (arrival.from == twin.value) CHECK(arrival.at < at_time(710ms));
  }
  CHECK(says("twin", twin_on("copy")) == "a second node-2 starts on a copy of its disk");
  CHECK(says("twin", twin_on("empty")) == "a second node-2 starts on an empty disk");
}

}  // namespace
}  // namespace rejoin::sim
