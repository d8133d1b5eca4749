// Who selectors mean.
#include "sim/run/targets.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/machines.hpp"

namespace rejoin::sim {
namespace {

using testing::constant_network;
using testing::Machines;

// Nodes 1 to 7 of which all but node-7 are members, clients 1 and 2; node-3 leads. Zone a holds
// rack r, in which are nodes 1 and 2, and node-5 by itself.
class Cluster {
 public:
  Cluster() : machines({.network = constant_network(1ms)}, 7), world({.nodes = 7}) {
    schedule.cluster = {.nodes = 7, .clients = 2};
    for (std::uint32_t c = 1; c <= 2; ++c) {
      machines.kernel.add_host({.address = client_address(ClientId(c)),
                                .name = to_name(ClientId(c)),
                                .node = {},
                                .client = ClientId(c),
                                .make = {},
                                .diskless = true});
    }
    schedule.topology.sites = {
        {.name = "r", .kind = TopologyOptions::Kind::rack, .within = "a", .hosts = {}},
        {.name = "a", .hosts = {Address(5), client_address(ClientId(1))}},
        {.name = "b", .hosts = {Address(3), Address(4)}}};
    schedule.topology.sites[0].hosts = {Address(1), Address(2)};
    fact::MembersApplied members;
    for (std::uint32_t n = 1; n <= 6; ++n) {
      tell(n, fact::ProcessStarted{});
      members.members.push_back(
          {.node = NodeId(n), .incarnation = Incarnation(1), .address = Address(n)});
    }
    lead(3, 1);
    tell(3, members);
    auto map = std::make_shared<PartitionMap>();
    map->epoch = Epoch(1);
    map->owners.assign(4, {NodeId(6), NodeId(2), NodeId(4)});
    tell(3, fact::MapApplied{.map = map, .fingerprint = 1, .on_leader = true});
  }

  void lead(std::uint32_t node, std::uint64_t term) {
    tell(node, fact::BecameLeader{.group = GroupId(1), .term = Term(term)});
  }
  void tell(std::uint32_t node, const Fact& fact) {
    FactSource source;
    source.node = NodeId(node);
    world.absorb(MonotonicTime{}, ++event_, source, fact);
  }
  [[nodiscard]] Moment moment(std::string_view label = "T1") const {
    return {.schedule = schedule, .kernel = machines.kernel, .world = world, .label = label};
  }
  // Addresses, which are the numbers of the nodes.
  [[nodiscard]] std::vector<std::uint32_t> who(const std::string& text,
                                               std::string_view label = "T1") const {
    const auto selector = parse_selector(text);
    REQUIRE(selector.has_value());
    return numbers(resolve({*selector}, moment(label)));
  }
  [[nodiscard]] static std::vector<std::uint32_t> numbers(const std::vector<Address>& hosts) {
    std::vector<std::uint32_t> out;
    for (const Address host : hosts) out.push_back(host.value);
    return out;
  }

  Machines machines;
  World world;
  Schedule schedule;

