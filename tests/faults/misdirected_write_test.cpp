#include <doctest/doctest.h>

#include "tests/faults/disk_rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

TEST_CASE("misdirected-write leaves holes where it should have written, and damage elsewhere") {
  DiskRig rig;
  rig.rig.machines.kernel.provision(Address(2), "other", as_bytes("ooooooooo"));
  rig.inject(at_time(305ms), "misdirected-write", {}, 100ms);
  rig.power_cycle(at_time(605ms));
  std::string other;
  rig.rig.machines.at(at_time(700ms), [&] {
    rig.rig.machines.script(2).start = [](Env& env) { env.read("other", kSynced); };
    rig.rig.machines.script(2).io = [&](Env&, const IoDone& done) { other = text_of(done.data); };
    (void)rig.rig.machines.kernel.crash(Address(2));
    (void)rig.rig.machines.kernel.start(Address(2));
  });
  rig.run();
  CHECK(rig.failed == 0);
  CHECK(rig.journal.size() == 60);
  CHECK(rig.count('\0') == 10);
  CHECK(rig.journal.substr(30, 10) == std::string(10, '\0'));
  CHECK(other == "xoooooooo");
}

TEST_CASE("a share of misdirected-write misses that share of writes") {
  DiskRig rig;
  rig.inject(at_time(5ms), "misdirected-write", params_of({{"share", Share{500'000}}}));
  rig.power_cycle(at_time(905ms));
  rig.run();
  CHECK(rig.count('\0') > 25);
  CHECK(rig.count('x') > 25);
  CHECK(says("misdirected-write", params_of({{"target", nodes({2})}})) ==
        "the disk of node-2 puts what it writes in a wrong place");
}

}  // namespace
}  // namespace rejoin::sim
