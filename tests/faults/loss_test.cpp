#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params share(std::uint32_t ppm) {
  return params_of({{"share", Share{ppm}}});
}

TEST_CASE("loss takes its share of datagrams for as long as it lasts") {
  FaultRig rig;
  rig.inject(at_time(255ms), "loss", share(400'000), 500ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{6});
  // 300 datagrams are sent while it is set.
  CHECK(rig.machines.kernel.traffic().dropped > 80);
  CHECK(rig.machines.kernel.traffic().dropped < 160);
  CHECK(rig.heard_in_all() == 600 - rig.machines.kernel.traffic().dropped);
  CHECK(rig.did() == rig.machines.kernel.traffic().dropped);
}

TEST_CASE("without loss everything arrives") {
  FaultRig rig;
  rig.run_until(at_time(2s));
  CHECK(rig.heard_in_all() == 600);
}

TEST_CASE("a loss of nothing is refused") {
  const FaultSpec* const fault = Faults::find("loss");
  CHECK(fault->problem(completed(*fault, share(0)), {}).has_value());
  CHECK_FALSE(fault->problem(completed(*fault, share(1)), {}).has_value());
  CHECK(says("loss", share(100'000)) == "10% of datagrams are lost");
}

}  // namespace
}  // namespace rejoin::sim
