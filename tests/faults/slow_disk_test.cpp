#include <doctest/doctest.h>

#include "tests/faults/disk_rig.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

TEST_CASE("slow-disk makes syncs take its factor and the extra longer, until it is over") {
  DiskRig plain;
  plain.run();
  DiskRig slow;
  slow.inject(at_time(305ms), "slow-disk",
              params_of({{"factor", std::int64_t{4}}, {"extra", DurationRange{1ms, 1ms}}}), 300ms);
  slow.run();
  CHECK(slow.rig.touched == std::vector<std::uint64_t>{1});
  const auto before = plain.sync_times();
  const auto after = slow.sync_times();
  REQUIRE(before.size() == 100);
  REQUIRE(after.size() == 100);
  std::size_t slower = 0;
  for (const auto& [number, time] : before) {
    const Duration now = after.at(number);
    CHECK((now == time || now == time * 4 + 1ms));
    slower += now == time ? 0U : 1U;
  }
  CHECK(slower == 30);
  CHECK(slow.rig.did() == 30);
}

TEST_CASE("slow-disk must slow something, by a factor that a disk can have") {
  const FaultSpec& fault = *Faults::find("slow-disk");
  const auto problem = [&](std::int64_t factor) {
    return fault.problem(completed(fault, params_of({{"factor", factor}, {"target", nodes({2})}})),
                         Schedule{});
  };
  CHECK_FALSE(problem(10).has_value());
  CHECK(problem(0).has_value());
  CHECK(problem(1).has_value());
  CHECK(problem(10'001).has_value());
  CHECK(says("slow-disk", params_of({{"target", nodes({2})}})) ==
        "the disk of node-2 is 10 times slower");
}

}  // namespace
}  // namespace rejoin::sim
