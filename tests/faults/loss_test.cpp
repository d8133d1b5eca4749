#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params share(std::uint32_t ppm) {
  return params_of({{"share", Share{ppm}}});
}

std::uint64_t heard_in_all(const FaultRig& rig) {
  std::uint64_t sum = 0;
  for (const auto& row : rig.heard) {
    for (const std::uint64_t n : row) sum += n;
  }
  return sum;
}

TEST_CASE("loss takes its share of datagrams, from when it is set to when it is unset") {
  FaultRig rig;
  rig.inject(at_time(255ms), "loss", share(400'000));
  rig.inject(at_time(755ms), "loss", share(0));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 1});
  // 300 datagrams are sent while it is set.
  CHECK(rig.machines.kernel.traffic().dropped > 80);
  CHECK(rig.machines.kernel.traffic().dropped < 160);
  CHECK(heard_in_all(rig) == 600 - rig.machines.kernel.traffic().dropped);
}

TEST_CASE("without loss everything arrives") {
  FaultRig rig;
  rig.run_until(at_time(2s));
  CHECK(heard_in_all(rig) == 600);
}

TEST_CASE("loss that is what it was touches nothing") {
  FaultRig rig;
  rig.inject(at_time(100ms), "loss", share(0));
  rig.run_until(at_time(200ms));
  CHECK(rig.touched == std::vector<std::uint64_t>{0});
  CHECK(says("loss", share(100'000)) == "10% of datagrams are lost");
}

}  // namespace
}  // namespace rejoin::sim
