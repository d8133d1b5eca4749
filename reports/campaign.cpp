#include "reports/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "reports/markup.hpp"
#include "reports/page.hpp"

namespace rejoin::reports {

namespace {

using Json = nlohmann::ordered_json;

std::string seeds_text(const CampaignRecord& record) {
  return fmt::format("seeds {}..{}", record.first_seed, record.last_seed);
}

std::string rate_text(const CampaignRecord& record) {
  if (record.seconds <= 0) return "";
  const double rate = static_cast<double>(record.ran) / record.seconds;
  return fmt::format("{:.0f} seeds a second", rate);
}

std::string_view outcome_text(ReplayedFailure::Outcome outcome) {
  switch (outcome) {
    case ReplayedFailure::Outcome::fails:
      return "still fails";
    case ReplayedFailure::Outcome::differs:
      return "fails in another way";
    case ReplayedFailure::Outcome::mended:
      return "no longer fails";
    case ReplayedFailure::Outcome::no_longer_fits:
      return "no longer fits";
  }
  return "";
}

// Of a workflow command: its value, and the values of its properties.
std::string command_text(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '%':
        out += "%25";
        break;
      case '\r':
        out += "%0D";
        break;
      case '\n':
        out += "%0A";
        break;
      case ':':
        out += property ? "%3A" : ":";
        break;
      case ',':
        out += property ? "%2C" : ",";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// In a cell of a table of Markdown.
std::string cell_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '`' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

Json group_json(const FailureGroup& group) {
  return {{"signature", group.slug},
          {"broke", group.what},
          {"role", group.role},
          {"says", group.says},
          {"first_seed", group.first_seed},
          {"count", group.count},
          {"saved", group.saved},
          {"shrunk_to", group.shrunk_to},
          {"reproduce", group.reproduce}};
}

Json record_json(const CampaignRecord& record) {
  Json groups = Json::array();
  for (const FailureGroup& group : record.groups) groups.push_back(group_json(group));
  Json replayed = Json::array();
  for (const ReplayedFailure& each : record.replayed) {
    replayed.push_back({{"signature", each.slug},
                        {"file", each.file},
                        {"outcome", outcome_text(each.outcome)},
                        {"says", each.says},
                        {"shrunk_to", each.shrunk_to},
                        {"reproduce", each.reproduce}});
  }
  return {{"scenario", record.scenario},
          {"file", record.file},
          {"sync", record.sync},
          {"commit", record.commit},
          {"first_seed", record.first_seed},
          {"last_seed", record.last_seed},
          {"ran", record.ran},
          {"verdict", failed(record) ? "fail" : "pass"},
          {"passed", record.passed},
          {"vacuous", record.vacuous},
          {"failed", record.failed},
          {"left_ran", record.left_ran},
          {"left_failed", record.left_failed},
          {"events", record.events},
          {"wall_seconds", record.seconds},
          {"stopped", record.stopped},
          {"failures", groups},
          {"replayed", replayed},
          {"judged", record.judged},
          {"injected", record.injected}};
}

}  // namespace

std::string replayed_block(const ReplayedFailure& failure) {
  std::string out = fmt::format("{}: {}\n", outcome_text(failure.outcome), failure.says);
  if (!failure.shrunk_to.empty()) out += fmt::format("shrunk to  {}\n", failure.shrunk_to);
  out += fmt::format("saved      {}\n", failure.file);
  if (!failure.reproduce.empty()) out += fmt::format("reproduce  {}\n", failure.reproduce);
  return out;
}

std::string failure_block(const CampaignRecord& record, const FailureGroup& group) {
  std::string out = fmt::format("{}: {}\n", group.what, group.says);
  if (!group.shrunk_to.empty()) out += fmt::format("shrunk to  {}\n", group.shrunk_to);
  if (!group.saved.empty()) out += fmt::format("saved      {}\n", group.saved);
  if (!group.reproduce.empty()) out += fmt::format("reproduce  {}\n", group.reproduce);
  out += fmt::format("seed       {}", group.first_seed);
  if (group.count > 1) out += fmt::format(", the first of {}", group.count);
  out += '\n';
  if (!record.commit.empty()) out += fmt::format("commit     {}\n", record.commit);
  return out;
}

namespace {

// A section with what can be copied.
void add_block(Page& page, const std::string& title, const std::string& block) {
  page.section(title);
  for (std::size_t at = 0; at < block.size();) {
    const std::size_t end = std::min(block.find('\n', at), block.size());
    page.verbatim(block.substr(at, end - at), 2);
    at = end + 1;
  }
}

void add_replayed(Page& page, const CampaignRecord& record) {
  if (record.replayed.empty()) return;
  page.section("Saved before");
  Table table{{{"now"}, {"file"}}, {}};
  for (const ReplayedFailure& each : record.replayed) {
    const bool mended = each.outcome == ReplayedFailure::Outcome::mended;
    table.rows.push_back(
        {{std::string(outcome_text(each.outcome)), mended ? Paint::good : Paint::bad},
         {each.file}});
  }
  page.table(table);
  for (const ReplayedFailure& each : record.replayed) {
    if (each.outcome == ReplayedFailure::Outcome::no_longer_fits) {
      page.paragraph(each.file + ": " + each.says, 2);
    } else if (each.outcome != ReplayedFailure::Outcome::mended) {
      add_block(page, "saved: " + each.slug, replayed_block(each));
    }
  }
}

void add_failures(Page& page, const CampaignRecord& record) {
  if (record.groups.empty()) return;
  page.section("Failures");
  Table table{{{"seeds", Align::right}, {"first", Align::right}, {"signature"}}, {}};
  for (const FailureGroup& group : record.groups) {
    table.rows.push_back(
        {{grouped(group.count)}, {std::to_string(group.first_seed)}, {group.slug}});
  }
  page.table(table);
  for (const FailureGroup& group : record.groups) {
    add_block(page, group.slug, failure_block(record, group));
  }
}

void add_covered(Page& page, const CampaignRecord& record) {
  page.section("Covered");
  Table covered{{{"invariant"}, {"judged", Align::right}}, {}};
  for (const auto& [name, count] : record.judged) {
    covered.rows.push_back(
        {{name}, {count == 0 ? "never" : grouped(count), count == 0 ? Paint::warn : Paint::plain}});
  }
  page.table(covered);
  if (record.injected.empty()) return;
  Table faults{{{"fault"}, {"struck", Align::right}}, {}};
  for (const auto& [name, count] : record.injected)
    faults.rows.push_back({{name}, {grouped(count)}});
  page.blank();
  page.table(faults);
}

// `4 of 2,000 seeds failed, 1,050 proved nothing`.
std::string counts_text(const CampaignRecord& record) {
  std::string out =
      fmt::format("{} of {} failed", grouped(record.failed), counted(record.ran, "seed"));
  if (record.vacuous != 0) out += fmt::format(", {} proved nothing", grouped(record.vacuous));
  if (record.left_ran != 0) {
    out += fmt::format("; {} of {} left by a campaign that was killed failed",
                       grouped(record.left_failed), grouped(record.left_ran));
  }
  return out;
}

std::string never_text(const std::string& invariant) {
  return "no seed gave " + invariant + " anything to judge";
}

}  // namespace

std::string campaign_text(const CampaignRecord& record, const CampaignTextOptions& options) {
  Page page(options.width, options.colour);
  add_replayed(page, record);
  add_failures(page, record);
  add_covered(page, record);
  page.blank();
  const bool fails = failed(record);
  std::string line = fmt::format("{} {}, {}, {}: {}", fails ? "FAIL" : "PASS", record.scenario,
                                 record.sync, seeds_text(record), counts_text(record));
  if (const std::string rate = rate_text(record); !rate.empty()) line += ", " + rate;
  page.paragraph(line, 0, 0, fails ? Paint::bad : Paint::good);
  for (const std::string& name : never_judged(record)) {
    page.paragraph("Failed: " + never_text(name) + ".", 0, 0, Paint::bad);
  }
  if (!record.stopped.empty()) page.paragraph("Stopped early: " + record.stopped + ".");
  return page.take();
}

std::string campaign_json(const std::vector<CampaignRecord>& records) {
  const auto text = [](const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  };
  if (records.size() == 1) return text(record_json(records.front()));
  Json all = Json::array();
  for (const CampaignRecord& record : records) all.push_back(record_json(record));
  return text(all);
}

namespace {

// Cases of JUnit, of one suite.
class Suite {
 public:
  explicit Suite(const CampaignRecord& record) : record_(record) {}

