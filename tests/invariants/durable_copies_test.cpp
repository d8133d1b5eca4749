#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "durable-copies";
}

TEST_CASE("durable-copies accepts a copy on every live owner, and nothing of a deleted key") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").put_durably({1, 2, 3}, "k", request(1, 1));
  story.write(request(1, 2), "deleted").remove(request(1, 3), "deleted");
  story.put(1, "deleted", request(1, 3), {.deleted = true}).sync(1);
  story.begin_write(request(2, 1), "both").write(request(1, 4), "both");
  story.put_durably({1, 2}, "both", request(1, 4)).put_durably({3}, "both", request(2, 1)).end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 3);
}

TEST_CASE("durable-copies asks nothing of owners that are down") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").put_durably({1, 2}, "k", request(1, 1));
  story.crash(3).end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 1);
}

TEST_CASE("durable-copies rejects an owner without the key") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k").put_durably({1, 2}, "k", request(1, 1)).end();
  check_says(story,
             "at the end the write of \"v1.1\" (client-1/1) of k, acknowledged at 10.001s, has 2 "
             "durable live of 3 copies: node-3 has none");
}

TEST_CASE("durable-copies rejects copies that are old or volatile") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").write(request(1, 2), "k");
  story.put_durably({1}, "k", request(1, 2)).put_durably({2}, "k", request(1, 1));
  story.put(3, "k", request(1, 2)).end();
  REQUIRE(story.violations().size() == 1);
  CHECK(story.violations().front().says.ends_with(
      "has 1 durable live of 3 copies: node-2 and node-3 have none"));
}

TEST_CASE("durable-copies takes a sibling for a copy") {
  Story story({kName});
  story.cluster().at(10s).begin_write(request(1, 1), "k").begin_write(request(2, 1), "k");
  story.answer(request(1, 1), ResultKind::ok).answer(request(2, 1), ResultKind::ok);
  story.write(request(1, 2), "k");
  for (const std::uint32_t node : {1U, 2U, 3U}) {
    story.put(node, "k", request(2, 1), {.others = {request(1, 2)}}).sync(node);
  }
  story.end();
  CHECK(story.violations().empty());
}
