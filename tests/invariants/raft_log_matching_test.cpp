#include "tests/invariants/raft_facts.hpp"
#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;
using namespace rejoin::sim::raft_facts;

namespace {
const std::string kName = "raft-log-matching";
}

TEST_CASE("raft-log-matching accepts logs that differ only where terms differ") {
  Story story({kName});
  story.tell(1, appends(1, 1)).tell(1, appends(2, 1)).tell(1, appends(3, 2));
  story.tell(2, appends(1, 1)).tell(2, appends(2, 1)).tell(2, appends(3, 3));
  story.tell(2, truncates(3)).tell(2, appends(3, 2));
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 7);
}

TEST_CASE("raft-log-matching rejects one entry with two contents") {
  Story story({kName});
  story.tell(1, appends(1, 1, 7)).tell(2, appends(1, 1, 8));
  check_says(story,
             "the logs of node-1 and node-2 do not match: node-2 appended entry 1 of term 1 with "
             "other content than on node-1");
}

TEST_CASE("raft-log-matching rejects equal entries after different ones") {
  Story story({kName});
  story.tell(1, appends(1, 1)).tell(1, appends(2, 3));
  story.tell(2, appends(1, 2)).tell(2, appends(2, 3));
  check_says(story,
             "the logs of node-1 and node-2 do not match: node-2 appended entry 2 of term 3 after "
             "an entry of term 2, which on node-1 is of term 1");
}

TEST_CASE("raft-log-matching judges the predecessor across compaction and snapshots") {
  Story story({kName});
  story.tell(1, appends(1, 1)).tell(1, appends(2, 1)).tell(1, compacts(2));
  story.tell(1, appends(3, 2)).tell(2, installs(2, 1)).tell(2, appends(3, 2));
  CHECK(story.violations().empty());
  story.tell(3, installs(2, 2)).tell(3, appends(3, 2));
  CHECK(story.violations().size() == 1);
}

TEST_CASE("raft-log-matching guesses nothing about a truncation that a crash may have undone") {
  Story story({kName});
  story.tell(1, appends(1, 1)).tell(1, appends(2, 1)).tell(1, appends(2, 2));
  story.tell(2, appends(1, 1)).tell(2, appends(2, 1)).tell(2, appends(3, 3));
  // Entry 2 of term 1 is back: its truncation was lost.
  story.crash(1).start(1).tell(1, recovers(0, 2, 2)).tell(1, appends(3, 3));
  CHECK(story.violations().empty());
}
