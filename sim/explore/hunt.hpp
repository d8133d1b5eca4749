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
  std::uint64_t ran = 0;     // seeds of all of these stretches
  bool interrupted = false;  // then the stretch that was under way is not among them

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
  // Several times a second: which stretch, from 1 on, and how many seeds of it have been run.
  std::function<void(std::uint32_t stretch, std::uint64_t ran)> on_progress = {};
};

// The bug is planted already, in this process.
[[nodiscard]] Hunted hunt(const Scenario& scenario, const MutantSpec& bug,
                          const HuntOptions& options);

// How many seeds must pass after a fix for 99% confidence that a bug is gone which `found` of `ran`
// seeds showed: n with (1 - p)^n <= 1%, where p is the lower bound of its frequency that these
// seeds leave, itself with 99% confidence (Clopper and Pearson, "The Use of Confidence or Fiducial
// Limits", Biometrika 1934). None: no seed showed it.
[[nodiscard]] std::optional<std::uint64_t> clean_seeds_needed(std::uint64_t found,
                                                              std::uint64_t ran);

}  // namespace rejoin::sim
