// What the network costs when nothing is wrong: the event rate of a ping-pong between hosts over
// the bare minimum (a latency draw and an arrival), over the full network idle, and over the full
// network after effects of every kind were switched on and ended. The three take turns in slices
// of one run, so that a noisy machine is noisy for all of them; the ratios are counters.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/check.hpp"
#include "model/message.hpp"
#include "sim/kernel/engine.hpp"

namespace rejoin::sim {
namespace {

constexpr MessageKind kPing{Channel::node, 1};
constexpr std::uint32_t kHosts = 64;

struct Deaf final : KernelListener {
  void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact&) override {}
  void on_control(std::uint64_t) override {}
};

KernelOptions options_of_bench() {
  KernelOptions options;
  options.network.latency = exponential_latency(1ms, 200us);
  options.network.bandwidth_bytes_per_s = 0;
  return options;
}

// One world. Every delivery sends the frame back under the next identity, as a kernel does it:
// order, record, queue, digest.
class World {
 public:
  World(bool plain, Transport transport)
      : plain_(plain),
        transport_(transport),
        latency_(make_distribution(options_.network.latency)),
        engine_(options_, deaf_, nullptr) {
    for (std::uint32_t n = 1; n <= kHosts; ++n) engine_.network.add_host(Address(n));
    for (std::uint32_t n = 1; n <= kHosts; ++n) {
      for (std::uint32_t k = 0; k < 8; ++k) {
        send(Address(n), Address(1 + (n + k) % kHosts), encode_frame(kPing, Bytes(32)), k);
      }
    }
  }

  void switch_effects_on_and_off() {
    Network& network = engine_.network;
    Impairment impairment;
    impairment.loss = Share{10'000};
    const std::vector<EffectId> effects{
        network.cut(LinkSet::touching({Address(1)})),
        network.flap(LinkSet::touching({Address(2)}), 10ms, Share{500'000}, engine_.now),
        network.clog(LinkSet::touching({Address(3)})),
        network.impair(LinkSet::all(), impairment, 1),
        network.weather(
            LinkSet::all(),
            {.slot = 10ms, .rough = Share{500'000}, .extra = {1ms, 2ms}, .loss = Share{10'000}}, 2),
    };
    // While enough is left: what is lost is not sent back.
    for (int n = 0; n < 100'000 && engine_.queue.size() > kHosts * 4; ++n) run(1);
    for (const EffectId effect : effects) CHECK_THAT(network.end(effect));
    // The same load as the others have: what was lost is sent anew.
    while (engine_.queue.size() < kHosts * 8) {
      const auto n = static_cast<std::uint32_t>(engine_.queue.size());
      send(Address(1 + n % kHosts), Address(1 + (n + 1) % kHosts), encode_frame(kPing, Bytes(32)),
           n);
    }
    run(100'000);
  }

  void run(std::uint64_t events) {
    for (; events != 0; --events) {
      CHECK_THAT(!engine_.queue.empty());
      const QueueEntry entry = engine_.queue.pop();
      engine_.now = MonotonicTime(Duration(entry.at_ns));
      EventRecord record = engine_.records.take(entry.slot);
      if (record.kind == EventKind::network) {
        if (engine_.network.awaits(record.id, record.life)) engine_.network.wake(record.id);
        continue;
      }
      if (!plain_ && !engine_.arrives(record, true)) continue;
      engine_.begin_event({.at = engine_.now,
                           .kind = EventKind::deliver,
                           .host = record.host,
                           .from = record.from,
                           .id = record.id,
                           .message = record.message,
                           .payload = record.frame});
      benchmark::DoNotOptimize(decode_frame(record.frame));
      send(record.host, record.from, std::move(record.frame), record.id + kHosts);
    }
  }

 private:
  void send(Address from, Address to, Bytes frame, std::uint64_t identity) {
    const Tag tag{.kind = kPing, .purpose = Purpose::foreground, .identity = identity};
    if (!plain_) return engine_.send(from, to, transport_, std::move(frame), tag);
    send_plain(from, to, std::move(frame), tag);
  }

  // As far away as Engine::send is.
  [[gnu::noinline]] void send_plain(Address from, Address to, Bytes frame, const Tag& tag) {
    ++engine_.traffic.messages;
    ++engine_.traffic.messages_by_purpose[0];
    engine_.traffic.bytes += frame.size();
    engine_.traffic.bytes_by_purpose[0] += frame.size();
    MonotonicTime arrival =
        engine_.now + latency_->sample({.seed = options_.seed,
                                        .domain = Domain::latency,
                                        .who = std::uint64_t{from.value} << 32U | to.value,
                                        .what = mix(tag.kind.value, tag.identity)});
    if (transport_ == Transport::stream) {  // the least that order takes
      MonotonicTime& last = last_arrival_[std::uint64_t{from.value} << 32U | to.value];
      arrival = last = std::max(arrival, last + 1ns);
    }
    const std::uint64_t what = mix(mix(tag.kind.value, tag.identity), from.value);
    engine_.schedule(arrival, engine_.order_of(EventKind::deliver, to, what, tag.attempt),
                     {.kind = EventKind::deliver,
                      .purpose = tag.purpose,
                      .message = tag.kind,
                      .host = to,
                      .from = from,
                      .aux = tag.attempt,
                      .id = tag.identity,
                      .frame = std::move(frame)});
  }

  const KernelOptions options_ = options_of_bench();
  const bool plain_;
  const Transport transport_;
  const std::unique_ptr<const Distribution> latency_;
  FlatMap<MonotonicTime> last_arrival_;
  Deaf deaf_;
  Engine engine_;
};

// The cost of the fastest of many short slices: what a busy machine adds, it adds to the others.
void ping(benchmark::State& state, Transport transport) {
  World plain(true, transport);
  World idle(false, transport);
  World after(false, transport);
  after.switch_effects_on_and_off();
  const std::array<World*, 3> worlds{&plain, &idle, &after};
  std::array<double, 3> best{1e9, 1e9, 1e9};
  constexpr std::uint64_t kSlice = 20'000;
  for (World* world : worlds) world->run(kSlice);
  for (auto _ : state) {
    for (std::size_t w = 0; w < worlds.size(); ++w) {
      const auto begin = std::chrono::steady_clock::now();
      worlds[w]->run(kSlice);
      const std::chrono::duration<double, std::nano> took =
          std::chrono::steady_clock::now() - begin;
      best[w] = std::min(best[w], took.count() / kSlice);
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * 3 * kSlice));
  state.counters["plain_ns"] = best[0];
  state.counters["idle_ns"] = best[1];
  state.counters["idle_to_plain"] = best[1] / best[0];
  state.counters["after_to_plain"] = best[2] / best[0];
}

BENCHMARK_CAPTURE(ping, datagram, Transport::datagram)->MinTime(3);
BENCHMARK_CAPTURE(ping, stream, Transport::stream)->MinTime(3);

}  // namespace
}  // namespace rejoin::sim
