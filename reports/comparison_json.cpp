// The JSON of a comparison (README.md documents it), the document of its page, and baselines.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "reports/comparison.hpp"
#include "reports/comparison_words.hpp"

namespace rejoin::reports {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json number_or_null(const std::optional<std::int64_t>& value) {
  return value ? Json(*value) : Json();
}

Json metrics_json(const ComparedRun& run) {
  Json out = Json::object();
  for (const auto& [name, value] : run.metrics) out[name] = number_or_null(value);
  return out;
}

Json summary_json(const MetricSummary& summary) {
  const auto& interval = summary.interval;
  return {{"n", summary.n},
          {"absent", summary.absent},
          {"median", number_or_null(summary.median)},
          {"p10", number_or_null(summary.p10)},
          {"p90", number_or_null(summary.p90)},
          {"p99", number_or_null(summary.p99)},
          {"pairs", summary.pairs},
          {"difference", number_or_null(summary.difference)},
          {"low", interval ? Json(interval->low) : Json()},
          {"high", interval ? Json(interval->high) : Json()},
          {"inconclusive", summary.inconclusive()}};
}

Json summaries_json(const std::map<std::string, MetricSummary>& summaries) {
  Json out = Json::object();
  for (const auto& [name, summary] : summaries) out[name] = summary_json(summary);
  return out;
}

Json broken_json(const StrategySummary& strategy) {
  Json out = Json::array();
  for (const BrokenSummary& each : strategy.broken) {
    out.push_back({{"invariant", each.invariant},
                   {"runs", each.runs},
                   {"promised", each.promised},
                   {"first_seed", each.first_seed}});
  }
  return out;
}

Json runs_json(const ComparisonRecord& record, std::size_t strategy) {
  Json out = Json::array();
  for (std::size_t cell = 0; cell < record.cells(); ++cell) {
    for (std::uint64_t i = 0; i < record.seeds; ++i) {
      const ComparedRun& run = record.run(strategy, cell, i);
      const std::uint64_t seed = record.first_seed + i;
      Json broken = Json::array();
      for (const BrokenInvariant& each : run.broken) {
        broken.push_back({{"invariant", each.invariant}, {"promised", each.promised}});
      }
      Json lags = Json::array();
      for (const StepLag& lag : run.lags) {
        lags.push_back({{"label", lag.label}, {"copies", lag.copies}});
      }
      out.push_back({{"seed", seed},
                     {"cell", cell},
                     {"ended", run.ended},
                     {"verdict", to_name(run.verdict)},
                     {"says", run.says},
                     {"digest", run.digest},
                     {"broken", std::move(broken)},
                     {"stale_copies", std::move(lags)},
                     {"metrics", metrics_json(run)},
                     {"command", command_of(record, strategy, cell, seed)}});
    }
  }
  return out;
}

Json strategies_json(const ComparisonRecord& record, const Analysis& analysis) {
  Json out = Json::array();
  for (std::size_t s = 0; s < record.strategies.size(); ++s) {
    const StrategySummary& strategy = analysis.strategies[s];
    Json cells = Json::array();
    for (const auto& cell : strategy.cells) cells.push_back(summaries_json(cell));
    out.push_back({{"name", strategy.name},
                   {"front", strategy.front},
                   {"died", strategy.died},
                   {"unbounded", strategy.unbounded},
                   {"broken", broken_json(strategy)},
                   {"summary", summaries_json(strategy.metrics)},
                   {"cells", std::move(cells)},
                   {"runs", runs_json(record, s)}});
  }
  return out;
}

Json vary_json(const ComparisonRecord& record) {
  Json out = Json::array();
  for (const VariedPath& each : record.vary) {
    out.push_back({{"path", each.path}, {"values", each.values}});
  }
  return out;
}

Json fits_json(const Analysis& analysis) {
  Json out = Json::array();
  for (const FitSummary& each : analysis.fits) {
    Json fit = {{"strategy", each.strategy}, {"metric", each.metric}, {"path", each.path}};
    if (each.fit) {
      fit["exponent"] = each.fit->exponent;
      fit["low"] = each.fit->low;
      fit["high"] = each.fit->high;
      fit["left_out"] = each.fit->left_out;
    } else {
      fit["refused"] = each.fit.error();
    }
    out.push_back(std::move(fit));
  }
  return out;
}

Json thresholds_json(const ComparisonRecord& record, const Analysis& analysis) {
  Json out = Json::array();
  for (const ThresholdSummary& each : analysis.thresholds) {
    out.push_back({{"metric", each.threshold->metric},
                   {"of", to_name(each.threshold->of)},
                   {"at_least", number_or_null(each.threshold->at_least)},
                   {"at_most", number_or_null(each.threshold->at_most)},
                   {"strategy", each.strategy},
                   {"cell", each.cell},
                   {"cell_name", record.name_of(each.cell)},
                   {"actual", number_or_null(each.actual)},
                   {"held", each.held}});
  }
  return out;
}

Json baseline_comparison_json(const ComparisonRecord& record, const Analysis& analysis) {
  if (!record.baseline) return {};
  Json figures = Json::array();
  for (const BaselineSummary& each : analysis.baseline) {
    figures.push_back({{"strategy", each.strategy},
                       {"metric", each.metric},
                       {"before", number_or_null(each.before)},
                       {"after", number_or_null(each.after)},
                       {"pairs", each.pairs},
                       {"difference", number_or_null(each.difference)},
                       {"low", each.interval ? Json(each.interval->low) : Json()},
                       {"high", each.interval ? Json(each.interval->high) : Json()},
                       {"change", change_cell(each.change).text}});
  }
  return {{"name", record.baseline->name},
          {"commit", record.baseline->commit},
          {"lacks", analysis.baseline_lacks},
          {"figures", std::move(figures)}};
}

}  // namespace

