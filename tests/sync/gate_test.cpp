// Returns and gates: when a node is back, what that asks of mechanisms, and from when it answers.
#include "protocols/sync/gate.hpp"

#include "tests/sync/harness.hpp"

namespace rejoin {
namespace {

using namespace sync_test;
using namespace sync_detail;

Setup with(GateMode gate, const std::string& name) {
  Setup setup;
  setup.sync.gate = gate;
  setup.sync.fetch_timeout = 100ms;
  setup.sync.fetch_attempts = 2;
  setup.sync.retry_backoff = 10ms;
  if (!name.empty()) setup.sync.mechanisms = {mechanism(name)};
  return setup;
}

TEST_CASE("a founding start repairs nothing, and only the first start is one") {
  Cluster cluster(with(GateMode::fence, "rejoin-sync"));
  cluster.found_all();
  cluster.run_for(1s);
  CHECK(cluster.node(3).facts<fact::RepairStarted>().empty());
  const auto opened = cluster.node(3).facts<fact::GateOpened>();
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].claims_repaired);
  CHECK(cluster.node(3).file("sync.state").starts_with("whole "));

  cluster.node(3).crash();
  cluster.node(3).forget_facts();
  cluster.come_back(3);
  cluster.run_for(1s);
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
}

TEST_CASE(
    "a state file that decayed is reported, and one that is older than the data not believed") {
  for (const std::string content : {"returneD", "founding", "", "whole", "whole x", "whole -1"}) {
    Cluster cluster(with(GateMode::fence, "rejoin-sync"));
    cluster.found_all();
    cluster.run_for(1s);
    cluster.node(3).write(record("a", 10));
    cluster.run_for(10ms);
    cluster.node(3).crash();
    const ByteView bytes = as_bytes(content);
    cluster.node(3).put_file({.name = "sync.state", .content = Bytes(bytes.begin(), bytes.end())});
    cluster.node(3).forget_facts();
    cluster.come_back(3);
    cluster.run_for(1s);
    INFO(content);
    CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
    const bool decayed = content != "founding";
    CHECK(cluster.node(3).facts<fact::StorageCorrupt>().size() == (decayed ? 1 : 0));
  }
}

TEST_CASE("a wiped disk is a return, not a founding") {
  Cluster cluster(with(GateMode::open, "rejoin-sync"));
  cluster.found_all();
  cluster.node(3).crash();
  cluster.node(3).wipe_disk();
  cluster.node(1).write(record("a", 10));
  cluster.come_back(3, Incarnation{2});
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents().size() == 1);
}

TEST_CASE("a fence opens only after the repair is durable, with the start of the repair") {
  Cluster cluster(with(GateMode::fence, "rejoin-sync"));
  cluster.found_all();
  cluster.node(3).crash();
  cluster.node(1).write(record("a", 10));
  cluster.run_for(10ms);
  cluster.node(3).forget_facts();
  cluster.come_back(3);
  CHECK(cluster.node(3).facts<fact::GateClosed>().size() == 1);
  cluster.node(3).hold_syncs(true);
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents().size() == 1);
  CHECK_FALSE(cluster.node(3).gate().is_open(kOnly));
  cluster.node(3).hold_syncs(false);
  cluster.run_for(10ms);
  CHECK(cluster.node(3).gate().is_open(kOnly));
  const auto opened = cluster.node(3).facts<fact::GateOpened>();
  const auto done = cluster.node(3).facts<fact::RepairCompleted>();
  REQUIRE(opened.size() == 1);
  REQUIRE(done.size() == 1);
  CHECK(opened[0].claims_repaired);
  CHECK(opened[0].since == done[0].started);
}

TEST_CASE("an open gate never closes, and does not claim what a mechanism will repair") {
  Cluster cluster(with(GateMode::open, "rejoin-sync"));
  cluster.found_all();
  cluster.node(3).crash();
  cluster.node(3).forget_facts();
  cluster.come_back(3);
  CHECK(cluster.node(3).gate().is_open(kOnly));
  const auto opened = cluster.node(3).facts<fact::GateOpened>();
  REQUIRE(opened.size() == 1);
  CHECK_FALSE(opened[0].claims_repaired);
  cluster.run_for(1s);
  CHECK(cluster.node(3).facts<fact::GateClosed>().empty());
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
}

