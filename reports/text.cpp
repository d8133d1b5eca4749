// The text report of one run.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "reports/aggregate.hpp"
#include "reports/metric.hpp"
#include "reports/report.hpp"
#include "reports/sections.hpp"

namespace rejoin::reports {

namespace {

// Violations of one invariant that are told in full; the others are counted by node.
constexpr std::size_t kViolationsShown = 2;
constexpr std::size_t kMetricsPerRow = 3;

void put_head(Page& page, const RunRecord& record) {
  if (!record.about.empty()) page.paragraph(record.about);
  page.paragraph(
      fmt::format("{}: {}, {}, {}; sync {}, versions {}, profile {}",
                  record.file.empty() ? record.scenario : record.file,
                  counted(record.nodes, "node"), counted(record.partitions, "partition"),
                  record.replication == 1 ? "1 copy"
                                          : grouped(std::uint64_t{record.replication}) + " copies",
                  record.sync, record.versions, record.profile),
      0, 2, Paint::dim);
}

void put_violation(Page& page, const Violation& violation) {
  std::string where = to_seconds_text(violation.at) + ", event " + grouped(violation.event);
  if (!violation.node.is_none()) where += ", " + to_name(violation.node);
  if (!violation.key.empty()) where += ", " + violation.key;
  page.paragraph(violation.says, 4, 4);
  page.paragraph("(at " + where + ")", 4, 4, Paint::dim);
  for (const std::string& line : violation.evidence) page.paragraph("- " + line, 6, 8);
}

void put_more(Page& page, const std::vector<const Violation*>& more) {
  std::map<NodeId, std::vector<std::string>> by_node;
  for (const Violation* violation : more) by_node[violation->node].push_back(violation->key);
  for (auto& [node, keys] : by_node) {
    const std::size_t count = keys.size();
    std::erase(keys, "");
    page.paragraph(fmt::format("{} more like it{}{}{}", grouped(count),
                               node.is_none() ? "" : " at " + to_name(node),
                               keys.empty() ? "" : ": ", name_ranges(keys)),
                   4, 6);
  }
}

void put_list(Page& page, std::string_view title, const std::vector<std::string>& lines,
              Paint paint) {
  if (lines.empty()) return;
  page.section(title);
  for (const std::string& line : lines) page.paragraph("- " + line, 2, 4, paint);
}

void put_traffic(Page& page, const RunRecord& record) {
  Table table;
  table.columns = {
      {"messages for"}, {"messages", Align::right}, {"bytes", Align::right}, {"", Align::right}};
  const auto row = [&table](std::string_view name, std::uint64_t messages, std::uint64_t bytes) {
    table.rows.push_back({{std::string(name)},
                          {grouped(messages)},
                          {grouped(bytes)},
                          {bytes < 1024 ? "" : readable_bytes(bytes), Paint::dim}});
  };
  for (std::size_t p = 0; p < kPurposeCount; ++p) {
    row(to_name(static_cast<Purpose>(p)), record.messages_by_purpose[p],
        record.bytes_by_purpose[p]);
  }
  row("all", record.messages, record.bytes);
  page.table(table);
}

// Already in the table of traffic.
bool is_traffic(const std::string& metric) {
  if (metric == "messages" || metric == "bytes") return true;
  for (std::size_t p = 0; p < kPurposeCount; ++p) {
    const std::string purpose(to_name(static_cast<Purpose>(p)));
    if (metric == purpose + "_messages" || metric == purpose + "_bytes") return true;
  }
  return false;
}

std::string summary_of(const RunRecord& record) {
  std::string out;
  const auto repair = static_cast<std::size_t>(Purpose::repair);
  out = record.bytes_by_purpose[repair] == 0
            ? "Nothing was spent on repair."
            : "Repair took " + readable_bytes(record.bytes_by_purpose[repair]) + ".";
  const auto converged = record.metrics.find("converged_after_ns");
  if (converged != record.metrics.end()) {
    out += converged->second
               ? " The replicas agreed " + metric_text(converged->first, converged->second) +
                     " after the last fault."
               : " The replicas never came to agree.";
  }
  return out;
}

std::string invariant_outcome(const RunRecord& record, const std::string& invariant,
                              std::uint64_t judged) {
  std::uint64_t broke = 0;
  bool expected = true;
  for (const Violation& violation : record.violations) {
    if (violation.invariant != invariant) continue;
    ++broke;
    expected = expected && violation.expected;
  }
  if (broke != 0) return "broke " + counted(broke, "time") + (expected ? ", as expected" : "");
  return judged == 0 ? "never judged anything" : "held";
}

// What a trace is best narrowed to.
std::string trace_filter(const RunRecord& record) {
  for (const ReadRecord& read : record.reads) {
    if (read.stale) return " key=" + read.operation.key;
  }
  for (const Violation& violation : record.violations) {
    if (!violation.key.empty()) return " key=" + violation.key;
    if (!violation.node.is_none()) return " node=" + to_name(violation.node);
  }
  return {};
}

}  // namespace

Cell verdict_cell(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return {"PASS", Paint::good};
    case Verdict::fail:
      return {"FAIL", Paint::bad};
    case Verdict::vacuous:
      return {"VACUOUS", Paint::warn};
    case Verdict::unbounded:
      return {"UNBOUNDED", Paint::warn};
  }
  return {};
}

