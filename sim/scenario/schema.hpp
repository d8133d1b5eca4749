// The JSON Schema (draft 7) of scenario files, for editors: what may stand where, with the help
// texts. Generated from the registries and the table of fields, so that it cannot lag behind.
//
// It knows the spelling with `-`, which is the one that rejoin writes; files may write `_`. It is
// looser than the reader where that takes knowing the whole file (which nodes, keys, sites and
// labels there are), and never refuses what the reader takes in the documented spelling.
#pragma once

#include <string>

#include "sim/scenario/vocabulary.hpp"

namespace rejoin::sim {

// Ends with a newline.
[[nodiscard]] std::string json_schema(const Vocabulary& vocabulary);

}  // namespace rejoin::sim