TEST_CASE("without a mechanism the gate claims to be repaired since the process became a member") {
  for (const GateMode mode : {GateMode::open, GateMode::fence}) {
    Cluster cluster(with(mode, ""));
    cluster.found_all();
    cluster.node(3).crash();
    cluster.node(3).forget_facts();
    cluster.run_for(5s);
    const MonotonicTime start = cluster.now();
    cluster.come_back(3);
    const auto opened = cluster.node(3).facts<fact::GateOpened>();
    REQUIRE(opened.size() == 1);
    CHECK(opened[0].claims_repaired);
    CHECK(opened[0].since == start);
    CHECK(cluster.node(3).gate().is_open(kOnly));
  }
}

TEST_CASE("nothing returns before the node has caught up with the cluster") {
  Cluster cluster(with(GateMode::fence, "rejoin-sync"));
  cluster.found(1);
  cluster.node(3).start(cluster.state());
  cluster.run_for(1s);
  CHECK(cluster.node(3).facts<fact::RepairStarted>().empty());
  CHECK(cluster.node(3).facts<fact::GateOpened>().empty());
}

TEST_CASE("an evicted node fences all and, once admitted again, repairs again") {
  Cluster cluster(with(GateMode::fence, "rejoin-sync"));
  cluster.found_all();
  cluster.run_for(1s);
  cluster.node(3).tell(local::Evicted{});
  CHECK_FALSE(cluster.node(3).gate().is_open(kOnly));
  cluster.node(1).write(record("a", 10));
  cluster.run_for(1s);
  cluster.node(3).forget_facts();
  cluster.node(3).catch_up();  // of the life that has ended
  cluster.run_for(1s);
  CHECK(cluster.node(3).all_facts().empty());

  cluster.node(3).tell(local::IdentityKnown{NodeId{3}, Incarnation{2}});
  cluster.node(3).catch_up();
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents().size() == 1);
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
  CHECK(cluster.node(3).gate().is_open(kOnly));
}

TEST_CASE("eviction abandons what is under way") {
  Cluster cluster(with(GateMode::open, "rejoin-sync"));
  cluster.found_all();
  cluster.node(3).crash();
  cluster.come_back(3);
  cluster.run_for(500us);
  REQUIRE(cluster.node(3).facts<fact::RepairStarted>().size() == 1);
  cluster.node(3).tell(local::Evicted{});
  cluster.run_for(60s);
  CHECK(cluster.node(3).facts<fact::RepairStarted>().size() == 1);
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().empty());
  CHECK(cluster.node(3).facts<fact::RepairFailed>().size() == 1);
}

TEST_CASE("a return and a hook of one event are one repair") {
  Cluster cluster(with(GateMode::open, "rejoin-sync"));
  cluster.found_all();
  cluster.node(3).crash();
  cluster.node(3).forget_facts();
  cluster.come_back(3);
  cluster.node(3).tell(
      local::PartitionChanged{kOnly, nodes({1, 2}), NodeId{3}, fact::ChangeReason::rejoin});
  cluster.run_for(1s);
  CHECK(cluster.node(3).facts<fact::RepairStarted>().size() == 1);
}

TEST_CASE("a hook that a replayed log fires waits for the return, and is one repair with it") {
  Cluster cluster(with(GateMode::open, "rejoin-sync"));
  cluster.found_all();
  cluster.node(3).crash();
  cluster.node(3).forget_facts();
  cluster.node(3).start(cluster.state(), Incarnation{1});
  cluster.run_for(10ms);
  cluster.node(3).tell(
      local::PartitionChanged{kOnly, nodes({1, 2}), NodeId{3}, fact::ChangeReason::rejoin});
  cluster.run_for(1s);
  CHECK(cluster.node(3).facts<fact::RepairStarted>().empty());
  cluster.node(3).catch_up();
  cluster.run_for(1s);
  CHECK(cluster.node(3).facts<fact::RepairStarted>().size() == 1);
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
}

