#include "sim/kernel/streams.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "tests/kernel/wire.hpp"

namespace rejoin::sim {
namespace {

using namespace testing;

// Without a handshake, so that an arrival is the send and 10 ms.
NetworkOptions plain_streams() {
  NetworkOptions options = constant_network(10ms);
  options.stream = {.rto_min = 200ms, .rto_max = 1s, .reset_after = 15s, .handshake = false};
  return options;
}

std::vector<std::uint64_t> up_to(std::uint64_t last) {
  std::vector<std::uint64_t> out(last);
  std::iota(out.begin(), out.end(), 1U);
  return out;
}

TEST_CASE("a stream arrives in order whatever the latencies, each link by itself") {
  CHECK(rc::check([] {
    NetworkOptions options;
    options.latency = exponential_latency(50ms, 200us);
    Wire wire(options, *rc::gen::arbitrary<std::uint64_t>());
    const auto gaps =
        *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(0U, 100'000'000U));
    for (std::uint64_t n = 1; n <= gaps.size(); ++n) {
      wire.run_until(wire.now + Duration(gaps[n - 1]));
      wire.stream(n);
    }
    wire.run();
    RC_ASSERT(wire.identities() == up_to(gaps.size()));
    for (std::size_t n = 1; n < wire.arrived.size(); ++n) {
      RC_ASSERT(wire.arrived[n].at > wire.arrived[n - 1].at);
    }
  }));
}

TEST_CASE("a healthy stream needs no event of its own") {
  NetworkOptions options;
  options.latency = exponential_latency(5ms);
  Wire wire(options);
  for (std::uint64_t n = 1; n < 1'000; ++n) wire.stream(n, 5'000);
  wire.run();
  CHECK(wire.arrived.size() == 999);
  CHECK(wire.wakes == 0);
  CHECK(wire.mishaps.empty());
}

// ---- Connections ---------------------------------------------------------------------------

TEST_CASE("the first message of a connection waits for a round trip, those behind it with it") {
  NetworkOptions options = plain_streams();
  options.stream.handshake = true;
  options.links.push_back(
      {.from = {.host = kB}, .to = {.host = kA}, .purpose = {}, .latency = constant_latency(7ms)});
  Wire wire(options);
  wire.stream(1);
  wire.run_until(at_time(5ms));
  wire.stream(2);
  wire.run_until(at_time(1s));
  wire.stream(3);
  wire.run();
  REQUIRE(wire.arrived.size() == 3);
  CHECK(wire.arrived[0].at == at_time(27ms));  // 10 there, 7 back, 10 there
  CHECK(wire.arrived[1].at == at_time(27ms) + 1ns);
  CHECK(wire.arrived[2].at == at_time(1'010ms));
}

TEST_CASE("no connection is opened while the way back is cut, but an open one goes on") {
  NetworkOptions options = plain_streams();
  options.stream.handshake = true;
  Wire wire(options);
  wire.send(kA, kC, tag_of(9), Transport::stream);
  wire.run();
  const EffectId cut = wire.network.cut(LinkSet::from_to({kB, kC}, {kA}));
  wire.stream(1);
  wire.send(kA, kC, tag_of(10), Transport::stream);
  wire.run_until(at_time(500ms));
  CHECK(wire.identities() == std::vector<std::uint64_t>{9, 10});
  CHECK(wire.network.end(cut));
  wire.run();
  CHECK(wire.arrived.back().identity == 1);
}

TEST_CASE("a receiver that restarts breaks the connection: what was for its former life is lost") {
  NetworkOptions options = plain_streams();
  options.stream.handshake = true;
  Wire wire(options);
  wire.stream(1);
  wire.run();
  const MonotonicTime start = wire.now;
  wire.stream(2);
  wire.network.host_stopped(kB);  // and it is back before the message is there
  wire.run_until(start + 5ms);
  wire.stream(3);
  wire.run();
  CHECK(wire.identities() == std::vector<std::uint64_t>{1, 3});
  CHECK(wire.arrived.back().at == start + 5ms + 30ms);  // it has connected anew
  CHECK(wire.count(DropReason::reset) == 1);
}

TEST_CASE("a host without a process refuses: what was sent to it is lost, and all behind") {
  Wire wire(plain_streams());
  wire.down = {kB};
  wire.stream(1);
  wire.run_until(at_time(9ms));
  wire.stream(2);
  wire.run_until(at_time(12ms));
  wire.down.clear();
  wire.stream(3);
  wire.run();
  CHECK(wire.identities() == std::vector<std::uint64_t>{3});
  CHECK(wire.count(DropReason::host_down) == 1);
  CHECK(wire.count(DropReason::reset) == 1);
}

TEST_CASE("what a dead sender had on the wire arrives, what it still held is lost") {
  Wire wire(plain_streams());
  wire.stream(1);
  wire.send(kA, kC, tag_of(2), Transport::stream);
  (void)wire.network.cut(LinkSet::pairs({{kA, kC}}));
  wire.send(kA, kC, tag_of(3), Transport::stream);
  wire.network.host_stopped(kA);
  wire.run();
  CHECK(wire.identities() == std::vector<std::uint64_t>{1});
  CHECK(wire.count(DropReason::reset) == 2);  // a stalled connection goes as a whole
}

// ---- Stalls --------------------------------------------------------------------------------

TEST_CASE("a cut stalls a stream: timers double, and all arrives in order after the heal") {
  Wire wire(plain_streams());
  const EffectId cut = wire.network.cut(LinkSet::pairs({{kA, kB}}));
  for (std::uint64_t n = 1; n <= 5; ++n) wire.stream(n);
  wire.run_until(at_time(3s));
  // Tries at 0.2, 0.6, 1.4, 2.4 (the cap) and 3.4 s.
  CHECK(wire.wakes == 4);
  CHECK(wire.count(Mishap::retransmitted) == 4);
  CHECK(wire.count(Mishap::stalled) == 1);
  CHECK(wire.arrived.empty());
  CHECK(wire.network.end(cut));
  wire.run();
  CHECK(wire.identities() == up_to(5));
  CHECK(wire.arrived.front().at == at_time(3'410ms));
  CHECK(wire.dropped.empty());
}

TEST_CASE("what a cut catches on the way is sent again, and nothing overtakes it") {
  NetworkOptions options = plain_streams();
  options.latency = uniform_latency({10ms, 400ms});
  Wire wire(options, 3);
  for (std::uint64_t n = 1; n <= 5; ++n) wire.stream(n);
  const EffectId cut = wire.network.cut(LinkSet::all());
  wire.run_until(at_time(400ms));
  CHECK(wire.network.end(cut));
  for (std::uint64_t n = 6; n <= 10; ++n) wire.stream(n);
  wire.run();
  CHECK(wire.identities() == up_to(10));
  CHECK(wire.count(Mishap::retransmitted) > 0);
}

TEST_CASE("a connection without an answer is reset, with all that it held; the next connects") {
  NetworkOptions options = plain_streams();
  options.stream.handshake = true;
  Wire wire(options);
  wire.stream(1);
  wire.run_until(at_time(1s));
  const EffectId cut = wire.network.cut(LinkSet::all());
  wire.stream(2);
  wire.run_until(at_time(15'999ms));
  wire.stream(3);
  CHECK(wire.dropped.empty());
  wire.run_until(at_time(16s));
  CHECK(wire.count(DropReason::reset) == 2);
  CHECK(wire.network.end(cut));
  wire.stream(4);
  wire.run();
  CHECK(wire.identities() == std::vector<std::uint64_t>{1, 4});
  CHECK(wire.arrived.back().at == at_time(16'030ms));
}

TEST_CASE("a clog resets a connection too, when it lasts") {
  Wire wire(plain_streams());
  const EffectId clog = wire.network.clog(LinkSet::all());
  wire.stream(1);
  wire.stream(2);
  wire.run_until(at_time(15'009ms));
  CHECK(wire.dropped.empty());
  wire.run_until(at_time(15'011ms));
  CHECK(wire.count(DropReason::reset) == 2);
  wire.stream(3);
  wire.run_until(at_time(16s));
  CHECK(wire.network.end(clog));
  wire.run();
  CHECK(wire.identities() == std::vector<std::uint64_t>{3});
}

TEST_CASE("loss stalls a stream and takes nothing from it") {
  NetworkOptions options = plain_streams();
  options.loss = Share{200'000};
  Wire wire(options);
  constexpr std::uint64_t kMessages = 2'000;
  for (std::uint64_t n = 1; n <= kMessages; ++n) {
    wire.stream(n);
    wire.run_until(wire.now + 1s);
  }
  wire.run();
  CHECK(wire.identities() == up_to(kMessages));
  // 20% of 2,000, within 4 sigma (18).
  CHECK(wire.count(Mishap::stalled) == doctest::Approx(400).epsilon(72.0 / 400));
}

TEST_CASE("a large message stalls more often: each of its segments may be lost") {
  const auto stalled = [](std::size_t size_bytes, std::uint32_t ppm) {
    NetworkOptions options = plain_streams();
    options.loss = Share{ppm};
    Wire wire(options);
    std::vector<bool> out;
    for (std::uint64_t n = 1; n <= 4'000; ++n) {
      const std::uint64_t before = wire.count(Mishap::stalled);
      wire.stream(n, size_bytes);
      wire.run();
      out.push_back(wire.count(Mishap::stalled) != before);
    }
    return out;
  };
  const auto count = [](const std::vector<bool>& flags) {
    return static_cast<double>(std::count(flags.begin(), flags.end(), true));
  };
  // 1 segment: 1%, sigma 6.3. 14,600 bytes: 1 - 0.99^10 = 9.56%, sigma 18.6. 4 sigma each.
  CHECK(std::abs(count(stalled(1'460, 10'000)) - 40) < 26);
  const auto large = stalled(14'600, 10'000);
  CHECK(std::abs(count(large) - 382.5) < 75);
  // Nested in the share.
  const auto lossier = stalled(14'600, 20'000);
  for (std::size_t n = 0; n < large.size(); ++n) CHECK((!large[n] || lossier[n]));
  CHECK(count(lossier) > count(large));
}

TEST_CASE("all of a stream's segments lost is a reset, none of them a message") {
  NetworkOptions options = plain_streams();
  Wire wire(options);
  const EffectId loss = wire.network.impair(LinkSet::all(), {.loss = Share{1'000'000}}, 1);
  wire.stream(1);
  wire.run_until(at_time(2s));
  CHECK(wire.network.end(loss));
  wire.run();
  CHECK(wire.identities() == up_to(1));
  (void)wire.network.impair(LinkSet::all(), {.loss = Share{1'000'000}}, 1);
  wire.stream(2);
  wire.run();
  CHECK(wire.count(DropReason::reset) == 1);
}

// ---- Under every mix of faults -------------------------------------------------------------

struct Journal {
  std::map<std::uint64_t, MonotonicTime> sent;
  std::vector<MonotonicTime> crashes;
};

// Draws effects, sends and crashes at random times, and ends everything at last.
Journal live(Wire& wire, bool crashes) {
  Journal journal;
  std::vector<EffectId> effects;
  wire.direct = *rc::gen::arbitrary<bool>();
  const auto steps = *rc::gen::inRange(1, 120);
  for (int step = 0; step < steps; ++step) {
    wire.run_until(wire.now + Duration(*rc::gen::inRange<std::int64_t>(0, 400'000'000)));
    const LinkSet links =
        *rc::gen::element(LinkSet::all(), LinkSet::pairs({{kA, kB}}), LinkSet::pairs({{kB, kA}}));
    switch (*rc::gen::inRange(0, 16)) {
      case 0:
        effects.push_back(wire.network.cut(links));
        break;
      case 1:
        effects.push_back(
            wire.network.flap(links, Duration(*rc::gen::inRange<std::int64_t>(1, 1'000'000'000)),
                              Share{*rc::gen::inRange(0U, 900'000U)}, wire.now));
        break;
      case 2:
        effects.push_back(wire.network.clog(links));
        break;
      case 3: {
        Impairment impairment;
        impairment.loss = Share{*rc::gen::inRange(0U, 900'000U)};
        impairment.duplicate = impairment.reorder = impairment.corrupt = Share{500'000};
        impairment.extra = exponential_latency(100ms);
        effects.push_back(wire.network.impair(links, impairment, effects.size() + 1));
        break;
      }
      case 4:
        effects.push_back(wire.network.weather(
            links, {.slot = 300ms, .rough = Share{500'000}, .extra = {0ms, 500ms}, .loss = {}},
            effects.size() + 1));
        break;
      case 5:
      case 6:
        if (effects.empty()) break;
        CHECK(wire.network.end(effects.back()));
        effects.pop_back();
        break;
      case 7:
        if (!crashes) break;
        wire.network.host_stopped(*rc::gen::element(kA, kB));
        journal.crashes.push_back(wire.now);
        break;
      default:
        for (int n = *rc::gen::inRange(1, 5); n > 0; --n) {
          const std::uint64_t identity = journal.sent.size() + 1;
          journal.sent[identity] = wire.now;
          wire.stream(identity, *rc::gen::inRange<std::size_t>(0, 20'000));
        }
    }
  }
  for (const EffectId effect : effects) CHECK(wire.network.end(effect));
  wire.run();
  return journal;
}

TEST_CASE("under every mix of faults a stream is in order, and with time all of it arrives") {
  CHECK(rc::check([] {
    NetworkOptions options;
    options.stream.reset_after = 24h;
    Wire wire(options, *rc::gen::arbitrary<std::uint64_t>());
    const Journal journal = live(wire, false);
    RC_ASSERT(wire.identities() == up_to(journal.sent.size()));
    RC_ASSERT(wire.dropped.empty());
  }));
}

TEST_CASE("under crashes and resets, what follows a gap was sent after the break") {
  CHECK(rc::check([] {
    NetworkOptions options;
    options.stream.reset_after = 2s;
    Wire wire(options, *rc::gen::arbitrary<std::uint64_t>());
    const Journal journal = live(wire, true);
    const std::vector<std::uint64_t> heard = wire.identities();
    RC_ASSERT(std::is_sorted(heard.begin(), heard.end()));
    // Each has one fate, and once.
    std::map<std::uint64_t, MonotonicTime> lost;
    for (const Dropped& item : wire.dropped) {
      RC_ASSERT(item.reason == DropReason::reset);
      RC_ASSERT(lost.emplace(item.identity, item.at).second);
    }
    std::vector<std::uint64_t> all = heard;
    for (const auto& [identity, at] : lost) all.push_back(identity);
    std::sort(all.begin(), all.end());
    RC_ASSERT(all == up_to(journal.sent.size()));
    for (const auto& [identity, at] : lost) {
      const auto next = std::upper_bound(heard.begin(), heard.end(), identity);
      if (next == heard.end()) continue;
      // It broke by a crash after this was sent, or when the first of the gap was given up.
      MonotonicTime broken = at;
      for (std::uint64_t n = identity; lost.contains(n); --n) broken = std::min(broken, lost[n]);
      for (std::uint64_t n = identity; lost.contains(n); ++n) broken = std::min(broken, lost[n]);
      for (const MonotonicTime crash : journal.crashes) {
        if (crash >= journal.sent.at(identity)) broken = std::min(broken, crash);
      }
      RC_ASSERT(journal.sent.at(*next) >= broken);
    }
  }));
}

// ---- In the kernel -------------------------------------------------------------------------

class Fates final : public TraceSink {
 public:
  void on_event(const TraceEvent& event) override {
    if (event.kind == EventKind::network) {
      CHECK(event.host.is_none());
      CHECK(event.id == link_id(kA, kB));
      ++network_events;
    }
  }
  void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact&) override {}
  void on_send(MonotonicTime, std::uint64_t, Address, Address, ByteView, const Tag&) override {}
  void on_drop(MonotonicTime, std::uint64_t, Address, Address, const Tag&,
               DropReason reason) override {
    text += std::string(to_name(reason)) + "; ";
  }
  void on_mishap(MonotonicTime, std::uint64_t, Address, Address, const Tag&,
                 Mishap mishap) override {
    text += std::string(to_name(mishap)) + "; ";
  }
  std::string text;
  std::uint64_t network_events = 0;
};

TEST_CASE("in the kernel, retransmissions are events, folded, traced and counted") {
  Fates fates;
  Machines machines({.seed = 1, .network = plain_streams()}, 2, &fates);
  std::string heard;
  machines.script(1).start = [](Env& env) {
    send_text(env, kB, "x", 1, Transport::stream);
    send_text(env, kB, "y", 2, Transport::stream);
  };
  machines.script(2).message = [&](Env&, Address, ByteView frame) { heard += text_of(frame); };
  machines.at(at_time(1ms), [&] { (void)machines.kernel.network().cut(LinkSet::all()); });
  machines.at(at_time(300ms), [&] { (void)machines.kernel.network().heal(); });
  machines.start_all();
  machines.run();
  CHECK(heard == "xy");
  CHECK(fates.network_events == 2);  // at 210 ms, in vain, and at 610 ms
  CHECK(fates.text == "stalled; stalled; sent again; sent again; sent again; ");
  CHECK(machines.kernel.traffic().retransmitted == 3);
  CHECK(machines.kernel.traffic().dropped == 0);
}

TEST_CASE("in the kernel, a restarted receiver gets nothing that was sent to its former life") {
  Machines machines({.seed = 1, .network = plain_streams()}, 2);
  std::string heard;
  machines.script(1).start = [](Env& env) {
    send_text(env, kB, "old", 1, Transport::stream);
    env.arm(kTick, at_time(20ms));
  };
  machines.script(1).timer = [](Env& env, TimerId) {
    send_text(env, kB, "new", 2, Transport::stream);
  };
  machines.script(2).message = [&](Env&, Address, ByteView frame) { heard += text_of(frame); };
  machines.at(at_time(3ms), [&] {
    CHECK(machines.kernel.crash(kB));
    CHECK(machines.kernel.start(kB));
  });
  machines.start_all();
  machines.run();
  CHECK(heard == "new");
  CHECK(machines.kernel.traffic().dropped == 1);
}

}  // namespace
}  // namespace rejoin::sim
