#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params upgrade(Selectors target, std::int64_t version, Duration every) {
  return params_of({{"target", std::move(target)}, {"version", version}, {"every", every}});
}

TEST_CASE("upgrade restarts its hosts one after the other, each with the new version") {
  FaultRig rig;
  rig.inject(at_time(105ms), "upgrade", upgrade({select(NodeId(1)), select(NodeId(3))}, 2, 200ms));
  rig.run_until(at_time(200ms));
  CHECK(rig.starts == std::vector<std::uint64_t>{0, 2, 1, 1});
  rig.run_until(at_time(2s));
  CHECK(rig.starts == std::vector<std::uint64_t>{0, 2, 1, 2});
  CHECK(rig.touched == std::vector<std::uint64_t>{2});
  CHECK(rig.machines.version_started(1) == 2);
  CHECK(rig.machines.version_started(2) == 1);
  CHECK(rig.machines.version_started(3) == 2);
}

TEST_CASE("a crash after an upgrade does not bring the old version back") {
  FaultRig rig;
  rig.inject(at_time(105ms), "upgrade", upgrade({select(NodeId(1))}, 2, 200ms));
  rig.inject(at_time(305ms), "restart",
             params_of({{"target", Selectors{select(NodeId(1))}}, {"wipe", std::string("false")}}));
  rig.run_until(at_time(2s));
  CHECK(rig.starts[1] == 3);
  CHECK(rig.machines.version_started(1) == 2);
}

TEST_CASE("an upgrade leaves those alone that have the version, and touches nothing when all do") {
  FaultRig rig;
  rig.inject(at_time(105ms), "upgrade", upgrade({select(NodeId(1))}, 2, 10ms));
  rig.inject(at_time(205ms), "upgrade", upgrade({select(NodeId(1)), select(NodeId(2))}, 2, 10ms));
  rig.inject(at_time(305ms), "upgrade", upgrade({select(NodeId(1)), select(NodeId(2))}, 2, 10ms));
  rig.run_until(at_time(2s));
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 1, 0});
  CHECK(rig.did(1) == 1);
  CHECK(rig.did(2) == 0);
  CHECK(rig.starts == std::vector<std::uint64_t>{0, 2, 2, 1});
}

TEST_CASE("there is no software of a version that nobody wrote") {
  const FaultSpec* const spec = Faults::find("upgrade");
  CHECK_FALSE(spec->problem(upgrade({select(NodeId(1))}, 2, 1s), {}).has_value());
  CHECK(spec->problem(upgrade({select(NodeId(1))}, 3, 1s), {}) ==
        "there is no software of version 3: versions are 1 to 2");
}

}  // namespace
}  // namespace rejoin::sim
