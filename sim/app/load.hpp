// From files and flags to runs that can start: every complaint comes before the first run.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "model/schedule.hpp"
#include "sim/app/commands.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/scenario/vocabulary.hpp"

namespace rejoin::app {

// What the linked plugins let a file name.
[[nodiscard]] const sim::Vocabulary& vocabulary();

// One file, to be run with seeds first_seed..first_seed + trials - 1. Every one of them
// materialises: that was tried.
struct Job {
  std::string file;
  sim::Scenario scenario;
  std::uint64_t first_seed = 0;
  std::uint32_t trials = 1;

  [[nodiscard]] Schedule schedule(std::uint64_t seed) const;
};

// The error is text for standard error: all that is wrong with all of them.
[[nodiscard]] tl::expected<std::vector<Job>, std::string> load(const Selection& selection);

// The same without a look at seeds: a job's schedule(seed) is there if problems_of says nothing.
[[nodiscard]] tl::expected<std::vector<Job>, std::string> load_open(const Selection& selection);
// What is wrong with the run of one seed, as text for standard error; empty when nothing is.
[[nodiscard]] std::string problems_of(const sim::Scenario& scenario, std::uint64_t seed);

}  // namespace rejoin::app
