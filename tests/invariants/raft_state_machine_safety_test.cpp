#include "tests/invariants/raft_facts.hpp"
#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;
using namespace rejoin::sim::raft_facts;

namespace {
const std::string kName = "raft-state-machine-safety";
}

TEST_CASE("raft-state-machine-safety accepts the same entries in order, and a replay") {
  Story story({kName});
  story.tell(1, applies(1, 1)).tell(1, applies(2, 2)).tell(2, applies(1, 1));
  story.tell(2, installs(5, 2)).tell(2, applies(6, 2));
  story.crash(1).start(1).tell(1, applies(1, 1));
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 5);
}

TEST_CASE("raft-state-machine-safety rejects two entries at one index") {
  Story story({kName});
  story.tell(1, applies(1, 1)).tell(2, applies(1, 2));
  check_says(story,
             "node-1 and node-2 applied different entries at index 1: of term 1 and of term 2");
}

TEST_CASE("raft-state-machine-safety rejects an entry applied twice in one life") {
  Story story({kName});
  story.tell(1, applies(1, 1)).tell(1, applies(2, 1)).tell(1, applies(2, 1));
  check_says(story, "node-1 applied entry 2 although its state already included entry 2");
}

TEST_CASE("raft-state-machine-safety rejects an entry that the snapshot included") {
  Story story({kName});
  story.tell(1, installs(5, 1)).tell(1, applies(4, 1));
  check_says(story, "node-1 applied entry 4 although its state already included entry 5");
}
