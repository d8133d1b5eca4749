// Health checks, by a leader whose members are played by the test.

#include <doctest/doctest.h>

#include "protocols/membership/membership.hpp"
#include "tests/support/fake_env.hpp"

namespace rejoin {
namespace {

using membership::HealthCheck;
using membership::HealthReply;
using test::at;

// node-1, which leads node-2 and node-3 (and more) from zero on.
struct Leader {
  explicit Leader(std::uint32_t members = 3, MembershipOptions options = {})
      : component(env, bus, NodeId(1), options, false, {}, machine, consensus) {
    ClusterState state{.cluster = ClusterId(7)};
    state.map = std::make_shared<const PartitionMap>();
    for (std::uint32_t n = 1; n <= members; ++n) {
      const Member member{NodeId(n), Incarnation(1), Address(n)};
      state.members[member.node] = member;
      state.incarnations[member.node] = member.incarnation;
      consensus.servers.servers.push_back({member.node, member.incarnation, member.address, true});
    }
    env.files["membership.identity"] =
        identity_files(NodeId(1), Incarnation(1), ClusterId(7))[0].content;
    REQUIRE(machine.restore(encode_state(state)));
    lead(true);
    host.start();
    env.sent.clear();
  }
  void lead(bool leads) {
    consensus.is_leader = leads;
    host.tell(local::LeaderChanged{kClusterGroup, Term(1), NodeId(1), leads});
  }
  // Runs to `time`; members in `ready` answer at once, in `unready` with 503, others never.
  void run_to(MonotonicTime time) {
    while (env.time < time) {
      const auto due = host.next_timer();
      host.run_to(due && *due < time ? std::max(*due, env.time) : time);
      answer();
    }
  }
  void answer() {
    for (auto checks = env.take_sent<HealthCheck>(); !checks.empty();
         checks = env.take_sent<HealthCheck>()) {
      for (const auto& [to, check] : checks) {
        asked.emplace_back(env.time, to);
        last_number = check.number;
        const auto found = health.find(to.value);
        if (found == health.end()) continue;
        reply(to, check.number, found->second);
      }
    }
  }
  void reply(Address from, std::uint64_t number, bool ready, std::uint64_t incarnation = 1) {
    CHECK(host.deliver(from, HealthReply{.number = number,
                                         .node = NodeId(from.value),
                                         .incarnation = Incarnation(incarnation),
                                         .ready = ready,
                                         .reason = ready ? "" : "busy"}));
  }

