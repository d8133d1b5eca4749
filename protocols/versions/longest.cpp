// A resolver of an application's own: of concurrent values the longest stays.
#include <algorithm>

#include "protocols/versions/conflict.hpp"

namespace rejoin {

namespace {

// A deletion is the shortest of all. Equal values are told apart by their writers, so that all
// replicas choose alike.
std::size_t choose(const std::vector<Sibling>& siblings) {
  const auto longest =
      std::max_element(siblings.begin(), siblings.end(), [](const Sibling& a, const Sibling& b) {
        if (a.deleted != b.deleted) return a.deleted;
        if (a.value.size() != b.value.size()) return a.value.size() < b.value.size();
        if (a.value != b.value) return a.value < b.value;
        return a.origin < b.origin;
      });
  return static_cast<std::size_t>(longest - siblings.begin());
}

[[maybe_unused]] const bool registered = Conflicts::add({
    .name = "longest",
    .help = "Of concurrent values the longest stays: how an application's own rule looks",
    .details =
        "Stands for any rule that compares values. It must choose alike on every replica whatever "
        "order values meet in, so ties are broken by the value and then by its writer. What it "
        "drops is counted as lost.",
    .fits = {ConflictSpec::Needs::causality},
    .choose = &choose,
});

}  // namespace

}  // namespace rejoin
