#include "model/random.hpp"
#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

const std::string kName = "bounded-staleness";

Story story_within(std::int64_t versions, Duration time) {
  Params params;
  params.set("versions", versions);
  params.set("time", time);
  return Story({kName}, {}, {{kName, params}});
}

// By definition: each acknowledgement before the invocation, against each version that is shown.
std::uint64_t versions_behind(const World& world, const Key& key, MonotonicTime invoked,
                              const std::vector<RequestId>& shown) {
  const KeyHistory& history = world.keys().at(key);
  std::uint64_t out = 0;
  for (const std::size_t position : history.acknowledged) {
    const Operation& write = history.writes[position];
    const bool newer = std::all_of(shown.begin(), shown.end(),
                                   [&](RequestId id) { return world.older(id, write.id); });
    out += newer && *write.returned < invoked ? 1 : 0;
  }
  return out;
}

}  // namespace

TEST_CASE("bounded-staleness accepts a read within both bounds, and counts concurrent for none") {
  Story story = story_within(2, 5s);
  story.cluster().at(10s).write(request(1, 1), "k").begin_write(request(3, 1), "k");
  story.write(request(1, 2), "k").write(request(1, 3), "k");
  story.at(12s).direct_read(request(2, 1), "k", 3, {request(1, 1)});
  story.read(request(2, 2), "k", Consistency::one, {request(1, 3)});
  // Concurrent with both writes that follow it.
  story.at(60s).read(request(2, 3), "k", Consistency::one, {request(3, 1)});
  story.read(request(2, 4), "unwritten", Consistency::one, {});
  CHECK(story.violations().empty());
  CHECK(story.judged(kName) == 3);
}

TEST_CASE("bounded-staleness rejects too many versions behind") {
  Story story = story_within(1, 1h);
  story.cluster().at(10s).write(request(1, 1), "k").write(request(1, 2), "k");
  story.write(request(1, 3), "k").at(12s).direct_read(request(2, 1), "k", 3, {request(1, 1)});
  check_says(story,
             "a direct read of k at node-3 returned \"v1.1\" (client-1/1), 2 versions and 1.997s "
             "behind: the write of \"v1.2\" (client-1/2), the first that it misses, had been "
             "acknowledged at 10.003s (at most 1 version and 1h are allowed)");
}

TEST_CASE(
    "bounded-staleness rejects too long behind, by one version, and by the first of several") {
  Story story = story_within(10, 5s);
  story.cluster().at(10s).write(request(1, 1), "k").write(request(1, 2), "k");
  story.at(15s).read(request(2, 1), "k", Consistency::one, {request(1, 1)});
  CHECK(story.violations().empty());
  story.at(16s).write(request(1, 3), "k");
  story.read(request(2, 2), "k", Consistency::one, {request(1, 1)});
  REQUIRE(story.violations().size() == 1);
  CHECK(story.violations().front().says.find("2 versions and 5.999s behind: the write of "
                                             "\"v1.2\"") != std::string::npos);
}

TEST_CASE(
    "bounded-staleness takes NOT FOUND for what the latest delete left, or for the beginning") {
  Story story = story_within(1, 1h);
  story.cluster().write(request(1, 1), "k").write(request(1, 2), "k").remove(request(1, 3), "k");
  story.write(request(1, 4), "k").read(request(2, 1), "k", Consistency::one, {});
  CHECK(story.violations().empty());
  story.write(request(1, 5), "k").read(request(2, 2), "k", Consistency::one, {});
  CHECK(story.violations().size() == 1);
  story.write(request(1, 6), "never deleted").write(request(1, 7), "never deleted");
  story.read(request(2, 3), "never deleted", Consistency::one, {});
  CHECK(story.violations().size() == 2);
}

TEST_CASE("bounded-staleness has defaults, and allows nothing when told so") {
  Story usual({kName});
  usual.cluster().write(request(1, 1), "k").write(request(1, 2), "k");
  usual.read(request(2, 1), "k", Consistency::one, {request(1, 1)});
  CHECK(usual.violations().empty());
  Story strict = story_within(0, 1h);
  strict.cluster().write(request(1, 1), "k").write(request(1, 2), "k");
  strict.read(request(2, 1), "k", Consistency::one, {request(1, 1)});
  CHECK(strict.violations().size() == 1);
}

TEST_CASE("the staleness of an answer is what its definition says, and agrees with missed_by") {
  std::uint64_t stale = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::uint64_t rolls = 0;
    const auto roll = [&](std::uint64_t sides) {
      return draw({.seed = seed, .domain = Domain::workload, .what = ++rolls}) % sides;
    };
    Story story;
    std::vector<RequestId> writes;
    std::vector<RequestId> open;
    for (std::uint64_t n = 1; n <= 12; ++n) {
      if (!open.empty() && roll(2) == 0) {
        const std::size_t at = roll(open.size());
        story.answer(open[at], ResultKind::ok);
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
        continue;
      }
      std::vector<RequestId> context;
      if (!writes.empty() && roll(4) == 0) context.push_back(writes[roll(writes.size())]);
      writes.push_back(request(1, n));
      open.push_back(writes.back());
      story.begin_write(writes.back(), "k", Consistency::one, context);
    }
    std::vector<RequestId> shown{writes[roll(writes.size())]};
    if (roll(3) == 0) shown.push_back(writes[roll(writes.size())]);
    Operation read;
    read.id = request(2, 1);
    read.kind = OperationKind::read;
    read.key = Key("k");
    read.invoked = story.now();
    read.result = ResultKind::value;
    read.observed = shown;
    const Staleness behind = story.world().staleness(read);
    INFO("seed " << seed);
    REQUIRE(behind.versions == versions_behind(story.world(), "k", story.now(), shown));
    REQUIRE((behind.versions > 0) == (story.world().missed_by(read) != nullptr));
    REQUIRE((behind.oldest != nullptr) == (behind.versions > 0));
    stale += behind.versions > 0 ? 1 : 0;
  }
  CHECK(stale > 100);
  CHECK(stale < 450);
}
