// The runs of a comparison as CSV (RFC 4180), for spreadsheets.
#include <set>

#include "reports/comparison.hpp"

namespace rejoin::reports {

namespace {

std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string line(const std::vector<std::string>& fields) {
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i) out += (i == 0 ? "" : ",") + field(fields[i]);
  return out + "\r\n";
}

std::string names_of(const std::vector<BrokenInvariant>& broken, bool promised) {
  std::string out;
  for (const BrokenInvariant& each : broken) {
    if (promised && !each.promised) continue;
    out += (out.empty() ? "" : " ") + each.invariant;
  }
  return out;
}

}  // namespace

std::string comparison_csv(const ComparisonRecord& record) {
  std::set<std::string> metrics;
  for (const ComparedRun& run : record.runs) {
    for (const auto& [name, value] : run.metrics) metrics.insert(name);
  }
  std::vector<std::string> head = {"scenario", "strategy"};
  for (const VariedPath& each : record.vary) head.push_back(each.path);
  head.insert(head.end(), {"seed", "verdict", "broke", "broke_promised"});
  head.insert(head.end(), metrics.begin(), metrics.end());
  std::string out = line(head);
  for (std::size_t s = 0; s < record.strategies.size(); ++s) {
    for (std::size_t cell = 0; cell < record.cells(); ++cell) {
      for (std::uint64_t i = 0; i < record.seeds; ++i) {
        const ComparedRun& run = record.run(s, cell, i);
        std::vector<std::string> row = {record.scenario, record.strategies[s]};
        for (const std::string& value : record.values_of(cell)) row.push_back(value);
        row.push_back(std::to_string(record.first_seed + i));
        row.emplace_back(run.ended ? to_name(run.verdict) : "died");
        row.push_back(names_of(run.broken, false));
        row.push_back(names_of(run.broken, true));
        for (const std::string& metric : metrics) {
          const auto found = run.metrics.find(metric);
          const bool known = found != run.metrics.end() && found->second;
          row.push_back(known ? std::to_string(*found->second) : "");
        }
        out += line(row);
      }
    }
  }
  return out;
}

}  // namespace rejoin::reports
