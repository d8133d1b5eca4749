#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

const std::string kName = "no-stale-read-after-repair";

// The repair of the key's partition on node-3 started at that time and is complete.
Story& repaired(Story& story, const Key& key, Duration started) {
  return story.tell(
      3, fact::RepairCompleted{story.world().partition_of_key(key), 1, 1, MonotonicTime(started)});
}

}  // namespace

TEST_CASE("no-stale-read-after-repair accepts what was written after the repair started") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k");
  story.at(20s).write(request(1, 2), "k");
  repaired(story.at(21s), "k", 15s);
  story.direct_read(request(2, 1), "k", 3, {request(1, 1)});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 1);
}

TEST_CASE("no-stale-read-after-repair rejects a version from before the repair") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k").at(11s).write(request(1, 2), "k");
  repaired(story.at(21s), "k", 15s);
  story.at(30s).direct_read(request(2, 1), "k", 3, {request(1, 1)});
  check_says(story, "node-3 reported " + to_name(story.world().partition_of_key("k")) +
                        " repaired as of 15.000s, then answered a direct read of k at node-3 with "
                        "\"v1.1\" (client-1/1), older than the write of \"v1.2\" (client-1/2) "
                        "acknowledged at 11.001s");
}

TEST_CASE("no-stale-read-after-repair rejects a node that opens its gate without a repair") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k").at(20s);
  story.tell(3, fact::GateOpened{story.world().partition_of_key("k"), true, MonotonicTime(19s)});
  story.at(30s).direct_read(request(2, 1), "k", 3, {});
  check_says(story, "node-3 served " + to_name(story.world().partition_of_key("k")) +
                        " as if repaired since 19.000s, then answered a direct read of k at "
                        "node-3 with NOT FOUND, older than the write of \"v1.1\" (client-1/1) "
                        "acknowledged at 10.001s");
}

TEST_CASE("no-stale-read-after-repair judges nobody who claimed nothing, or no longer") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k").at(20s);
  const PartitionId partition = story.world().partition_of_key("k");
  story.direct_read(request(2, 1), "k", 3, {});
  story.tell(3, fact::GateOpened{partition, false, MonotonicTime(19s)});
  story.direct_read(request(2, 2), "k", 3, {});
  // Invoked before the claim was made.
  story.begin_read(request(2, 3), "k", 3);
  repaired(story, "k", 15s).answer(request(2, 3), ResultKind::not_found);
  story.crash(3).start(3).direct_read(request(2, 4), "k", 3, {});
  repaired(story, "k", 15s).map(2, {1, 2}, 3).direct_read(request(2, 5), "k", 3, {});
  CHECK(story.judged(kName) == 0);
  CHECK(story.violations().empty());
}
