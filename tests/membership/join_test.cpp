// Joining, rejoining and finding out, by several nodes on a network that misbehaves.

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "model/random.hpp"
#include "tests/membership/hand_cluster.hpp"

namespace rejoin {
namespace {

using membership::JoinAnswer;
using membership::JoinReply;
using membership::JoinRequest;
using test::FakeBus;
using test::FakeConsensus;
using test::FakeEnv;
using test::HandCluster;

constexpr NodeId kThird{3};

// The node is a member once, in one life, and knows it.
void check_member(HandCluster& cluster, NodeId node, std::uint64_t incarnation) {
  const Member* member = cluster.state().find(node);
  REQUIRE(member != nullptr);
  CHECK(member->incarnation == Incarnation(incarnation));
  CHECK(cluster[node].component.is_member());
  CHECK(cluster[node].component.identity()->incarnation == Incarnation(incarnation));
  CHECK(cluster[1].consensus.servers.find(node)->incarnation == Incarnation(incarnation));
}

std::size_t added(HandCluster& cluster, NodeId node) {
  std::size_t n = 0;
  for (const auto& fact : cluster[1].bus.facts_of<fact::MemberAdded>()) {
    n += fact.member.node == node ? 1U : 0U;
  }
  return n;
}

// Until the leader's health checks have removed it.
void remove_dead(HandCluster& cluster, NodeId node) {
  for (int i = 0; i < 60 && cluster.state().find(node) != nullptr; ++i) cluster.run_for(1s);
  REQUIRE(cluster.state().find(node) == nullptr);
}

TEST_CASE("founders are members at once, and nothing changes") {
  HandCluster cluster(3);
  cluster.run_for(20s);
  for (const NodeId node : {NodeId(1), NodeId(2), NodeId(3)}) check_member(cluster, node, 1);
  CHECK(cluster[1].consensus.member_proposals == 0);
  CHECK(cluster[2].bus.events_of<local::Evicted>().empty());
}

TEST_CASE("an empty disk joins through a follower and becomes a member once, as incarnation 1") {
  HandCluster cluster(3);
  cluster.run_for(1s);
  cluster.fate = [](const HandCluster::Message& message) {
    // Every message twice; the leader is first asked by way of a redirect.
    return HandCluster::Fate{.copies = message.from == NodeId(4) ? 2 : 1};
  };
  cluster.start(NodeId(4));
  CHECK_FALSE(cluster[4].component.identity().has_value());
  cluster.run_for(5s);
  check_member(cluster, NodeId(4), 1);
  CHECK(added(cluster, NodeId(4)) == 1);
  CHECK_FALSE(cluster[1].bus.facts_of<fact::MemberAdded>()[0].rejoin);
  CHECK(cluster[4].bus.events_of<local::IdentityKnown>().size() == 1);
}

TEST_CASE("a node that was removed while it was down finds out at its start and rejoins") {
  HandCluster cluster(3);
  cluster.run_for(1s);
  cluster.kill(kThird);
  remove_dead(cluster, kThird);
  cluster.start(kThird);
  // Its disk says that it is a member, until somebody tells it otherwise.
  CHECK(cluster[3].machine.state().find(kThird) != nullptr);
  cluster.run_for(5s);
  check_member(cluster, kThird, 2);
  CHECK(cluster[3].bus.events_of<local::Evicted>().size() == 1);
  const auto additions = cluster[1].bus.facts_of<fact::MemberAdded>();
  REQUIRE(additions.size() == 1);
  CHECK(additions[0].rejoin);
}

TEST_CASE("a node that was down for less than detection carries on in the same life") {
  HandCluster cluster(3);
  cluster.run_for(1s);
  cluster.kill(kThird);
  cluster.run_for(6s);
  cluster.start(kThird);
  cluster.run_for(30s);
  check_member(cluster, kThird, 1);
  CHECK(cluster[1].consensus.member_proposals == 0);
}

TEST_CASE("a node that comes back at another address is moved there, in the same life") {
  HandCluster cluster(3);
  cluster.run_for(1s);
  cluster.kill(kThird);
  cluster.start_at(kThird, Address(33));
  cluster.run_for(5s);
  check_member(cluster, kThird, 1);
  CHECK(cluster.state().find(kThird)->address == Address(33));
  CHECK(cluster[1].consensus.servers.find(kThird)->voter);
  CHECK(cluster[1].bus.facts_of<fact::MemberUpdated>().size() == 1);
}

TEST_CASE("a node that comes back at another address and leads moves itself there") {
  HandCluster cluster(3);
  cluster.run_for(1s);
  cluster.kill(NodeId(1));
  cluster.lead(NodeId(2));
  cluster.start_at(NodeId(1), Address(11));
  // Before the other leader has answered: nobody else can change a leader's address.
  cluster.lead(NodeId(1));
  cluster.run_for(20s);
  check_member(cluster, NodeId(1), 1);
  CHECK(cluster.state().find(NodeId(1))->address == Address(11));
  CHECK(cluster[1].consensus.servers.find(NodeId(1))->address == Address(11));
}

TEST_CASE("a wiped disk is a new incarnation; the old life leaves first") {
  HandCluster cluster(3);
  cluster.run_for(1s);
  cluster.kill(kThird);
  cluster.wipe(kThird);
  cluster.start(kThird);
  cluster.run_for(5s);
  check_member(cluster, kThird, 2);
  const auto removed = cluster[1].bus.facts_of<fact::MemberRemoved>();
  REQUIRE(removed.size() == 1);
  CHECK(removed[0].incarnation == Incarnation(1));
  CHECK(added(cluster, kThird) == 1);
}

TEST_CASE("a member that is cut off and removed learns it when the cut heals, and rejoins") {
  HandCluster cluster(3);
  cluster.run_for(1s);
  cluster.cut[kThird] = true;
  cluster.fate = [](const HandCluster::Message& message) {
    const bool crosses = message.from == kThird || message.to == Address(3);
    return HandCluster::Fate{.copies = crosses ? 0 : 1};
  };
  remove_dead(cluster, kThird);
  CHECK(cluster[3].bus.events_of<local::Evicted>().empty());
  cluster.cut.clear();
  cluster.fate = [](const HandCluster::Message&) { return HandCluster::Fate{}; };
  cluster.run_for(30s);
  check_member(cluster, kThird, 2);
  CHECK(cluster[3].bus.events_of<local::Evicted>().size() == 1);
  CHECK(cluster[3].bus.events_of<local::IdentityKnown>().size() == 2);
}

TEST_CASE("told not to rejoin, a node that is evicted alive stays away until it restarts") {
  MembershipOptions options;
  options.rejoin_when_removed = false;
  HandCluster cluster(3, options);
  cluster.run_for(1s);
  cluster.cut[kThird] = true;
  cluster.fate = [](const HandCluster::Message& message) {
    const bool crosses = message.from == kThird || message.to == Address(3);
    return HandCluster::Fate{.copies = crosses ? 0 : 1};
  };
  remove_dead(cluster, kThird);
  cluster.cut.clear();
  cluster.fate = [](const HandCluster::Message&) { return HandCluster::Fate{}; };
  cluster.run_for(60s);
  CHECK(cluster.state().find(kThird) == nullptr);
  CHECK(cluster[3].bus.events_of<local::Evicted>().size() == 1);
  cluster.kill(kThird);
  cluster.start(kThird);
  cluster.run_for(5s);
  check_member(cluster, kThird, 2);
}

TEST_CASE("an old disk whose node lives on elsewhere makes its process halt") {
  HandCluster cluster(3);
  cluster.run_for(1s);
  cluster.kill(kThird);
  const auto old_disk = identity_files(kThird, Incarnation(1), ClusterId(77))[0].content;
  cluster.wipe(kThird);
  cluster.start(kThird);
  cluster.run_for(5s);
  check_member(cluster, kThird, 2);
  // The same leader, asked by incarnation 1 from another address.
  cluster[1].node.deliver(Address(44), JoinRequest{.cluster = ClusterId(77),
                                                   .node = kThird,
                                                   .incarnation = Incarnation(1),
                                                   .address = Address(44),
                                                   .replaces = {},
                                                   .nonce = 0,
                                                   .number = 1});
  const auto replies = cluster[1].env.take_sent<JoinReply>();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].second.answer == JoinAnswer::superseded);