 private:
  std::uint64_t event_ = 0;
};

using Numbers = std::vector<std::uint32_t>;
const std::uint32_t kClient1 = client_address(ClientId(1)).value;
const std::uint32_t kClient2 = client_address(ClientId(2)).value;

TEST_CASE("names, the leader, members and owners are who they are when a fault strikes") {
  Cluster cluster;
  CHECK(cluster.who("node-4") == Numbers{4});
  CHECK(cluster.who("client-2") == Numbers{kClient2});
  CHECK(cluster.who("node-9").empty());
  CHECK(cluster.who("leader") == Numbers{3});
  CHECK(cluster.who("followers") == Numbers{1, 2, 4, 5, 6});
  CHECK(cluster.who("members") == Numbers{1, 2, 3, 4, 5, 6});
  CHECK(cluster.who("nodes") == Numbers{1, 2, 3, 4, 5, 6, 7});
  CHECK(cluster.who("clients") == Numbers{kClient1, kClient2});
  CHECK(cluster.who("all") == Numbers{1, 2, 3, 4, 5, 6, 7, kClient1, kClient2});
  CHECK(cluster.who("owner(key-7)") == Numbers{6});
  CHECK(cluster.who("owners(key-7)") == Numbers{2, 4, 6});
}

TEST_CASE("the leader is the one of the newest term, and nobody when nobody leads") {
  Cluster cluster;
  cluster.lead(5, 2);
  CHECK(cluster.who("leader") == Numbers{5});
  cluster.tell(5, fact::ProcessCrashed{});
  cluster.tell(3, fact::LostLeadership{.group = GroupId(1), .term = Term(1)});
  CHECK(cluster.who("leader").empty());
  CHECK(cluster.who("followers") == Numbers{1, 2, 3, 4, 5, 6});
}

TEST_CASE("a zone is every node below it, however deep, and no client") {
  Cluster cluster;
  CHECK(cluster.who("zone(a)") == Numbers{1, 2, 5});
  CHECK(cluster.who("zone(r)") == Numbers{1, 2});
  CHECK(cluster.who("zone(b)") == Numbers{3, 4});
}

TEST_CASE("majority and minority of one step are complements, of two steps other nodes") {
  Cluster cluster;
  const Numbers majority = cluster.who("majority");
  const Numbers minority = cluster.who("minority");
  CHECK(majority.size() == 4);
  CHECK(minority.size() == 3);
  for (const std::uint32_t node : minority) {
    CHECK(std::find(majority.begin(), majority.end(), node) == majority.end());
  }
  bool differs = false;
  for (int t = 0; t < 10; ++t) {
    differs = differs || cluster.who("majority", "step-" + std::to_string(t)) != majority;
  }
  CHECK(differs);
}

TEST_CASE("draws are spread, keyed by seed and label, and nested by their number") {
  Cluster cluster;
  std::vector<std::size_t> hits(8);
  for (std::uint64_t seed = 1; seed <= 700; ++seed) {
    cluster.schedule.seed = seed;
    const Numbers one = cluster.who("random");
    const Numbers two = cluster.who("random(2)");
    REQUIRE(one.size() == 1);
    REQUIRE(two.size() == 2);
    CHECK(std::find(two.begin(), two.end(), one[0]) != two.end());
    const Numbers follower = cluster.who("follower");
    REQUIRE(follower.size() == 1);
    CHECK(follower[0] != 3);
    ++hits[one[0]];
  }
  for (std::size_t n = 1; n <= 7; ++n) {
    CHECK(hits[n] > 60);
    CHECK(hits[n] < 145);
  }
  CHECK(cluster.who("random(99)") == Numbers{1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("a candidate that goes leaves the choice among the others as it was") {
  Cluster cluster;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    cluster.schedule.seed = seed;
    cluster.schedule.cluster.nodes = 7;
    const Numbers of_seven = cluster.who("random");
    cluster.schedule.cluster.nodes = 6;
    const Numbers of_six = cluster.who("random");
    if (of_seven[0] != 7) CHECK(of_seven == of_six);
  }
}

TEST_CASE("others are the nodes that no other set of the parameter means") {
  Cluster cluster;
  const FaultSpec* const partition = Faults::find("partition");
  Params params;
  params.set("groups",
             std::vector<Selectors>{{{.kind = Selector::Kind::leader}, select(NodeId(1))},
                                    {{.kind = Selector::Kind::others},
                                     {.kind = Selector::Kind::client, .client = ClientId(2)}}});
  const Targets targets = find_targets(*partition, params, cluster.moment());
  REQUIRE(targets.sets.at("groups").size() == 2);
  CHECK(Cluster::numbers(targets.sets.at("groups")[0]) == Numbers{1, 3});
  CHECK(Cluster::numbers(targets.sets.at("groups")[1]) == Numbers{2, 4, 5, 6, 7, kClient2});
  CHECK(partition->says(targets.said) ==
        "the network splits into {the leader (node-3), node-1} | "
        "{the others (node-2, node-4, node-5, node-6, node-7), client-2}");
}

// Node-2 with a second machine in zone a, where node-2 is, beside it.
TEST_CASE("to faults of machines a node is itself, and groups hold the twins that are up") {
  Cluster cluster;
  const std::uint32_t twin = cluster.machines.kernel.twin(Address(2), false, 1).value;
  REQUIRE(twin != 0);
  while (cluster.machines.kernel.step()) {}
  CHECK(cluster.who("node-2") == Numbers{2});
  CHECK(cluster.who("twin(node-2)") == Numbers{twin});
  CHECK(cluster.who("twin(node-3)").empty());
  const auto with_twin = [&](Numbers nodes) {
    nodes.push_back(twin);
    std::sort(nodes.begin(), nodes.end());
    return nodes;
  };
  CHECK(cluster.who("nodes") == with_twin({1, 2, 3, 4, 5, 6, 7}));
  CHECK(cluster.who("zone(a)") == with_twin({1, 2, 5}));
  CHECK(cluster.who("zone(b)") == Numbers{3, 4});
  CHECK(cluster.who("members") == Numbers{1, 2, 3, 4, 5, 6});
  CHECK(cluster.who("owners(key-7)") == Numbers{2, 4, 6});
  // A dead twin is nobody, unless it is named.
  (void)cluster.machines.kernel.crash(Address(twin));
  while (cluster.machines.kernel.step()) {}
  CHECK(cluster.who("nodes") == Numbers{1, 2, 3, 4, 5, 6, 7});
  CHECK(cluster.who("twin(node-2)") == Numbers{twin});
}

TEST_CASE("to faults of the network a twin is where its node is, unless it is named apart") {
  Cluster cluster;
  const std::uint32_t twin = cluster.machines.kernel.twin(Address(2), false, 1).value;
  while (cluster.machines.kernel.step()) {}
  const auto targets = [&](const char* fault, const char* param, ParamValue value) {
    const FaultSpec* const spec = Faults::find(fault);
    Params params = default_params(spec->params);
    params.set(param, std::move(value));
    return find_targets(*spec, params, cluster.moment());
  };
  const Selector second{.kind = Selector::Kind::twin, .node = NodeId(2)};
  const auto isolated = [&](Selectors who) {
    return Cluster::numbers(targets("isolate", "target", std::move(who)).hosts.at("target"));
  };
  CHECK(isolated({select(NodeId(2))}) == Numbers{2, twin});
  CHECK(isolated({select(NodeId(3))}) == Numbers{3});
  CHECK(isolated({{.kind = Selector::Kind::owners, .argument = "key-7"}}) ==
        Numbers{2, 4, 6, twin});
  CHECK(isolated({second}) == Numbers{twin});
  const auto split = [&](std::vector<Selectors> sets) {
    const Targets found = targets("partition", "groups", std::move(sets));
    std::vector<Numbers> out;
    for (const auto& set : found.sets.at("groups")) out.push_back(Cluster::numbers(set));
    return out;
  };
  const Selector others{.kind = Selector::Kind::others};
  CHECK(split({{select(NodeId(2))}, {others}}) ==
        std::vector<Numbers>{{2, twin}, {1, 3, 4, 5, 6, 7}});
  CHECK(split({{select(NodeId(1))}, {others}}) ==
        std::vector<Numbers>{{1}, {2, 3, 4, 5, 6, 7, twin}});
  CHECK(split({{second}, {others}}) == std::vector<Numbers>{{twin}, {1, 2, 3, 4, 5, 6, 7}});
  // A fault of machines does not strike what is named beside it.
  const FaultSpec* const crash = Faults::find("crash");
  Params params = default_params(crash->params);
  params.set("target", Selectors{select(NodeId(2))});
  CHECK(Cluster::numbers(find_targets(*crash, params, cluster.moment()).hosts.at("target")) ==
        Numbers{2});
  params.set("target", Selectors{second});
  const Targets apart = find_targets(*crash, params, cluster.moment());
  CHECK(Cluster::numbers(apart.hosts.at("target")) == Numbers{twin});
  CHECK(crash->says(apart.said) == "the twin of node-2 crashes");
}

TEST_CASE("what is said names whom a selector meant") {
  Cluster cluster;
  const FaultSpec* const crash = Faults::find("crash");
  const auto says = [&](std::vector<std::string> texts) {
    Params params = default_params(crash->params);
    Selectors selectors;
    for (const std::string& text : texts) selectors.push_back(*parse_selector(text));
    params.set("target", selectors);
    return crash->says(find_targets(*crash, params, cluster.moment()).said);
  };
  CHECK(says({"leader"}) == "the leader (node-3) crashes");
  CHECK(says({"owner(key-7)"}) == "the owner of key-7 (node-6) crashes");
  CHECK(says({"zone(a)", "node-4"}) == "zone a (node-1, node-2, node-5) and node-4 crash");
  CHECK(says({"node-4"}) == "node-4 crashes");
  cluster.tell(3, fact::LostLeadership{.group = GroupId(1), .term = Term(1)});
  CHECK(says({"leader"}) == "the leader (nobody) crashes");
}

}  // namespace
}  // namespace rejoin::sim
