#include "reports/campaign.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/golden.hpp"

namespace rejoin::reports {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t out = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++out;
  return out;
}

FailureGroup stale_read() {
  return {.slug = "no-stale-read-restarted-1f3a90c2",
          .what = "no-stale-read",
          .role = "restarted",
          .says = "a direct read of key-7 at node-3 returned NOT FOUND",
          .first_seed = 12,
          .count = 4,
          .saved = "results/fuzz/x/no-stale-read-restarted-1f3a90c2/shrunk.yaml",
          .shrunk_to =
              "3 nodes, 1 key, 2 faults, 4 steps (from 3 nodes, 50 keys, 9 faults, 30 "
              "steps), 139 runs",
          .reproduce = "rejoin run results/fuzz/x/no-stale-read-restarted-1f3a90c2/shrunk.yaml"};
}

CampaignRecord campaign() {
  CampaignRecord out;
  out.scenario = "partition-rejoin";
  out.file = "scenarios/fuzz/partition-rejoin.yaml";
  out.sync = "none";
  out.commit = "0123456789ab";
  out.first_seed = 1;
  out.last_seed = 2'000;
  out.ran = 2'000;
  out.passed = 1'996;
  out.failed = 4;
  out.events = 60'000'000;
  out.seconds = 8;
  out.groups = {stale_read()};
  out.judged = {{"no-stale-read", 300'000}, {"no-resurrection", 0}};
  out.injected = {{"crash", 4'711}, {"loss", 1'200}};
  return out;
}

// As readers of JUnit see it: how deep tags are nested, and whether each is closed by its name.
bool is_balanced(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string::npos) return false;
    if (tag.starts_with("?") || tag.ends_with("/")) continue;
    if (!tag.starts_with("/")) {
      open.push_back(tag.substr(0, tag.find(' ')));
      continue;
    }
    if (open.empty() || open.back() != tag.substr(1)) return false;
    open.pop_back();
  }
  return open.empty();
}

}  // namespace

TEST_CASE("campaign: the text ends with the verdict, and says what each way of failing came to") {
  test::check_golden("campaign.txt", campaign_text(campaign(), {}));
}

TEST_CASE("campaign: one that never judged what it was to judge shows no failures, and fails") {
  CampaignRecord record = campaign();
  record.groups.clear();
  record.failed = 0;
  record.passed = record.ran;
  const std::string text = campaign_text(record, {});
  CHECK(has(text, "FAIL partition-rejoin, none, seeds 1..2000: 0 of 2,000 seeds failed"));
  CHECK(has(text, "Failed: no seed gave no-resurrection anything to judge."));
  CHECK_FALSE(has(text, "Failures"));
  record.judged["no-resurrection"] = 1;
  CHECK(has(campaign_text(record, {}), "PASS partition-rejoin, none, seeds 1..2000: 0 of"));
}

TEST_CASE("campaign: every report says of a campaign what its exit status does") {
  CampaignRecord passed = campaign();
  passed.groups.clear();
  passed.failed = 0;
  passed.passed = passed.ran;
  passed.judged["no-resurrection"] = 1;
  CHECK_FALSE(failed(passed));
  const auto check = [](const CampaignRecord& record, bool fails) {
    CHECK(failed(record) == fails);
    CHECK(has(campaign_text(record, {}), fails ? "FAIL " : "PASS "));
    CHECK(has(campaign_json({record}), fails ? "\"verdict\": \"fail\"" : "\"verdict\": \"pass\""));
    CHECK(has(campaign_junit({record}), "<failure ") == fails);
    CHECK(has(campaign_github({record}), "::error ") == fails);
    CHECK(has(campaign_markdown({record}), fails ? "❌" : "✅"));
  };
  check(passed, false);
  SUBCASE("a failure among the seeds that a campaign which was killed left") {
    passed.left_ran = 3;
    passed.left_failed = 1;
    passed.groups = {stale_read()};
    check(passed, true);
    CHECK(has(campaign_text(passed, {.width = 200}),
              "1 of 3 left by a campaign that was killed failed"));
  }
  SUBCASE("an invariant that was never judged") {
    passed.judged["no-resurrection"] = 0;
    check(passed, true);
    CHECK(has(campaign_junit({passed}), "name=\"judged: no-resurrection\""));
    // A campaign that was stopped might have.
    passed.stopped = "the time is over";
    check(passed, false);
  }
  SUBCASE("what was saved before fails in another way") {
    passed.replayed = {{.slug = "a",
                        .file = "a/shrunk.yaml",
                        .outcome = ReplayedFailure::Outcome::differs,
                        .says = "it broke",
                        .shrunk_to = {},
                        .reproduce = "rejoin run a/shrunk.yaml"}};
    check(passed, true);
    CHECK(has(campaign_text(passed, {}), "fails in another way: it broke"));
    CHECK(has(campaign_text(passed, {}), "reproduce  rejoin run a/shrunk.yaml"));
  }
}

