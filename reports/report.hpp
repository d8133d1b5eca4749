// Reports: run records in, text out. They read nothing else.
#pragma once

#include <string>
#include <vector>

#include "model/run_record.hpp"

namespace rejoin::reports {

struct TextOptions {
  bool colour = false;  // ANSI, for a terminal
  std::size_t width = 100;
  // How the run was asked for, so that the commands it suggests repeat it: the flags after the
  // file, each with a space before it, without --sync; and --sync, if it was given.
  std::string flags;
  std::string sync_flag;
  // Another mechanism that is worth trying on this scenario, and when it keeps its promises.
  std::string other_sync;
  bool none_runs = true;  // the same events without any mechanism: a scenario that is not refused
  std::string other_sync_conditions;
};

// The table T0-T5 with a column a node, the reads, violations with evidence, cost, digest, and the
// commands to try next.
[[nodiscard]] std::string text_report(const RunRecord& record, const TextOptions& options);
// `scenarios/...: 200 trials, ...`: the summary of several seeds of one scenario.
[[nodiscard]] std::string text_report(const std::vector<RunRecord>& trials,
                                      const TextOptions& options);
// One object for the trials of one file (usually one), as documented in README.
[[nodiscard]] std::string json_report(const std::vector<RunRecord>& trials);
// An array of such objects, one a file.
[[nodiscard]] std::string json_report_of_files(const std::vector<std::vector<RunRecord>>& files);

}  // namespace rejoin::reports
