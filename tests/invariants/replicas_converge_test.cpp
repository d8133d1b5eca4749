#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "replicas-converge";
}

TEST_CASE("replicas-converge accepts equal replicas; a tombstone is the same as nothing") {
  Story story({kName});
  story.cluster().write(request(1, 1), "a").put_durably({1, 2, 3}, "a", request(1, 1));
  story.remove(request(1, 2), "b").put(1, "b", request(1, 2), {.deleted = true});
  story.end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 4);
}

TEST_CASE("replicas-converge rejects a node that lacks, is behind, or differs, and counts") {
  Story story({kName});
  story.cluster().at(10s);
  for (std::uint64_t n = 1; n <= 7; ++n) {
    const Key key = "key-" + std::to_string(n);
    story.write(request(1, n), key).put_durably({1, 2}, key, request(1, n));
  }
  story.write(request(1, 8), "old").put_durably({1, 2, 3}, "old", request(1, 8));
  story.write(request(1, 9), "old").put_durably({1, 2}, "old", request(1, 9));
  story.begin_write(request(2, 1), "both").begin_write(request(3, 1), "both");
  story.put_durably({1, 2}, "both", request(2, 1)).put_durably({3}, "both", request(3, 1));
  story.at(60s).end();
  check_says(story,
             "at the end node-3 differs from the other replicas in 9 of 9 keys: 7 missing, 1 "
             "stale, 1 of concurrent writes");
  const Violation violation = story.violations().front();
  CHECK(violation.node == NodeId(3));
  CHECK(violation.evidence.back() == "60.000s node-3: and 4 more keys");
}

TEST_CASE("replicas-converge rejects replicas that agree on having lost a write") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").end();
  CHECK(story.violations().size() == 3);
}

TEST_CASE("replicas-converge judges only owners that are up and members") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").put_durably({1, 2}, "k", request(1, 1));
  story.crash(3).end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 4);
  Story alone({kName});
  alone.cluster().write(request(1, 1), "k").crash(2).members({1, 2}).end();
  CHECK(alone.judged(kName) == 0);
}
