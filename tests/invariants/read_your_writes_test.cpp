#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "read-your-writes";
constexpr Consistency kOne = Consistency::one;
}  // namespace

TEST_CASE("read-your-writes accepts the own write, newer and concurrent ones, and an own delete") {
  Story story({kName});
  story.cluster().begin_write(request(2, 1), "k").write(request(1, 1), "k");
  story.read(request(1, 2), "k", kOne, {request(1, 1)});
  story.read(request(1, 3), "k", kOne, {request(2, 1)});
  story.write(request(2, 2), "k").read(request(1, 4), "k", kOne, {request(2, 2)});
  story.remove(request(1, 5), "k").read(request(1, 6), "k", kOne, {});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 4);
}

TEST_CASE("read-your-writes rejects a session that misses its own write") {
  Story story({kName});
  story.cluster().at(10s).write(request(2, 1), "k").write(request(1, 1), "k");
  story.at(20s).read(request(1, 2), "k", kOne, {request(2, 1)});
  check_says(story,
             "a read of k at level one through node-1 returned to client-1 \"v2.1\" (client-2/1), "
             "although the write of \"v1.1\" (client-1/1) had been acknowledged to it at 10.003s, "
             "earlier in the session");
}

TEST_CASE("read-your-writes rejects NOT FOUND after a write, and a value after a delete") {
  Story story({kName});
  story.cluster().write(request(1, 1), "missed").read(request(1, 2), "missed", kOne, {});
  story.write(request(1, 3), "deleted").remove(request(1, 4), "deleted");
  story.read(request(1, 5), "deleted", kOne, {request(1, 3)});
  REQUIRE(story.violations().size() == 2);
  CHECK(story.violations()[0].key == "missed");
  CHECK(story.violations()[1].key == "deleted");
}

TEST_CASE("read-your-writes does not judge others, open writes, refusals or a session after it") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").read(request(2, 1), "k", kOne, {});
  story.begin_write(request(3, 1), "k").read(request(3, 2), "k", kOne, {});
  story.begin_read(request(1, 2), "k", 1, false).answer(request(1, 2), ResultKind::unavailable);
  // Acknowledged only after the read was invoked.
  story.begin_write(request(4, 1), "k").begin_read(request(4, 2), "k", 1, false);
  story.answer(request(4, 1), ResultKind::ok).answer(request(4, 2), ResultKind::not_found);
  Operation late;
  late.id = request(1, 3);
  late.kind = OperationKind::read;
  late.key = Key("k");
  late.session = 1;
  story.invoke(late).answer(late.id, ResultKind::not_found);
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 0);
}

TEST_CASE("read-your-writes judges a direct read only at the node that took the write") {
  Story story({kName});
  Operation write;
  write.id = request(1, 1);
  write.kind = OperationKind::write;
  write.key = Key("k");
  write.via = NodeId(2);
  story.cluster().invoke(write).answer(write.id, ResultKind::ok);
  story.direct_read(request(1, 2), "k", 3, {});
  CHECK(story.judged(kName) == 0);
  story.direct_read(request(1, 3), "k", 2, {});
  REQUIRE(story.violations().size() == 1);
  CHECK(story.violations().front().node == NodeId(2));
}
