// The runs of a comparison: every strategy in every cell of what is varied with every seed.
//
// Invariants:
// 1. What comes out does not depend on the number of workers: answers are told in the order of
//    (seed, cell, strategy), whoever gave them.
// 2. A run depends on its scenario and its seed alone: leaving a strategy out changes no other.
//    Draws are keyed, so all strategies of a seed meet the same weather.
// 3. A run that takes its process along is an answer like any other.
// 4. One that is stopped has whole seeds only: every strategy has met each of them in every cell.
//
// Not here: what the runs say (reports/comparison.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/comparison_record.hpp"
#include "sim/explore/campaign.hpp"
#include "sim/explore/workers.hpp"
#include "sim/run/run.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {

struct CompareProgress {
  std::uint64_t done = 0;  // runs
  std::uint64_t all = 0;
  double seconds = 0;
};

struct CompareOptions {
  SeedRange seeds;
  std::uint32_t jobs = 1;
  RunOptions run{};
  std::function<bool()> interrupted{};
  std::function<void(const CompareProgress&)> on_progress{};
};

struct Compared {
  std::vector<ComparedRun> runs;  // in the order of ComparisonRecord::runs
  std::uint64_t seeds = 0;        // whole ones
  bool interrupted = false;
  bool no_more_workers = false;
};

// `scenarios`: of each strategy its cells.
[[nodiscard]] Compared compare(const std::vector<std::vector<Scenario>>& scenarios,
                               const CompareOptions& options);

// What one of them came to.
[[nodiscard]] ComparedRun compared_run(const Schedule& schedule, const RunOptions& options);

}  // namespace rejoin::sim
