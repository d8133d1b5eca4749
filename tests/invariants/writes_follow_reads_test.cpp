#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "writes-follow-reads";
constexpr Consistency kOne = Consistency::one;
}  // namespace

TEST_CASE("writes-follow-reads accepts a write that replaces what its session had read") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").read(request(2, 1), "k", kOne, {request(1, 1)});
  story.begin_write(request(2, 2), "k");
  story.put(1, "k", request(1, 1)).put(1, "k", request(2, 2));
  story.put(1, "k", request(1, 1), {.stored = false});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 2);
}

TEST_CASE("writes-follow-reads rejects what was read in place of the write that followed") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").read(request(2, 1), "k", kOne, {request(1, 1)});
  story.begin_write(request(2, 2), "k");
  story.put(3, "k", request(2, 2)).put(3, "k", request(1, 1), {.cause = fact::WriteCause::repair});
  check_says(story,
             "on node-3, a repair of k put \"v1.1\" (client-1/1) in place of the write of \"v2.2\" "
             "(client-2/2), before which client-2 had seen the write of \"v1.1\" (client-1/1)");
}

TEST_CASE("writes-follow-reads rejects a refusal for what is older than what was read") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").write(request(1, 2), "k");
  story.read(request(2, 1), "k", kOne, {request(1, 2)}).begin_write(request(2, 2), "k");
  story.put(3, "k", request(1, 1)).put(3, "k", request(2, 2), {.stored = false});
  REQUIRE(story.violations().size() == 1);
  CHECK(story.violations().front().node == NodeId(3));
}

TEST_CASE("writes-follow-reads rejects an answer with the write and what it had followed") {
  Story story({kName});
  story.cluster().begin_write(request(1, 1), "k");
  story.read(request(2, 1), "k", kOne, {request(1, 1)});
  story.begin_write(request(2, 2), "k", kOne, {request(1, 1)});
  story.read(request(3, 1), "k", kOne, {request(1, 1), request(2, 2)});
  CHECK(story.violations().size() == 1);
  CHECK(story.judged(kName) == 1);
}

TEST_CASE("writes-follow-reads does not judge what was not read, nor what is concurrent") {
  Story story({kName});
  // Acknowledged, so older, but this session never saw it.
  story.cluster().write(request(1, 1), "unseen").begin_write(request(2, 1), "unseen");
  story.put(1, "unseen", request(2, 1)).put(1, "unseen", request(1, 1));
  // Seen, but not acknowledged, and not named by the write.
  story.begin_write(request(1, 2), "k").read(request(2, 2), "k", kOne, {request(1, 2)});
  story.begin_write(request(2, 3), "k");
  story.put(1, "k", request(2, 3)).put(1, "k", request(1, 2));
  // Seen after the write was invoked.
  story.write(request(1, 3), "late").begin_write(request(2, 4), "late");
  story.read(request(2, 5), "late", kOne, {request(1, 3)});
  story.put(1, "late", request(2, 4)).put(1, "late", request(1, 3));
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 0);
}