std::string comparison_json(const ComparisonRecord& record, const Analysis& analysis) {
  Json cells = Json::array();
  for (std::size_t cell = 0; cell < record.cells(); ++cell) cells.push_back(record.name_of(cell));
  return dump({{"scenario", record.scenario},
               {"file", record.file},
               {"rejoin", record.rejoin},
               {"commit", record.commit},
               {"fingerprint", record.fingerprint},
               {"verdict", analysis.failed ? "fail" : "pass"},
               {"reasons", reasons_of(record, analysis)},
               {"reference", record.strategies[record.reference]},
               {"first_seed", record.first_seed},
               {"seeds", record.seeds},
               {"seeds_asked", record.seeds_asked},
               {"stopped", record.stopped},
               {"vary", vary_json(record)},
               {"cells", std::move(cells)},
               {"strategies", strategies_json(record, analysis)},
               {"fits", fits_json(analysis)},
               {"thresholds", thresholds_json(record, analysis)},
               {"baseline", baseline_comparison_json(record, analysis)}},
              1);
}

// ---- The page ----------------------------------------------------------------------------------

namespace {

std::string unit_of(const std::string& metric) {
  if (metric.ends_with("_ns")) return "ns";
  if (metric.ends_with("bytes")) return "bytes";
  for (const char* const unit : {"reads", "messages", "writes", "keys", "operations"}) {
    if (metric.ends_with(unit)) return unit;
  }
  return "";
}

// A point has a number for every metric, or null.
Json points_json(const ComparisonRecord& record, const Analysis& analysis, std::size_t strategy) {
  Json out = Json::array();
  for (std::size_t cell = 0; cell < record.cells(); ++cell) {
    for (std::uint64_t i = 0; i < record.seeds; ++i) {
      const ComparedRun& run = record.run(strategy, cell, i);
      Json metrics = Json::object();
      for (const std::string& name : analysis.metrics) {
        const auto found = run.metrics.find(name);
        metrics[name] = found == run.metrics.end() ? Json() : number_or_null(found->second);
      }
      out.push_back({{"seed", record.first_seed + i},
                     {"cell", cell},
                     {"verdict", to_name(run.verdict)},
                     {"metrics", std::move(metrics)},
                     {"command", command_of(record, strategy, cell, record.first_seed + i)}});
    }
  }
  return out;
}

// The page draws numbers: where most runs have none there is no summary, and where some have none
// the largest that there is stands for them.
Json page_summary(const ComparisonRecord& record, const MetricSummary& summary,
                  const std::string& metric, std::size_t strategy) {
  std::int64_t most = *summary.median;
  for (std::size_t cell = 0; cell < record.cells(); ++cell) {
    for (std::uint64_t i = 0; i < record.seeds; ++i) {
      const auto& metrics = record.run(strategy, cell, i).metrics;
      const auto found = metrics.find(metric);
      if (found != metrics.end() && found->second) most = std::max(most, *found->second);
    }
  }
  const auto& interval = summary.interval;
  return {{"n", summary.n},
          {"median", *summary.median},
          {"p10", summary.p10.value_or(most)},
          {"p90", summary.p90.value_or(most)},
          {"p99", summary.p99.value_or(most)},
          {"difference", number_or_null(summary.difference)},
          {"low", interval ? Json(interval->low) : Json()},
          {"high", interval ? Json(interval->high) : Json()},
          {"same", summary.all_equal},
          {"inconclusive", summary.inconclusive()}};
}

}  // namespace

