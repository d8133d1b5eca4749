#include "protocols/client/coordinator.hpp"

#include <doctest/doctest.h>

#include "tests/client/coordinator_rig.hpp"

namespace rejoin {

namespace {

constexpr auto kWrite = OperationKind::write;
constexpr auto kRemove = OperationKind::remove;
constexpr auto kRead = OperationKind::read;

ClientRequest make(std::uint64_t n, OperationKind kind, Consistency level,
                   const Value& value = {}) {
  return ClusterRig::request(n, kind, "k", level, value);
}
ClientRequest retry(ClientRequest request, std::uint32_t attempt) {
  request.attempt = attempt;
  return request;
}
ClientRequest direct(std::uint64_t n) {
  ClientRequest request = make(n, kRead, Consistency::one);
  request.direct = true;
  return request;
}

}  // namespace

// ---- Writes --------------------------------------------------------------------------------

TEST_CASE("a write is acknowledged only after as many owners as its level asks for synced it") {
  for (std::uint32_t owners = 1; owners <= 5; ++owners) {
    for (const Consistency level : {Consistency::one, Consistency::quorum, Consistency::all}) {
      const std::uint32_t needed = level == Consistency::one      ? 1
                                   : level == Consistency::quorum ? owners / 2 + 1
                                                                  : owners;
      ClusterRig rig(owners, VersionScheme::timestamp, {}, owners);
      rig.ask(1, make(1, kWrite, level, "v"));
      rig.deliver();  // to the replicas; all have stored, none has synced
      rig.deliver();
      REQUIRE(rig.answers.empty());
      for (std::uint32_t synced = 1; synced <= owners; ++synced) {
        CHECK(rig.value_at(synced, "k") == "v");
        rig.node(synced).sync();
        rig.deliver();  // its answer to the coordinator
        rig.deliver();  // the coordinator's to the client
        REQUIRE(rig.answers.size() == (synced >= needed ? 1 : 0));
      }
      const auto answer = rig.take_answer();
      CHECK(answer->result == ResultKind::ok);
      CHECK(answer->served_by == NodeId(1));
      CHECK(answer->id.n == 1);
    }
  }
}

TEST_CASE("levels count the copies asked for, however few owners are in the map") {
  for (const Consistency level : {Consistency::quorum, Consistency::all}) {
    ClusterRig rig;
    rig.set_map(NodeId(1), Epoch(2), {NodeId(1)}, {NodeId(1)});
    rig.ask(1, make(1, kWrite, level, "v"));
    rig.settle();
    CHECK_FALSE(rig.take_answer());
    CHECK(rig.value_at(1, "k") == "v");
    rig.ask(1, make(2, kRead, level));
    rig.settle();
    CHECK(rig.take_answer()->result == ResultKind::unavailable);
    rig.ask(1, make(3, kRead, Consistency::one));
    rig.settle();
    CHECK(rig.take_answer()->value == "v");
  }
}

TEST_CASE("a quorum counts the owners in the map, members or not") {
  ClusterRig rig;
  const std::vector<NodeId> owners{NodeId(1), NodeId(2), NodeId(3)};
  rig.set_map(NodeId(1), Epoch(1), owners, {NodeId(1)});
  rig.ask(1, make(1, kWrite, Consistency::quorum, "v"));
  rig.settle();
  CHECK_FALSE(rig.take_answer());
  CHECK(rig.value_at(2, "k") == "absent");  // an owner that is no member gets nothing
  rig.ask(1, make(2, kRead, Consistency::quorum));
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::unavailable);
}

TEST_CASE("a coordinator that owns nothing stores nothing and still coordinates") {
  ClusterRig rig(4);
  const std::vector<NodeId> all{NodeId(1), NodeId(2), NodeId(3), NodeId(4)};
  for (const NodeId node : all) {
    rig.set_map(node, Epoch(2), {NodeId(2), NodeId(3), NodeId(4)}, all);
  }
  rig.ask(1, make(1, kWrite, Consistency::all, "v"));
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::ok);
  CHECK(rig.value_at(1, "k") == "absent");
  CHECK(rig.value_at(4, "k") == "v");
  rig.ask(1, make(2, kRead, Consistency::one));
  rig.settle();
  CHECK(rig.take_answer()->value == "v");
}

