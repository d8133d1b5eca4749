#include "sim/app/campaign_outputs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "reports/campaign.hpp"
#include "reports/campaign_page.hpp"
#include "reports/html.hpp"

namespace rejoin::app {

namespace {

std::string file_name(CampaignOutKind kind) {
  switch (kind) {
    case CampaignOutKind::text:
      return "campaign.txt";
    case CampaignOutKind::json:
      return "campaign.json";
    case CampaignOutKind::jsonl:
      return "seeds.jsonl";
    case CampaignOutKind::junit:
      return "junit.xml";
    case CampaignOutKind::github:
      return "github.txt";
    case CampaignOutKind::html:
      return "campaign.html";
  }
  return {};
}

}  // namespace

std::string json_line(const std::string& scenario, const sim::Trial& trial) {
  using Json = nlohmann::ordered_json;
  Json out{{"scenario", scenario},
           {"seed", trial.seed},
           {"verdict", trial.failed() ? "fail" : to_name(trial.verdict)},
           {"digest", trial.digest},
           {"events", trial.events},
           {"virtual_ns", trial.virtual_end.time_since_epoch().count()}};
  if (trial.failed()) {
    const sim::Signature& first = trial.signatures.front();
    out["signature"] = sim::to_slug(first);
    out["broke"] = first.what;
    out["says"] = first.what == "crash" ? first.shape : trial.broke.front();
    Json all = Json::array();
    for (const sim::Signature& signature : trial.signatures) all.push_back(sim::to_slug(signature));
    out["signatures"] = all;
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

CampaignOutputs::~CampaignOutputs() {
  for (const Target& target : targets_) {
    if (target.file > STDERR_FILENO) ::close(target.file);
  }
}

std::optional<std::string> CampaignOutputs::open(const std::vector<CampaignOut>& asked,
                                                 const std::string& folder) {
  for (const CampaignOut& each : asked) {
    Target target{.kind = each.kind, .path = each.file.value_or(""), .file = STDOUT_FILENO};
    if (target.path != "-") {
      if (target.path.empty()) target.path = folder + "/" + file_name(each.kind);
      target.file = ::open(target.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
      if (target.file < 0) {
        return error_text("--out: cannot write `" + target.path + "`: " + std::strerror(errno));
      }
    }
    targets_.push_back(target);
  }
  return std::nullopt;
}

bool CampaignOutputs::takes_standard_output() const {
  return std::any_of(targets_.begin(), targets_.end(),
                     [](const Target& target) { return target.file == STDOUT_FILENO; });
}

void CampaignOutputs::line(const std::string& text) {
  for (const Target& target : targets_) {
    if (target.kind == CampaignOutKind::jsonl) put(target, text);
  }
}

void CampaignOutputs::finish(const std::vector<CampaignRecord>& records) {
  for (const Target& target : targets_) {
    switch (target.kind) {
      case CampaignOutKind::jsonl:
        break;
      case CampaignOutKind::text:
        for (const CampaignRecord& record : records) {
          put(target, reports::campaign_text(record, {}));
        }
        break;
      case CampaignOutKind::json:
        put(target, reports::campaign_json(records));
        break;
      case CampaignOutKind::junit:
        put(target, reports::campaign_junit(records));
        break;
      case CampaignOutKind::github:
        put(target, reports::campaign_github(records));
        write_summary(reports::campaign_markdown(records));
        break;
      case CampaignOutKind::html:
        if (records.empty()) break;
        put(target, reports::html_page(records.front().scenario + ", campaign",
                                       reports::campaign_page_json(records.front(), kVersion)));
        if (!failure_ && target.path != "-" && page_.empty()) page_ = target.path;
        break;
    }
  }
}

void CampaignOutputs::put(const Target& target, std::string_view text) {
  while (!text.empty() && !failure_) {
    const ::ssize_t n = ::write(target.file, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      failure_ = "cannot write `" + target.path + "`: " + std::strerror(errno);
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Where GitHub Actions says that the summary of a step is.
void CampaignOutputs::write_summary(const std::string& text) {
  const char* const path = std::getenv("GITHUB_STEP_SUMMARY");
  if (path == nullptr || *path == '\0') return;
  Target summary{.kind = CampaignOutKind::github, .path = path, .file = -1};
  summary.file = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (summary.file < 0) {
    failure_ = "cannot write `" + summary.path + "`: " + std::strerror(errno);
    return;
  }
  put(summary, text);
  ::close(summary.file);
}

}  // namespace rejoin::app
