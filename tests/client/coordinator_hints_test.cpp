// The coordinator's part of hinted handoff, and sloppy quorums.
#include <doctest/doctest.h>

#include "tests/client/coordinator_rig.hpp"

namespace rejoin {
namespace {

ClientRequest write(std::uint64_t n, Consistency level, const Value& value = "v") {
  return ClusterRig::request(n, OperationKind::write, "k", level, value);
}

struct Hinting : ClusterRig {
  explicit Hinting(std::uint32_t count = 3, bool sloppy = false)
      : ClusterRig(count, VersionScheme::timestamp, {.timeout = 900ms, .sloppy = sloppy}) {
    for (const auto& each : nodes) each->coordination.hints = &each->hints;
    std::vector<NodeId> all;
    for (const auto& each : nodes) all.push_back(each->node);
    if (count == 3) return;
    for (const NodeId node : all) {
      set_map(node, Epoch(2), {NodeId(1), NodeId(2), NodeId(3)}, all);
    }
  }
  [[nodiscard]] const std::vector<std::pair<NodeId, Record>>& kept(std::uint32_t n) {
    return node(n).hints.kept;
  }
  void hints_durable(std::uint32_t n) {
    node(n).hints.durable = node(n).hints.kept.size();
    node(n).bus.post(local::HintsDurable{node(n).hints.durable});
    node(n).drain();
  }
};

}  // namespace

TEST_CASE("what an owner has not acknowledged in time is kept for it, and for no other") {
  Hinting rig;
  rig.ask(1, write(1, Consistency::one));
  rig.settle(without({3}));
  REQUIRE(rig.take_answer()->result == ResultKind::ok);
  // The client has gone on, and so has the coordinator.
  rig.ask(1, write(2, Consistency::quorum, "w"));
  rig.settle(without({3}));
  CHECK(rig.kept(1).empty());
  rig.fire_timers(1);
  REQUIRE(rig.kept(1).size() == 2);
  CHECK(rig.kept(1)[0].first == NodeId(3));
  CHECK(rig.kept(1)[0].second.value == "v");
  CHECK(rig.kept(1)[0].second.version.timestamp > WallTime{});
  CHECK(rig.kept(1)[1].second.value == "w");
}

TEST_CASE("nothing is kept when all have acknowledged, or when nobody keeps hints") {
  Hinting rig;
  rig.ask(1, write(1, Consistency::one));
  rig.settle();
  rig.fire_timers(1);
  CHECK(rig.kept(1).empty());
  Hinting without_hints;
  without_hints.node(1).coordination.hints = nullptr;
  without_hints.ask(1, write(1, Consistency::one));
  without_hints.settle(without({3}));
  CHECK(without_hints.node(1).env.timers.empty());
}

TEST_CASE("an owner that is no member, or is known to be silent, gets a hint at once") {
  Hinting rig;
  const std::vector<NodeId> owners{NodeId(1), NodeId(2), NodeId(3)};
  rig.set_map(NodeId(1), Epoch(1), owners, {NodeId(1), NodeId(2)});
  rig.ask(1, write(1, Consistency::one));
  CHECK(rig.kept(1).size() == 1);

  Hinting silent;
  silent.ask(1, write(1, Consistency::one));
  silent.settle(without({3}));
  silent.fire_timers(1);
  REQUIRE(silent.kept(1).size() == 1);
  silent.ask(1, write(2, Consistency::one));
  CHECK(silent.kept(1).size() == 2);
  CHECK(silent.sent<ReplicaWrite>(1).size() == 2);  // it is asked all the same: it may be back
  // It is heard of: it is not silent any more.
  silent.settle();
  silent.ask(1, write(3, Consistency::one));
  CHECK(silent.kept(1).size() == 2);
}

TEST_CASE("who keeps hints is told of every node that is heard of, and of no client") {
  Hinting rig;
  rig.ask(1, write(1, Consistency::all));
  CHECK(rig.node(1).hints.heard_of.empty());
  rig.settle(without({3}));
  CHECK(rig.node(1).hints.heard_of == std::vector<Address>{Address(2)});
}

TEST_CASE("what is missed before hints have been read back is kept once they have") {
  Hinting rig;
  rig.node(1).hints.is_ready = false;
  rig.ask(1, write(1, Consistency::one));
  rig.settle(without({3}));
  rig.fire_timers(1);
  CHECK(rig.kept(1).empty());
  rig.node(1).hints.is_ready = true;
  rig.fire_timers(1);
  CHECK(rig.kept(1).size() == 1);
}

TEST_CASE("an acknowledgement of another version of the write does not stand for it") {
  Hinting rig;
  rig.ask(1, write(1, Consistency::one));
  rig.settle(without({3}));
  CHECK(rig.take(1, Address(3),
                 ReplicaWriteReply{.id = write(1, Consistency::one).id,
                                   .attempt = 1,
                                   .replica = NodeId(3),
                                   .accepted = true,
                                   .version = {.timestamp = WallTime(77s), .writer = NodeId(2)}}));
  rig.fire_timers(1);
  CHECK(rig.kept(1).size() == 1);
}

TEST_CASE("nothing is kept for a node that owns the key no more") {
  Hinting rig(4);
  rig.ask(1, write(1, Consistency::one));
  rig.settle(without({3}));
  rig.set_map(NodeId(1), Epoch(3), {NodeId(1), NodeId(2), NodeId(4)},
              {NodeId(1), NodeId(2), NodeId(4)});
  rig.settle(without({3, 4}));
  rig.fire_timers(1);
  for (const auto& [owner, record] : rig.kept(1)) CHECK(owner != NodeId(3));
}

// ---- Sloppy quorums ------------------------------------------------------------------------

TEST_CASE("in a sloppy quorum a member that is no owner stands in for one that is silent") {
  Hinting rig(4, true);
  rig.ask(1, write(1, Consistency::all));
  rig.settle(without({3}));
  CHECK(rig.answers.empty());
  rig.fire_timers(1);  // now it is known to be silent
  rig.settle(without({3}));
  REQUIRE(rig.kept(4).size() == 1);
  CHECK(rig.kept(4).front().first == NodeId(3));
  CHECK(rig.value_at(4, "k") == "absent");
  CHECK(rig.answers.empty());  // the hint is not durable yet
  rig.hints_durable(4);
  rig.settle(without({3}));
  CHECK(rig.take_answer()->result == ResultKind::ok);
  rig.fire_timers(1);
  CHECK(rig.kept(1).empty());  // it is kept once
  // The next write asks it at once.
  rig.ask(1, write(2, Consistency::all, "w"));
  CHECK(rig.sent<HintedWrite>(1).size() == 1);
}

TEST_CASE("a quorum that is not sloppy asks nobody else") {
  Hinting rig(4, false);
  rig.ask(1, write(1, Consistency::all));
  rig.settle(without({3}));
  rig.fire_timers(1);
  rig.settle(without({3}));
  rig.ask(1, write(2, Consistency::all));
  CHECK(rig.sent<HintedWrite>(1).empty());
  CHECK(rig.kept(4).empty());
  CHECK(rig.answers.empty());
}

TEST_CASE("an owner and who stands in for it count once") {
  Hinting rig(4, true);
  rig.set_map(NodeId(1), Epoch(2), {NodeId(1), NodeId(2), NodeId(3)},
              {NodeId(1), NodeId(2), NodeId(4)});  // node 3 is no member
  rig.ask(1, write(1, Consistency::all));
  rig.hints_durable(4);
  rig.settle(without({2}));
  rig.hints_durable(4);
  rig.settle(without({2}));
  CHECK(rig.answers.empty());
  // Node 3 says that it holds it, too: that is nobody new.
  CHECK(rig.take(1, Address(3),
                 ReplicaWriteReply{.id = write(1, Consistency::all).id,
                                   .attempt = 1,
                                   .replica = NodeId(3),
                                   .accepted = true,
                                   .version = rig.node(1).store.get(kOnly, "k")->version}));
  rig.settle(without({2}));
  CHECK(rig.answers.empty());
}

TEST_CASE("one node stands in for one owner, and without any left the write waits") {
  Hinting rig(4, true);
  rig.set_map(NodeId(1), Epoch(2), {NodeId(1), NodeId(2), NodeId(3)}, {NodeId(1), NodeId(4)});
  rig.ask(1, write(1, Consistency::all));
  CHECK(rig.sent<HintedWrite>(1).size() == 1);
  rig.settle();
  rig.hints_durable(4);
  rig.settle();
  CHECK(rig.answers.empty());
  CHECK(rig.kept(1).size() == 1);  // for the other one the coordinator keeps it itself
}

TEST_CASE("a coordinator that owns nothing stands in itself") {
  Hinting rig(4, true);
  rig.set_map(NodeId(4), Epoch(2), {NodeId(1), NodeId(2), NodeId(3)},
              {NodeId(1), NodeId(2), NodeId(4)});
  rig.ask(4, write(1, Consistency::all));
  rig.settle();
  CHECK(rig.kept(4).size() == 1);
  CHECK(rig.answers.empty());
  rig.hints_durable(4);
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::ok);
}

