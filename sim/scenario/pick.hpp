// `{ pick: 10s..60s }` and `{ pick: [3, 5, 7] }`: values that a seed chooses once for a run.
//
// A choice is a keyed draw by (seed, path), the path made of keys and labels, so that adding or
// removing other steps moves no pick.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/scenario/tree.hpp"

namespace rejoin::sim {

// Replaces every pick below `tree`; one that is wrong is complained about and stays.
void resolve_picks(Tree& tree, std::uint64_t seed, Problems& problems);

// For checking a file whatever the seed: how many rounds it takes to see each alternative of each
// list and both ends of each range, and the values of one round.
[[nodiscard]] std::size_t pick_rounds(const Tree& tree);
void resolve_picks_of_round(Tree& tree, std::size_t round, Problems& problems);

}  // namespace rejoin::sim
