#include "tests/invariants/raft_facts.hpp"
#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;
using namespace rejoin::sim::raft_facts;

namespace {

const std::string kName = "raft-leader-completeness";

// Figure 8 of the Raft paper: server 1 of five commits entry 2, of term 2, in term 4, by counting
// its copies alone or together with its own entry 3.
Story figure_8(bool with_own_entry) {
  Story story({kName}, {.nodes = 5});
  for (std::uint32_t n = 1; n <= 5; ++n) story.start(n).tell(n, appends(1, 1));
  story.tell(1, leads(2)).tell(1, appends(2, 2)).tell(2, appends(2, 2)).crash(1);
  story.tell(5, leads(3)).tell(5, appends(2, 3)).crash(5);
  story.start(1).tell(1, recovers(0, 2, 2)).tell(1, leads(4)).tell(3, appends(2, 2));
  if (with_own_entry) story.tell(1, appends(3, 4)).tell(2, appends(3, 4)).tell(3, appends(3, 4));
  return story;
}

}  // namespace

TEST_CASE("raft-leader-completeness accepts leaders that have what was committed before") {
  Story story = figure_8(true);
  story.tell(1, commits(4, 3)).tell(1, steps_down(4)).tell(2, leads(5));
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 1);
}

TEST_CASE("raft-leader-completeness rejects a leader that overwrites what was committed") {
  Story story = figure_8(false);
  story.tell(1, commits(4, 2)).crash(1).start(5).tell(5, recovers(0, 2, 3)).tell(5, leads(5));
  check_says(story,
             "node-5 leads term 5 without entry 2 of term 2, which node-1 had committed in term "
             "4: has an entry of term 3 in its place");
}

TEST_CASE("raft-leader-completeness rejects a leader whose log is too short") {
  Story story({kName});
  story.tell(1, leads(1)).tell(1, appends(1, 1)).tell(2, appends(1, 1)).tell(1, commits(1, 1));
  story.tell(3, leads(2));
  check_says(story,
             "node-3 leads term 2 without entry 1 of term 1, which node-1 had committed in term "
             "1: its log ends at entry 0");
}

TEST_CASE("raft-leader-completeness rejects a commit that a later leader does not have") {
  Story story({kName});
  story.tell(1, leads(1)).tell(1, appends(1, 1)).tell(2, leads(2)).tell(1, commits(1, 1));
  CHECK(story.violations().size() == 1);
}

TEST_CASE("raft-leader-completeness counts compacted entries as there") {
  Story story({kName});
  story.tell(1, leads(1)).tell(1, appends(1, 1)).tell(1, commits(1, 1));
  story.tell(3, installs(1, 1)).tell(3, leads(2));
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 1);
}

TEST_CASE("raft-leader-completeness rejects an entry that a crash took from a majority") {
  Story story({kName});
  story.tell(2, appends(1, 1)).tell(1, appends(1, 1)).tell(1, commits(1, 1));
  story.crash(2).start(2).tell(2, recovers(0, 0, 1)).tell(2, leads(2));
  CHECK(story.violations().size() == 1);
}
