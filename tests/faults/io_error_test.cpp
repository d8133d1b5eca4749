#include <doctest/doctest.h>

#include "tests/faults/disk_rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

TEST_CASE("io-error fails syncs, reads or both, until it is over") {
  DiskRig syncs;
  syncs.inject(at_time(305ms), "io-error", params_of({{"of", std::string("syncs")}}), 98ms);
  syncs.power_cycle(at_time(355ms));
  syncs.run();
  CHECK(syncs.failed == 8);  // 310 to 350 ms, then 375, 385 and 395 ms: it was down
  CHECK(syncs.status == IoStatus::ok);

  DiskRig reads;
  reads.inject(at_time(305ms), "io-error", params_of({{"of", std::string("reads")}}), 100ms);
  reads.power_cycle(at_time(355ms));
  reads.run();
  CHECK(reads.failed == 1);
  CHECK(reads.status == IoStatus::failed);
  CHECK(reads.journal.empty());
}

TEST_CASE("a sync that io-error failed was written, or is a hole after a power cut") {
  DiskRig rig;
  rig.inject(at_time(305ms), "io-error", {}, 300ms);
  rig.power_cycle(at_time(905ms));
  rig.run();
  CHECK(rig.failed == 30);
  CHECK(rig.rig.did() == 30);
  CHECK(rig.journal.size() == 90);
  CHECK(rig.count('\0') > 5);
  CHECK(rig.count('\0') < 25);
  CHECK(rig.count('x') + rig.count('\0') == 90);
  CHECK(says("io-error", params_of({{"target", nodes({2})}, {"share", Share{10'000}}})) ==
        "1% of syncs and reads fail on the disk of node-2");
}

TEST_CASE("a share of no operations is refused, of every fault of disks that has one") {
  for (const char* name : {"io-error", "lost-sync", "misdirected-read", "misdirected-write"}) {
    const FaultSpec& fault = *Faults::find(name);
    const auto problem = [&](std::uint32_t ppm) {
      const Params params = params_of({{"target", nodes({2})}, {"share", Share{ppm}}});
      return fault.problem(completed(fault, params), Schedule{});
    };
    CHECK(problem(0).has_value());
    CHECK_FALSE(problem(1).has_value());
  }
}

}  // namespace
}  // namespace rejoin::sim
