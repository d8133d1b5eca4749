// Several runs of one scenario, summed up: for the text and the JSON of trials.
//
// Trials are always taken in order of seed, whatever order they were run in.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/run_record.hpp"

namespace rejoin::reports {

// Of the runs in which the metric has a value. Percentiles are nearest-rank: values that occurred.
struct Spread {
  std::uint64_t count = 0;
  std::uint64_t absent = 0;  // runs in which it has none (it never converged)
  double mean = 0;
  std::int64_t min = 0;
  std::int64_t p50 = 0;
  std::int64_t p90 = 0;
  std::int64_t p99 = 0;
  std::int64_t max = 0;
};

[[nodiscard]] std::vector<const RunRecord*> in_seed_order(const std::vector<RunRecord>& trials);
// The worst there was: fail, then unbounded, then vacuous, then pass.
[[nodiscard]] Verdict worst_verdict(const std::vector<RunRecord>& trials);
// Of one run its own; of several hash128 over their digests (16 bytes each, big-endian) in order.
[[nodiscard]] Hash128 digest_of(const std::vector<RunRecord>& trials);
[[nodiscard]] std::map<std::string, Spread> spreads(const std::vector<RunRecord>& trials);

// All steps of a run that injected a fault, as far as their counts are of one thing.
struct FaultTotal {
  std::string fault;
  std::string unit;  // of `touched`, and of `did` (`of`): see FaultRecord
  std::string of;
  std::uint64_t steps = 0;
  std::uint64_t effective = 0;  // of them, those that touched something and did something
  std::uint64_t touched = 0;
  std::uint64_t did = 0;
};
// By name.
[[nodiscard]] std::vector<FaultTotal> fault_totals(const RunRecord& record);

}  // namespace rejoin::reports
