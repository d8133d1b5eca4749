#include "reports/comparison.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "model/check.hpp"
#include "model/params.hpp"
#include "reports/shell_word.hpp"

namespace rejoin::reports {

namespace {

// Shown when any run has something else than 0 of them.
constexpr std::string_view kTold[] = {
    "stale_reads",   "missing_reads",        "phantom_reads",      "unavailable_reads",
    "lost_writes",   "resurrections",        "conflicts_lost",     "failed_operations",
    "repair_rounds", "repair_messages",      "foreground_bytes",   "disk_bytes",
    "hints_dropped", "write_latency_p99_ns", "read_latency_p99_ns"};
// Less of what is told is better, too; of what is in no list, more is only different.
constexpr std::string_view kMoreIsBetter[] = {"min_copies", "operations_per_s",
                                              "acknowledged_writes"};
constexpr std::string_view kLessIsBetter[] = {"abandoned_operations",
                                              "bytes",
                                              "consensus_bytes",
                                              "membership_bytes",
                                              "messages",
                                              "missing_keys",
                                              "repairs_failed",
                                              "stale_keys",
                                              "stale_ns",
                                              "staleness_max_ns",
                                              "staleness_versions_max",
                                              "hints_stored",
                                              "read_latency_p50_ns",
                                              "write_latency_p50_ns"};

template <class List>
bool holds(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

std::optional<std::int64_t> metric_of(const ComparedRun& run, const std::string& name) {
  const auto found = run.metrics.find(name);
  return found == run.metrics.end() ? std::nullopt : found->second;
}

// Of a cell, or of all of them in order.
MetricValues values_of(const ComparisonRecord& record, std::size_t strategy,
                       const std::string& metric, std::optional<std::size_t> only = {}) {
  MetricValues out;
  for (std::size_t cell = 0; cell < record.cells(); ++cell) {
    if (only && cell != *only) continue;
    for (std::uint64_t i = 0; i < record.seeds; ++i) {
      out.push_back(metric_of(record.run(strategy, cell, i), metric));
    }
  }
  return out;
}

struct Ranked {
  std::vector<std::int64_t> sorted;
  std::size_t absent = 0;
};
Ranked ranked(const MetricValues& values) {
  Ranked out;
  for (const auto& value : values) {
    if (value) {
      out.sorted.push_back(*value);
    } else {
      ++out.absent;
    }
  }
  std::sort(out.sorted.begin(), out.sorted.end());
  return out;
}

std::set<std::string> metric_names(const ComparisonRecord& record) {
  std::set<std::string> out;
  for (const ComparedRun& run : record.runs) {
    for (const auto& [name, value] : run.metrics) out.insert(name);
  }
  return out;
}

std::vector<std::string> worth_showing(const ComparisonRecord& record) {
  if (!record.metrics.empty()) return record.metrics;
  const std::set<std::string> known = metric_names(record);
  std::vector<std::string> out;
  for (const char* const name : kFrontMetrics) {
    if (known.contains(name)) out.emplace_back(name);
  }
  constexpr std::size_t kAlways =
      8;  // of kTold: what is wrong with answers; the rest is on request
  for (std::size_t i = 0; i < kAlways; ++i) {
    const std::string name(kTold[i]);
    const bool any =
        std::any_of(record.runs.begin(), record.runs.end(), [&name](const ComparedRun& run) {
          const auto value = metric_of(run, name);
          return value && *value != 0;
        });
    if (any) out.push_back(name);
  }
  return out;
}

// ---- Of one strategy ---------------------------------------------------------------------------

void count_broken(const ComparisonRecord& record, std::size_t strategy, StrategySummary& out) {
  std::map<std::string, BrokenSummary> broken;
  for (std::uint64_t i = 0; i < record.seeds; ++i) {
    for (std::size_t cell = 0; cell < record.cells(); ++cell) {
      const ComparedRun& run = record.run(strategy, cell, i);
      if (!run.ended) ++out.died;
      if (run.ended && run.verdict == Verdict::unbounded) ++out.unbounded;
      for (const BrokenInvariant& each : run.broken) {
        BrokenSummary& entry = broken[each.invariant];
        // The first to look at is one in which it was promised.
        const bool first = entry.runs == 0 || (each.promised && entry.promised == 0);
        ++entry.runs;
        entry.promised += each.promised ? 1U : 0U;
        if (!first) continue;
        entry.invariant = each.invariant;
        entry.first_seed = record.first_seed + i;
        entry.first_cell = cell;
      }
    }
  }
  for (auto& [name, entry] : broken) out.broken.push_back(std::move(entry));
}

void take_lags(const ComparisonRecord& record, std::size_t strategy, StrategySummary& out) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::int64_t>> copies;
  std::size_t runs = 0;
  for (std::size_t cell = 0; cell < record.cells(); ++cell) {
    for (std::uint64_t i = 0; i < record.seeds; ++i) {
      const ComparedRun& run = record.run(strategy, cell, i);
      runs += run.ended ? 1U : 0U;
      for (const StepLag& lag : run.lags) {
        std::vector<std::int64_t>& of = copies[lag.label];
        if (of.empty()) order.push_back(lag.label);
        of.push_back(static_cast<std::int64_t>(lag.copies));
      }
    }
  }
  for (const std::string& label : order) {
    std::vector<std::int64_t>& of = copies[label];
    if (of.size() < runs) continue;  // nemeses and picks may leave steps out
    std::sort(of.begin(), of.end());
    out.lags.push_back({label, static_cast<std::uint64_t>(nearest_rank(of, 50))});
  }
}

StrategySummary summary_of(const ComparisonRecord& record, std::size_t strategy,
                           const std::set<std::string>& metrics,
                           const std::vector<std::string>& shown) {
  StrategySummary out;
  out.name = record.strategies[strategy];
  count_broken(record, strategy, out);
  take_lags(record, strategy, out);
  const bool is_reference = strategy == record.reference;
  const auto reference = [&](const std::string& metric, std::optional<std::size_t> cell) {
    return is_reference ? MetricValues{} : values_of(record, record.reference, metric, cell);
  };
  for (const std::string& metric : metrics) {
    out.metrics[metric] = summarise(values_of(record, strategy, metric), reference(metric, {}),
                                    record.seeds, out.name + "\n" + metric);
  }
  if (record.cells() == 1) return out;
  out.cells.resize(record.cells());
  for (std::size_t cell = 0; cell < record.cells(); ++cell) {
    for (const std::string& metric : shown) {
      out.cells[cell][metric] =
          summarise(values_of(record, strategy, metric, cell), reference(metric, cell),
                    record.seeds, out.name + "\n" + metric + "\n" + record.name_of(cell));
    }
  }
  return out;
}

// ---- Of all ------------------------------------------------------------------------------------

void mark_front(Analysis& analysis) {
  std::vector<StrategySummary*> able;
  std::vector<std::vector<std::optional<std::int64_t>>> costs;
  for (StrategySummary& strategy : analysis.strategies) {
    const auto of = [&strategy](const char* name) {
      const auto found = strategy.metrics.find(name);
      return found == strategy.metrics.end() ? std::nullopt : found->second.median;
    };
    // What never ran to an end costs nothing that is known, and what breaks its word is no bargain.
    if (!of(kFrontMetrics[0]) || !strategy.kept_its_word()) continue;
    able.push_back(&strategy);
    auto& row = costs.emplace_back();
    for (const char* const name : kFrontMetrics) row.push_back(of(name));
  }
  const std::vector<bool> front = pareto_front(costs);
  for (std::size_t i = 0; i < able.size(); ++i) able[i]->front = front[i];
}

void add_fits(const ComparisonRecord& record, Analysis& analysis) {
  for (std::size_t path = 0; path < record.vary.size(); ++path) {
    const VariedPath& varied = record.vary[path];
    const bool sized = std::all_of(varied.sizes.begin(), varied.sizes.end(),
                                   [](const auto& size) { return size && *size > 0; });
    if (!sized || varied.values.size() < 2) continue;
    std::size_t below_it = 1;  // cells that differ in later paths alone
    for (std::size_t i = path + 1; i < record.vary.size(); ++i) {
      below_it *= record.vary[i].values.size();
    }
    for (std::size_t s = 0; s < record.strategies.size(); ++s) {
      for (const std::string& metric : analysis.metrics) {
        std::vector<Sample> samples;
        bool any = false;
        for (std::size_t cell = 0; cell < record.cells(); ++cell) {
          const Ranked of = ranked(values_of(record, s, metric, cell));
          const auto median = nearest_rank(of.sorted, of.absent, 50);
          if (!median) continue;
          any = any || *median != 0;
          const std::size_t value = cell / below_it % varied.values.size();
          const std::size_t group =
              cell / (below_it * varied.values.size()) * below_it + cell % below_it;
          samples.push_back({.size = *varied.sizes[value], .value = *median, .group = group});
        }
        if (!any) continue;
        analysis.fits.push_back({record.strategies[s], metric, varied.path, fit_exponent(samples)});
      }
    }
  }
}

std::size_t percent_of(Threshold::Of of) {
  switch (of) {
    case Threshold::Of::min:
      return 0;
    case Threshold::Of::p10:
      return 10;
    case Threshold::Of::median:
      return 50;
    case Threshold::Of::p90:
      return 90;
    case Threshold::Of::p99:
      return 99;
    case Threshold::Of::max:
      return 100;
  }
  return 50;
}

void judge_thresholds(const ComparisonRecord& record, Analysis& analysis) {
  for (const Threshold& threshold : record.thresholds) {
    const std::vector<std::string>& only = threshold.strategies;
    bool any = false;
    for (std::size_t s = 0; s < record.strategies.size(); ++s) {
      const bool asked =
          only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& name) {
            return normal_name(name) == normal_name(record.strategies[s]);
          });
      if (!asked) continue;
      any = true;
      for (std::size_t cell = 0; cell < record.cells(); ++cell) {
        const Ranked of = ranked(values_of(record, s, threshold.metric, cell));
        ThresholdSummary& out = analysis.thresholds.emplace_back();
        out.threshold = &threshold;
        out.strategy = record.strategies[s];
        out.cell = cell;
        out.actual = nearest_rank(of.sorted, of.absent, percent_of(threshold.of));
        out.held = out.actual && (!threshold.at_least || *out.actual >= *threshold.at_least) &&
                   (!threshold.at_most || *out.actual <= *threshold.at_most);
      }
    }
    if (!any) {
      std::string names;
      for (const std::string& name : only) names += (names.empty() ? "" : ", ") + name;
      analysis.idle_thresholds.push_back(threshold.metric + " of " + names);
    }
  }
}