TEST_CASE("a hook of before the return is a repair where the return asks for none") {
  Cluster cluster(with(GateMode::open, "hook-copy"));
  cluster.found_all();
  cluster.node(3).crash();
  cluster.node(3).forget_facts();
  cluster.node(3).start(cluster.state(), Incarnation{1});
  cluster.run_for(10ms);
  cluster.node(3).tell(
      local::PartitionChanged{kOnly, nodes({1, 2}), NodeId{3}, fact::ChangeReason::rejoin});
  cluster.node(3).catch_up();
  cluster.run_for(1s);
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
}

TEST_CASE("a gained partition is fenced until it is copied, a lost one from then on") {
  Cluster cluster(with(GateMode::fence, "rejoin-sync"));
  cluster.assume_owners({nodes({1, 2})});
  cluster.found_all();
  cluster.node(1).write(record("a", 10));
  cluster.run_for(1s);
  CHECK_FALSE(cluster.node(3).gate().is_open(kOnly));
  CHECK(cluster.node(2).gate().is_open(kOnly));
  cluster.move_to({nodes({1, 3})});
  cluster.drain_all();
  CHECK_FALSE(cluster.node(2).gate().is_open(kOnly));
  cluster.node(3).tell(
      local::PartitionChanged{kOnly, nodes({1, 2}), NodeId{3}, fact::ChangeReason::rebalance});
  CHECK_FALSE(cluster.node(3).gate().is_open(kOnly));
  cluster.run_for(1s);
  CHECK(cluster.node(3).gate().is_open(kOnly));
  CHECK(cluster.node(3).contents().size() == 1);
}

TEST_CASE("a partition that is gained without a hook is repaired like after a return") {
  Cluster cluster(with(GateMode::fence, "rejoin-sync"));
  cluster.assume_owners({nodes({1, 2})});
  cluster.found_all();
  cluster.node(1).write(record("a", 10));
  cluster.run_for(1s);
  cluster.move_to({nodes({1, 2, 3})});
  cluster.drain_all();
  cluster.run_for(1s);
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
  CHECK(cluster.node(3).gate().is_open(kOnly));
  CHECK(cluster.node(3).contents().size() == 1);
}

TEST_CASE("replicas that return together accept each other when nobody else is left") {
  Cluster cluster(with(GateMode::fence, "rejoin-sync"));
  cluster.found_all();
  for (std::uint32_t n = 1; n <= 3; ++n) {
    cluster.node(n).write(record("key-" + std::to_string(n), n));
  }
  cluster.run_for(1s);
  for (std::uint32_t n = 1; n <= 3; ++n) cluster.node(n).crash();
  for (std::uint32_t n = 1; n <= 3; ++n) {
    cluster.node(n).forget_facts();
    cluster.node(n).start(cluster.state());
  }
  cluster.run_for(10ms);
  for (std::uint32_t n = 1; n <= 3; ++n) cluster.node(n).catch_up();
  cluster.run_for(20s);
  for (std::uint32_t n = 1; n <= 3; ++n) {
    CHECK(cluster.node(n).gate().is_open(kOnly));
    CHECK(cluster.node(n).facts<fact::RepairCompleted>().size() == 1);
  }
  std::size_t told = 0;
  for (std::uint32_t n = 1; n <= 3; ++n) {
    for (const auto& failed : cluster.node(n).facts<fact::RepairFailed>()) {
      told += failed.reason == "no source but unrepaired ones; the next try accepts them" ? 1 : 0;
    }
  }
  CHECK(told > 0);
}

TEST_CASE("a replica that waits for a repair itself is passed over while another is repaired") {
  Cluster cluster(with(GateMode::open, "rejoin-sync"));
  cluster.found_all();
  cluster.node(1).write(record("a", 10));
  cluster.run_for(10ms);
  // Node 2 has come back but hears nobody: it cannot repair, and is ahead by its newest version.
  cluster.node(2).write(record("z", 99));
  cluster.run_for(10ms);
  cluster.node(2).crash();
  cluster.node(3).crash();
  cluster.world().drops = [](const Sent& sent) {
    return sent.from == NodeId{1} && sent.to == NodeId{2};
  };
  cluster.come_back(2);
  cluster.come_back(3);
  cluster.run_for(30ms);
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
  CHECK(cluster.node(3).contents() == cluster.node(1).contents());
}

}  // namespace
}  // namespace rejoin
