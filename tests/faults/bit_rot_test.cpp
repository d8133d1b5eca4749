#include <doctest/doctest.h>

#include "tests/faults/disk_rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

std::size_t flipped_bits(const std::string& journal) {
  std::size_t bits = 0;
  for (const char c : journal) {
    for (unsigned b = 0; b < 8; ++b) bits += (static_cast<unsigned char>(c ^ 'x') >> b) & 1U;
  }
  return bits;
}

TEST_CASE("bit-rot flips so many bits of what is on disk, for good") {
  DiskRig rig;
  rig.inject(at_time(505ms), "bit-rot", params_of({{"bits", std::int64_t{3}}}));
  rig.power_cycle(at_time(605ms));
  rig.run();
  CHECK(rig.journal.size() == 60);
  CHECK(flipped_bits(rig.journal) == 3);
  CHECK(rig.rig.touched.at(0) == 1);
  CHECK(rig.rig.did() >= 1);
  CHECK(rig.rig.did() <= 3);
}

TEST_CASE("bit-rot of reads flips a bit of the answer and leaves the disk") {
  DiskRig rig;
  rig.inject(at_time(505ms), "bit-rot",
             params_of({{"bits", std::int64_t{0}}, {"reads", Share{1'000'000}}}), 200ms);
  rig.power_cycle(at_time(605ms));
  std::string while_it_lasted;
  rig.rig.machines.at(at_time(650ms), [&] { while_it_lasted = rig.journal; });
  rig.power_cycle(at_time(905ms));
  rig.run();
  CHECK(flipped_bits(while_it_lasted) == 1);
  CHECK(flipped_bits(rig.journal) == 0);
  CHECK(rig.journal.size() > 60);
}

TEST_CASE("bit-rot of nothing touches nothing, and says why it makes no sense") {
  DiskRig rig;
  rig.inject(at_time(505ms), "bit-rot", params_of({{"file", std::string("raft")}}));
  rig.run();
  CHECK(rig.rig.touched == std::vector<std::uint64_t>{0});
  const FaultSpec& fault = *Faults::find("bit-rot");
  const Params none =
      completed(fault, params_of({{"target", nodes({2})}, {"bits", std::int64_t{0}}}));
  CHECK(fault.problem(none, Schedule{}).has_value());
  CHECK(says("bit-rot", params_of({{"target", nodes({2})}})) == "8 bits rot on the disk of node-2");
}

}  // namespace
}  // namespace rejoin::sim
