#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "conflicts-accounted";

// Two writes of k at once, both acknowledged.
Story concurrent() {
  Story story({kName});
  story.cluster().at(10s).begin_write(request(1, 1), "k").begin_write(request(2, 1), "k");
  story.answer(request(1, 1), ResultKind::ok).answer(request(2, 1), ResultKind::ok);
  return story;
}
}  // namespace

TEST_CASE("conflicts-accounted accepts what is stored, replaced everywhere, or counted as lost") {
  Story story({kName});
  story.cluster().write(request(1, 1), "old").write(request(1, 2), "old");
  story.put_durably({1, 2, 3}, "old", request(1, 2));
  story.write(request(1, 3), "deleted").remove(request(1, 4), "deleted");
  story.put(1, "deleted", request(1, 4), {.deleted = true});
  story.put(2, "deleted", request(1, 4), {.deleted = true, .erased = true});
  story.write(request(3, 1), "k").begin_write(request(1, 5), "k").begin_write(request(2, 1), "k");
  story.answer(request(1, 5), ResultKind::ok).answer(request(2, 1), ResultKind::ok);
  story.put_durably({1, 2}, "k", request(2, 1));
  story.tell(1, fact::ConflictLost{.key = "k", .lost = request(1, 5), .kept = request(2, 1)});
  story.begin_write(request(4, 1), "never acknowledged").end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 3);
}

TEST_CASE("conflicts-accounted rejects the loser of two concurrent writes when nobody counts it") {
  Story story = concurrent();
  story.put_durably({1, 2, 3}, "k", request(2, 1)).end();
  check_says(story,
             "the write of \"v1.1\" (client-1/1) of k, acknowledged to client-1 at 10.002s, has "
             "vanished silently: no live owner (node-1, node-2 and node-3) holds it, not all of "
             "them hold something newer, and no merge counted it as lost");
}

TEST_CASE("conflicts-accounted accepts siblings on two replicas, and rejects one that was dead") {
  Story both = concurrent();
  both.put_durably({1}, "k", request(2, 1)).put_durably({2}, "k", request(1, 1)).end();
  CHECK(both.violations().empty());
  Story one = concurrent();
  one.put_durably({1}, "k", request(2, 1)).put_durably({2}, "k", request(1, 1)).crash(2).end();
  CHECK(one.violations().size() == 1);
}

TEST_CASE("conflicts-accounted accepts what an owner stores as a sibling of something else") {
  Story story = concurrent();
  story.put(1, "k", request(2, 1), {.others = {request(1, 1)}}).sync(1);
  story.put_durably({2, 3}, "k", request(2, 1)).end();
  CHECK(story.violations().empty());
}

TEST_CASE("conflicts-accounted rejects a write of which an owner holds nothing newer") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").write(request(1, 2), "k");
  story.put_durably({1, 2}, "k", request(1, 2)).end();
  CHECK(story.violations().size() == 1);
}

TEST_CASE("conflicts-accounted takes what a counted write had replaced for counted") {
  Story story({kName});
  story.cluster().begin_write(request(2, 1), "k").write(request(1, 1), "k");
  story.write(request(1, 2), "k").answer(request(2, 1), ResultKind::ok);
  story.put_durably({1, 2, 3}, "k", request(2, 1));
  story.tell(1, fact::ConflictLost{.key = "k", .lost = request(1, 2), .kept = request(2, 1)});
  story.end();
  CHECK(story.violations().empty());
}
