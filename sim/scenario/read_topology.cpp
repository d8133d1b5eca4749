// Where hosts are: sites, what holds them, the links between them.
#include <algorithm>
#include <numeric>

#include "model/distribution.hpp"
#include "sim/scenario/read.hpp"

namespace rejoin::sim {

namespace {

using Site = TopologyOptions::Site;
using Link = TopologyOptions::Link;

std::vector<std::string> names_of(const std::vector<Site>& sites) {
  std::vector<std::string> out;
  for (const Site& site : sites) out.push_back(site.name);
  return out;
}

std::optional<std::size_t> index_of(const std::vector<Site>& sites, std::string_view name) {
  const auto at =
      std::find_if(sites.begin(), sites.end(), [&](const Site& site) { return site.name == name; });
  if (at == sites.end()) return std::nullopt;
  return static_cast<std::size_t>(at - sites.begin());
}

bool joins(const Link& link, std::string_view a, std::string_view b) {
  return (link.a == a && link.b == b) || (link.a == b && link.b == a);
}

// Which sites are joined, whatever the way.
class Groups {
 public:
  explicit Groups(std::size_t sites) : parents_(sites) {
    std::iota(parents_.begin(), parents_.end(), std::size_t{0});
  }
  [[nodiscard]] std::size_t find(std::size_t site) const {
    while (parents_[site] != site) site = parents_[site];
    return site;
  }
  void join(std::size_t a, std::size_t b) { parents_[find(a)] = find(b); }

