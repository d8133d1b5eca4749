#include "tests/invariants/raft_facts.hpp"
#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;
using namespace rejoin::sim::raft_facts;

namespace {
const std::string kName = "raft-election-safety";
}

TEST_CASE("raft-election-safety accepts one leader a term, and one vote of each life") {
  Story story({kName});
  story.tell(1, votes(1, 1)).tell(2, votes(1, 1)).tell(1, leads(1));
  story.tell(2, votes(2, 2)).tell(3, votes(2, 2)).tell(2, leads(2));
  // The same vote again, and the vote of another incarnation.
  story.tell(3, votes(2, 2)).tell(3, votes(2, 1), 2);
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 8);
}

TEST_CASE("raft-election-safety rejects two leaders of one term") {
  Story story({kName});
  story.at(1s).tell(1, leads(3)).at(2s).tell(2, leads(3));
  check_says(story,
             "term 3 has two leaders: node-1 (incarnation 1) since 1.000s and node-2 "
             "(incarnation 1) since 2.000s");
}

TEST_CASE("raft-election-safety rejects a second vote after a restart") {
  Story story({kName});
  story.at(1s).tell(3, votes(4, 1)).crash(3).start(3).at(2s).tell(3, votes(4, 2));
  check_says(story,
             "node-3 voted twice in term 4: for node-1 (incarnation 1) at 1.000s and for node-2 "
             "(incarnation 1) at 2.000s");
}

TEST_CASE("raft-election-safety keeps the groups apart") {
  Story story({kName});
  story.tell(1, leads(3)).tell(2, fact::BecameLeader{GroupId(2), Term(3)});
  CHECK(story.violations().empty());
}

TEST_CASE("raft-election-safety rejects votes and leaders that a node shares with its twin") {
  Story votes_twice({kName});
  votes_twice.at(1s).tell(3, votes(4, 1)).at(2s).tell_twin(3, votes(4, 2));
  CHECK(votes_twice.violations().size() == 1);
  Story leads_twice({kName});
  leads_twice.at(1s).tell(3, leads(4)).at(2s).tell_twin(3, leads(4));
  CHECK(leads_twice.violations().size() == 1);
  Story once({kName});
  once.tell(3, leads(4)).tell(3, leads(4)).tell_twin(3, votes(4, 1)).tell_twin(3, leads(5));
  CHECK(once.violations().empty());
}
