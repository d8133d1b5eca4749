#include "sim/kernel/topology.hpp"

#include <algorithm>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "model/check.hpp"
#include "sim/kernel/flat_map.hpp"

namespace rejoin::sim {
namespace {

constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

// Of a way. Each link adds to `links`, so that even free links make a way longer and a shortest one
// never turns in a circle.
struct Cost {
  std::uint64_t mean_ns = 0;
  std::uint32_t links = 0;
  friend bool operator==(const Cost&, const Cost&) = default;
};
constexpr Cost kUnreachable{std::numeric_limits<std::uint64_t>::max(),
                            std::numeric_limits<std::uint32_t>::max()};

struct Shorter {
  bool operator()(const Cost& a, const Cost& b) const {
    return std::tie(a.mean_ns, a.links) < std::tie(b.mean_ns, b.links);
  }
};
struct Add {
  Cost operator()(const Cost& a, const Cost& b) const {
    if (a == kUnreachable || b == kUnreachable) return kUnreachable;
    // A mean is below 2^63 ns: beyond that, ways are told apart by their links alone.
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max() / 2;
    return {std::min(a.mean_ns + b.mean_ns, kMost), a.links + b.links};
  }
};

struct Arc {
  Cost cost{};
};
using Graph = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, Arc>;

// A declared link, or that between a site and its holder.
struct Edge {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  Cost there{0, 1};  // from a to b
  Cost back{0, 1};
  std::optional<std::uint32_t> link{};  // none: free and without a name
  std::uint32_t cuts = 0;               // in force: of itself, and of sites that it leads out of
};

[[nodiscard]] Cost cost_of(const Distribution& latency) {
  const auto mean = latency.mean();
  CHECK_THAT(mean && *mean >= 0ns);
  return {static_cast<std::uint64_t>(mean->count()), 1};
}

}  // namespace

struct Topology::Impl {
  explicit Impl(const TopologyOptions& with) : options(with) {
    for (std::uint32_t s = 0; s < options.sites.size(); ++s) {
      for (const Address host : options.sites[s].hosts) site_of[host.value] = s;
    }
    site_cuts.resize(options.sites.size());
    link_cuts.resize(options.links.size());
    for (const auto& site : options.sites) {
      const auto holder = find_site(site.within);
      CHECK_THAT(holder || site.within.empty());
      holders.push_back(holder.value_or(kNowhere));
    }
    add_edges();
    touching.resize(options.sites.size());
    for (std::uint32_t e = 0; e < edges.size(); ++e) {
      touching[edges[e].a].push_back(e);
      touching[edges[e].b].push_back(e);
    }
    whole.despite_cuts = true;
    forget(whole);
    forget(now);
  }

  void add_edges() {
    for (std::uint32_t l = 0; l < options.links.size(); ++l) {
      const TopologyOptions::Link& link = options.links[l];
      const auto a = find_site(link.a);
      const auto b = find_site(link.b);
      CHECK_THAT(a && b && a != b);
      latencies.push_back(make_distribution(link.latency));
      const Cost there = cost_of(*latencies.back());
      backs.push_back(link.back ? make_distribution(*link.back) : nullptr);
      edges.push_back({.a = *a,
                       .b = *b,
                       .there = there,
                       .back = backs.back() ? cost_of(*backs.back()) : there,
                       .link = l});
    }
    for (std::uint32_t s = 0; s < holders.size(); ++s) {
      if (holders[s] == kNowhere) continue;
      const bool declared = std::any_of(edges.begin(), edges.end(), [&](const Edge& e) {
        return std::minmax(e.a, e.b) == std::minmax(s, holders[s]);
      });
      if (!declared) edges.push_back({.a = s, .b = holders[s]});
    }
  }

  [[nodiscard]] std::optional<std::uint32_t> find_site(std::string_view name) const {
    const auto at = std::find_if(options.sites.begin(), options.sites.end(),
                                 [&](const auto& site) { return site.name == name; });
    if (name.empty() || at == options.sites.end()) return std::nullopt;
    return static_cast<std::uint32_t>(at - options.sites.begin());
  }
  [[nodiscard]] std::optional<std::uint32_t> find_link(std::string_view name) const {
    const auto at = std::find_if(options.links.begin(), options.links.end(),
                                 [&](const auto& link) { return link.name == name; });
    if (at == options.links.end()) return std::nullopt;
    return static_cast<std::uint32_t>(at - options.links.begin());
  }
  [[nodiscard]] bool is_below(std::uint32_t site, std::uint32_t top) const {
    while (site != kNowhere && site != top) site = holders[site];
    return site == top;
  }
  [[nodiscard]] std::uint32_t site_of_host(Address host) const {
    const std::uint32_t* const site = site_of.find(host.value);
    return site == nullptr ? kNowhere : *site;
  }
  [[nodiscard]] bool is_cut_off(std::uint32_t site) const {
    for (; site != kNowhere; site = holders[site]) {
      if (site_cuts[site] != 0) return true;
    }
    return false;
  }

