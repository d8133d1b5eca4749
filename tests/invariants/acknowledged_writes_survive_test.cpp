#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "acknowledged-writes-survive";
}

TEST_CASE("acknowledged-writes-survive accepts one durable copy, or of something not older") {
  Story story({kName});
  story.cluster().write(request(1, 1), "a").put_durably({2}, "a", request(1, 1));
  story.begin_write(request(2, 1), "b").write(request(1, 2), "b");
  story.put_durably({3}, "b", request(2, 1));
  story.write(request(1, 3), "c").remove(request(1, 4), "c");
  story.begin_write(request(1, 5), "never acknowledged").end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 3);
}

TEST_CASE("acknowledged-writes-survive rejects a write that only a dead node holds") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k").put_durably({3}, "k", request(1, 1));
  story.crash(3).end();
  check_says(story,
             "the write of \"v1.1\" (client-1/1) of k, acknowledged to client-1 at 10.001s, is "
             "lost: at the end no live owner (node-1 and node-2) durably holds it or anything "
             "newer");
}

TEST_CASE("acknowledged-writes-survive rejects copies that are old, volatile, or at no owner") {
  Story story({kName});
  story.cluster().map(2, {1, 2});
  story.write(request(1, 1), "old").write(request(1, 2), "old");
  story.put_durably({1, 2}, "old", request(1, 1));
  story.write(request(1, 3), "moved").put_durably({3}, "moved", request(1, 3));
  story.write(request(1, 4), "volatile").put(1, "volatile", request(1, 4)).end();
  const std::vector<Violation> violations = story.violations();
  REQUIRE(violations.size() == 3);
  CHECK(violations[0].key == "moved");
  CHECK(violations[0].evidence.back().ends_with("but it is no owner of the key"));
  CHECK(violations[1].key == "old");
  CHECK(violations[2].key == "volatile");
  CHECK(violations[2].evidence[2].ends_with("for volatile, not durably"));
}

TEST_CASE("acknowledged-writes-survive judges no key of which every owner is down") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").crash(1).crash(2).crash(3).end();
  CHECK(story.judged(kName) == 0);
}

TEST_CASE(
    "acknowledged-writes-survive accepts a delete that is known, replaced, or hides nothing") {
  const auto given = [](Story& story) -> Story& {
    return story.cluster().write(request(1, 1), "k").put_durably({1, 2, 3}, "k", request(1, 1));
  };
  Story tombstone({kName});
  given(tombstone).remove(request(1, 2), "k");
  tombstone.put(2, "k", request(1, 2), {.deleted = true}).sync(2).end();
  CHECK(tombstone.violations().empty());
  Story collected({kName});
  given(collected).remove(request(1, 2), "k");
  collected.put(2, "k", request(1, 2), {.deleted = true, .erased = true}).sync(2).end();
  CHECK(collected.violations().empty());
  Story replaced({kName});
  given(replaced).begin_write(request(2, 1), "k").remove(request(1, 2), "k");
  replaced.put_durably({3}, "k", request(2, 1)).end();
  CHECK(replaced.violations().empty());
  Story nothing({kName});
  nothing.cluster().write(request(1, 1), "k").remove(request(1, 2), "k").end();
  CHECK(nothing.violations().empty());
  CHECK(nothing.judged(kName) == 1);
}

TEST_CASE("acknowledged-writes-survive rejects a delete that no live owner knows of any more") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").put_durably({1, 2, 3}, "k", request(1, 1));
  story.at(10s).remove(request(1, 2), "k");
  story.put(1, "k", request(1, 2), {.deleted = true, .erased = true}).sync(1);
  story.put(2, "k", request(1, 2), {.deleted = true}).sync(2);
  // One is given the old value again, and the other dies.
  story.put(1, "k", request(1, 1), {.cause = fact::WriteCause::repair}).sync(1);
  story.crash(2).end();
  check_says(story,
             "the delete (client-1/2) of k, acknowledged to client-1 at 10.001s, is lost: at the "
             "end no live owner (node-1 and node-3) durably holds it or anything newer");
}

TEST_CASE("acknowledged-writes-survive rejects a delete whose only tombstone is not durable") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").put_durably({1, 2, 3}, "k", request(1, 1));
  story.remove(request(1, 2), "k").put(1, "k", request(1, 2), {.deleted = true}).end();
  CHECK(story.violations().size() == 1);
}
