// Where a campaign is reported.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/campaign_record.hpp"
#include "sim/app/commands.hpp"
#include "sim/explore/trial.hpp"

namespace rejoin::app {

// A line a seed: the same whatever the number of workers, so that files of shards can be joined.
[[nodiscard]] std::string json_line(const std::string& scenario, const sim::Trial& trial);

// Files that were opened before the first seed; `-` is standard output.
class CampaignOutputs {
 public:
  CampaignOutputs() = default;
  ~CampaignOutputs();
  CampaignOutputs(const CampaignOutputs&) = delete;
  CampaignOutputs& operator=(const CampaignOutputs&) = delete;

  // Text for standard error, or none.
  [[nodiscard]] std::optional<std::string> open(const std::vector<CampaignOut>& asked,
                                                const std::string& folder);
  [[nodiscard]] bool takes_standard_output() const;
  void line(const std::string& text);
  void finish(const std::vector<CampaignRecord>& records);
  // The page that was written; empty: none was, to a file.
  [[nodiscard]] const std::string& page() const { return page_; }
  // The first thing that could not be written, as a sentence.
  [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }

 private:
  struct Target {
    CampaignOutKind kind{};
    std::string path;
    int file = -1;
  };

  void put(const Target& target, std::string_view text);
  void write_summary(const std::string& text);

  std::vector<Target> targets_;
  std::optional<std::string> failure_;
  std::string page_;
};

}  // namespace rejoin::app
