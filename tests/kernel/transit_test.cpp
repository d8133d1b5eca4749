#include "sim/kernel/transit.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "model/message.hpp"
#include "tests/kernel/wire.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

constexpr std::uint64_t kMany = 40'000;

// `count` of kMany independent draws at that share is within 4 sigma of its mean (one run in
// 16,000 would not be; the seeds are fixed).
bool is_share_of_many(std::uint64_t count, Share share) {
  const double p = share.ppm / 1e6;
  const double mean = p * kMany;
  const double sigma = std::sqrt(mean * (1 - p));
  return std::abs(static_cast<double>(count) - mean) <= 4 * sigma;
}

// What became of each of kMany datagrams from A to B, sent at one instant.
struct Fate {
  std::vector<MonotonicTime> arrivals{};
  bool corrupted = false;
  friend bool operator==(const Fate&, const Fate&) = default;
};
std::map<std::uint64_t, Fate> fates_on(Wire& wire, std::uint64_t messages = kMany) {
  std::map<std::uint64_t, Fate> out;
  for (std::uint64_t n = 0; n < messages; ++n) {
    const MonotonicTime sent = wire.now;
    wire.arrived.clear();
    wire.send(kA, kB, tag_of(n));
    wire.run();
    wire.now = sent;
    Fate& fate = out[n];
    for (const Arrived& item : wire.arrived) {
      fate.arrivals.push_back(item.at);
      fate.corrupted = fate.corrupted || item.frame != Bytes(100);
    }
  }
  return out;
}
std::map<std::uint64_t, Fate> fates(const NetworkOptions& options) {
  Wire wire(options, 4);
  return fates_on(wire);
}
template <class Predicate>
std::set<std::uint64_t> which(const std::map<std::uint64_t, Fate>& all, Predicate predicate) {
  std::set<std::uint64_t> out;
  for (const auto& [n, fate] : all) {
    if (predicate(fate)) out.insert(n);
  }
  return out;
}
const auto is_lost = [](const Fate& fate) { return fate.arrivals.empty(); };
const auto is_double = [](const Fate& fate) { return fate.arrivals.size() == 2; };
const auto is_late = [](const Fate& fate) {
  return !fate.arrivals.empty() && fate.arrivals.front() > at_time(1ms);
};
const auto is_corrupt = [](const Fate& fate) { return fate.corrupted; };

