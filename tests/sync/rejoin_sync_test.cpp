// The mechanism `rejoin-sync`, and what merging by version makes of any contents.
#include <rapidcheck.h>

#include <algorithm>

#include "tests/sync/harness.hpp"

namespace rejoin {
namespace {

using namespace sync_test;

Setup with(VersionScheme versions, std::map<std::string, std::string> params) {
  Setup setup;
  setup.versions = versions;
  setup.sync.mechanisms = {mechanism("rejoin-sync", std::move(params))};
  return setup;
}

// Node 3 was away while others wrote.
struct Return : Cluster {
  explicit Return(const Setup& setup) : Cluster(setup) { found_all(); }
  void away(const std::function<void()>& meanwhile) {
    run_for(10ms);
    node(3).crash();
    meanwhile();
    run_for(10ms);
    node(3).forget_facts();
    come_back(3);
  }
};

TEST_CASE("rejoin-sync finds what was written, overwritten and deleted while the node was away") {
  Return cluster(with(VersionScheme::timestamp, {}));
  for (std::uint32_t n = 1; n <= 3; ++n) {
    cluster.node(n).write(record("changed", 1));
    cluster.node(n).write(record("removed", 1));
  }
  cluster.away([&] {
    for (std::uint32_t n = 1; n <= 2; ++n) {
      cluster.node(n).write(record("changed", 2));
      cluster.node(n).write(record("removed", 3, true));
      cluster.node(n).write(record("missed", 4));
    }
  });
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents() == cluster.node(1).contents());
  CHECK(cluster.node(3).contents().at("removed") == "(deleted)");
}

TEST_CASE("rejoin-sync from the first replica asks it alone, as long as it answers") {
  for (const bool answers : {true, false}) {
    CAPTURE(answers);
    Return cluster(with(VersionScheme::timestamp, {{"source", "first"}}));
    const NodeId first = cluster.node(3).sync().replicas_of(kOnly).front();
    const NodeId second = first == NodeId(1) ? NodeId(2) : NodeId(1);
    cluster.away([&] {
      cluster.node(first.value).write(record("here", 1));
      cluster.node(second.value).write(record("there", 2));
      if (!answers) cluster.node(first.value).crash();
    });
    cluster.run_for(2min);
    CHECK(cluster.node(3).contents().contains(answers ? "here" : "there"));
    CHECK_FALSE(cluster.node(3).contents().contains(answers ? "there" : "here"));
  }
}

TEST_CASE("rejoin-sync keeps a newer value that was written during the copy") {
  Return cluster(with(VersionScheme::timestamp, {{"source", "one"}}));
  cluster.away([&] { cluster.node(1).write(record("a", 10)); });
  cluster.run_for(500us);
  cluster.node(3).write(record("a", 30));
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents() == std::map<Key, Value>{{"a", "a@30"}});
}

TEST_CASE("rejoin-sync without versions overwrites what was written during the copy") {
  Return cluster(with(VersionScheme::none, {{"source", "one"}}));
  cluster.away([&] { cluster.node(1).write(unversioned("a", 10)); });
  cluster.run_for(500us);
  cluster.node(3).store().put(kOnly, unversioned("a", 30), MergeRule::overwrite,
                              fact::WriteCause::foreground);
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents() == std::map<Key, Value>{{"a", "a@10"}});
}

TEST_CASE("rejoin-sync: merging keeps what only this node has, wiping forgets it") {
  for (const std::string mode : {"merge", "wipe"}) {
    Return cluster(with(VersionScheme::timestamp, {{"mode", mode}, {"source", "all"}}));
    cluster.node(3).write(record("orphan", 1));
    cluster.away([&] { cluster.node(1).write(record("a", 10)); });
    cluster.run_for(1s);
    CHECK(cluster.node(3).contents().count("orphan") == (mode == "merge" ? 1 : 0));
    CHECK(cluster.node(3).contents().count("a") == 1);
  }
}

TEST_CASE("rejoin-sync repairs a partition that the node gains") {
  Cluster cluster(with(VersionScheme::timestamp, {}));
  cluster.assume_owners({nodes({1, 2})});
  cluster.found_all();
  cluster.node(2).write(record("a", 10));
  cluster.run_for(10ms);
  cluster.move_to({nodes({1, 3})});
  cluster.drain_all();
  cluster.node(3).tell(
      local::PartitionChanged{kOnly, nodes({1, 2}), NodeId{3}, fact::ChangeReason::rebalance});
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents().size() == 1);
}

