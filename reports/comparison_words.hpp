// How the reports of a comparison say its parts, in text and in Markdown alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/comparison.hpp"
#include "reports/metric.hpp"
#include "reports/page.hpp"

namespace rejoin::reports {

// `12.1 KiB`, `1.250s`, `none`.
[[nodiscard]] std::string value_text(const std::string& metric, std::optional<std::int64_t> value);
// `+12.1 KiB`, `-3`, `0`.
[[nodiscard]] std::string signed_text(const std::string& metric, std::int64_t value);
[[nodiscard]] std::string interval_text(const std::string& metric, const Interval& interval);
// `no-stale-read x30, replicas-converge always`: what its mechanisms promise, under conditions that
// were met, and in how many runs it did not hold; empty when all did.
[[nodiscard]] std::string broken_promises(const StrategySummary& strategy,
                                          const ComparisonRecord& record);
// What did not hold, and nobody had promised.
[[nodiscard]] std::string broken_besides(const StrategySummary& strategy,
                                         const ComparisonRecord& record);
// Only the values, where one path was varied.
[[nodiscard]] std::string cell_words(const ComparisonRecord& record, std::size_t cell);
// `median of repair bytes at most 64.0 KiB`.
[[nodiscard]] std::string threshold_text(const Threshold& threshold);
[[nodiscard]] Cell change_cell(Change change);
// Why the comparison failed, a sentence each; empty when it did not.
[[nodiscard]] std::vector<std::string> reasons_of(const ComparisonRecord& record,
                                                  const Analysis& analysis);
// What the first run of that strategy that did not end said.
[[nodiscard]] std::string death_of(const ComparisonRecord& record, const std::string& strategy);
// One of eight blocks, by its share of the most; a low line for 0.
[[nodiscard]] std::string spark(std::uint64_t value, std::uint64_t most);
// `rejoin compare FILE --sync A,B ...`: asks for all of it again.
[[nodiscard]] std::string compare_command(const ComparisonRecord& record);

}  // namespace rejoin::reports