  FakeEnv env(Address(44));
  FakeBus bus;
  ClusterStateMachine machine(bus, 1);
  FakeConsensus consensus;
  Membership twin(env, bus, kThird, {}, false, {Address(1)}, machine, consensus);
  test::ComponentHost host(env, bus, twin);
  env.files["membership.identity"] = old_disk;
  host.start();
  CHECK(host.deliver(Address(1), replies[0].second));
  REQUIRE(env.halted.has_value());
  CHECK(*env.halted == "superseded: a later life of node-3 is a member");
}

TEST_CASE("a late request of an empty disk cannot remove the life that came after it") {
  HandCluster cluster(3);
  cluster.run_for(1s);
  const JoinRequest late{.cluster = {},
                         .node = kThird,
                         .incarnation = {},
                         .address = Address(3),
                         .replaces = {},
                         .nonce = 9,
                         .number = 1};
  cluster[1].node.deliver(Address(3), late);
  cluster.run_for(5s);
  check_member(cluster, kThird, 1);
  CHECK(cluster[1].consensus.member_proposals == 0);
}

TEST_CASE("another cluster's node is refused") {
  HandCluster cluster(3);
  cluster.run_for(1s);
  cluster[1].node.deliver(Address(9), JoinRequest{.cluster = ClusterId(5),
                                                  .node = NodeId(9),
                                                  .incarnation = Incarnation(1),
                                                  .address = Address(9),
                                                  .replaces = {},
                                                  .nonce = 0,
                                                  .number = 1});
  const auto replies = cluster[1].env.take_sent<JoinReply>();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].second.answer == JoinAnswer::wrong_cluster);
  cluster.run_for(5s);
  CHECK(cluster.state().find(NodeId(9)) == nullptr);
}

