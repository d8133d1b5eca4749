#include <doctest/doctest.h>

#include "tests/faults/disk_rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

TEST_CASE("misdirected-read answers with another file's bytes, until it is over") {
  DiskRig rig;
  rig.rig.machines.kernel.provision(Address(2), "other", as_bytes("ooooooooo"));
  rig.inject(at_time(505ms), "misdirected-read", {}, 200ms);
  rig.power_cycle(at_time(605ms));
  std::string while_it_lasted;
  rig.rig.machines.at(at_time(650ms), [&] { while_it_lasted = rig.journal; });
  rig.power_cycle(at_time(905ms));
  rig.run();
  CHECK(rig.rig.touched == std::vector<std::uint64_t>{1});
  CHECK(while_it_lasted == std::string("ooooooooo").append(51, 'x'));
  CHECK(rig.count('x') == rig.journal.size());
  CHECK(rig.journal.size() > 60);
  CHECK(says("misdirected-read", params_of({{"target", nodes({2})}})) ==
        "the disk of node-2 answers reads with bytes of another file");
}

}  // namespace
}  // namespace rejoin::sim
