// What `rejoin list` can show.
#pragma once

#include <string>

namespace rejoin::app {

// `mechanisms, faults, ... or metrics`
[[nodiscard]] std::string kinds_text();

}  // namespace rejoin::app
