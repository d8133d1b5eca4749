#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

const std::string kName = "counters-add-up";
constexpr Consistency kQuorum = Consistency::quorum;

// Invoked now; `by` is what it counts, or what a read finds.
Operation counting(Story& story, RequestId id, OperationKind kind, const Value& by,
                   Consistency level = kQuorum) {
  Operation out;
  out.id = id;
  out.kind = kind;
  out.key = "k";
  out.value = by;
  out.level = level;
  out.invoked = story.now();
  return out;
}
void begin(Story& story, RequestId id, const Value& by, Consistency level = kQuorum) {
  story.invoke(counting(story, id, OperationKind::increment, by, level));
}
void count(Story& story, RequestId id, const Value& by, Consistency level = kQuorum) {
  begin(story, id, by, level);
  story.answer(id, ResultKind::ok);
}
void read(Story& story, RequestId id, const Value& found, Consistency level = kQuorum) {
  story.invoke(counting(story, id, OperationKind::read, found, level));
  story.answer(id, ResultKind::value);
}

}  // namespace

TEST_CASE("counters-add-up accepts the sum, and either side of what is under way") {
  Story story({kName});
  story.cluster().at(1s);
  count(story, request(1, 1), "5");
  count(story, request(2, 1), "-2");
  read(story, request(3, 1), "3");
  begin(story, request(1, 2), "10");
  begin(story, request(2, 2), "-1");
  for (const char* const seen : {"3", "13", "2", "12"}) {
    read(story, request(3, static_cast<std::uint64_t>(story.judged(kName) + 1)), seen);
  }
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 5);
}

TEST_CASE("counters-add-up rejects an increment that is lost, and one that is counted twice") {
  for (const char* const seen : {"4", "10"}) {
    Story story({kName});
    story.cluster().at(1s);
    count(story, request(1, 1), "5");
    read(story, request(3, 1), seen);
    REQUIRE(story.violations().size() == 1);
    CHECK(story.violations().front().says ==
          "a read of k at level quorum returned \"" + std::string(seen) +
              "\", and the increments that it must have seen, with those that it may have, come "
              "to between 5 and 5");
  }
}

TEST_CASE("counters-add-up asks a read at level one for nothing that its replica may not have") {
  Story story({kName});
  story.cluster().at(1s);
  count(story, request(1, 1), "5", Consistency::one);
  read(story, request(3, 1), "0", Consistency::one);
  CHECK(story.violations().empty());
  read(story, request(3, 2), "6", Consistency::one);
  CHECK(story.violations().size() == 1);
}

TEST_CASE("counters-add-up does not judge what is no counter") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k");
  story.read(request(3, 1), "k", kQuorum, {request(1, 1)});
  CHECK(story.judged(kName) == 0);
}