TEST_CASE("a delete is a tombstone under timestamps and nothing without versions") {
  for (const VersionScheme scheme : {VersionScheme::none, VersionScheme::timestamp}) {
    ClusterRig rig(3, scheme);
    rig.ask(1, make(1, kWrite, Consistency::all, "v"));
    rig.settle();
    rig.answers.clear();
    rig.ask(2, make(2, kRemove, Consistency::all));
    rig.settle();
    CHECK(rig.take_answer()->result == ResultKind::ok);
    const bool keeps = scheme == VersionScheme::timestamp;
    CHECK(rig.value_at(3, "k") == (keeps ? "deleted" : "absent"));
    rig.ask(3, make(3, kRead, Consistency::quorum));
    rig.settle();
    const auto answer = rig.take_answer();
    CHECK(answer->result == ResultKind::not_found);
    CHECK(answer->observed.size() == (keeps ? 1 : 0));
    if (keeps) CHECK(answer->observed[0].n == 2);
  }
}

TEST_CASE("a retry at the same coordinator keeps its version and asks only who has not answered") {
  ClusterRig rig;
  rig.ask(1, make(1, kWrite, Consistency::all, "v"));
  rig.settle(without({3}));
  CHECK_FALSE(rig.take_answer());
  const Version first = rig.node(2).store.get(kOnly, "k")->version;
  rig.node(1).env.advance(1s);
  rig.ask(1, retry(make(1, kWrite, Consistency::all, "v"), 2));
  REQUIRE(rig.node(1).env.sent.size() == 1);
  CHECK(rig.node(1).env.sent[0].to == Address(3));
  CHECK(rig.node(1).env.sent[0].tag.attempt == 2);
  rig.settle();
  const auto answer = rig.take_answer();
  CHECK(answer->result == ResultKind::ok);
  CHECK(answer->attempt == 2);
  for (std::uint32_t n = 1; n <= 3; ++n) {
    CHECK(rig.node(n).store.get(kOnly, "k")->version == first);
    CHECK(rig.node(n).bus.all<fact::RecordWritten>().size() == 1);
  }

  // The answer was lost: it is given again, and nothing is written again.
  rig.ask(1, retry(make(1, kWrite, Consistency::all, "v"), 3));
  rig.settle();
  CHECK(rig.take_answer()->attempt == 3);
  CHECK(rig.node(1).bus.all<fact::RecordWritten>().size() == 1);
}

TEST_CASE("a request that its client has left behind does nothing") {
  ClusterRig rig;
  rig.ask(1, make(2, kWrite, Consistency::all, "new"));
  rig.settle();
  rig.answers.clear();
  rig.ask(1, make(1, kWrite, Consistency::all, "old"));
  rig.settle();
  CHECK_FALSE(rig.take_answer());
  CHECK(rig.value_at(2, "k") == "new");
}

TEST_CASE("two writes at one reading of the clock have two versions, in order") {
  ClusterRig rig;
  for (std::uint64_t n = 1; n <= 4; ++n) {
    rig.ask(1, make(n, kWrite, Consistency::all, "value-" + std::to_string(n)));
    rig.settle();
    CHECK(rig.take_answer()->result == ResultKind::ok);
    CHECK(rig.value_at(2, "k") == "value-" + std::to_string(n));
  }
}

TEST_CASE("a clock that is set back makes later writes lose, as timestamps do") {
  ClusterRig rig;
  rig.node(1).env.set_wall(WallTime(100s));
  rig.ask(1, make(1, kWrite, Consistency::all, "first"));
  rig.settle();
  rig.node(1).env.set_wall(WallTime(50s));
  rig.ask(1, make(2, kWrite, Consistency::all, "second"));
  rig.settle();
  CHECK(rig.value_at(2, "k") == "first");
}

