#include <doctest/doctest.h>

#include "tests/faults/disk_rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

TEST_CASE("disk-full lets through what has room, then fails, until it is over") {
  DiskRig rig;
  rig.inject(at_time(305ms), "disk-full", params_of({{"free", Size{5}}}), 200ms);
  rig.run();
  CHECK(rig.rig.touched == std::vector<std::uint64_t>{1});
  // 20 syncs of one byte: 5 fit; each that fails leaves its byte to the next.
  CHECK(rig.failed == 15);
  CHECK(rig.rig.did() == 15);
  CHECK(rig.synced == 85);
}

TEST_CASE("disk-full of a file leaves the others alone") {
  DiskRig rig;
  rig.inject(at_time(305ms), "disk-full", params_of({{"file", std::string("store")}}));
  rig.run();
  CHECK(rig.failed == 0);
  CHECK(rig.rig.did() == 0);
  CHECK(says("disk-full", params_of({{"target", nodes({2})}, {"file", std::string("store")}})) ==
        "the disk of node-2 (store) is full");
}

}  // namespace
}  // namespace rejoin::sim