TEST_CASE("campaign: seeds that proved nothing are counted as that") {
  CampaignRecord record = campaign();
  record.vacuous = 1'100;
  CHECK(has(campaign_text(record, {}), "4 of 2,000 seeds failed, 1,100 proved nothing"));
  CHECK(has(campaign_json({record}), "\"vacuous\": 1100"));
  const std::string xml = campaign_junit({record});
  CHECK(is_balanced(xml));
  CHECK(has(xml, "name=\"896 seeds that passed\""));
  CHECK(has(xml, "name=\"1100 seeds that proved nothing\""));
  CHECK(has(xml, "skipped=\"1\""));
  CHECK(has(campaign_markdown({record}), "1,100 proved nothing"));
}

TEST_CASE("campaign: bytes that are no UTF-8 spoil no report") {
  CampaignRecord record = campaign();
  record.file = "bad\xff.yaml";
  record.groups[0].says = "cut \xe2\x82 short, whole \xe2\x82\xac, none \xef\xbf\xbe";
  const std::string xml = campaign_junit({record});
  CHECK(has(xml, "file=\"bad\uFFFD.yaml\""));
  CHECK(has(xml, "cut \uFFFD\uFFFD short, whole \u20AC, none ?"));
  CHECK_FALSE(has(xml, "\xff"));
  const std::string json = campaign_json({record});
  CHECK(nlohmann::json::parse(json)["file"] == "bad\uFFFD.yaml");
}

TEST_CASE("campaign: what was saved before and fails still fails the campaign, in every report") {
  CampaignRecord record = campaign();
  record.groups.clear();
  record.failed = 0;
  const auto saved = [](const std::string& slug, ReplayedFailure::Outcome outcome,
                        const std::string& says) {
    return ReplayedFailure{.slug = slug,
                           .file = slug + "/shrunk.yaml",
                           .outcome = outcome,
                           .says = says,
                           .shrunk_to = {},
                           .reproduce = {}};
  };
  record.judged["no-resurrection"] = 1;
  record.replayed = {saved("a", ReplayedFailure::Outcome::fails, "it broke"),
                     saved("b", ReplayedFailure::Outcome::mended, ""),
                     saved("c", ReplayedFailure::Outcome::no_longer_fits, "unknown fault `gone`")};
  const std::string text = campaign_text(record, {});
  CHECK(has(text, "FAIL partition-rejoin"));
  CHECK(has(text, "still fails"));
  CHECK(has(text, "c/shrunk.yaml: unknown fault `gone`"));
  CHECK(has(campaign_junit({record}), "failures=\"2\" errors=\"0\">"));
  CHECK(count(campaign_github({record}), "::error ") == 2);
  CHECK(has(campaign_markdown({record}), "saved before, no longer fits: c/shrunk.yaml"));
}

TEST_CASE("campaign: the JSON has every field, one object or an array") {
  const auto one = nlohmann::json::parse(campaign_json({campaign()}));
  CHECK(one["scenario"] == "partition-rejoin");
  CHECK(one["ran"] == 2'000);
  CHECK(one["failures"][0]["signature"] == "no-stale-read-restarted-1f3a90c2");
  CHECK(one["failures"][0]["first_seed"] == 12);
  CHECK(one["judged"]["no-resurrection"] == 0);
  CHECK(one["injected"]["crash"] == 4'711);
  CHECK(nlohmann::json::parse(campaign_json({campaign(), campaign()})).size() == 2);
}

TEST_CASE("campaign: JUnit groups the seeds that passed, and escapes what is no XML") {
  CampaignRecord record = campaign();
  record.groups[0].says = "value \"<a&b>\" \x01 is > 3";
  const std::string xml = campaign_junit({record, campaign()});
  CHECK(is_balanced(xml));
  CHECK(has(xml, "<testsuites tests=\"6\" failures=\"4\" errors=\"0\">"));
  CHECK(has(xml, "name=\"1996 seeds that passed\""));
  CHECK(has(xml, "message=\"value &quot;&lt;a&amp;b&gt;&quot; ? is &gt; 3\""));
  CHECK(count(xml, "<testcase ") == 6);
  CHECK(has(xml, "reproduce  rejoin run results/fuzz/x/"));
}

TEST_CASE("campaign: GitHub gets ten annotations at most, in one line each, the last of the rest") {
  CampaignRecord record = campaign();
  record.judged["no-resurrection"] = 1;
  for (int i = 0; i < 14; ++i) record.groups.push_back(stale_read());
  const std::string commands = campaign_github({record});
  CHECK(count(commands, "\n") == 10);
  CHECK(count(commands, "::error ") == 10);
  CHECK(has(commands, "and 6 more ways of failing"));
  CHECK(commands.starts_with(
      "::error file=scenarios/fuzz/partition-rejoin.yaml,title=no-stale-read (4 seeds)::"
      "no-stale-read: a direct read of key-7 at node-3 returned NOT FOUND%0A"));
  record.groups.resize(10);
  CHECK_FALSE(has(campaign_github({record}), "more ways"));
}

TEST_CASE("campaign: a summary is a table whose cells keep their bars") {
  CampaignRecord record = campaign();
  record.groups[0].reproduce = "rejoin run a|b";
  const std::string text = campaign_markdown({record});
  CHECK(text.starts_with("### ❌ partition-rejoin with none\n"));
  CHECK(has(text, "<code>rejoin run a\\|b</code>"));
  CHECK(has(text, "seeds 1..2000: 4 of 2,000 seeds failed. 250 seeds a second."));
}

}  // namespace rejoin::reports
