#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {
const std::string kName = "linearizable";
constexpr Consistency kQuorum = Consistency::quorum;

// No evidence but this, in this order.
void check_evidence(const Story& story, const std::vector<RequestId>& operations) {
  const std::vector<Violation> violations = story.violations();
  REQUIRE(violations.size() == 1);
  std::set<std::string> named;
  for (const std::string& line : violations.front().evidence) {
    const std::size_t from = line.rfind(" (client-") + 2;
    named.insert(line.substr(from, line.find(')', from) - from));
  }
  std::set<std::string> expected;
  for (const RequestId id : operations) expected.insert(to_name(id));
  CHECK(named == expected);
}
}  // namespace

TEST_CASE("linearizable accepts registers, unknown outcomes, and reads without an answer") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k", kQuorum);
  story.begin_write(request(2, 1), "k", kQuorum);
  story.read(request(1, 2), "k", kQuorum, {request(1, 1)});
  story.abandon(request(2, 1));
  story.read(request(1, 3), "k", kQuorum, {request(2, 1)});
  story.begin_read(request(1, 4), "k", 1, false).answer(request(1, 4), ResultKind::unavailable);
  story.begin_read(request(3, 1), "k", 1, false).abandon(request(3, 1));
  story.remove(request(1, 5), "k").read(request(1, 6), "k", kQuorum, {request(1, 5)});
  story.write(request(1, 7), "another, which nobody reads").end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 8);
}

TEST_CASE("linearizable rejects a read of what was overwritten, and names no more than it takes") {
  Story story({kName});
  story.cluster().at(10s).write(request(1, 1), "k", kQuorum);
  story.read(request(2, 1), "k", kQuorum, {request(1, 1)});
  story.write(request(1, 2), "k", kQuorum).write(request(1, 3), "other", kQuorum);
  story.read(request(2, 2), "k", kQuorum, {request(1, 1)});
  story.read(request(2, 3), "k", kQuorum, {request(1, 2)}).end();
  check_says(story,
             "the history of k is not linearizable: no order of 5 operations explains it once a "
             "read of k at level quorum through node-1 (client-2/2) returned \"v1.1\" "
             "(client-1/1) at 10.009s; 3 operations until then had one, and 3 alone have none");
  check_evidence(story, {request(1, 1), request(1, 2), request(2, 2)});
  CHECK(story.violations().front().key == "k");
}

TEST_CASE("linearizable rejects reads that go back, though neither misses an acknowledged write") {
  Story story({kName, "no-stale-read"});
  story.cluster().write(request(1, 1), "k", kQuorum).begin_write(request(1, 2), "k", kQuorum);
  story.read(request(2, 1), "k", kQuorum, {request(1, 2)});
  story.read(request(3, 1), "k", kQuorum, {request(1, 1)}).end();
  REQUIRE(story.violations().size() == 1);
  CHECK(story.violations().front().invariant == kName);
  check_evidence(story, {request(1, 1), request(1, 2), request(2, 1), request(3, 1)});
}

TEST_CASE("linearizable rejects what no register ever held: siblings, and a value of nobody") {
  Story story({kName});
  story.cluster().begin_write(request(1, 1), "siblings").write(request(2, 1), "siblings");
  story.read(request(3, 1), "siblings", kQuorum, {request(1, 1), request(2, 1)});
  story.begin_read(request(3, 2), "nobody", 1, false)
      .answer(request(3, 2), ResultKind::value)
      .end();
  REQUIRE(story.violations().size() == 2);
  CHECK(story.violations()[0].key == "nobody");
  CHECK(story.violations()[1].key == "siblings");
}

TEST_CASE("linearizable does not judge direct reads") {
  Story story({kName});
  story.cluster().write(request(1, 1), "k").direct_read(request(2, 1), "k", 3, {}).end();
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 0);
}

TEST_CASE("linearizable reports a key that it cannot decide, and never passes it") {
  const auto told = [](Size memory) {
    Params params;
    params.set("memory", memory);
    Story story({kName}, {}, {{kName, params}});
    story.cluster();
    // Writes at once, each read once: in which order, only a search can tell.
    for (std::uint32_t n = 1; n <= 8; ++n) story.begin_write(request(n, 1), "k");
    for (std::uint32_t n = 1; n <= 8; ++n) story.begin_read(request(n + 10, 1), "k", 1, false);
    for (std::uint32_t n = 1; n <= 8; ++n) story.answer(request(n, 1), ResultKind::ok);
    for (std::uint32_t n = 1; n <= 8; ++n) {
      story.answer(request(n + 10, 1), ResultKind::value, {request(n, 1)});
    }
    story.read(request(20, 1), "k", kQuorum, {}).end();
    const std::vector<Violation> violations = story.violations();
    REQUIRE(violations.size() == 1);
    return violations.front().says;
  };
  CHECK(
      told({.bytes = 1'024}).starts_with("whether the history of k is linearizable is undecided"));
  CHECK(told({.bytes = 1'048'576}).starts_with("the history of k is not linearizable"));
}
