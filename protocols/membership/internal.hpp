// Names that the parts of the membership component share.
#pragma once

#include "model/env.hpp"

namespace rejoin::membership {

inline constexpr TimerId kJoinTimer{1};    // an attempt timed out, or the next is due
inline constexpr TimerId kOrphanTimer{2};  // no leader was heard, perhaps
inline constexpr TimerId kCycleTimer{3};   // the next cycle of health checks
inline constexpr TimerId kCheckTimer{4};   // one check timed out

}  // namespace rejoin::membership
