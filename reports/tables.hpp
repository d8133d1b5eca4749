// Tables of runs for spreadsheets and for pull requests.
#pragma once

#include <string>
#include <vector>

#include "model/run_record.hpp"

namespace rejoin::reports {

// CSV as RFC 4180 has it, with a header. A row a run: what it was, what it came to, and a column a
// metric; a metric that has no value is an empty field.
[[nodiscard]] std::string metrics_csv(const std::vector<std::vector<RunRecord>>& files);
// A row a step and node.
[[nodiscard]] std::string steps_csv(const std::vector<RunRecord>& trials);
// A row a read of a read step.
[[nodiscard]] std::string reads_csv(const std::vector<RunRecord>& trials);

// As GitHub shows it: of one run its steps, its wrong reads and what broke; of several a row each.
[[nodiscard]] std::string markdown_report(const std::vector<std::vector<RunRecord>>& files);

}  // namespace rejoin::reports