TEST_CASE("a write whose client has asked elsewhere since gets no version, newer than all") {
  ClusterRig rig;
  ClientRequest late = make(1, kWrite, Consistency::all, "first");
  late.expires = WallTime(100s);
  rig.node(1).env.set_wall(WallTime(100s) + 1ns);
  rig.ask(1, late);
  rig.settle();
  CHECK_FALSE(rig.take_answer());
  CHECK(rig.value_at(2, "k") == "absent");
  rig.node(1).env.set_wall(WallTime(100s));
  rig.ask(1, late);
  rig.settle();
  CHECK(rig.value_at(2, "k") == "first");
  CHECK(rig.take_answer()->result == ResultKind::ok);
  // A try that comes on top of one that was in time is as good as that.
  rig.node(1).env.set_wall(WallTime(200s));
  late.attempt = 2;
  rig.ask(1, late);
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::ok);
}

TEST_CASE("a write that arrives again overwrites without versions, and not with them") {
  for (const VersionScheme scheme : {VersionScheme::none, VersionScheme::timestamp}) {
    ClusterRig rig(3, scheme);
    rig.ask(1, make(1, kWrite, Consistency::all, "one"));
    const Bytes to_two = rig.node(1).env.sent[0].frame;
    REQUIRE(rig.node(1).env.sent[0].to == Address(2));
    rig.settle();
    rig.node(1).env.advance(1s);
    rig.ask(1, make(2, kWrite, Consistency::all, "two"));
    rig.settle();
    rig.deliver_to(rig.node(2), Address(1), to_two);
    CHECK(rig.value_at(2, "k") == (scheme == VersionScheme::none ? "one" : "two"));
  }
}

// ---- Ownership -----------------------------------------------------------------------------

TEST_CASE("a replica refuses what it does not own by a map at least as new, else it believes") {
  const std::vector<NodeId> all{NodeId(1), NodeId(2), NodeId(3)};
  const std::vector<NodeId> others{NodeId(1), NodeId(3)};
  struct Case {
    Epoch replica_epoch;
    bool stores;
  };
  for (const Case c : {Case{Epoch(4), true}, Case{Epoch(5), false}, Case{Epoch(6), false}}) {
    ClusterRig rig;
    rig.set_map(NodeId(1), Epoch(5), all, all);
    rig.set_map(NodeId(2), c.replica_epoch, others, all);
    rig.ask(1, make(1, kWrite, Consistency::all, "v"));
    rig.settle();
    CHECK((rig.value_at(2, "k") == "v") == c.stores);
    CHECK(rig.take_answer().has_value() == c.stores);
    rig.plant(2, "k", "planted", 1, 1s);
    rig.ask(1, make(2, kRead, Consistency::all));
    rig.settle();
    CHECK((rig.take_answer()->result == ResultKind::unavailable) == !c.stores);
  }
}

TEST_CASE("a retry counts only those who own the key by the map of now") {
  ClusterRig rig(5);
  const std::vector<NodeId> all{NodeId(1), NodeId(2), NodeId(3), NodeId(4), NodeId(5)};
  rig.set_map(NodeId(1), Epoch(2), {NodeId(2), NodeId(3), NodeId(4)}, all);
  rig.ask(1, make(1, kWrite, Consistency::quorum, "v"));
  rig.settle(without({2, 3}));
  CHECK(rig.value_at(4, "k") == "v");
  CHECK_FALSE(rig.take_answer());
  // node-4 is an owner no longer: that it holds the write counts for nothing.
  rig.set_map(NodeId(1), Epoch(3), {NodeId(2), NodeId(3), NodeId(5)}, all);
  rig.settle(without({3, 4, 5}));
  CHECK(rig.value_at(2, "k") == "v");
  CHECK_FALSE(rig.take_answer());
  rig.ask(1, retry(make(1, kWrite, Consistency::quorum, "v"), 2));
  rig.settle(without({3, 4}));
  CHECK(rig.take_answer()->result == ResultKind::ok);
}

