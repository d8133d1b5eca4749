// What a comparison record comes to, computed once for all of its reports, and the reports.
//
// Invariants:
// 1. What is said of a strategy depends on its own runs and those of the reference alone; only the
//    front depends on all.
// 2. A metric without a value (it never converged) counts as larger than any in percentiles,
//    thresholds and fronts, and makes no pair.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "model/comparison_record.hpp"
#include "reports/statistics.hpp"

namespace rejoin::reports {

// Over the seeds, of one cell or of all.
struct MetricSummary {
  std::size_t n = 0;       // runs with a value
  std::size_t absent = 0;  // runs without
  std::optional<std::int64_t> median{};
  std::optional<std::int64_t> p10{};
  std::optional<std::int64_t> p90{};
  std::optional<std::int64_t> p99{};
  // Of the pairs with the same cell and seed of the reference; absent for the reference itself.
  std::size_t pairs = 0;
  std::optional<std::int64_t> difference{};  // their median
  std::optional<Interval> interval{};
  bool all_equal = false;  // no pair differs

  // There is an interval, and it tells nothing.
  [[nodiscard]] bool inconclusive() const {
    return interval && interval->holds_zero() && !all_equal;
  }
};

// Of lists that pair by position; `reference` is empty for the reference itself. Each cell has
// `seeds` of them, in the same order.
using MetricValues = std::vector<std::optional<std::int64_t>>;
[[nodiscard]] MetricSummary summarise(const MetricValues& values, const MetricValues& reference,
                                      std::size_t seeds, std::string_view what);

struct BrokenSummary {
  std::string invariant;
  std::uint64_t runs = 0;
  std::uint64_t promised = 0;  // of them, where it was promised
  std::uint64_t first_seed = 0;
  std::size_t first_cell = 0;
};

struct StrategySummary {
  std::string name;
  std::uint64_t died = 0;             // runs that did not end
  std::uint64_t unbounded = 0;        // that reached their bound
  std::vector<BrokenSummary> broken;  // by invariant
  bool front = false;  // in kFrontMetrics, of the strategies that kept their promises
  std::map<std::string, MetricSummary> metrics;             // over all cells
  std::vector<std::map<std::string, MetricSummary>> cells;  // of each cell; empty when it is one
  std::vector<StepLag> lags;  // medians over all runs, of the steps that all of them had

  // Every run ended, and kept what its mechanisms promise.
  [[nodiscard]] bool kept_its_word() const;
};

struct FitSummary {
  std::string strategy;
  std::string metric;
  std::string path;
  tl::expected<Fit, std::string> fit;
};

struct ThresholdSummary {
  const Threshold* threshold = nullptr;
  std::string strategy;
  std::size_t cell = 0;
  std::optional<std::int64_t> actual{};
  bool held = false;
};

// Against the baseline: the metric of a strategy now less then, paired by cell and seed.
enum class Change : std::uint8_t { same, better, worse, inconclusive, different };
struct BaselineSummary {
  std::string strategy;
  std::string metric;
  std::optional<std::int64_t> before{};  // medians of the pairs
  std::optional<std::int64_t> after{};
  std::size_t pairs = 0;
  std::optional<std::int64_t> difference{};
  std::optional<Interval> interval{};
  Change change = Change::same;
};

struct Analysis {
  std::vector<StrategySummary> strategies;  // in the order of the record
  std::vector<std::string> metrics;         // that are worth a table
  std::vector<FitSummary> fits;
  std::vector<ThresholdSummary> thresholds;
  std::vector<std::string> idle_thresholds;  // that named no strategy which was compared
  std::vector<BaselineSummary> baseline;     // all that are not the same, and not
  std::vector<std::string> baseline_lacks;   // strategies that it does not have
  bool failed =
      false;  // a promise broke, a run did not end, a threshold was missed, or it is worse
};

// The record outlives what is made.
[[nodiscard]] Analysis analyse(const ComparisonRecord& record);

enum class Better : std::uint8_t { less, more, neither };
[[nodiscard]] Better better_of(std::string_view metric);

// The four in which strategies are weighed.
inline constexpr const char* kFrontMetrics[] = {"repair_bytes", "stale_key_ns",
                                                "converged_after_ns", "unavailable_ns"};

struct ComparisonTextOptions {
  bool colour = false;
  std::size_t width = 100;
};
[[nodiscard]] std::string comparison_text(const ComparisonRecord& record, const Analysis& analysis,
                                          const ComparisonTextOptions& options);
[[nodiscard]] std::string comparison_json(const ComparisonRecord& record, const Analysis& analysis);
// A row a run: strategy, what was varied, seed, verdict, what broke, every metric (RFC 4180).
[[nodiscard]] std::string comparison_csv(const ComparisonRecord& record);
// For a pull request (GitHub).
[[nodiscard]] std::string comparison_markdown(const ComparisonRecord& record,
                                              const Analysis& analysis);
// The charts, for a paper.
[[nodiscard]] std::string comparison_svg(const ComparisonRecord& record, const Analysis& analysis);
// The document of page/src/data.ts: ComparisonData.
[[nodiscard]] std::string comparison_page(const ComparisonRecord& record, const Analysis& analysis);

// What --save-baseline keeps, and reads again. The error says what is wrong with the text.
[[nodiscard]] std::string baseline_json(const ComparisonRecord& record);
struct SavedBaseline {
  std::string scenario;
  std::string fingerprint;
  ComparisonBaseline baseline;
};
[[nodiscard]] tl::expected<SavedBaseline, std::string> read_baseline(const std::string& text);

// `rejoin run FILE --sync A --set path=value --seed 3`: repeats one of the runs.
[[nodiscard]] std::string command_of(const ComparisonRecord& record, std::size_t strategy,
                                     std::size_t cell, std::uint64_t seed);

}  // namespace rejoin::reports
