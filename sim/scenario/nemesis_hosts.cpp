#include "sim/scenario/nemesis_hosts.hpp"

#include <algorithm>

#include "model/selector.hpp"

namespace rejoin::sim {

namespace {

using Kind = Selector::Kind;

// One set of hosts.
struct Group {
  std::set<NodeId> nodes{};
  std::uint32_t drawn = 0;  // by the nemesis, at least
  std::uint32_t roving = 0;
  bool many = false;
  bool others = false;
  bool empty = true;

  [[nodiscard]] std::uint32_t size() const {
    return static_cast<std::uint32_t>(nodes.size()) + drawn + roving;
  }
};

void add_site(const std::string& name, const Schedule& schedule, std::set<NodeId>& out) {
  for (const TopologyOptions::Site& site : schedule.topology.sites) {
    if (normal_name(site.name) == normal_name(name)) {
      for (const Address host : site.hosts) {
        if (host.value <= schedule.cluster.nodes) out.insert(NodeId(host.value));
      }
    } else if (normal_name(site.within) == normal_name(name) && !site.within.empty()) {
      add_site(site.name, schedule, out);
    }
  }
}

void add(const Selector& selector, const Schedule& schedule, Group& out) {
  out.empty = false;
  switch (selector.kind) {
    case Kind::node:
      out.nodes.insert(selector.node);
      return;
    case Kind::client:
    case Kind::clients:
    case Kind::twin:  // nobody whom a majority counts on
      return;
    case Kind::leader:
    case Kind::follower:
    case Kind::member:
    case Kind::owner:
      ++out.roving;
      return;
    case Kind::random:
    case Kind::minority:
      ++out.drawn;
      return;
    case Kind::zone:
      return add_site(selector.argument, schedule, out.nodes);
    case Kind::others:
      out.others = true;
      return;
    case Kind::followers:
    case Kind::members:
    case Kind::majority:
    case Kind::owners:
    case Kind::nodes:
    case Kind::all:
      out.many = true;
      return;
  }
}

NodesHit hit_by(std::vector<Group> groups, bool sets, const Schedule& schedule) {
  const std::uint32_t nodes = schedule.cluster.nodes;
  std::set<NodeId> named;
  std::uint32_t unnamed = 0;
  for (const Group& group : groups) {
    named.insert(group.nodes.begin(), group.nodes.end());
    unnamed += group.drawn + group.roving;
  }
  for (Group& group : groups) {
    if (!group.others) continue;
    // With drawn or roving ones elsewhere nobody can say who the others are, only how many.
    for (std::uint32_t n = 1; n <= nodes && unnamed == 0; ++n) {
      if (!named.contains(NodeId(n))) group.nodes.insert(NodeId(n));
    }
    const auto taken = static_cast<std::uint32_t>(named.size()) + unnamed;
    if (unnamed != 0) group.roving += nodes > taken ? nodes - taken : 0;
  }
  const auto weight = [&](const Group& group) { return group.many ? nodes : group.size(); };
  auto largest = groups.end();
  if (sets) {
    largest = std::max_element(groups.begin(), groups.end(), [&](const Group& a, const Group& b) {
      return weight(a) < weight(b);
    });
  }
  NodesHit out;
  for (auto group = groups.begin(); group != groups.end(); ++group) {
    if (group == largest) continue;
    out.nodes.insert(group->nodes.begin(), group->nodes.end());
    out.roving += group->roving + group->drawn;
    out.least += weight(*group);
  }
  return out;
}

std::vector<Tree> items_of(const Tree& value) {
  return value.is_list() ? value.items : std::vector<Tree>{value};
}

Group group_of(const Tree& value, const Schedule& schedule) {
  Group out;
  for (const Tree& item : items_of(value)) {
    if (const auto selector = parse_selector(item.text)) add(*selector, schedule, out);
  }
  return out;
}

std::vector<NodeId> everyone(const Schedule& schedule) {
  std::vector<NodeId> out;
  for (std::uint32_t n = 1; n <= schedule.cluster.nodes; ++n) out.emplace_back(n);
  return out;
}

std::vector<NodeId> chosen(const Selector& selector, const std::vector<NodeId>& pool,
                           const Schedule& schedule, const DrawKey& key) {
  const std::vector<NodeId> all = everyone(schedule);
  const bool anyone = pool.size() == all.size();
  const std::size_t half = (all.size() - 1) / 2;
  switch (selector.kind) {
    case Kind::random:
      return draw_nodes(pool, selector.count, key);
    case Kind::minority:
      return draw_nodes(pool, anyone ? std::max<std::size_t>(half, 1) : pool.size(), key);
    case Kind::majority: {
      // The complement of the minority of the same key.
      const std::vector<NodeId> rest = anyone ? draw_nodes(pool, half, key) : pool;
      std::vector<NodeId> out;
      for (const NodeId node : all) {
        if (std::find(rest.begin(), rest.end(), node) == rest.end()) out.push_back(node);
      }
      return out;
    }
    default:
      return {};
  }
}

}  // namespace

NodesHit nodes_hit(const Tree& value, const Schedule& schedule) {
  const bool sets = value.is_list() && !value.items.empty() && value.items.front().is_list();
  std::vector<Group> groups;
  if (!sets) {
    groups.push_back(group_of(value, schedule));
  } else {
    for (const Tree& set : value.items) groups.push_back(group_of(set, schedule));
  }
  return hit_by(std::move(groups), sets, schedule);
}

NodesHit nodes_hit(const ParamValue& value, const Schedule& schedule) {
  std::vector<Group> groups;
  const auto group = [&](const Selectors& selectors) {
    Group& out = groups.emplace_back();
    for (const Selector& selector : selectors) add(selector, schedule, out);
  };
  const auto* const sets = std::get_if<std::vector<Selectors>>(&value);
  if (sets != nullptr) {
    for (const Selectors& set : *sets) group(set);
  } else if (const auto* hosts = std::get_if<Selectors>(&value)) {
    group(*hosts);
  }
  return hit_by(std::move(groups), sets != nullptr, schedule);
}

Tree name_hosts(const Tree& value, const std::vector<NodeId>& pool, const Schedule& schedule,
                const DrawKey& key) {
  const bool sets = value.is_list() && !value.items.empty() && value.items.front().is_list();
  Tree out = make_list({}, value.mark);
  if (sets) {
    for (const Tree& set : value.items) {
      out.items.push_back(name_hosts(set, pool, schedule, key));
    }
    return out;
  }
  for (const Tree& item : items_of(value)) {
    const auto selector = item.is_scalar() ? parse_selector(item.text) : parse_selector("");
    const std::vector<NodeId> nodes =
        selector ? chosen(*selector, pool, schedule, key) : std::vector<NodeId>{};
    if (nodes.empty()) out.items.push_back(item);
    for (const NodeId node : nodes) out.items.push_back(make_scalar(to_name(node), item.mark));
  }
  return out;
}

std::vector<NodeId> draw_nodes(std::vector<NodeId> from, std::size_t count, DrawKey key) {
  std::vector<NodeId> out;
  while (out.size() < count && !from.empty()) {
    ++key.attempt;
    const auto at = static_cast<std::ptrdiff_t>(below(draw(key), from.size()));
    out.push_back(from[static_cast<std::size_t>(at)]);
    from.erase(from.begin() + at);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace rejoin::sim
