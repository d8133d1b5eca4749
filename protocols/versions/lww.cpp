// Last write wins: a register that keeps the value with the greatest version.
#include <algorithm>

#include "protocols/versions/conflict.hpp"

namespace rejoin {

namespace {

std::size_t choose(const std::vector<Sibling>& siblings) {
  const auto greatest =
      std::max_element(siblings.begin(), siblings.end(), [](const Sibling& a, const Sibling& b) {
        if (a.version != b.version) return a.version < b.version;
        return a.origin < b.origin;
      });
  return static_cast<std::size_t>(greatest - siblings.begin());
}

[[maybe_unused]] const bool registered = Conflicts::add({
    .name = "lww",
    .help = "The value with the greatest version stays (an LWW-register)",
    .details =
        "Replicas agree whatever order writes arrive in, and a write of two that did not know of "
        "each other is dropped. With a clock that is ahead the dropped one can be the later, and "
        "nothing that is written before the clock is overtaken can replace its value. Where "
        "versions track causality only concurrent values are compared, and each that is not shown "
        "is counted as lost. Source: Shapiro et al. 2011, section 3.2.1.",
    .fits = {ConflictSpec::Needs::order, ConflictSpec::Needs::causality},
    .choose = &choose,
});

}  // namespace

}  // namespace rejoin
