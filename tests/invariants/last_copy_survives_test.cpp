#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "last-copy-survives";
}

TEST_CASE("last-copy-survives accepts a drop while another disk has the same or a newer version") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").put_durably({1, 2}, "k", request(1, 1)).drop(1, "k");
  story.crash(2).put_durably({1}, "k", request(1, 1)).drop(1, "k");
  story.write(request(1, 2), "j").write(request(1, 3), "j");
  story.put_durably({1}, "j", request(1, 2)).put_durably({3}, "j", request(1, 3)).drop(1, "j");
  // Deleted since: nobody needs to hold it.
  story.write(request(1, 4), "i").remove(request(1, 5), "i");
  story.put_durably({1}, "i", request(1, 4)).drop(1, "i");
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 4);
}

TEST_CASE("last-copy-survives rejects a drop of what no other disk has") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k").put_durably({1}, "k", request(1, 1));
  story.put(2, "k", request(1, 1));  // not durably
  story.drop(1, "k");
  REQUIRE(story.violations().size() == 1);
  CHECK(story.violations().front().says.starts_with(
      "node-1 held the last durable copy of the write of \"v1.1\" (client-1/1) of k, "
      "acknowledged at 10.001s, and dropped partition-"));
}

TEST_CASE("last-copy-survives rejects the erasure of the last copy by an older delete") {
  Story story({kName});
  story.cluster().at(10s).remove(request(1, 1), "k").write(request(1, 2), "k");
  story.put_durably({1}, "k", request(1, 2));
  story.put(1, "k", request(1, 1), {.deleted = true, .erased = true});
  check_says(story,
             "node-1 held the last durable copy of the write of \"v1.2\" (client-1/2) of k, "
             "acknowledged at 10.003s, and erased it for the older delete (client-1/1)");
}

TEST_CASE("last-copy-survives does not judge deletes, newer versions, or what nobody was told of") {
  Story story({kName});
  story.cluster().begin_write(request(1, 1), "open").put_durably({1}, "open", request(1, 1));
  story.drop(1, "open");
  story.write(request(1, 2), "k").put(1, "k", request(1, 2)).drop(1, "k");  // volatile
  story.write(request(1, 3), "j").remove(request(1, 4), "j").put_durably({1}, "j", request(1, 3));
  story.put(1, "j", request(1, 4), {.deleted = true, .erased = true});
  story.write(request(1, 5), "i").write(request(1, 6), "i").put_durably({1}, "i", request(1, 5));
  story.put(1, "i", request(1, 6));
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 0);
}
