// What `compare --out` writes, and where baselines are kept.
//
// Invariants:
// 1. What cannot be written is known before anything runs: files are opened and folders made first.
//    A file keeps what it held until there is something to write.
// 2. A baseline is replaced as a whole, or stays as it was.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "model/comparison_record.hpp"
#include "reports/comparison.hpp"
#include "sim/app/commands.hpp"

namespace rejoin::app {

class CompareOutputs {
 public:
  CompareOutputs() = default;
  ~CompareOutputs();
  CompareOutputs(const CompareOutputs&) = delete;
  CompareOutputs& operator=(const CompareOutputs&) = delete;

  // The error is text for standard error, here and below.
  [[nodiscard]] std::optional<std::string> open(const std::vector<CompareOut>& asked,
                                                const std::string& scenario,
                                                const std::string& scenario_file);
  // One of them goes to standard output, in place of the usual report.
  [[nodiscard]] bool takes_standard_output() const;
  // The page, where it is a file; empty where there is none.
  [[nodiscard]] std::string page() const;
  [[nodiscard]] std::optional<std::string> write(const ComparisonRecord& record,
                                                 const reports::Analysis& analysis);

 private:
  struct Target {
    CompareOutKind kind{};
    std::string path;  // `-`: standard output
    int file = -1;
  };
  std::vector<Target> targets_;
  std::string folder_;  // below results/; empty when no target needs one
};

// results/baselines/SCENARIO/NAME.json
[[nodiscard]] std::string baseline_path(const std::string& scenario, const std::string& name);
// Makes the folder, and sees that it can be written to.
[[nodiscard]] std::optional<std::string> prepare_baseline(const std::string& scenario,
                                                          const std::string& name);
[[nodiscard]] std::optional<std::string> save_baseline(const ComparisonRecord& record,
                                                       const std::string& name);
// Of the same scenario, with some of these strategies, seeds and cells.
[[nodiscard]] tl::expected<ComparisonBaseline, std::string> load_baseline(
    const ComparisonRecord& record, const std::string& name);

}  // namespace rejoin::app
