// The mechanism `digest-list`: anti-entropy by lists of keys.
#include "tests/sync/comparing.hpp"

namespace rejoin {
namespace {

using namespace sync_test;

TEST_CASE("digest-list: a node that returns gets what differs, and nothing else") {
  check_returns("digest-list");
}
TEST_CASE("digest-list: records go to whoever lacks them, as the direction says") {
  check_pushes("digest-list");
}
TEST_CASE("digest-list: the newer of two versions stays, and goes to the others") {
  check_keeps_newer("digest-list");
}
TEST_CASE("digest-list: lost messages are sent again") {
  check_lost_answers("digest-list");
}
TEST_CASE(
    "digest-list: passes make replicas equal that nobody repaired, and then they are silent") {
  check_passes("digest-list");
}

}  // namespace
}  // namespace rejoin