// ---- The baseline ------------------------------------------------------------------------------

Change change_of(const std::string& metric, const MetricSummary& pairs) {
  if (pairs.pairs == 0 || pairs.all_equal) return Change::same;
  if (!pairs.interval || pairs.interval->holds_zero()) return Change::inconclusive;
  const bool more = pairs.interval->low > 0;
  switch (better_of(metric)) {
    case Better::less:
      return more ? Change::worse : Change::better;
    case Better::more:
      return more ? Change::better : Change::worse;
    case Better::neither:
      return Change::different;
  }
  CHECK_THAT(false);
}

// Where a strategy of both is in the baseline, by cell of the record; npos where it is not.
struct InBaseline {
  const ComparisonBaseline& baseline;
  std::size_t strategy = 0;
  std::vector<std::size_t> cells;

  [[nodiscard]] const ComparedRun* run(std::size_t cell, std::uint64_t seed) const {
    const std::size_t at = cells[cell];
    if (at == std::string::npos || seed < baseline.first_seed) return nullptr;
    const std::uint64_t index = seed - baseline.first_seed;
    if (index >= baseline.seeds) return nullptr;
    return &baseline.runs[(strategy * baseline.cells.size() + at) * baseline.seeds + index];
  }
};

BaselineSummary against(const ComparisonRecord& record, std::size_t strategy,
                        const InBaseline& before, const std::string& metric) {
  MetricValues now;
  MetricValues then;
  std::size_t seeds = 0;  // that both have: as many in each cell
  for (std::size_t cell = 0; cell < record.cells(); ++cell) {
    const std::size_t before_cell = now.size();
    for (std::uint64_t i = 0; i < record.seeds; ++i) {
      const ComparedRun* const other = before.run(cell, record.first_seed + i);
      if (other == nullptr) continue;
      now.push_back(metric_of(record.run(strategy, cell, i), metric));
      then.push_back(metric_of(*other, metric));
    }
    seeds = std::max(seeds, now.size() - before_cell);
  }
  BaselineSummary out;
  out.strategy = record.strategies[strategy];
  out.metric = metric;
  if (now.empty()) return out;
  const MetricSummary found =
      summarise(now, then, seeds, out.strategy + "\n" + metric + "\n" + before.baseline.name);
  out.before = summarise(then, {}, seeds, "").median;
  out.after = found.median;
  out.pairs = found.pairs;
  out.difference = found.difference;
  out.interval = found.interval;
  out.change = change_of(metric, found);
  return out;
}

