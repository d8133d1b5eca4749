// How large a cluster may be described: bounds that files, faults and what comes over the wire
// agree on.
//
// Not here: what is wise, or what fits into memory.
#pragma once

#include <cstdint>

namespace rejoin {

inline constexpr std::uint32_t kPartitionsMax = 1'000'000;

}  // namespace rejoin
