// The text of a comparison, for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/comparison.hpp"
#include "reports/comparison_words.hpp"
#include "reports/page.hpp"
#include "reports/sections.hpp"

namespace rejoin::reports {

namespace {

struct Paper {
  const ComparisonRecord& record;
  const Analysis& analysis;
  Page& page;
};

std::string seeds_text(const ComparisonRecord& record) {
  if (record.seeds == 1) return fmt::format("seed {}", record.first_seed);
  return fmt::format("{} seeds ({}..{})", grouped(record.seeds), record.first_seed,
                     record.first_seed + record.seeds - 1);
}

void put_summary(const Paper& paper) {
  const ComparisonRecord& record = paper.record;
  std::string line =
      fmt::format("{} {}: {}", paper.analysis.failed ? "FAIL" : "PASS", record.scenario,
                  record.strategies.size() == 1
                      ? "1 strategy"
                      : grouped(std::uint64_t{record.strategies.size()}) + " strategies");
  if (record.cells() > 1) line += fmt::format(" in {}", counted(record.cells(), "cell"));
  line += fmt::format(", {}, against {}", seeds_text(record), record.strategies[record.reference]);
  paper.page.paragraph(line, 0, 2, paper.analysis.failed ? Paint::bad : Paint::good);
  for (const std::string& why : reasons_of(record, paper.analysis)) {
    paper.page.paragraph("- " + why, 2, 4, Paint::bad);
  }
}

// ---- What broke, and what it costs -------------------------------------------------------------

void put_overview(const Paper& paper) {
  Table table;
  table.columns = {{"strategy"}, {"front"}};
  for (const char* const metric : kFrontMetrics) {
    table.columns.push_back({metric_words(metric), Align::right});
  }
  Table broken{{{"strategy"}, {"promises broken"}, {"and not promised"}}, {}};
  for (const StrategySummary& strategy : paper.analysis.strategies) {
    std::vector<Cell> row = {{strategy.name, Paint::strong},
                             {strategy.front ? "*" : "", Paint::good}};
    for (const char* const metric : kFrontMetrics) {
      const auto found = strategy.metrics.find(metric);
      const bool known = found != strategy.metrics.end();
      row.push_back({known ? value_text(metric, found->second.median) : "none"});
    }
    const std::string promised = broken_promises(strategy, paper.record);
    broken.rows.push_back(
        {{strategy.name, Paint::strong},
         promised.empty() ? Cell{"none", Paint::good} : Cell{promised, Paint::bad},
         {broken_besides(strategy, paper.record), Paint::warn}});
    table.rows.push_back(std::move(row));
  }
  paper.page.section("What broke");
  paper.page.table(broken);
  paper.page.paragraph(
      "x: in so many runs. Promised is what a mechanism promises whose conditions are met: a "
      "broken "
      "promise fails the comparison.",
      2, 2, Paint::dim);
  paper.page.section("What it costs (medians)");
  paper.page.table(table);
  paper.page.paragraph(
      "*: on the Pareto front of these four: of those that kept their promises, none is better in "
      "one "
      "and no worse in the others.",
      2, 2, Paint::dim);
}

Cell judgement(const Paper& paper, const MetricSummary& summary) {
  if (!summary.difference) return {"", Paint::plain};
  if (summary.all_equal) return {"same", Paint::dim};
  if (!summary.interval) return {"too few seeds", Paint::dim};
  if (summary.inconclusive()) {
    return {fmt::format("inconclusive at {}", counted(paper.record.seeds, "seed")), Paint::warn};
  }
  return {summary.interval->low > 0 ? "more" : "less", Paint::strong};
}

void put_row(const Paper& paper, const std::string& metric, const MetricSummary& summary,
             std::vector<Cell> row, Table& table) {
  row.push_back({value_text(metric, summary.median)});
  row.push_back({value_text(metric, summary.p10) + ".." + value_text(metric, summary.p90)});
  row.push_back({summary.difference ? signed_text(metric, *summary.difference) : "-"});
  row.push_back({summary.interval ? interval_text(metric, *summary.interval) : "-"});
  row.push_back(judgement(paper, summary));
  table.rows.push_back(std::move(row));
}

void put_metric(const Paper& paper, const std::string& metric) {
  const ComparisonRecord& record = paper.record;
  const auto help = record.help.find(metric);
  paper.page.section(metric_words(metric));
  if (help != record.help.end()) paper.page.paragraph(help->second, 2, 2, Paint::dim);
  Table table;
  table.columns = {{"strategy"}};
  if (record.cells() > 1) table.columns.push_back({"cell"});
  const std::vector<Table::Column> rest = {{"median", Align::right},
                                           {"p10..p90", Align::right},
                                           {"difference", Align::right},
                                           {"95% interval", Align::right},
                                           {""}};
  table.columns.insert(table.columns.end(), rest.begin(), rest.end());
  for (const StrategySummary& strategy : paper.analysis.strategies) {
    const auto all = strategy.metrics.find(metric);
    if (all == strategy.metrics.end()) continue;
    std::vector<Cell> name = {{strategy.name, Paint::strong}};
    if (record.cells() > 1) name.push_back({"all", Paint::dim});
    put_row(paper, metric, all->second, name, table);
    for (std::size_t cell = 0; cell < strategy.cells.size(); ++cell) {
      const auto found = strategy.cells[cell].find(metric);
      if (found == strategy.cells[cell].end()) continue;
      put_row(paper, metric, found->second, {{""}, {cell_words(record, cell)}}, table);
    }
  }
  paper.page.table(table);
}

void put_legend(const Paper& paper) {
  const ComparisonRecord& record = paper.record;
  std::string text = fmt::format(
      "difference: the median of the differences to {}, each with the same {}; its 95% interval by "
      "bootstrap. none: it has no value in that many runs (it never converged), which counts as "
      "more than any.",
      record.strategies[record.reference], record.cells() > 1 ? "seed and cell" : "seed");
  if (record.seeds < kPairsForInterval) {
    text += fmt::format(" An interval takes {} seeds.", kPairsForInterval);
  }
  paper.page.blank();
  paper.page.paragraph(text, 2, 2, Paint::dim);
}

// ---- Staleness, step by step -------------------------------------------------------------------

void put_lags(const Paper& paper) {
  std::uint64_t most = 0;
  for (const StrategySummary& strategy : paper.analysis.strategies) {
    for (const StepLag& lag : strategy.lags) most = std::max(most, lag.copies);
  }
  if (most == 0) return;
  Table table;
  table.columns = {{"strategy"}, {""}};
  // Steps that all strategies have, so that columns are the same moment.
  const std::vector<StepLag>& first = paper.analysis.strategies.front().lags;
  for (const StepLag& lag : first) table.columns.push_back({lag.label, Align::right});
  for (const StrategySummary& strategy : paper.analysis.strategies) {
    std::string line;
    std::vector<Cell> figures;
    for (const StepLag& at : first) {
      const auto lag = std::find_if(strategy.lags.begin(), strategy.lags.end(),
                                    [&at](const StepLag& each) { return each.label == at.label; });
      const bool known = lag != strategy.lags.end();
      line += known ? spark(lag->copies, most) : " ";
      figures.push_back({known ? grouped(lag->copies) : "-"});
    }
    std::vector<Cell> row = {{strategy.name, Paint::strong}, {line}};
    row.insert(row.end(), figures.begin(), figures.end());
    table.rows.push_back(std::move(row));
  }
  paper.page.section("Copies that are stale or missing when each step has completed (medians)");
  paper.page.table(table);
}

// ---- Exponents, thresholds, the baseline -------------------------------------------------------

void put_fits(const Paper& paper) {
  const ComparisonRecord& record = paper.record;
  for (const VariedPath& varied : record.vary) {
    Table table{{{"strategy"},
                 {"metric"},
                 {"exponent", Align::right},
                 {"95% interval", Align::right},
                 {""}},
                {}};
    std::set<std::string> refused;
    for (const FitSummary& each : paper.analysis.fits) {
      if (each.path != varied.path) continue;
      if (!each.fit) {
        refused.insert(each.fit.error());
        continue;
      }
      std::string note;
      if (each.fit->left_out != 0) note = counted(each.fit->left_out, "zero") + " left out";
      table.rows.push_back({{each.strategy, Paint::strong},
                            {metric_words(each.metric)},
                            {fmt::format("{:.3f}", each.fit->exponent)},
                            {fmt::format("{:.3f}..{:.3f}", each.fit->low, each.fit->high)},
                            {note, Paint::dim}});
    }
    if (table.rows.empty() && refused.empty()) continue;
    paper.page.section("How it grows: metric ~ " + varied.path + "^exponent");
    if (!table.rows.empty()) paper.page.table(table);
    for (const std::string& why : refused) {
      paper.page.paragraph("no fit where " + why, 2, 4, Paint::dim);
    }
  }
}

void put_thresholds(const Paper& paper) {
  const Analysis& analysis = paper.analysis;
  if (analysis.thresholds.empty() && analysis.idle_thresholds.empty()) return;
  Table table{{{"threshold"}, {"strategy"}, {"actual", Align::right}, {""}}, {}};
  for (const ThresholdSummary& each : analysis.thresholds) {
    std::string who = each.strategy;
    if (paper.record.cells() > 1) who += " (" + cell_words(paper.record, each.cell) + ")";
    table.rows.push_back({{threshold_text(*each.threshold)},
                          {who},
                          {value_text(each.threshold->metric, each.actual)},
                          {each.held ? "held" : "MISSED", each.held ? Paint::good : Paint::bad}});
  }
  paper.page.section("Thresholds");
  if (!table.rows.empty()) paper.page.table(table);
  for (const std::string& idle : analysis.idle_thresholds) {
    paper.page.paragraph("- not judged: " + idle + " was not compared", 2, 4, Paint::warn);
  }
}

void put_baseline(const Paper& paper) {
  if (!paper.record.baseline) return;
  const ComparisonBaseline& baseline = *paper.record.baseline;
  Table table{{{"strategy"},
               {"metric"},
               {"before", Align::right},
               {"now", Align::right},
               {"difference", Align::right},
               {"95% interval", Align::right},
               {""}},
              {}};
  std::size_t same = 0;
  for (const BaselineSummary& each : paper.analysis.baseline) {
    if (each.change == Change::same) {
      ++same;
      continue;
    }
    Cell verdict = change_cell(each.change);
    if (each.change == Change::inconclusive) {
      verdict.text += " at " + counted(each.pairs, "pair");
    }
    table.rows.push_back({{each.strategy, Paint::strong},
                          {metric_words(each.metric)},
                          {value_text(each.metric, each.before)},
                          {value_text(each.metric, each.after)},
                          {each.difference ? signed_text(each.metric, *each.difference) : "-"},
                          {each.interval ? interval_text(each.metric, *each.interval) : "-"},
                          verdict});
  }
  paper.page.section("Against the baseline " + baseline.name +
                     (baseline.commit.empty() ? "" : ", of commit " + baseline.commit));
  if (!table.rows.empty()) paper.page.table(table);
  paper.page.paragraph(fmt::format("{} of {} are the same.", counted(same, "figure"),
                                   grouped(std::uint64_t{paper.analysis.baseline.size()})),
                       2);
  for (const std::string& name : paper.analysis.baseline_lacks) {
    paper.page.paragraph("- " + name + " is not in it", 2, 4, Paint::warn);
  }
}

void put_next(const Paper& paper) {
  const ComparisonRecord& record = paper.record;
  paper.page.section("Next");
  for (std::size_t s = 0; s < record.strategies.size(); ++s) {
    const StrategySummary& strategy = paper.analysis.strategies[s];
    const auto worst = std::max_element(
        strategy.broken.begin(), strategy.broken.end(),
        [](const BrokenSummary& a, const BrokenSummary& b) { return a.promised < b.promised; });
    if (worst == strategy.broken.end()) continue;
    paper.page.paragraph(
        fmt::format(
            "{} {} under {}:", worst->promised != 0 ? "what breaks the promise of" : "what breaks",
            worst->invariant, strategy.name),
        2);
    paper.page.verbatim(command_of(record, s, worst->first_cell, worst->first_seed), 4,
                        Paint::strong);
    if (worst->promised == 0) break;  // one example of what nobody promised
  }
  paper.page.paragraph("the same as a page, and as a table for a pull request:", 2);
  paper.page.verbatim(compare_command(record) + " --out html --out markdown", 4, Paint::strong);
}

}  // namespace

std::string comparison_text(const ComparisonRecord& record, const Analysis& analysis,
                            const ComparisonTextOptions& options) {
  Page page(options.width, options.colour);
  const Paper paper{record, analysis, page};
  put_summary(paper);
  if (!record.about.empty()) page.paragraph(record.about);
  if (!record.stopped.empty()) {
    page.paragraph(fmt::format("Stopped: {}. {} of {} were run.", record.stopped,
                               grouped(record.seeds), counted(record.seeds_asked, "seed")),
                   0, 2, Paint::warn);
  }
  put_overview(paper);
  for (const std::string& metric : analysis.metrics) put_metric(paper, metric);
  put_legend(paper);
  put_lags(paper);
  put_fits(paper);
  put_thresholds(paper);
  put_baseline(paper);
  put_next(paper);
  page.blank();
  put_summary(paper);
  return page.take();
}

}  // namespace rejoin::reports