void compare_with_baseline(const ComparisonRecord& record, const std::set<std::string>& metrics,
                           Analysis& analysis) {
  if (!record.baseline) return;
  const ComparisonBaseline& baseline = *record.baseline;
  for (std::size_t s = 0; s < record.strategies.size(); ++s) {
    const auto at = std::find_if(baseline.strategies.begin(), baseline.strategies.end(),
                                 [&](const std::string& name) {
                                   return normal_name(name) == normal_name(record.strategies[s]);
                                 });
    if (at == baseline.strategies.end()) {
      analysis.baseline_lacks.push_back(record.strategies[s]);
      continue;
    }
    InBaseline before{baseline, static_cast<std::size_t>(at - baseline.strategies.begin()), {}};
    for (std::size_t cell = 0; cell < record.cells(); ++cell) {
      const auto same =
          std::find(baseline.cells.begin(), baseline.cells.end(), record.name_of(cell));
      before.cells.push_back(same == baseline.cells.end()
                                 ? std::string::npos
                                 : static_cast<std::size_t>(same - baseline.cells.begin()));
    }
    for (const std::string& metric : metrics) {
      analysis.baseline.push_back(against(record, s, before, metric));
    }
  }
}

}  // namespace

bool StrategySummary::kept_its_word() const {
  return died == 0 && unbounded == 0 &&
         std::none_of(broken.begin(), broken.end(),
                      [](const BrokenSummary& each) { return each.promised != 0; });
}

