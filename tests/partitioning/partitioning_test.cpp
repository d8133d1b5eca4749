#include "protocols/partitioning/partitioning.hpp"

#include <doctest/doctest.h>

#include "protocols/partitioning/placement.hpp"
#include "tests/support/fake_env.hpp"

namespace rejoin {
namespace {

using test::at;

PartitioningOptions small(std::uint32_t replication = 2) {
  PartitioningOptions options;
  options.partitions = 16;
  options.replication = replication;
  return options;
}

PartitioningOptions faithful(std::uint32_t replication) {
  PartitioningOptions options = small(replication);
  options.rebalance_delay = 2s;
  options.shortage = MapShortage::refuse;
  options.rebalance_on_leadership = false;
  options.skip_promoted_source = true;
  options.hooks_on_role_change = true;
  return options;
}

// node-1 of three founders whose map has epoch 1.
struct Node {
  explicit Node(PartitioningOptions options, std::uint32_t self = 1)
      : env(Address(self)),
        machine(bus, options.partitions),
        component(env, bus, NodeId(self), options, machine, consensus) {
    ClusterState state{.cluster = ClusterId(7)};
    for (std::uint32_t n = 1; n <= 3; ++n) {
      const Member member{NodeId(n), Incarnation(1), Address(n)};
      state.members[member.node] = member;
      state.incarnations[member.node] = member.incarnation;
      consensus.servers.servers.push_back({member.node, member.incarnation, member.address, true});
    }
    state.map =
        std::make_shared<const PartitionMap>(*make_map(Epoch(1), options, state.member_ids()));
    host.start();
    REQUIRE(machine.restore(encode_state(state)));
    host.settle();
  }
  void lead(bool leads = true) {
    consensus.is_leader = leads;
    consensus.current_term = consensus.current_term.next();
    host.tell(local::LeaderChanged{kClusterGroup, consensus.current_term, NodeId(1), leads});
  }
  void apply(const ClusterCommand& command) {
    consensus.applied_index = consensus.applied_index.next();
    machine.apply(consensus.applied_index, Term(1), encode(command), consensus.is_leader);
    host.settle();
  }
  void remove(std::uint32_t node, std::uint64_t incarnation = 1) {
    consensus.change_servers({std::nullopt, NodeId(node)});
    apply(command::RemoveMember{NodeId(node), Incarnation(incarnation)});
  }
  void add(std::uint32_t node, std::uint64_t incarnation) {
    const Member member{NodeId(node), Incarnation(incarnation), Address(node)};
    consensus.change_servers(
        {raft::Server{member.node, member.incarnation, member.address, true}, {}});
    apply(command::SetMember{member});
  }
  void commit() {
    test::commit(consensus, machine);
    host.settle();
  }
  [[nodiscard]] std::uint64_t epoch() const { return machine.state().map->epoch.value; }

  test::FakeEnv env;
  test::FakeBus bus;
  ClusterStateMachine machine;
  test::FakeConsensus consensus;
  Partitioning component;
  test::ComponentHost host{env, bus, component};
};

TEST_CASE("a map that is what the placement says stays, whoever comes to lead") {
  Node node(small());
  node.lead();
  node.host.run_for(10s);
  CHECK(node.consensus.log.empty());
  CHECK(node.env.timers.empty());
}

TEST_CASE("the leader proposes the next map when members change, and it is applied once") {
  Node node(small());
  node.lead();
  node.remove(3);
  CHECK(node.consensus.log.size() == 1);
  node.host.run_for(10s);  // not committed: it is not proposed twice
  CHECK(node.consensus.log.size() == 1);
  node.commit();
  node.host.run_for(10s);
  CHECK(node.epoch() == 2);
  CHECK(node.consensus.log.empty());
  for (const auto& owners : node.machine.state().map->owners) {
    CHECK(owners.size() == 2);
    CHECK(std::find(owners.begin(), owners.end(), NodeId(3)) == owners.end());
  }
}

TEST_CASE("a follower proposes nothing") {
  Node node(small());
  node.remove(3);
  node.host.run_for(10s);
  CHECK(node.consensus.log.empty());
}

TEST_CASE("a proposal that was lost or refused is made again") {
  Node node(small());
  node.lead();
  node.remove(3);
  SUBCASE("lost with a term") {
    node.consensus.log.clear();
    node.lead(false);
    node.lead(true);
  }
  SUBCASE("lost with a term that this node saw no end of") {
    node.consensus.log.clear();
    node.consensus.current_term = node.consensus.current_term.next();
    node.host.run_for(1s);
  }
  SUBCASE("refused when applied: another map came first") {
    PartitionMap other = *node.machine.state().map;
    other.epoch = Epoch(2);
    const auto ours = node.consensus.log.front();
    node.consensus.log.clear();
    node.apply(command::SetMap{other});
    node.consensus.applied_index = ours.index;
    node.host.run_for(1s);
  }
  REQUIRE(node.consensus.log.size() == 1);
  node.commit();
  CHECK_FALSE(node.machine.state().map->owns(NodeId(3), PartitionId(9)));
}

TEST_CASE("a map waits for a change of members that is in the log and not applied") {
  Node node(small());
  node.consensus.change_servers({std::nullopt, NodeId(3)});
  node.lead();
  node.add(4, 1);
  node.host.run_for(1s);
  CHECK(node.consensus.log.empty());
  node.apply(command::RemoveMember{NodeId(3), Incarnation(1)});
  node.host.run_for(1s);
  CHECK(node.consensus.log.size() == 1);
  node.commit();
  CHECK(node.epoch() == 2);
}

TEST_CASE("ClusterKit refuses a map with too few nodes, says so once, and keeps the old one") {
  Node node(faithful(3));
  node.lead();
  node.remove(3);
  CHECK(node.bus.facts_of<fact::RebalanceRefused>().empty());
  node.host.run_for(2s);
  node.host.run_for(60s);
  const auto refused = node.bus.facts_of<fact::RebalanceRefused>();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].reason == "not enough nodes: 2 of 3");
  CHECK(node.consensus.log.empty());
  // Back again: the map never changed, so no hook fires anywhere.
  node.add(3, 2);
  node.host.run_for(60s);
  CHECK(node.epoch() == 1);
  CHECK(node.bus.events_of<local::PartitionChanged>().empty());
}

