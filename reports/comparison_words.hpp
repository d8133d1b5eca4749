// How the reports of a comparison say its parts, in text and in Markdown alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/comparison.hpp"
#include "reports/page.hpp"

namespace rejoin::reports {

// `repair bytes`, `stale key`: without its unit where values show one.
[[nodiscard]] std::string metric_words(const std::string& metric);
// `12.1 KiB`, `1.250s`, `none`.
[[nodiscard]] std::string value_text(const std::string& metric, std::optional<std::int64_t> value);
// `+12.1 KiB`, `-3`, `0`.
[[nodiscard]] std::string signed_text(const std::string& metric, std::int64_t value);
[[nodiscard]] std::string interval_text(const std::string& metric, const Interval& interval);
// `no-stale-read x30, replicas-converge x2 PROMISED`; empty when nothing did.
[[nodiscard]] std::string broken_text(const StrategySummary& strategy,
                                      const ComparisonRecord& record);
[[nodiscard]] bool fails(const StrategySummary& strategy);
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
