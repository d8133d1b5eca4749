#include <doctest/doctest.h>

#include "tests/faults/disk_rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

// Strikes while the sync of the 60th byte is under way.
const MonotonicTime kMidSync = at_time(600'030us);

TEST_CASE("torn-write leaves garbage at the end of what a power cut interrupts, and only there") {
  std::size_t garbage = 0;
  std::size_t gone = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    DiskRig rig(seed);
    rig.inject(at_time(505ms), "torn-write");
    rig.power_cycle(kMidSync);
    rig.run();
    REQUIRE(rig.journal.size() >= 59);
    CHECK(rig.journal.substr(0, 59) == std::string(59, 'x'));
    garbage += rig.journal.size() == 60 && rig.journal.back() != 'x' ? 1U : 0U;
    gone += rig.journal.size() == 59 ? 1U : 0U;
  }
  CHECK(garbage > 5);
  CHECK(gone > 5);
}

TEST_CASE("without torn-write, and after its end, a power cut leaves a prefix") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    DiskRig rig(seed);
    rig.inject(at_time(505ms), "torn-write", {}, 50ms);
    rig.power_cycle(kMidSync);
    rig.run();
    CHECK(rig.count('x') == rig.journal.size());
  }
  CHECK(says("torn-write", params_of({{"target", nodes({2})}})) ==
        "a crash of node-2 tears what is not synced into sectors");
}

}  // namespace
}  // namespace rejoin::sim
