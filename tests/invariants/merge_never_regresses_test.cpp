#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "merge-never-regresses";
}

TEST_CASE("merge-never-regresses accepts newer and concurrent versions, and refusals") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").write(request(1, 2), "k");
  story.begin_write(request(2, 1), "k");
  story.put(3, "k", request(1, 1)).put(3, "k", request(1, 2)).put(3, "k", request(2, 1));
  story.put(3, "k", request(1, 1), {.stored = false});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 3);
}

TEST_CASE("merge-never-regresses rejects a copy that overwrites what is newer") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k").begin_write(request(1, 2), "k");
  story.put(3, "k", request(1, 2)).put(3, "k", request(1, 1), {.cause = fact::WriteCause::repair});
  check_says(story,
             "on node-3, a repair replaced the write of \"v1.2\" (client-1/2) of k by the older "
             "write of \"v1.1\" (client-1/1)");
}

TEST_CASE("merge-never-regresses rejects a late delete that erases a newer write") {
  Story story({kName});
  story.cluster().remove(request(1, 1), "k").write(request(1, 2), "k");
  story.put(2, "k", request(1, 2));
  story.put(2, "k", request(1, 1), {.deleted = true, .erased = true});
  check_says(story,
             "on node-2, a client's write replaced the write of \"v1.2\" (client-1/2) of k by "
             "the older delete (client-1/1)");
}
