// Ways to make a schedule smaller or plainer, one at a time. Whether it still fails is not asked
// here (shrink.hpp).
//
// Invariants:
// 1. What is left keeps its names but for the numbers of nodes, which stay 1 to n.
// 2. Each result says less than what it was made from, or says it in the order of time, so that
//    repeating them comes to an end. (timed and unfolded say more: they are asked once, before
//    them, or with something else left out.)
// 3. Mechanisms, versions, conflicts, tombstones, the gate and the levels of clients stay: of those
//    somebody asks whether they fail.
//
// A result may be no schedule that can be run (a step that names what is gone): whoever asks
// checks that.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/schedule.hpp"

namespace rejoin::sim {

// Leaves out elements of a list: several that are side by side are tried before single ones.
struct Removal {
  std::string_view what;  // of what the list is, in the plural: `steps`
  std::size_t (*size)(const Schedule& schedule) = nullptr;
  // Without the elements [from, from + count), which are there. None: these are never left out.
  std::optional<Schedule> (*without)(const Schedule& schedule, std::size_t from,
                                     std::size_t count) = nullptr;
};

// In the order in which they pay: what removes most comes first.
[[nodiscard]] const std::vector<Removal>& removals();

// Schedules that are one step plainer than this one, plainest first: shorter times, fewer clients,
// defaults for what has one.
[[nodiscard]] std::vector<Schedule> plainer(const Schedule& schedule);

// The same with a step of its own for each operation of a step that paces them (`every`) and begins
// at a time, each at the time when it would begin: so that leaving one out moves no other. None:
// there is no such step.
[[nodiscard]] std::optional<Schedule> unfolded(const Schedule& schedule);

// The same with a time for each step that begins when, or so long after, the one before it is done:
// the time when it began. What comes before it is then no longer there to pass the time. None:
// there is no such step.
[[nodiscard]] std::optional<Schedule> timed(const Schedule& schedule,
                                            const std::map<std::string, MonotonicTime>& began);
// The same with a step of its own for each operation of the workload in that step, at the time when
// it would begin, by the first client. None: only the run knows when that would be, or too many are
// left for people to read.
[[nodiscard]] std::optional<Schedule> with_plain_operations(const Schedule& schedule,
                                                            std::size_t step);

// How much a schedule says: for people.
struct ScheduleSize {
  std::size_t steps = 0;
  std::size_t faults = 0;  // of the steps
  std::size_t nodes = 0;
  std::size_t keys = 0;
  std::size_t operations = 0;
};
[[nodiscard]] ScheduleSize size_of(const Schedule& schedule);
// In one number, less being better: what a reader has to take in.
[[nodiscard]] std::size_t weight_of(const Schedule& schedule);

// Of without_nodes.cpp: `from` counts from 0 for node-1.
[[nodiscard]] std::optional<Schedule> without_nodes(const Schedule& schedule, std::size_t from,
                                                    std::size_t count);
// Takes out the steps whose positions are marked, and what hangs on them: the ends of their faults;
// who waited for them follows the step before.
[[nodiscard]] Schedule without_steps(const Schedule& schedule, const std::vector<bool>& marked);

}  // namespace rejoin::sim
