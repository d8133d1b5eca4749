// What `--verify` costs, in runs: processor time of this process and of the second one, and real
// time, each over that of the plain run of the same schedule. Two runs are what it cannot do
// without; with two idle cores they go on side by side.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <chrono>
#include <string>

#include "sim/app/guard.hpp"
#include "sim/app/replay.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Of this process and of all that have ended.
double processor_seconds() {
  double sum = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    ::getrusage(who, &used);
    sum += seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  }
  return sum;
}
double real_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Cost {
  double processor = -processor_seconds();
  double real = -real_seconds();
  void stop() {
    processor += processor_seconds();
    real += real_seconds();
  }
};

Schedule schedule_of(const std::string& mechanism, std::uint32_t nodes, Duration length) {
  Schedule out = test::seed_schedule(mechanism);
  out.cluster.nodes = nodes;
  out.timeline[1].trigger = trigger::At{MonotonicTime(length)};
  return out;
}

void verify(benchmark::State& state, const Schedule& schedule) {
  const sim::RunOptions options{.dispatch = app::guarded_dispatch()};
  Cost plain{.processor = 0, .real = 0};
  Cost verified{.processor = 0, .real = 0};
  for (auto _ : state) {
    Cost one;
    const RunRecord record = sim::run(schedule, options);
    one.stop();
    Cost two;
    const app::Verification found =
        app::run_verified(schedule, options, REJOIN_BINARY_DIR "/rejoin");
    two.stop();
    if (found.difference || found.failure || found.record.digest != record.digest) {
      state.SkipWithError("the runs differ");
      return;
    }
    plain.processor += one.processor;
    plain.real += one.real;
    verified.processor += two.processor;
    verified.real += two.real;
    state.counters["events"] = static_cast<double>(record.events);
  }
  state.counters["processor_runs"] = verified.processor / plain.processor;
  state.counters["real_runs"] = verified.real / plain.real;
}

BENCHMARK_CAPTURE(verify, t0_t5_none, schedule_of("none", 3, 30s))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(verify, t0_t5_rejoin_sync, schedule_of("rejoin-sync", 3, 30s))
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(verify, ten_minutes, schedule_of("none", 3, 10min))
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(verify, thirty_nodes, schedule_of("rejoin-sync", 30, 1min))
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rejoin
