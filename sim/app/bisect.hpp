// `rejoin run --bisect`: good, bad, or not to be judged, as `git bisect run` asks.
//
// Invariants:
// 1. Of a file that says what it was saved for (`found:`) only that is bad. Another failure is
//    another bug, which the commits that are searched may have or not.
// 2. What cannot be told is not blamed on the commit: a step that never fired, a run that did not
//    end within its bounds or proves nothing, the same invariant broken in other words.
// 3. A run that takes its process along is judged like any other.
#pragma once

#include <string>
#include <vector>

#include "sim/app/load.hpp"

namespace rejoin::app {

struct BisectVerdict {
  ExitStatus status{};  // as_expected: good; not_as_expected: bad; not_judged
  bool died = false;    // one of the runs took its process along: nobody else should run it
  std::string says;     // a line a file
};
[[nodiscard]] BisectVerdict judge_for_bisect(const std::vector<Job>& jobs,
                                             const Selection& selection);

}  // namespace rejoin::app
