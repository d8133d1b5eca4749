// The mechanism `none`.
#include "tests/sync/harness.hpp"

namespace rejoin {
namespace {

using namespace sync_test;

TEST_CASE("none: a node that missed writes stays without them and claims to be repaired") {
  Setup setup;
  setup.sync.mechanisms = {mechanism("none")};
  Cluster cluster(setup);
  cluster.found_all();
  cluster.node(3).crash();
  cluster.node(1).write(record("a", 10));
  cluster.node(3).forget_facts();
  cluster.come_back(3);
  cluster.node(3).tell(
      local::PartitionChanged{kOnly, nodes({1, 2}), NodeId{3}, fact::ChangeReason::rejoin});
  cluster.run_for(60s);
  CHECK(cluster.node(3).contents().empty());
  CHECK(cluster.world().sent.empty());
  const auto opened = cluster.node(3).facts<fact::GateOpened>();
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].claims_repaired);
}

TEST_CASE("none promises nothing and stands alone") {
  const MechanismSpec* const spec = Mechanisms::find("none");
  REQUIRE(spec != nullptr);
  CHECK(spec->promises.empty());
  CHECK(spec->exclusive);
}

}  // namespace
}  // namespace rejoin