TEST_CASE("a write by an older map is refused where a new owner would miss it, and sent anew") {
  const std::vector<NodeId> all{NodeId(1), NodeId(2), NodeId(3)};
  for (const Consistency level : {Consistency::one, Consistency::all}) {
    ClusterRig rig;
    rig.set_map(NodeId(1), Epoch(2), {NodeId(1), NodeId(2)}, all);
    rig.set_map(NodeId(2), Epoch(3), all, all);
    rig.set_map(NodeId(3), Epoch(3), all, all);
    rig.ask(1, make(1, kWrite, level, "v"));
    rig.settle();
    CHECK(rig.value_at(2, "k") != "v");
    CHECK(rig.take_answer().has_value() == (level == Consistency::one));
    rig.set_map(NodeId(1), Epoch(3), all, all);
    rig.settle();
    CHECK(rig.value_at(2, "k") == "v");
    CHECK(rig.value_at(3, "k") == "v");
    CHECK(rig.take_answer().has_value() == (level == Consistency::all));
  }
}

TEST_CASE("a write by an older map is taken where it reaches every owner that is left") {
  const std::vector<NodeId> all{NodeId(1), NodeId(2), NodeId(3)};
  ClusterRig rig;
  rig.set_map(NodeId(2), Epoch(2), {NodeId(1), NodeId(2)}, all);
  rig.ask(1, make(1, kWrite, Consistency::one, "v"));
  rig.settle();
  CHECK(rig.value_at(2, "k") == "v");
}

// ---- Reads ---------------------------------------------------------------------------------

TEST_CASE("a read of what is not durable yet waits, found or erased") {
  ClusterRig rig(1, VersionScheme::none);
  rig.ask(1, make(1, kWrite, Consistency::one, "v"));
  ClientRequest other = direct(1);
  other.id.client = ClientId(6);
  rig.ask(1, other);
  rig.deliver();
  CHECK(rig.answers.empty());
  rig.settle();
  REQUIRE(rig.answers.size() == 2);
  rig.answers.clear();

  rig.ask(1, make(2, kRemove, Consistency::one));
  other = make(2, kRead, Consistency::one);
  other.id.client = ClientId(6);
  rig.ask(1, other);
  rig.deliver();
  CHECK(rig.answers.empty());
  rig.settle();
  CHECK(rig.answers.size() == 2);
}

TEST_CASE("a quorum read returns the newest by version, wherever it is") {
  for (std::uint32_t newest = 1; newest <= 2; ++newest) {
    ClusterRig rig;
    rig.plant(newest, "k", "new", 2, 20s);
    rig.plant(3 - newest, "k", "old", 1, 10s);
    rig.ask(1, make(1, kRead, Consistency::quorum));
    rig.settle(without({3}));
    const auto answer = rig.take_answer();
    CHECK(answer->value == "new");
    REQUIRE(answer->observed.size() == 1);
    CHECK(answer->observed[0].n == 2);
  }
}

TEST_CASE("a tombstone that is newer than a value hides it") {
  ClusterRig rig;
  rig.plant(1, "k", "old", 1, 10s);
  rig.plant(2, "k", "", 2, 20s, true);
  rig.ask(1, make(1, kRead, Consistency::quorum));
  rig.settle(without({3}));
  const auto answer = rig.take_answer();
  CHECK(answer->result == ResultKind::not_found);
  REQUIRE(answer->observed.size() == 1);
  CHECK(answer->observed[0].n == 2);
}

TEST_CASE("without versions the coordinator's own answer stands, else the first owner's") {
  ClusterRig rig(3, VersionScheme::none);
  rig.plant(2, "k", "two", 2, 0s);
  rig.plant(3, "k", "three", 3, 0s);
  rig.ask(2, make(1, kRead, Consistency::all));
  rig.settle();
  CHECK(rig.take_answer()->value == "two");
  rig.ask(1, make(2, kRead, Consistency::all));
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::not_found);
  rig.node(1).gate.close(kOnly);
  rig.ask(1, make(3, kRead, Consistency::quorum));
  rig.settle();
  CHECK(rig.take_answer()->value == "two");
}

