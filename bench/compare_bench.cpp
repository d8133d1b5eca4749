// A comparison as users ask for it: ten strategies with thirty seeds each on the rejoin of one of
// three nodes, by two workers; what of it are runs, and what is arithmetic.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "model/check.hpp"
#include "reports/comparison.hpp"
#include "sim/app/load.hpp"
#include "sim/explore/compare.hpp"

namespace rejoin {
namespace {

const std::vector<std::string> kStrategies = {
    "none",   "hook-copy",   "rejoin-sync",    "versioned-merge",       "read-repair",
    "merkle", "digest-list", "hinted-handoff", "hinted-handoff+merkle", "cassandra"};
constexpr std::uint64_t kSeeds = 30;

std::vector<std::vector<sim::Scenario>> scenarios() {
  std::vector<std::vector<sim::Scenario>> out;
  for (const std::string& sync : kStrategies) {
    auto scenario = sim::load_scenario(REJOIN_SOURCE_DIR "/scenarios/compare/rejoin.yaml",
                                       app::vocabulary(), {{.path = "sync", .value = sync}});
    CHECK_THAT(scenario.has_value());
    out.push_back({*std::move(scenario)});
  }
  return out;
}

sim::Compared compared(std::uint32_t jobs) {
  return sim::compare(
      scenarios(),
      {.seeds = {.first = 1, .last = kSeeds}, .jobs = jobs, .run = {.expectations = false}});
}

void runs(benchmark::State& state) {
  for (auto _ : state) {
    const sim::Compared done = compared(static_cast<std::uint32_t>(state.range(0)));
    CHECK_THAT(done.seeds == kSeeds);
    state.counters["runs"] = static_cast<double>(done.runs.size());
  }
}
BENCHMARK(runs)
    ->Name("ten_strategies/jobs")
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kSecond)
    ->UseRealTime();

void analysis(benchmark::State& state) {
  sim::Compared done = compared(2);
  ComparisonRecord record;
  record.strategies = kStrategies;
  record.first_seed = 1;
  record.seeds = kSeeds;
  record.runs = std::move(done.runs);
  for (auto _ : state) benchmark::DoNotOptimize(reports::analyse(record));
}
BENCHMARK(analysis)->Name("analysis")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rejoin