std::string comparison_page(const ComparisonRecord& record, const Analysis& analysis) {
  Json strategies = Json::array();
  for (std::size_t s = 0; s < record.strategies.size(); ++s) {
    const StrategySummary& strategy = analysis.strategies[s];
    Json broken = Json::array();
    for (const BrokenSummary& each : strategy.broken) {
      broken.push_back(
          {{"invariant", each.invariant}, {"seeds", each.runs}, {"promised", each.promised}});
    }
    Json summary = Json::object();
    for (const std::string& name : analysis.metrics) {
      const auto found = strategy.metrics.find(name);
      if (found == strategy.metrics.end() || !found->second.median) continue;
      summary[name] = page_summary(record, found->second, name, s);
    }
    strategies.push_back({{"name", strategy.name},
                          {"broken", std::move(broken)},
                          {"front", strategy.front},
                          {"points", points_json(record, analysis, s)},
                          {"summary", std::move(summary)}});
  }
  Json fits = Json::array();
  for (const FitSummary& each : analysis.fits) {
    if (!each.fit) continue;
    fits.push_back({{"strategy", each.strategy},
                    {"metric", each.metric},
                    {"path", each.path},
                    {"exponent", each.fit->exponent},
                    {"low", each.fit->low},
                    {"high", each.fit->high}});
  }
  Json metrics = Json::array();
  for (const std::string& name : analysis.metrics) {
    const auto help = record.help.find(name);
    const Better better = better_of(name);
    metrics.push_back({{"name", name},
                       {"words", metric_words(name)},
                       {"better", better == Better::less   ? Json("less")
                                  : better == Better::more ? Json("more")
                                                           : Json()},
                       {"help", help == record.help.end() ? "" : help->second},
                       {"unit", unit_of(name)}});
  }
  return dump({{"kind", "comparison"},
               {"rejoin", record.rejoin},
               {"scenario", record.scenario},
               {"file", record.file},
               {"reference", record.strategies[record.reference]},
               {"seeds", record.seeds},
               {"vary", vary_json(record)},
               {"strategies", std::move(strategies)},
               {"fits", std::move(fits)},
               {"metrics", std::move(metrics)}},
              -1);
}

// ---- Baselines ---------------------------------------------------------------------------------

namespace {

constexpr int kBaselineFormat = 1;

}  // namespace

std::string baseline_json(const ComparisonRecord& record) {
  Json cells = Json::array();
  for (std::size_t cell = 0; cell < record.cells(); ++cell) cells.push_back(record.name_of(cell));
  Json runs = Json::array();
  for (const ComparedRun& run : record.runs) {
    runs.push_back({{"ended", run.ended}, {"digest", run.digest}, {"metrics", metrics_json(run)}});
  }
  return dump({{"kind", "rejoin-baseline"},
               {"format", kBaselineFormat},
               {"scenario", record.scenario},
               {"fingerprint", record.fingerprint},
               {"commit", record.commit},
               {"first_seed", record.first_seed},
               {"seeds", record.seeds},
               {"strategies", record.strategies},
               {"cells", std::move(cells)},
               {"runs", std::move(runs)}},
              1);
}

tl::expected<SavedBaseline, std::string> read_baseline(const std::string& text) {
  SavedBaseline out;
  try {
    const Json file = Json::parse(text);
    if (file.at("kind") != "rejoin-baseline") {
      return tl::unexpected(std::string("is no baseline of rejoin"));
    }
    if (file.at("format") != kBaselineFormat) {
      return tl::unexpected(std::string("is of another format; save it anew"));
    }
    ComparisonBaseline& baseline = out.baseline;
    file.at("scenario").get_to(out.scenario);
    file.at("fingerprint").get_to(out.fingerprint);
    file.at("commit").get_to(baseline.commit);
    file.at("first_seed").get_to(baseline.first_seed);
    file.at("seeds").get_to(baseline.seeds);
    file.at("strategies").get_to(baseline.strategies);
    file.at("cells").get_to(baseline.cells);
    for (const Json& each : file.at("runs")) {
      ComparedRun& run = baseline.runs.emplace_back();
      each.at("ended").get_to(run.ended);
      each.at("digest").get_to(run.digest);
      for (const auto& [name, value] : each.at("metrics").items()) {
        std::optional<std::int64_t>& metric = run.metrics[name];
        if (!value.is_null()) metric = value.get<std::int64_t>();
      }
    }
    // Counts of a damaged file may be anything, so they are not multiplied.
    const std::size_t rows = baseline.strategies.size() * baseline.cells.size();
    if (rows == 0 || baseline.runs.size() % rows != 0 ||
        baseline.runs.size() / rows != baseline.seeds) {
      return tl::unexpected(std::string("is damaged: it does not have as many runs as it says"));
    }
  } catch (const Json::exception& error) {
    return tl::unexpected("is damaged: " + std::string(error.what()));
  }
  return out;
}

}  // namespace rejoin::reports