TEST_CASE("rejoin-sync without a repair on return leaves who restarts alone, and feeds who gains") {
  Setup setup = with(VersionScheme::timestamp, {{"on_return", "false"}});
  setup.sync.gate = GateMode::fence;
  Cluster cluster(setup);
  cluster.assume_owners({nodes({1, 2})});
  cluster.found_all();
  for (const std::uint32_t n : {1U, 2U}) cluster.node(n).write(record("a", 10));
  cluster.run_for(10ms);
  cluster.node(1).crash();
  cluster.come_back(1);
  cluster.run_for(1s);
  CHECK(cluster.node(1).facts<fact::RepairStarted>().empty());
  CHECK(cluster.node(1).gate().is_open(kOnly));
  cluster.move_to({nodes({1, 3})});
  cluster.drain_all();
  cluster.node(3).tell(
      local::PartitionChanged{kOnly, nodes({1, 2}), NodeId{3}, fact::ChangeReason::rebalance});
  CHECK_FALSE(cluster.node(3).gate().is_open(kOnly));
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents().size() == 1);
  CHECK(cluster.node(3).gate().is_open(kOnly));
}

TEST_CASE("rejoin-sync without a repair on return feeds who gains by a map that ran no hook") {
  Setup setup = with(VersionScheme::timestamp, {{"on_return", "false"}});
  setup.sync.gate = GateMode::fence;
  Cluster cluster(setup);
  cluster.assume_owners({nodes({1, 2})});
  cluster.found_all();
  for (const std::uint32_t n : {1U, 2U}) cluster.node(n).write(record("a", 10));
  // What an earlier ownership has left there does not count.
  cluster.node(3).write(record("orphan", 5));
  cluster.run_for(10ms);
  cluster.move_to({nodes({1, 3})});
  cluster.drain_all();
  cluster.run_for(1s);
  CHECK(cluster.node(3).contents().size() == 2);
  CHECK(cluster.node(3).gate().is_open(kOnly));
}

TEST_CASE("rejoin-sync goes on after a crash in the middle of the copy") {
  Setup setup = with(VersionScheme::timestamp, {});
  setup.sync.fetch_chunk_bytes = 50;
  Return cluster(setup);
  cluster.away([&] {
    for (int i = 10; i < 60; ++i) cluster.node(1).write(record("key-" + std::to_string(i), i));
  });
  cluster.run_for(20ms);
  REQUIRE(cluster.node(3).facts<fact::RepairCompleted>().empty());
  cluster.node(3).crash();
  cluster.come_back(3);
  cluster.run_for(10s);
  CHECK(cluster.node(3).contents() == cluster.node(1).contents());
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
}

// ---- Properties ----------------------------------------------------------------------------

// Keys 0..9 and times 1..50; a time names one value, as versions do.
std::vector<std::vector<Record>> any_contents() {
  std::vector<std::vector<Record>> replicas;
  for (int n = 0; n < 3; ++n) {
    std::vector<Record> records;
    const auto pairs = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 10), rc::gen::inRange(1, 51)));
    for (const auto& [key, time] : pairs) {
      records.push_back(record("key-" + std::to_string(key), time, time % 5 == 0));
    }
    replicas.push_back(std::move(records));
  }
  return replicas;
}

std::map<Key, Value> newest_of(const std::vector<std::vector<Record>>& replicas) {
  std::map<Key, Record> newest;
  for (const auto& records : replicas) {
    for (const Record& one : records) {
      const auto [at, fresh] = newest.try_emplace(one.key, one);
      if (!fresh && at->second.version < one.version) at->second = one;
    }
  }
  std::map<Key, Value> out;
  for (const auto& [key, one] : newest) out[key] = one.deleted ? "(deleted)" : one.value;
  return out;
}

std::map<Key, Value> merged(const std::vector<std::vector<Record>>& replicas,
                            std::vector<NodeId> sources, int times) {
  Setup setup;
  setup.sync.fetch_chunk_bytes = 100;
  Cluster cluster(setup);
  cluster.found_all();
  for (std::uint32_t n = 1; n <= 3; ++n) {
    for (const Record& one : replicas[n - 1]) cluster.node(n).write(one);
  }
  cluster.run_for(10ms);
  for (int i = 0; i < times; ++i) {
    cluster.node(3).sync().repair({.partition = kOnly,
                                   .sources = sources,
                                   .rule = SourceRule::all,
                                   .merge = MergeRule::merge,
                                   .wipe = false,
                                   .mechanism = "test"});
    cluster.run_for(1s);
  }
  RC_ASSERT(cluster.node(3).facts<fact::RepairCompleted>().size() ==
            static_cast<std::size_t>(times));
  return cluster.node(3).contents();
}

TEST_CASE("a merge by version yields the newest of each key, in any order, any number of times") {
  CHECK(rc::check([] {
    const auto replicas = any_contents();
    const std::map<Key, Value> expected = newest_of(replicas);
    RC_ASSERT(merged(replicas, nodes({1, 2}), 1) == expected);
    RC_ASSERT(merged(replicas, nodes({2, 1}), 1) == expected);
    RC_ASSERT(merged(replicas, nodes({1, 2}), 2) == expected);
  }));
}

}  // namespace
}  // namespace rejoin
