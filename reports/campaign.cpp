#include "reports/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

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
    case ReplayedFailure::Outcome::mended:
      return "no longer fails";
    case ReplayedFailure::Outcome::no_longer_fits:
      return "no longer fits";
  }
  return "";
}

std::size_t still_failing(const CampaignRecord& record) {
  return static_cast<std::size_t>(std::count_if(
      record.replayed.begin(), record.replayed.end(), [](const ReplayedFailure& each) {
        return each.outcome != ReplayedFailure::Outcome::mended;
      }));
}

// Text of XML 1.0: what it cannot hold at all becomes a question mark.
std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default: {
        const auto code = static_cast<unsigned char>(c);
        const bool allowed = code >= 0x20 || c == '\n' || c == '\t';
        out += allowed ? c : '?';
      }
    }
  }
  return out;
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
                        {"says", each.says}});
  }
  return {{"scenario", record.scenario},
          {"file", record.file},
          {"sync", record.sync},
          {"commit", record.commit},
          {"first_seed", record.first_seed},
          {"last_seed", record.last_seed},
          {"ran", record.ran},
          {"passed", record.passed},
          {"failed", record.failed},
          {"events", record.events},
          {"wall_seconds", record.seconds},
          {"stopped", record.stopped},
          {"failures", groups},
          {"replayed", replayed},
          {"judged", record.judged},
          {"injected", record.injected}};
}

}  // namespace

std::string failure_block(const CampaignRecord& record, const FailureGroup& group) {
  std::string out = fmt::format("{}: {}\n", group.what, group.says);
  if (!group.shrunk_to.empty()) out += fmt::format("shrunk to  {}\n", group.shrunk_to);
  if (!group.saved.empty()) out += fmt::format("saved      {}\n", group.saved);
  out += fmt::format("reproduce  {}\n", group.reproduce);
  out += fmt::format("seed       {}", group.first_seed);
  if (group.count > 1) out += fmt::format(", the first of {}", group.count);
  out += '\n';
  if (!record.commit.empty()) out += fmt::format("commit     {}\n", record.commit);
  return out;
}

std::string campaign_text(const CampaignRecord& record, const CampaignTextOptions& options) {
  Page page(options.width, options.colour);
  if (!record.replayed.empty()) {
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
      }
    }
  }
  if (!record.groups.empty()) {
    page.section("Failures");
    Table table{{{"seeds", Align::right}, {"first", Align::right}, {"signature"}}, {}};
    for (const FailureGroup& group : record.groups) {
      table.rows.push_back(
          {{grouped(group.count)}, {std::to_string(group.first_seed)}, {group.slug}});
    }
    page.table(table);
    for (const FailureGroup& group : record.groups) {
      page.section(group.slug);
      const std::string block = failure_block(record, group);
      for (std::size_t at = 0; at < block.size();) {
        const std::size_t end = std::min(block.find('\n', at), block.size());
        page.verbatim(block.substr(at, end - at), 2);
        at = end + 1;
      }
    }
  }
  page.section("Covered");
  Table covered{{{"invariant"}, {"judged", Align::right}}, {}};
  for (const auto& [name, count] : record.judged) {
    covered.rows.push_back(
        {{name}, {count == 0 ? "never" : grouped(count), count == 0 ? Paint::warn : Paint::plain}});
  }
  page.table(covered);
  if (!record.injected.empty()) {
    Table faults{{{"fault"}, {"struck", Align::right}}, {}};
    for (const auto& [name, count] : record.injected)
      faults.rows.push_back({{name}, {grouped(count)}});
    page.blank();
    page.table(faults);
  }
  page.blank();
  const bool failed = record.failed != 0 || still_failing(record) != 0;
  std::string line = fmt::format("{} {}, {}, {}: {} of {} failed", failed ? "FAIL" : "PASS",
                                 record.scenario, record.sync, seeds_text(record),
                                 grouped(record.failed), counted(record.ran, "seed"));
  if (const std::string rate = rate_text(record); !rate.empty()) line += ", " + rate;
  page.paragraph(line, 0, 0, failed ? Paint::bad : Paint::good);
  if (!record.stopped.empty()) page.paragraph("Stopped early: " + record.stopped + ".");
  return page.take();
}

std::string campaign_json(const std::vector<CampaignRecord>& records) {
  if (records.size() == 1) return record_json(records.front()).dump(2) + "\n";
  Json all = Json::array();
  for (const CampaignRecord& record : records) all.push_back(record_json(record));
  return all.dump(2) + "\n";
}

std::string campaign_junit(const std::vector<CampaignRecord>& records) {
  std::string suites;
  std::uint64_t tests = 0;
  std::uint64_t failures = 0;
  for (const CampaignRecord& record : records) {
    std::string cases;
    std::uint64_t failing = 0;
    const auto add = [&](const std::string& name, const std::string& broke,
                         const std::string& message, const std::string& body) {
      ++failing;
      cases += fmt::format(
          "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\">\n"
          "      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
          xml_text(record.scenario), xml_text(name), xml_text(record.file), xml_text(broke),
          xml_text(message), xml_text(body));
    };
    for (const FailureGroup& group : record.groups) {
      add(group.slug, group.what, group.says, failure_block(record, group));
    }
    std::uint64_t count = failing;
    for (const ReplayedFailure& each : record.replayed) {
      ++count;
      const std::string name = "saved: " + each.slug;
      if (each.outcome != ReplayedFailure::Outcome::mended) {
        add(name, std::string(outcome_text(each.outcome)), each.says, each.file);
      } else {
        cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\" file=\"{}\"/>\n",
                             xml_text(record.scenario), xml_text(name), xml_text(each.file));
      }
    }
    // Thousands of cases that say nothing hide the few that do.
    cases += fmt::format(
        "    <testcase classname=\"{0}\" name=\"{1} seeds that passed\" file=\"{2}\"/>\n",
        xml_text(record.scenario), record.passed, xml_text(record.file));
    ++count;
    suites += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\" "
        "time=\"{:.3f}\">\n{}  </testsuite>\n",
        xml_text(record.scenario), count, failing, record.seconds, cases);
    tests += count;
    failures += failing;
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
                                  command_text(each.says, false)));
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
    const bool failed = record.failed != 0 || still_failing(record) != 0;
    out += fmt::format("### {} {} with {}\n\n{}: {} of {} failed. {}.\n\n", failed ? "❌" : "✅",
                       record.scenario, record.sync, seeds_text(record), grouped(record.failed),
                       counted(record.ran, "seed"), rate_text(record));
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