  void fails(const std::string& name, std::string_view broke, const std::string& message,
             const std::string& body) {
    ++failing_;
    add(name, fmt::format("<failure type=\"{}\" message=\"{}\">{}</failure>", xml_text(broke),
                          xml_text(message), xml_text(body)));
  }
  void skips(const std::string& name, const std::string& message) {
    ++skipped_;
    add(name, fmt::format("<skipped message=\"{}\"/>", xml_text(message)));
  }
  void passes(const std::string& name) { add(name, ""); }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t failing() const { return failing_; }
  [[nodiscard]] std::string text() const {
    return fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" "
        "time=\"{:.3f}\">\n{}  </testsuite>\n",
        xml_text(record_.scenario), count_, failing_, skipped_, record_.seconds, cases_);
  }

 private:
  void add(const std::string& name, const std::string& content) {
    ++count_;
    cases_ += fmt::format("    <testcase classname=\"{}\" name=\"{}\" file=\"{}\"",
                          xml_text(record_.scenario), xml_text(name), xml_text(record_.file));
    cases_ += content.empty() ? "/>\n" : ">\n      " + content + "\n    </testcase>\n";
  }

  const CampaignRecord& record_;
  std::string cases_;
  std::uint64_t count_ = 0;
  std::uint64_t failing_ = 0;
  std::uint64_t skipped_ = 0;
};

Suite suite_of(const CampaignRecord& record) {
  Suite out(record);
  for (const FailureGroup& group : record.groups) {
    out.fails(group.slug, group.what, group.says, failure_block(record, group));
  }
  for (const ReplayedFailure& each : record.replayed) {
    const std::string name = "saved: " + each.slug;
    if (each.outcome == ReplayedFailure::Outcome::mended) {
      out.passes(name);
    } else {
      out.fails(name, outcome_text(each.outcome), each.says, replayed_block(each));
    }
  }
  for (const std::string& name : never_judged(record)) {
    out.fails("judged: " + name, "never judged", never_text(name), record.file);
  }
  // Thousands of cases that say nothing hide the few that do.
  if (record.vacuous != 0) {
    out.skips(fmt::format("{} seeds that proved nothing", record.vacuous),
              "they passed, and left an invariant or a fault without anything to show");
  }
  out.passes(fmt::format("{} seeds that passed", record.passed - record.vacuous));
  return out;
}

}  // namespace

std::string campaign_junit(const std::vector<CampaignRecord>& records) {
  std::string suites;
  std::uint64_t tests = 0;
  std::uint64_t failures = 0;
  for (const CampaignRecord& record : records) {
    const Suite suite = suite_of(record);
    suites += suite.text();
    tests += suite.count();
    failures += suite.failing();
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{}\" failures=\"{}\" "
      "errors=\"0\">\n{}</testsuites>\n",
      tests, failures, suites);
}

std::string campaign_github(const std::vector<CampaignRecord>& records) {
  constexpr std::size_t kShown = 10;
  std::vector<std::string> lines;
  for (const CampaignRecord& record : records) {
    for (const FailureGroup& group : record.groups) {
      lines.push_back(fmt::format(
          "::error file={},title={}::{}\n", command_text(record.file, true),
          command_text(fmt::format("{} ({})", group.what, counted(group.count, "seed")), true),
          command_text(failure_block(record, group), false)));
    }
    for (const ReplayedFailure& each : record.replayed) {
      if (each.outcome == ReplayedFailure::Outcome::mended) continue;
      lines.push_back(fmt::format("::error file={},title={}::{}\n", command_text(each.file, true),
                                  command_text(std::string(outcome_text(each.outcome)), true),
                                  command_text(replayed_block(each), false)));
    }
    for (const std::string& name : never_judged(record)) {
      lines.push_back(fmt::format("::error file={},title={}::{}\n", command_text(record.file, true),
                                  "never judged", command_text(never_text(name), false)));
    }
  }
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines.size() > kShown && i + 1 == kShown) {
      return out + fmt::format("::error title=More::and {} more ways of failing; see the summary\n",
                               lines.size() - i);
    }
    out += lines[i];
  }
  return out;
}

