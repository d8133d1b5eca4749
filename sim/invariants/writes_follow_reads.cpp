#include <algorithm>

#include "sim/invariants/session_judges.hpp"

namespace rejoin::sim {

namespace {

class WritesFollowReads final : public SessionOrder {
  bool in_order(const SessionShadow& sessions, const World& world, const Operation& earlier,
                const Operation& later) const override {
    const std::vector<SessionVersion>& seen = sessions.seen_before(later.id);
    return std::any_of(seen.begin(), seen.end(), [&](const SessionVersion& each) {
      return each.version == earlier.id || world.older(earlier.id, each.version);
    });
  }
  std::string how() const override { return "had seen"; }
};

[[maybe_unused]] const bool registered = register_invariant<WritesFollowReads>(
    "writes-follow-reads", "a write takes effect after what its session had read of the key",
    "Judged each time that a version "
    "meets, in a store, one that its session had been shown before it wrote (or one older than "
    "that), and at each answer with several versions. No store may put what was read in place of "
    "the write, nor refuse the write for it, and no read may return both as if they were "
    "concurrent. What was read must be older by the history: acknowledged before the write was "
    "invoked, or in its context. Otherwise the two are concurrent, and nothing is judged. A "
    "session guarantee of Terry et al. 1994, a key at a time.");

}  // namespace

}  // namespace rejoin::sim