TEST_CASE("a request in another's name, or a client's, is rejected") {
  HandCluster cluster(1);
  const JoinRequest request{.cluster = {},
                            .node = NodeId(5),
                            .incarnation = {},
                            .address = Address(5),
                            .replaces = {},
                            .nonce = 1,
                            .number = 1};
  CHECK_FALSE(cluster[1].node.deliver(Address(6), request));
  CHECK_FALSE(cluster[1].node.deliver(client_address(ClientId(1)), request));
  JoinReply reply;
  reply.node = NodeId(1);
  reply.answer = static_cast<JoinAnswer>(99);
  CHECK_FALSE(cluster[1].node.deliver(Address(2), reply));
}

TEST_CASE("an attempt that nobody answers is tried elsewhere after timeout and backoff") {
  FakeEnv env(Address(4));
  FakeBus bus;
  ClusterStateMachine machine(bus, 1);
  FakeConsensus consensus;
  Membership component(env, bus, NodeId(4), {}, false, {Address(4), Address(1), Address(2)},
                       machine, consensus);
  test::ComponentHost host(env, bus, component);
  host.start();
  host.run_to(test::at(10s));
  CHECK(env.take_sent<JoinRequest>().size() == 1);
  host.run_to(test::at(11s - 1ns));
  CHECK(env.take_sent<JoinRequest>().empty());
  host.run_to(test::at(11s));
  auto second = env.take_sent<JoinRequest>();
  REQUIRE(second.size() == 1);
  CHECK(second[0].first == Address(2));
  // 1 s, 2 s, 4 s, 8 s, and 8 s from then on.
  host.run_to(test::at(23s));
  CHECK(env.take_sent<JoinRequest>().size() == 1);
  host.run_to(test::at(37s));
  CHECK(env.take_sent<JoinRequest>().size() == 1);
  host.run_to(test::at(55s));
  CHECK(env.take_sent<JoinRequest>().size() == 1);
  host.run_to(test::at(73s));
  CHECK(env.take_sent<JoinRequest>().size() == 1);
  CHECK(bus.facts_of<fact::JoinRequested>().size() == 6);
}

