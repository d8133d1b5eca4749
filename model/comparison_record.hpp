// A comparison record: all that a comparison of strategies leaves behind. Its reports read it and
// nothing else.
//
// Invariants:
// 1. Every strategy met the same cells and the same seeds: `runs` is a full grid, a strategy after
//    the other, of each its cells, of each its seeds from `first_seed` on.
// 2. A run that took its process along is in it like any other, without metrics.
//
// Not here: what follows from it (reports/comparison.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/fields.hpp"
#include "model/run_record.hpp"

namespace rejoin {

// What a scenario asks of a comparison: `thresholds` of a file.
struct Threshold {
  enum class Of : std::uint8_t { min, p10, median, p90, p99, max };

  std::string metric;
  Of of = Of::median;  // over the seeds, of each strategy and cell
  std::optional<std::int64_t> at_least{};
  std::optional<std::int64_t> at_most{};
  std::vector<std::string> strategies{};  // as --sync names them; empty: all
  std::string where{};                    // file:line:column
};
[[nodiscard]] std::string_view to_name(Threshold::Of of);
[[nodiscard]] std::optional<Threshold::Of> threshold_of(std::string_view name);

// What broke in a run. Promised: a mechanism promises it, and its conditions are met.
struct BrokenInvariant {
  std::string invariant;
  bool promised = false;
  friend bool operator==(const BrokenInvariant&, const BrokenInvariant&) = default;
  REJOIN_FIELDS(invariant, promised)
};

// Copies that were stale or missing when a step had completed.
struct StepLag {
  std::string label;
  std::uint64_t copies = 0;
  friend bool operator==(const StepLag&, const StepLag&) = default;
  REJOIN_FIELDS(label, copies)
};

struct ComparedRun {
  bool ended = false;  // its process lived, and the seed gave a schedule
  Verdict verdict = Verdict::fail;
  std::string says;                     // the verdict in a line, or why it did not end
  std::string digest;                   // 32 hex digits; empty when it did not end
  std::vector<BrokenInvariant> broken;  // by name
  std::map<std::string, std::optional<std::int64_t>> metrics;
  std::vector<StepLag> lags;  // in the order in which the steps fired
  friend bool operator==(const ComparedRun&, const ComparedRun&) = default;
  REJOIN_FIELDS(ended, verdict, says, digest, broken, metrics, lags)
};

// A value of the scenario that was varied.
struct VariedPath {
  std::string path;
  std::vector<std::string> values;  // as they were written
  // What each measures: nanoseconds, bytes, a count, keys of a range; none: it is no quantity.
  std::vector<std::optional<double>> sizes;
};

// What an earlier comparison of the same scenario left, to compare with.
struct ComparisonBaseline {
  std::string name;
  std::string commit;  // of the program that made it; may be empty
  std::uint64_t first_seed = 0;
  std::uint64_t seeds = 0;
  std::vector<std::string> strategies;
  std::vector<std::string> cells;  // `path=value, path=value`; empty text where nothing was varied
  std::vector<ComparedRun> runs;   // without lags; in the order of a ComparisonRecord's
};

struct ComparisonRecord {
  std::string rejoin;  // the version of the program
  std::string commit;  // of it; may be empty
  std::string scenario;
  std::string file;
  std::string about;
  // 32 hex digits of what the scenario says, apart from strategies and what is varied.
  std::string fingerprint;
  std::vector<std::string> strategies;  // as --sync names them
  std::size_t reference = 0;            // the strategy that others are compared with
  std::vector<VariedPath> vary;         // a cell counts through all values, the last path fastest
  std::uint64_t first_seed = 0;
  std::uint64_t seeds = 0;        // that were run, with every strategy in every cell
  std::uint64_t seeds_asked = 0;  // more, when it was stopped
  std::string stopped;            // why; empty: it was not
  std::vector<ComparedRun> runs;
  std::vector<Threshold> thresholds;
  std::map<std::string, std::string> help;  // of every metric, a line
  std::vector<std::string> metrics;         // to be shown; empty: those that matter here
  std::optional<ComparisonBaseline> baseline{};
  std::string flags;  // that every run of it has: ` --set a=b`; may be empty

  [[nodiscard]] std::size_t cells() const;
  [[nodiscard]] const ComparedRun& run(std::size_t strategy, std::size_t cell,
                                       std::uint64_t seed_index) const {
    return runs[(strategy * cells() + cell) * seeds + seed_index];
  }
  // By path, what a cell has.
  [[nodiscard]] std::vector<std::string> values_of(std::size_t cell) const;
  // `path=value, path=value`; empty where nothing was varied.
  [[nodiscard]] std::string name_of(std::size_t cell) const;
};

}  // namespace rejoin
