// The search for failures: seeds an hour of one worker by the number of nodes, what a second worker
// adds, the memory of a worker after few and after many seeds, and how long shrinking takes.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "model/check.hpp"
#include "sim/app/guard.hpp"
#include "sim/explore/campaign.hpp"
#include "sim/explore/shrink.hpp"
#include "sim/run/vocabulary.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {
namespace {

const Vocabulary& words() {
  static const Vocabulary all = linked_vocabulary();
  return all;
}

Scenario load(const std::string& file, const std::vector<Override>& overrides) {
  auto scenario = load_scenario(REJOIN_SOURCE_DIR "/scenarios/" + file, words(), overrides);
  CHECK_THAT(scenario.has_value());
  return *std::move(scenario);
}
Scenario partition_rejoin(std::uint32_t nodes) {
  return load("fuzz/partition-rejoin.yaml",
              {{.path = "cluster.nodes", .value = std::to_string(nodes)}});
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

class Count final : public CampaignListener {
 public:
  bool on_trial(const Trial& trial) override {
    failed += trial.failed() ? 1U : 0U;
    return true;
  }
  std::uint64_t failed = 0;
};

RunOptions as_in_a_campaign() {
  return {.expectations = false, .dispatch = app::guarded_dispatch()};
}

double seconds_of(const Scenario& scenario, std::uint64_t seeds, std::uint32_t jobs) {
  Workers workers({.count = jobs}, trial_work(scenario, as_in_a_campaign()));
  Count count;
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THAT(run_campaign({.first = 1, .last = seeds}, workers, count) == CampaignEnd::all_seeds);
  return seconds_since(begin);
}

void seeds_an_hour(benchmark::State& state) {
  const Scenario scenario = partition_rejoin(static_cast<std::uint32_t>(state.range(0)));
  constexpr std::uint64_t kSeeds = 400;
  double seconds = 0;
  for (auto _ : state) seconds += seconds_of(scenario, kSeeds, 1);
  const double seeds = static_cast<double>(kSeeds) * static_cast<double>(state.iterations());
  state.counters["seeds_an_hour"] = 3'600 * seeds / seconds;
}
BENCHMARK(seeds_an_hour)->Arg(3)->Arg(5)->Arg(9)->Iterations(1)->Unit(benchmark::kMillisecond);

// In turns, so that a busy machine is busy for both.
void two_workers(benchmark::State& state) {
  const Scenario scenario = partition_rejoin(3);
  constexpr std::uint64_t kSeeds = 400;
  double one = 0;
  double two = 0;
  for (auto _ : state) {
    one += seconds_of(scenario, kSeeds, 1);
    two += seconds_of(scenario, kSeeds, 2);
  }
  state.counters["times_one"] = one / two;
}
BENCHMARK(two_workers)->Iterations(3)->Unit(benchmark::kMillisecond);

// The largest worker that there ever was: few seeds first, as it never shrinks.
void memory(benchmark::State& state) {
  const Scenario scenario = partition_rejoin(3);
  for (auto _ : state) (void)seconds_of(scenario, static_cast<std::uint64_t>(state.range(0)), 1);
  ::rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  state.counters["largest_MiB"] = static_cast<double>(used.ru_maxrss) / 1'024;
}
BENCHMARK(memory)->Arg(50)->Arg(2'000)->Iterations(1)->Unit(benchmark::kMillisecond);

// Each seed's T0 to T5 is another failure of that size.
void shrink_t0_t5(benchmark::State& state) {
  const Scenario scenario = load("seed/t0-t5.yaml", {});
  std::vector<double> seconds;
  double runs = 0;
  for (auto _ : state) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      auto schedule = scenario.materialise(seed);
      CHECK_THAT(schedule.has_value());
      schedule->expect = {};
      const Trial trial = run_trial(*schedule, as_in_a_campaign());
      CHECK_THAT(trial.failed());
      Workers workers({.count = 2}, trial_work(as_in_a_campaign()));
      const auto begin = std::chrono::steady_clock::now();
      const auto shrunk = shrink(*schedule, trial.signatures.front(), words(), workers);
      CHECK_THAT(shrunk.has_value() && shrunk->minimal);
      seconds.push_back(seconds_since(begin));
      runs = std::max(runs, static_cast<double>(shrunk->runs));
    }
  }
  std::sort(seconds.begin(), seconds.end());
  state.counters["median_s"] = seconds[seconds.size() / 2];
  state.counters["longest_s"] = seconds.back();
  state.counters["most_runs"] = runs;
}
BENCHMARK(shrink_t0_t5)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rejoin::sim
