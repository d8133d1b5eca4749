// The coordinator's part of read repair.
#include <doctest/doctest.h>

#include "tests/client/coordinator_rig.hpp"

namespace rejoin {
namespace {

constexpr auto kRead = OperationKind::read;

ClientRequest read(std::uint64_t n, Consistency level = Consistency::quorum) {
  return ClusterRig::request(n, kRead, "k", level);
}

// Node 1 has the new version, the others an old one; everyone repairs what he reads.
struct Stale : ClusterRig {
  explicit Stale(const ReadRepair& how = {}) {
    for (const auto& each : nodes) each->coordination.read_repair = how;
    plant(1, "k", "new", 2, 2s);
    plant(2, "k", "old", 1, 1s);
    plant(3, "k", "old", 1, 1s);
    for (const auto& each : nodes) each->bus.facts.clear();
  }
  [[nodiscard]] std::size_t repairs(std::uint32_t n) {
    std::size_t out = 0;
    for (const auto& written : node(n).bus.all<fact::RecordWritten>()) {
      out += written.cause == fact::WriteCause::repair && written.stored ? 1 : 0;
    }
    return out;
  }
  // The read has come to its result; the replica that differs has been told, and has not synced.
  void read_up_to_repair() {
    ask(1, read(1));
    for (int step = 0; step < 4; ++step) deliver(without({3}));
  }
};

}  // namespace

TEST_CASE(
    "blocking read repair answers when the replicas that differed hold durably what it shows") {
  Stale rig;
  rig.read_up_to_repair();
  CHECK(rig.value_at(2, "k") == "new");
  CHECK(rig.answers.empty());
  rig.node(2).sync();
  rig.deliver(without({3}));
  rig.deliver(without({3}));
  CHECK(rig.take_answer()->value == "new");
  CHECK(rig.repairs(2) == 1);
}

TEST_CASE("async read repair answers at once, and mends all the same") {
  Stale rig({.blocking = false});
  rig.read_up_to_repair();
  CHECK(rig.take_answer()->value == "new");
  CHECK(rig.value_at(2, "k") == "new");
}

TEST_CASE("a blocking read whose repair is not answered in time is unavailable") {
  Stale rig;
  rig.ask(1, read(1));
  rig.settle([](Address from, const HandEnv::Sent& sent) {
    return from != Address(3) && sent.to != Address(3) && sent.tag.kind != ReplicaRepair::kind;
  });
  CHECK(rig.answers.empty());
  rig.fire_timers(1);
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::unavailable);
}

TEST_CASE("without the mechanism, or at a probability of 0, differences stay") {
  for (const bool wanted : {false, true}) {
    Stale rig({.probability = Share{0}});
    if (!wanted) {
      for (const auto& each : rig.nodes) each->coordination.read_repair.reset();
    }
    rig.ask(1, read(1));
    rig.settle();
    CHECK(rig.take_answer()->value == "new");
    CHECK(rig.value_at(2, "k") == "old");
    CHECK(rig.value_at(3, "k") == "old");
  }
}

