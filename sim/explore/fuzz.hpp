// `rejoin fuzz`: a campaign over seeds of one scenario, whose failures are grouped, saved and
// shrunk.
//
// Order: what earlier campaigns saved; seeds that an earlier campaign was running when it was
// killed; the range. Each new way of failing is saved when it shows, and shrunk when the seeds are
// done; so is what was saved before, still fails and is not minimal yet.
//
// Invariant: whatever a seed's faults, its run or a look at it do to their process, the campaign
// goes on: all of it happens in workers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/campaign_record.hpp"
#include "sim/explore/campaign.hpp"
#include "sim/explore/findings.hpp"
#include "sim/explore/shrink.hpp"

namespace rejoin::sim {

struct FuzzProgress {
  std::string doing;  // `seeds`, `shrinking no-stale-read`
  std::uint64_t done = 0;
  std::uint64_t all = 0;                               // 0: unknown
  double seconds = 0;                                  // since that began
  double seconds_max = 0;                              // then it ends; 0: no bound
  std::uint64_t behind = 0;                            // ways of failing that wait for their turn
  std::map<std::string, std::uint64_t> failures = {};  // by what broke
};

struct FuzzOptions {
  SeedRange seeds;
  std::uint32_t jobs = 1;
  std::uint64_t failures_max = 0;  // 0: no bound
  // Real, for the seeds; and as much again for shrinking what they showed.
  std::optional<std::chrono::milliseconds> time_max{};
  std::chrono::milliseconds patience{60'000};  // real, for one run
  bool shrinks = true;
  std::uint64_t shrink_runs_max = 5'000;
  std::string file{};  // the scenario's, as it was given
  std::string sync{};
  std::string flags{};  // that change what is run: `--sync none`; may be empty
  std::string version{};
  std::string commit{};
  RunOptions run{.expectations = false};
  Work work = {};  // instead of trial_work(scenario, run): for tests, which plant a crash there
  std::function<bool()> interrupted = [] { return false; };
  // Why there is no use in going on: what is reported cannot be written.
  std::function<std::optional<std::string>()> trouble = [] { return std::nullopt; };
  std::function<void(const Trial&)> on_trial = {};  // in the order of the seeds
  std::function<void(const FuzzProgress&)> on_progress = {};
  Portray portray = {};                                                 // called in a worker
  std::function<std::string(const std::string& saved)> reproduce = {};  // the command
  // The same where there is no file that could be run.
  std::function<std::string(std::uint64_t seed)> reproduce_seed = {};
};

// What a campaign needs on disk, found out before the first seed.
struct FuzzPlace {
  Findings findings;
  Journal journal;
  // The error is a sentence.
  [[nodiscard]] static tl::expected<FuzzPlace, std::string> open(const std::string& folder);
};

// The error is a sentence about a failure of our own: no process can be made, the disk is full.
// What was found until then is in the record all the same.
struct FuzzResult {
  CampaignRecord record;
  std::optional<std::string> failure;
  bool interrupted = false;
};
[[nodiscard]] FuzzResult fuzz(const Scenario& scenario, const Vocabulary& vocabulary,
                              FuzzPlace& place, const FuzzOptions& options);

// `3 nodes, 1 key, 2 faults, 4 steps (from 5 nodes, 50 keys, 17 faults, 31 steps), 212 runs`.
[[nodiscard]] std::string to_text(const Shrunk& shrunk);

}  // namespace rejoin::sim
