// A run as people look at it in a file: what each step came to, and the last events before what
// broke.
#pragma once

#include "model/schedule.hpp"
#include "sim/explore/fuzz.hpp"

namespace rejoin::app {

// Runs it twice. The events are those up to the first violation of that signature, or to the end.
[[nodiscard]] sim::Portrait portrait_of(const Schedule& schedule, const sim::Signature& signature);

}  // namespace rejoin::app