TEST_CASE("a fallback that takes no more does not answer") {
  Hinting rig(4, true);
  rig.node(4).hints.full = true;
  const HintedWrite message{.id = write(1, Consistency::all).id,
                            .attempt = 1,
                            .owner = NodeId(3),
                            .record = {.key = "k",
                                       .value = "v",
                                       .version = {WallTime(1s), NodeId(1)},
                                       .origin = write(1, Consistency::all).id}};
  CHECK(rig.take(4, Address(1), message));
  CHECK(rig.sent<HintedWriteReply>(4).empty());
}

TEST_CASE("a write to be kept for nobody, for oneself, or that is damaged is rejected") {
  Hinting rig(4, true);
  HintedWrite message{.id = write(1, Consistency::all).id,
                      .attempt = 1,
                      .owner = NodeId(4),
                      .record = {.key = "k",
                                 .value = "v",
                                 .version = {WallTime(1s), NodeId(1)},
                                 .origin = write(1, Consistency::all).id}};
  CHECK_FALSE(rig.take(4, Address(1), message));
  message.owner = NodeId(77);
  CHECK_FALSE(rig.take(4, Address(1), message));
  message.owner = NodeId(3);
  CHECK_FALSE(rig.take(4, client_address(kRigClient), message));
  message.record.causality = std::make_shared<const Causality>();
  CHECK_FALSE(rig.take(4, Address(1), message));
  message.record.causality = nullptr;
  rig.node(4).coordination.hints = nullptr;
  CHECK_FALSE(rig.take(4, Address(1), message));
  CHECK(rig.kept(4).empty());
}

TEST_CASE("only who was asked to stand in counts") {
  Hinting rig(4, true);
  rig.ask(1, write(1, Consistency::all));
  rig.settle(without({3}));
  CHECK(rig.take(1, Address(4),
                 HintedWriteReply{.id = write(1, Consistency::all).id,
                                  .attempt = 1,
                                  .owner = NodeId(3),
                                  .fallback = NodeId(4),
                                  .version = rig.node(1).store.get(kOnly, "k")->version}));
  rig.settle(without({3}));
  CHECK(rig.answers.empty());
}

}  // namespace rejoin
