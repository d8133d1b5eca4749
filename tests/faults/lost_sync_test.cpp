#include <doctest/doctest.h>

#include "tests/faults/disk_rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

TEST_CASE("lost-sync answers ok, and a power cut takes what was not synced honestly") {
  std::size_t least = 100;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    DiskRig rig(seed);
    rig.inject(at_time(305ms), "lost-sync");
    rig.power_cycle(at_time(605ms));
    rig.run();
    CHECK(rig.failed == 0);
    CHECK(rig.journal.size() >= 30);
    CHECK(rig.journal.size() <= 60);
    least = std::min(least, rig.journal.size());
  }
  CHECK(least < 40);
}

TEST_CASE("without lost-sync, and with one that is over before an honest sync, nothing is lost") {
  DiskRig honest;
  honest.power_cycle(at_time(605ms));
  honest.run();
  CHECK(honest.journal.size() == 60);

  DiskRig over;
  over.inject(at_time(305ms), "lost-sync", {}, 200ms);
  over.power_cycle(at_time(605ms));
  over.run();
  CHECK(over.journal.size() == 60);
  CHECK(says("lost-sync", params_of({{"target", nodes({2})}, {"share", Share{250'000}}})) ==
        "the disk of node-2 loses 25% of what it says is synced");
}

}  // namespace
}  // namespace rejoin::sim
