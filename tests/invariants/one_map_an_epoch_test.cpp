#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "one-map-an-epoch";
}

TEST_CASE("one-map-an-epoch accepts one map on all nodes, and a replay after a restart") {
  Story story({kName});
  story.cluster().map(1, {1, 2, 3}, 2).map(2, {1, 2}, 1).map(2, {1, 2}, 2);
  story.crash(2).start(2).map(1, {1, 2, 3}, 2).map(2, {1, 2}, 2);
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 6);
}

TEST_CASE("one-map-an-epoch accepts writes where the own map is, and repairs anywhere") {
  Story story({kName});
  story.cluster().map(2, {1, 2}, 2).write(request(1, 1), "k").put(2, "k", request(1, 1));
  story.map(3, {1, 3}, 2).put(2, "k", request(1, 1), {.cause = fact::WriteCause::repair});
  story.put(2, "k", request(1, 1), {.stored = false});
  story.put(3, "k", request(1, 1));                 // it knows no map in this life
  story.map(4, {2}, 1).put(2, "k", request(1, 1));  // as a coordinator knows
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 6);
}

TEST_CASE("one-map-an-epoch rejects a write by a node that knows that it owns the key no more") {
  Story story({kName});
  story.cluster().map(2, {1, 2}, 2).write(request(1, 1), "k").at(10s).map(3, {1, 3}, 2).at(11s);
  story.put(2, "k", request(1, 1));
  REQUIRE(story.violations().size() == 1);
  const std::string partition = to_name(story.world().partition_of_key("k"));
  check_says(story, "node-2 took a write of k in " + partition +
                        ", which by the map of epoch 3, applied here at 10.000s, is not its own, "
                        "nor by a later one");
}

TEST_CASE("one-map-an-epoch rejects two maps of one epoch") {
  Story story({kName});
  story.cluster().at(10s).map(2, {1, 2}, 1).at(11s).map(2, {2, 3}, 2);
  check_says(story,
             "epoch 2 has two maps: node-1 applied one at 10.000s and node-2 another at 11.000s");
  CHECK(story.violations().front().evidence.back() ==
        "11.000s node-2: for example, partition-0 belongs to node-2 and node-3 here and to "
        "node-1 and node-2 on node-1");
}

TEST_CASE("one-map-an-epoch rejects a running node that goes back") {
  Story story({kName});
  story.cluster().map(2, {1, 2}, 1).map(1, {1, 2, 3}, 1);
  check_says(story,
             "node-1 went back from the map of epoch 2 to that of epoch 1 without a restart");
}
