#include "tests/invariants/story.hpp"

using namespace rejoin;
using namespace rejoin::sim;

TEST_CASE("judges count judgements by registered name, also of who never judged") {
  Story story({"no_stale_read", "no-stale-read", "no-duplicate-nodes"});
  story.cluster();
  CHECK(story.judged("no-stale-read") == 0);
  CHECK(story.judged("no-duplicate-nodes") == 1);
}

TEST_CASE("judges order violations by event, then invariant") {
  Story story({"no-stale-read", "no-resurrection", "merge-never-regresses"});
  story.cluster().write(request(1, 1), "k").write(request(1, 2), "k").remove(request(1, 3), "k");
  story.direct_read(request(2, 1), "k", 1, {request(1, 1)});
  story.put(2, "k", request(1, 2)).put(2, "k", request(1, 1));
  const std::vector<Violation> violations = story.violations();
  REQUIRE(violations.size() == 3);
  CHECK(violations[0].invariant == "no-resurrection");
  CHECK(violations[1].invariant == "no-stale-read");
  CHECK(violations[0].event == violations[1].event);
  CHECK(violations[2].invariant == "merge-never-regresses");
}

TEST_CASE("judges keep a hundred violations of an invariant and count the rest") {
  Story story({"no-stale-read"});
  story.cluster();
  for (std::uint64_t n = 1; n <= 130; ++n) {
    const Key key = "key-" + std::to_string(n);
    story.write(request(1, n), key).direct_read(request(2, n), key, 1, {});
  }
  const std::vector<Violation> violations = story.violations();
  REQUIRE(violations.size() == kViolationsMax + 1);
  CHECK(violations.back().says == "and 30 more violations of the same kind");
  CHECK(violations.back().invariant == "no-stale-read");
}

TEST_CASE("every invariant explains itself") {
  CHECK(Invariants::all().size() >= 15);
  for (const InvariantSpec& spec : Invariants::all()) {
    CAPTURE(spec.name);
    CHECK_FALSE(spec.help.empty());
    CHECK(spec.details.starts_with("Judged"));
    for (const ParamSpec& param : spec.params) {
      CAPTURE(param.name);
      CHECK_FALSE(param.help.empty());
      CHECK_FALSE(param.fallback.empty());
    }
    CHECK(spec.make(default_params(spec.params))->judged() == 0);
  }
}
