#include "protocols/membership/cluster_state.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "model/random.hpp"
#include "tests/support/fake_env.hpp"

namespace rejoin {
namespace {

using test::FakeBus;

Member member(std::uint32_t node, std::uint64_t incarnation, std::uint32_t address = 0) {
  return {.node = NodeId(node),
          .incarnation = Incarnation(incarnation),
          .address = Address(address == 0 ? node : address)};
}

command::ChangeSetting setting(std::uint64_t n, std::string value) {
  return {.request = {.client = ClientId(1), .n = n}, .name = "limit", .value = std::move(value)};
}

command::SetMap map_of(std::uint64_t epoch, std::vector<std::vector<std::uint32_t>> owners) {
  PartitionMap map{.epoch = Epoch(epoch), .owners = {}};
  for (const auto& nodes : owners) {
    auto& list = map.owners.emplace_back();
    for (const std::uint32_t node : nodes) list.emplace_back(node);
  }
  return {map};
}

struct Replica {
  FakeBus bus;
  ClusterStateMachine machine{bus, 1};
  LogIndex index;

  void apply(const ClusterCommand& command, bool leading = true) {
    index = index.next();
    machine.apply(index, Term(1), encode(command), leading);
  }
  [[nodiscard]] const ClusterState& state() const { return machine.state(); }
  [[nodiscard]] std::size_t effects() const { return bus.facts_of<fact::CommandApplied>().size(); }
};

TEST_CASE("adding a member twice makes one member and takes effect once") {
  Replica replica;
  replica.apply(command::SetMember{member(3, 1)});
  replica.apply(command::SetMember{member(3, 1)});
  CHECK(replica.state().members.size() == 1);
  CHECK(replica.effects() == 1);
  CHECK(replica.bus.facts_of<fact::MembersApplied>().size() == 1);
  const auto added = replica.bus.facts_of<fact::MemberAdded>();
  REQUIRE(added.size() == 1);
  CHECK_FALSE(added[0].rejoin);
  CHECK(added[0].on_leader);
}

TEST_CASE("a member that moves keeps its place and is updated, not added") {
  Replica replica;
  replica.apply(command::SetMember{member(3, 1)});
  replica.apply(command::SetMember{member(3, 1, 33)});
  CHECK(replica.state().find(NodeId(3))->address == Address(33));
  CHECK(replica.bus.facts_of<fact::MemberAdded>().size() == 1);
  CHECK(replica.bus.facts_of<fact::MemberUpdated>().size() == 1);
  CHECK(replica.bus.events_of<local::ClusterChanged>().back().updated == std::vector{NodeId(3)});
}

TEST_CASE("a removed life does not come back with a late command; the next life does") {
  Replica replica;
  replica.apply(command::SetMember{member(3, 1)});
  replica.apply(command::RemoveMember{NodeId(3), Incarnation(1)});
  CHECK(replica.state().is_over(NodeId(3), Incarnation(1)));
  replica.apply(command::SetMember{member(3, 1)});
  CHECK(replica.state().members.empty());
  replica.apply(command::SetMember{member(3, 2)});
  REQUIRE(replica.state().find(NodeId(3)) != nullptr);
  CHECK(replica.bus.facts_of<fact::MemberAdded>().back().rejoin);
}

TEST_CASE("a removal that names another life leaves the member alone") {
  Replica replica;
  replica.apply(command::SetMember{member(3, 2)});
  replica.apply(command::RemoveMember{NodeId(3), Incarnation(1)});
  CHECK(replica.state().find(NodeId(3)) != nullptr);
  CHECK(replica.effects() == 1);
}

TEST_CASE("two processes of one node are never given the same incarnation") {
  Replica replica;
  replica.apply(command::Admit{NodeId(4), 111});
  replica.apply(command::Admit{NodeId(4), 111});  // a retry
  CHECK(replica.state().find_admission(NodeId(4))->incarnation == Incarnation(1));
  replica.apply(command::Admit{NodeId(4), 222});  // its disk was lost meanwhile
  CHECK(replica.state().find_admission(NodeId(4))->incarnation == Incarnation(2));
  CHECK(replica.state().is_over(NodeId(4), Incarnation(1)));
  replica.apply(command::SetMember{member(4, 1)});
  CHECK(replica.state().members.empty());
  replica.apply(command::SetMember{member(4, 2)});
  CHECK(replica.state().members.size() == 1);
  // It was never a member before, whatever its incarnation.
  CHECK_FALSE(replica.bus.facts_of<fact::MemberAdded>().back().rejoin);
}

TEST_CASE("a map against another epoch is refused, as is one that names an owner twice") {
  Replica replica;
  replica.apply(map_of(2, {{1, 2}}));
  CHECK(replica.state().map->epoch.is_none());
  replica.apply(map_of(1, {{1, 2}}));
  CHECK(replica.state().map->epoch == Epoch(1));
  replica.apply(map_of(1, {{2, 1}}));
  CHECK(replica.state().map->owners[0].front() == NodeId(1));
  replica.apply(map_of(2, {{2, 2}}));
  replica.apply(map_of(2, {{0}}));
  replica.apply(map_of(2, {{1}, {2}}));  // another number of partitions
  replica.apply(map_of(2, {}));
  CHECK(replica.state().map->epoch == Epoch(1));
  CHECK(replica.bus.facts_of<fact::MapApplied>().size() == 1);
  const auto changed = replica.bus.events_of<local::ClusterChanged>();
  REQUIRE(changed.size() == 1);
  CHECK(changed[0].old_map->epoch == Epoch(0));
  CHECK(changed[0].new_map->epoch == Epoch(1));
}

TEST_CASE("a request takes effect once however often it is in the log") {
  Replica replica;
  replica.apply(setting(1, "a"));
  replica.apply(setting(2, "b"));
  replica.apply(setting(2, "b"));
  replica.apply(setting(1, "a"));
  CHECK(replica.state().settings.at("limit") == "b");
  CHECK(replica.bus.facts_of<fact::SettingApplied>().size() == 2);
  CHECK(replica.effects() == 2);
}

TEST_CASE("a snapshot carries the sessions, so a retry after it is still recognised") {
  Replica first;
  first.apply(setting(1, "a"));
  Replica second;
  REQUIRE(second.machine.restore(first.machine.snapshot()));
  second.apply(setting(1, "again"));
  CHECK(second.state().settings.at("limit") == "a");
}

TEST_CASE("restoring tells what came, went, moved and changed hands since") {
  Replica old;
  old.apply(command::SetMember{member(1, 1)});
  old.apply(command::SetMember{member(2, 1)});
  old.apply(command::SetMember{member(3, 1)});
  old.apply(map_of(1, {{1, 2}}));
  Replica now;
  REQUIRE(now.machine.restore(old.machine.snapshot()));
  now.apply(command::RemoveMember{NodeId(1), Incarnation(1)});
  now.apply(command::SetMember{member(2, 1, 22)});
  now.apply(command::RemoveMember{NodeId(3), Incarnation(1)});
  now.apply(command::SetMember{member(3, 2)});
  now.apply(command::SetMember{member(4, 1)});
  now.apply(map_of(2, {{2, 3}}));

  old.bus.events.clear();
  REQUIRE(old.machine.restore(now.machine.snapshot()));
  const auto changed = old.bus.events_of<local::ClusterChanged>();
  REQUIRE(changed.size() == 1);
  CHECK(changed[0].from_snapshot);
  CHECK(changed[0].joined == std::vector{NodeId(3), NodeId(4)});
  CHECK(changed[0].removed == std::vector{NodeId(1), NodeId(3)});
  CHECK(changed[0].updated == std::vector{NodeId(2)});
  CHECK(changed[0].old_map->epoch == Epoch(1));
  CHECK(changed[0].new_map->epoch == Epoch(2));

  old.bus.events.clear();
  REQUIRE(old.machine.restore(now.machine.snapshot()));
  CHECK(old.bus.events_of<local::ClusterChanged>().back().old_map == nullptr);
}

TEST_CASE("bytes that are no snapshot are refused and change nothing") {
  Replica replica;
  replica.apply(command::SetMember{member(1, 1)});
  const Bytes before = replica.machine.snapshot();
  const auto taken = replica.machine.restore({});
  REQUIRE_FALSE(taken);
  CHECK(taken.error().damaged);
  Bytes cut(before.begin(), before.begin() + 3);
  CHECK_FALSE(replica.machine.restore(cut));
  // A member whose incarnation was never given out.
  ClusterState lying = replica.state();
  lying.incarnations.clear();
  CHECK_FALSE(replica.machine.restore(encode_state(lying)));
  CHECK(replica.machine.snapshot() == before);
}

TEST_CASE("a state with another number of partitions is refused, and no sibling hears of it") {
  Replica cluster;
  cluster.apply(command::SetMember{member(1, 1)});
  cluster.apply(map_of(1, {{1}, {1}, {1}}));
  const Bytes snapshot = cluster.machine.snapshot();
  for (const std::uint32_t partitions : {2U, 4U}) {
    FakeBus bus;
    ClusterStateMachine machine(bus, partitions);
    const auto taken = machine.restore(snapshot);
    REQUIRE_FALSE(taken);
    CHECK_FALSE(taken.error().damaged);
    CHECK(taken.error().why ==
          "configured for " + std::to_string(partitions) + " partitions, and the cluster has 3");
    CHECK(machine.state().members.empty());
    CHECK(bus.events.empty());
    CHECK(bus.facts.empty());
  }
  FakeBus bus;
  ClusterStateMachine machine(bus, 3);
  CHECK(machine.restore(snapshot));
  CHECK(bus.events.size() == 1);
}

TEST_CASE("a state without a map has no number of partitions yet") {
  Replica young;
  young.apply(command::SetMember{member(1, 1)});
  FakeBus bus;
  ClusterStateMachine machine(bus, 16);
  CHECK(machine.restore(young.machine.snapshot()));
}

// ---- Properties ----------------------------------------------------------------------------

// Few nodes, incarnations, epochs and requests, so that collisions are the rule.
ClusterCommand random_command(std::uint64_t key) {
  const auto pick = [&](std::uint64_t what, std::uint64_t bound) {
    return below(mix(key, what), bound);
  };
  const NodeId node(static_cast<std::uint32_t>(pick(1, 4)));
  const Incarnation incarnation(pick(2, 4));
  switch (pick(0, 5)) {
    case 0:
      return command::SetMember{
          {node, incarnation, Address(static_cast<std::uint32_t>(1 + pick(3, 3)))}};
    case 1:
      return command::RemoveMember{node, incarnation};
    case 2:
      return map_of(pick(4, 6), {{static_cast<std::uint32_t>(pick(5, 3)),
                                  static_cast<std::uint32_t>(pick(6, 3))}});
    case 3:
      return command::Admit{node, pick(7, 3)};
    default:
      return setting(1 + pick(8, 5), std::to_string(key));
  }
}

TEST_CASE("no sequence of commands breaks the state, and a snapshot of it says it all") {
  CHECK(rc::check([](const std::vector<std::uint64_t>& keys) {
    Replica replica;
    std::map<std::uint64_t, int> effects;
    for (const std::uint64_t key : keys) {
      const ClusterState before = replica.state();
      const std::size_t effects_before = replica.effects();
      replica.apply(random_command(key));
      const ClusterState& after = replica.state();
      for (const auto& [node, incarnation] : before.incarnations) {
        RC_ASSERT(after.highest_incarnation(node) >= incarnation);
        for (std::uint64_t life = 1; life <= incarnation.value; ++life) {
          if (!before.is_over(node, Incarnation(life))) continue;
          RC_ASSERT(after.is_over(node, Incarnation(life)));
          const Member* now = after.find(node);
          // RC_ASSERT evaluates both sides of an ||.
          const bool is_back = now != nullptr && now->incarnation.value == life;
          RC_ASSERT(!is_back);
        }
      }
      const bool next = after.map->epoch == before.map->epoch.next();
      RC_ASSERT(next || *after.map == *before.map);
      // What takes effect is told once; what does not changes nothing.
      const bool took_effect = replica.effects() == effects_before + 1;
      RC_ASSERT(took_effect || encode_state(before) == encode_state(after));
      RC_ASSERT(!took_effect || encode_state(before) != encode_state(after));
    }
    for (const auto& applied : replica.bus.facts_of<fact::CommandApplied>()) {
      if (!applied.request.is_none()) RC_ASSERT(++effects[applied.request.n] == 1);
    }
    RC_ASSERT(replica.bus.events_of<local::ClusterChanged>().size() == replica.effects());
    Replica copy;
    RC_ASSERT(copy.machine.restore(replica.machine.snapshot()));
    RC_ASSERT(copy.machine.snapshot() == replica.machine.snapshot());
  }));
}

TEST_CASE("random bytes are neither commands nor snapshots that could break a node") {
  CHECK(rc::check([](const Bytes& bytes) {
    Replica replica;
    replica.machine.apply(LogIndex(1), Term(1), bytes, false);
    static_cast<void>(replica.machine.restore(bytes));
    RC_ASSERT(decode_state(replica.machine.snapshot()).has_value());
  }));
  // Damage to a real one, byte by byte: refused, or a state that keeps the invariants.
  Replica replica;
  replica.apply(command::SetMember{member(1, 1)});
  replica.apply(command::Admit{NodeId(2), 7});
  replica.apply(map_of(1, {{1}, {1}}));
  replica.apply(setting(1, "a"));
  const Bytes whole = replica.machine.snapshot();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes damaged = whole;
      damaged[i] = static_cast<std::uint8_t>(damaged[i] ^ (1U << bit));
      const auto state = decode_state(damaged);
      if (!state) continue;
      for (const auto& [node, one] : state->members) {
        CHECK(node == one.node);
        CHECK(state->highest_incarnation(node) >= one.incarnation);
      }
    }
  }
}

}  // namespace
}  // namespace rejoin