TEST_CASE("the probability is of reads, each drawn by its own request") {
  int mended = 0;
  for (std::uint64_t n = 1; n <= 100; ++n) {
    Stale rig({.probability = Share{300'000}});
    rig.ask(1, read(n));
    rig.settle();
    mended += rig.value_at(2, "k") == "new" ? 1 : 0;
  }
  CHECK(mended > 15);
  CHECK(mended < 45);
}

TEST_CASE("a replica that answers after the client was answered is mended, too") {
  Stale rig;
  rig.ask(1, read(1));
  rig.settle([](Address from, const HandEnv::Sent& sent) {
    return from != Address(3) || sent.tag.kind != ReplicaReadReply::kind;
  });
  CHECK(rig.take_answer()->value == "new");
  CHECK(rig.value_at(3, "k") == "old");
  // The one that was held back.
  CHECK(rig.take(1, Address(3),
                 ReplicaReadReply{.id = read(1).id,
                                  .attempt = 1,
                                  .replica = NodeId(3),
                                  .accepted = true,
                                  .record = *rig.node(3).store.get(kOnly, "k")}));
  rig.settle();
  CHECK(rig.value_at(3, "k") == "new");
}

TEST_CASE("a late answer that is newer goes to those who answered before") {
  Stale rig;
  rig.plant(3, "k", "newest", 3, 3s);
  rig.ask(1, read(1));
  std::vector<std::pair<Address, HandEnv::Sent>> held_back;
  rig.settle([&](Address from, const HandEnv::Sent& sent) {
    if (from != Address(3)) return true;
    held_back.emplace_back(from, sent);
    return false;
  });
  CHECK(rig.take_answer()->value == "new");
  REQUIRE(held_back.size() == 1);
  rig.deliver_to(rig.node(1), Address(3), held_back.front().second.frame);
  rig.settle();
  for (std::uint32_t n = 1; n <= 3; ++n) CHECK(rig.value_at(n, "k") == "newest");
}

TEST_CASE("when the time of a read is over, nobody is mended for its sake") {
  Stale rig;
  rig.ask(1, read(1));
  rig.settle(without({3}));
  REQUIRE(rig.take_answer()->value == "new");
  rig.fire_timers(1);
  CHECK(rig.take(1, Address(3),
                 ReplicaReadReply{.id = read(1).id,
                                  .attempt = 1,
                                  .replica = NodeId(3),
                                  .accepted = true,
                                  .record = *rig.node(3).store.get(kOnly, "k")}));
  CHECK(rig.sent<ReplicaRepair>(1).empty());
}

TEST_CASE("scope local mends the coordinator's own copy and no other") {
  Stale rig({.local = true});
  rig.ask(2, read(1));
  rig.settle();
  CHECK(rig.take_answer()->value == "new");
  CHECK(rig.value_at(2, "k") == "new");
  CHECK(rig.value_at(3, "k") == "old");
  // A coordinator that holds the newest mends nobody.
  Stale other({.local = true});
  other.ask(1, read(1));
  other.settle();
  CHECK(other.value_at(2, "k") == "old");
}

TEST_CASE("at level one the others are asked in the background, once the client has its answer") {
  Stale rig;
  rig.ask(2, read(1, Consistency::one));
  CHECK(rig.sent<ClientReply>(2).size() == 1);
  CHECK(rig.sent<RepairRead>(2).size() == 2);
  rig.settle();
  CHECK(rig.take_answer()->value == "old");
  for (std::uint32_t n = 1; n <= 3; ++n) CHECK(rig.value_at(n, "k") == "new");
}

TEST_CASE("at level one nobody else is asked when that is not wanted") {
  Stale rig({.background = false});
  rig.ask(2, read(1, Consistency::one));
  rig.settle();
  CHECK(rig.sent<RepairRead>(2).empty());
  CHECK(rig.take_answer()->value == "old");
  CHECK(rig.value_at(2, "k") == "old");
}

TEST_CASE("replicas that agree are told nothing, whether they hold a value or know nothing") {
  Stale rig;
  rig.plant(2, "k", "new", 2, 2s);
  for (std::uint32_t n = 1; n <= 3; ++n) {
    rig.node(n).store.put(kOnly, *rig.node(1).store.get(kOnly, "k"), MergeRule::overwrite,
                          fact::WriteCause::foreground);
    rig.node(n).sync();
  }
  std::size_t told = 0;
  const ClusterRig::Passes count = [&told](Address, const HandEnv::Sent& sent) {
    told += sent.tag.purpose == Purpose::repair ? 1 : 0;
    return true;
  };
  rig.ask(1, read(1));
  rig.settle(count);
  rig.answers.clear();
  ClientRequest absent = read(2);
  absent.key = "other";
  rig.ask(1, absent);
  rig.settle(count);
  CHECK(rig.take_answer()->result == ResultKind::not_found);
  CHECK(told == 0);
}

TEST_CASE(
    "answers to a repair that nobody asked for let no client go, and damaged ones are refused") {
  Stale rig;
  rig.read_up_to_repair();
  REQUIRE(rig.answers.empty());
  const RequestId id = read(1).id;
  // Of a node that was not told, of another try, of one that refused.
  const auto say = [&](ReplicaRepairReply reply) {
    return rig.take(1, Address(reply.replica.value), reply);
  };
  CHECK(say({.id = id, .attempt = 1, .replica = NodeId(3), .accepted = true}));
  CHECK(say({.id = id, .attempt = 7, .replica = NodeId(2), .accepted = true}));
  CHECK(say({.id = {}, .attempt = 1, .replica = NodeId(2), .accepted = true}));
  CHECK(rig.sent<ClientReply>(1).empty());
  // A record that no replica of this cluster holds.
  ReplicaRepair evil{.id = id, .attempt = 1, .epoch = Epoch(1), .record = {}};
  evil.record = *rig.node(1).store.get(kOnly, "k");
  evil.record.causality = std::make_shared<const Causality>();
  const auto before = rig.value_at(2, "k");
  CHECK_FALSE(rig.take(2, Address(1), evil));
  CHECK_FALSE(rig.take(2, client_address(kRigClient), evil));
  CHECK(rig.value_at(2, "k") == before);
}

TEST_CASE("who does not own the key takes no repair") {
  Stale rig;
  rig.set_map(NodeId(3), Epoch(2), {NodeId(1), NodeId(2)}, {NodeId(1), NodeId(2), NodeId(3)});
  CHECK(rig.take(3, Address(1),
                 ReplicaRepair{.id = read(1).id,
                               .attempt = 1,
                               .epoch = Epoch(1),
                               .record = *rig.node(1).store.get(kOnly, "k")}));
  const auto replies = rig.sent<ReplicaRepairReply>(3);
  REQUIRE(replies.size() == 1);
  CHECK_FALSE(replies.front().accepted);
  CHECK(rig.value_at(3, "k") == "old");
}

}  // namespace rejoin
