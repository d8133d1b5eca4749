// A schedule with fewer nodes: those that stay are numbered anew, and what names the others alone
// goes with them.
#include <algorithm>
#include <map>

#include "sim/explore/reductions.hpp"

namespace rejoin::sim {

namespace {

class Renumbering {
 public:
  Renumbering(std::uint32_t nodes, std::size_t from, std::size_t count) {
    std::uint32_t next = 1;
    for (std::uint32_t n = 1; n <= nodes; ++n) {
      const bool goes = n > from && n <= from + count;
      if (!goes) numbers_[n] = next++;
    }
  }

  [[nodiscard]] bool keeps(NodeId node) const { return numbers_.contains(node.value); }
  [[nodiscard]] NodeId of(NodeId node) const { return NodeId(numbers_.at(node.value)); }

  void apply(Selectors& selectors) const {
    std::erase_if(selectors, [this](const Selector& selector) {
      return selector.kind == Selector::Kind::node && !keeps(selector.node);
    });
    for (Selector& selector : selectors) {
      if (selector.kind == Selector::Kind::node) selector.node = of(selector.node);
    }
  }
  // Clients have addresses of their own, above those of any node.
  void apply(std::vector<Address>& hosts, std::uint32_t nodes) const {
    std::erase_if(hosts, [&](Address host) { return is_gone(host, nodes); });
    for (Address& host : hosts) host = moved(host, nodes);
  }
  [[nodiscard]] bool is_gone(Address host, std::uint32_t nodes) const {
    return !host.is_none() && host.value <= nodes && !numbers_.contains(host.value);
  }
  [[nodiscard]] Address moved(Address host, std::uint32_t nodes) const {
    if (host.is_none() || host.value > nodes) return host;
    return Address(numbers_.at(host.value));
  }

 private:
  std::map<std::uint32_t, std::uint32_t> numbers_;
};

// False: the step was about nodes that are gone.
bool apply(const Renumbering& numbers, action::Inject& inject) {
  Params params = inject.params;
  for (const auto& [name, value] : inject.params.all()) {
    if (const auto* hosts = std::get_if<Selectors>(&value)) {
      Selectors kept = *hosts;
      numbers.apply(kept);
      if (kept.empty() && !hosts->empty()) return false;
      params.set(name, kept);
    } else if (const auto* sets = std::get_if<std::vector<Selectors>>(&value)) {
      std::vector<Selectors> kept = *sets;
      for (Selectors& set : kept) numbers.apply(set);
      std::erase_if(kept, [](const Selectors& set) { return set.empty(); });
      if (kept.empty() && !sets->empty()) return false;
      params.set(name, kept);
    } else if (const auto* node = std::get_if<NodeId>(&value)) {
      if (!numbers.keeps(*node)) return false;
      params.set(name, numbers.of(*node));
    }
  }
  inject.params = std::move(params);
  return true;
}

bool apply(const Renumbering& numbers, Step& step) {
  if (auto* when = std::get_if<trigger::When>(&step.trigger); when && !when->node.is_none()) {
    if (numbers.keeps(when->node)) {
      when->node = numbers.of(when->node);
    } else {
      step.trigger = trigger::Next{};
    }
  }
  if (auto* inject = std::get_if<action::Inject>(&step.action)) return apply(numbers, *inject);
  if (auto* workload = std::get_if<action::Workload>(&step.action)) {
    workload->via = numbers.keeps(workload->via) ? numbers.of(workload->via) : NodeId{};
    return true;
  }
  auto* operate = std::get_if<action::Operate>(&step.action);
  if (operate == nullptr || operate->via.is_none()) return true;
  if (!numbers.keeps(operate->via)) {
    // What a node was asked directly, nobody else can answer.
    if (operate->direct) return false;
    operate->via = {};
    return true;
  }
  operate->via = numbers.of(operate->via);
  return true;
}

}  // namespace

std::optional<Schedule> without_nodes(const Schedule& schedule, std::size_t from,
                                      std::size_t count) {
  const std::uint32_t nodes = schedule.cluster.nodes;
  if (count >= nodes) return std::nullopt;
  const Renumbering numbers(nodes, from, count);
  Schedule out = schedule;
  out.cluster.nodes = nodes - static_cast<std::uint32_t>(count);
  out.cluster.founders = std::min(out.cluster.founders, out.cluster.nodes);
  std::vector<bool> gone;
  for (Step& step : out.timeline) gone.push_back(!apply(numbers, step));
  out = without_steps(out, gone);
  numbers.apply(out.limits.core);
  for (TopologyOptions::Site& site : out.topology.sites) numbers.apply(site.hosts, nodes);
  std::erase_if(out.network.links, [&](const NetworkOptions::Link& link) {
    return numbers.is_gone(link.from.host, nodes) || numbers.is_gone(link.to.host, nodes);
  });
  for (NetworkOptions::Link& link : out.network.links) {
    link.from.host = numbers.moved(link.from.host, nodes);
    link.to.host = numbers.moved(link.to.host, nodes);
  }
  return out;
}

}  // namespace rejoin::sim
