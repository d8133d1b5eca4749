#include "tests/invariants/raft_facts.hpp"
#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;
using namespace rejoin::sim::raft_facts;

namespace {

const std::string kName = "raft-stable-leader";

Fact fault(const std::string& name, const std::string& target = "") {
  return fact::FaultInjected{name, target};
}

// node-1 leads term 1 while node-3 is cut off, from 10 s to 20 s.
Story healed() {
  Story story({kName});
  story.cluster().tell(1, leads(1)).at(10s).tell(0, fault("partition"));
  story.at(20s).tell(0, fault("heal", "the network heals"));
  return story;
}

}  // namespace

TEST_CASE("raft-stable-leader accepts a leader that stands after the heal") {
  Story story = healed();
  story.at(40s).tell(2, votes(1, 1)).end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 1);
}

TEST_CASE("raft-stable-leader rejects a leader that steps down for who returns") {
  Story story = healed();
  story.at(21s).tell(1, steps_down(1)).tell(3, leads(9)).end();
  check_says(story,
             "node-1 led a majority when the network healed at 20.000s, and stepped down from "
             "term 1 at 21.000s, although it had neither crashed nor lost its quorum");
}

TEST_CASE("raft-stable-leader rejects a leader that was replaced before it knew") {
  Story story = healed();
  story.at(21s).tell(3, leads(9)).end();
  check_says(story,
             "node-1 led a majority when the network healed at 20.000s, and was replaced by "
             "node-3 in term 9 at 21.000s, although it had neither crashed nor lost its quorum");
}

TEST_CASE("raft-stable-leader judges a leader that was elected behind the partition at once") {
  Story story({kName});
  story.cluster().tell(1, leads(1)).at(10s).tell(0, fault("partition")).at(11s).tell(2, leads(2));
  story.at(12s).tell(0, fault("heal")).tell(1, steps_down(1));
  story.at(13s).tell(2, steps_down(2)).end();
  CHECK(story.violations().size() == 1);
  CHECK(story.violations().front().node == NodeId(2));
}

TEST_CASE("raft-stable-leader does not judge a leader that may have been cut off itself") {
  Story story({kName});
  story.cluster().tell(1, leads(1)).at(10s).tell(0, fault("partition"));
  story.at(11s).tell(0, fault("heal")).at(12s).tell(1, steps_down(1)).end();
  CHECK(story.judged(kName) == 0);
  CHECK(story.violations().empty());
}

TEST_CASE("raft-stable-leader stops judging when the leader crashes or loses its quorum") {
  for (const std::uint32_t node : {1U, 2U}) {
    Story story = healed();
    if (node == 2) story.crash(3);
    story.crash(node).at(21s).tell(1, steps_down(1)).end();
    CHECK(story.judged(kName) == 0);
  }
  for (const char* other : {"partition", "crash"}) {
    Story story = healed();
    story.tell(0, fault(other)).tell(1, steps_down(1)).end();
    CHECK(story.judged(kName) == 0);
  }
  Story removed = healed();
  removed.members({2, 3}).tell(1, steps_down(1)).end();
  CHECK(removed.judged(kName) == 0);
}
