#include <fmt/format.h>

#include <algorithm>

#include "reports/aggregate.hpp"
#include "reports/markup.hpp"
#include "reports/page.hpp"
#include "reports/run_page.hpp"
#include "reports/tables.hpp"

namespace rejoin::reports {

namespace {

constexpr std::size_t kViolationsMax = 10;
constexpr std::size_t kReadsMax = 10;

class Rows {
 public:
  explicit Rows(const std::vector<std::string>& titles) {
    row(titles);
    row(std::vector<std::string>(titles.size(), "---"));
  }
  void add(std::vector<std::string> cells) {
    for (std::string& cell : cells) cell = markdown_cell(cell);
    row(cells);
  }
  [[nodiscard]] std::string take() { return std::move(out_) + "\n"; }

 private:
  void row(const std::vector<std::string>& cells) {
    for (const std::string& cell : cells) out_ += "| " + cell + " ";
    out_ += "|\n";
  }
  std::string out_;
};

std::string says_of(const NodeSnapshot& node) {
  const bool down = node.state == NodeState::dead || node.state == NodeState::offline;
  std::string out(down ? "down" : counted(node.keys, "key"));
  if (node.missing_keys != 0) out += fmt::format(", {} missing", node.missing_keys);
  if (node.stale_keys != 0) out += fmt::format(", {} stale", node.stale_keys);
  if (node.state == NodeState::syncing || node.state == NodeState::evicted) {
    out += ", " + std::string(to_name(node.state));
  }
  return out;
}

std::string metric_of(const RunRecord& record, const std::string& name) {
  const auto found = record.metrics.find(name);
  if (found == record.metrics.end() || !found->second) return "-";
  return grouped(*found->second);
}

std::string steps_of(const RunRecord& record) {
  std::vector<std::string> titles = {"step", "time", "what"};
  if (record.transitions.empty()) return "";
  for (const NodeSnapshot& node : record.transitions.front().nodes) {
    titles.push_back(to_name(node.node));
  }
  Rows rows(titles);
  for (const Transition& step : record.transitions) {
    std::vector<std::string> cells = {step.label, to_seconds_text(step.at), step.what};
    for (const NodeSnapshot& node : step.nodes) cells.push_back(says_of(node));
    cells.resize(titles.size());
    rows.add(std::move(cells));
  }
  return rows.take();
}

std::string reads_of(const RunRecord& record) {
  Rows rows({"wrong read", "at", "result", "should have been", "why"});
  std::size_t wrong = 0;
  for (const ReadRecord& read : record.reads) {
    if (!read.stale || ++wrong > kReadsMax) continue;
    const Operation& operation = read.operation;
    rows.add({operation.key, to_name(operation.served_by), result_name(operation),
              read.expected_value, read.why});
  }
  if (wrong == 0) return "";
  const std::string rest =
      wrong > kReadsMax ? fmt::format("{} more are not listed.\n\n", wrong - kReadsMax) : "";
  return rows.take() + rest;
}

std::string violations_of(const RunRecord& record) {
  if (record.violations.empty()) return "";
  Rows rows({"broken", "expected", "time", "what it says"});
  const std::size_t shown = std::min(kViolationsMax, record.violations.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const Violation& violation = record.violations[i];
    rows.add({violation.invariant, violation.expected ? "yes" : "no", to_seconds_text(violation.at),
              violation.says});
  }
  const std::size_t rest = record.violations.size() - shown;
  return rows.take() + (rest == 0 ? "" : fmt::format("{} more are not listed.\n\n", rest));
}

std::string one_run(const RunRecord& record) {
  std::string out =
      fmt::format("### {}, seed {}: {}\n\n{}\n\n", markdown_cell(record.scenario), record.seed,
                  to_name(record.verdict), markdown_cell(record.verdict_says));
  out += steps_of(record) + reads_of(record) + violations_of(record);
  Rows cost({"sync", "repair bytes", "bytes", "missing reads", "stale reads", "digest"});
  cost.add({record.sync, metric_of(record, "repair_bytes"), grouped(record.bytes),
            metric_of(record, "missing_reads"), metric_of(record, "stale_reads"),
            to_hex(record.digest)});
  return out + cost.take();
}

}  // namespace

std::string markdown_report(const std::vector<std::vector<RunRecord>>& files) {
  if (files.size() == 1 && files.front().size() == 1) return one_run(files.front().front());
  Rows rows({"scenario", "seed", "sync", "verdict", "what it says", "repair bytes", "missing reads",
             "stale reads", "digest"});
  std::size_t runs = 0;
  std::size_t passed = 0;
  for (const auto& trials : files) {
    for (const RunRecord& record : trials) {
      ++runs;
      passed += record.verdict == Verdict::pass ? 1 : 0;
      rows.add({record.scenario, std::to_string(record.seed), record.sync,
                std::string(to_name(record.verdict)), record.verdict_says,
                metric_of(record, "repair_bytes"), metric_of(record, "missing_reads"),
                metric_of(record, "stale_reads"), to_hex(record.digest)});
    }
  }
  return fmt::format("### {}: {} as expected, {} not\n\n", counted(runs, "run"), passed,
                     runs - passed) +
         rows.take();
}

}  // namespace rejoin::reports