TEST_CASE("a life is durable before anything is said in its name") {
  FakeEnv env(Address(4));
  FakeBus bus;
  ClusterStateMachine machine(bus, 1);
  FakeConsensus consensus;
  Membership component(env, bus, NodeId(4), {}, false, {Address(1)}, machine, consensus);
  test::ComponentHost host(env, bus, component);
  host.start();
  const auto asked = env.take_sent<JoinRequest>();
  REQUIRE(asked.size() == 1);
  JoinReply reply{.answer = JoinAnswer::assigned,
                  .cluster = ClusterId(77),
                  .node = NodeId(4),
                  .asked = {},
                  .nonce = asked[0].second.nonce + 1,
                  .number = asked[0].second.number,
                  .incarnation = Incarnation(2),
                  .leader = {}};
  SUBCASE("a life that another process asked for is not taken") {
    CHECK(host.deliver(Address(1), reply));
    CHECK(env.files.empty());
    return;
  }
  reply.nonce = asked[0].second.nonce;
  SUBCASE("a write that fails stops the process") {
    env.io_fails = true;
    host.deliver(Address(1), reply);
    CHECK(env.halted.has_value());
    CHECK(bus.events_of<local::IdentityKnown>().empty());
    return;
  }
  host.hold_completions = true;
  host.deliver(Address(1), reply);
  host.run_for(30s);
  CHECK(env.take_sent<JoinRequest>().empty());
  CHECK(bus.events_of<local::IdentityKnown>().empty());
  host.hold_completions = false;
  host.settle();
  CHECK(bus.events_of<local::IdentityKnown>().size() == 1);
  const auto again = env.take_sent<JoinRequest>();
  REQUIRE(again.size() == 1);
  CHECK(again[0].second.incarnation == Incarnation(2));
  CHECK(decode_identity(env.files.at("membership.identity")) ==
        Identity{ClusterId(77), NodeId(4), Incarnation(2)});
}

TEST_CASE("a damaged identity, or another node's, stops the process before it says anything") {
  std::size_t damaged = 0;  // facts that say so
  const auto start_with = [&damaged](Bytes content) {
    FakeEnv env(Address(4));
    FakeBus bus;
    ClusterStateMachine machine(bus, 1);
    FakeConsensus consensus;
    Membership component(env, bus, NodeId(4), {}, false, {Address(1)}, machine, consensus);
    test::ComponentHost host(env, bus, component);
    env.files["membership.identity"] = std::move(content);
    host.start();
    damaged = bus.facts_of<fact::StorageCorrupt>().size();
    return env.halted.has_value() && env.sent.empty() && bus.events.empty();
  };
  const Bytes good = identity_files(NodeId(4), Incarnation(3), ClusterId(77))[0].content;
  CHECK_FALSE(start_with(good));
  CHECK(start_with({}));
  CHECK(start_with(identity_files(NodeId(5), Incarnation(3), ClusterId(77))[0].content));
  CHECK(damaged == 0);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1U << (bit % 8)));
    CHECK(start_with(bad));
    CHECK(damaged == 1);
  }
}

TEST_CASE("whatever is lost, doubled or late, and whoever leads, a wiped node ends a member once") {
  CHECK(rc::check([](std::uint64_t seed) {
    HandCluster cluster(3);
    cluster.run_for(1s);
    std::uint64_t n = 0;
    cluster.fate = [&](const HandCluster::Message& message) {
      // Checks stay clean: this is about joining, not about detection.
      const bool joins = message.kind == JoinRequest::kind || message.kind == JoinReply::kind;
      if (!joins) return HandCluster::Fate{};
      const std::uint64_t roll = mix(seed, ++n);
      return HandCluster::Fate{.copies = static_cast<int>(below(roll, 3)),
                               .delay = std::chrono::milliseconds(1 + below(mix(roll, 1), 3000))};
    };
    cluster.kill(kThird);
    cluster.wipe(kThird);
    cluster.start(kThird);
    const auto some_time = [&](std::uint64_t what) {
      return std::chrono::milliseconds(1 + below(mix(seed, what), 4000));
    };
    cluster.run_for(some_time(1001));
    cluster.lead(NodeId(2));
    cluster.run_for(some_time(1002));
    if (below(mix(seed, 1003), 2) == 0) {
      cluster.kill(kThird);
      cluster.wipe(kThird);
      cluster.start(kThird);
    }
    cluster.run_for(some_time(1004));
    cluster.lead(NodeId(1));
    // Some five questions must get through, each of which fails more often than not and is given
    // ten seconds: three minutes were too short for one schedule in ten thousand.
    cluster.run_for(1800s);
    RC_ASSERT(cluster.halted.empty());
    RC_ASSERT(cluster.state().members.size() == 3U);
    RC_ASSERT(cluster[3].component.is_member());
    const Incarnation life = cluster[3].component.identity()->incarnation;
    RC_ASSERT(life > Incarnation(1));
    RC_ASSERT(cluster.state().find(kThird)->incarnation == life);
    RC_ASSERT(cluster[1].consensus.servers.servers.size() == 3U);
  }));
}

}  // namespace
}  // namespace rejoin
