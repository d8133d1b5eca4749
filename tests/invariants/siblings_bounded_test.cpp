#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "siblings-bounded";
constexpr Consistency kOne = Consistency::one;
}  // namespace

TEST_CASE("siblings-bounded accepts writes of two sides, and does not judge one version") {
  Story story({kName});
  story.cluster().begin_write(request(1, 1), "k").begin_write(request(2, 1), "k");
  story.answer(request(1, 1), ResultKind::ok).answer(request(2, 1), ResultKind::ok);
  story.read(request(3, 1), "k", kOne, {request(1, 1)});
  CHECK(story.judged(kName) == 0);
  story.read(request(3, 2), "k", kOne, {request(1, 1), request(2, 1)});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 1);
}

TEST_CASE("siblings-bounded rejects the explosion: A, B, and C which had seen A") {
  Story story({kName});
  story.cluster().at(10s).begin_write(request(1, 1), "k").begin_write(request(2, 1), "k");
  story.begin_write(request(1, 2), "k", kOne, {request(1, 1)});
  story.read(request(3, 1), "k", kOne, {request(1, 1), request(2, 1), request(1, 2)});
  check_says(story,
             "a read of k at level one through node-1 returned 3 versions as concurrent, but the "
             "write of \"v1.1\" (client-1/1) is no sibling of the write of \"v1.2\" (client-1/2): "
             "that was written by who had seen this, or what replaced it");
}

TEST_CASE("siblings-bounded takes a write that had read nothing for concurrent, however late") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "a").begin_write(request(2, 1), "a");
  story.read(request(3, 1), "a", kOne, {request(1, 1), request(2, 1)});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 1);
}

TEST_CASE("siblings-bounded rejects a tombstone that was read, and a version twice") {
  Story story({kName});
  story.cluster().at(10s).remove(request(1, 2), "b");
  story.begin_write(request(2, 2), "b", kOne, {request(1, 2)});
  story.read(request(3, 2), "b", kOne, {request(2, 2), request(1, 2)});
  CHECK(story.violations().size() == 1);
  story.write(request(1, 3), "c");
  story.read(request(3, 3), "c", kOne, {request(1, 3), request(1, 3)});
  CHECK(story.violations().size() == 2);
}
