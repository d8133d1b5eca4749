#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "no-resurrection";
}

TEST_CASE("no-resurrection accepts a key that is gone, and one that was written anew") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").remove(request(1, 2), "k");
  story.put(1, "k", request(1, 1)).put(1, "k", request(1, 2), {.deleted = true});
  story.direct_read(request(2, 1), "k", 1, {request(1, 2)});
  story.begin_write(request(1, 3), "k").put(1, "k", request(1, 3));
  story.direct_read(request(2, 2), "k", 1, {request(1, 3)});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 3);
}

TEST_CASE("no-resurrection rejects a read of a deleted value") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k").at(11s).remove(request(1, 2), "k");
  story.at(20s).read(request(2, 1), "k", Consistency::one, {request(1, 1)});
  check_says(story,
             "a read of k at level one through node-1 returned \"v1.1\" (client-1/1), although "
             "its delete (client-1/2) had been acknowledged at 11.001s, before the read was "
             "invoked at 20.000s");
}

TEST_CASE("no-resurrection rejects an old version in a store that had applied the delete") {
  for (const bool erased : {false, true}) {
    Story story({kName});
    story.cluster().write(request(1, 1), "k").remove(request(1, 2), "k");
    story.put(3, "k", request(1, 1));
    story.put(3, "k", request(1, 2), {.deleted = true, .erased = erased});
    story.put(3, "k", request(1, 1), {.cause = fact::WriteCause::repair});
    check_says(story,
               "on node-3, which had applied the delete (client-1/2) of k, a repair brought back "
               "the older write of \"v1.1\" (client-1/1)");
  }
}

TEST_CASE("no-resurrection remembers a delete through a drop, but not through a wiped disk") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").remove(request(1, 2), "k");
  for (const std::uint32_t node : {2U, 3U}) {
    story.put(node, "k", request(1, 2), {.deleted = true}).sync(node);
  }
  story.crash(2).tell(2, fact::DiskWiped{}).start(2).recover(2, 0).put(2, "k", request(1, 1));
  CHECK(story.violations().empty());
  story.drop(3, "k").put(3, "k", request(1, 1));
  CHECK(story.violations().size() == 1);
}

TEST_CASE("no-resurrection forgets a delete that a crash took back") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").remove(request(1, 2), "k");
  story.put(3, "k", request(1, 2), {.deleted = true}).crash(3).start(3).recover(3, 0);
  story.put(3, "k", request(1, 1));
  CHECK(story.violations().empty());
}