TEST_CASE("a read at one asks the nearest, then owner after owner when they are silent") {
  ClusterRig rig;
  rig.plant(3, "k", "three", 3, 1s);
  rig.node(1).gate.close(kOnly);
  rig.ask(1, make(1, kRead, Consistency::one));
  rig.settle(without({2}));
  CHECK_FALSE(rig.take_answer());
  const MonotonicTime before = rig.node(1).env.now();
  rig.fire_timers(1);
  CHECK(rig.node(1).env.now() - before == 450ms);  // two candidates share 900 ms
  rig.settle(without({2}));
  CHECK(rig.take_answer()->value == "three");
  CHECK(rig.node(1).env.timers.empty());
}

TEST_CASE("a read that too few replicas answer is unavailable after the timeout, once") {
  ClusterRig rig;
  for (const Consistency level : {Consistency::quorum, Consistency::all}) {
    rig.ask(1, make(level == Consistency::all ? 2 : 1, kRead, level));
    rig.settle(without({2, 3}));
    CHECK_FALSE(rig.take_answer());
    rig.fire_timers(1);
    rig.settle(without({2, 3}));
    CHECK(rig.take_answer()->result == ResultKind::unavailable);
    CHECK(rig.node(1).env.timers.empty());
  }
}

TEST_CASE("an answer to an earlier attempt of a read does not count for the next") {
  ClusterRig rig;
  rig.ask(1, make(1, kRead, Consistency::all));
  rig.deliver();  // to the replicas
  std::vector<std::pair<Address, Bytes>> held;
  for (std::uint32_t n = 2; n <= 3; ++n) {
    for (const auto& sent : rig.node(n).env.sent) held.emplace_back(Address(n), sent.frame);
    rig.node(n).env.sent.clear();
  }
  REQUIRE(held.size() == 2);
  rig.plant(2, "k", "new", 1, 1s);
  rig.ask(1, retry(make(1, kRead, Consistency::all), 2));
  for (const auto& [from, frame] : held) rig.deliver_to(rig.node(1), from, frame);
  for (const auto& [from, frame] : held) rig.deliver_to(rig.node(1), from, frame);
  CHECK(rig.node(1).env.sent.size() == 2);  // the new questions, and no answer yet
  rig.settle();
  CHECK(rig.take_answer()->value == "new");
}

TEST_CASE("one replica that answers twice is one answer") {
  ClusterRig rig(5, VersionScheme::timestamp, {}, 5);
  rig.ask(1, make(1, kRead, Consistency::quorum));
  rig.deliver(without({3, 4, 5}));
  REQUIRE(rig.node(2).env.sent.size() == 1);
  const Bytes reply = rig.node(2).env.sent[0].frame;
  for (int n = 0; n < 3; ++n) rig.deliver_to(rig.node(1), Address(2), reply);
  CHECK(rig.node(1).env.sent.empty());

  rig.ask(1, make(2, kWrite, Consistency::quorum, "v"));
  rig.deliver(without({3, 4, 5}));
  rig.node(2).sync();
  rig.node(1).sync();
  REQUIRE(!rig.node(2).env.sent.empty());
  const Bytes held = rig.node(2).env.sent.back().frame;
  for (int n = 0; n < 3; ++n) rig.deliver_to(rig.node(1), Address(2), held);
  CHECK(rig.node(1).env.sent.empty());
}

// ---- Gate, direct reads, readiness ---------------------------------------------------------

TEST_CASE("a fenced partition is never read here, and the coordinator goes elsewhere") {
  ClusterRig rig;
  for (std::uint32_t n = 1; n <= 3; ++n) rig.plant(n, "k", "v" + std::to_string(n), n, 1s);
  rig.node(1).gate.close(kOnly);
  rig.node(2).gate.close(kOnly);
  rig.ask(1, direct(1));
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::unavailable);

  rig.ask(1, make(2, kRead, Consistency::one));
  rig.settle();
  CHECK(rig.take_answer()->value == "v3");
  rig.ask(3, make(3, kRead, Consistency::quorum));
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::unavailable);

  // Writes pass: what is being repaired must not fall further behind.
  rig.ask(3, make(4, kWrite, Consistency::all, "w"));
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::ok);
}

