// The page of a run of 100,000 events: what recording it costs, what writing it does, and how large
// it is. PAGE=FILE in the environment keeps it, for reports/page/test/paint.mjs.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>

#include "model/run_events.hpp"
#include "reports/html.hpp"
#include "reports/run_page.hpp"
#include "sim/run/run.hpp"
#include "tests/support/seed_schedule.hpp"

namespace rejoin {
namespace {

// T0 to T5 with so many keys that it takes about as many events.
Schedule many_events() {
  constexpr int kWhole = 7'600;
  Schedule schedule = test::seed_schedule();
  for (Step& step : schedule.timeline) {
    auto* const operate = std::get_if<action::Operate>(&step.action);
    if (operate == nullptr) continue;
    if (step.label == "T0") operate->keys = test::keys(1, kWhole);
    if (step.label == "T3") operate->keys = test::keys(kWhole + 1, kWhole + kWhole / 2);
    if (step.label == "T5") operate->keys = {"key-" + std::to_string(kWhole + 25)};
  }
  return schedule;
}

void run_alone(benchmark::State& state) {
  const Schedule schedule = many_events();
  std::uint64_t events = 0;
  for (auto _ : state) events = sim::run(schedule).events;
  state.counters["events"] = static_cast<double>(events);
}

void run_recorded(benchmark::State& state) {
  const Schedule schedule = many_events();
  for (auto _ : state) {
    RunEvents events;
    sim::RunOptions options;
    options.events = &events;
    benchmark::DoNotOptimize(sim::run(schedule, options));
  }
}

void write_page(benchmark::State& state) {
  const Schedule schedule = many_events();
  RunEvents events;
  sim::RunOptions options;
  options.events = &events;
  const RunRecord record = sim::run(schedule, options);
  std::string page;
  for (auto _ : state) {
    page = reports::html_page("many", reports::run_page_json(record, events, {}));
  }
  state.counters["bytes"] = static_cast<double>(page.size());
  if (const char* const file = std::getenv("PAGE")) std::ofstream(file, std::ios::binary) << page;
}

BENCHMARK(run_alone)->Unit(benchmark::kMillisecond);
BENCHMARK(run_recorded)->Unit(benchmark::kMillisecond);
BENCHMARK(write_page)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rejoin
