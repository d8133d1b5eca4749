// Network and topology as scenario files have them.
#include <array>
#include <utility>

#include "model/distribution.hpp"
#include "sim/scenario/write.hpp"

namespace rejoin::sim {

namespace {

Tree distribution_tree(const LatencyOptions& latency) {
  const DistributionSpec* const spec = Distributions::find(latency.distribution);
  if (spec != nullptr && spec->has_parts) {
    Tree out = make_list({});
    for (const LatencyOptions::Part& part : latency.parts) {
      out.items.push_back(
          map_of({{"weight", tree_of(part.weight)}, {"latency", tree_of(part.latency)}}));
    }
    return out;
  }
  if (spec != nullptr && spec->has_buckets) {
    Tree out = make_list({});
    for (const LatencyOptions::Bucket& bucket : latency.buckets) {
      out.items.push_back(
          map_of({{"range", tree_of(bucket.range)}, {"weight", tree_of(bucket.weight)}}));
    }
    return out;
  }
  if (spec != nullptr && spec->params.size() == 1) {
    return tree_of(latency.params.all().begin()->second);
  }
  return tree_of(latency.params);
}

}  // namespace

Tree tree_of(const LatencyOptions& latency) {
  Tree out = map_of({{latency.distribution, distribution_tree(latency)}});
  if (latency.floor != 0ns) out.set("floor", tree_of(latency.floor));
  if (latency.cap != kNoCap) out.set("cap", tree_of(latency.cap));
  return out;
}

namespace {

// `node-1..node-50`: neighbours are written as ranges.
Tree hosts_tree(const std::vector<Address>& hosts) {
  Tree out = make_list({});
  for (std::size_t i = 0; i < hosts.size();) {
    std::size_t last = i;
    while (last + 1 < hosts.size() && hosts[last + 1].value == hosts[last].value + 1) ++last;
    const std::string first = to_name(hosts[i]);
    out.items.push_back(make_scalar(last == i ? first : first + ".." + to_name(hosts[last])));
    i = last + 1;
  }
  return out;
}

Tree site_tree(const TopologyOptions::Site& site) {
  constexpr std::array kKinds = {"region", "zone", "rack"};  // in the order of their enum
  Tree out = map_of({{"kind", make_scalar(kKinds.at(static_cast<std::size_t>(site.kind)))}});
  if (!site.within.empty()) out.set("within", make_scalar(site.within));
  std::vector<Address> nodes;
  std::vector<Address> clients;
  for (const Address host : site.hosts) (is_client(host) ? clients : nodes).push_back(host);
  if (!nodes.empty()) out.set("nodes", hosts_tree(nodes));
  if (!clients.empty()) out.set("clients", hosts_tree(clients));
  return out;
}

Tree link_tree(const TopologyOptions::Link& link) {
  Tree out = map_of({{"between", make_list({make_scalar(link.a), make_scalar(link.b)})},
                     {"latency", tree_of(link.latency)}});
  if (link.back) out.set("back", tree_of(*link.back));
  if (link.bandwidth_bytes_per_s != 0) {
    out.set("bandwidth", tree_of(Size{link.bandwidth_bytes_per_s}));
  }
  if (link.loss.ppm != 0) out.set("loss", tree_of(link.loss));
  if (link.name != link.a + "--" + link.b) out.set("name", make_scalar(link.name));
  return out;
}

Tree end_tree(const NetworkOptions::End& end) {
  return make_scalar(end.site.empty() ? to_name(end.host) : "zone(" + end.site + ")");
}

}  // namespace

void add_network(const NetworkOptions& network, Tree& file) {
  Tree out = make_map({});
  if (const Tree* const fields_of_network = file.find("network")) out = *fields_of_network;
  if (!(network.latency == NetworkOptions{}.latency)) out.set("latency", tree_of(network.latency));
  Tree by_purpose = make_map({});
  for (std::size_t i = 0; i < network.latency_by_purpose.size(); ++i) {
    const auto& latency = network.latency_by_purpose[i];
    if (latency) by_purpose.set(to_name(static_cast<Purpose>(i)), tree_of(*latency));
  }
  if (!by_purpose.entries.empty()) out.set("latency-by-purpose", std::move(by_purpose));
  Tree links = make_list({});
  for (const NetworkOptions::Link& link : network.links) {
    Tree item = make_map({});
    if (!link.from.is_any()) item.set("from", end_tree(link.from));
    if (!link.to.is_any()) item.set("to", end_tree(link.to));
    if (link.purpose) item.set("purpose", make_scalar(std::string(to_name(*link.purpose))));
    item.set("latency", tree_of(link.latency));
    links.items.push_back(std::move(item));
  }
  if (!links.items.empty()) out.set("links", std::move(links));
  if (!out.entries.empty()) file.set("network", std::move(out));
}

void add_topology(const TopologyOptions& topology, Tree& file) {
  if (topology.sites.empty()) return;
  Tree sites = make_map({});
  for (const TopologyOptions::Site& site : topology.sites) {
    sites.entries.push_back({site.name, {}, site_tree(site)});
  }
  Tree out = map_of({{"sites", std::move(sites)}});
  Tree links = make_list({});
  for (const TopologyOptions::Link& link : topology.links) links.items.push_back(link_tree(link));
  if (!links.items.empty()) out.set("links", std::move(links));
  file.set("topology", std::move(out));
}

}  // namespace rejoin::sim
