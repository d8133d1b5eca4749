#include "sim/run/targets.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "model/check.hpp"
#include "model/hash.hpp"
#include "model/random.hpp"

namespace rejoin::sim {
namespace {

using Kind = Selector::Kind;

// Who a selector means: nodes and clients by name, since that is how people are told, and hosts
// that have no name of their own (a twin).
struct Found {
  std::vector<NodeId> nodes;
  std::vector<ClientId> clients;
  std::vector<Address> hosts;
};

std::vector<NodeId> all_nodes(const Moment& moment) {
  std::vector<NodeId> out;
  for (std::uint32_t n = 1; n <= moment.schedule.cluster.nodes; ++n) out.emplace_back(n);
  return out;
}

std::vector<ClientId> all_clients(const Moment& moment) {
  std::vector<ClientId> out;
  for (std::uint32_t c = 1; c <= moment.schedule.cluster.clients; ++c) out.emplace_back(c);
  return out;
}

std::vector<NodeId> members(const Moment& moment, bool and_leader) {
  std::vector<NodeId> out;
  const NodeId leader = moment.world.leader();
  for (const fact::MemberInfo& member : moment.world.members()) {
    if (and_leader || member.node != leader) out.push_back(member.node);
  }
  return out;
}

std::vector<NodeId> owners(const Moment& moment, const Key& key) {
  const PartitionId partition = moment.world.partition_of_key(key);
  const PartitionMap& map = moment.world.map();
  if (partition.value >= map.partition_count()) return {};
  return map.owners_of(partition);
}

// `count` of the candidates, those with the lowest draws. Two selectors of one `name` draw alike.
std::vector<NodeId> draw_from(const std::vector<NodeId>& candidates, std::size_t count,
                              std::string_view name, const Moment& moment) {
  std::vector<std::pair<std::uint64_t, NodeId>> ranked;
  for (const NodeId node : candidates) {
    ranked.emplace_back(draw({.seed = moment.schedule.seed,
                              .domain = Domain::fault,
                              .who = hash64(moment.label),
                              .what = hash64(name),
                              .attempt = node.value}),
                        node);
  }
  std::stable_sort(ranked.begin(), ranked.end());
  ranked.resize(std::min(count, ranked.size()));
  std::vector<NodeId> out;
  for (const auto& [rank, node] : ranked) out.push_back(node);
  return out;
}

// The nodes in the site and in all that lies in it. Where a node is does not change when it moves
// to another address.
std::vector<NodeId> nodes_in(const std::string& site, const Moment& moment) {
  const std::vector<TopologyOptions::Site>& sites = moment.schedule.topology.sites;
  std::set<std::string> inside = {site};
  for (bool grown = true; grown;) {
    grown = false;
    for (const TopologyOptions::Site& each : sites) {
      if (inside.contains(each.within)) grown = inside.insert(each.name).second || grown;
    }
  }
  std::vector<NodeId> out;
  for (const TopologyOptions::Site& each : sites) {
    if (!inside.contains(each.name)) continue;
    for (const Address host : each.hosts) {
      // A node of a schedule lives at the address of its number until it moves.
      if (host.value >= 1 && host.value <= moment.schedule.cluster.nodes) {
        out.emplace_back(host.value);
      }
    }
  }
  return out;
}

// Whose twins that are up a fault of machines strikes, too: those of whole groups.
bool holds_twins(Kind kind) {
  return kind == Kind::zone || kind == Kind::nodes || kind == Kind::all || kind == Kind::others;
}

// The second machines of these nodes that a selector means without naming them.
std::vector<Address> twins_of(const std::vector<NodeId>& nodes, Kind kind, const Moment& moment,
                              const std::vector<Address>& named_apart) {
  std::vector<Address> out;
  if (!moment.of_network && !holds_twins(kind)) return out;
  for (const NodeId node : nodes) {
    for (const Address twin : moment.kernel.twins_of(node)) {
      // One that is down may be started while a fault of the network lasts.
      if (!moment.of_network && !moment.kernel.is_up(twin)) continue;
      if (std::find(named_apart.begin(), named_apart.end(), twin) == named_apart.end()) {
        out.push_back(twin);
      }
    }
  }
  return out;
}

std::vector<NodeId> without(std::vector<NodeId> nodes, const std::vector<NodeId>& out) {
  std::erase_if(nodes,
                [&](NodeId node) { return std::find(out.begin(), out.end(), node) != out.end(); });
  return nodes;
}

Found find(const Selector& selector, const Moment& moment) {
  const std::string name = to_text(selector);
  const std::vector<NodeId> nodes = all_nodes(moment);
  const std::size_t majority = nodes.size() / 2 + 1;
  switch (selector.kind) {
    case Kind::node:
      return {.nodes = {selector.node}, .clients = {}, .hosts = {}};
    case Kind::client:
      return {.nodes = {}, .clients = {selector.client}, .hosts = {}};
    case Kind::leader: {
      const NodeId leader = moment.world.leader();
      return {.nodes = leader.is_none() ? std::vector<NodeId>() : std::vector<NodeId>{leader},
              .clients = {},
              .hosts = {}};
    }
    case Kind::follower:
      return {draw_from(members(moment, false), 1, name, moment), {}, {}};
    case Kind::followers:
      return {members(moment, false), {}, {}};
    case Kind::member:
      return {draw_from(members(moment, true), 1, name, moment), {}, {}};
    case Kind::members:
      return {members(moment, true), {}, {}};
    case Kind::majority:
      return {draw_from(nodes, majority, "majority", moment), {}, {}};
    case Kind::minority:
      // By the draws of the majority: in one step they are each other's complement.
      return {without(nodes, draw_from(nodes, majority, "majority", moment)), {}, {}};
    case Kind::random:
      return {draw_from(nodes, selector.count, "random", moment), {}, {}};
    case Kind::owner: {
      std::vector<NodeId> found = owners(moment, selector.argument);
      found.resize(std::min<std::size_t>(1, found.size()));
      return {std::move(found), {}, {}};
    }
    case Kind::owners:
      return {owners(moment, selector.argument), {}, {}};
    case Kind::zone:
      return {nodes_in(selector.argument, moment), {}, {}};
    case Kind::nodes:
      return {nodes, {}, {}};
    case Kind::clients:
      return {{}, all_clients(moment), {}};
    case Kind::all:
      return {nodes, all_clients(moment), {}};
    case Kind::others:
      return {};  // needs the other sets
    case Kind::twin:
      return {{}, {}, moment.kernel.twins_of(selector.node)};
  }
  CHECK_THAT(false);
  return {};  // not reached, but a compiler that does not optimise cannot tell
}

std::vector<Address> addresses(const Found& found, const Moment& moment) {
  std::vector<Address> out = found.hosts;
  for (const NodeId node : found.nodes) out.push_back(moment.kernel.address_of(node));
  for (const ClientId client : found.clients) out.push_back(moment.kernel.address_of(client));
  std::erase_if(out, [](Address host) { return host.is_none(); });
  std::stable_sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// The selector with who was found, where that says more than it says itself.
Selector told(Selector selector, std::vector<NodeId> nodes) {
  switch (selector.kind) {
    case Kind::node:
    case Kind::client:
    case Kind::nodes:
    case Kind::clients:
    case Kind::all:
    case Kind::twin:
      return selector;
    default:
      break;
  }
  std::stable_sort(nodes.begin(), nodes.end());
  std::string names;
  for (const NodeId node : nodes) names += (names.empty() ? "" : ", ") + to_name(node);
  if (names.empty()) names = "nobody";
  if (!selector.argument.empty()) selector.argument += ' ';
  selector.argument += '(' + names + ')';
  return selector;
}

// What the sets of one parameter name that decides whom `others` and names of nodes mean.
struct Among {
  std::vector<NodeId> others;        // the nodes that no set names
  std::vector<Address> named_apart;  // twins, by twin(NODE)
};

// Appends who is meant to `hosts`, and what to say of it to `said`.
void resolve_set(const Selectors& selectors, const Among& among, const Moment& moment,
                 std::vector<Address>& hosts, Selectors& said) {
  Found all;
  for (const Selector& selector : selectors) {
    Found found = selector.kind == Kind::others
                      ? Found{.nodes = among.others, .clients = {}, .hosts = {}}
                      : find(selector, moment);
    const std::vector<Address> twins =
        twins_of(found.nodes, selector.kind, moment, among.named_apart);
    said.push_back(told(selector, found.nodes));
    all.nodes.insert(all.nodes.end(), found.nodes.begin(), found.nodes.end());
    all.clients.insert(all.clients.end(), found.clients.begin(), found.clients.end());
    all.hosts.insert(all.hosts.end(), found.hosts.begin(), found.hosts.end());
    all.hosts.insert(all.hosts.end(), twins.begin(), twins.end());
  }
  hosts = addresses(all, moment);
}

Among among(const std::vector<Selectors>& sets, const Moment& moment) {
  Among out{.others = all_nodes(moment), .named_apart = {}};
  for (const Selectors& set : sets) {
    for (const Selector& selector : set) {
      const Found found = find(selector, moment);
      out.others = without(std::move(out.others), found.nodes);
      out.named_apart.insert(out.named_apart.end(), found.hosts.begin(), found.hosts.end());
    }
  }
  return out;
}

}  // namespace

std::vector<Address> resolve(const Selectors& selectors, const Moment& moment) {
  std::vector<Address> hosts;
  Selectors said;
  resolve_set(selectors, among({selectors}, moment), moment, hosts, said);
  return hosts;
}

std::vector<NodeId> resolve_nodes(const Selectors& selectors, const Moment& moment) {
  std::vector<NodeId> out;
  for (const Selector& selector : selectors) {
    const Found found = find(selector, moment);
    out.insert(out.end(), found.nodes.begin(), found.nodes.end());
  }
  return out;
}

Targets find_targets(const FaultSpec& fault, const Params& params, const Moment& moment) {
  Targets out;
  out.said = params;
  Moment now = moment;
  now.of_network = fault.kind == FaultClass::network;
  for (const ParamSpec& spec : fault.params) {
    const std::string name(spec.name);
    if (spec.type == ParamType::hosts) {
      const auto& selectors = params.get<Selectors>(name);
      Selectors said;
      resolve_set(selectors, among({selectors}, now), now, out.hosts[name], said);
      out.said.set(name, std::move(said));
    } else if (spec.type == ParamType::host_sets) {
      const auto& sets = params.get<std::vector<Selectors>>(name);
      const Among named = among(sets, now);
      std::vector<Selectors> said(sets.size());
      auto& hosts = out.sets[name];
      hosts.resize(sets.size());
      for (std::size_t s = 0; s < sets.size(); ++s) {
        resolve_set(sets[s], named, now, hosts[s], said[s]);
      }
      out.said.set(name, std::move(said));
    }
  }
  return out;
}

}  // namespace rejoin::sim
