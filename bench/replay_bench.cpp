// T0 to T5: how fast one core replays it, and where the time goes.
//
// The shares are counts of one replay times unit costs that are measured in the same process:
// queue (schedule and pop of an event), chain (fold of a frame of mean size), codec (encode and
// check of the frames that were really sent), allocation (of the mean size that was asked for).
// What is left is dispatch and protocol.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <new>
#include <vector>

#include "sim/kernel/chain.hpp"
#include "sim/kernel/event_queue.hpp"
#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace {
std::uint64_t allocations = 0;
std::uint64_t allocated_bytes = 0;
}  // namespace

// Not inlined: else the compiler takes what is freed here for what was never newed.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  allocated_bytes += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace rejoin {
namespace {

class Frames final : public sim::TraceSink {
 public:
  std::vector<Bytes> frames;
  std::uint64_t bytes = 0;
  std::uint64_t facts = 0;
  std::uint64_t fact_bytes = 0;

  void on_event(const sim::TraceEvent&) override {}
  void on_fact(MonotonicTime, std::uint64_t, const FactSource&, const Fact& fact) override {
    ++facts;
    fact_bytes += encode_fact(fact).size();
  }
  void on_send(MonotonicTime, std::uint64_t, Address, Address, ByteView frame,
               const Tag&) override {
    frames.emplace_back(frame.begin(), frame.end());
    bytes += frame.size();
  }
  void on_drop(MonotonicTime, std::uint64_t, Address, Address, const Tag&,
               sim::DropReason) override {}
};

double nanoseconds_of(std::chrono::steady_clock::duration elapsed) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
}

// Mean time of `work` over `times` calls.
template <class Work>
double unit_cost_ns(std::size_t times, Work work) {
  const auto from = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < times; ++i) work(i);
  return nanoseconds_of(std::chrono::steady_clock::now() - from) / static_cast<double>(times);
}

double queue_cost_ns() {
  sim::LadderQueue queue;
  constexpr std::uint64_t pending = 32;  // a small cluster's
  std::uint64_t sequence = 0;
  const auto push = [&](std::int64_t at) {
    queue.push({.at_ns = at + static_cast<std::int64_t>(draw({.what = sequence}) % 50'000'000),
                .order = draw({.who = 1, .what = sequence}),
                .sequence = sequence,
                .slot = 0});
    ++sequence;
  };
  for (std::uint64_t i = 0; i < pending; ++i) push(0);
  return unit_cost_ns(1'000'000, [&](std::size_t) { push(queue.pop().at_ns); });
}

void Replay(benchmark::State& state, const char* mechanism) {
  const Schedule schedule = test::seed_schedule(mechanism);
  RunRecord record;
  for (auto _ : state) {
    record = sim::run(schedule);
    benchmark::DoNotOptimize(record);
  }
  const auto events = static_cast<double>(record.events);
  const double virtual_ns = static_cast<double>(record.virtual_end.time_since_epoch().count());
  state.counters["events"] = events;
  state.counters["ns_per_event"] =
      benchmark::Counter(events * static_cast<double>(state.iterations()) / 1e9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["sim_per_real"] = benchmark::Counter(
      virtual_ns * static_cast<double>(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(Replay, t0_t5_none, "none")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Replay, t0_t5_rejoin_sync, "rejoin-sync")->Unit(benchmark::kMillisecond);

// Shares of one replay of T0-T5 with rejoin-sync, in percent; total_ms is the replay's time.
void WhereTheTimeGoes(benchmark::State& state) {
  const Schedule schedule = test::seed_schedule("rejoin-sync");
  Frames sent;
  (void)sim::run(schedule, {.expectations = true, .trace = &sent});
  const double queue = queue_cost_ns();
  const double codec = unit_cost_ns(sent.frames.size(), [&](std::size_t i) {
    const std::optional<Frame> frame = decode_frame(sent.frames[i]);
    benchmark::DoNotOptimize(encode_frame(frame->kind, frame->body));
  });
  sim::Chain chain;
  const Bytes payload(sent.bytes / sent.frames.size());
  const double fold = unit_cost_ns(1'000'000, [&](std::size_t i) {
    chain.fold({.at = MonotonicTime(Duration(i)), .host = 1, .peer = 2, .id = i}, payload);
  });
  for (auto _ : state) {
    allocations = 0;
    allocated_bytes = 0;
    const auto from = std::chrono::steady_clock::now();
    const RunRecord record = sim::run(schedule);
    const double total = nanoseconds_of(std::chrono::steady_clock::now() - from);
    const std::uint64_t count = allocations;
    const std::size_t mean = allocated_bytes / count;
    const double allocation = unit_cost_ns(100'000, [mean](std::size_t) {
      void* memory = ::operator new(mean);
      benchmark::DoNotOptimize(memory);
      ::operator delete(memory);
    });
    const auto share = [total](double ns) { return 100 * ns / total; };
    const auto events = static_cast<double>(record.events);
    const double folds = events + static_cast<double>(sent.facts);
    state.counters["total_ms"] = total / 1e6;
    state.counters["queue_%"] = share(queue * events);
    state.counters["codec_%"] = share(codec * static_cast<double>(record.messages));
    state.counters["chain_%"] = share(fold * folds);
    state.counters["allocation_%"] = share(allocation * static_cast<double>(count));
    state.counters["protocol_%"] =
        100 - share(queue * events + codec * static_cast<double>(record.messages) + fold * folds +
                    allocation * static_cast<double>(count));
    state.counters["allocations_per_event"] = static_cast<double>(count) / events;
  }
}
BENCHMARK(WhereTheTimeGoes)->Iterations(20)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rejoin
