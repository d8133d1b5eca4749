// Figures of what clients saw: how long their operations took, how many there were, and when the
// cluster did not serve them.
//
// Invariant: a figure depends on the operations and their times, not on the order in which they are
// given.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/history.hpp"

namespace rejoin::sim {

// An open operation is no outage before it has been open for so long.
inline constexpr Duration kSlow = 1s;

// By metric; none where there is nothing to tell of. `given_up`: when clients stopped to wait for
// what was abandoned. Whatever is neither returned nor given up is open at `end`.
//
// - read_latency_p50_ns, _p99_ns, write_latency_p50_ns, _p99_ns: from invocation to answer, by
//   nearest rank over the answered (refusals left out). A write is whatever changes a key.
// - operations; failed_operations: refused or given up.
// - operations_per_s: answered ones, from the first invocation to the last answer; rounded to the
//   nearest; none when that is no time.
// - unavailable_ns: time in which at least one operation had been open for more than kSlow or was
//   under way to be refused. A client that gave up waits no more.
[[nodiscard]] std::map<std::string, std::optional<std::int64_t>> client_figures(
    const std::vector<Operation>& history, const std::map<RequestId, MonotonicTime>& given_up,
    MonotonicTime end);

}  // namespace rejoin::sim
