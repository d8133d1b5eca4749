#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

const std::string kName = "sets-keep-elements";

void begin(Story& story, RequestId id, OperationKind kind, const Value& element) {
  Operation operation;
  operation.id = id;
  operation.kind = kind;
  operation.key = "k";
  operation.value = element;
  operation.level = Consistency::quorum;
  operation.invoked = story.now();
  story.invoke(operation);
}
void add(Story& story, RequestId id, const Value& element) {
  begin(story, id, OperationKind::add, element);
  story.answer(id, ResultKind::ok);
}
void read(Story& story, RequestId id, const Value& found) {
  begin(story, id, OperationKind::read, found);
  story.answer(id, found.empty() ? ResultKind::not_found : ResultKind::value);
}

}  // namespace

TEST_CASE("sets-keep-elements accepts what was added, with and without what is under way") {
  Story story({kName});
  story.cluster().at(1s);
  add(story, request(1, 1), "a");
  add(story, request(1, 2), "b");
  read(story, request(3, 1), "a, b");
  begin(story, request(2, 1), OperationKind::add, "c");
  read(story, request(3, 2), "a, b, c");
  read(story, request(3, 3), "a, b");
  begin(story, request(2, 2), OperationKind::discard, "a");
  read(story, request(3, 4), "b");
  read(story, request(3, 5), "a, b");
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 5);
}

TEST_CASE("sets-keep-elements rejects an element that is lost, and one that nobody added") {
  Story lost({kName});
  lost.cluster().at(1s);
  add(lost, request(1, 1), "a");
  add(lost, request(1, 2), "b");
  read(lost, request(3, 1), "b");
  REQUIRE(lost.violations().size() == 1);
  CHECK(lost.violations().front().says ==
        "a read of k at level quorum returned {b}, which lacks \"a\", which had "
        "been added and which nobody discards");
  Story extra({kName});
  extra.cluster().at(1s);
  add(extra, request(1, 1), "a");
  read(extra, request(3, 1), "a, x");
  REQUIRE(extra.violations().size() == 1);
  CHECK(extra.violations().front().says ==
        "a read of k at level quorum returned {a, x}, which has \"x\", which "
        "nobody has added");
}

TEST_CASE("sets-keep-elements rejects an empty answer for a set that has elements") {
  Story story({kName});
  story.cluster().at(1s);
  add(story, request(1, 1), "a");
  read(story, request(3, 1), "");
  CHECK(story.violations().size() == 1);
}
