// `{ pick: 10s..60s }` and `{ pick: [3, 5, 7] }`: values that a seed chooses once for a run.
//
// A choice is a keyed draw by (seed, path), the path made of keys and labels, so that adding or
// removing other steps moves no pick.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "sim/scenario/tree.hpp"

namespace rejoin::sim {

// What a range or a list offers: `at(i)` for i in 0..count-1, never none.
struct Alternatives {
  std::uint64_t count = 0;
  bool is_list = false;
  std::function<Tree(std::uint64_t)> at{};
};
// Of what stands behind `pick`; `lists`: alternatives may be lists themselves. None when it is
// neither a range nor a list, or the wrong way round: then that was complained about.
[[nodiscard]] std::optional<Alternatives> alternatives_of(const Tree& what, bool lists,
                                                          Problems& problems);
// Whether a text is a range of values that can be drawn from: 10s..60s, 1%..5%.
[[nodiscard]] bool is_range(std::string_view text);

// Replaces every pick below `tree`; one that is wrong is complained about and stays. Those of
// `nemesis.faults` are drawn anew for each fault, by the nemesis: they stay, too.
void resolve_picks(Tree& tree, std::uint64_t seed, Problems& problems);

// For checking a file whatever the seed: how many rounds it takes to see each alternative of each
// list and both ends of each range, and the values of one round.
[[nodiscard]] std::size_t pick_rounds(const Tree& tree);
void resolve_picks_of_round(Tree& tree, std::size_t round, Problems& problems);

}  // namespace rejoin::sim
