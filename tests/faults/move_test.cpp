#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kNode2 = params_of({{"target", nodes({2})}});

TEST_CASE("move starts a host again at another address, on the disk that it had") {
  FaultRig rig;
  rig.inject(at_time(505ms), "move", kNode2);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  CHECK(rig.starts[2] == 2);
  CHECK(rig.journal_at_start[2] == 50);
  const Address now = rig.machines.kernel.address_of(NodeId(2));
  CHECK(now != Address(2));
  CHECK(rig.machines.kernel.is_up(now));
  CHECK_FALSE(rig.is_up(2));
  // Others still write to where it was; it writes to them from where it is.
  CHECK(rig.heard[1][2] == 50);
  std::size_t from_there = 0;
  for (const FaultRig::Arrival& arrival : rig.arrivals) from_there += arrival.from == now.value;
  CHECK(from_there > 80);
  CHECK(says("move", kNode2) == "node-2 moves to another address");
}

TEST_CASE("each move goes to a fresh address, and nobody who is not there moves") {
  FaultRig rig;
  rig.inject(at_time(100ms), "move", kNode2);
  rig.inject(at_time(200ms), "move", kNode2);
  rig.inject(at_time(300ms), "move", params_of({{"target", nodes({77})}}));
  rig.run_until(at_time(150ms));
  const Address first = rig.machines.kernel.address_of(NodeId(2));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 1, 0});
  CHECK(rig.starts[2] == 3);
  const Address second = rig.machines.kernel.address_of(NodeId(2));
  CHECK(first != Address(2));
  CHECK(second != Address(2));
  CHECK(second != first);
}

}  // namespace
}  // namespace rejoin::sim
