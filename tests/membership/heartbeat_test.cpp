#include <doctest/doctest.h>

#include <vector>

#include "protocols/membership/detector.hpp"

namespace rejoin {
namespace {

// What is suspected after each of these checks, one every five seconds.
std::vector<bool> suspicions(std::uint32_t limit, const std::vector<bool>& healthy) {
  MembershipOptions options;
  options.failures = limit;
  const auto detector = Detectors::find("heartbeat")->make(options);
  std::vector<bool> out;
  CheckOutcome outcome;
  for (const bool answered : healthy) {
    outcome.at += 5s;
    outcome.healthy = answered;
    outcome.failures = answered ? 0 : outcome.failures + 1;
    detector->on_check(outcome);
    out.push_back(detector->suspects());
  }
  return out;
}

TEST_CASE("heartbeat: nobody is suspected before a check, nor below the limit") {
  MembershipOptions options;
  CHECK_FALSE(Detectors::find("heartbeat")->make(options)->suspects());
  CHECK(suspicions(3, {false, false}) == std::vector<bool>{false, false});
}

TEST_CASE("heartbeat: failures in a row are suspect from the limit on, until a check succeeds") {
  CHECK(suspicions(3, {false, false, false, false, true, false}) ==
        std::vector<bool>{false, false, true, true, false, false});
  CHECK(suspicions(1, {true, false}) == std::vector<bool>{false, true});
}

TEST_CASE("heartbeat: what failed before a success does not count") {
  CHECK(suspicions(2, {false, true, false, true, false}) ==
        std::vector<bool>{false, false, false, false, false});
}

}  // namespace
}  // namespace rejoin
