#include "sim/kernel/network.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "model/message.hpp"
#include "tests/kernel/wire.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

TEST_CASE("latency has the named shape: its bounds and its mean") {
  NetworkOptions options = constant_network(3ms);
  const auto mean_of = [](const NetworkOptions& with, Duration least, Duration most) {
    Wire wire(with);
    Duration sum{};
    constexpr std::int64_t draws = 100'000;
    for (std::uint64_t n = 0; n < draws; ++n) {
      const Duration latency = *wire.arrival(kA, kB, tag_of(n)) - at_time(0s);
      if (latency < least || latency > most) FAIL("outside its bounds: " << latency.count());
      sum += latency;
    }
    return static_cast<double>(sum.count()) / draws;
  };
  CHECK(mean_of(options, 3ms, 3ms) == doctest::Approx(3e6));
  options.latency = uniform_latency({1ms, 2ms});
  CHECK(mean_of(options, 1ms, 2ms) == doctest::Approx(1.5e6).epsilon(0.01));
  options.latency = exponential_latency(1ms, 200us);
  CHECK(mean_of(options, 200us, 60ms) == doctest::Approx(1.2e6).epsilon(0.01));
}

TEST_CASE(
    "the first pattern that matches goes before the purpose's latency, that before the rest") {
  NetworkOptions options = constant_network(1ms);
  options.latency_by_purpose[static_cast<std::size_t>(Purpose::repair)] = constant_latency(2ms);
  options.links.push_back({.from = {.host = kA},
                           .to = {.host = kC},
                           .purpose = Purpose::consensus,
                           .latency = constant_latency(3ms)});
  options.links.push_back(
      {.from = {}, .to = {.host = kC}, .purpose = {}, .latency = constant_latency(4ms)});
  options.links.push_back(
      {.from = {.host = kA}, .to = {.host = kC}, .purpose = {}, .latency = constant_latency(5ms)});
  options.links.push_back(
      {.from = {.host = kC}, .to = {}, .purpose = {}, .latency = constant_latency(6ms)});
  options.links.push_back(
      {.from = {}, .to = {}, .purpose = Purpose::membership, .latency = constant_latency(7ms)});
  Wire wire(options);
  wire.now = at_time(1s);
  const auto latency = [&](Address from, Address to, Purpose purpose) {
    return *wire.arrival(from, to, tag_of(1, 0, purpose)) - wire.now;
  };
  CHECK(latency(kA, kB, Purpose::foreground) == 1ms);
  CHECK(latency(kA, kB, Purpose::repair) == 2ms);
  CHECK(latency(kA, kC, Purpose::consensus) == 3ms);
  CHECK(latency(kA, kC, Purpose::repair) == 4ms);  // the second is before the third
  CHECK(latency(kB, kC, Purpose::consensus) == 4ms);
  CHECK(latency(kC, kA, Purpose::membership) == 6ms);
  CHECK(latency(kB, kA, Purpose::membership) == 7ms);
}

