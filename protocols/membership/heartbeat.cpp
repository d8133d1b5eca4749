// Checks that failed in a row, as ClusterKit counts them: `failures` of them, and the member is
// taken for dead; one that succeeds starts the count anew.

#include "protocols/membership/detector.hpp"

namespace rejoin {

namespace {

class Heartbeat final : public FailureDetector {
 public:
  explicit Heartbeat(std::uint32_t failures) : limit_(failures) {}

  void on_check(const CheckOutcome& outcome) override { suspects_ = outcome.failures >= limit_; }
  [[nodiscard]] bool suspects() const override { return suspects_; }

 private:
  const std::uint32_t limit_;
  bool suspects_ = false;
};

[[maybe_unused]] const bool registered = Detectors::add(
    {.name = "heartbeat",
     .help = "dead after `failures` health checks that failed in a row",
     .params = {},
     .make = [](const MembershipOptions& options) -> std::unique_ptr<FailureDetector> {
       return std::make_unique<Heartbeat>(options.failures);
     }});

}  // namespace

}  // namespace rejoin
