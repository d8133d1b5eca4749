// Repairs: whom they ask, what they merge, when they end.
#include "protocols/sync/sync_manager.hpp"

#include <algorithm>

#include "tests/sync/harness.hpp"

namespace rejoin {
namespace {

using namespace sync_test;
using namespace sync_detail;

RepairRequest request(std::vector<NodeId> sources, SourceRule rule) {
  return {.partition = kOnly,
          .sources = std::move(sources),
          .rule = rule,
          .merge = MergeRule::merge,
          .wipe = false,
          .mechanism = "test"};
}

RepairRequest wiping(SourceRule rule) {
  RepairRequest out = request(nodes({1, 2}), rule);
  out.wipe = true;
  return out;
}

// Three founders; node 3 lacks what the others hold.
struct Trio : Cluster {
  explicit Trio(Setup setup = {}) : Cluster(std::move(setup)) { found_all(); }
  void repair(const RepairRequest& what) {
    node(3).sync().repair(what);
    node(3).drain();
  }
};

std::size_t copied_from(const World& world, NodeId source) {
  return static_cast<std::size_t>(std::count_if(
      world.sent.begin(), world.sent.end(),
      [source](const Sent& sent) { return sent.kind == FetchRequest::kind && sent.to == source; }));
}

// Gives up after two attempts of 100 ms.
SyncOptions impatient(std::uint64_t chunk_bytes = 64 * 1024) {
  SyncOptions options;
  options.fetch_chunk_bytes = chunk_bytes;
  options.fetch_timeout = 100ms;
  options.fetch_attempts = 2;
  options.retry_backoff = 10ms;
  return options;
}

TEST_CASE("freshest copies from the replica with the newest version") {
  Trio trio;
  for (int i = 0; i < 5; ++i) trio.node(1).write(record("key-" + std::to_string(i), 10));
  trio.node(2).write(record("key-0", 20));
  trio.repair(request(nodes({1, 2}), SourceRule::freshest));
  trio.run_for(1s);
  CHECK(copied_from(trio.world(), NodeId{1}) == 0);
  CHECK(trio.node(3).contents() == trio.node(2).contents());
}

TEST_CASE("of two replicas with the same newest version freshest takes the fuller one") {
  Trio trio;
  trio.node(1).write(record("b", 20));
  trio.node(2).write(record("b", 20));
  trio.node(2).write(record("a", 10));
  trio.repair(request(nodes({1, 2}), SourceRule::freshest));
  trio.run_for(1s);
  CHECK(copied_from(trio.world(), NodeId{1}) == 0);
  CHECK(trio.node(3).contents().size() == 2);
}

TEST_CASE("first copies from the first source and asks no other") {
  Trio trio;
  trio.node(1).write(record("a", 10));
  trio.node(2).write(record("b", 20));
  trio.repair(request(nodes({1, 2}), SourceRule::first));
  trio.run_for(1s);
  CHECK(trio.node(3).contents() == std::map<Key, Value>{{"a", "a@10"}});
  CHECK(trio.world().count(FreshnessRequest::kind) == 0);
}

TEST_CASE("all merges the newest version of each key and keeps what wrote it") {
  Trio trio;
  trio.node(1).write(record("a", 10));
  trio.node(1).write(record("b", 40));
  trio.node(2).write(record("a", 30));
  trio.node(2).write(record("c", 5, true));
  trio.node(3).write(record("b", 20));
  trio.node(3).write(record("d", 50));
  trio.run_for(10ms);
  trio.repair(request(nodes({1, 2}), SourceRule::all));
  trio.run_for(1s);
  CHECK(trio.node(3).contents() ==
        std::map<Key, Value>{{"a", "a@30"}, {"b", "b@40"}, {"c", "(deleted)"}, {"d", "d@50"}});
  CHECK(trio.node(3).store().get(kOnly, "a")->origin == RequestId{ClientId{1}, 30});
  const auto done = trio.node(3).facts<fact::RepairCompleted>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].records == 4);
}

