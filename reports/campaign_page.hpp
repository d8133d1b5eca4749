// The page of a campaign: its data, as page/src/data.ts has it.
#pragma once

#include <string>
#include <string_view>

#include "model/campaign_record.hpp"

namespace rejoin::reports {

// `version` of the program.
[[nodiscard]] std::string campaign_page_json(const CampaignRecord& record,
                                             std::string_view version);

}  // namespace rejoin::reports
