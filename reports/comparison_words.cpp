#include "reports/comparison_words.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/metric.hpp"
#include "reports/shell_word.hpp"

namespace rejoin::reports {

std::string value_text(const std::string& metric, std::optional<std::int64_t> value) {
  // Differences of times are small more often than times are.
  constexpr std::int64_t kMillisecond = 1'000'000;
  constexpr std::int64_t kMicrosecond = 1'000;
  if (metric.ends_with("_ns") && value && *value != 0 && *value<kMillisecond&& * value> 0) {
    return *value < kMicrosecond ? fmt::format("{}ns", *value)
                                 : fmt::format("{}us", *value / kMicrosecond);
  }
  return metric_text(metric, value);
}

std::string signed_text(const std::string& metric, std::int64_t value) {
  if (value == 0) return metric_text(metric, 0);
  const auto size = static_cast<std::int64_t>(value < 0 ? -value : value);
  return (value < 0 ? "-" : "+") + value_text(metric, size);
}

std::string interval_text(const std::string& metric, const Interval& interval) {
  return signed_text(metric, interval.low) + ".." + signed_text(metric, interval.high);
}

namespace {

std::string in_runs(const std::string& what, std::uint64_t runs, const ComparisonRecord& record) {
  const std::uint64_t all = record.seeds * record.cells();
  return what + (runs == all && all > 1 ? " always" : " x" + grouped(runs));
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& each : parts) out += (out.empty() ? "" : ", ") + each;
  return out;
}

}  // namespace

std::string broken_promises(const StrategySummary& strategy, const ComparisonRecord& record) {
  std::vector<std::string> out;
  if (strategy.died != 0) out.push_back("DIED x" + grouped(strategy.died));
  if (strategy.unbounded != 0) out.push_back("UNBOUNDED x" + grouped(strategy.unbounded));
  for (const BrokenSummary& each : strategy.broken) {
    if (each.promised != 0) out.push_back(in_runs(each.invariant, each.promised, record));
  }
  return joined(out);
}

std::string broken_besides(const StrategySummary& strategy, const ComparisonRecord& record) {
  std::vector<std::string> out;
  for (const BrokenSummary& each : strategy.broken) {
    const std::uint64_t runs = each.runs - each.promised;
    if (runs != 0) out.push_back(in_runs(each.invariant, runs, record));
  }
  return joined(out);
}

std::string cell_words(const ComparisonRecord& record, std::size_t cell) {
  if (record.vary.size() != 1) return record.name_of(cell);
  return record.vary.front().values[cell];
}

std::string threshold_text(const Threshold& threshold) {
  std::string out = fmt::format("{} of {}", to_name(threshold.of), metric_words(threshold.metric));
  if (threshold.at_least) out += " at least " + value_text(threshold.metric, threshold.at_least);
  if (threshold.at_least && threshold.at_most) out += " and";
  if (threshold.at_most) out += " at most " + value_text(threshold.metric, threshold.at_most);
  return out;
}

Cell change_cell(Change change) {
  switch (change) {
    case Change::same:
      return {"same", Paint::dim};
    case Change::better:
      return {"better", Paint::good};
    case Change::worse:
      return {"WORSE", Paint::bad};
    case Change::inconclusive:
      return {"inconclusive", Paint::warn};
    case Change::different:
      return {"different", Paint::strong};
  }
  return {};
}

std::string death_of(const ComparisonRecord& record, const std::string& strategy) {
  for (std::size_t s = 0; s < record.strategies.size(); ++s) {
    if (record.strategies[s] != strategy) continue;
    for (std::size_t cell = 0; cell < record.cells(); ++cell) {
      for (std::uint64_t i = 0; i < record.seeds; ++i) {
        const ComparedRun& run = record.run(s, cell, i);
        if (!run.ended) return fmt::format("seed {}: {}", record.first_seed + i, run.says);
      }
    }
  }
  return {};
}

std::vector<std::string> reasons_of(const ComparisonRecord& record, const Analysis& analysis) {
  std::vector<std::string> out;
  for (const StrategySummary& strategy : analysis.strategies) {
    if (strategy.died != 0) {
      out.push_back(counted(strategy.died, "run") + " of " + strategy.name +
                    " did not end: " + death_of(record, strategy.name));
    }
    if (strategy.unbounded != 0) {
      out.push_back(counted(strategy.unbounded, "run") + " of " + strategy.name +
                    " reached the bound on events or virtual time");
    }
    for (const BrokenSummary& each : strategy.broken) {
      if (each.promised == 0) continue;
      out.push_back(fmt::format("{} promises {} and broke it in {}", strategy.name, each.invariant,
                                counted(each.promised, "run")));
    }
  }
  for (const ThresholdSummary& each : analysis.thresholds) {
    if (each.held) continue;
    const std::string where = record.cells() > 1 ? ", " + cell_words(record, each.cell) : "";
    out.push_back(fmt::format("{}{}: {} is {}", each.strategy, where,
                              threshold_text(*each.threshold),
                              value_text(each.threshold->metric, each.actual)));
  }
  for (const BaselineSummary& each : analysis.baseline) {
    if (each.change != Change::worse) continue;
    out.push_back(fmt::format("{} is worse than the baseline in {}: {} by median", each.strategy,
                              metric_words(each.metric),
                              signed_text(each.metric, each.difference.value_or(0))));
  }
  return out;
}

std::string spark(std::uint64_t value, std::uint64_t most) {
  constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (value == 0 || most == 0) return "_";
  return kBlocks[(value * 8 - 1) / most];
}

std::string compare_command(const ComparisonRecord& record) {
  std::string names;
  for (const std::string& name : record.strategies) names += (names.empty() ? "" : ",") + name;
  std::string out = "rejoin compare " + shell_word(record.file) + " --sync " + shell_word(names);
  for (const VariedPath& each : record.vary) {
    std::string values;
    for (const std::string& value : each.values) values += (values.empty() ? "" : ",") + value;
    out += " --vary " + shell_word(each.path + "=" + values);
  }
  out += record.flags;
  if (record.reference != 0) {
    out += " --reference " + shell_word(record.strategies[record.reference]);
  }
  return out +
         fmt::format(" --seeds {}..{}", record.first_seed, record.first_seed + record.seeds - 1);
}

}  // namespace rejoin::reports
