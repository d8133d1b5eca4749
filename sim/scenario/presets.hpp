// Presets: names of whole compositions, in a file's `sync` or in an override of it.
#pragma once

#include "sim/scenario/tree.hpp"
#include "sim/scenario/vocabulary.hpp"

namespace rejoin::sim {

// Puts the mechanisms of each preset that `sync` names in its place, and what else it says under
// what the file says. Presets take no parameters of their own: their mechanisms have them.
void expand_presets(Tree& file, const Vocabulary& vocabulary, Problems& problems);

}  // namespace rejoin::sim