TEST_CASE("all completes with those that answer when one is dead, if they make a majority") {
  for (const bool has_data : {false, true}) {
    Trio trio({.sync = impatient()});
    trio.node(1).write(record("a", 10));
    if (has_data) trio.node(3).write(record("mine", 1));
    trio.run_for(10ms);
    trio.node(2).crash();
    trio.repair(request(nodes({1, 2}), SourceRule::all));
    trio.run_for(5s);
    CHECK(trio.node(3).contents().size() == (has_data ? 2 : 1));
    CHECK(trio.node(3).facts<fact::RepairCompleted>().size() == (has_data ? 1 : 0));
  }
}

TEST_CASE("a quorum of five needs two others when this node has data, and three when it has none") {
  for (const bool has_data : {false, true}) {
    Cluster five({.nodes = 5, .replication = 5});
    five.found_all();
    if (has_data) five.node(5).write(record("mine", 1));
    five.run_for(10ms);
    five.node(5).sync().repair(request(nodes({1, 2, 3, 4}), SourceRule::quorum));
    five.run_for(1s);
    std::size_t asked = 0;
    for (std::uint32_t n = 1; n <= 4; ++n) asked += copied_from(five.world(), NodeId(n));
    CHECK(asked == (has_data ? 2 : 3));
    CHECK(five.node(5).facts<fact::RepairCompleted>().size() == 1);
  }
}

TEST_CASE("a quorum counts no node that lost its data until all of it is repaired") {
  SyncOptions options = impatient();
  Trio trio({.sync = options});
  trio.node(1).write(record("a", 10));
  trio.node(3).crash();
  trio.node(3).wipe_disk();
  trio.come_back(3);
  // A client does not wait for repairs, and the next process finds what it wrote.
  trio.node(3).write(record("b", 20));
  trio.run_for(10ms);
  trio.node(3).crash();
  trio.come_back(3);
  trio.node(1).crash();
  trio.repair(request(nodes({1, 2}), SourceRule::quorum));  // the one that lacks `a` is not enough
  trio.run_for(3s);
  CHECK(trio.node(3).facts<fact::RepairCompleted>().empty());
  CHECK(trio.node(3).facts<fact::RepairFailed>().size() >= 2);
  trio.come_back(1);
  trio.run_for(10s);
  CHECK(trio.node(3).facts<fact::RepairCompleted>().size() == 1);
  CHECK(trio.node(3).contents().size() == 2);

  // Whole again, this process and the next count themselves.
  trio.node(3).crash();
  trio.come_back(3);
  trio.node(3).forget_facts();
  trio.node(1).crash();
  trio.repair(request(nodes({1, 2}), SourceRule::quorum));
  trio.run_for(3s);
  CHECK(trio.node(3).facts<fact::RepairCompleted>().size() == 1);
}

TEST_CASE("a quorum that is not reached is a failure, and is tried anew") {
  Trio trio({.sync = impatient()});
  trio.node(1).write(record("a", 10));
  trio.node(2).crash();
  trio.repair(request(nodes({1, 2}), SourceRule::quorum));  // node 3 is empty: needs both
  trio.run_for(3s);
  CHECK(trio.node(3).facts<fact::RepairCompleted>().empty());
  CHECK(trio.node(3).facts<fact::RepairFailed>().size() >= 2);
  trio.come_back(2);
  trio.run_for(10s);
  CHECK(trio.node(3).facts<fact::RepairCompleted>().size() == 1);
}

TEST_CASE("no sources: nobody has the data, the repair completes with nothing") {
  Trio trio;
  trio.repair(request({}, SourceRule::freshest));
  trio.run_for(1ms);
  const auto done = trio.node(3).facts<fact::RepairCompleted>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].records == 0);
  CHECK(trio.world().sent.empty());
}

