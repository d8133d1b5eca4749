#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

const Params kSome = params_of({{"share", Share{300'000}}});

TEST_CASE("duplicated datagrams arrive twice, and none is lost") {
  FaultRig rig;
  rig.inject(at_time(255ms), "duplicate", kSome, 500ms);
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{6});
  // Of the 300 datagrams that are sent while it lasts.
  CHECK(rig.heard_in_all() > 600 + 60);
  CHECK(rig.heard_in_all() < 600 + 120);
  CHECK(rig.did() == rig.heard_in_all() - 600);
  CHECK(says("duplicate", kSome) == "30% of datagrams arrive twice");
}

TEST_CASE("a stream delivers each message once, duplicates or not") {
  FaultRig rig({.transport = Transport::stream});
  rig.inject(at_time(255ms), "duplicate", kSome);
  rig.run_until(at_time(2s));
  CHECK(rig.heard_in_all() == 600);
}

TEST_CASE("a share of nothing is refused") {
  const FaultSpec* const fault = Faults::find("duplicate");
  CHECK(fault->problem(completed(*fault, params_of({{"share", Share{0}}})), {}) ==
        "a share of 0 touches nothing: it is above 0, up to 100%");
}

}  // namespace
}  // namespace rejoin::sim
