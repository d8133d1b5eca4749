// `rejoin hunt`: how many seeds the search needs to find each planted bug, with swarms (each seed
// leaves out some classes of faults) and without, over several stretches of seeds. A search is as
// good as the bugs that it finds.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/mutant.hpp"
#include "sim/explore/trial.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {

// One way of searching for one bug: of each stretch of seeds, how many were run up to the first
// that broke the invariant which must catch it; none when no seed did.
struct Hunted {
  std::vector<std::optional<std::uint64_t>> seeds;

  [[nodiscard]] std::size_t found() const;
  // Of the seeds needed, in percent from 0 to 100, by nearest rank; a stretch in which it was not
  // found counts as more than any. None: it is such a one.
  [[nodiscard]] std::optional<std::uint64_t> percentile(unsigned percent) const;
};

struct HuntOptions {
  std::uint64_t first_seed = 1;
  std::uint64_t runs_max = 200;  // of a stretch
  std::uint32_t stretches = 5;
  std::uint32_t jobs = 1;
  RunOptions run{.expectations = false};
  std::function<bool()> interrupted = [] { return false; };
};

// The bug is planted already, in this process.
[[nodiscard]] Hunted hunt(const Scenario& scenario, const MutantSpec& bug,
                          const HuntOptions& options);

// How many seeds must pass after a fix for 99% confidence that a bug which so many of `seeds` in a
// row showed once is gone: n with (1 - 1/seeds)^n <= 1%.
[[nodiscard]] std::uint64_t clean_seeds_needed(std::uint64_t seeds);

}  // namespace rejoin::sim
