// A comparison as GitHub shows it in a pull request.
#include <fmt/format.h>

#include "reports/comparison.hpp"
#include "reports/comparison_words.hpp"
#include "reports/markup.hpp"

namespace rejoin::reports {

namespace {

std::string row(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& each : cells) out += " " + each + " |";
  return out + "\n";
}

std::string head(const std::vector<std::string>& titles, std::size_t left) {
  std::string out = row(titles) + "|";
  for (std::size_t i = 0; i < titles.size(); ++i) out += i < left ? "---|" : "---:|";
  return out + "\n";
}

std::string with_interval(const ComparisonRecord& record, const std::string& metric,
                          const MetricSummary& summary) {
  std::string out = markdown_cell(value_text(metric, summary.median));
  if (!summary.difference) return out;
  if (summary.all_equal) return out + "<br>same";
  out += "<br>" + markdown_cell(signed_text(metric, *summary.difference));
  if (!summary.interval) return out;
  if (summary.inconclusive()) {
    return out + "<br>inconclusive at " + counted(record.seeds, "seed");
  }
  return out + "<br>(" + markdown_cell(interval_text(metric, *summary.interval)) + ")";
}

std::string costs(const ComparisonRecord& record, const Analysis& analysis) {
  std::vector<std::string> titles = {"strategy", "front", "promises broken", "and not promised"};
  for (const std::string& metric : analysis.metrics)
    titles.push_back(markdown_cell(metric_words(metric)));
  std::string out = head(titles, 4);
  for (const StrategySummary& strategy : analysis.strategies) {
    const std::string promised = broken_promises(strategy, record);
    std::vector<std::string> cells = {markdown_cell(strategy.name), strategy.front ? "yes" : "",
                                      promised.empty() ? "none" : markdown_cell(promised),
                                      markdown_cell(broken_besides(strategy, record))};
    for (const std::string& metric : analysis.metrics) {
      const auto found = strategy.metrics.find(metric);
      cells.push_back(
          found == strategy.metrics.end() ? "none" : with_interval(record, metric, found->second));
    }
    out += row(cells);
  }
  return out;
}

std::string thresholds(const ComparisonRecord& record, const Analysis& analysis) {
  if (analysis.thresholds.empty()) return {};
  std::string out = "\n" + head({"threshold", "strategy", "", "actual"}, 3);
  for (const ThresholdSummary& each : analysis.thresholds) {
    std::string who = each.strategy;
    if (record.cells() > 1) who += " (" + cell_words(record, each.cell) + ")";
    out += row({markdown_cell(threshold_text(*each.threshold)), markdown_cell(who),
                each.held ? "held" : "MISSED",
                markdown_cell(value_text(each.threshold->metric, each.actual))});
  }
  return out;
}

std::string fits(const Analysis& analysis) {
  std::string out;
  for (const FitSummary& each : analysis.fits) {
    if (!each.fit) continue;
    if (out.empty()) out = "\n" + head({"strategy", "metric", "by", "exponent"}, 3);
    out += row({markdown_cell(each.strategy), markdown_cell(metric_words(each.metric)),
                markdown_cell(each.path),
                fmt::format("{:.3f} ({:.3f}..{:.3f})", each.fit->exponent, each.fit->low,
                            each.fit->high)});
  }
  return out;
}

std::string baseline(const ComparisonRecord& record, const Analysis& analysis) {
  if (!record.baseline) return {};
  std::string rows;
  for (const BaselineSummary& each : analysis.baseline) {
    if (each.change == Change::same) continue;
    rows += row({markdown_cell(each.strategy), markdown_cell(metric_words(each.metric)),
                 change_cell(each.change).text, markdown_cell(value_text(each.metric, each.before)),
                 markdown_cell(value_text(each.metric, each.after))});
  }
  const std::string name = markdown_cell(record.baseline->name);
  if (rows.empty()) return "\nAgainst the baseline " + name + ": nothing has changed.\n";
  return "\nAgainst the baseline " + name + ":\n\n" +
         head({"strategy", "metric", "", "before", "now"}, 3) + rows;
}

}  // namespace

std::string comparison_markdown(const ComparisonRecord& record, const Analysis& analysis) {
  std::string out = fmt::format(
      "### {} {}: {} of {}, against {}\n\n", analysis.failed ? "FAIL" : "PASS",
      markdown_cell(record.scenario), counted(record.seeds, "seed"),
      record.strategies.size() == 1 ? "1 strategy"
                                    : fmt::format("{} strategies", record.strategies.size()),
      markdown_cell(record.strategies[record.reference]));
  for (const std::string& why : reasons_of(record, analysis))
    out += "- " + markdown_cell(why) + "\n";
  if (analysis.failed) out += "\n";
  out += costs(record, analysis) + thresholds(record, analysis) + fits(analysis) +
         baseline(record, analysis);
  return out +
         "\nMedians, with the median of the paired differences and its 95% interval.\n\n```\n" +
         compare_command(record) + "\n```\n";
}

}  // namespace rejoin::reports