TEST_CASE("a copy travels in chunks and resumes where an answer was lost") {
  Trio trio({.sync = impatient(100)});
  for (int i = 100; i < 200; ++i) trio.node(1).write(record("key-" + std::to_string(i), i));
  std::size_t replies = 0;
  trio.world().drops = [&replies](const Sent& sent) {
    return sent.kind == FetchReply::kind && ++replies % 7 == 0;
  };
  trio.repair(request(nodes({1}), SourceRule::first));
  trio.run_for(10s);
  CHECK(trio.node(3).contents() == trio.node(1).contents());
  CHECK(replies > 30);
  const auto done = trio.node(3).facts<fact::RepairCompleted>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].records == 100);  // none was sent again: a lost chunk is asked for, not the copy
}

TEST_CASE("a record that is larger than a chunk travels alone") {
  Trio trio({.sync = impatient(10)});
  Record big = record("big", 10);
  big.value.assign(1000, 'x');
  trio.node(1).write(big);
  trio.node(1).write(record("small", 10));
  trio.repair(request(nodes({1}), SourceRule::first));
  trio.run_for(1s);
  CHECK(trio.node(3).contents() == trio.node(1).contents());
}

TEST_CASE("a source that dies midway is followed by the next one") {
  Trio trio({.sync = impatient(50)});
  for (int i = 10; i < 40; ++i) {
    trio.node(1).write(record("key-" + std::to_string(i), i));
    trio.node(2).write(record("key-" + std::to_string(i), i));
  }
  trio.repair(request(nodes({1, 2}), SourceRule::first));
  trio.run_for(10ms);
  const std::size_t before = trio.node(3).contents().size();
  CHECK(before > 0);
  CHECK(before < 30);
  trio.node(1).crash();
  trio.run_for(5s);
  CHECK(trio.node(3).contents().size() == 30);
  CHECK(trio.node(3).facts<fact::RepairCompleted>().size() == 1);
  CHECK(trio.node(3).facts<fact::RepairFailed>().empty());
}

TEST_CASE("a source gives only what is durable there") {
  Trio trio;
  trio.node(1).hold_syncs(true);
  trio.node(1).write(record("a", 10));
  trio.repair(request(nodes({1}), SourceRule::first));
  trio.run_for(1s);
  CHECK(trio.world().count(FetchReply::kind) == 0);
  trio.node(1).hold_syncs(false);
  trio.run_for(10ms);
  CHECK(trio.node(3).contents().size() == 1);
}

TEST_CASE("a repair is complete only when all that it merged is durable here") {
  Trio trio;
  trio.node(1).write(record("a", 10));
  trio.run_for(10ms);
  trio.node(3).hold_syncs(true);
  trio.repair(request(nodes({1}), SourceRule::first));
  const MonotonicTime started = trio.now();
  trio.run_for(1s);
  CHECK(trio.node(3).contents().size() == 1);
  CHECK(trio.node(3).facts<fact::RepairCompleted>().empty());
  trio.node(3).hold_syncs(false);
  trio.run_for(10ms);
  const auto done = trio.node(3).facts<fact::RepairCompleted>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].started == started);
  CHECK(done[0].changed == 1);
}

TEST_CASE("records that were there already are not counted as changed") {
  Trio trio;
  trio.node(1).write(record("a", 10));
  trio.node(3).write(record("a", 10));
  trio.run_for(10ms);
  RepairRequest overwrite = request(nodes({1}), SourceRule::first);
  overwrite.merge = MergeRule::overwrite;
  trio.repair(overwrite);
  trio.run_for(1s);
  const auto done = trio.node(3).facts<fact::RepairCompleted>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].records == 1);
  CHECK(done[0].changed == 0);
}

