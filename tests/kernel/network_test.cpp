#include "sim/kernel/network.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "tests/kernel/support.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

constexpr Address kA{1};
constexpr Address kB{2};
constexpr Address kC{3};

struct Routed {
  std::optional<MonotonicTime> arrival;
  DropReason dropped{};
};

Tag tag_of(std::uint64_t identity, std::uint32_t attempt = 0,
           Purpose purpose = Purpose::foreground) {
  return {.kind = kPing, .purpose = purpose, .identity = identity, .attempt = attempt};
}

Routed route(Network& network, MonotonicTime now, Address from, Address to, const Tag& tag,
             Transport transport = Transport::datagram, std::size_t size_bytes = 100) {
  Routed routed;
  routed.arrival = network.route(now, from, to, transport, size_bytes, tag, routed.dropped);
  return routed;
}

TEST_CASE("latency has the named shape: its bounds and its mean") {
  NetworkOptions options = constant_network(3ms);
  const auto mean_of = [](const NetworkOptions& with, Duration least, Duration most) {
    Network network(with, {}, 1);
    Duration sum{};
    constexpr std::int64_t draws = 200'000;
    for (std::uint64_t n = 0; n < draws; ++n) {
      const Duration latency =
          *route(network, at_time(0s), kA, kB, tag_of(n)).arrival - at_time(0s);
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

TEST_CASE("a link's latency goes before its purpose's, and that before the default") {
  NetworkOptions options = constant_network(1ms);
  const auto constant = [](Duration d) { return constant_latency(d); };
  options.latency_by_purpose[static_cast<std::size_t>(Purpose::repair)] = constant(2ms);
  options.links.push_back({.from = kA, .to = kC, .latency = constant(3ms)});
  Network network(options, {}, 1);
  const MonotonicTime now = at_time(1s);
  CHECK(route(network, now, kA, kB, tag_of(1)).arrival == now + 1ms);
  CHECK(route(network, now, kA, kB, tag_of(1, 0, Purpose::repair)).arrival == now + 2ms);
  CHECK(route(network, now, kA, kC, tag_of(1, 0, Purpose::repair)).arrival == now + 3ms);
  CHECK(route(network, now, kC, kA, tag_of(1)).arrival == now + 1ms);
}

TEST_CASE("a draw is a function of link and tag alone") {
  NetworkOptions options;
  options.loss = Share{300'000};
  Network busy(options, {}, 9);
  Network idle(options, {}, 9);
  for (std::uint64_t n = 0; n < 500; ++n) {
    (void)route(busy, at_time(0s), kA, kB, tag_of(1'000 + n));
    (void)route(busy, at_time(0s), kB, kA, tag_of(n));
  }
  const MonotonicTime later = at_time(10s);
  for (std::uint64_t n = 0; n < 50; ++n) {
    const MonotonicTime now = later + 1s * n;
    CHECK(route(busy, now, kA, kB, tag_of(n)).arrival ==
          route(idle, now, kA, kB, tag_of(n)).arrival);
  }
  CHECK(route(idle, at_time(99s), kA, kB, tag_of(5, 0), Transport::stream).arrival !=
        route(idle, at_time(99s), kA, kC, tag_of(5, 0), Transport::stream).arrival);
  CHECK(route(idle, at_time(199s), kA, kB, tag_of(5, 0), Transport::stream).arrival !=
        route(idle, at_time(199s), kA, kB, tag_of(5, 1), Transport::stream).arrival);
}

TEST_CASE("loss takes its share of datagrams, the same ones at a higher share") {
  const auto lost = [&](std::uint32_t ppm) {
    NetworkOptions options = constant_network(1ms);
    options.loss = Share{ppm};
    Network network(options, {}, 4);
    std::vector<bool> out;
    for (std::uint64_t n = 0; n < 20'000; ++n) {
      const Routed routed = route(network, at_time(0s), kA, kB, tag_of(n));
      if (!routed.arrival) CHECK(routed.dropped == DropReason::loss);
      out.push_back(!routed.arrival);
    }
    return out;
  };
  const auto count = [](const std::vector<bool>& flags) {
    return std::count(flags.begin(), flags.end(), true);
  };
  CHECK(count(lost(0)) == 0);
  const auto tenth = lost(100'000);
  CHECK(count(tenth) == doctest::Approx(2'000).epsilon(0.1));
  const auto fifth = lost(200'000);
  for (std::size_t n = 0; n < tenth.size(); ++n) {
    if (tenth[n] && !fifth[n]) FAIL("lost at 10% and not at 20%: " << n);
  }
}

TEST_CASE("a large transfer delays what its sender sends after it, and nobody else") {
  NetworkOptions options = constant_network(1ms);
  options.bandwidth_bytes_per_s = 1'000'000;
  Network network(options, {}, 1);
  const MonotonicTime now = at_time(1s);
  CHECK(route(network, now, kA, kB, tag_of(1), Transport::stream, 500'000).arrival == now + 501ms);
  CHECK(route(network, now, kA, kC, tag_of(2), Transport::datagram, 1'000).arrival == now + 502ms);
  CHECK(route(network, now, kB, kC, tag_of(3), Transport::datagram, 1'000).arrival == now + 2ms);
  CHECK(route(network, now + 10s, kA, kC, tag_of(4), Transport::datagram, 0).arrival ==
        now + 10s + 1ms);
}

TEST_CASE("a stream arrives in order whatever the latencies, each link by itself") {
  CHECK(rc::check([] {
    NetworkOptions options;
    options.latency = exponential_latency(50ms, 200us);
    Network network(options, {}, *rc::gen::arbitrary<std::uint64_t>());
    const auto gaps =
        *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(0U, 100'000'000U));
    MonotonicTime now{};
    MonotonicTime last{};
    for (std::size_t n = 0; n < gaps.size(); ++n) {
      now += Duration(gaps[n]);
      const auto arrival = route(network, now, kA, kB, tag_of(n), Transport::stream).arrival;
      RC_ASSERT(arrival.has_value());
      RC_ASSERT(*arrival > last);
      RC_ASSERT(*arrival > now);
      last = *arrival;
    }
  }));
}

TEST_CASE("order on a stream survives the sweep of idle streams") {
  NetworkOptions options;
  options.latency = exponential_latency(10s, 200us);
  Network network(options, {}, 1);
  MonotonicTime last{};
  for (std::uint32_t n = 0; n < 20'000; ++n) {
    const MonotonicTime now = at_time(Duration(100us * n));
    (void)route(network, now, Address(100 + n), kB, tag_of(1), Transport::stream);
    const auto arrival = route(network, now, kA, kB, tag_of(n), Transport::stream).arrival;
    if (!(*arrival > last)) FAIL("out of order at " << n);
    last = *arrival;
  }
}

TEST_CASE("messages to oneself pass no port and no weather") {
  NetworkOptions options = constant_network(1s);
  options.bandwidth_bytes_per_s = 1;
  options.loss = Share{1'000'000};
  Network network(options, {}, 1);
  (void)network.cut(LinkSet::between({{kA}, {kB}}));
  const auto arrival = route(network, at_time(1s), kA, kA, tag_of(1)).arrival;
  REQUIRE(arrival.has_value());
  CHECK(*arrival > at_time(1s));
  CHECK(*arrival < at_time(1s) + 1ms);
}

TEST_CASE("effects compose, and each ends alone") {
  Network network(constant_network(1ms), {}, 1);
  for (const Address host : {kA, kB, kC}) network.add_host(host);
  const LinkSet split = LinkSet::between({{kA}, {kB, kC}});
  CHECK(network.count(split) == 4);
  const EffectId groups = network.cut(split);
  CHECK(network.is_cut(kA, kB));
  CHECK(network.is_cut(kC, kA));
  CHECK_FALSE(network.is_cut(kB, kC));
  CHECK_FALSE(network.is_cut(kA, Address{9}));
  const EffectId again = network.cut(LinkSet::from_to({kA}, {kB}));
  CHECK(network.end(groups));
  CHECK_FALSE(network.end(groups));
  CHECK(network.is_cut(kA, kB));
  CHECK_FALSE(network.is_cut(kB, kA));
  CHECK(network.end(again));
  CHECK_FALSE(network.is_cut(kA, kB));
  (void)network.cut(split);
  CHECK(route(network, at_time(0s), kA, kC, tag_of(1)).dropped == DropReason::partition);
  CHECK(network.heal() == 4);
  CHECK(network.heal() == 0);
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
  machines.at(at_time(split), [&] { (void)machines.kernel.network().cut(LinkSet::between({{kA}, {kB}})); });
  machines.at(at_time(healed), [&] { (void)machines.kernel.network().heal(); });
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

}  // namespace
}  // namespace rejoin::sim
