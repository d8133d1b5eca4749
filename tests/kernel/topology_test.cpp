// Sites, links and the ways between them.
#include "sim/kernel/topology.hpp"

#include <doctest/doctest.h>

#include <rapidcheck.h>
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace rejoin::sim {
namespace {

using Kind = TopologyOptions::Kind;

TopologyOptions::Link link(std::string a, std::string b, Duration latency) {
  return {.name = a + "--" + b, .a = a, .b = b, .latency = constant_latency(latency)};
}

// eu {eu-a: 1, eu-b: 2}, us {us-a: 3, us-b: 4}, ap: 5. The Atlantic is short, the way round long.
TopologyOptions three_regions() {
  TopologyOptions out;
  out.sites = {{.name = "eu", .kind = Kind::region},
               {.name = "eu-a", .within = "eu", .hosts = {Address{1}, Address{6}}},
               {.name = "eu-b", .within = "eu", .hosts = {Address{2}}},
               {.name = "us", .kind = Kind::region},
               {.name = "us-a", .within = "us", .hosts = {Address{3}}},
               {.name = "us-b", .within = "us", .hosts = {Address{4}}},
               {.name = "ap", .kind = Kind::region, .hosts = {Address{5}}}};
  out.links = {link("eu", "us", 40ms), link("us", "ap", 60ms), link("ap", "eu", 80ms)};
  out.links[0].name = "atlantic";
  out.links[0].back = constant_latency(45ms);
  return out;
}

// The links of a way, as `atlantic us--ap`; a link taken from its b to its a as `<name`.
std::string way(Topology& topology, const TopologyOptions& options, std::uint32_t from,
                std::uint32_t to) {
  const auto* const hops = topology.path(Address{from}, Address{to});
  if (hops == nullptr) return "none";
  std::string out;
  for (const Hop& hop : *hops) {
    if (!out.empty()) out += " ";
    out += (hop.back ? "<" : "") + options.links[hop.link].name;
  }
  return out.empty() ? "at once" : out;
}

Duration mean_of(const std::vector<Hop>& hops) {
  Duration out{};
  for (const Hop& hop : hops) out += hop.latency->mean().value();
  return out;
}

TEST_CASE("hosts of one site, of sites of one holder and without a topology cross no link") {
  const TopologyOptions options = three_regions();
  Topology topology(options);
  CHECK(way(topology, options, 1, 6) == "at once");
  CHECK(way(topology, options, 1, 2) == "at once");
  CHECK(way(topology, options, 1, 1) == "at once");
  Topology none({});
  CHECK(way(none, {}, 1, 2) == "at once");
}

TEST_CASE("a message takes the shortest way by mean latency, each direction by its own") {
  const TopologyOptions options = three_regions();
  Topology topology(options);
  CHECK(way(topology, options, 1, 4) == "atlantic");
  CHECK(way(topology, options, 4, 1) == "<atlantic");
  CHECK(topology.path(Address{1}, Address{4})->front().latency->mean() == 40ms);
  CHECK(topology.path(Address{4}, Address{1})->front().latency->mean() == 45ms);
  CHECK(way(topology, options, 2, 5) == "<ap--eu");
}

TEST_CASE("the two directions may take different ways") {
  TopologyOptions options = three_regions();
  options.links[0].back = constant_latency(150ms);
  Topology topology(options);
  CHECK(way(topology, options, 1, 3) == "atlantic");
  CHECK(way(topology, options, 3, 1) == "us--ap ap--eu");
}

TEST_CASE("a cut link is gone round, and a second cut disconnects") {
  const TopologyOptions options = three_regions();
  Topology topology(options);
  REQUIRE(topology.cut_link("atlantic"));
  CHECK(way(topology, options, 1, 4) == "<ap--eu <us--ap");
  CHECK(way(topology, options, 4, 1) == "us--ap ap--eu");
  REQUIRE(topology.cut_link("us--ap"));
  CHECK(way(topology, options, 1, 4) == "none");
  CHECK(way(topology, options, 5, 3) == "none");
  CHECK(way(topology, options, 3, 4) == "at once");
  REQUIRE(topology.restore_link("atlantic"));
  CHECK(way(topology, options, 4, 5) == "<atlantic <ap--eu");
}

TEST_CASE("cuts that overlap end with the last of them") {
  const TopologyOptions options = three_regions();
  Topology topology(options);
  REQUIRE(topology.cut_link("atlantic"));
  REQUIRE(topology.cut_link("atlantic"));
  REQUIRE(topology.cut_site("us"));
  CHECK(way(topology, options, 1, 3) == "none");
  REQUIRE(topology.restore_link("atlantic"));
  CHECK(way(topology, options, 1, 3) == "none");
  REQUIRE(topology.restore_site("us"));
  CHECK(way(topology, options, 1, 3) == "<ap--eu <us--ap");
  REQUIRE(topology.restore_link("atlantic"));
  CHECK(way(topology, options, 1, 3) == "atlantic");
  CHECK_FALSE(topology.restore_link("atlantic"));
  CHECK_FALSE(topology.restore_site("us"));
}

TEST_CASE("a site that is cut off keeps what is within it, and carries nobody through") {
  const TopologyOptions options = three_regions();
  Topology topology(options);
  REQUIRE(topology.cut_link("ap--eu"));
  CHECK(way(topology, options, 1, 5) == "atlantic us--ap");
  REQUIRE(topology.cut_site("us"));
  CHECK(way(topology, options, 3, 4) == "at once");
  CHECK(way(topology, options, 1, 5) == "none");
  // A zone is cut off its region, not off itself.
  REQUIRE(topology.cut_site("eu-a"));
  CHECK(way(topology, options, 1, 2) == "none");
  CHECK(way(topology, options, 1, 6) == "at once");
}

TEST_CASE("a declared link to the holder takes the place of the free one") {
  TopologyOptions options = three_regions();
  options.links.push_back(link("eu-a", "eu", 1ms));
  Topology topology(options);
  CHECK(way(topology, options, 1, 2) == "eu-a--eu");
  CHECK(way(topology, options, 1, 3) == "eu-a--eu atlantic");
  REQUIRE(topology.cut_link("eu-a--eu"));
  CHECK(way(topology, options, 1, 2) == "none");
}

TEST_CASE("of ways equally long, fewer links win, then the one declared first") {
  TopologyOptions options;
  for (const char* name : {"a", "b", "c", "d"}) options.sites.push_back({.name = name});
  for (std::uint32_t s = 0; s < 4; ++s) options.sites[s].hosts = {Address{s + 1}};
  options.links = {link("a", "c", 1ms), link("c", "d", 1ms), link("a", "b", 1ms),
                   link("b", "d", 1ms)};
  CHECK([&] {
    Topology topology(options);
    return way(topology, options, 1, 4);
  }() == "a--c c--d");
  std::swap(options.links[0], options.links[2]);
  CHECK([&] {
    Topology topology(options);
    return way(topology, options, 1, 4);
  }() == "a--b b--d");
  options.links.push_back(link("a", "d", 2ms));
  Topology topology(options);
  CHECK(way(topology, options, 1, 4) == "a--d");
}

TEST_CASE("links without delay do not turn a way in circles") {
  TopologyOptions options;
  for (const char* name : {"a", "b", "c", "d"}) options.sites.push_back({.name = name});
  for (std::uint32_t s = 0; s < 4; ++s) options.sites[s].hosts = {Address{s + 1}};
  options.links = {link("a", "b", 0ms), link("b", "c", 0ms), link("c", "a", 0ms),
                   link("c", "d", 0ms)};
  Topology topology(options);
  CHECK(way(topology, options, 1, 4) == "<c--a c--d");
}

TEST_CASE("a host in no site is beside all of them but those cut off; a moved one stays") {
  const TopologyOptions options = three_regions();
  Topology topology(options);
  CHECK(way(topology, options, 9, 3) == "at once");
  topology.place(Address{9}, Address{2});
  CHECK(way(topology, options, 9, 3) == "atlantic");
  CHECK(topology.hosts_of("eu") == std::vector{Address{1}, Address{2}, Address{6}, Address{9}});
  topology.place(Address{9}, Address{77});
  CHECK(way(topology, options, 9, 3) == "at once");
  REQUIRE(topology.cut_site("us"));
  CHECK(way(topology, options, 9, 3) == "none");
  CHECK(way(topology, options, 3, 9) == "none");
  CHECK(way(topology, options, 9, 1) == "at once");
}

TEST_CASE("names are known or not") {
  Topology topology(three_regions());
  CHECK(topology.knows_link("atlantic"));
  CHECK_FALSE(topology.knows_link("eu--us"));
  CHECK_FALSE(topology.cut_link("eu--us"));
  CHECK(topology.knows_site("us-b"));
  CHECK_FALSE(topology.knows_site(""));
  CHECK_FALSE(topology.cut_site("pacific"));
  CHECK(topology.hosts_of("pacific").empty());
  CHECK(topology.hosts_of("us") == std::vector{Address{3}, Address{4}});
}

// The lengths of all ways by Floyd and Warshall, over sites: the oracle.
std::vector<std::vector<std::optional<Duration>>> all_lengths(const TopologyOptions& options,
                                                              const std::vector<bool>& cut) {
  const std::size_t n = options.sites.size();
  std::vector<std::vector<std::optional<Duration>>> out(n, std::vector<std::optional<Duration>>(n));
  for (std::size_t i = 0; i < n; ++i) out[i][i] = 0ns;
  const auto index = [&](const std::string& name) { return std::stoul(name); };
  for (std::size_t l = 0; l < options.links.size(); ++l) {
    if (cut[l]) continue;
    const auto& each = options.links[l];
    out[index(each.a)][index(each.b)] = each.latency.params.get<Duration>("value");
    out[index(each.b)][index(each.a)] = each.back->params.get<Duration>("value");
  }
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        if (!out[i][k] || !out[k][j]) continue;
        const Duration through = *out[i][k] + *out[k][j];
        if (!out[i][j] || through < *out[i][j]) out[i][j] = through;
      }
    }
  }
  return out;
}