TEST_CASE("at most fetches_in_flight partitions are under way, the others follow in order") {
  SyncOptions two;
  two.fetches_in_flight = 2;
  Trio trio({.partitions = 8, .sync = two});
  for (std::uint32_t p = 0; p < 8; ++p) {
    RepairRequest one = request(nodes({1}), SourceRule::first);
    one.partition = PartitionId{7 - p};
    trio.repair(one);
  }
  trio.run_for(1s);
  std::size_t under_way = 0;
  std::size_t most = 0;
  for (const Fact& fact : trio.node(3).all_facts()) {
    if (std::holds_alternative<fact::RepairStarted>(fact)) most = std::max(most, ++under_way);
    if (std::holds_alternative<fact::RepairCompleted>(fact)) --under_way;
  }
  CHECK(most == 2);
  const auto started = trio.node(3).facts<fact::RepairStarted>();
  REQUIRE(started.size() == 8);
  for (std::uint32_t p = 0; p < 8; ++p) CHECK(started[p].partition == PartitionId{7 - p});
}

TEST_CASE("requests of one event are one repair with the sources of both") {
  Trio trio;
  trio.repair(request(nodes({1}), SourceRule::first));
  trio.repair(request(nodes({2}), SourceRule::first));
  trio.run_for(1s);
  const auto started = trio.node(3).facts<fact::RepairStarted>();
  REQUIRE(started.size() == 1);
  CHECK(started[0].sources == nodes({2, 1}));
}

TEST_CASE("a partition under way that is asked for again is repaired once more, afterwards") {
  Trio trio;
  trio.repair(request(nodes({1}), SourceRule::first));
  trio.run_for(500us);
  trio.repair(request(nodes({1}), SourceRule::first));
  trio.repair(request(nodes({1}), SourceRule::first));
  trio.run_for(1s);
  CHECK(trio.node(3).facts<fact::RepairStarted>().size() == 2);
  CHECK(trio.node(3).facts<fact::RepairCompleted>().size() == 2);
}

TEST_CASE("late and repeated answers are ignored") {
  Trio trio({.sync = impatient(50)});
  for (int i = 10; i < 20; ++i) trio.node(1).write(record("key-" + std::to_string(i), i));
  trio.repair(request(nodes({1}), SourceRule::first));
  trio.run_for(1s);
  std::vector<Bytes> replies;
  for (const Sent& sent : trio.world().sent) {
    if (sent.kind == FetchReply::kind) replies.push_back(sent.frame);
  }
  REQUIRE(replies.size() > 3);
  trio.node(3).forget_facts();
  for (const Bytes& reply : replies) CHECK(trio.node(3).receive(Address{1}, reply));
  CHECK(trio.node(3).all_facts().empty());

  // In the middle of the next repair, an answer to the one before is not taken for its own.
  trio.repair(request(nodes({1}), SourceRule::first));
  trio.run_for(500us);
  trio.node(3).forget_facts();
  CHECK(trio.node(3).receive(Address{1}, replies.back()));
  CHECK(trio.node(3).all_facts().empty());
}

TEST_CASE("a repair of a partition that is no longer owned is abandoned and not retried") {
  Trio trio;
  trio.node(1).write(record("a", 10));
  trio.repair(request(nodes({1}), SourceRule::first));
  trio.run_for(500us);
  trio.move_to({nodes({1, 2})});
  trio.drain_all();
  trio.run_for(60s);
  CHECK(trio.node(3).facts<fact::RepairStarted>().size() == 1);
  CHECK(trio.node(3).facts<fact::RepairCompleted>().empty());
  const auto failed = trio.node(3).facts<fact::RepairFailed>();
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].reason == "no longer an owner of the partition");
  CHECK(trio.node(3).contents().empty());
}

TEST_CASE("a source whose map is older than the asker's does not answer with data") {
  Trio trio;
  trio.node(1).write(record("a", 10));
  trio.run_for(10ms);
  FetchRequest ahead;
  ahead.source = NodeId{1};
  ahead.epoch = Epoch{9};
  CHECK(trio.node(1).receive(Address{3}, encode_message(ahead)));
  const auto reply = decode<FetchReply>(decode_frame(trio.world().sent.back().frame)->body);
  REQUIRE(reply.has_value());
  CHECK(reply->state == SourceState::unable);
  CHECK(reply->records.empty());
}