TEST_CASE("a draw is a function of link and tag alone") {
  NetworkOptions options;
  options.loss = Share{300'000};
  options.bandwidth_bytes_per_s = 0;
  Wire busy(options, 9);
  Wire idle(options, 9);
  for (std::uint64_t n = 0; n < 500; ++n) {
    busy.send(kA, kB, tag_of(1'000 + n));
    busy.send(kB, kA, tag_of(n));
  }
  busy.run();
  for (std::uint64_t n = 0; n < 50; ++n) {
    busy.now = idle.now = at_time(10s + 1s * n);
    CHECK(busy.arrival(kA, kB, tag_of(n)) == idle.arrival(kA, kB, tag_of(n)));
  }
  options.loss = {};
  Wire lossless(options, 9);
  CHECK(lossless.arrival(kA, kB, tag_of(5)) != lossless.arrival(kA, kC, tag_of(5)));
  CHECK(lossless.arrival(kA, kB, tag_of(5)) != lossless.arrival(kA, kB, tag_of(5, 1)));
}

TEST_CASE("messages to oneself pass no port and no weather") {
  NetworkOptions options = constant_network(1s);
  options.bandwidth_bytes_per_s = 1;
  options.mtu_bytes = 10;
  options.loss = options.duplicate = options.corrupt = Share{1'000'000};
  options.weather = {.slot = 1s, .rough = Share{1'000'000}, .extra = {1s, 1s}, .loss = {}};
  Wire wire(options);
  (void)wire.network.cut(LinkSet::all());
  (void)wire.network.clog(LinkSet::touching({kA}));
  wire.send(kA, kA, tag_of(1));
  for (std::uint64_t n = 2; n < 10; ++n) wire.send(kA, kA, tag_of(n), Transport::stream);
  wire.run();
  CHECK(wire.arrived.size() == 9);
  CHECK(wire.arrived.front().at > at_time(0s));
  CHECK(wire.arrived.back().at < at_time(1ms));
  CHECK(wire.mishaps.empty());
}

TEST_CASE("the direct way is only a cheaper one: all fares alike") {
  const auto live = [](bool direct) {
    NetworkOptions options;
    options.latency = exponential_latency(20ms);
    options.bandwidth_bytes_per_s = 1'000'000;
    Wire wire(options, 6);
    wire.direct = direct;
    EffectId effect;
    for (std::uint64_t n = 0; n < 4'000; ++n) {
      wire.run_until(at_time(1ms * n));
      const Address to = n % 3 == 0 ? kB : kC;
      wire.send(kA, to, tag_of(n), n % 2 == 0 ? Transport::stream : Transport::datagram, n % 2'000);
      if (n % 1'000 == 300) effect = wire.network.cut(LinkSet::pairs({{kA, kB}}));
      if (n % 1'000 == 500) CHECK(wire.network.end(effect));
      if (n == 2'700) wire.network.host_stopped(kC);
    }
    wire.run();
    CHECK((wire.directly > 1'000) == direct);
    return wire.arrived;
  };
  CHECK(live(true) == live(false));
}

// ---- Cuts, flaps, clogs --------------------------------------------------------------------

TEST_CASE("effects compose, and each ends alone") {
  Wire wire(constant_network(1ms));
  Network& network = wire.network;
  for (const Address host : {kA, kB, kC}) network.add_host(host);
  const LinkSet split = LinkSet::between({{kA}, {kB, kC}});
  const EffectId groups = network.cut(split);
  CHECK(network.is_cut(kA, kB));
  CHECK(network.is_cut(kC, kA));
  CHECK_FALSE(network.is_cut(kB, kC));
  CHECK_FALSE(network.is_cut(kA, Address{9}));
  const EffectId again = network.cut(LinkSet::from_to({kA}, {kB}));
  CHECK(network.end(groups));
  CHECK_FALSE(network.end(groups));
  CHECK_FALSE(network.end(EffectId{}));
  CHECK(network.is_cut(kA, kB));
  CHECK_FALSE(network.is_cut(kB, kA));
  CHECK(network.end(again));
  CHECK_FALSE(network.is_cut(kA, kB));
}

TEST_CASE("a heal ends cuts, flaps and clogs, says how many links they were on, and nothing else") {
  Wire wire(constant_network(1ms));
  Network& network = wire.network;
  for (const Address host : {kA, kB, kC}) network.add_host(host);
  (void)network.cut(LinkSet::between({{kA}, {kB, kC}}));                              // 4 links
  (void)network.flap(LinkSet::from_to({kA}, {kB}), 1s, Share{500'000}, at_time(0s));  // of these
  const EffectId clog = network.clog(LinkSet::pairs({{kB, kC}}));                     // another
  const EffectId loss = network.impair(LinkSet::all(), {.loss = Share{1'000'000}}, 1);
  CHECK(network.heal() == 5);
  CHECK(network.heal() == 0);
  CHECK_FALSE(network.end(clog));
  CHECK_FALSE(wire.arrival(kA, kB, tag_of(1)).has_value());
  CHECK(network.end(loss));
  CHECK(wire.arrival(kA, kB, tag_of(1)).has_value());
}

TEST_CASE("a flapping link is down by the clock alone, for its share of each period") {
  Wire wire(constant_network(0ms));
  const EffectId flap =
      wire.network.flap(LinkSet::pairs({{kA, kB}}), 100ms, Share{250'000}, at_time(1s));
  std::uint64_t down = 0;
  for (int ms = 0; ms < 2'000; ++ms) {
    wire.now = at_time(1ms * ms);
    const bool expected = ms >= 1'000 && ms % 100 < 25;
    CHECK(wire.network.is_cut(kA, kB) == expected);
    CHECK_FALSE(wire.network.is_cut(kB, kA));
    CHECK(wire.arrival(kA, kB, tag_of(1)).has_value() != expected);
    down += wire.network.is_cut(kA, kB) ? 1U : 0U;
  }
  CHECK(down == 250);
  wire.now = at_time(1s);
  CHECK(wire.network.end(flap));
  CHECK_FALSE(wire.network.is_cut(kA, kB));
}

TEST_CASE("a clog holds what would arrive and lets all of it arrive when it ends") {
  Wire wire(constant_network(10ms));
  wire.send(kA, kB, tag_of(1));
  wire.run_until(at_time(5ms));
  const EffectId clog = wire.network.clog(LinkSet::pairs({{kA, kB}}));
  const EffectId other = wire.network.clog(LinkSet::pairs({{kA, kC}}));
  wire.send(kA, kB, tag_of(2));
  wire.send(kA, kC, tag_of(3));
  for (std::uint64_t n = 4; n < 8; ++n) wire.stream(n);
  wire.run_until(at_time(100ms));
  CHECK(wire.arrived.empty());
  CHECK(wire.count(Mishap::clogged) == 7);
  wire.send(kA, kB, tag_of(8));  // is under way when the clog ends
  CHECK(wire.network.end(clog));
  wire.run_until(at_time(100ms));
  CHECK(wire.identities() == std::vector<std::uint64_t>{1, 2, 4, 5, 6, 7});
  for (const Arrived& item : wire.arrived) CHECK(item.at == at_time(100ms));
  wire.run();
  CHECK(wire.arrived.back().at == at_time(110ms));
  CHECK(wire.network.end(other));
  wire.run();
  CHECK(wire.arrived.back().identity == 3);
  CHECK(wire.dropped.empty());
}

TEST_CASE("a clog that ends in a cut loses what it held") {
  Wire wire(constant_network(10ms));
  const EffectId clog = wire.network.clog(LinkSet::all());
  wire.send(kA, kB, tag_of(1));
  wire.run_until(at_time(1s));
  (void)wire.network.cut(LinkSet::all());
  CHECK(wire.network.end(clog));
  wire.run();
  CHECK(wire.arrived.empty());
  CHECK(wire.count(DropReason::partition) == 1);
}

// What node 2 hears when the network is split at `split` and healed at `healed`, of messages that
// node 1 sends at 0 ms and 15 ms and that take 10 ms.
std::string heard_across(Duration split, Duration healed) {
  Machines machines({.seed = 1, .fifo = false, .network = constant_network(10ms), .disk = {}}, 2);
  std::string heard;
  machines.script(1).start = [](Env& env) {
    send_text(env, kB, "first ", 1);
    env.arm(kTick, at_time(15ms));
  };
  machines.script(1).timer = [](Env& env, TimerId) { send_text(env, kB, "second ", 2); };
  machines.script(2).message = [&](Env&, Address, ByteView frame) { heard += text_of(frame); };
  Network& network = machines.kernel.network();
  machines.at(at_time(split), [&] { (void)network.cut(LinkSet::between({{kA}, {kB}})); });
  machines.at(at_time(healed), [&] { (void)network.heal(); });
  machines.start_all();
  machines.run();
  CHECK(machines.kernel.traffic().messages == 2);
  CHECK(machines.kernel.traffic().dropped == (heard == "first second " ? 0U : 1U));
  return heard;
}

TEST_CASE("a partition is judged when a message is sent and again when it arrives") {
  CHECK(heard_across(2ms, 8ms) == "first second ");  // over before the first arrives
  CHECK(heard_across(2ms, 12ms) == "second ");       // the first is under way and lost
  CHECK(heard_across(12ms, 18ms) == "first ");       // the second is sent into it
}

// ---- Sites ---------------------------------------------------------------------------------

TopologyOptions three_sites() {
  TopologyOptions topology;
  const std::vector<std::pair<std::string, Address>> sites{{"a", kA}, {"b", kB}, {"c", kC}};
  for (const auto& [name, host] : sites) {
    topology.sites.push_back({.name = name, .kind = {}, .within = {}, .hosts = {host}});
  }
  const auto join = [&](std::string a, std::string b, Duration latency) {
    TopologyOptions::Link link;
    link.name = a + "--" + b;
    link.a = std::move(a);
    link.b = std::move(b);
    link.latency = constant_latency(latency);
    topology.links.push_back(link);
  };
  join("a", "b", 10ms);
  join("b", "c", 20ms);
  join("a", "c", 50ms);
  return topology;
}

TEST_CASE("a message crosses the links of the shortest path, and the next when one is cut") {
  Wire wire(constant_network(1ms), 1, three_sites());
  Network& network = wire.network;
  for (const Address host : {kA, kB, kC}) network.add_host(host);
  CHECK(wire.arrival(kA, kC, tag_of(1)) == at_time(31ms));
  const EffectId cut = network.cut_site_link("b--c");
  REQUIRE_FALSE(cut.is_none());
  CHECK(wire.arrival(kA, kC, tag_of(1)) == at_time(51ms));
  const EffectId site = network.cut_site("c");
  REQUIRE_FALSE(site.is_none());
  CHECK(network.is_cut(kA, kC));
  CHECK_FALSE(wire.arrival(kA, kC, tag_of(1)).has_value());
  CHECK(wire.count(DropReason::partition) == 1);
  CHECK(network.end(site));
  CHECK(wire.arrival(kA, kC, tag_of(1)) == at_time(51ms));
  CHECK(network.end(cut));
  CHECK_FALSE(network.end(cut));
  CHECK(wire.arrival(kA, kC, tag_of(1)) == at_time(31ms));
  CHECK(network.cut_site("nowhere").is_none());
  CHECK(network.cut_site_link("a--z").is_none());
  (void)network.cut_site("b");
  CHECK(network.heal() == 4);
  CHECK(wire.arrival(kA, kB, tag_of(1)) == at_time(11ms));
}

TEST_CASE("a host added beside another shares its site, unless the topology places it") {
  Wire wire(constant_network(1ms), 1, three_sites());
  for (const Address host : {kA, kB, kC}) wire.network.add_host(host);
  wire.network.add_host(Address(9), kC);
  CHECK(wire.arrival(kC, Address(9), tag_of(1)) == at_time(1ms));
  CHECK(wire.arrival(kB, Address(9), tag_of(1)) == at_time(21ms));
}

TEST_CASE("the latency between two sites is by class of message, for whoever is there") {
  TopologyOptions topology = three_sites();
  topology.sites.push_back(
      {.name = "all", .kind = TopologyOptions::Kind::region, .within = {}, .hosts = {}});
  topology.sites[0].within = "all";
  NetworkOptions options = constant_network(1ms);
  const auto add = [&](NetworkOptions::End from, NetworkOptions::End to,
                       std::optional<Purpose> purpose, Duration latency) {
    options.links.push_back({.from = std::move(from),
                             .to = std::move(to),
                             .purpose = purpose,
                             .latency = constant_latency(latency)});
  };
  add({.host = {}, .site = "all"}, {.host = {}, .site = "b"}, Purpose::repair, 5ms);
  add({.host = kB, .site = {}}, {}, {}, 7ms);
  Wire wire(options, 1, topology);
  for (const Address host : {kA, kB, kC}) wire.network.add_host(host);
  // Over the way of 10 ms between the sites. A site holds what lies in those within it.
  const Tag repair = tag_of(1, 0, Purpose::repair);
  CHECK(wire.arrival(kA, kB, repair) == at_time(15ms));
  CHECK(wire.arrival(kA, kB, tag_of(1)) == at_time(11ms));
  CHECK(wire.arrival(kC, kB, repair) == at_time(21ms));
  CHECK(wire.arrival(kB, kA, repair) == at_time(17ms));
  // A twin or a node that has moved is where the other is, and is the other to a link.
  wire.network.add_host(Address(8), kA);
  wire.network.add_host(Address(9), kB);
  wire.network.add_host(Address(10), Address(9));
  CHECK(wire.arrival(Address(8), kB, repair) == at_time(15ms));
  CHECK(wire.arrival(Address(9), kA, repair) == at_time(17ms));
  CHECK(wire.arrival(Address(10), kA, repair) == at_time(17ms));
}

TEST_CASE("who is put beside a host is behind the same cuts, until they end") {
  Wire wire(constant_network(1ms));
  Network& network = wire.network;
  for (const Address host : {kA, kB, kC}) network.add_host(host);
  const EffectId cut = network.cut(LinkSet::between({{kA}, {kB, kC}}));
  const EffectId slow =
      network.impair(LinkSet::pairs({{kA, kB}, {kB, kA}}), {.extra = constant_latency(4ms)}, 1);
  const Address second(9);
  network.add_host(second, kA);
  CHECK(network.is_cut(second, kB));
  CHECK(network.is_cut(kC, second));
  CHECK_FALSE(network.is_cut(second, kA));
  CHECK(network.end(cut));
  CHECK_FALSE(network.is_cut(second, kB));
  CHECK(wire.arrival(second, kB, tag_of(1)) == at_time(5ms));
  CHECK(wire.arrival(second, kC, tag_of(1)) == at_time(1ms));
  CHECK(network.end(slow));
  CHECK(wire.arrival(second, kB, tag_of(1)) == at_time(1ms));
}

TEST_CASE("a link of the topology loses and carries what passes it, each way by itself") {
  TopologyOptions topology = three_sites();
  topology.links[0].bandwidth_bytes_per_s = 1'000'000;
  topology.links[1].loss = Share{1'000'000};
  Wire wire(constant_network(1ms), 1, topology);
  wire.send(kA, kB, tag_of(1), Transport::datagram, 50'000);
  wire.send(kA, kB, tag_of(2), Transport::datagram, 0);
  wire.send(kB, kA, tag_of(3), Transport::datagram, 0);
  wire.send(kA, kC, tag_of(4), Transport::datagram, 0);
  wire.run();
  REQUIRE(wire.identities() == std::vector<std::uint64_t>{3, 1, 2});
  CHECK(wire.arrived[0].at == at_time(11ms));
  CHECK(wire.arrived[1].at == at_time(61ms));
  CHECK(wire.count(DropReason::loss) == 1);
}

}  // namespace
}  // namespace rejoin::sim