std::string command_of(const std::string& file, const TextOptions& options,
                       const std::string& sync_flag) {
  return "rejoin run " + file + sync_flag + options.flags;
}

void put_verdict(Page& page, const RunRecord& record) {
  const Cell verdict = verdict_cell(record.verdict);
  page.paragraph(fmt::format("{} {}, seed {}: {}", verdict.text, record.scenario, record.seed,
                             record.verdict_says),
                 0, 2, verdict.paint);
}

void put_violations(Page& page, const RunRecord& record) {
  if (record.violations.empty()) return;
  // The unexpected first: false orders before true.
  std::map<std::pair<bool, std::string>, std::vector<const Violation*>> groups;
  std::uint64_t expected = 0;
  for (const Violation& violation : record.violations) {
    groups[{violation.expected, violation.invariant}].push_back(&violation);
    if (violation.expected) ++expected;
  }
  const std::uint64_t all = record.violations.size();
  page.section(counted(all, "violation") + (expected == all ? ", as expected here"
                                            : expected == 0
                                                ? ""
                                                : ", " + grouped(expected) + " of them expected"));
  for (const auto& [group, violations] : groups) {
    page.paragraph(fmt::format("{}: {}{}", group.second, counted(violations.size(), "time"),
                               group.first ? ", as expected" : ", UNEXPECTED"),
                   2, 4, group.first ? Paint::warn : Paint::bad);
    const std::size_t shown =
        violations.size() <= kViolationsShown + 1 ? violations.size() : kViolationsShown;
    for (std::size_t i = 0; i < shown; ++i) put_violation(page, *violations[i]);
    put_more(page, {violations.begin() + static_cast<std::ptrdiff_t>(shown), violations.end()});
  }
}

void put_cost(Page& page, const RunRecord& record) {
  page.section("Cost");
  put_traffic(page, record);
  page.paragraph(summary_of(record), 2);
  Table table;
  std::vector<Cell> cells;
  for (const auto& [name, value] : record.metrics) {
    if (is_traffic(name)) continue;
    cells.push_back({name, Paint::dim});
    cells.push_back({metric_text(name, value)});
  }
  if (cells.empty()) return;
  page.section("Metrics");
  constexpr std::size_t kColumns = kMetricsPerRow * 2;
  for (std::size_t c = 0; c < kColumns; ++c) {
    table.columns.push_back({"", c % 2 == 0 ? Align::left : Align::right});
  }
  cells.resize((cells.size() + kColumns - 1) / kColumns * kColumns);
  for (std::size_t i = 0; i < cells.size(); i += kColumns) {
    const auto first = cells.begin() + static_cast<std::ptrdiff_t>(i);
    table.rows.emplace_back(first, first + kColumns);
  }
  page.table(table);
}

