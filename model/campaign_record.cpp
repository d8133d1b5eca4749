#include "model/campaign_record.hpp"

#include <algorithm>

namespace rejoin {

std::vector<std::string> never_judged(const CampaignRecord& record) {
  std::vector<std::string> out;
  if (!record.stopped.empty()) return out;
  for (const auto& [name, count] : record.judged) {
    if (count == 0) out.push_back(name);
  }
  return out;
}

bool failed(const CampaignRecord& record) {
  const bool still = std::any_of(
      record.replayed.begin(), record.replayed.end(),
      [](const ReplayedFailure& each) { return each.outcome != ReplayedFailure::Outcome::mended; });
  return record.failed != 0 || record.left_failed != 0 || !record.groups.empty() || still ||
         !never_judged(record).empty();
}

}  // namespace rejoin
