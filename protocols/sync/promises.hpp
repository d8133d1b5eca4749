// What mechanisms promise, and which conditions of it a run does not meet. And the conditions that
// several mechanisms share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocols/sync/mechanism.hpp"

namespace rejoin {

// In the order in which the mechanism names them.
[[nodiscard]] std::vector<const Condition*> conditions_of(const MechanismSpec& spec,
                                                          std::string_view promise);
// Those of them that are not met. Only of what the mechanism promises.
[[nodiscard]] std::vector<const Condition*> unmet_conditions(const MechanismSpec& spec,
                                                             std::string_view promise,
                                                             const Terms& terms,
                                                             const Params& params);
// True when it promises this at all, and these terms meet the conditions.
[[nodiscard]] bool promises(const MechanismSpec& spec, std::string_view promise, const Terms& terms,
                            const Params& params);
// All of them, for people; empty when there are none.
[[nodiscard]] std::string conditions_text(const MechanismSpec& spec);

namespace condition {

// Of mechanisms that merge by version what they fetch, at a return and at a change, from as many
// replicas as the parameter `source` says: the conditions that all of them share.
[[nodiscard]] Condition versions();
[[nodiscard]] Condition agreeing_clocks();
[[nodiscard]] Condition strict_quorums();
[[nodiscard]] Condition quorum_writes();
[[nodiscard]] Condition covering_sources();
[[nodiscard]] Condition majority();
[[nodiscard]] Condition on_return();
[[nodiscard]] Condition tombstones();
[[nodiscard]] Condition latest_shown();

}  // namespace condition

}  // namespace rejoin
