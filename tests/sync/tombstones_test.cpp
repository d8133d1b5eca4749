// When tombstones are forgotten, by each rule, and what comes back when they were forgotten too
// soon.
#include "protocols/sync/tombstones.hpp"

#include "tests/sync/comparing.hpp"

namespace rejoin {
namespace {

using namespace sync_test;

Setup ruled(TombstoneRule rule, Duration delay, std::map<std::string, std::string> params = {}) {
  params.try_emplace("period", "1s");
  Setup setup = comparing("merkle", std::move(params));
  setup.store.tombstones = rule;
  setup.store.tombstone_grace = delay;
  setup.store.tombstone_repair_delay = delay;
  setup.store.tombstone_ack_delay = delay;
  return setup;
}

std::size_t copies(Comparing& cluster, const Key& key) {
  std::size_t out = 0;
  for (std::uint32_t n = 1; n <= 3; ++n) {
    if (cluster.node(n).is_running()) out += cluster.node(n).contents().count(key);
  }
  return out;
}

// Versions of the harness are times in nanoseconds, so that its deletes are as old as the run.
TEST_CASE("keep: a tombstone stays for ever") {
  Comparing cluster(ruled(TombstoneRule::keep, 1s));
  cluster.write_on({1, 2, 3}, record("a", 1, true));
  cluster.run_for(1h);
  CHECK(copies(cluster, "a") == 3);
}

TEST_CASE("none: a delete leaves nothing, and whoever missed it brings the value back") {
  Comparing cluster(ruled(TombstoneRule::none, 1s));
  cluster.write_on({1, 2, 3}, record("a", 1));
  cluster.away([&] { cluster.write_on({1, 2}, record("a", 2, true)); });
  CHECK(cluster.node(1).contents().empty());
  cluster.run_for(5s);
  CHECK(copies(cluster, "a") == 3);
  CHECK(cluster.node(1).contents().at("a") == "a@1");
}

TEST_CASE("grace: a tombstone goes when it is so old, and what was written since stays") {
  Comparing cluster(ruled(TombstoneRule::grace, 10s));
  cluster.write_on({1, 2, 3}, record("a", 1, true));
  cluster.write_on({1, 2, 3}, record("b", 1, true));
  cluster.write_on({1, 2, 3}, record("b", 2));
  cluster.run_for(9s);
  CHECK(copies(cluster, "a") == 3);
  cluster.run_for(5s);
  CHECK(copies(cluster, "a") == 0);
  CHECK(copies(cluster, "b") == 3);
  // Compared when some had collected and some had not: it does not come back.
  cluster.run_for(1min);
  CHECK(copies(cluster, "a") == 0);
}

TEST_CASE("grace: who was away for longer than that brings the value back") {
  for (const Duration outage : {5s, 60s}) {
    Comparing cluster(ruled(TombstoneRule::grace, 20s));
    cluster.write_on({1, 2, 3}, record("a", 1));
    cluster.run_for(10ms);
    cluster.node(3).crash();
    // The delete is of now.
    const auto now = cluster.now().time_since_epoch().count();
    cluster.write_on({1, 2}, record("a", now, true));
    cluster.run_for(outage);
    cluster.come_back(3);
    cluster.run_for(5min);
    CHECK(copies(cluster, "a") == (outage > 20s ? 3 : 0));
  }
}

TEST_CASE("after-repair: a tombstone waits for comparisons with every owner, however old it is") {
  Comparing cluster(ruled(TombstoneRule::after_repair, 2s));
  cluster.write_on({1, 2, 3}, record("a", 1));
  cluster.run_for(10ms);
  cluster.node(3).crash();
  cluster.write_on({1, 2}, record("a", 2, true));
  cluster.run_for(10min);
  CHECK(copies(cluster, "a") == 2);  // node 3 was not met
  cluster.come_back(3);
  cluster.run_for(1min);
  CHECK(copies(cluster, "a") == 0);
  cluster.run_for(10min);
  CHECK(copies(cluster, "a") == 0);
}

TEST_CASE("after-repair: comparisons that only fetch prove nothing") {
  Comparing cluster(ruled(TombstoneRule::after_repair, 2s, {{"direction", "pull"}}));
  cluster.write_on({1, 2, 3}, record("a", 1, true));
  cluster.run_for(10min);
  CHECK(copies(cluster, "a") == 3);
}

TEST_CASE("all-ack: a tombstone goes everywhere once every owner has said that it holds it") {
  Comparing cluster(ruled(TombstoneRule::all_ack, 2s, {{"period", "0s"}}));
  cluster.write_on({1, 2, 3}, record("a", 1));
  cluster.run_for(10ms);
  cluster.node(3).crash();
  cluster.write_on({1, 2}, record("a", 2, true));
  cluster.run_for(10min);
  CHECK(copies(cluster, "a") == 2);
  cluster.come_back(3);
  cluster.run_for(1min);
  CHECK(copies(cluster, "a") == 0);
}

TEST_CASE("all-ack: what was written after the last word stays") {
  Comparing cluster(ruled(TombstoneRule::all_ack, 5s, {{"period", "0s"}}));
  cluster.write_on({1, 2, 3}, record("a", 1, true));
  cluster.run_for(3s);
  cluster.write_on({2}, record("a", 2));  // the others will hear of it later
  cluster.run_for(1min);
  CHECK(cluster.node(2).contents().at("a") == "a@2");
}

TEST_CASE("tombstones: messages that no owner would send are rejected and change nothing") {
  Comparing cluster(ruled(TombstoneRule::all_ack, 5s));
  cluster.write_on({1, 2, 3}, record("a", 1));
  const auto rejects = [&cluster](const auto& message) {
    return !cluster.node(1).receive(Address(2), encode_message(message));
  };
  using namespace sync_detail;
  TombstoneOffer offer{.partition = kOnly, .records = {record("a", 2)}};
  CHECK(rejects(offer));  // no tombstone
  offer.records = {record("b", 2, true), record("a", 2, true)};
  CHECK(rejects(offer));  // out of order
  offer.partition = PartitionId(7);
  CHECK(rejects(offer));
  CHECK(rejects(TombstoneDrop{.partition = kOnly, .keys = {"a", "b"}, .origins = {{}}}));
  CHECK(
      rejects(TombstoneHeld{.partition = kOnly, .round = 1, .owner = NodeId(3)}));  // not its word
  CHECK_FALSE(rejects(TombstoneDrop{.partition = kOnly, .keys = {"a"}, .origins = {{}}}));
  CHECK(cluster.node(1).contents().at("a") == "a@1");
}

}  // namespace
}  // namespace rejoin
