// The mechanism `hook-copy`.
#include "tests/sync/harness.hpp"

namespace rejoin {
namespace {

using namespace sync_test;

Setup with(VersionScheme versions, const std::string& sources) {
  Setup setup;
  setup.versions = versions;
  setup.sync.mechanisms = {mechanism("hook-copy", {{"sources", sources}})};
  return setup;
}

// Node 3 gains the partition of nodes 1 and 2, which hold `a`.
struct Move : Cluster {
  explicit Move(const Setup& setup, const Record& on_1, const Record& on_2) : Cluster(setup) {
    assume_owners({nodes({1, 2})});
    found_all();
    node(1).write(on_1);
    node(2).write(on_2);
    run_for(10ms);
    move_to({nodes({1, 2, 3})});
    drain_all();
    node(3).tell(
        local::PartitionChanged{kOnly, nodes({1, 2}), NodeId{3}, fact::ChangeReason::added});
  }
};

TEST_CASE("hook-copy copies a partition that moves here") {
  Move move(with(VersionScheme::none, "all"), unversioned("a", 10), unversioned("b", 20));
  move.run_for(1s);
  CHECK(move.node(3).contents().size() == 2);
  const auto started = move.node(3).facts<fact::RepairStarted>();
  REQUIRE(started.size() == 1);
  CHECK(started[0].mechanism == "hook-copy");
}

TEST_CASE("hook-copy overwrites a newer value that was written during the copy") {
  Move move(with(VersionScheme::timestamp, "first"), record("a", 10), record("a", 10));
  move.run_for(500us);
  move.node(3).write(record("a", 30));
  move.run_for(1s);
  CHECK(move.node(3).contents() == std::map<Key, Value>{{"a", "a@10"}});
}

TEST_CASE("hook-copy from all: the source that answers last wins, however old it is") {
  Move move(with(VersionScheme::none, "all"), unversioned("a", 30), unversioned("a", 10));
  bool first = true;
  move.world().drops = [&first](const Sent& sent) {
    // Node 2, which is stale, answers late.
    const bool drop = first && sent.from == NodeId{2};
    first = first && !drop;
    return drop;
  };
  move.run_for(20s);
  CHECK(move.node(3).contents() == std::map<Key, Value>{{"a", "a@10"}});
}

TEST_CASE("hook-copy does nothing for a node that returns to the partitions it had") {
  Cluster cluster(with(VersionScheme::none, "all"));
  cluster.found_all();
  cluster.node(3).crash();
  cluster.node(1).write(unversioned("a", 10));
  cluster.node(3).forget_facts();
  cluster.come_back(3);
  cluster.run_for(60s);
  CHECK(cluster.node(3).contents().empty());
  const auto opened = cluster.node(3).facts<fact::GateOpened>();
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].claims_repaired);
}

TEST_CASE("hook-copy with nobody to copy from completes empty") {
  Cluster cluster(with(VersionScheme::none, "all"));
  cluster.assume_owners({nodes({1, 2})});
  cluster.found_all();
  cluster.node(1).write(unversioned("a", 10));
  cluster.move_to({nodes({1, 2, 3})});
  cluster.drain_all();
  cluster.node(3).tell(local::PartitionChanged{kOnly, {}, NodeId{3}, fact::ChangeReason::removed});
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents().empty());
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
}

}  // namespace
}  // namespace rejoin
