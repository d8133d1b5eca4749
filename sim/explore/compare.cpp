#include "sim/explore/compare.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "model/check.hpp"
#include "model/wire.hpp"
#include "sim/explore/trial.hpp"
#include "sim/run/verdict.hpp"

namespace rejoin::sim {

namespace {

constexpr std::chrono::milliseconds kTick{100};

struct Task {
  std::uint64_t strategy = 0;
  std::uint64_t cell = 0;
  std::uint64_t seed = 0;
  REJOIN_FIELDS(strategy, cell, seed)
};

ComparedRun without_end(std::string why) {
  ComparedRun out;
  out.says = std::move(why);
  return out;
}

ComparedRun run_task(const std::vector<std::vector<Scenario>>& scenarios, const Task& task,
                     const RunOptions& options) {
  const auto schedule = scenarios[task.strategy][task.cell].materialise(task.seed);
  if (!schedule) return without_end(schedule.error().front().message);
  const std::vector<std::string> complaints = check_schedule(*schedule);
  if (!complaints.empty()) return without_end(complaints.front());
  return compared_run(*schedule, options);
}

ComparedRun answer_of(const Workers::Answer& answer) {
  if (answer.death) {
    const Trial trial = trial_of(0, *answer.death);
    return without_end(trial.says);
  }
  std::optional<ComparedRun> out = decode<ComparedRun>(answer.reply);
  CHECK_THAT(out.has_value());
  return *std::move(out);
}

// The grid, counted through strategies first, then cells, then seeds.
struct Grid {
  std::uint64_t strategies = 0;
  std::uint64_t cells = 0;
  SeedRange seeds;

  [[nodiscard]] std::uint64_t of_seed() const { return strategies * cells; }
  [[nodiscard]] Task task(std::uint64_t n) const {
    return {.strategy = n % strategies,
            .cell = n / strategies % cells,
            .seed = seeds.first + n / of_seed()};
  }
};

// As ComparisonRecord has them, as far as seeds are whole.
std::vector<ComparedRun> in_order(std::vector<std::optional<ComparedRun>>& found, const Grid& grid,
                                  std::uint64_t seeds) {
  std::vector<ComparedRun> out;
  for (std::uint64_t strategy = 0; strategy < grid.strategies; ++strategy) {
    for (std::uint64_t cell = 0; cell < grid.cells; ++cell) {
      for (std::uint64_t i = 0; i < seeds; ++i) {
        auto& run = found[i * grid.of_seed() + cell * grid.strategies + strategy];
        CHECK_THAT(run.has_value());
        out.push_back(*std::move(run));
      }
    }
  }
  return out;
}

std::uint64_t whole_seeds(const std::vector<std::optional<ComparedRun>>& found, const Grid& grid) {
  const auto gap = std::find(found.begin(), found.end(), std::nullopt);
  return static_cast<std::uint64_t>(gap - found.begin()) / grid.of_seed();
}

}  // namespace

ComparedRun compared_run(const Schedule& schedule, const RunOptions& options) {
  const RunRecord record = run(schedule, options);
  ComparedRun out;
  out.ended = true;
  out.verdict = record.verdict;
  out.says = record.verdict_says;
  out.digest = to_hex(record.digest);
  std::set<std::string> promised;
  if (schedule.limits.promises) {
    for (const Promise& promise : promises_of(schedule)) {
      if (promise.unmet.empty()) promised.insert(promise.invariant);
    }
  }
  std::set<std::string> broken;
  for (const Violation& violation : record.violations) broken.insert(violation.invariant);
  for (const std::string& name : broken) out.broken.push_back({name, promised.contains(name)});
  out.metrics = record.metrics;
  for (const Transition& step : record.transitions) {
    StepLag& lag = out.lags.emplace_back();
    lag.label = step.label;
    for (const NodeSnapshot& node : step.nodes) lag.copies += node.stale_keys + node.missing_keys;
  }
  return out;
}

Compared compare(const std::vector<std::vector<Scenario>>& scenarios,
                 const CompareOptions& options) {
  CHECK_THAT(!scenarios.empty() && !scenarios.front().empty());
  const Grid grid{
      .strategies = scenarios.size(), .cells = scenarios.front().size(), .seeds = options.seeds};
  const std::uint64_t all = grid.of_seed() * options.seeds.count();
  Workers workers({.count = options.jobs}, [&scenarios, run = options.run](ByteView bytes) {
    const std::optional<Task> task = decode<Task>(bytes);
    CHECK_THAT(task.has_value());
    return encode(run_task(scenarios, *task, run));
  });
  std::vector<std::optional<ComparedRun>> found(all);
  Compared out;
  std::uint64_t submitted = 0;
  std::uint64_t done = 0;
  const auto began = std::chrono::steady_clock::now();
  auto ticked = began;
  while (done < all) {
    // Two for each worker: one to run and one to go on with.
    while (submitted < all && workers.open() < std::size_t{2} * workers.count()) {
      workers.submit(submitted, encode(grid.task(submitted)));
      ++submitted;
    }
    const std::optional<Workers::Answer> answer = workers.next(kTick);
    if (answer) {
      found[answer->task] = answer_of(*answer);
      ++done;
    }
    out.no_more_workers = workers.failed();
    out.interrupted = options.interrupted && options.interrupted();
    if (out.no_more_workers || out.interrupted) break;
    const auto now = std::chrono::steady_clock::now();
    if (!options.on_progress || now - ticked < kTick) continue;
    ticked = now;
    options.on_progress(
        {.done = done, .all = all, .seconds = std::chrono::duration<double>(now - began).count()});
  }
  if (done < all) workers.abandon();
  out.seeds = whole_seeds(found, grid);
  out.runs = in_order(found, grid, out.seeds);
  return out;
}

}  // namespace rejoin::sim
