#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params who(const std::string& direction) {
  return params_of({{"target", nodes({2})}, {"direction", direction}});
}

TEST_CASE("an isolated node neither hears nor is heard, until it ends") {
  FaultRig rig;
  rig.inject(at_time(305ms), "isolate", who("both"), 200ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{4});
  CHECK(rig.heard[1][2] == 80);
  CHECK(rig.heard[2][3] == 80);
  CHECK(rig.heard[1][3] == 100);
}

TEST_CASE("isolated in one direction, a node hears and is not heard, or the other way round") {
  FaultRig rig;
  rig.inject(at_time(305ms), "isolate", who("in"), 200ms);
  rig.inject(at_time(605ms), "isolate", who("out"), 300ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{2, 2});
  CHECK(rig.heard[1][2] == 80);
  CHECK(rig.heard[2][1] == 70);
  CHECK(says("isolate", who("in")) == "node-2 no longer hears anyone");
  CHECK(says("isolate", who("out")) == "node-2 is no longer heard by anyone");
  CHECK(says("isolate", who("both")) == "node-2 is cut off from everyone");
}

TEST_CASE("isolated nodes do not see each other either") {
  FaultRig rig;
  rig.inject(at_time(505ms), "isolate", params_of({{"target", nodes({1, 2})}}));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{6});
  CHECK(rig.heard[1][2] == 50);
}

}  // namespace
}  // namespace rejoin::sim
