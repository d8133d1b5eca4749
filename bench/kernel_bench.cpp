// What an event costs: the hold model (pop the next, push one a random time later) on the ladder,
// on the 4-ary heap and on what a first draft would use, std::priority_queue of std::function.
// Each of them does the same work per event: it finds its record and adds to a counter.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "model/check.hpp"
#include "model/math.hpp"
#include "model/random.hpp"
#include "sim/kernel/engine.hpp"
#include "sim/kernel/event_queue.hpp"

namespace rejoin::sim {
namespace {

constexpr Duration kMean = 1ms;

std::int64_t delay_of(std::uint64_t n) {
  return exponential(mix(42, n), kMean).count();
}

EventRecord record_of(std::uint64_t n) {
  return {.kind = EventKind::deliver,
          .host = Address(static_cast<std::uint32_t>(n % 1000)),
          .from = Address(1),
          .id = n};
}

template <class Queue>
void hold(benchmark::State& state) {
  Queue queue;
  SlotPool<EventRecord> records;
  std::uint64_t sequence = 0;
  std::uint64_t sum = 0;
  const auto push = [&](std::int64_t now) {
    ++sequence;
    queue.push({.at_ns = now + delay_of(sequence),
                .order = mix(7, sequence),
                .sequence = sequence,
                .slot = records.put(record_of(sequence))});
  };
  for (std::int64_t i = 0; i < state.range(0); ++i) push(0);
  for (auto _ : state) {
    const QueueEntry entry = queue.pop();
    const EventRecord record = records.take(entry.slot);
    sum += record.id + record.host.value;
    push(entry.at_ns);
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations());
}

struct Closure {
  std::int64_t at_ns;
  std::uint64_t order;
  std::uint64_t sequence;
  std::function<void()> run;
  bool operator<(const Closure& other) const {
    if (at_ns != other.at_ns) return other.at_ns < at_ns;
    if (order != other.order) return other.order < order;
    return other.sequence < sequence;
  }
};

void hold_closures(benchmark::State& state) {
  std::priority_queue<Closure> queue;
  std::uint64_t sequence = 0;
  std::uint64_t sum = 0;
  const auto push = [&](std::int64_t now) {
    ++sequence;
    // What a delivery captures: the frame (here empty, so that only the queues are compared), who
    // sent it, to whom, and what it is.
    queue.push({now + delay_of(sequence), mix(7, sequence), sequence,
                [&sum, record = record_of(sequence)] { sum += record.id + record.host.value; }});
  };
  for (std::int64_t i = 0; i < state.range(0); ++i) push(0);
  for (auto _ : state) {
    // top() is const; moving out of it is what saves the copy of the closure.
    Closure next = std::move(const_cast<Closure&>(queue.top()));
    queue.pop();
    next.run();
    push(next.at_ns);
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations());
}

// The pattern of heartbeats: a timer is reset by every delivery and all but never fires.
void reset_timers(benchmark::State& state) {
  struct Deaf final : KernelListener {
    void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact&) override {}
    void on_control(std::uint64_t) override {}
  } deaf;
  const KernelOptions options;
  Engine engine(options, deaf, nullptr);
  std::vector<TimerTable> tables(static_cast<std::size_t>(state.range(0)));
  std::uint64_t n = 0;
  for (auto _ : state) {
    const std::size_t host = n++ % tables.size();
    engine.now += 1us;
    while (!engine.queue.empty() &&
           engine.queue.front().at_ns < engine.now.time_since_epoch().count()) {
      const QueueEntry front = engine.queue.front();
      CHECK_THAT(!engine.timer_is_due(front));  // it is reset long before
    }
    engine.arm(tables[host], Address(static_cast<std::uint32_t>(host)), TimerId(1),
               engine.now + 150ms);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(hold<LadderQueue>)->Name("hold/ladder")->Arg(1'000)->Arg(10'000)->Arg(100'000);
BENCHMARK(hold<HeapQueue>)->Name("hold/heap")->Arg(1'000)->Arg(10'000)->Arg(100'000);
BENCHMARK(hold_closures)
    ->Name("hold/priority_queue_of_functions")
    ->Arg(1'000)
    ->Arg(10'000)
    ->Arg(100'000);
BENCHMARK(reset_timers)->Name("reset_timer")->Arg(10)->Arg(1'000)->Arg(100'000);

}  // namespace
}  // namespace rejoin::sim