  test::FakeEnv env{Address(1)};
  test::FakeBus bus;
  ClusterStateMachine machine{bus, 1};
  test::FakeConsensus consensus;
  Membership component;
  test::ComponentHost host{env, bus, component};
  std::map<std::uint32_t, bool> health;  // who answers, and how
  std::vector<std::pair<MonotonicTime, Address>> asked;
  std::uint64_t last_number = 0;
};

TEST_CASE("checks go one after the other, each answered or timed out first, on a beat of 5 s") {
  Leader leader(4);
  leader.health = {{3, true}, {4, true}};
  leader.run_to(at(13s));
  const std::vector<std::pair<MonotonicTime, Address>> expected = {
      {at(5s), Address(2)},  {at(7s), Address(3)},  {at(7s), Address(4)},
      {at(10s), Address(2)}, {at(12s), Address(3)}, {at(12s), Address(4)}};
  CHECK(leader.asked == expected);
}

TEST_CASE("a cycle that outlasts the interval is followed by the next at once") {
  Leader leader(5);
  leader.run_to(at(14s));
  const std::vector<std::pair<MonotonicTime, Address>> expected = {{at(5s), Address(2)},
                                                                   {at(7s), Address(3)},
                                                                   {at(9s), Address(4)},
                                                                   {at(11s), Address(5)},
                                                                   {at(13s), Address(2)}};
  CHECK(leader.asked == expected);
}

TEST_CASE("three failures in a row remove the member, by one proposal") {
  Leader leader;
  leader.health = {{2, true}};
  leader.run_to(at(16s));
  CHECK(leader.consensus.log.empty());
  leader.run_to(at(17s));
  REQUIRE(leader.consensus.log.size() == 1);
  CHECK(leader.consensus.servers.find(NodeId(3)) == nullptr);
  leader.run_to(at(30s));  // not committed all this time
  CHECK(leader.consensus.log.size() == 1);
  test::commit(leader.consensus, leader.machine);
  leader.host.settle();
  CHECK(leader.machine.state().find(NodeId(3)) == nullptr);
  const auto checked = leader.bus.facts_of<fact::HealthChecked>();
  REQUIRE(checked.size() >= 6);
  CHECK(checked[5].target == NodeId(3));
  CHECK(checked[5].failures == 3);
}

TEST_CASE("a success in between sets the count to zero") {
  Leader leader;
  leader.health = {{2, true}};
  leader.run_to(at(14s));  // two failures of node-3
  leader.health[3] = true;
  leader.run_to(at(19s));
  leader.health.erase(3);
  leader.run_to(at(29s));  // two more
  CHECK(leader.consensus.log.empty());
  leader.run_to(at(33s));
  CHECK(leader.consensus.log.size() == 1);
}

TEST_CASE("an answer that says not ready counts as a failure") {
  Leader leader;
  leader.health = {{2, true}, {3, false}};
  leader.run_to(at(15s));
  CHECK(leader.consensus.log.size() == 1);
}

TEST_CASE("an answer by another life of the member, or too late, is none") {
  Leader leader;
  leader.health = {{2, true}};
  leader.run_to(at(6s));
  const std::uint64_t first = leader.last_number;
  leader.reply(Address(3), first, true, 2);
  auto checked = leader.bus.facts_of<fact::HealthChecked>();
  CHECK_FALSE(checked.back().healthy);
  CHECK(checked.back().failures == 1);
  leader.run_to(at(11s));  // node-3 has been asked again
  leader.reply(Address(3), first, true);
  leader.reply(Address(2), leader.last_number, true);  // not whom it asked
  CHECK(leader.bus.facts_of<fact::HealthChecked>().size() == checked.size() + 1);
  leader.run_to(at(12s));
  CHECK(leader.bus.facts_of<fact::HealthChecked>().back().failures == 2);
}

TEST_CASE("a removal that is refused is proposed again until it is taken") {
  Leader leader;
  leader.health = {{2, true}};
  leader.consensus.refusal = raft::Refusal::change_in_progress;
  leader.run_to(at(18s));
  CHECK(leader.consensus.log.empty());
  leader.consensus.refusal.reset();
  leader.run_to(at(23s));
  CHECK(leader.consensus.log.size() == 1);
}

TEST_CASE("a leader that is deposed checks no more, and counts from zero when it leads again") {
  Leader leader;
  leader.health = {{2, true}};
  leader.run_to(at(14s));
  leader.lead(false);
  leader.asked.clear();
  leader.run_to(at(20s));
  CHECK(leader.asked.empty());
  leader.lead(true);
  leader.run_to(at(33s));  // 25, 30: two failures
  CHECK(leader.consensus.log.empty());
  leader.run_to(at(37s));
  CHECK(leader.consensus.log.size() == 1);
}

TEST_CASE("a node whose map names a stranger is not ready where that is asked for, and says why") {
  for (const bool asked_for : {false, true}) {
    Leader node(2, {.ready_needs_map_members = asked_for});
    PartitionMap map{.epoch = Epoch(1), .owners = {{NodeId(1), NodeId(3)}}};
    node.machine.apply(LogIndex(1), Term(1), encode(ClusterCommand(command::SetMap{map})), true);
    node.host.settle();
    CHECK(node.host.deliver(Address(2), HealthCheck{.number = 8}));
    CHECK(node.host.deliver(Address(2), HealthCheck{.number = 9}));
    const auto replies = node.env.take_sent<HealthReply>();
    REQUIRE(replies.size() == 2);
    CHECK(replies[0].second.number == 8);
    CHECK(replies[0].second.ready == !asked_for);
    CHECK(replies[0].second.reason ==
          (asked_for ? "the map names node-3, which is no member" : ""));
    // Published when it changes, not at each check.
    CHECK(node.bus.facts_of<fact::NodeReady>().size() == 1);
  }
}

}  // namespace
}  // namespace rejoin
