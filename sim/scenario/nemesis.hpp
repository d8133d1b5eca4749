// The `nemesis` section of a scenario file: ranges, from which a seed draws concrete, labelled,
// timed steps, as a file would write them. What comes out is a schedule like any other.
//
// Invariants:
// 1. A draw is keyed by (seed, the fault's path, instance, parameter): leaving out one fault, or
//    one step of the schedule, moves no other.
// 2. Bounded: time is cut into epochs, each with its victims, drawn by (seed, epoch) alone: at most
//    so many nodes that a majority of the voters and of each partition's owners is in action. A
//    fault that takes nodes out of action takes victims of one epoch and is over when it is. So
//    whatever subset of the steps is kept, the rest is still bounded.
// 3. Bounded: who is only known at run time (the leader, an owner) is hit in epochs that have no
//    other victim, by one fault alone. So is the one node of the run that loses what its disk held;
//    before the next epoch there is then time to repair it.
// 4. The timeline's own faults count: whom they hold out of action is no victim meanwhile, and
//    leaves room for fewer.
//
// Not here: what a fault's parameters may be (ScheduleReader reads the steps like written ones).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/schedule.hpp"
#include "sim/scenario/pick.hpp"
#include "sim/scenario/tree.hpp"
#include "sim/scenario/vocabulary.hpp"

namespace rejoin::sim {

// One fault that may be drawn, under a name of its own.
struct NemesisFault {
  std::string name;  // of labels and paths; the fault's, unless the file gives another
  Mark mark{};
  const Vocabulary::Plugin* plugin = nullptr;
  DurationRange every{};
  std::optional<DurationRange> lasts{};  // none: a moment's work, or (unbounded) for good
  struct Value {
    std::string param;
    Alternatives draw{};
  };
  std::vector<Value> values{};
};

struct Nemesis {
  MonotonicTime from{10s};   // no fault begins before
  MonotonicTime until{60s};  // or after; bounded: all are over by then
  bool bounded = true;
  bool swarm = true;  // by seed, each class and each fault is in or out, at least one in
  DurationRange epoch{6s, 12s};
  DurationRange rest{3s, 6s};  // between epochs
  Duration repair = 10s;       // instead, after an epoch in which a disk was lost
  std::vector<NemesisFault> faults{};
};

// The most steps that it draws: as many as a file may have, so that what it drew can be written and
// read.
inline constexpr std::size_t kDrawnMax = 10'000;
// What is shorter, or is cut shorter by its epoch, is left out.
inline constexpr Duration kShortestStrike = 200ms;

// None when something is wrong with it, which was complained about. `schedule`: the rest of the
// file.
[[nodiscard]] std::optional<Nemesis> read_nemesis(const Tree& section, const Vocabulary& vocabulary,
                                                  const Schedule& schedule, Problems& problems);

// The steps of a seed, in order of time, and then of label; none when they are more than kDrawnMax.
[[nodiscard]] std::optional<std::vector<Tree>> draw_steps(const Nemesis& nemesis,
                                                          const Vocabulary& vocabulary,
                                                          const Schedule& schedule,
                                                          std::uint64_t seed);
// One step for each alternative of each list and both ends of each range, so that checking them
// finds what is wrong with the section, whatever the seed.
[[nodiscard]] std::vector<Tree> steps_to_check(const Nemesis& nemesis);

// The parameters of one instance, as far as its values read as such; the rest are the defaults.
using DrawnValues = std::vector<std::pair<std::string, Tree>>;
[[nodiscard]] Params params_of(const Vocabulary::Plugin& fault, const DrawnValues& values);

// How many nodes may be out of action at once, and every quorum stays: of the voters, and of the
// owners of any partition.
[[nodiscard]] std::uint32_t expendable(const Schedule& schedule);

}  // namespace rejoin::sim