TEST_CASE("what arrives during a wiping repair survives the wipe") {
  Trio trio;
  trio.node(1).write(record("a", 10));
  trio.node(3).write(record("orphan", 5));
  trio.run_for(10ms);
  trio.repair(wiping(SourceRule::all));
  trio.run_for(500us);  // asked, not answered
  trio.node(3).write(record("a", 30));
  trio.node(3).write(record("new", 31));
  trio.run_for(1s);
  CHECK(trio.node(3).contents() == std::map<Key, Value>{{"a", "a@30"}, {"new", "new@31"}});
}

TEST_CASE("a wipe waits for an answer: with no source alive nothing is forgotten") {
  Trio trio({.sync = impatient()});
  trio.node(3).write(record("mine", 5));
  trio.run_for(10ms);
  trio.node(1).crash();
  trio.node(2).crash();
  trio.repair(wiping(SourceRule::freshest));
  trio.run_for(10s);
  CHECK(trio.node(3).contents().size() == 1);
  CHECK_FALSE(trio.node(3).facts<fact::RepairFailed>().empty());
}

TEST_CASE("a wipe waits for the last source: until then nothing is forgotten") {
  Trio trio({.sync = impatient(50)});
  for (int i = 10; i < 40; ++i) trio.node(1).write(record("key-" + std::to_string(i), i));
  for (int i = 10; i < 40; ++i) trio.node(2).write(record("key-" + std::to_string(i), i));
  trio.node(3).write(record("mine", 5));
  trio.run_for(10ms);
  trio.repair(wiping(SourceRule::all));
  bool whole = true;
  while (trio.node(3).facts<fact::RepairCompleted>().empty()) {
    trio.run_for(1ms);
    const std::size_t held = trio.node(3).contents().size();
    whole &= held == 1 || held == 30;
  }
  CHECK(whole);
  CHECK(trio.node(3).contents() == trio.node(1).contents());
}

TEST_CASE("a wipe whose last source dies midway merges: what only this node has is not forgotten") {
  for (const SourceRule rule : {SourceRule::all, SourceRule::quorum}) {
    Trio trio({.sync = impatient(50)});
    for (int i = 10; i < 40; ++i) trio.node(1).write(record("key-" + std::to_string(i), i));
    for (int i = 10; i < 40; ++i) trio.node(2).write(record("key-" + std::to_string(i), i));
    trio.node(3).write(record("mine", 5));
    trio.run_for(10ms);
    trio.repair(wiping(rule));
    trio.run_for(10ms);
    trio.node(2).crash();
    trio.run_for(5s);
    CHECK(trio.node(3).facts<fact::RepairCompleted>().size() == 1);
    CHECK(trio.node(3).contents().size() == 31);
  }
}

TEST_CASE("a wipe that copied one of two other owners merges") {
  for (const SourceRule rule : {SourceRule::first, SourceRule::freshest}) {
    Trio trio;
    trio.node(1).write(record("a", 10));
    trio.node(3).write(record("mine", 5));
    trio.run_for(10ms);
    trio.repair(wiping(rule));
    trio.run_for(1s);
    CHECK(trio.node(3).contents().size() == 2);
  }
}

TEST_CASE("a quorum of others is enough to wipe, the node's own data does not count") {
  Cluster five({.nodes = 5, .replication = 5});
  five.found_all();
  five.node(5).write(record("mine", 5));
  for (std::uint32_t n = 1; n <= 4; ++n) five.node(n).write(record("a", 10));
  five.run_for(10ms);
  RepairRequest request = wiping(SourceRule::quorum);
  request.sources = nodes({1, 2, 3, 4});
  five.node(5).sync().repair(request);
  five.run_for(1s);
  CHECK(copied_from(five.world(), NodeId{3}) == 1);
  CHECK(copied_from(five.world(), NodeId{4}) == 0);
  CHECK(five.node(5).contents() == std::map<Key, Value>{{"a", "a@10"}});
}

