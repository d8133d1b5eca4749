// The clocks of one machine: a monotonic one, which its timers go by, and a wall clock.
//
// Invariants:
// 1. Exact: a clock is a chain of straight lines with integer rates (in millionths), and a change
//    of rate keeps the fraction of a nanosecond. No rounding accumulates, however often it changes.
// 2. The monotonic clock never goes back and never stands still for ever: its rate is at least one
//    millionth.
// 3. reached_at is the inverse of monotonic: the first true nanosecond at which the clock shows
//    that time or a later one, in the past as in the future (if no rate changes any more).
// 4. The wall clock jumps where a step, an offset or its end says so, and nowhere else. It never
//    shows a time before 1970.
//
// Not here: timers that are pending when a rate changes (Host queues them anew).
#pragma once

#include <cstdint>
#include <vector>

#include "model/time.hpp"
#include "sim/kernel/effect_counts.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::sim {

class Clock {
 public:
  // All of these take true time, and never one before that of the last change.
  [[nodiscard]] MonotonicTime monotonic(MonotonicTime now) const {
    return lines_.empty() ? now : skewed(now);
  }
  [[nodiscard]] WallTime wall(MonotonicTime now) const;
  // At most the last instant before kForever. `local` may be of any time since the start.
  [[nodiscard]] MonotonicTime reached_at(MonotonicTime local) const {
    return lines_.empty() ? local : first_reached(local);
  }
  [[nodiscard]] bool is_true() const { return lines_.empty(); }
  [[nodiscard]] bool is_troubled() const { return !active_.empty(); }
  // A clock is read (or, of the monotonic one, a timer armed): of each effect that makes it wrong.
  void count_monotonic(MonotonicTime now, EffectCounts& counts) const;
  void count_wall(MonotonicTime now, EffectCounts& counts) const;

  void begin(MonotonicTime now, EffectId effect, const ClockTrouble& trouble);
  // False when the effect is none of this clock.
  bool end(MonotonicTime now, EffectId effect);
  void step_wall(Duration by);

 private:
  static constexpr std::int64_t kOne = 1'000'000;
  // Shows `at` + `millionths` of a nanosecond at `since`, and goes on at `rate` / kOne.
  struct Line {
    MonotonicTime since{};
    std::int64_t at = 0;
    std::int64_t millionths = 0;  // 0..kOne - 1
    std::int64_t rate = kOne;

    [[nodiscard]] Line on(MonotonicTime now) const;  // the same line, counted from `now`
  };
  struct Active {
    EffectId id{};
    ClockTrouble trouble{};
    MonotonicTime since{};

    // By that rate a nanosecond or more has come together.
    [[nodiscard]] bool has_drifted(MonotonicTime now, Rate rate) const;
  };

  [[nodiscard]] MonotonicTime skewed(MonotonicTime now) const;
  [[nodiscard]] MonotonicTime first_reached(MonotonicTime local) const;
  void change(MonotonicTime now);

  std::vector<Line> lines_;  // of the monotonic clock, oldest first; empty: it is true
  Line wall_;                // since the epoch of runs, without the offsets
  std::vector<Active> active_;
  std::int64_t wall_offset_ = 0;  // of all that are active, and all steps
};

}  // namespace rejoin::sim
