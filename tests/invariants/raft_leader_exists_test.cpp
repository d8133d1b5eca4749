#include "tests/invariants/raft_facts.hpp"
#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;
using namespace rejoin::sim::raft_facts;

namespace {
const std::string kName = "raft-leader-exists";
}

TEST_CASE("raft-leader-exists accepts a leader that commits in the highest term") {
  Story story({kName});
  story.cluster().tell(1, leads(1)).tell(2, votes(2, 2)).tell(2, leads(2));
  story.tell(1, steps_down(1)).tell(2, appends(1, 2)).tell(2, commits(2, 1));
  story.at(30s).tell(2, appends(2, 2)).at(31s).end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 1);
}

TEST_CASE("raft-leader-exists rejects an end without a leader") {
  Story story({kName});
  story.cluster().tell(1, leads(1)).tell(1, commits(1, 1)).crash(1).at(30s).end();
  check_says(story, "at the end nobody leads, although node-2 and node-3 are up, 2 of 3 members");
}

TEST_CASE("raft-leader-exists rejects a leader that never committed in its term") {
  Story story({kName});
  story.cluster().tell(1, leads(2)).tell(1, commits(1, 1)).at(30s).end();
  check_says(story, "at the end node-1 leads term 2, but has committed nothing in it");
}

TEST_CASE("raft-leader-exists rejects a leader that hears no quorum and commits no more") {
  Story story({kName});
  story.cluster().tell(1, leads(1)).tell(1, appends(1, 1)).tell(1, commits(1, 1));
  story.at(10s).tell(1, appends(2, 1)).at(30s).end();
  check_says(story,
             "at the end node-1 leads term 1, but cannot commit: its entry 2 has waited since "
             "10.000s");
}

TEST_CASE("raft-leader-exists rejects a leader whom a member in a higher term will not follow") {
  Story story({kName});
  story.cluster().tell(1, leads(1)).tell(1, commits(1, 1)).tell(3, votes(7, 3)).at(30s).end();
  check_says(story,
             "at the end node-1 leads term 1, but node-3 is in term 7 and will not follow it");
}

TEST_CASE("raft-leader-exists rejects a deposed leader that never noticed") {
  Story story({kName});
  story.cluster().at(1s).tell(1, leads(1)).at(2s).tell(2, leads(2)).tell(2, commits(2, 1));
  story.at(30s).end();
  check_says(story,
             "at the end node-1 still leads term 1, although node-2 has led term 2 since 2.000s");
}

TEST_CASE("raft-leader-exists does not judge a minority") {
  Story story({kName});
  story.cluster().crash(1).crash(2).end();
  CHECK(story.judged(kName) == 0);
  CHECK(story.violations().empty());
}
