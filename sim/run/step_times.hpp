// When the steps of a schedule fire, as far as the schedule alone says.
//
// Invariants:
// 1. A time is counted from an origin: the start of the run, or a moment that only the run knows (a
//    fact, the last answer to an operation). Two times of one origin compare exactly.
// 2. What is said to be in order is so in every run; of the rest nothing is said.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "model/schedule.hpp"

namespace rejoin::sim {

inline constexpr std::size_t kNoStep = std::numeric_limits<std::size_t>::max();

struct StepTime {
  static constexpr std::size_t kStart = std::numeric_limits<std::size_t>::max();
  std::size_t origin = kStart;
  Duration since{};            // the origin
  Duration least{};            // since the start of the run, at least
  std::size_t step = kNoStep;  // which step fires then; none: a duration is over

  [[nodiscard]] bool is_known() const { return origin == kStart; }
};

class StepTimes {
 public:
  explicit StepTimes(const Schedule& schedule);

  [[nodiscard]] const StepTime& of(std::size_t step) const { return times_[step]; }
  // Surely `a` comes first. Of two steps with one `at`, the one that is written first.
  [[nodiscard]] bool in_order(const StepTime& a, const StepTime& b) const;

 private:
  std::vector<StepTime> times_;
  // The step with `at`, or the first, from which on each waits for the one before it.
  std::vector<std::size_t> chain_begins_;
};

// So long after: no step, but the end of what began at `time`.
[[nodiscard]] StepTime later(const StepTime& time, Duration by);

}  // namespace rejoin::sim
