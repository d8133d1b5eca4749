#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "monotonic-writes";
}

TEST_CASE("monotonic-writes accepts writes that arrive in order, and refusals of late ones") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").write(request(1, 2), "k").write(request(2, 1), "k");
  story.put(1, "k", request(1, 1)).put(1, "k", request(1, 2));
  story.put(1, "k", request(1, 1), {.stored = false}).put(1, "k", request(2, 1));
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 2);
}

TEST_CASE("monotonic-writes rejects an earlier write in place of a later one") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").write(request(1, 2), "k");
  story.put(3, "k", request(1, 2)).put(3, "k", request(1, 1), {.cause = fact::WriteCause::repair});
  check_says(story,
             "on node-3, a repair of k put \"v1.1\" (client-1/1) in place of the write of \"v1.2\" "
             "(client-1/2), before which client-1 wrote the write of \"v1.1\" (client-1/1)");
}

TEST_CASE("monotonic-writes rejects a later write that is refused for an earlier one") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").begin_remove(request(1, 2), "k");
  story.put(2, "k", request(1, 1));
  story.put(2, "k", request(1, 2), {.deleted = true, .stored = false});
  check_says(story,
             "on node-2, a client's write of k was refused, and \"v1.1\" (client-1/1) kept, "
             "instead of the delete (client-1/2), before which client-1 wrote the write of "
             "\"v1.1\" (client-1/1)");
}

TEST_CASE("monotonic-writes rejects both versions at once, and accepts those of two sessions") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").begin_write(request(2, 1), "k");
  story.write(request(1, 2), "k");
  story.read(request(3, 1), "k", Consistency::one, {request(1, 2), request(2, 1)});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 1);
  story.read(request(3, 2), "k", Consistency::one, {request(1, 2), request(1, 1)});
  check_says(story,
             "a read of k at level one through node-1 returned \"v1.2\" (client-1/2) and \"v1.1\" "
             "(client-1/1) as if they were concurrent: it should have returned the write of "
             "\"v1.2\" (client-1/2), before which client-1 wrote the write of \"v1.1\" "
             "(client-1/1)");
}

TEST_CASE("monotonic-writes does not judge another client's write, nor one after a timeout") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").write(request(2, 1), "k");
  Operation late;
  late.id = request(1, 2);
  late.kind = OperationKind::write;
  late.key = Key("k");
  late.session = 1;
  story.invoke(late).put(1, "k", late.id).put(1, "k", request(1, 1));
  story.put(2, "k", request(2, 1)).put(2, "k", request(1, 1));
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 0);
}
