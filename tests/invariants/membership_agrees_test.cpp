#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "membership-agrees";

// The log has gone so far that the node's list is at this index.
Story& apply(Story& story, std::uint32_t node, std::uint64_t index,
             const std::vector<std::uint32_t>& members) {
  story.tell(node,
             fact::EntryApplied{
                 .group = kClusterGroup, .index = LogIndex(index), .term = Term(1), .digest = 0});
  return story.members(members, node);
}
}  // namespace

TEST_CASE("membership-agrees accepts equal lists; who is dead or removed need not know") {
  Story story({kName}, {.nodes = 4});
  story.cluster();
  for (const std::uint32_t node : {1U, 2U, 3U}) apply(story, node, 5, {1, 2, 3});
  story.crash(3).end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 2);
}

TEST_CASE("membership-agrees rejects a member that has an old list") {
  Story story({kName});
  story.cluster();
  for (const std::uint32_t node : {1U, 2U, 3U}) apply(story, node, 4, {1, 2, 3});
  for (const std::uint32_t node : {1U, 2U}) apply(story, node, 5, {1, 2});
  for (const std::uint32_t node : {1U, 3U}) apply(story, node, node == 1 ? 6 : 4, {1, 2, 3});
  story.end();
  check_says(story,
             "at the end node-2, a member that is up, takes node-1 (incarnation 1) and node-2 "
             "(incarnation 1) for the members, and not node-1 (incarnation 1), node-2 "
             "(incarnation 1) and node-3 (incarnation 1)");
  CHECK(story.violations().front().node == NodeId(2));
}

TEST_CASE("membership-agrees rejects another life of a member, and a process that knows nobody") {
  Story story({kName});
  story.cluster();
  apply(story, 1, 5, {1, 2, 3});
  fact::MembersApplied applied;
  for (const std::uint64_t n : {1U, 2U, 3U}) {
    applied.members.push_back({NodeId(static_cast<std::uint32_t>(n)), Incarnation(n == 3 ? 2 : 1),
                               Address(static_cast<std::uint32_t>(n))});
  }
  story.tell(2, applied).crash(3).start(3).end();
  const std::vector<Violation> violations = story.violations();
  REQUIRE(violations.size() == 2);
  CHECK(violations[0].says.find("node-3 (incarnation 2) for the members") != std::string::npos);
  CHECK(violations[1].says.find("node-3, a member that is up, has applied no list") !=
        std::string::npos);
}

TEST_CASE("membership-agrees judges no single survivor") {
  Story story({kName});
  story.cluster().crash(2).crash(3).end();
  CHECK(story.judged(kName) == 0);
}
