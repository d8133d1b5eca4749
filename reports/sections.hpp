// The parts of the text report of one run, in the order in which a reader needs them.
#pragma once

#include "model/run_record.hpp"
#include "reports/page.hpp"
#include "reports/report.hpp"

namespace rejoin::reports {

// `PASS t0-t5, seed 1: ...`: the first line and the last.
void put_verdict(Page& page, const RunRecord& record);
// A column a node, or, for more than kNodeColumnsMax, a summary with the nodes that stand out.
inline constexpr std::size_t kNodeColumnsMax = 6;
void put_timeline(Page& page, const RunRecord& record);
// What reads answered, what they should have, and why they did not.
void put_reads(Page& page, const RunRecord& record);
void put_violations(Page& page, const RunRecord& record);
// Messages and bytes by purpose, then every other metric.
void put_cost(Page& page, const RunRecord& record);
void put_judged(Page& page, const RunRecord& record);
// A row a fault: what its steps touched, and what they did there.
void put_faults(Page& page, const RunRecord& record);
void put_next(Page& page, const RunRecord& record, const TextOptions& options);

// `FAIL`, and how it is painted.
[[nodiscard]] Cell verdict_cell(Verdict verdict);
// `rejoin run FILE --seed 3 --set a=b`, which repeats the run; `sync` replaces --sync.
[[nodiscard]] std::string command_of(const std::string& file, const TextOptions& options,
                                     const std::string& sync_flag);

}  // namespace rejoin::reports
