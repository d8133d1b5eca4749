// The page of one run: its data, as page/src/data.ts has it.
//
// Invariants:
// 1. The document is small whatever the run was: each list has a bound (PageLimits), and what is
//    beyond it is counted in `hidden`. What is near a step, a fault or a violation stays.
// 2. Times are nanoseconds; every index is one into the list that data.ts names.
#pragma once

#include <cstddef>
#include <string>

#include "model/run_events.hpp"
#include "model/run_record.hpp"

namespace rejoin::reports {

struct PageLimits {
  std::size_t messages = 12'000;
  std::size_t facts = 6'000;
  std::size_t operations = 4'000;    // whole keys, those that were read stale first
  std::size_t spans_a_node = 1'500;  // shorter ones are joined, as the worst of them
  std::size_t held = 6'000;          // spans of replicas, of whole keys
  std::size_t violations = 300;
  std::size_t text_bytes = 1'200'000;  // of decoded messages and facts
};

struct RunPageOptions {
  std::string version;  // of the program
  std::string command;  // what to type to see this run again
  PageLimits limits = {};
};

[[nodiscard]] std::string run_page_json(const RunRecord& record, RunEvents events,
                                        const RunPageOptions& options);

// `not-found`, `siblings`, `no-answer`, ...
[[nodiscard]] std::string result_name(const Operation& operation);
// The moments that matter: steps, stale reads, violations; in order of time.
[[nodiscard]] std::vector<MonotonicTime> marks_of(const RunRecord& record, const RunEvents& events);

}  // namespace rejoin::reports
