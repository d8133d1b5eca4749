#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "monotonic-reads";
constexpr Consistency kOne = Consistency::one;
}  // namespace

TEST_CASE("monotonic-reads accepts the same, newer and concurrent versions, and a delete") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").begin_write(request(3, 1), "k");
  story.write(request(1, 2), "k");
  story.read(request(2, 1), "k", kOne, {request(1, 1)});
  story.read(request(2, 2), "k", kOne, {request(1, 1)});
  story.read(request(2, 3), "k", kOne, {request(1, 2)});
  story.read(request(2, 4), "k", kOne, {request(3, 1)});
  story.read(request(2, 5), "k", kOne, {request(1, 2)});
  story.begin_remove(request(1, 3), "k").read(request(2, 6), "k", kOne, {});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 5);
}

TEST_CASE("monotonic-reads rejects a session that goes back to what it had read before") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k").begin_write(request(1, 2), "k");
  story.read(request(2, 1), "k", kOne, {request(1, 2)});
  story.at(20s).read(request(2, 2), "k", kOne, {request(1, 1)});
  check_says(story,
             "a read of k at level one through node-1 returned to client-2 \"v1.1\" (client-1/1), "
             "although the write of \"v1.2\" (client-1/2) had been shown to it at 10.004s, earlier "
             "in the session");
  const std::vector<Violation> violations = story.violations();
  CHECK(std::any_of(violations[0].evidence.begin(), violations[0].evidence.end(),
                    [](const std::string& line) {
                      return line ==
                             "10.004s client-2: is answered \"v1.2\" (client-1/2) for k "
                             "(client-2/1) by node-1";
                    }));
}

TEST_CASE("monotonic-reads rejects a value that is gone without a delete, and one that is back") {
  Story story({kName});
  story.cluster().write(request(1, 1), "gone").write(request(1, 2), "back");
  story.read(request(2, 1), "gone", kOne, {request(1, 1)}).read(request(2, 2), "gone", kOne, {});
  story.remove(request(1, 3), "back").read(request(2, 3), "back", kOne, {request(1, 3)});
  story.read(request(2, 4), "back", kOne, {request(1, 2)});
  REQUIRE(story.violations().size() == 2);
  CHECK(story.violations()[0].key == "gone");
  CHECK(story.violations()[1].key == "back");
}

TEST_CASE("monotonic-reads remembers the newest version though an older one was read since") {
  Story story({kName});
  story.cluster().begin_write(request(3, 1), "k").write(request(1, 1), "k");
  story.write(request(1, 2), "k").read(request(2, 1), "k", kOne, {request(1, 2)});
  // Concurrent with everything, so this one is fine, and does not release the session.
  story.read(request(2, 2), "k", kOne, {request(3, 1)});
  CHECK(story.violations().empty());
  story.read(request(2, 3), "k", kOne, {request(1, 1)});
  CHECK(story.violations().size() == 1);
}

TEST_CASE("monotonic-reads judges a direct read against the same node alone") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").write(request(1, 2), "k");
  story.direct_read(request(2, 1), "k", 1, {request(1, 2)});
  story.direct_read(request(2, 2), "k", 2, {request(1, 1)});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 0);
  // A newer version from another node does not make this one forgotten.
  story.write(request(1, 3), "k").direct_read(request(2, 3), "k", 3, {request(1, 3)});
  story.direct_read(request(2, 4), "k", 1, {request(1, 1)});
  REQUIRE(story.violations().size() == 1);
  CHECK(story.violations().front().node == NodeId(1));
  // Through a coordinator everything counts.
  story.read(request(2, 5), "other", kOne, {}).read(request(2, 6), "k", kOne, {request(1, 2)});
  CHECK(story.judged(kName) == 2);
}

TEST_CASE("monotonic-reads ends with the session, and is nobody else's") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").write(request(1, 2), "k");
  story.read(request(2, 1), "k", kOne, {request(1, 2)});
  story.read(request(3, 1), "k", kOne, {request(1, 1)});
  Operation late;
  late.id = request(2, 2);
  late.kind = OperationKind::read;
  late.key = Key("k");
  late.session = 1;
  story.invoke(late).answer(late.id, ResultKind::value, {request(1, 1)});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 0);
}
