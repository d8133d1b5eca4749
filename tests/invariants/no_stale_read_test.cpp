#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "no-stale-read";
}

TEST_CASE("no-stale-read accepts reads of the newest acknowledged or of a concurrent write") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k");
  story.direct_read(request(2, 1), "k", 3, {request(1, 1)});
  story.begin_write(request(1, 2), "k");
  story.direct_read(request(2, 2), "k", 3, {request(1, 1)});
  story.direct_read(request(2, 3), "k", 3, {request(1, 2)});
  story.answer(request(1, 2), ResultKind::ok);
  story.direct_read(request(2, 4), "k", 3, {request(1, 2)});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 4);
}

TEST_CASE("no-stale-read rejects a key that a replica misses") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 125), "key-125");
  story.at(50s).direct_read(request(2, 1), "key-125", 3, {});
  check_says(story,
             "a direct read of key-125 at node-3 returned NOT FOUND, but should have seen the "
             "write of \"v1.125\" (client-1/125), which client-1 had acknowledged at 10.001s, "
             "before the read was invoked at 50.000s");
  CHECK(story.violations().front().node == NodeId(3));
  CHECK(story.violations().front().key == "key-125");
  CHECK(story.violations().front().invariant == kName);
}

TEST_CASE("no-stale-read rejects an overwritten value and says which") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k").write(request(1, 2), "k");
  story.at(20s).direct_read(request(2, 1), "k", 2, {request(1, 1)});
  check_says(story,
             "a direct read of k at node-2 returned \"v1.1\" (client-1/1), but should have seen "
             "the write of \"v1.2\" (client-1/2), which client-1 had acknowledged at 10.003s, "
             "before the read was invoked at 20.000s");
}

TEST_CASE("no-stale-read does not judge a read that was promised nothing") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").write(request(1, 2), "k");
  story.read(request(2, 1), "k", Consistency::one, {request(1, 1)});
  story.read(request(2, 2), "k", Consistency::quorum, {request(1, 1)});
  CHECK(story.judged(kName) == 0);
  CHECK(story.violations().empty());
}

TEST_CASE("no-stale-read rejects a quorum read that misses a quorum write") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k", Consistency::quorum);
  story.write(request(1, 2), "k", Consistency::quorum).write(request(1, 3), "k");
  story.read(request(2, 1), "k", Consistency::quorum, {request(1, 2)});
  CHECK(story.violations().empty());
  story.at(20s).read(request(2, 2), "k", Consistency::quorum, {request(1, 1)});
  REQUIRE(story.violations().size() == 1);
  CHECK(story.violations().front().says.find("should have seen the write of \"v1.2\"") !=
        std::string::npos);
  CHECK(story.judged(kName) == 2);
}

TEST_CASE("no-stale-read reports a node and key once, and does not judge a refusal") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k");
  story.direct_read(request(2, 1), "k", 3, {}).direct_read(request(2, 2), "k", 3, {});
  story.begin_read(request(2, 3), "k", 2).answer(request(2, 3), ResultKind::unavailable);
  CHECK(story.violations().size() == 1);
  CHECK(story.judged(kName) == 2);
}
