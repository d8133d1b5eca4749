// The verdict: what was checked, what broke, what was expected.
#pragma once

#include <string>
#include <vector>

#include "model/run_record.hpp"
#include "model/schedule.hpp"

namespace rejoin::sim {

// The clients' options with the weakest levels at which any step writes or deletes, and at which
// any reads through a coordinator.
[[nodiscard]] ClientOptions weakest_client(const Schedule& schedule);

// The invariants to check: the union of `check` and of what the mechanisms promise under these
// options, sorted.
[[nodiscard]] std::vector<std::string> invariants_to_check(const Schedule& schedule);

enum class End : std::uint8_t { settled, bound_reached };

// Marks expected violations, lists what was missed, and decides. `expectations` false: nothing is
// expected, every violation fails.
void judge(const Schedule& schedule, End end, bool expectations, RunRecord& record);

}  // namespace rejoin::sim