TEST_CASE("the rebalance of a leader that dies inside the delay is lost only in ClusterKit") {
  for (const bool documented : {false, true}) {
    PartitioningOptions options = faithful(2);
    options.rebalance_on_leadership = documented;
    Node successor(options);
    successor.remove(3);  // applied as a follower; the leader dies within 2 s
    successor.lead();
    successor.host.run_for(60s);
    CHECK(successor.consensus.log.size() == (documented ? 1 : 0));
  }
}

TEST_CASE("the first map of a process is a baseline; later ones run the hooks of this node") {
  Node node(small());
  CHECK(node.bus.events_of<local::PartitionChanged>().empty());
  node.lead();
  node.remove(3);
  node.commit();
  const auto events = node.bus.events_of<local::PartitionChanged>();
  REQUIRE_FALSE(events.empty());
  CHECK(node.bus.facts_of<fact::HookFired>().size() == events.size());
  for (const auto& event : events) {
    CHECK(event.copy_to == NodeId(1));
    CHECK(event.copy_from == std::vector{NodeId(2)});
    CHECK(event.reason == fact::ChangeReason::removed);
  }
}

TEST_CASE("a node that returns is told to copy what it owns again, as a rejoin") {
  Node node(small(), 3);
  const PartitionMap founding = *node.machine.state().map;
  node.remove(3);
  node.apply(command::SetMap{*make_map(Epoch(2), small(), {NodeId(1), NodeId(2)})});
  CHECK(node.bus.events_of<local::PartitionChanged>().empty());
  node.add(3, 2);
  node.apply(command::SetMap{PartitionMap{.epoch = Epoch(3), .owners = founding.owners}});
  const auto events = node.bus.events_of<local::PartitionChanged>();
  std::size_t owned = 0;
  for (std::uint32_t p = 0; p < 16; ++p) owned += founding.owns(NodeId(3), PartitionId(p)) ? 1U : 0;
  CHECK(events.size() == owned);
  for (const auto& event : events) {
    CHECK(event.reason == fact::ChangeReason::rejoin);
    CHECK(event.copy_from.size() == 2);
  }
}

TEST_CASE("a snapshot runs the hooks of what changed since the map that this process had") {
  Node node(small(), 3);
  ClusterState later = node.machine.state();
  later.members.erase(NodeId(2));
  later.map =
      std::make_shared<const PartitionMap>(*make_map(Epoch(4), small(), {NodeId(1), NodeId(3)}));
  REQUIRE(node.machine.restore(encode_state(later)));
  node.host.settle();
  const auto events = node.bus.events_of<local::PartitionChanged>();
  CHECK_FALSE(events.empty());
  for (const auto& event : events) {
    CHECK(event.reason == fact::ChangeReason::removed);
    CHECK(event.copy_from == std::vector{NodeId(1)});
  }
}

}  // namespace
}  // namespace rejoin
