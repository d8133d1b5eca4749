#include "sim/invariants/session_judges.hpp"

namespace rejoin::sim {

namespace {

class ReadYourWrites final : public SessionReads {
  const std::vector<SessionVersion>& had_before(const SessionShadow& sessions,
                                                RequestId read) const override {
    return sessions.written_before(read);
  }
  std::string how() const override { return "had been acknowledged to it"; }
};

[[maybe_unused]] const bool registered = register_invariant<ReadYourWrites>(
    "read-your-writes", "a session reads what it wrote, or something newer or concurrent",
    "Judged at each answer of a read, at any level, of a "
    "key that its session had written or deleted with an acknowledgement before the read was "
    "invoked; of a direct read only when the same node had answered that write. It may not return "
    "versions that are all older, nor NOT FOUND unless a delete explains it. A session ends when "
    "one of its operations times out. A session guarantee of Terry et al. 1994.");

}  // namespace

}  // namespace rejoin::sim
