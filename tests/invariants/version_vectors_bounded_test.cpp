#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

const std::string kName = "version-vectors-bounded";

// Every node recovers the store of its first life.
Story told_by_all() {
  Story story({kName});
  story.cluster();
  for (std::uint32_t node = 1; node <= 3; ++node) story.recover(node, 0);
  return story;
}

}  // namespace

TEST_CASE("version-vectors-bounded accepts an actor for each owner, and judges no other versions") {
  Story story = told_by_all();
  story.put(1, "k", request(1, 1), {.actors = 3});
  CHECK(story.judged(kName) == 1);
  story.put(1, "k", request(1, 2));
  story.put(1, "k", request(1, 3), {.stored = false, .actors = 4});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 1);
}

TEST_CASE("version-vectors-bounded rejects an actor more than there are stores that count") {
  Story story = told_by_all();
  story.at(10s).put(1, "k", request(1, 1), {.actors = 4});
  check_says(
      story,
      "node-1 stored k with a version vector of 4 actors, but no more than 3 stores can have "
      "counted writes of it");
}

TEST_CASE("version-vectors-bounded counts another life of a store as another actor, once") {
  Story story = told_by_all();
  story.tell(3, fact::StoreRecovered{.records = 0, .up_to = 0, .life = 1});
  story.tell(3, fact::StoreRecovered{.records = 0, .up_to = 0, .life = 2});
  story.put(1, "a", request(1, 1), {.actors = 4});
  CHECK(story.violations().empty());
  story.put(1, "b", request(1, 2), {.actors = 5});
  CHECK(story.violations().size() == 1);
}

TEST_CASE("version-vectors-bounded counts owners that were, and no node that never was one") {
  Story story({kName}, {.nodes = 4});
  story.map(1, {1, 2}).map(2, {1, 3});
  for (std::uint32_t node = 1; node <= 4; ++node) story.recover(node, 0);
  story.put(1, "k", request(1, 1), {.actors = 3});
  CHECK(story.violations().empty());
  story.put(1, "j", request(1, 2), {.actors = 4});
  CHECK(story.violations().size() == 1);
}
