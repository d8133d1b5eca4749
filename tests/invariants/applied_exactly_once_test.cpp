#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

const std::string kName = "applied-exactly-once";

Fact applied(std::uint64_t index, RequestId id) {
  return fact::CommandApplied{kClusterGroup, LogIndex(index), id};
}

}  // namespace

TEST_CASE("applied-exactly-once accepts every server's effect, and its replay after a restart") {
  Story story({kName});
  story.tell(1, applied(4, request(1, 1))).tell(2, applied(4, request(1, 1)));
  story.crash(2).start(2).tell(2, applied(4, request(1, 1)));
  story.tell(1, applied(5, request(1, 2))).tell(1, applied(6, RequestId{}));
  story.tell(1, applied(7, RequestId{}));
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 4);
}

TEST_CASE("applied-exactly-once rejects a retry that takes effect again") {
  Story story({kName});
  story.at(10s).tell(1, applied(4, request(1, 1))).at(12s).tell(2, applied(9, request(1, 1)));
  check_says(story,
             "request client-1/1 took effect twice: at index 4 of the log, and on node-2 again "
             "at index 9");
}