TEST_CASE("a direct read answers from the own store, whoever owns the key") {
  ClusterRig rig;
  const std::vector<NodeId> all{NodeId(1), NodeId(2), NodeId(3)};
  rig.plant(3, "k", "mine", 7, 1s);
  rig.set_map(NodeId(3), Epoch(9), {NodeId(1), NodeId(2)}, all);
  rig.ask(3, direct(1));
  rig.settle();
  const auto answer = rig.take_answer();
  CHECK(answer->value == "mine");
  CHECK(answer->served_by == NodeId(3));
  REQUIRE(answer->observed.size() == 1);
  CHECK(answer->observed[0].n == 7);
}

TEST_CASE("before its store is read back a node refuses reads and ignores writes") {
  RigNode fresh(NodeId(1), {}, VersionScheme::timestamp, 3);
  const auto ask = [&](const ClientRequest& request) {
    const Bytes frame = encode_message(request);
    CHECK(fresh.coordinator.on_message(client_address(kRigClient), ClientRequest::kind,
                                       decode_frame(frame)->body));
    std::optional<ClientReply> reply;
    if (!fresh.env.sent.empty()) {
      reply = decode<ClientReply>(decode_frame(fresh.env.sent[0].frame)->body);
    }
    fresh.env.sent.clear();
    return reply;
  };
  fresh.store.start();
  CHECK(ask(make(1, kRead, Consistency::one))->result == ResultKind::unavailable);
  CHECK(ask(direct(2))->result == ResultKind::unavailable);
  CHECK_FALSE(ask(make(3, kWrite, Consistency::one, "v")));
  fresh.sync();  // recovered, but there is no map
  REQUIRE(fresh.store.ready());
  CHECK(ask(make(4, kRead, Consistency::one))->result == ResultKind::unavailable);
  CHECK_FALSE(ask(make(5, kWrite, Consistency::one, "v")));
  CHECK(fresh.env.ops.empty());
}

TEST_CASE("messages from those who may not send them, or of no sense, are refused") {
  ClusterRig rig;
  auto& coordinator = rig.node(1).coordinator;
  const auto accepts = [&](Address from, const auto& message) {
    const Bytes frame = encode_message(message);
    return coordinator.on_message(from, decode_frame(frame)->kind, decode_frame(frame)->body);
  };
  const Address client = client_address(kRigClient);
  const ClientRequest good = make(1, kRead, Consistency::one);
  CHECK(accepts(client, good));
  CHECK_FALSE(accepts(Address(2), good));
  CHECK_FALSE(accepts(
      client, ReplicaWrite{.id = good.id, .attempt = 1, .epoch = {}, .record = {}, .owners = {}}));
  ClientRequest bad = good;
  bad.operation = static_cast<OperationKind>(9);
  CHECK_FALSE(accepts(client, bad));
  bad = good;
  bad.level = static_cast<Consistency>(7);
  CHECK_FALSE(accepts(client, bad));
  bad = make(2, kWrite, Consistency::one, "v");
  bad.direct = true;
  CHECK_FALSE(accepts(client, bad));
  bad = make(0, kRead, Consistency::one);
  CHECK_FALSE(accepts(client, bad));
  CHECK_FALSE(coordinator.on_message(client, MessageKind(Channel::coordinator, 99), {}));
}

// ---- Configure -----------------------------------------------------------------------------

