// The network and topology of a file: what it means, what it may not be, and that it is written as
// it was read.
#include <rapidcheck.h>

#include "model/distribution.hpp"
#include "support.hpp"

using namespace rejoin;
using namespace rejoin::sim;

namespace {

LatencyOptions latency_of(const std::string& yaml) {
  return schedule_of(with_timeline("network: { latency: " + yaml + " }")).network.latency;
}

std::string in_topology(const std::string& text) {
  return complaints(with_timeline("cluster: { nodes: 5, clients: 2 }\ntopology:\n" + text));
}

// The text contains `part`; says what it is when not.
void check_says(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
}

constexpr const char* kWorld = R"(
cluster: { nodes: 60, clients: 3 }
topology:
  sites:
    eu: { kind: region }
    eu-a: { within: eu, nodes: [node-1, node-2], clients: client-1 }
    eu-b: { within: eu, nodes: node-3 }
    rack-7: { kind: rack, within: eu-b, nodes: node-60 }
    us: [node-11..node-59, client-2..client-3]
  links:
    - between: [eu-a, us]
      name: atlantic
      latency: 40ms
      back: 45ms
      bandwidth: 100MB
      loss: 0.1%
    - { between: [eu-b, eu], latency: { normal: { mean: 1ms, deviation: 100us }, floor: 200us } }
)";

}  // namespace