  [[nodiscard]] bool leaves(const Edge& edge, std::uint32_t site) const {
    return is_below(edge.a, site) != is_below(edge.b, site);
  }

  // ---- Cuts ----
  bool change_link(std::string_view name, bool cut) {
    const auto link = find_link(name);
    if (!link || (!cut && link_cuts[*link] == 0)) return false;
    count(link_cuts[*link], cut);
    count(edges[*link].cuts, cut);  // declared links are the first edges, in their order
    forget(now);
    return true;
  }
  bool change_site(std::string_view name, bool cut) {
    const auto site = find_site(name);
    if (!site || (!cut && site_cuts[*site] == 0)) return false;
    count(site_cuts[*site], cut);
    for (Edge& edge : edges) {
      if (leaves(edge, *site)) count(edge.cuts, cut);
    }
    forget(now);
    return true;
  }
  static void count(std::uint32_t& cuts, bool cut) {
    CHECK_THAT(cut || cuts != 0);
    cut ? ++cuts : --cuts;
  }

  // ---- Ways ----
  struct Way {
    bool exists = false;
    std::vector<Hop> hops{};
    std::vector<std::uint32_t> edges{};
  };
  // What follows from the cuts, or would without them, as far as it was asked for.
  struct Ways {
    bool despite_cuts = false;
    Graph turned{};
    std::vector<std::vector<Cost>> costs_to{};  // by site
    FlatMap<std::uint32_t> between{};           // by pair of sites
    std::vector<std::unique_ptr<const Way>> found{};

    [[nodiscard]] bool has(const Edge& edge) const { return despite_cuts || edge.cuts == 0; }
  };

  void forget(Ways& ways) {
    ways.found.clear();
    ways.between.clear();
    ways.costs_to.assign(options.sites.size(), {});
    // Every arc turned round: distances from a site in this graph are distances to it.
    std::vector<std::pair<std::size_t, std::size_t>> ends;
    std::vector<Arc> arcs;
    for (const Edge& edge : edges) {
      if (!ways.has(edge)) continue;
      ends.insert(ends.end(), {{edge.b, edge.a}, {edge.a, edge.b}});
      arcs.insert(arcs.end(), {{edge.there}, {edge.back}});
    }
    ways.turned = Graph(boost::edges_are_unsorted_multi_pass, ends.begin(), ends.end(),
                        arcs.begin(), options.sites.size());
  }

  [[nodiscard]] const std::vector<Cost>& costs(Ways& ways, std::uint32_t to) {
    std::vector<Cost>& out = ways.costs_to[to];
    const Graph& turned = ways.turned;
    if (!out.empty()) return out;
    out.resize(options.sites.size());
    boost::dijkstra_shortest_paths(turned, to,
                                   boost::weight_map(boost::get(&Arc::cost, turned))
                                       .distance_map(boost::make_iterator_property_map(
                                           out.begin(), boost::get(boost::vertex_index, turned)))
                                       .distance_compare(Shorter{})
                                       .distance_combine(Add{})
                                       .distance_inf(kUnreachable)
                                       .distance_zero(Cost{}));
    return out;
  }

  [[nodiscard]] Way find_way(Ways& ways, std::uint32_t from, std::uint32_t to) {
    const std::vector<Cost>& left = costs(ways, to);
    if (left[from] == kUnreachable) return {};
    Way way{.exists = true};
    while (from != to) {
      // Edges are tried in the order of their declaration; each step leaves fewer links to go.
      const auto& tried = touching[from];
      const auto next = std::find_if(tried.begin(), tried.end(), [&](std::uint32_t e) {
        const Edge& edge = edges[e];
        const bool there = edge.a == from;
        return ways.has(edge) &&
               Add{}(there ? edge.there : edge.back, left[there ? edge.b : edge.a]) == left[from];
      });
      CHECK_THAT(next != tried.end());
      const Edge& edge = edges[*next];
      const bool back = edge.b == from;
      if (edge.link) way.hops.push_back(hop(*edge.link, back));
      way.edges.push_back(*next);
      from = back ? edge.a : edge.b;
    }
    return way;
  }
  [[nodiscard]] const Way& way(Ways& ways, std::uint32_t from, std::uint32_t to) {
    const std::uint64_t pair = std::uint64_t{from} << 32U | to;
    if (const std::uint32_t* const known = ways.between.find(pair)) return *ways.found[*known];
    ways.found.push_back(std::make_unique<const Way>(find_way(ways, from, to)));
    ways.between[pair] = static_cast<std::uint32_t>(ways.found.size() - 1);
    return *ways.found.back();
  }
  [[nodiscard]] Hop hop(std::uint32_t link, bool back) const {
    const auto& latency = back && backs[link] ? backs[link] : latencies[link];
    return {.link = link,
            .back = back,
            .latency = latency.get(),
            .bandwidth_bytes_per_s = options.links[link].bandwidth_bytes_per_s,
            .loss = options.links[link].loss};
  }

