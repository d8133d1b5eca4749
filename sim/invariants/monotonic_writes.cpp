#include "sim/invariants/session_judges.hpp"

namespace rejoin::sim {

namespace {

class MonotonicWrites final : public SessionOrder {
  bool in_order(const SessionShadow& /*sessions*/, const World& /*world*/, const Operation& earlier,
                const Operation& later) const override {
    return earlier.id.client == later.id.client && earlier.session == later.session;
  }
  std::string how() const override { return "wrote"; }
};

[[maybe_unused]] const bool registered = register_invariant<MonotonicWrites>(
    "monotonic-writes", "writes of a session to a key take effect in the order of the session",
    "Judged each time that a version "
    "meets another one of its session in a store, and at each answer with several versions. No "
    "store may put the earlier of two in place of the later, nor refuse the later for the "
    "earlier, and no read may return both as if they were concurrent. The earlier one had been "
    "acknowledged before the later was invoked. A session guarantee of Terry et al. 1994, a key at "
    "a time.");

}  // namespace

}  // namespace rejoin::sim