TEST_CASE("every key of the network reaches the schedule") {
  const NetworkOptions n = schedule_of(with_timeline(R"(network:
  latency: { log-normal: { median: 1ms, sigma: 0.5 }, floor: 100us, cap: 1s }
  latency-by-purpose: { repair: 20ms }
  links:
    - { from: node-1, to: client-1, purpose: foreground, latency: 5ms }
    - { to: node-2, latency: 1ms..2ms }
  loss: 1%
  duplicate: 2%
  reorder: 3%
  reorder-by: 4ms..5ms
  corrupt: 0.01%
  mtu: 1500B
  bandwidth: 1MB
  receive-bandwidth: 2MB
  link-bandwidth: 3MB
  queue: 64KiB
  weather: { slot: 10s, rough: 20%, extra: 50ms..200ms, loss: 100% }
  stream: { rto-min: 100ms, rto-max: 2s, reset-after: 9s, handshake: false }
)"))
                               .network;
  CHECK(n.latency.distribution == "log-normal");
  CHECK(n.latency.params.get<std::string>("sigma") == "0.5");
  CHECK(n.latency.floor == 100us);
  CHECK(n.latency.cap == 1s);
  CHECK(n.latency_by_purpose[static_cast<std::size_t>(Purpose::repair)] == constant_latency(20ms));
  REQUIRE(n.links.size() == 2);
  CHECK(n.links[0].purpose == Purpose::foreground);
  CHECK(n.links[0].to.host == client_address(ClientId(1)));
  CHECK(n.links[1].from.is_any());
  CHECK(n.links[1].latency == uniform_latency({1ms, 2ms}));
  CHECK(n.loss.ppm == 10'000);
  CHECK(n.duplicate.ppm == 20'000);
  CHECK(n.reorder.ppm == 30'000);
  CHECK(n.reorder_by == DurationRange{4ms, 5ms});
  CHECK(n.corrupt.ppm == 100);
  CHECK(n.mtu_bytes == 1500);
  CHECK(n.bandwidth_bytes_per_s == 1'000'000);
  CHECK(n.receive_bandwidth_bytes_per_s == 2'000'000);
  CHECK(n.link_bandwidth_bytes_per_s == 3'000'000);
  CHECK(n.queue_bytes == 65'536);
  CHECK(n.weather == WeatherOptions{10s, {200'000}, {50ms, 200ms}, {1'000'000}});
  CHECK(n.stream == StreamOptions{100ms, 2s, 9s, false});
}

TEST_CASE("an end of a link may be a site, crossed with a class of messages, and is written so") {
  const std::string text = std::string("format: 1") + kWorld + R"(network:
  links:
    - { from: zone(eu), to: zone(us), purpose: repair, latency: 200ms }
    - { between: [zone(eu-a), client-2], latency: { exponential: 3ms } }
    - { between: [zone(us), zone(us)], latency: 2ms }
timeline: [{ label: T0, write: key-1 }]
)";
  const Schedule schedule = schedule_of(text);
  const auto& links = schedule.network.links;
  REQUIRE(links.size() == 4);
  CHECK(links[0].from.site == "eu");
  CHECK(links[0].to.site == "us");
  CHECK(links[0].purpose == Purpose::repair);
  CHECK(links[1].from.site == "eu-a");
  CHECK(links[1].to.host == client_address(ClientId(2)));
  CHECK(links[2].from.host == client_address(ClientId(2)));
  CHECK(links[2].to.site == "eu-a");
  CHECK(links[2].latency == links[1].latency);
  // Its own way back.
  CHECK(links[3].from == links[3].to);
  const std::string written = to_yaml(schedule);
  check_says(written, "from: zone(eu), to: zone(us), purpose: repair");
  const Schedule again = schedule_of(written);
  CHECK(again.network.links == links);
  CHECK(to_yaml(again) == written);
}

TEST_CASE("an end of a link that is nowhere, and ends that contradict each other, are refused") {
  const auto wrong = [](const std::string& link) {
    return complaints(std::string("format: 1") + kWorld + "network: { links: [{ " + link +
                      ", latency: 1ms }] }\ntimeline: [{ label: T0, write: key-1 }]\n");
  };
  check_says(wrong("from: zone(uk)"), "there is no site `uk`");
  check_says(wrong("from: leader"), "the hosts of a site: zone(eu)");
  check_says(wrong("to: node-61"), "there is no node-61");
  check_says(wrong("to: [node-1]"), "the hosts of a site: zone(eu)");
  check_says(wrong("between: [zone(eu)]"), "two ends such as");
  check_says(wrong("between: [zone(eu), zone(us)], to: node-1"), "keep either");
  check_says(complaints(with_timeline("network: { links: [{ from: zone(a), latency: 1ms }] }")),
             "the scenario has no `topology`");
}

TEST_CASE("a fault's delay is any latency, and is written as it was read") {
  Vocabulary vocabulary = test_vocabulary();
  vocabulary.faults.push_back({.name = "slow",
                               .params = {param("extra", ParamType::latency, "50ms..200ms")},
                               .ends = true});
  const auto delay = [&](const std::string& yaml) {
    const std::string text =
        "format: 1\ntimeline: [{ label: T0, write: key-1 }, { label: T1, slow: " + yaml + " }]\n";
    const auto scenario = read_scenario("t.yaml", text, vocabulary, {});
    REQUIRE(scenario.has_value());
    const Schedule schedule = *scenario->materialise(1);
    const auto of = [](const Schedule& s) {
      return std::get<action::Inject>(s.timeline.at(1).action).params.get<Delay>("extra");
    };
    const auto again = read_scenario("t.yaml", to_yaml(schedule), vocabulary, {});
    REQUIRE(again.has_value());
    CHECK(of(*again->materialise(1)) == of(schedule));
    return of(schedule).options();
  };
  CHECK(delay("{}") == uniform_latency({50ms, 200ms}));
  CHECK(delay("5ms") == constant_latency(5ms));
  CHECK(delay("{ extra: 1ms..9ms }") == uniform_latency({1ms, 9ms}));
  const LatencyOptions pareto =
      delay("{ extra: { pareto: { minimum: 50ms, shape: 1.5 }, cap: 10s } }");
  CHECK(pareto.distribution == "pareto");
  CHECK(pareto.cap == 10s);
  CHECK(delay("{ extra: { mixture: [{ weight: 9, latency: 1ms }, { latency: { exponential: 1s } "
              "}] } }")
            .parts.size() == 2);
  const auto wrong = read_scenario("t.yaml",
                                   "format: 1\ntimeline: [{ label: T0, slow: { extra: { paretto: "
                                   "{ minimum: 50ms } } } }]\n",
                                   vocabulary, {});
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().front().message.find("paretto") != std::string::npos);
}

TEST_CASE("histograms and mixtures are lists") {
  const LatencyOptions histogram =
      latency_of("{ histogram: [{ range: 0ms..1ms, weight: 90 }, { range: 5ms..9ms }] }");
  REQUIRE(histogram.buckets.size() == 2);
  CHECK(histogram.buckets[0].weight == 90);
  CHECK(histogram.buckets[1].range == DurationRange{5ms, 9ms});
  CHECK(histogram.buckets[1].weight == 1);
  const LatencyOptions mixture = latency_of(
      "{ mixture: [{ weight: 9, latency: 1ms }, "
      "{ latency: { pareto: { minimum: 1ms, shape: 1.5 }, floor: 2ms } }], cap: 10s }");
  REQUIRE(mixture.parts.size() == 2);
  CHECK(mixture.parts[0].weight == 9);
  CHECK(mixture.parts[0].latency == constant_latency(1ms));
  CHECK(mixture.parts[1].latency.distribution == "pareto");
  CHECK(mixture.parts[1].latency.floor == 2ms);
  CHECK(mixture.cap == 10s);
}

TEST_CASE("what is wrong with a latency is said where it is written") {
  const auto wrong = [](const std::string& yaml) {
    return complaints(with_timeline("network: { latency: " + yaml + " }"));
  };
  CHECK(wrong("{ normal: { mean: 1ms, deviaton: 1ms } }") ==
        R"(t.yaml:2:23: error: `normal` needs `deviation`: standard; of the whole bell
  2 | network: { latency: { normal: { mean: 1ms, deviaton: 1ms } } }
    |                       ^
t.yaml:2:44: error: unknown key `deviaton` in `normal`
  2 | network: { latency: { normal: { mean: 1ms, deviaton: 1ms } } }
    |                                            ^
  hint: did you mean `deviation`? known here: mean, deviation
)");
  check_says(wrong("{ parto: 1ms }"), "2:23: error: unknown key `parto` in `latency`");
  check_says(wrong("{ parto: 1ms }"), "did you mean `pareto`? known here: cap, constant");
  check_says(wrong("{ pareto: { minimum: 1ms, shape: steep } }"),
             "2:54: error: `shape` is a number such as 1.5, from 0.01 to 1000, not steep");
  check_says(wrong("{ exponential: 0s }"), "2:36: error: `mean` is from 1ns to 365d, not 0s");
  check_says(wrong("{ exponential: 1ms, floor: 2ms, cap: 1ms }"),
             "2:58: error: a `cap` is at least the `floor`");
  check_says(wrong("400d"), "2:21: error: `value` is from 0s to 365d, not 400d");
  check_says(wrong("{ histogram: [{ range: 2ms..3ms }, { range: 1ms..2ms }] }"),
             "2:65: error: the ranges of a histogram ascend and do not overlap: 1ms comes after");
  check_says(wrong("{ histogram: [{ range: 3ms..1ms }] }"), "2:44: error: `range` takes");
  check_says(wrong("{ histogram: [{ weight: 1 }] }"), "2:35: error: a bucket of a histogram needs");
  check_says(wrong("{ histogram: 1ms }"),
             "2:34: error: `histogram` takes a list of { range, weight }, not `1ms`");
  check_says(wrong("{ histogram: [] }"), "2:34: error: a histogram is a list of at least one");
  check_says(wrong("{ mixture: [{ weight: 0, latency: 1ms }] }"),
             "2:43: error: a `weight` is from 1 to 1000000000, not 0");
  check_says(wrong("{ mixture: [{ weigth: 2, latency: 1ms }] }"),
             "2:35: error: unknown key `weigth` in a part of a mixture");
  check_says(wrong("{ mixture: [{ weight: 2 }] }"), "a part of a mixture needs `latency`");
  check_says(wrong("{ constant: 1ms, uniform: 1ms..2ms }"), "2:21: error: `latency` takes");
  check_says(wrong("{ floor: 1ms }"), "2:21: error: `latency` takes");
}

TEST_CASE("impossible networks are refused, with what is allowed") {
  const auto wrong = [](const std::string& yaml) {
    return complaints(with_timeline("network: { " + yaml + " }"));
  };
  for (const char* const key : {"loss", "duplicate", "reorder", "corrupt"}) {
    check_says(wrong(std::string(key) + ": 101%"),
               "error: `" + std::string(key) + "` takes a share");
    check_says(wrong(std::string(key) + ": -1%"), "takes a share");
    CHECK(wrong(std::string(key) + ": 100%").empty());
  }
  check_says(wrong("weather: { slot: 1s, rough: 200% }"), "2:40: error: `rough` takes a share");
  check_says(wrong("reorder-by: 5ms..1ms"), "2:24: error: `reorder-by` takes");
  check_says(wrong("weather: { rough: 10% }"), "2:21: error: weather needs a `slot`");
  check_says(wrong("weather: { slott: 1s }"),
             "did you mean `slot`? known here: extra, loss, rough");
  check_says(wrong("wether: { slot: 1s }"), "did you mean `weather`?");
  check_says(wrong("stream: { rto-min: 2s, rto-max: 1s }"),
             "2:20: error: `rto-min` is at most `rto-max`: 2s is more than 1s");
  check_says(wrong("stream: { rto-min: 0s }"), "2:31: error: `rto-min` is at least 1ms");
  check_says(wrong("links: [{ from: node-1 }]"), "2:20: error: a link needs `latency`");
  check_says(wrong("links: [{ from: node-9, latency: 1ms }]"), "2:28: error: there is no node-9");
  check_says(wrong("links: [{ purpose: gossip, latency: 1ms }]"),
             "2:31: error: `purpose` takes one of consensus, foreground, membership, repair");
}

TEST_CASE("sites, what holds them, and their links reach the schedule") {
  const TopologyOptions t = schedule_of(with_timeline(kWorld)).topology;
  REQUIRE(t.sites.size() == 5);
  CHECK(t.sites[0].kind == TopologyOptions::Kind::region);
  CHECK(t.sites[1].within == "eu");
  CHECK(t.sites[1].kind == TopologyOptions::Kind::zone);
  CHECK(t.sites[1].hosts == std::vector{Address{1}, Address{2}, client_address(ClientId(1))});
  CHECK(t.sites[3].kind == TopologyOptions::Kind::rack);
  CHECK(t.sites[4].hosts.size() == 49 + 2);
  REQUIRE(t.links.size() == 2);
  CHECK(t.links[0].name == "atlantic");
  CHECK(t.links[0].latency == constant_latency(40ms));
  CHECK(t.links[0].back == constant_latency(45ms));
  CHECK(t.links[0].bandwidth_bytes_per_s == 100'000'000);
  CHECK(t.links[0].loss.ppm == 1'000);
  CHECK(t.links[1].name == "eu-b--eu");
  CHECK(t.links[1].latency.distribution == "normal");
  CHECK_FALSE(t.links[1].back.has_value());
}

TEST_CASE("a topology that cannot be is refused where it is written") {
  CHECK(in_topology("  sites: { eu: [node-1, node-2], us: { within: ue, nodes: node-2 } }") ==
        R"(t.yaml:4:48: error: there is no site `ue`
  4 |   sites: { eu: [node-1, node-2], us: { within: ue, nodes: node-2 } }
    |                                                ^
  hint: did you mean `eu`? known here: eu, us
t.yaml:4:59: error: node-2 is in `eu` already
  4 |   sites: { eu: [node-1, node-2], us: { within: ue, nodes: node-2 } }
    |                                                           ^
  hint: a host is in one site at most, and so in all that hold it
)");
  check_says(in_topology("  sites: { eu: node-6 }"), "4:16: error: there is no node-6");
  check_says(in_topology("  sites: { eu: node-1..node-6 }"), "4:16: error: there is no node-6");
  check_says(in_topology("  sites: { eu: { clients: client-3 } }"), "there is no client-3");
  check_says(in_topology("  sites: { eu: { clients: node-1 } }"),
             "4:27: error: `clients` takes clients such as client-1, or client-1..client-5");
  check_says(in_topology("  sites: { eu: node-3..node-1 }"), "4:16: error: `eu` takes");
  check_says(in_topology("  sites: { eu: node-1..client-1 }"), "4:16: error: `eu` takes");
  check_says(in_topology("  sites: { eu: { kind: continent } }"), "4:24: error: `kind` takes");
  check_says(in_topology("  sites: { eu: { nods: node-1 } }"), "did you mean `nodes`?");
  check_says(in_topology("  sitez: {}"), "4:3: error: unknown key `sitez` in `topology`");
  check_says(in_topology("  sites: { a: { within: b }, b: { within: a } }"),
             "4:25: error: `a` is within itself: `a` within `b` within `a`");
  check_says(in_topology("  sites: { a: { within: a } }"), "`a` is within itself");
  check_says(in_topology("  sites: { a: { kind: rack }, b: { kind: zone, within: a } }"),
             "4:56: error: a zone cannot be within the rack `a`");
}

TEST_CASE("links that cannot be, or would never be used, are refused") {
  const std::string sites =
      "  sites: { eu: { kind: region }, a: { within: eu }, b: { within: eu },"
      " us: {} }\n";
  const auto links = [&](const std::string& text) {
    return in_topology(sites + "  links: [" + text + "]");
  };
  const std::string good = "{ between: [eu, us], latency: 40ms }";
  CHECK(links(good).empty());
  check_says(links("{ between: [eu, uk], latency: 1ms }"), "5:27: error: there is no site `uk`");
  check_says(links("{ between: [eu, eu], latency: 1ms }"), "error: a link from `eu` to itself");
  check_says(links("{ between: [eu], latency: 1ms }"), "`between` takes two sites");
  check_says(links("{ between: [eu, us] }"), "5:11: error: a link of the topology needs `latency`");
  check_says(links(good + ", { between: [us, eu], latency: 1ms }"),
             "error: `us` and `eu` are linked already, by `eu--us`");
  check_says(links("{ between: [eu, us], latency: 1ms, name: x }, "
                   "{ between: [a, us], latency: 1ms, name: x }"),
             "two links are called `x`");
  check_says(links(good + ", { between: [a, b], latency: 1ms }"),
             "this link would never be used: `a` and `b` are joined without delay");
  CHECK(links(good + ", { between: [a, eu], latency: 1ms }, { between: [a, b], latency: 1ms }")
            .empty());
  check_says(links("{ between: [a, eu], latency: 1ms }"), "`us` cannot reach `eu`");
  check_says(
      links("{ between: [eu, us], latency: { pareto: { minimum: 1ms, shape: 1 } } }"),
      "5:11: error: the latency of a link needs a mean, by which ways are chosen: this pareto");
  check_says(links("{ between: [eu, us], latency: 1ms, "
                   "back: { mixture: [{ latency: { pareto: { minimum: 1ms, shape: 0.5 } } }] } }"),
             "this mixture has none");
  check_says(links("{ between: [eu, us], latency: 1ms, loss: 2 }"), "`loss` takes a share");
}

// ---- Written as it was read ----------------------------------------------------------------

namespace {

rc::Gen<LatencyOptions> any_latency(int depth) {
  return rc::gen::exec([depth] {
    const auto time = [] { return Duration(*rc::gen::inRange<std::int64_t>(1, 5'000'000'000)); };
    LatencyOptions out = constant_latency(time());
    switch (*rc::gen::inRange(0, depth > 0 ? 7 : 6)) {
      case 0:
        break;
      case 1: {
        const Duration min = time();
        out = uniform_latency({min, min + time()});
        break;
      }
      case 2:
        out = exponential_latency(time());
        break;
      case 3:
        out = {};
        out.distribution = "normal";
        out.params.set("mean", time());
        out.params.set("deviation", time());
        break;
      case 4:
        out = {};
        out.distribution = "pareto";
        out.params.set("minimum", time());
        out.params.set("shape", std::to_string(*rc::gen::inRange(2, 9)) + ".25");
        break;
      case 5: {
        out = {};
        out.distribution = "histogram";
        Duration end{};
        for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
          const Duration begin = end + time();
          end = begin + time();
          out.buckets.push_back({{begin, end}, *rc::gen::inRange<std::uint64_t>(1, 100)});
        }
        break;
      }
      default:
        out = {};
        out.distribution = "mixture";
        for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
          out.parts.push_back({*rc::gen::inRange<std::uint64_t>(1, 100), *any_latency(depth - 1)});
        }
    }
    if (*rc::gen::arbitrary<bool>()) out.floor = time();
    if (*rc::gen::arbitrary<bool>()) out.cap = out.floor + time();
    return out;
  });
}

Share any_share() {
  return {*rc::gen::inRange<std::uint32_t>(0, 1'000'001)};
}
Duration any_time() {
  return Duration(*rc::gen::inRange<std::int64_t>(1, 9'000'000'000));
}
std::uint64_t any_size() {
  return *rc::gen::inRange<std::uint64_t>(0, 3'000'000'000);
}

// `sites`: it may name those of any_topology.
NetworkOptions any_network(bool sites) {
  NetworkOptions out;
  out.latency = *any_latency(2);
  for (auto& latency : out.latency_by_purpose) {
    if (*rc::gen::arbitrary<bool>()) latency = *any_latency(1);
  }
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    NetworkOptions::Link link{.from = {.host = Address(*rc::gen::inRange(0U, 4U)), .site = {}},
                              .latency = *any_latency(1)};
    if (*rc::gen::arbitrary<bool>()) link.to.host = client_address(ClientId(1));
    if (sites && link.to.is_any()) link.to.site = *rc::gen::arbitrary<bool>() ? "zone" : "east";
    if (*rc::gen::arbitrary<bool>()) link.purpose = Purpose::membership;
    out.links.push_back(link);
  }
  out.loss = any_share();
  out.duplicate = any_share();
  out.reorder = any_share();
  const Duration least = any_time();
  out.reorder_by = {least, least + any_time()};
  out.corrupt = any_share();
  out.mtu_bytes = any_size();
  out.bandwidth_bytes_per_s = any_size();
  out.receive_bandwidth_bytes_per_s = any_size();
  out.link_bandwidth_bytes_per_s = any_size();
  out.queue_bytes = any_size();
  if (*rc::gen::arbitrary<bool>()) {
    out.weather = {any_time(), any_share(), {0ns, any_time()}, any_share()};
  }
  out.stream.rto_min = 1ms + any_time();
  out.stream.rto_max = out.stream.rto_min + any_time();
  out.stream.reset_after = any_time();
  out.stream.handshake = *rc::gen::arbitrary<bool>();
  return out;
}

// A tree of a region, its zones and their racks, and regions around it in a ring.
TopologyOptions any_topology(std::uint32_t nodes) {
  using Kind = TopologyOptions::Kind;
  TopologyOptions out;
  out.sites = {{.name = "home", .kind = Kind::region},
               {.name = "zone", .kind = Kind::zone, .within = "home"},
               {.name = "rack", .kind = Kind::rack, .within = "zone"},
               {.name = "east", .kind = Kind::region},
               {.name = "west", .kind = Kind::zone}};
  for (std::uint32_t n = 1; n <= nodes; ++n) {
    const auto site = *rc::gen::inRange<std::size_t>(0, out.sites.size() + 1);
    if (site < out.sites.size()) out.sites[site].hosts.push_back(Address(n));
  }
  out.sites[*rc::gen::inRange<std::size_t>(0, 5)].hosts.push_back(client_address(ClientId(1)));
  for (const auto& [a, b] : std::vector<std::pair<std::string, std::string>>{
           {"home", "east"}, {"east", "west"}, {"west", "rack"}, {"rack", "zone"}}) {
    TopologyOptions::Link link{.name = a + "--" + b, .a = a, .b = b, .latency = *any_latency(1)};
    if (*rc::gen::arbitrary<bool>()) link.name = "cable-" + a;
    if (*rc::gen::arbitrary<bool>()) link.back = *any_latency(1);
    link.bandwidth_bytes_per_s = any_size();
    link.loss = any_share();
    out.links.push_back(std::move(link));
  }
  return out;
}

}  // namespace

TEST_CASE("a network and a topology are written as files that read back the same") {
  CHECK(rc::check("written, then read", [] {
    Schedule schedule = schedule_of(with_timeline("cluster: { nodes: 9 }"));
    const bool sites = *rc::gen::arbitrary<bool>();
    schedule.network = any_network(sites);
    if (sites) schedule.topology = any_topology(9);
    const std::string text = to_yaml(schedule);
    RC_LOG() << text;
    RC_LOG() << complaints(text);
    const auto scenario = read(text);
    RC_ASSERT(scenario.has_value());
    const auto again = scenario->materialise(1);
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->topology == schedule.topology);
    const NetworkOptions& a = again->network;
    const NetworkOptions& b = schedule.network;
    RC_ASSERT(a.latency == b.latency);
    RC_ASSERT(a.latency_by_purpose == b.latency_by_purpose);
    RC_ASSERT(a.links == b.links);
    RC_ASSERT(a.weather == b.weather);
    RC_ASSERT(a.stream == b.stream);
    RC_ASSERT(to_yaml(*again) == text);  // the scalars
  }));
}

TEST_CASE("what is wrong with a latency is pointed at where it stands") {
  const auto refused = [](const std::string& latency) {
    return complaints(with_timeline("network: { latency: " + latency + " }"));
  };
  CHECK(refused("{ exponential: 1ms, floor: 5ms, cap: 1ms }") ==
        R"(t.yaml:2:58: error: a `cap` is at least the `floor`
  2 | network: { latency: { exponential: 1ms, floor: 5ms, cap: 1ms } }
    |                                                          ^
)");
  const auto check_at = [&](const std::string& latency, const std::string& start) {
    INFO(refused(latency));
    const std::string text = refused(latency);
    CHECK(text.starts_with(start));
  };
  check_at("{ normal: { mean: 0s, deviation: 0s } }", "t.yaml:2:54: error: `deviation` is from");
  check_at("{ mixture: [{ latency: 1ms }, { weight: 0, latency: 1ms }] }",
           "t.yaml:2:61: error: a `weight` is from 1");
  check_at("{ mixture: [] }", "t.yaml:2:32: error: a mixture is a list");
  check_at("{ histogram: [{ range: 5ms..9ms, weight: 1 }, { range: 1ms..2ms }] }",
           "t.yaml:2:76: error: the ranges of a histogram ascend");
  check_at("{ histogram: [\n  { range: 1ms..2ms },\n  { range: 3ms..4ms, weight: 0 }] }",
           "t.yaml:4:30: error: a `weight` is from 1");
  check_at("{ log-normal: { median: 1ms, sigma: 11 } }", "t.yaml:2:57: error: `sigma` is a number");
  check_at("{ pareto: { minimum: 1ms, shape: 0.001 } }", "t.yaml:2:54: error: `shape` is a number");
  check_at("{ mixture: [{ weight: 1, latency: { exponential: 0s } }] }",
           "t.yaml:2:70: error: `mean` is from");
}