  TopologyOptions options;
  std::vector<std::uint32_t> holders;                          // of sites; kNowhere: none
  FlatMap<std::uint32_t> site_of;                              // by address
  std::vector<std::unique_ptr<const Distribution>> latencies;  // by link
  std::vector<std::unique_ptr<const Distribution>> backs;      // by link; null: as there
  std::vector<Edge> edges;                                     // declared ones first
  std::vector<std::vector<std::uint32_t>> touching;            // edges by site
  std::vector<std::uint32_t> link_cuts;
  std::vector<std::uint32_t> site_cuts;
  Ways now;
  Ways whole;  // as if nothing were cut
  const std::vector<Hop> nothing;
};

Topology::Topology(const TopologyOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Topology::~Topology() = default;

void Topology::place(Address host, Address beside) {
  const std::uint32_t site = impl_->site_of_host(beside);
  if (site == kNowhere) {
    impl_->site_of.erase(host.value);
  } else {
    impl_->site_of[host.value] = site;
  }
}

const std::vector<Hop>* Topology::path(Address from, Address to) {
  Impl& impl = *impl_;
  const std::uint32_t a = impl.site_of_host(from);
  const std::uint32_t b = impl.site_of_host(to);
  if (a == b) return &impl.nothing;
  if (a == kNowhere || b == kNowhere) {
    return impl.is_cut_off(a == kNowhere ? b : a) ? nullptr : &impl.nothing;
  }
  const Impl::Way& way = impl.way(impl.now, a, b);
  return way.exists ? &way.hops : nullptr;
}

std::optional<Topology::Part> Topology::link(std::string_view name) const {
  const auto found = impl_->find_link(name);
  return found ? std::optional(Part{.is_link = true, .index = *found}) : std::nullopt;
}
std::optional<Topology::Part> Topology::site(std::string_view name) const {
  const auto found = impl_->find_site(name);
  return found ? std::optional(Part{.is_link = false, .index = *found}) : std::nullopt;
}

bool Topology::usually_crosses(Address from, Address to, Part part) {
  Impl& impl = *impl_;
  const std::uint32_t a = impl.site_of_host(from);
  const std::uint32_t b = impl.site_of_host(to);
  if (a == b) return false;
  if (a == kNowhere || b == kNowhere) {
    return !part.is_link && impl.is_below(a == kNowhere ? b : a, part.index);
  }
  const std::vector<std::uint32_t>& edges = impl.way(impl.whole, a, b).edges;
  return std::any_of(edges.begin(), edges.end(), [&](std::uint32_t e) {
    return part.is_link ? e == part.index : impl.leaves(impl.edges[e], part.index);
  });
}

bool Topology::cut_link(std::string_view name) {
  return impl_->change_link(name, true);
}
bool Topology::restore_link(std::string_view name) {
  return impl_->change_link(name, false);
}
bool Topology::cut_site(std::string_view name) {
  return impl_->change_site(name, true);
}
bool Topology::restore_site(std::string_view name) {
  return impl_->change_site(name, false);
}

std::optional<std::uint32_t> Topology::find_site(std::string_view name) const {
  return impl_->find_site(name);
}
std::optional<std::uint32_t> Topology::site_of(Address host) const {
  const std::uint32_t site = impl_->site_of_host(host);
  return site == kNowhere ? std::nullopt : std::optional(site);
}
std::optional<std::uint32_t> Topology::holder_of(std::uint32_t site) const {
  const std::uint32_t holder = impl_->holders.at(site);
  return holder == kNowhere ? std::nullopt : std::optional(holder);
}

bool Topology::knows_link(std::string_view name) const {
  return impl_->find_link(name).has_value();
}
bool Topology::knows_site(std::string_view name) const {
  return impl_->find_site(name).has_value();
}

std::vector<Address> Topology::hosts_of(std::string_view site) const {
  std::vector<Address> out;
  const auto top = impl_->find_site(site);
  if (!top) return out;
  impl_->site_of.for_each([&](std::uint64_t host, std::uint32_t its) {
    if (impl_->is_below(its, *top)) out.push_back(Address(static_cast<std::uint32_t>(host)));
  });
  std::stable_sort(out.begin(), out.end());
  return out;
}

}  // namespace rejoin::sim