 private:
  std::vector<std::size_t> parents_;
};

// Sites that links without delay join: each to its holder, unless that link was declared.
Groups joined_for_free(const TopologyOptions& topology) {
  Groups out(topology.sites.size());
  for (std::size_t s = 0; s < topology.sites.size(); ++s) {
    const Site& site = topology.sites[s];
    const auto holder = index_of(topology.sites, site.within);
    const bool declared =
        std::any_of(topology.links.begin(), topology.links.end(),
                    [&](const Link& link) { return joins(link, site.name, site.within); });
    if (holder && !declared) out.join(s, *holder);
  }
  return out;
}

const char* name_of(TopologyOptions::Kind kind) {
  switch (kind) {
    case TopologyOptions::Kind::region:
      return "region";
    case TopologyOptions::Kind::zone:
      return "zone";
    case TopologyOptions::Kind::rack:
      return "rack";
  }
  return "";
}

}  // namespace

void ScheduleReader::read_topology(const Tree& topology) {
  const Tree nothing = make_map({});
  const Tree* sites = &nothing;
  const Tree no_links = make_list({});
  const Tree* links = &no_links;
  if (!want_map(topology, "topology")) return;
  for (const Entry& entry : topology.entries) {
    const std::string key = normal_name(entry.key);
    if (key == "sites") {
      if (want_map(entry.value, "sites")) sites = &entry.value;
    } else if (key == "links") {
      if (entry.value.is_list()) {
        links = &entry.value;
      } else {
        wrong(entry.value, "links", "a list of { between: [site, site], latency }");
      }
    } else if (!is_ignored(entry.key)) {
      unknown_key(entry, "`topology`", {"links", "sites"});
    }
  }
  for (const Entry& entry : sites->entries) {
    if (!is_ignored(entry.key)) read_site(entry);
  }
  check_site_tree(*sites);
  for (const Tree& item : links->items) read_site_link(item);
  check_site_links(*sites, *links);
}

// ---- Sites ---------------------------------------------------------------------------------

void ScheduleReader::read_site(const Entry& entry) {
  Site site{.name = entry.key};
  const Tree& value = entry.value;
  if (!value.is_map()) {
    read_site_hosts(value, entry.key, site);
  } else if (is_pick(value)) {
    return wrong(value, entry.key, "a map");
  }
  for (const Entry& each : value.entries) {
    const std::string key = normal_name(each.key);
    if (key == "kind") {
      const auto kind =
          read_as<std::string>(each.value, "kind", ParamType::choice, {"region", "zone", "rack"});
      if (kind == "region") site.kind = TopologyOptions::Kind::region;
      if (kind == "rack") site.kind = TopologyOptions::Kind::rack;
    } else if (key == "within") {
      site.within = read_as<std::string>(each.value, "within", ParamType::text).value_or("");
    } else if (key == "nodes" || key == "clients") {
      read_site_hosts(each.value, each.key, site);
    } else if (!is_ignored(each.key)) {
      unknown_key(each, "a site", {"clients", "kind", "nodes", "within"});
    }
  }
  std::sort(site.hosts.begin(), site.hosts.end());
  schedule_.topology.sites.push_back(std::move(site));
}

// Names, and ranges of them such as node-1..node-50.
void ScheduleReader::read_site_hosts(const Tree& value, std::string_view name, Site& site) {
  const std::string key = normal_name(name);
  const auto wanted = key == "nodes"     ? "nodes such as node-1, or node-1..node-50"
                      : key == "clients" ? "clients such as client-1, or client-1..client-5"
                                         : "a map, or hosts such as node-1, or node-1..node-50";
  if (!value.is_list() && !value.is_scalar()) return wrong(value, name, wanted);
  const std::vector<Tree> one = {value};
  for (const Tree& item : value.is_list() ? value.items : one) {
    if (!item.is_scalar()) {
      wrong(item, name, wanted);
      continue;
    }
    const std::size_t dots = item.text.find("..");
    const auto first = read_address(make_scalar(item.text.substr(0, dots), item.mark), name);
    const auto last = dots == std::string::npos
                          ? first
                          : read_address(make_scalar(item.text.substr(dots + 2), item.mark), name);
    if (!first || !last) continue;
    const bool clients = is_client(*first);
    if (first->is_none() || is_client(*last) != clients || *last < *first ||
        (key == "nodes" && clients) || (key == "clients" && !clients)) {
      wrong(item, name, wanted);
      continue;
    }
    for (Address host = *first; host <= *last; host = host.next()) {
      const auto [at, is_new] = site_of_.emplace(host, site.name);
      if (is_new) {
        site.hosts.push_back(host);
      } else {
        problems_.add(item.mark, to_name(host) + " is in `" + at->second + "` already",
                      "a host is in one site at most, and so in all that hold it");
      }
    }
  }
}

void ScheduleReader::check_site_tree(const Tree& sites) {
  const std::vector<Site>& all = schedule_.topology.sites;
  for (const Site& site : all) {
    if (site.within.empty()) continue;
    const Tree* const declared = sites.find(site.name)->find("within");
    const Mark& mark = declared->mark;
    const auto holder = index_of(all, site.within);
    if (!holder) {
      problems_.add(mark, "there is no site `" + site.within + "`",
                    known_hint(site.within, names_of(all)));
      continue;
    }
    std::string way = "`" + site.name + "`";
    auto at = holder;
    for (std::size_t steps = 0; at && all[*at].name != site.name && steps < all.size(); ++steps) {
      way += " within `" + all[*at].name + "`";
      at = index_of(all, all[*at].within);
    }
    if (at && all[*at].name == site.name) {
      problems_.add(mark,
                    "`" + site.name + "` is within itself: " + way + " within `" + site.name + "`");
    } else if (all[*holder].kind >= site.kind) {
      problems_.add(mark,
                    "a " + std::string(name_of(site.kind)) + " cannot be within the " +
                        name_of(all[*holder].kind) + " `" + site.within + "`",
                    "a region holds zones and racks, a zone holds racks");
    }
  }
}

// ---- Links ---------------------------------------------------------------------------------

void ScheduleReader::read_site_link(const Tree& item) {
  if (!want_map(item, "links")) return;
  Link link;
  for (const Entry& entry : item.entries) {
    const std::string key = normal_name(entry.key);
    if (key == "between") {
      read_ends(entry.value, link);
    } else if (key == "latency") {
      read_latency(entry.value, link.latency);
    } else if (key == "back") {
      read_latency(entry.value, link.back.emplace());
    } else if (key == "bandwidth") {
      link.bandwidth_bytes_per_s =
          read_as<Size>(entry.value, "bandwidth", ParamType::size).value_or(Size{}).bytes;
    } else if (key == "loss") {
      link.loss = read_as<Share>(entry.value, "loss", ParamType::share).value_or(Share{});
    } else if (key == "name") {
      link.name = read_as<std::string>(entry.value, "name", ParamType::text).value_or("");
    } else if (!is_ignored(entry.key)) {
      unknown_key(entry, "a link of the topology",
                  {"back", "bandwidth", "between", "latency", "loss", "name"});
    }
  }
  for (const std::string_view key : {"between", "latency"}) {
    if (item.find(key) == nullptr) {
      problems_.add(item.mark, "a link of the topology needs `" + std::string(key) + "`");
    }
  }
  if (link.name.empty()) link.name = link.a + "--" + link.b;
  schedule_.topology.links.push_back(std::move(link));
}

void ScheduleReader::read_ends(const Tree& ends, Link& link) {
  constexpr std::string_view wanted = "two sites such as [eu, us]";
  if (!ends.is_list() || ends.items.size() != 2) return wrong(ends, "between", wanted);
  for (std::size_t i = 0; i < 2; ++i) {
    const Tree& end = ends.items[i];
    if (!end.is_scalar()) {
      wrong(end, "between", wanted);
    } else if (!index_of(schedule_.topology.sites, end.text)) {
      problems_.add(end.mark, "there is no site `" + end.text + "`",
                    known_hint(end.text, names_of(schedule_.topology.sites)));
    }
    (i == 0 ? link.a : link.b) = end.text;
  }
  if (link.a == link.b && !link.a.empty()) {
    problems_.add(ends.mark, "a link from `" + link.a + "` to itself",
                  "hosts of one site are next to each other");
  }
}

void ScheduleReader::check_site_links(const Tree& sites, const Tree& links) {
  if (!problems_.empty()) return;  // names may be wrong
  const TopologyOptions& topology = schedule_.topology;
  const Groups free = joined_for_free(topology);
  Groups joined = free;
  for (std::size_t l = 0; l < topology.links.size(); ++l) {
    const Link& link = topology.links[l];
    const Mark& mark = links.items[l].mark;
    for (std::size_t before = 0; before < l; ++before) {
      const Link& other = topology.links[before];
      if (joins(other, link.a, link.b)) {
        problems_.add(mark, "`" + link.a + "` and `" + link.b + "` are linked already, by `" +
                                other.name + "`");
      } else if (other.name == link.name) {
        problems_.add(mark, "two links are called `" + link.name + "`");
      }
    }
    const std::size_t a = index_of(topology.sites, link.a).value();
    const std::size_t b = index_of(topology.sites, link.b).value();
    if (free.find(a) == free.find(b)) {
      problems_.add(mark,
                    "this link would never be used: `" + link.a + "` and `" + link.b +
                        "` are joined without delay by what holds them",
                    "link a site to its holder, such as between: [" + link.a + ", " +
                        (topology.sites[a].within.empty() ? link.b : topology.sites[a].within) +
                        "], to give that way a delay");
    }
    for (const LatencyOptions* const latency :
         {&link.latency, link.back ? &*link.back : &link.latency}) {
      if (make_distribution(*latency)->mean()) continue;
      problems_.add(mark,
                    "the latency of a link needs a mean, by which ways are chosen: this " +
                        latency->distribution + " has none",
                    "a pareto has one when its shape is above 1");
      break;
    }
    joined.join(a, b);
  }
  for (std::size_t s = 1; s < topology.sites.size(); ++s) {
    if (joined.find(s) == joined.find(0)) continue;
    const std::string& name = topology.sites[s].name;
    const Tree& site = *sites.find(name);
    problems_.add(
        site.mark, "`" + name + "` cannot reach `" + topology.sites[0].name + "`",
        "link it: { between: [" + topology.sites[0].name + ", " + name + "], latency: 40ms }");
    return;
  }
}

}  // namespace rejoin::sim
