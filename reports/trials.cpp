// The text report of several seeds of one scenario.
#include <fmt/format.h>

#include <map>
#include <set>

#include "model/check.hpp"
#include "reports/aggregate.hpp"
#include "reports/metric.hpp"
#include "reports/report.hpp"
#include "reports/sections.hpp"

namespace rejoin::reports {

namespace {

using Seeds = std::vector<std::string>;

void put_verdicts(Page& page, const std::vector<const RunRecord*>& trials) {
  std::map<Verdict, Seeds> seeds;
  for (const RunRecord* trial : trials)
    seeds[trial->verdict].push_back(std::to_string(trial->seed));
  Table table;
  table.columns = {{"verdict"}, {"trials", Align::right}, {"seeds"}};
  for (const auto& [verdict, which] : seeds) {
    Cell name = verdict_cell(verdict);
    name.text = to_name(verdict);
    table.rows.push_back({name, {grouped(which.size())}, {name_ranges(which)}});
  }
  page.section("Verdicts");
  page.table(table);
}

void put_violations(Page& page, const std::vector<const RunRecord*>& trials) {
  struct Found {
    std::uint64_t count = 0;
    Seeds seeds;
  };
  std::map<std::pair<bool, std::string>, Found> found;
  for (const RunRecord* trial : trials) {
    for (const Violation& violation : trial->violations) {
      Found& entry = found[{violation.expected, violation.invariant}];
      ++entry.count;
      const std::string seed = std::to_string(trial->seed);
      if (entry.seeds.empty() || entry.seeds.back() != seed) entry.seeds.push_back(seed);
    }
  }
  if (found.empty()) return;
  Table table;
  table.columns = {{"invariant"},
                   {"violations", Align::right},
                   {"expected"},
                   {"trials", Align::right},
                   {"seeds"}};
  for (const auto& [which, entry] : found) {
    table.rows.push_back({{which.second, which.first ? Paint::warn : Paint::bad},
                          {grouped(entry.count)},
                          {which.first ? "yes" : "no"},
                          {grouped(entry.seeds.size())},
                          {name_ranges(entry.seeds)}});
  }
  page.section("Violations");
  page.table(table);
}

// Lines that trials have in common are shown once, with their seeds.
void put_lines(Page& page, std::string_view title, const std::vector<const RunRecord*>& trials,
               std::vector<std::string> RunRecord::*lines, Paint paint) {
  std::map<std::string, Seeds> seeds;
  for (const RunRecord* trial : trials) {
    for (const std::string& line : trial->*lines)
      seeds[line].push_back(std::to_string(trial->seed));
  }
  if (seeds.empty()) return;
  page.section(title);
  for (const auto& [line, which] : seeds) {
    page.paragraph(fmt::format("- {} ({} of {})", line, counted(which.size(), "trial"),
                               grouped(trials.size())),
                   2, 4, paint);
    page.paragraph("seeds " + name_ranges(which), 4, 4, Paint::dim);
  }
}

std::string rounded(const std::string& name, double mean) {
  if (!name.ends_with("_ns") && !name.ends_with("bytes")) return fmt::format("{:.2f}", mean);
  return metric_text(name, static_cast<std::int64_t>(mean));
}

void put_metrics(Page& page, const std::vector<RunRecord>& trials) {
  const std::map<std::string, Spread> all = spreads(trials);
  if (all.empty()) return;
  Table table;
  table.columns = {{"metric"},
                   {"trials", Align::right},
                   {"mean", Align::right},
                   {"p50", Align::right},
                   {"p99", Align::right},
                   {"max", Align::right}};
  for (const auto& [name, spread] : all) {
    std::vector<Cell> cells = {{name}, {grouped(spread.count)}};
    if (spread.count == 0) {
      cells.resize(table.columns.size(), Cell{"none", Paint::dim});
    } else {
      cells.push_back({rounded(name, spread.mean)});
      for (const std::int64_t value : {spread.p50, spread.p99, spread.max}) {
        cells.push_back({metric_text(name, value)});
      }
    }
    table.rows.push_back(std::move(cells));
  }
  page.section("Metrics");
  page.table(table);
  page.paragraph("trials: those in which the metric has a value.", 2, 2, Paint::dim);
}

void put_summary(Page& page, const std::vector<const RunRecord*>& trials, Verdict worst) {
  std::uint64_t passed = 0;
  for (const RunRecord* trial : trials) passed += trial->verdict == Verdict::pass ? 1U : 0U;
  const Cell verdict = verdict_cell(worst);
  page.paragraph(fmt::format("{} {}, seeds {}..{}: {} of {} as expected", verdict.text,
                             trials.front()->scenario, trials.front()->seed, trials.back()->seed,
                             grouped(passed), counted(trials.size(), "trial")),
                 0, 2, verdict.paint);
}

}  // namespace

std::string text_report(const std::vector<RunRecord>& trials, const TextOptions& options) {
  CHECK_THAT(!trials.empty());
  if (trials.size() == 1) return text_report(trials.front(), options);
  const std::vector<const RunRecord*> ordered = in_seed_order(trials);
  const Verdict worst = worst_verdict(trials);
  Page page(options.width, options.colour);
  put_summary(page, ordered, worst);
  if (!trials.front().about.empty()) page.paragraph(trials.front().about);
  put_verdicts(page, ordered);
  put_violations(page, ordered);
  put_lines(page, "Expectations that were missed", ordered, &RunRecord::unmet, Paint::bad);
  put_lines(page, "Warnings", ordered, &RunRecord::warnings, Paint::warn);
  put_metrics(page, trials);
  std::uint64_t events = 0;
  std::int64_t wall_ns = 0;
  for (const RunRecord* trial : ordered) {
    events += trial->events;
    wall_ns += trial->wall_ns;
  }
  page.section("Run");
  page.paragraph("digest of the digests " + to_hex(digest_of(trials)), 2);
  page.paragraph(
      fmt::format("{} in {:.1f} ms", counted(events, "event"), static_cast<double>(wall_ns) / 1e6),
      2);
  for (const RunRecord* trial : ordered) {
    if (trial->verdict == Verdict::pass || trial->file.empty()) continue;
    page.section("The first that is not as expected");
    page.paragraph(fmt::format("seed {}: {}", trial->seed, trial->verdict_says), 2, 4, Paint::bad);
    page.verbatim(command_of(trial->file, options, options.sync_flag) +
                      fmt::format(" --seed {} --set trials=1", trial->seed),
                  2, Paint::strong);
    break;
  }
  page.blank();
  put_summary(page, ordered, worst);
  return page.take();
}

}  // namespace rejoin::reports