Better better_of(std::string_view metric) {
  if (holds(kFrontMetrics, metric) || holds(kTold, metric) || holds(kLessIsBetter, metric)) {
    return Better::less;
  }
  return holds(kMoreIsBetter, metric) ? Better::more : Better::neither;
}

MetricSummary summarise(const MetricValues& values, const MetricValues& reference,
                        std::size_t seeds, std::string_view what) {
  MetricSummary out;
  const Ranked of = ranked(values);
  out.n = of.sorted.size();
  out.absent = of.absent;
  out.median = nearest_rank(of.sorted, of.absent, 50);
  out.p10 = nearest_rank(of.sorted, of.absent, 10);
  out.p90 = nearest_rank(of.sorted, of.absent, 90);
  out.p99 = nearest_rank(of.sorted, of.absent, 99);
  if (reference.empty()) return out;
  CHECK_THAT(reference.size() == values.size());
  std::vector<std::int64_t> differences;
  std::vector<Paired> paired;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i] || !reference[i]) continue;
    differences.push_back(*values[i] - *reference[i]);
    paired.push_back({differences.back(), i % seeds});
  }
  out.pairs = differences.size();
  if (differences.empty()) return out;
  out.all_equal = std::all_of(differences.begin(), differences.end(),
                              [](std::int64_t difference) { return difference == 0; });
  out.interval = median_interval(std::move(paired), what);
  std::sort(differences.begin(), differences.end());
  out.difference = nearest_rank(differences, 50);
  return out;
}

Analysis analyse(const ComparisonRecord& record) {
  CHECK_THAT(record.seeds != 0 && record.reference < record.strategies.size());
  CHECK_THAT(record.runs.size() == record.strategies.size() * record.cells() * record.seeds);
  Analysis out;
  const std::set<std::string> metrics = metric_names(record);
  out.metrics = worth_showing(record);
  for (std::size_t s = 0; s < record.strategies.size(); ++s) {
    out.strategies.push_back(summary_of(record, s, metrics, out.metrics));
  }
  mark_front(out);
  add_fits(record, out);
  judge_thresholds(record, out);
  compare_with_baseline(record, metrics, out);
  for (const StrategySummary& strategy : out.strategies) {
    out.failed = out.failed || !strategy.kept_its_word();
  }
  for (const ThresholdSummary& each : out.thresholds) out.failed = out.failed || !each.held;
  for (const BaselineSummary& each : out.baseline) {
    out.failed = out.failed || each.change == Change::worse;
  }
  return out;
}

std::string command_of(const ComparisonRecord& record, std::size_t strategy, std::size_t cell,
                       std::uint64_t seed) {
  std::string out = "rejoin run " + shell_word(record.file) + " --sync " +
                    shell_word(record.strategies[strategy]) + record.flags;
  const std::vector<std::string> values = record.values_of(cell);
  for (std::size_t i = 0; i < values.size(); ++i) {
    out += " --set " + shell_word(record.vary[i].path + "=" + values[i]);
  }
  return out + " --no-expect --seed " + std::to_string(seed);
}

}  // namespace rejoin::reports