TEST_CASE("ways are as short as Floyd and Warshall say, whatever is cut") {
  CHECK(rc::check("shortest ways", [] {
    const auto n = *rc::gen::inRange<std::uint32_t>(2, 8);
    TopologyOptions options;
    for (std::uint32_t s = 0; s < n; ++s) {
      options.sites.push_back({.name = std::to_string(s), .hosts = {Address{s + 1}}});
    }
    for (std::uint32_t a = 0; a < n; ++a) {
      for (std::uint32_t b = a + 1; b < n; ++b) {
        if (*rc::gen::inRange(0, 2) == 0) continue;
        options.links.push_back(
            link(std::to_string(a), std::to_string(b), Duration(*rc::gen::inRange(0, 6))));
        options.links.back().back = constant_latency(Duration(*rc::gen::inRange(0, 6)));
      }
    }
    Topology topology(options);
    std::vector<bool> cut(options.links.size());
    for (int round = 0; round < 3; ++round) {
      const auto lengths = all_lengths(options, cut);
      for (std::uint32_t a = 0; a < n; ++a) {
        for (std::uint32_t b = 0; b < n; ++b) {
          const auto* const hops = topology.path(Address{a + 1}, Address{b + 1});
          RC_ASSERT((hops != nullptr) == lengths[a][b].has_value());
          if (hops == nullptr) continue;
          RC_ASSERT(mean_of(*hops) == *lengths[a][b]);
          std::uint32_t at = a;  // the links of a way lead from one to the next
          for (const Hop& hop : *hops) {
            const auto& each = options.links[hop.link];
            RC_ASSERT((hop.back ? each.b : each.a) == std::to_string(at));
            RC_ASSERT(!cut[hop.link]);
            at = static_cast<std::uint32_t>(std::stoul(hop.back ? each.a : each.b));
          }
          RC_ASSERT(at == b);
        }
      }
      if (options.links.empty()) return;
      const auto struck = *rc::gen::inRange<std::size_t>(0, options.links.size());
      const std::string& name = options.links[struck].name;
      RC_ASSERT((cut[struck] ? topology.restore_link(name) : topology.cut_link(name)));
      cut[struck] = !cut[struck];
    }
  }));
}

}  // namespace
}  // namespace rejoin::sim
