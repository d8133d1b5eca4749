#include "reports/campaign_page.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace rejoin::reports {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kBins = 50;

Json failures_json(const CampaignRecord& record) {
  Json out = Json::array();
  for (const FailureGroup& group : record.groups) {
    out.push_back({{"signature", group.slug},
                   {"invariant", group.what},
                   {"says", group.says},
                   {"seeds", group.count},
                   {"first", group.first_seed},
                   {"file", group.saved},
                   {"command", group.reproduce},
                   {"shrunk", group.shrunk_to.empty() ? Json() : Json(group.shrunk_to)}});
  }
  return out;
}

// Seeds that were run, in bins of one width; the last may be shorter.
Json rate_json(const CampaignRecord& record) {
  Json out = Json::array();
  if (record.ran == 0) return out;
  const std::uint64_t width = (record.ran + kBins - 1) / kBins;
  auto seed = record.failing.begin();
  for (std::uint64_t done = 0; done < record.ran; done += width) {
    const std::uint64_t length = std::min(width, record.ran - done);
    const std::uint64_t last = record.first_seed + done + (length - 1);
    std::uint64_t failed = 0;
    for (; seed != record.failing.end() && *seed <= last; ++seed) ++failed;
    out.push_back({{"seed", last}, {"failed", failed}});
  }
  return out;
}

Json coverage_json(const CampaignRecord& record) {
  Json out = Json::array();
  for (const auto& [fault, phases] : record.injected_in) {
    for (const auto& [phase, n] : phases) {
      out.push_back({{"fault", fault}, {"phase", phase}, {"n", n}});
    }
  }
  return out;
}

Json planted_json(const CampaignRecord& record) {
  Json out = Json::array();
  for (const PlantedBug& bug : record.planted) {
    out.push_back({{"bug", bug.bug},
                   {"invariant", bug.invariant},
                   {"median", bug.median},
                   {"p90", bug.p90},
                   {"found", bug.found},
                   {"of", bug.of}});
  }
  return out;
}

}  // namespace

std::string campaign_page_json(const CampaignRecord& record, std::string_view version) {
  Json out = {
      {"kind", "campaign"},
      {"rejoin", version},
      {"scenario", record.scenario},
      {"file", record.file},
      {"sync", record.sync},
      {"first", record.first_seed},
      {"seeds", record.ran},
      {"failed", record.failed},
      {"vacuous", record.vacuous},
      {"per_second", record.seconds > 0 ? static_cast<double>(record.ran) / record.seconds : 0.0}};
  out["failures"] = failures_json(record);
  out["rate"] = rate_json(record);
  out["coverage"] = coverage_json(record);
  out["planted"] = planted_json(record);
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace rejoin::reports
