#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kNode2 = params_of({{"target", nodes({2})}});

TEST_CASE("pause holds what comes to a host until it ends, and loses nothing") {
  FaultRig rig;
  rig.inject(at_time(505ms), "pause", kNode2, 200ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1});
  CHECK(rig.heard[1][2] == 100);
  std::size_t at_the_end = 0;
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    if (arrival.from == 2) CHECK((arrival.at < at_time(510ms) || arrival.at >= at_time(705ms)));
    if (arrival.to == 2 && arrival.at == at_time(705ms)) ++at_the_end;
  }
  CHECK(at_the_end == 40);
  CHECK(rig.did() == 41);  // and its own timer
  CHECK(rig.starts[2] == 1);
}

TEST_CASE("a pause of a host that is down touches nothing, and without one nobody waits") {
  FaultRig rig;
  rig.inject(at_time(100ms), "crash", kNode2);
  rig.inject(at_time(200ms), "pause", kNode2);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 0});
  for (const FaultRig::Arrival& arrival : rig.arrivals) {
    CHECK((arrival.at - at_time(1ms)) % 10ms == Duration{});
  }
  CHECK(says("pause", kNode2) == "node-2 stands still");
  CHECK(says("pause", params_of({{"target", Selectors{{.kind = Selector::Kind::nodes}}}})) ==
        "all nodes stand still");
}

}  // namespace
}  // namespace rejoin::sim