std::string campaign_markdown(const std::vector<CampaignRecord>& records) {
  std::string out;
  for (const CampaignRecord& record : records) {
    out += fmt::format("### {} {} with {}\n\n{}: {}. {}.\n\n", failed(record) ? "❌" : "✅",
                       record.scenario, record.sync, seeds_text(record), counts_text(record),
                       rate_text(record));
    for (const std::string& name : never_judged(record)) {
      out += fmt::format("- {}\n", never_text(name));
    }
    if (!never_judged(record).empty()) out += '\n';
    if (!record.groups.empty()) {
      out += "| broke | seeds | first | shrunk to | reproduce |\n|---|--:|--:|---|---|\n";
      for (const FailureGroup& group : record.groups) {
        out += fmt::format("| {} | {} | {} | {} | <code>{}</code> |\n", cell_text(group.what),
                           grouped(group.count), group.first_seed, cell_text(group.shrunk_to),
                           cell_text(group.reproduce));
      }
      out += '\n';
    }
    for (const ReplayedFailure& each : record.replayed) {
      out +=
          fmt::format("- saved before, {}: {}\n", outcome_text(each.outcome), cell_text(each.file));
    }
    if (!record.replayed.empty()) out += '\n';
  }
  return out;
}

}  // namespace rejoin::reports
