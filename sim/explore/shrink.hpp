// Shrinking: from a schedule that fails to a small one that fails in the same way, by delta
// debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", TSE 2002)
// over everything that a schedule says.
//
// Invariants:
// 1. The same way: a run of the result shows the signature, and did so twice, with equal digests.
//    Where chance has a part in it (a crash that depends on addresses, a hang near its bound), the
//    result is the last that did.
//    It rests on no less: what mechanisms promised they promise still, and where the invariant is
//    judged after the last fault, no more faults go on to the end.
// 2. 1-minimal, unless the bound on runs was reached: without any one element of it (removals()),
//    the failure is gone, or rests on less, or the schedule can not be run.
// 3. The result does not depend on how many workers there are.
// 4. What it gives can be written as a scenario file and reads back as itself.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/schedule.hpp"
#include "sim/explore/reductions.hpp"
#include "sim/explore/signature.hpp"
#include "sim/explore/trial.hpp"
#include "sim/explore/workers.hpp"
#include "sim/scenario/vocabulary.hpp"

namespace rejoin::sim {

struct ShrinkOptions {
  std::uint64_t runs_max = 5'000;
  // Asked between runs; true: what has been reached is taken.
  std::function<bool()> stop = {};
  // Told of each success.
  std::function<void(const Schedule& smaller, std::uint64_t runs)> progress = {};
};

struct Shrunk {
  Schedule schedule;
  Trial trial;  // of the schedule
  ScheduleSize from;
  std::uint64_t runs = 0;  // of candidates, up to the last that was taken
  bool minimal = false;    // nothing more can be left out; false: a bound was reached
  bool unstable = false;   // what is smaller did not show it twice
};

// The workers take schedules (trial_work). The result is no larger than the schedule. None: the
// schedule does not show the signature, or not every time.
[[nodiscard]] std::optional<Shrunk> shrink(const Schedule& schedule, const Signature& signature,
                                           const Vocabulary& vocabulary, Workers& workers,
                                           const ShrinkOptions& options = {});

// Whether it can be run, and written and read back as itself.
[[nodiscard]] bool is_runnable(const Schedule& schedule, const Vocabulary& vocabulary);

}  // namespace rejoin::sim
