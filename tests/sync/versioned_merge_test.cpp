// The mechanism `versioned-merge`: on a return, key by key, the newer version moves.
#include "tests/sync/comparing.hpp"

namespace rejoin {
namespace {

using namespace sync_test;

TEST_CASE("versioned-merge: a node that returns gets what is newer, and nothing else") {
  check_returns("versioned-merge");
}
TEST_CASE("versioned-merge: records go to whoever lacks them, as the direction says") {
  check_pushes("versioned-merge");
}
TEST_CASE("versioned-merge: the newer of two versions stays, and goes to the others") {
  check_keeps_newer("versioned-merge");
}
TEST_CASE("versioned-merge: lost messages are sent again") {
  check_lost_answers("versioned-merge");
}

TEST_CASE("versioned-merge does nothing between returns") {
  Comparing cluster(comparing("versioned-merge"));
  cluster.write_on({1}, record("one", 1));
  cluster.run_for(1h);
  CHECK(cluster.node(2).contents().empty());
  CHECK(cluster.world().sent.empty());
}

TEST_CASE("versioned-merge that takes equal versions for a conflict stores all again, for ever") {
  for (const std::string equal : {"same", "conflict"}) {
    CAPTURE(equal);
    Comparing cluster(comparing("versioned-merge", {{"period", "1s"}, {"equal", equal}}));
    cluster.write_on({1, 2, 3}, record("a", 1));
    cluster.write_on({1, 2, 3}, record("b", 2));
    cluster.run_for(500ms);
    for (std::uint32_t n = 1; n <= 3; ++n) cluster.node(n).forget_facts();
    cluster.run_for(10s);
    CHECK(cluster.all_equal());
    CHECK(cluster.node(1).contents().at("a") == "a@1");
    std::size_t stored = 0;
    for (const auto& written : cluster.node(1).facts<fact::RecordWritten>()) {
      stored += written.stored && written.cause == fact::WriteCause::repair ? 1 : 0;
    }
    CHECK(stored == (equal == "same" ? 0 : 20));  // ten passes of two keys
    CHECK(cluster.pulled(1) == 0);                // none of it new
  }
}

TEST_CASE("versioned-merge without versions is refused") {
  const MechanismSpec& spec = *Mechanisms::find("versioned-merge");
  NodeOptions options;
  const Params params = mechanism("versioned-merge").params;
  CHECK(spec.refuses(options, params) == "it merges by versions, and `versions` is none");
  options.store.versions = VersionScheme::hlc;
  CHECK(spec.refuses(options, params).empty());
}

}  // namespace
}  // namespace rejoin
