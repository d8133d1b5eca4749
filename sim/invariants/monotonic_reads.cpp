#include "sim/invariants/session_judges.hpp"

namespace rejoin::sim {

namespace {

class MonotonicReads final : public SessionReads {
  const std::vector<SessionVersion>& had_before(const SessionShadow& sessions,
                                                RequestId read) const override {
    return sessions.seen_before(read);
  }
  std::string how() const override { return "had been shown to it"; }
};

[[maybe_unused]] const bool registered = register_invariant<MonotonicReads>(
    "monotonic-reads", "a session never reads something older than what it has read",
    "Judged at each answer of a read, at any level, of a "
    "key of which its session had been shown a version before the read was invoked; of a direct "
    "read only when the same node had shown it. It may not return versions that are all older, "
    "nor NOT FOUND after a value unless a delete explains it. Whether the version had been "
    "acknowledged does not matter. A session ends when one of its operations times out. A session "
    "guarantee of Terry et al. 1994.");

}  // namespace

}  // namespace rejoin::sim