// The same messages at 10% and at 20% of one chance: as many as it says, the ones in the others.
template <class Predicate>
void check_rate(Share NetworkOptions::*chance, Predicate predicate) {
  std::set<std::uint64_t> last;
  for (const std::uint32_t ppm : {0U, 1'000U, 100'000U, 200'000U, 1'000'000U}) {
    NetworkOptions options = constant_network(1ms);
    options.*chance = Share{ppm};
    const auto struck = which(fates(options), predicate);
    CHECK(is_share_of_many(struck.size(), Share{ppm}));
    CHECK(std::includes(struck.begin(), struck.end(), last.begin(), last.end()));
    last = struck;
  }
}

TEST_CASE("loss takes its share of datagrams, the same ones at a higher share") {
  check_rate(&NetworkOptions::loss, is_lost);
}
TEST_CASE("duplication doubles its share of datagrams, the same ones at a higher share") {
  check_rate(&NetworkOptions::duplicate, is_double);
}
TEST_CASE("reordering holds its share of datagrams back, the same ones at a higher share") {
  check_rate(&NetworkOptions::reorder, is_late);
}
TEST_CASE("corruption hits its share of datagrams, the same ones at a higher share") {
  check_rate(&NetworkOptions::corrupt, is_corrupt);
}

TEST_CASE("the four chances are independent of one another") {
  NetworkOptions options = constant_network(1ms);
  options.reorder = options.corrupt = Share{500'000};
  const auto alone = fates(options);
  const auto both = which(alone, [](const Fate& f) { return is_late(f) && is_corrupt(f); });
  CHECK(is_share_of_many(both.size(), Share{250'000}));
  options.loss = options.duplicate = Share{500'000};
  const auto all = fates(options);
  for (const auto& [n, fate] : all) {
    // What is not lost fares as it did without loss and without copies.
    if (is_lost(fate)) continue;
    const auto& arrivals = fate.arrivals;
    CHECK(std::find(arrivals.begin(), arrivals.end(), alone.at(n).arrivals.front()) !=
          arrivals.end());
  }
  CHECK(is_share_of_many(which(all, is_lost).size(), Share{500'000}));
  CHECK(is_share_of_many(which(all, is_double).size(), Share{250'000}));
}

TEST_CASE("a copy has a delay of its own; what is held back is by a draw from its range") {
  NetworkOptions options = constant_network(0ms);
  options.latency = uniform_latency({1ms, 2ms});
  options.duplicate = Share{1'000'000};
  Wire wire(options);
  double sum = 0;
  for (const auto& [n, fate] : fates_on(wire, 10'000)) {
    REQUIRE(fate.arrivals.size() == 2);
    CHECK(fate.arrivals[0] != fate.arrivals[1]);
    sum += static_cast<double>((fate.arrivals[1] - fate.arrivals[0]).count());
  }
  CHECK(wire.count(Mishap::duplicated) == 10'000);
  CHECK(sum / 10'000 == doctest::Approx(1e6 / 3).epsilon(0.03));  // of two uniform draws

  options = constant_network(1ms);
  options.reorder = Share{1'000'000};
  options.reorder_by = {2ms, 4ms};
  Duration held{};
  for (const auto& [n, fate] : fates(options)) {
    const Duration by = fate.arrivals.front() - at_time(1ms);
    CHECK((by >= 2ms && by <= 4ms));
    held += by;
  }
  CHECK(static_cast<double>(held.count()) / kMany == doctest::Approx(3e6).epsilon(0.01));
}

TEST_CASE("corruption flips one bit, anywhere in the frame, and the receiver's checksum sees it") {
  NetworkOptions options = constant_network(1ms);
  options.corrupt = Share{1'000'000};
  Wire wire(options);
  const Bytes frame = encode_frame(kPing, Bytes(50));
  REQUIRE(decode_frame(frame).has_value());
  std::set<std::size_t> bits;
  for (std::uint64_t n = 0; n < 8'000; ++n) {
    wire.network.send(Transport::datagram,
                      {.from = kA, .to = kB, .tag = tag_of(n), .frame = frame});
  }
  wire.run();
  for (const Arrived& item : wire.arrived) {
    CHECK_FALSE(decode_frame(item.frame).has_value());
    std::size_t flipped = 0;
    for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
      if (((item.frame[bit / 8] ^ frame[bit / 8]) >> (bit % 8) & 1) == 0) continue;
      ++flipped;
      bits.insert(bit);
    }
    CHECK(flipped == 1);
  }
  CHECK(bits.size() == 8 * frame.size());
  CHECK(wire.count(Mishap::corrupted) == 8'000);
}

TEST_CASE("a datagram above the MTU is dropped, a stream is not") {
  NetworkOptions options = constant_network(1ms);
  options.mtu_bytes = 1'500;
  Wire wire(options);
  CHECK(wire.arrival(kA, kB, tag_of(1), 1'500).has_value());
  CHECK_FALSE(wire.arrival(kA, kB, tag_of(2), 1'501).has_value());
  CHECK(wire.count(DropReason::too_large) == 1);
  wire.stream(3, 100'000);
  wire.run();
  CHECK(wire.arrived.size() == 1);
  (void)wire.network.impair(LinkSet::all(), {.mtu_bytes = 576}, 1);
  CHECK_FALSE(wire.arrival(kA, kB, tag_of(1), 1'000).has_value());
}

// ---- Effects and draws ---------------------------------------------------------------------

Impairment losing(std::uint32_t ppm) {
  Impairment out;
  out.loss = Share{ppm};
  return out;
}

TEST_CASE("a message fares alike whatever other effects come and go") {
  NetworkOptions options;
  options.loss = Share{50'000};
  options.bandwidth_bytes_per_s = 0;
  Impairment impairment = losing(100'000);
  impairment.duplicate = impairment.reorder = impairment.corrupt = Share{200'000};
  impairment.extra = exponential_latency(3ms);
  const WeatherOptions weather{
      .slot = 50ms, .rough = Share{500'000}, .extra = {1ms, 9ms}, .loss = Share{100'000}};
  const LinkSet links = LinkSet::pairs({{kA, kB}});

  Wire alone(options, 5);
  (void)alone.network.impair(links, impairment, 1);
  (void)alone.network.weather(links, weather, 2);

  Wire crowded(options, 5);
  const EffectId before = crowded.network.impair(LinkSet::all(), losing(300'000), 3);
  (void)crowded.network.weather(LinkSet::touching({kC}), weather, 4);
  // On the same links: others that do nothing, and one that is over by now.
  (void)crowded.network.impair(links, {.mtu_bytes = 60'000}, 5);
  (void)crowded.network.impair(links, losing(0), 6);
  const EffectId over = crowded.network.impair(links, impairment, 7);
  (void)crowded.network.weather(links, weather, 2);
  (void)crowded.network.impair(LinkSet::pairs({{kB, kA}}), impairment, 8);
  (void)crowded.network.impair(links, impairment, 1);
  CHECK(crowded.network.end(over));
  (void)crowded.network.cut(LinkSet::pairs({{kA, kC}}));
  const auto without = fates_on(alone, 5'000);
  const auto with = fates_on(crowded, 5'000);
  std::uint64_t lost_besides = 0;
  for (const auto& [n, fate] : with) {
    if (is_lost(fate) && !is_lost(without.at(n))) {
      ++lost_besides;
    } else {
      CHECK(fate == without.at(n));
    }
  }
  CHECK(lost_besides > 500);
  CHECK(crowded.network.end(before));
  CHECK(fates_on(crowded, 5'000) == without);
}

TEST_CASE("two equal impairments strike independently, and each is nested in its share") {
  const auto lost_with = [](const std::vector<std::uint32_t>& shares, std::uint64_t key = 1) {
    Wire wire(constant_network(1ms), 4);
    for (const std::uint32_t ppm : shares) {
      (void)wire.network.impair(LinkSet::all(), losing(ppm), key++);
    }
    return which(fates_on(wire), is_lost);
  };
  const auto once = lost_with({100'000});
  const auto more = lost_with({200'000});
  const auto twice = lost_with({100'000, 100'000});
  CHECK(is_share_of_many(once.size(), Share{100'000}));
  CHECK(is_share_of_many(twice.size(), Share{190'000}));
  CHECK(std::includes(more.begin(), more.end(), once.begin(), once.end()));
  CHECK(std::includes(twice.begin(), twice.end(), once.begin(), once.end()));
  // Without the first the second loses what it lost beside it.
  std::set<std::uint64_t> both = once;
  both.merge(lost_with({100'000}, 2));
  CHECK(both == twice);
}

TEST_CASE("weather is a function of link and slot") {
  NetworkOptions options = constant_network(1ms);
  options.weather = {.slot = 100ms, .rough = Share{300'000}, .extra = {5ms, 5ms}, .loss = Share{}};
  const auto rough = [&](Wire& wire, Address from, Duration at, std::uint64_t identity) {
    wire.now = at_time(at);
    return *wire.arrival(from, kB, tag_of(identity)) - wire.now == 6ms;
  };
  Wire forward(options, 2);
  Wire backward(options, 2);
  std::vector<bool> slots;
  std::uint64_t differ = 0;
  for (int slot = 0; slot < 10'000; ++slot) {
    const bool is_rough = rough(forward, kA, 100ms * slot, 1);
    CHECK(rough(forward, kA, 100ms * slot + 99ms, 2) == is_rough);
    slots.push_back(is_rough);
    differ += rough(forward, kC, 100ms * slot, 1) != is_rough ? 1U : 0U;
  }
  for (int slot = 9'999; slot >= 0; --slot) {
    CHECK(rough(backward, kA, 100ms * slot + 50ms, 3) == slots[static_cast<std::size_t>(slot)]);
  }
  // 4 sigma: 183 of 3,000 rough ones, 198 of 4,200 (2 * 0.3 * 0.7) that differ between links.
  CHECK(std::abs(std::count(slots.begin(), slots.end(), true) - 3'000) < 183);
  CHECK(std::abs(static_cast<double>(differ) - 4'200) < 198);
}

TEST_CASE("weather loses datagrams in rough slots alone") {
  NetworkOptions options = constant_network(1ms);
  options.weather = {
      .slot = 1ms, .rough = Share{500'000}, .extra = {1ms, 1ms}, .loss = Share{1'000'000}};
  Wire wire(options);
  for (int ms = 0; ms < 1'000; ++ms) {
    wire.now = at_time(1ms * ms);
    const auto arrival = wire.arrival(kA, kB, tag_of(1));
    if (arrival) CHECK(*arrival == wire.now + 1ms);
  }
  CHECK(wire.count(DropReason::loss) > 400);
  CHECK(wire.count(DropReason::loss) < 600);
}

// ---- What effects have done ----------------------------------------------------------------

TEST_CASE("every effect of links counts what it did, and nothing else") {
  const LinkSet links = LinkSet::from_to({kA}, {kB});
  const auto count = [&](const auto& begin, std::size_t size_bytes = 100) {
    Wire wire(constant_network(1ms), 4);
    const EffectId effect = begin(wire.network);
    for (std::uint64_t n = 0; n < 1'000; ++n) {
      wire.send(kA, kB, tag_of(n), Transport::datagram, size_bytes);
      wire.send(kB, kA, tag_of(n), Transport::datagram, size_bytes);
    }
    wire.run_until(at_time(1s));
    CHECK(wire.network.end(effect));
    const std::uint64_t did = wire.effect_counts.of(effect);
    // It is over.
    wire.send(kA, kB, tag_of(1'001));
    wire.run();
    CHECK(wire.effect_counts.of(effect) == did);
    return std::pair(did, wire.dropped.size() + wire.mishaps.size());
  };
  const auto impaired = [&](const Impairment& what) {
    return [&, what](Network& network) { return network.impair(links, what, 1); };
  };
  constexpr Share half{500'000};
  const auto cut = count([&](Network& network) { return network.cut(links); });
  CHECK(cut == std::pair<std::uint64_t, std::size_t>{1'000, 1'000});
  const auto clog = count([&](Network& network) { return network.clog(links); });
  CHECK(clog == std::pair<std::uint64_t, std::size_t>{1'000, 1'000});
  for (const Impairment& what :
       {Impairment{.loss = half}, Impairment{.duplicate = half}, Impairment{.corrupt = half}}) {
    const auto [did, seen] = count(impaired(what));
    CHECK(did == seen);
    CHECK(did > 400);
    CHECK(did < 600);
  }
  CHECK(count(impaired({.mtu_bytes = 99})).first == 1'000);
  CHECK(count(impaired({.mtu_bytes = 100})).first == 0);
  CHECK(count(impaired({.extra = constant_latency(1ms)})).first == 1'000);
  CHECK(count(impaired({.bandwidth_bytes_per_s = 1'000'000})).first == 1'000);
  CHECK(count(impaired({.bandwidth_bytes_per_s = 1'000'000}), 0).first == 0);
  CHECK(count(impaired({.loss = Share{1}})).first == 0);
  const auto held_back = count(impaired({.reorder = half})).first;
  CHECK(held_back > 400);
  CHECK(held_back < 600);
  const auto down = count([&](Network& network) {
    return network.flap(links, 10s, Share{1}, at_time(0s));  // for 10 us: none arrives then
  });
  CHECK(down.first == 1'000);  // all are sent at once
  const auto rough = [&](std::uint32_t ppm) {
    const WeatherOptions weather{.slot = 1ms, .rough = Share{ppm}, .extra = {1ms, 1ms}, .loss = {}};
    return count([&](Network& network) { return network.weather(links, weather, 1); }).first;
  };
  CHECK(rough(1'000'000) == 1'000);
  CHECK(rough(0) == 0);
}

TEST_CASE("of two effects that would each have stopped a message both count it") {
  Wire wire(constant_network(1ms));
  const EffectId one = wire.network.cut(LinkSet::all());
  const EffectId two = wire.network.cut(LinkSet::touching({kA}));
  const EffectId other = wire.network.cut(LinkSet::touching({kC}));
  const EffectId loss = wire.network.impair(LinkSet::all(), losing(1'000'000), 1);
  wire.send(kA, kB, tag_of(1));
  wire.run();
  CHECK(wire.effect_counts.of(one) == 1);
  CHECK(wire.effect_counts.of(two) == 1);
  CHECK(wire.effect_counts.of(other) == 0);
  // It was stopped before any loss could strike.
  CHECK(wire.effect_counts.of(loss) == 0);
}

// ---- Bandwidth -----------------------------------------------------------------------------

TEST_CASE("a large transfer delays what its sender sends after it, and nobody else") {
  NetworkOptions options = constant_network(1ms);
  options.bandwidth_bytes_per_s = 1'000'000;
  options.stream.handshake = false;
  Wire wire(options);
  wire.now = at_time(1s);
  wire.send(kA, kB, tag_of(1), Transport::stream, 500'000);
  wire.send(kA, kC, tag_of(2), Transport::datagram, 1'000);
  wire.send(kB, kC, tag_of(3), Transport::datagram, 1'000);
  wire.run();
  REQUIRE(wire.identities() == std::vector<std::uint64_t>{3, 1, 2});
  CHECK(wire.arrived[0].at == at_time(1'002ms));
  CHECK(wire.arrived[1].at == at_time(1'501ms));
  CHECK(wire.arrived[2].at == at_time(1'502ms));
  wire.now = at_time(10s);
  CHECK(wire.arrival(kA, kC, tag_of(4), 0) == at_time(10'001ms));
}

TEST_CASE("a receiver's port is shared by all that send to it, in order of arrival there") {
  NetworkOptions options = constant_network(1ms);
  options.receive_bandwidth_bytes_per_s = 1'000'000;
  options.links.push_back(
      {.from = {.host = kC}, .to = {.host = kB}, .purpose = {}, .latency = constant_latency(9ms)});
  Wire wire(options);
  wire.send(kC, kB, tag_of(1), Transport::datagram, 3'000);  // is there at 9 ms
  wire.send(kA, kB, tag_of(2), Transport::datagram, 2'000);  // at 1 ms: it does not wait for that
  wire.send(kA, kB, tag_of(3), Transport::datagram, 7'000);  // no room before
  wire.send(kA, kC, tag_of(4), Transport::datagram, 0);      // another's port
  wire.run();
  REQUIRE(wire.identities() == std::vector<std::uint64_t>{4, 2, 1, 3});
  CHECK(wire.arrived[1].at == at_time(3ms));
  CHECK(wire.arrived[2].at == at_time(12ms));
  CHECK(wire.arrived[3].at == at_time(19ms));
}

TEST_CASE("each directed link has a bandwidth of its own, which an impairment narrows") {
  NetworkOptions options = constant_network(1ms);
  options.link_bandwidth_bytes_per_s = 1'000'000;
  Wire wire(options);
  wire.send(kA, kB, tag_of(1), Transport::datagram, 50'000);
  wire.send(kA, kB, tag_of(2), Transport::datagram, 0);
  wire.send(kA, kC, tag_of(3), Transport::datagram, 0);
  wire.send(kB, kA, tag_of(4), Transport::datagram, 0);
  wire.run();
  REQUIRE(wire.identities() == std::vector<std::uint64_t>{3, 4, 1, 2});
  CHECK(wire.arrived[1].at == at_time(1ms));
  CHECK(wire.arrived[3].at == at_time(51ms));
  Impairment narrow;
  narrow.bandwidth_bytes_per_s = 100'000;
  const EffectId effect = wire.network.impair(LinkSet::pairs({{kA, kB}}), narrow, 1);
  wire.now = at_time(1s);
  CHECK(wire.arrival(kA, kB, tag_of(5), 10'000) == at_time(1'101ms));
  CHECK(wire.network.end(effect));
  wire.now = at_time(2s);
  CHECK(wire.arrival(kA, kB, tag_of(6), 10'000) == at_time(2'011ms));
}

TEST_CASE("a datagram that finds a queue full is dropped, a stream waits") {
  NetworkOptions options = constant_network(1ms);
  options.bandwidth_bytes_per_s = 1'000'000;
  options.queue_bytes = 10'000;
  options.stream.handshake = false;
  Wire wire(options);
  for (std::uint64_t n = 1; n <= 20; ++n) wire.send(kA, kB, tag_of(n), {}, 1'000);
  wire.stream(21, 1'000);
  wire.run();
  // What passes is in the queue until it has.
  CHECK(wire.arrived.size() == 11);
  CHECK(wire.arrived.back().identity == 21);
  CHECK(wire.count(DropReason::queue_full) == 10);
  Impairment short_queue;
  short_queue.queue_bytes = 2'000;
  (void)wire.network.impair(LinkSet::pairs({{kA, kB}}), short_queue, 1);
  wire.arrived.clear();
  wire.now = at_time(10s);
  for (std::uint64_t n = 1; n <= 20; ++n) wire.send(kA, kB, tag_of(n), {}, 1'000);
  wire.run();
  CHECK(wire.arrived.size() == 2);
}

}  // namespace
}  // namespace rejoin::sim
