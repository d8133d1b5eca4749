#include <doctest/doctest.h>

#include "tests/faults/rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

Params reconfigure(Selectors target, std::int64_t partitions) {
  return params_of({{"target", std::move(target)}, {"partitions", partitions}});
}

using Count = std::optional<std::uint32_t>;

TEST_CASE(
    "reconfigure restarts its hosts with that configuration, and starts those that are down") {
  FaultRig rig;
  rig.inject(at_time(105ms), "crash", params_of({{"target", nodes({3})}}));
  rig.inject(at_time(205ms), "reconfigure", reconfigure(nodes({2, 3}), 8));
  rig.run_until(at_time(2s));
  CHECK(rig.starts == std::vector<std::uint64_t>{0, 1, 2, 2});
  CHECK(rig.touched == std::vector<std::uint64_t>{1, 2});
  CHECK(rig.machines.installed[1].partitions == Count{});
  CHECK(rig.machines.installed[2].partitions == Count{8});
  CHECK(rig.machines.installed[3].partitions == Count{8});
  // The process died, not the machine.
  CHECK(rig.journal_at_start[2] == 20);
}

TEST_CASE("a configuration stays through restarts, moves and upgrades until another one comes") {
  FaultRig rig;
  rig.inject(at_time(105ms), "reconfigure", reconfigure(nodes({1, 2, 3}), 8));
  rig.inject(at_time(205ms), "restart", params_of({{"target", nodes({1})}}));
  rig.inject(at_time(205ms), "move", params_of({{"target", nodes({2})}}));
  rig.inject(at_time(205ms), "upgrade", params_of({{"target", nodes({3})}}));
  rig.run_until(at_time(300ms));
  CHECK(rig.starts == std::vector<std::uint64_t>{0, 3, 3, 3});
  for (const std::uint32_t n : {1U, 2U, 3U})
    CHECK(rig.machines.installed[n].partitions == Count{8});
  CHECK(rig.machines.version_started(3) == 2);
  rig.inject(at_time(305ms), "reconfigure", reconfigure(nodes({1}), 16));
  rig.run_until(at_time(2s));
  CHECK(rig.machines.installed[1].partitions == Count{16});
  CHECK(rig.machines.installed[2].partitions == Count{8});
}

TEST_CASE("a twin has the configuration of its node") {
  FaultRig rig;
  rig.inject(at_time(105ms), "reconfigure", reconfigure(nodes({2}), 8));
  rig.inject(at_time(205ms), "twin", params_of({{"target", nodes({2})}}));
  rig.run_until(at_time(2s));
  CHECK(rig.starts[2] == 3);
  CHECK(rig.machines.installed[2].partitions == Count{8});
}

TEST_CASE("there are as many partitions as a cluster can have") {
  const FaultSpec* const spec = Faults::find("reconfigure");
  const auto problem = [&](std::int64_t partitions) {
    return spec->problem(reconfigure(nodes({1}), partitions), {});
  };
  CHECK_FALSE(problem(1).has_value());
  CHECK_FALSE(problem(1'000'000).has_value());
  CHECK(problem(0) == "no cluster has 0 partitions: there are 1 to 1000000");
  CHECK(problem(1'000'001) == "no cluster has 1000001 partitions: there are 1 to 1000000");
}

TEST_CASE("reconfigure says who, and for how many") {
  CHECK(says("reconfigure", reconfigure(nodes({2}), 8)) ==
        "node-2 restarts, configured for 8 partitions");
  CHECK(says("reconfigure", reconfigure(nodes({1, 2}), 1)) ==
        "node-1 and node-2 restart, configured for 1 partition");
}

}  // namespace
}  // namespace rejoin::sim
