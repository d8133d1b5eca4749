// What scenario files may name: the plugins that are linked in, and the metrics of a run.
#pragma once

#include "sim/scenario/vocabulary.hpp"

namespace rejoin::sim {

[[nodiscard]] Vocabulary linked_vocabulary();

}  // namespace rejoin::sim
