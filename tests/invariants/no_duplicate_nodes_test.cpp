#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

const std::string kName = "no-duplicate-nodes";

fact::MembersApplied list(std::vector<fact::MemberInfo> members) {
  return fact::MembersApplied{std::move(members)};
}

}  // namespace

TEST_CASE("no-duplicate-nodes accepts a node that returns in another life at another address") {
  Story story({kName});
  story.cluster();
  story.tell(
      1, list({{NodeId(1), Incarnation(1), Address(1)}, {NodeId(3), Incarnation(2), Address(9)}}));
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 2);
}

TEST_CASE("no-duplicate-nodes rejects two lives of one node as two members") {
  Story story({kName});
  story.tell(
      1, list({{NodeId(3), Incarnation(1), Address(3)}, {NodeId(3), Incarnation(2), Address(9)}}));
  check_says(
      story,
      "node-3 is a member twice, at address 3 and at address 9, in the member list that node-1 "
      "applied");
}

TEST_CASE("no-duplicate-nodes rejects two members at one address") {
  Story story({kName});
  story.tell(
      2, list({{NodeId(1), Incarnation(1), Address(3)}, {NodeId(3), Incarnation(1), Address(3)}}));
  check_says(story,
             "node-1 and node-3 are both members at address 3, in the member list that node-2 "
             "applied");
}
