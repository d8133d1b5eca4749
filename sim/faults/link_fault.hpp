// What the faults of the network have in common: which links they are on, and how to say so.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/faults/fault.hpp"
#include "sim/kernel/network.hpp"

namespace rejoin::sim {

[[nodiscard]] inline ParamSpec param(std::string_view name, ParamType type,
                                     std::string_view fallback, std::string_view help) {
  return {
      .name = name, .type = type, .unit = "", .fallback = fallback, .help = help, .choices = {}};
}

// `own`, then `from`, `to` and `one_way`: every link, unless a file says otherwise.
[[nodiscard]] inline std::vector<ParamSpec> link_params(std::vector<ParamSpec> own) {
  own.push_back(param("from", ParamType::hosts, "all", "the links of these hosts"));
  own.push_back(param("to", ParamType::hosts, "all", "with these hosts"));
  own.push_back(param("one_way", ParamType::flag, "false",
                      "only what goes from the first to the second, not what comes back"));
  return own;
}

// The links of a site whose fault has link_params.
[[nodiscard]] inline LinkSet links_of(const FaultSite& site) {
  const std::vector<Address>& from = site.hosts.at("from");
  const std::vector<Address>& to = site.hosts.at("to");
  const std::size_t everyone = site.kernel.hosts().size();
  const bool from_all = from.size() == everyone;
  const bool to_all = to.size() == everyone;
  if (from_all && to_all) return LinkSet::all();
  if (site.params.get<bool>("one_way")) return LinkSet::from_to(from, to);
  if (to_all) return LinkSet::touching(from);
  if (from_all) return LinkSet::touching(to);
  const bool apart = std::none_of(from.begin(), from.end(), [&](Address host) {
    return std::binary_search(to.begin(), to.end(), host);
  });
  if (apart) return LinkSet::between({from, to});
  std::vector<std::pair<Address, Address>> pairs;
  for (const Address a : from) {
    for (const Address b : to) {
      if (a == b) continue;
      pairs.emplace_back(a, b);
      pairs.emplace_back(b, a);
    }
  }
  return LinkSet::pairs(std::move(pairs));
}

// An effect of the network on these links, unless they are none.
[[nodiscard]] inline Injection on_links(FaultSite& site, const LinkSet& links,
                                        const std::function<EffectId(Network&)>& effect) {
  Network& network = site.kernel.network();
  const std::uint64_t count = network.count(links);
  if (count == 0) return {};
  return on_links(site, {effect(network)}, count);
}

[[nodiscard]] inline Injection impair_links(FaultSite& site, const Impairment& impairment) {
  const LinkSet links = links_of(site);
  return on_links(site, links, [&](Network& network) { return network.impair(links, impairment); });
}

[[nodiscard]] inline Injection cut_links(FaultSite& site, const LinkSet& links) {
  return on_links(site, links, [&](Network& network) { return network.cut(links); });
}

// ` between node-1 and node-2`, ` from node-1 to the leader`; nothing of every link.
[[nodiscard]] inline std::string says_links(const Params& params) {
  const auto is_all = [&](std::string_view name) {
    const auto& hosts = params.get<Selectors>(name);
    return hosts.size() == 1 && hosts.front().kind == Selector::Kind::all;
  };
  if (is_all("from") && is_all("to")) return "";
  if (params.get<bool>("one_way")) {
    return " from " + says_hosts(params, "from") + " to " + says_hosts(params, "to");
  }
  return " between " + says_hosts(params, "from") + " and " + says_hosts(params, "to");
}

// `10%`, of a parameter of any type.
[[nodiscard]] inline std::string says_value(const Params& params, std::string_view name) {
  return to_text(params.all().find(name)->second);
}

// Of a fault whose `share` may not be nothing.
[[nodiscard]] inline std::optional<ValueProblem> needs_a_share(const Params& params,
                                                               const Schedule&) {
  if (params.get<Share>("share").ppm != 0) return std::nullopt;
  return ValueProblem("a share of 0 touches nothing: it is above 0, up to 100%", "share");
}

}  // namespace rejoin::sim
