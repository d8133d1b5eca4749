// A campaign: many seeds of one scenario, by several workers, told of in the order of the seeds.
//
// Invariants:
// 1. What is told of a seed, and in which order, does not depend on the number of workers. So the
//    campaigns of two halves of a range tell, one after the other, what that of the whole does.
// 2. A seed that kills or hangs its worker is told of like any other, and the campaign goes on.
// 3. Memory is bounded, whatever the number of seeds: a worker may be ahead of the slowest by so
//    many seeds and no more.
//
// Not here: what failures are kept (findings.hpp) and how they are reported.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "sim/explore/trial.hpp"
#include "sim/explore/workers.hpp"

namespace rejoin::sim {

// Inclusive at both ends.
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  // 0 for what would be 2^64.
  [[nodiscard]] std::uint64_t count() const { return last - first + 1; }
};

class CampaignListener {
 public:
  virtual ~CampaignListener() = default;
  // In whatever order, before a worker gets it.
  virtual void on_begin(std::uint64_t /*seed*/) {}
  // In the order of the seeds. False: that was the last one that is wanted.
  [[nodiscard]] virtual bool on_trial(const Trial& trial) = 0;
  // Several times a second. False: enough, what is under way is forgotten.
  [[nodiscard]] virtual bool on_tick() { return true; }
};

enum class CampaignEnd : std::uint8_t {
  all_seeds,
  enough,  // the listener had enough
  no_more_workers,
};

// The workers take seeds (trial_work of a scenario), and have nothing open.
[[nodiscard]] CampaignEnd run_campaign(const SeedRange& seeds, Workers& workers,
                                       CampaignListener& listener);

}  // namespace rejoin::sim