void put_judged(Page& page, const RunRecord& record) {
  if (!record.judged.empty()) {
    page.section("Invariants");
    Table table;
    table.columns = {{"invariant"}, {"judged", Align::right}, {"outcome"}};
    for (const auto& [name, judged] : record.judged) {
      const std::string outcome = invariant_outcome(record, name, judged);
      const Paint paint = outcome == "held"                                   ? Paint::good
                          : outcome.ends_with(", as expected") || judged == 0 ? Paint::warn
                                                                              : Paint::bad;
      table.rows.push_back({{name}, {grouped(judged)}, {outcome, paint}});
    }
    page.table(table);
  }
}

void put_faults(Page& page, const RunRecord& record) {
  if (record.faults.empty()) return;
  const std::vector<FaultTotal> totals = fault_totals(record);
  // Of what is done in a moment there is no more to say than what it touched.
  const bool lasting = std::any_of(totals.begin(), totals.end(),
                                   [](const FaultTotal& total) { return total.of != total.unit; });
  Table table;
  table.columns = {{"fault"}, {"steps", Align::right}, {"touched"}};
  if (lasting) table.columns.push_back({"did"});
  bool idle = false;
  for (const FaultTotal& total : totals) {
    const bool all = total.effective == total.steps;
    idle = idle || !all;
    const Paint paint = total.effective == 0 ? Paint::warn : Paint::plain;
    std::vector<Cell> cells = {
        {total.fault},
        {(all ? "" : grouped(total.effective) + " of ") + grouped(total.steps), paint},
        {counted_of(total.touched, total.unit), paint}};
    if (lasting) {
      cells.push_back({total.of == total.unit ? "" : counted_of(total.did, total.of), paint});
    }
    table.rows.push_back(std::move(cells));
  }
  page.section("Faults");
  page.table(table);
  if (!idle) return;
  page.paragraph("1 of 3: of 3 steps, 1 did something.", 2, 2, Paint::dim);
}

void put_next(Page& page, const RunRecord& record, const TextOptions& options) {
  if (record.file.empty()) return;
  const std::string again = command_of(record.file, options, options.sync_flag);
  const bool fails = record.verdict != Verdict::pass;
  page.section(fails ? "To see this again, and why" : "Try next");
  const auto suggest = [&page](const std::string& command, const std::string& what) {
    page.verbatim(command, 2, Paint::strong);
    page.paragraph(what, 6);
  };
  if (fails) suggest(again, "repeats this run, event for event");
  const auto without_expectations = [](std::string command) {
    constexpr std::string_view kFlag = " --no-expect";
    if (command.find(kFlag) == std::string::npos) command += kFlag;
    return command;
  };
  if (!options.other_sync.empty()) {
    suggest(
        without_expectations(command_of(record.file, options, " --sync " + options.other_sync)),
        "the same events with another way to repair" +
            (options.other_sync_conditions.empty() ? ""
                                                   : " (" + options.other_sync_conditions + ")"));
  } else if (record.sync != "none" && options.none_runs) {
    suggest(without_expectations(command_of(record.file, options, " --sync none")),
            "the same events when nobody repairs");
  }
  suggest(again + " --trace" + trace_filter(record), "every event that has to do with it");
  suggest(again + " --verify", "the same run in a second process, compared event by event");
  suggest("rejoin list mechanisms", "ways to repair, with what each promises");
}

std::string text_report(const RunRecord& record, const TextOptions& options) {
  Page page(options.width, options.colour);
  put_verdict(page, record);
  put_head(page, record);
  put_timeline(page, record);
  put_reads(page, record);
  put_violations(page, record);
  put_list(page, "Expectations that were missed", record.unmet, Paint::bad);
  put_list(page, "Warnings", record.warnings, Paint::warn);
  put_cost(page, record);
  put_judged(page, record);
  put_faults(page, record);
  page.section("Run");
  page.paragraph(fmt::format("digest {}", to_hex(record.digest)), 2);
  page.paragraph(fmt::format("seed {}, {}, {} of virtual time in {:.1f} ms", record.seed,
                             counted(record.events, "event"), to_seconds_text(record.virtual_end),
                             static_cast<double>(record.wall_ns) / 1e6),
                 2);
  put_next(page, record, options);
  page.blank();
  put_verdict(page, record);
  return page.take();
}

}  // namespace rejoin::reports
