// The mechanism `merkle`: anti-entropy by Merkle trees.
#include <algorithm>

#include "tests/sync/comparing.hpp"

namespace rejoin {
namespace {

using namespace sync_test;

TEST_CASE("merkle: a node that returns gets what differs, and nothing else") {
  check_returns("merkle");
}
TEST_CASE("merkle: records go to whoever lacks them, as the direction says") {
  check_pushes("merkle");
}
TEST_CASE("merkle: the newer of two versions stays, and goes to the others") {
  check_keeps_newer("merkle");
}
TEST_CASE("merkle: lost messages are sent again") {
  check_lost_answers("merkle");
}
TEST_CASE("merkle: passes make replicas equal that nobody repaired, and then they are silent") {
  check_passes("merkle");
}

TEST_CASE("merkle: passes are a period apart, and by jitter up to so much longer") {
  const auto passes = [](const std::string& jitter) {
    Comparing cluster(
        comparing("merkle", {{"period", "1s"}, {"jitter", jitter}, {"on_return", "false"}}));
    cluster.run_for(100s);
    std::vector<std::size_t> out;
    for (std::uint32_t n = 1; n <= 3; ++n) {
      out.push_back(cluster.node(n).facts<fact::RepairStarted>().size());
    }
    return out;
  };
  for (const std::size_t count : passes("0s")) CHECK((count == 99 || count == 100));
  const std::vector<std::size_t> spread = passes("1s");
  // 100 s by 1.5 s; a hundred draws stray little.
  for (const std::size_t count : spread) CHECK((count > 58 && count < 76));
}

TEST_CASE("merkle: a pass compares as many partitions at once as it is told to") {
  for (const std::size_t wanted : {1U, 3U}) {
    Setup setup = comparing(
        "merkle",
        {{"period", "1s"}, {"on_return", "false"}, {"concurrency", std::to_string(wanted)}});
    setup.partitions = 8;
    Comparing cluster(setup);
    cluster.run_for(10s);
    std::size_t under_way = 0;
    std::size_t most = 0;
    for (const Fact& fact : cluster.node(1).all_facts()) {
      if (const auto* started = std::get_if<fact::RepairStarted>(&fact)) {
        CHECK_FALSE(started->claims);
        most = std::max(most, ++under_way);
      }
      if (std::holds_alternative<fact::RepairCompleted>(fact)) --under_way;
    }
    CHECK(most == wanted);
  }
}

TEST_CASE("merkle: so many partitions a period, and the next ones in the next, make a pass") {
  Setup setup = comparing(
      "merkle", {{"period", "1s"}, {"on_return", "false"}, {"visits", "3"}, {"concurrency", "3"}});
  setup.partitions = 8;
  Comparing cluster(setup);
  cluster.run_for(9500ms);
  std::vector<std::uint32_t> visited;
  std::vector<NodeId> peers;
  for (const auto& started : cluster.node(1).facts<fact::RepairStarted>()) {
    visited.push_back(started.partition.value);
    if (started.partition.value == 0) peers.push_back(started.sources.at(0));
  }
  // The last part of a pass is what is left.
  const std::vector<std::uint32_t> pass = {0, 1, 2, 3, 4, 5, 6, 7};
  REQUIRE(visited.size() == 24);
  for (std::size_t i = 0; i < visited.size(); ++i) CHECK(visited[i] == pass[i % 8]);
  // Each pass meets another replica.
  CHECK(peers == std::vector<NodeId>{NodeId(3), NodeId(2), NodeId(3)});
}

TEST_CASE("merkle: rounds are what was asked one after the other") {
  Comparing cluster(comparing("merkle", {{"source", "one"}, {"direction", "pull"}}));
  cluster.write_on({1, 2, 3}, record("a", 1));
  cluster.away([&] { cluster.write_on({1, 2}, record("b", 2)); });
  cluster.run_for(2s);
  const auto done = cluster.node(3).facts<fact::RepairCompleted>();
  REQUIRE(done.size() == 1);
  // So few records are listed below the root; then the missing one is fetched.
  CHECK(done[0].rounds == cluster.world().count(sync_detail::MerkleAsk::kind) + 1);
  CHECK(cluster.world().count(sync_detail::PullRequest::kind) == 1);
}

TEST_CASE("merkle: equal replicas compare one digest") {
  Comparing cluster(comparing("merkle"));
  for (int i = 100; i < 200; ++i) cluster.write_on({1, 2, 3}, record("k" + std::to_string(i), 1));
  cluster.away([] {});
  cluster.run_for(2s);
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
  CHECK(cluster.world().count(sync_detail::MerkleAsk::kind) == 1);
  CHECK(cluster.world().count(sync_detail::PullRequest::kind) == 0);
}

TEST_CASE("merkle: a tree follows its store through overwrites, deletes and wipes") {
  Comparing cluster(comparing("merkle", {{"period", "1s"}}));
  cluster.write_on({1, 2, 3}, record("a", 1));
  cluster.run_for(3s);  // trees are there
  cluster.write_on({1, 2, 3}, record("a", 2));
  cluster.write_on({1, 2, 3}, record("b", 3, true));
  for (std::uint32_t n = 1; n <= 3; ++n) {
    (void)cluster.node(n).store().drop(kOnly);
    cluster.node(n).write(record("c", 4));
  }
  const std::size_t before = cluster.world().count(sync_detail::PullRequest::kind);
  cluster.run_for(5s);
  CHECK(cluster.world().count(sync_detail::PullRequest::kind) == before);
  cluster.write_on({2}, record("d", 5));
  cluster.run_for(5s);
  CHECK(cluster.all_equal());
}

TEST_CASE("merkle: a shape that no tree can have is refused with the reason") {
  const MechanismSpec& spec = *Mechanisms::find("merkle");
  const auto refusal = [&spec](const char* name, const char* value) {
    return spec.refuses(NodeOptions{}, mechanism("merkle", {{name, value}}).params);
  };
  CHECK(refusal("fanout", "16").empty());
  CHECK_FALSE(refusal("fanout", "3").empty());
  CHECK_FALSE(refusal("depth", "0").empty());
  CHECK_FALSE(refusal("depth", "30").empty());
  Params below = mechanism("merkle").params;
  below.set("leaf_budget", std::int64_t{-1});
  CHECK_FALSE(spec.refuses(NodeOptions{}, below).empty());
  CHECK(refusal("leaf_budget", "0").empty());
}

TEST_CASE("merkle: passes that cannot be paced so are refused with the reason") {
  for (const std::string name : {"merkle", "digest-list", "versioned-merge"}) {
    CAPTURE(name);
    const MechanismSpec& spec = *Mechanisms::find(name);
    NodeOptions options;
    options.store.versions = VersionScheme::timestamp;
    const auto refusal = [&](std::map<std::string, std::string> params) {
      return spec.refuses(options, mechanism(name, std::move(params)).params);
    };
    CHECK(refusal({{"period", "1ms"}, {"concurrency", "4"}}).empty());
    CHECK(refusal({{"period", "999us"}}) == "period is 0s for none, or 1ms and more");
    CHECK(refusal({{"period", "0s"}, {"jitter", "1s"}}) ==
          "jitter is added to each period, and there is none");
    CHECK(refusal({{"period", "0s"}, {"visits", "2"}}) ==
          "visits are those of a period, and there is none");
    CHECK(refusal({{"visits", "-1"}}) == "visits is a number from 0, which is all, to 1000000");
    CHECK(refusal({{"period", "0s"}}).empty());
    CHECK(refusal({{"period", "0s"}, {"on_return", "false"}}) ==
          "with on-return false and no period nothing is ever compared");
    CHECK(refusal({{"concurrency", "5"}}) ==
          "concurrency is a number from 1 to 4, fetch.in-flight");
    CHECK(refusal({{"concurrency", "0"}}) ==
          "concurrency is a number from 1 to 4, fetch.in-flight");
  }
}

TEST_CASE("merkle: answers that nobody asked for, or that are damaged, change nothing") {
  Comparing cluster(comparing("merkle"));
  cluster.write_on({1, 2}, record("a", 1));
  cluster.away([] {});
  cluster.run_for(2s);
  const auto before = cluster.node(3).contents();
  const std::size_t rejected = cluster.node(3).rejected();
  sync_detail::PullReply reply{.head = {.repair = 7, .source = NodeId(1)}, .records = {}};
  reply.records.push_back(record("evil", 99));
  CHECK(cluster.node(3).receive(Address(1), encode_message(reply)));  // late, for all it knows
  CHECK(cluster.node(3).contents() == before);
  // A push of records that lie elsewhere, or do not ascend.
  sync_detail::PushRequest push{.head = {.repair = 8, .source = NodeId(3)}, .records = {}};
  push.records = {record("b", 1), record("a", 1)};
  CHECK_FALSE(cluster.node(3).receive(Address(1), encode_message(push)));
  push.records = {record("a", 1)};
  push.records.front().causality = std::make_shared<const Causality>();
  CHECK_FALSE(cluster.node(3).receive(Address(1), encode_message(push)));
  CHECK(cluster.node(3).rejected() == rejected + 2);
  CHECK(cluster.node(3).contents() == before);
}

}  // namespace
}  // namespace rejoin