TEST_CASE("a wipe merges while owners are missing: they may be the others that hold a write") {
  Cluster cluster({.nodes = 3, .replication = 3});
  cluster.assume_owners({nodes({2, 3})});
  cluster.found_all();
  cluster.node(2).write(record("a", 10));
  cluster.node(3).write(record("mine", 5));
  cluster.run_for(10ms);
  RepairRequest request = wiping(SourceRule::all);
  request.sources = nodes({2});
  cluster.node(3).sync().repair(request);
  cluster.run_for(1s);
  CHECK(cluster.node(3).facts<fact::RepairCompleted>().size() == 1);
  CHECK(cluster.node(3).contents().size() == 2);
}

TEST_CASE("all nodes wipe at once after a restart of all: nothing that one of them has is lost") {
  Setup setup{.sync = impatient(50)};
  setup.sync.mechanisms = {mechanism("rejoin-sync", {{"mode", "wipe"}, {"source", "all"}})};
  Cluster cluster(setup);
  cluster.found_all();
  for (int i = 10; i < 40; ++i) {
    const Record one = record("key-" + std::to_string(i), i);
    for (std::uint32_t n = 1; n <= 3; ++n) cluster.node(n).write(one);
  }
  cluster.node(2).write(record("only-on-2", 50));
  cluster.run_for(10ms);
  for (std::uint32_t n = 1; n <= 3; ++n) cluster.node(n).crash();
  for (std::uint32_t n = 1; n <= 3; ++n) cluster.node(n).start(cluster.state());
  cluster.run_for(10ms);
  for (std::uint32_t n = 1; n <= 3; ++n) cluster.node(n).catch_up();
  cluster.run_for(60s);
  for (std::uint32_t n = 1; n <= 3; ++n) {
    CHECK(cluster.node(n).facts<fact::RepairCompleted>().size() == 1);
    CHECK(cluster.node(n).contents().size() >= 30);
  }
  CHECK(cluster.node(2).contents().size() == 31);
}

TEST_CASE("an application's fetch function replaces the default one") {
  Trio trio;
  std::vector<NodeId> asked;
  trio.node(3).sync().set_fetch_function([&asked](PartitionId, NodeId source,
                                                  const SyncManager::MergeBatch& merge,
                                                  const SyncManager::FetchDone& done) {
    asked.push_back(source);
    merge({record("a", 10)});
    merge({record("b", 10)});
    done(true);
  });
  trio.repair(request(nodes({2, 1}), SourceRule::first));
  trio.run_for(1s);
  CHECK(asked == nodes({2}));
  CHECK(trio.node(3).contents().size() == 2);
  CHECK(trio.world().sent.empty());
  CHECK(trio.node(3).facts<fact::RepairCompleted>().size() == 1);
}

TEST_CASE("a fetch function that fails or is silent is tried again, then the next source is") {
  Trio trio({.sync = impatient()});
  std::vector<NodeId> asked;
  SyncManager::MergeBatch late;
  trio.node(3).sync().set_fetch_function([&](PartitionId, NodeId source,
                                             SyncManager::MergeBatch merge,
                                             const SyncManager::FetchDone& done) {
    asked.push_back(source);
    if (asked.size() == 1) {
      late = std::move(merge);  // and says no more
    } else {
      done(asked.size() == 3);
    }
  });
  trio.repair(request(nodes({1, 2}), SourceRule::first));
  trio.run_for(150ms);
  late({record("late", 10)});
  trio.run_for(1s);
  CHECK(asked == nodes({1, 1, 2}));
  CHECK(trio.node(3).contents().empty());
  CHECK(trio.node(3).facts<fact::RepairCompleted>().size() == 1);
}

}  // namespace
}  // namespace rejoin
