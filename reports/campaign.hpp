// Reports of campaigns: campaign records in, text out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/campaign_record.hpp"

namespace rejoin::reports {

struct CampaignTextOptions {
  bool colour = false;
  std::size_t width = 100;
};

// For people: what failed, each with a block that can be copied; what was covered; how fast.
[[nodiscard]] std::string campaign_text(const CampaignRecord& record,
                                        const CampaignTextOptions& options);
// One object, or an array for several.
[[nodiscard]] std::string campaign_json(const std::vector<CampaignRecord>& records);
// JUnit XML, as the readers of Jenkins, GitLab and GitHub take it: a suite a scenario, a case for
// each way of failing, and one for all the seeds that passed.
[[nodiscard]] std::string campaign_junit(const std::vector<CampaignRecord>& records);
// Workflow commands of GitHub Actions: at most ten annotations of errors (it shows no more of a
// step), the last of which says how many there are besides.
[[nodiscard]] std::string campaign_github(const std::vector<CampaignRecord>& records);
// Markdown, for the summary of a step.
[[nodiscard]] std::string campaign_markdown(const std::vector<CampaignRecord>& records);

// Lines that can be copied into a report of a bug, and what belongs to it, as text.
[[nodiscard]] std::string failure_block(const CampaignRecord& record, const FailureGroup& group);
[[nodiscard]] std::string replayed_block(const ReplayedFailure& failure);

}  // namespace rejoin::reports