TEST_CASE("a setting is proposed once a term, and answered when it took effect") {
  ClusterRig rig;
  FakeConsensus& raft = rig.node(1).consensus;
  raft.leading = true;
  ClientRequest request = make(1, OperationKind::configure, Consistency::one, "blue");
  rig.ask(1, request);
  rig.ask(1, retry(request, 2));
  rig.settle();
  REQUIRE(raft.proposed.size() == 1);
  CHECK_FALSE(rig.take_answer());

  SUBCASE("applied") {}
  SUBCASE("applied after it was proposed again in another term") {
    raft.term_now = Term(3);
    rig.ask(1, retry(request, 3));
    REQUIRE(raft.proposed.size() == 2);
  }
  for (const Bytes& command : raft.proposed) {
    rig.node(1).cluster.apply(LogIndex(5), Term(1), command, true);
    rig.node(1).drain();
  }
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::ok);
  CHECK(rig.node(1).cluster.state().settings.at("k") == "blue");
  CHECK(rig.node(1).bus.all<fact::SettingApplied>().size() == 1);

  // Its answer was lost: a retry is told so, and nothing is proposed.
  const std::size_t proposals = raft.proposed.size();
  rig.ask(1, retry(request, 9));
  rig.settle();
  CHECK(rig.take_answer()->result == ResultKind::ok);
  CHECK(raft.proposed.size() == proposals);
}

TEST_CASE("a node that does not lead names the leader, or nobody") {
  ClusterRig rig;
  const ClientRequest request = make(1, OperationKind::configure, Consistency::one, "blue");
  rig.ask(2, request);
  rig.settle();
  CHECK_FALSE(rig.take_answer());
  rig.node(2).consensus.known_leader = raft::Server{
      .node = NodeId(3), .incarnation = Incarnation(1), .address = Address(33), .voter = true};
  rig.ask(2, retry(request, 2));
  rig.settle();
  const auto answer = rig.take_answer();
  REQUIRE(answer);
  CHECK(answer->result == ResultKind::none);
  CHECK(answer->leader == Address(33));
}

// ---- Where nodes are -----------------------------------------------------------------------

TEST_CASE("a coordinator tells clients where members are, and nobody else, and nothing of others") {
  ClusterRig rig;
  const Address client = client_address(kRigClient);
  const auto ask = [&rig](Address from, NodeId node) {
    rig.node(1).env.sent.clear();
    const Bytes body = encode(LocateRequest{.node = node});
    CHECK(rig.node(1).coordinator.on_message(from, LocateRequest::kind, body) == is_client(from));
    return rig.node(1).env.sent;
  };
  const auto sent = ask(client, NodeId(2));
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].to == client);
  const auto reply = decode<LocateReply>(decode_frame(sent[0].frame)->body);
  CHECK(reply->node == NodeId(2));
  CHECK(reply->address == Address(2));
  CHECK(ask(client, NodeId(9)).empty());
  CHECK(ask(Address(2), NodeId(2)).empty());
}

TEST_CASE("a coordinator shows its map to clients that ask, and tells them once of its next one") {
  ClusterRig rig;
  const Address client = client_address(kRigClient);
  const auto sent_by = [&rig] { return std::exchange(rig.node(1).env.sent, {}); };
  const auto ask = [&](Address from, std::uint64_t number) {
    sent_by();
    const Bytes body = encode(MapRequest{.number = number});
    return rig.node(1).coordinator.on_message(from, MapRequest::kind, body);
  };
  CHECK_FALSE(ask(Address(2), 1));
  CHECK_FALSE(ask(client, 0));
  CHECK(ask(client, 7));
  const auto shown = sent_by();
  REQUIRE(shown.size() == 1);
  const auto reply = decode<MapReply>(decode_frame(shown[0].frame)->body);
  CHECK(reply->number == 7);
  CHECK(reply->map == *rig.node(1).cluster.state().map);

  const std::vector<NodeId> two = {NodeId(1), NodeId(2)};
  rig.set_map(NodeId(1), Epoch(2), two, two);
  const auto told = sent_by();
  REQUIRE(told.size() == 1);
  CHECK(told[0].to == client);
  CHECK(decode<MapNotice>(decode_frame(told[0].frame)->body)->epoch == Epoch(2));
  rig.set_map(NodeId(1), Epoch(3), {NodeId(1)}, two);
  CHECK(sent_by().empty());
}

}  // namespace rejoin
