// The verdict: what was checked, what broke, what was expected.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/run_record.hpp"
#include "model/schedule.hpp"

namespace rejoin::sim {

// The clients' options with the weakest levels at which any step writes or deletes, and at which
// any reads through a coordinator.
[[nodiscard]] ClientOptions weakest_client(const Schedule& schedule);

// What a mechanism of the schedule promises, if its conditions are met: `unmet` are those that are
// not, as they say themselves.
struct Promise {
  std::string mechanism;
  std::string invariant;
  std::vector<std::string> unmet;
};
[[nodiscard]] std::vector<Promise> promises_of(const Schedule& schedule);
// Whether mechanism `name`, with these parameters, would promise it in this schedule.
[[nodiscard]] bool would_promise(const Schedule& schedule, std::string_view name,
                                 const Params& params, std::string_view invariant);

// The invariants to check: the union of `check` and of what the mechanisms promise under these
// options, sorted.
[[nodiscard]] std::vector<std::string> invariants_to_check(const Schedule& schedule);

enum class End : std::uint8_t { settled, bound_reached };

// Marks expected violations, lists what was missed, warns of settings that nothing uses and of what
// was broken because a condition of its promise is not met, and decides. `expectations` false:
// nothing is expected, every violation fails.
void judge(const Schedule& schedule, End end, bool expectations, RunRecord& record);

}  // namespace rejoin::sim
