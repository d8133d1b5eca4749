// What a comparison comes to, and its reports, from records that were written by hand.
#include "reports/comparison.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "reports/comparison_words.hpp"

namespace rejoin::reports {
namespace {

using nlohmann::json;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

ComparedRun run_of(std::int64_t bytes, std::int64_t stale_ns) {
  ComparedRun out;
  out.ended = true;
  out.verdict = Verdict::pass;
  out.metrics = {{"repair_bytes", bytes},
                 {"stale_key_ns", stale_ns},
                 {"converged_after_ns", 1'000'000'000},
                 {"unavailable_ns", 0}};
  out.lags = {{"down", 0}, {"back", 8}, {"settled", 0}};
  return out;
}

// Eight seeds: `none` sends nothing and stays stale, `copy` sends 10,000 bytes and a little,
// `tree` sometimes more than `copy` and sometimes less.
ComparisonRecord hand_comparison() {
  ComparisonRecord out;
  out.rejoin = "0.1.0";
  out.scenario = "hand";
  out.file = "scenarios/hand.yaml";
  out.strategies = {"copy", "none", "tree"};
  out.first_seed = 3;
  out.seeds = 8;
  out.seeds_asked = 8;
  out.help = {{"repair_bytes", "on the wire, for repairs"}};
  for (std::int64_t i = 0; i < 8; ++i) out.runs.push_back(run_of(10'000 + i, 5'000'000'000 + i));
  for (std::int64_t i = 0; i < 8; ++i) {
    ComparedRun run = run_of(0, 60'000'000'000);
    run.metrics["converged_after_ns"] = std::nullopt;
    run.broken = {{"replicas-converge", false}};
    run.verdict = Verdict::fail;
    run.lags.back().copies = 8;
    out.runs.push_back(run);
  }
  for (std::int64_t i = 0; i < 8; ++i) {
    out.runs.push_back(run_of(10'000 + i + (i % 2 == 0 ? 50 : -50), 6'000'000'000));
  }
  return out;
}

ComparisonBaseline baseline_of(const ComparisonRecord& record) {
  const auto saved = read_baseline(baseline_json(record));
  REQUIRE(saved.has_value());
  CHECK(saved->scenario == record.scenario);
  ComparisonBaseline out = saved->baseline;
  out.name = "before";
  return out;
}

const BaselineSummary& figure(const Analysis& analysis, const std::string& strategy,
                              const std::string& metric) {
  const auto found = std::find_if(analysis.baseline.begin(), analysis.baseline.end(),
                                  [&](const BaselineSummary& each) {
                                    return each.strategy == strategy && each.metric == metric;
                                  });
  REQUIRE(found != analysis.baseline.end());
  return *found;
}

}  // namespace

TEST_CASE("differences are paired by seed, and inconclusive where their interval holds 0") {
  const Analysis analysis = analyse(hand_comparison());
  const MetricSummary& none = analysis.strategies[1].metrics.at("repair_bytes");
  CHECK(none.pairs == 8);
  CHECK(none.difference == -10'004);
  REQUIRE(none.interval.has_value());
  CHECK(none.interval->high < 0);
  CHECK_FALSE(none.inconclusive());
  const MetricSummary& tree = analysis.strategies[2].metrics.at("repair_bytes");
  CHECK(tree.interval == Interval{-50, 50});
  CHECK(tree.inconclusive());
  CHECK_FALSE(analysis.strategies[0].metrics.at("repair_bytes").difference.has_value());
  CHECK_FALSE(analysis.failed);  // what broke was not promised
}

TEST_CASE("what never converged is worse than any, and no pair") {
  const Analysis analysis = analyse(hand_comparison());
  const MetricSummary& none = analysis.strategies[1].metrics.at("converged_after_ns");
  CHECK_FALSE(none.median.has_value());
  CHECK(none.absent == 8);
  CHECK(none.pairs == 0);
  CHECK(analysis.strategies[0].front);
  CHECK(analysis.strategies[1].front);  // it costs nothing
  CHECK(analysis.strategies[2].front);  // its median is some bytes below that of copy
}

TEST_CASE("a broken promise fails, and so do a death and a missed threshold") {
  ComparisonRecord record = hand_comparison();
  record.runs[9].broken[0].promised = true;
  CHECK(analyse(record).failed);
  CHECK(has(comparison_text(record, analyse(record), {}),
            "none promises replicas-converge and broke it in 1 run"));

  record = hand_comparison();
  record.runs[17] = {};
  record.runs[17].ended = false;
  record.runs[17].says = "the process died: signal 6";
  CHECK(analyse(record).failed);
  CHECK(has(comparison_text(record, analyse(record), {}), "seed 4: the process died: signal 6"));

  record = hand_comparison();
  record.thresholds = {{.metric = "repair_bytes", .at_most = 10'000}};
  const Analysis missed = analyse(record);
  CHECK(missed.failed);
  REQUIRE(missed.thresholds.size() == 3);
  CHECK_FALSE(missed.thresholds[0].held);
  CHECK(missed.thresholds[0].actual == 10'003);
  CHECK(missed.thresholds[1].held);
  record.thresholds = {{.metric = "converged_after_ns", .at_most = 1'000'000'000'000}};
  const Analysis never = analyse(record);
  CHECK(never.thresholds[0].held);
  CHECK_FALSE(never.thresholds[1].held);
  record.thresholds = {{.metric = "repair_bytes", .at_most = 0, .strategies = {"riak"}}};
  CHECK_FALSE(analyse(record).failed);
  CHECK(has(comparison_text(record, analyse(record), {}), "repair_bytes of riak was not compared"));
}

TEST_CASE("who broke a promise is not on the front, and keeps nobody off it") {
  ComparisonRecord record = hand_comparison();
  // As cheap as the tree, and never stale: none of the others is on the front beside it.
  for (std::size_t i = 0; i < 8; ++i) {
    ComparedRun& copy = record.runs[i];
    copy.metrics["repair_bytes"] = 0;
    copy.metrics["stale_key_ns"] = 0;
  }
  const Analysis honest = analyse(record);
  CHECK(honest.strategies[0].front);
  CHECK_FALSE(honest.strategies[1].front);
  CHECK_FALSE(honest.strategies[2].front);
  record.runs[3].broken = {{"no-resurrection", true}};
  const Analysis broke = analyse(record);
  CHECK_FALSE(broke.strategies[0].front);
  CHECK(broke.strategies[1].front);
  CHECK(broke.strategies[2].front);
}

TEST_CASE("what was promised and broke is told apart from what nobody promised") {
  ComparisonRecord record = hand_comparison();
  for (std::size_t i = 8; i < 11; ++i) record.runs[i].broken[0].promised = true;
  const StrategySummary none = analyse(record).strategies[1];
  CHECK(broken_promises(none, record) == "replicas-converge x3");
  CHECK(broken_besides(none, record) == "replicas-converge x5");
  const StrategySummary copy = analyse(record).strategies[0];
  CHECK(broken_promises(copy, record).empty());
  CHECK(broken_besides(copy, record).empty());
  record = hand_comparison();
  CHECK(broken_besides(analyse(record).strategies[1], record) == "replicas-converge always");
}

TEST_CASE("of most metrics it is known whether less is better, or more") {
  CHECK(better_of("repair_bytes") == Better::less);
  CHECK(better_of("stale_reads") == Better::less);
  CHECK(better_of("operations_per_s") == Better::more);
  CHECK(better_of("members_removed") == Better::neither);
}

TEST_CASE("against a baseline: the same, better, worse, and what cannot be told") {
  ComparisonRecord record = hand_comparison();
  record.baseline = baseline_of(record);
  const Analysis same = analyse(record);
  CHECK_FALSE(same.failed);
  for (const BaselineSummary& each : same.baseline) CHECK(each.change == Change::same);

  for (std::size_t i = 0; i < 8; ++i) *record.runs[i].metrics["repair_bytes"] += 100;
  for (std::size_t i = 16; i < 24; ++i) *record.runs[i].metrics["stale_key_ns"] -= 5;
  for (std::size_t i = 16; i < 24; ++i) {
    *record.runs[i].metrics["repair_bytes"] += i % 2 == 0 ? 40 : -40;
  }
  const Analysis changed = analyse(record);
  CHECK(changed.failed);
  CHECK(figure(changed, "copy", "repair_bytes").change == Change::worse);
  CHECK(figure(changed, "tree", "stale_key_ns").change == Change::better);
  CHECK(figure(changed, "tree", "repair_bytes").change == Change::inconclusive);
  CHECK(has(comparison_text(record, changed, {}), "inconclusive at 8 pairs"));
}

TEST_CASE("a damaged baseline is refused, whatever is wrong with it") {
  const std::string good = baseline_json(hand_comparison());
  for (std::size_t cut = 0; cut < good.size() - 2; cut += 97) {
    CHECK_FALSE(read_baseline(good.substr(0, cut)).has_value());
  }
  json file = json::parse(good);
  file["seeds"] = 9'000'000'000'000'000'000ULL;
  CHECK_FALSE(read_baseline(file.dump()).has_value());
  file = json::parse(good);
  file["strategies"] = json::array();
  CHECK_FALSE(read_baseline(file.dump()).has_value());
  file = json::parse(good);
  file["runs"][0]["metrics"]["repair_bytes"] = "many";
  CHECK_FALSE(read_baseline(file.dump()).has_value());
}

TEST_CASE("lines of the text fit a terminal of 80 columns, and one of 120") {
  const ComparisonRecord record = hand_comparison();
  const Analysis analysis = analyse(record);
  for (const std::size_t width : {80, 120}) {
    std::istringstream text(comparison_text(record, analysis, {.colour = false, .width = width}));
    for (std::string line; std::getline(text, line);) {
      if (line.find("rejoin ") != std::string::npos) continue;  // commands are copied as they are
      CHECK_MESSAGE(line.size() <= width + 12, line);           // blocks take three bytes each
    }
  }
  CHECK(has(comparison_text(record, analysis, {}), "inconclusive at 8 seeds"));
}

TEST_CASE("fits are by path, and refused where there are too few sizes") {
  ComparisonRecord record;
  record.scenario = "hand";
  record.strategies = {"copy"};
  record.vary = {{"keys", {"10", "100", "1000"}, {10, 100, 1000}}};
  record.seeds = 1;
  for (const std::int64_t keys : {10, 100, 1000}) record.runs.push_back(run_of(70 * keys, 1));
  const Analysis analysis = analyse(record);
  const auto bytes =
      std::find_if(analysis.fits.begin(), analysis.fits.end(),
                   [](const FitSummary& fit) { return fit.metric == "repair_bytes"; });
  REQUIRE(bytes != analysis.fits.end());
  CHECK(bytes->fit->exponent == doctest::Approx(1));
  record.vary[0].values.pop_back();
  record.vary[0].sizes.pop_back();
  record.runs.pop_back();
  CHECK(has(comparison_text(record, analyse(record), {}), "a fit takes 3 sizes"));
}

TEST_CASE("CSV has as many fields in each row, and quotes what would be more") {
  ComparisonRecord record = hand_comparison();
  record.scenario = "a \"name\", with commas";
  const std::string csv = comparison_csv(record);
  CHECK(has(csv, "\"a \"\"name\"\", with commas\""));
  std::size_t rows = 0;
  std::set<std::size_t> widths;
  std::size_t fields = 1;
  bool quoted = false;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    if (csv[i] == '"') quoted = !quoted;
    if (csv[i] == ',' && !quoted) ++fields;
    if (csv[i] != '\n' || quoted) continue;
    CHECK(csv[i - 1] == '\r');
    widths.insert(fields);
    fields = 1;
    ++rows;
  }
  CHECK(rows == 1 + 24);
  CHECK(widths.size() == 1);
}

TEST_CASE("Markdown tables have as many cells in each row, and no cell ends its row early") {
  ComparisonRecord record = hand_comparison();
  record.strategies[2] = "tree|odd";
  const std::string text = comparison_markdown(record, analyse(record));
  CHECK(has(text, "tree\\|odd"));
  std::set<std::size_t> widths;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("|")) continue;
    std::size_t pipes = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      pipes += line[i] == '|' && (i == 0 || line[i - 1] != '\\') ? 1U : 0U;
    }
    widths.insert(pipes);
  }
  CHECK(widths.size() == 1);
}

TEST_CASE("the SVG is well-formed, and holds nothing that a name brings in") {
  ComparisonRecord record = hand_comparison();
  record.strategies[2] = "a<b>&\"c\"";
  const std::string svg = comparison_svg(record, analyse(record));
  CHECK(has(svg, "a&lt;b&gt;&amp;&quot;c&quot;"));
  CHECK_FALSE(has(svg, "a<b"));
  CHECK_FALSE(has(svg, "nan"));
  CHECK_FALSE(has(svg, "inf"));
  // Every element that opens is closed, in order.
  std::vector<std::string> open;
  for (std::size_t at = svg.find('<', 5); at != std::string::npos; at = svg.find('<', at + 1)) {
    const std::size_t end = svg.find('>', at);
    REQUIRE(end != std::string::npos);
    const std::string tag = svg.substr(at + 1, end - at - 1);
    CHECK(tag.find('<') == std::string::npos);
    if (tag.ends_with("/")) continue;
    if (tag.starts_with("/")) {
      REQUIRE(!open.empty());
      CHECK(tag.substr(1) == open.back());
      open.pop_back();
    } else {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  CHECK(open.empty());
}

TEST_CASE("the page gets a number wherever its document asks for one") {
  const ComparisonRecord record = hand_comparison();
  const json page = json::parse(comparison_page(record, analyse(record)));
  CHECK(page.at("kind") == "comparison");
  CHECK(page.at("reference") == "copy");
  CHECK(page.at("strategies").size() == 3);
  for (const json& strategy : page.at("strategies")) {
    CHECK(strategy.at("points").size() == 8);
    for (const auto& [name, summary] : strategy.at("summary").items()) {
      for (const char* const key : {"n", "median", "p10", "p90", "p99"}) {
        CHECK_MESSAGE(summary.at(key).is_number(), name);
      }
    }
  }
  CHECK(page.at("strategies")[0].at("summary").at("repair_bytes").at("difference").is_null());
  CHECK_FALSE(page.at("strategies")[1].at("summary").contains("converged_after_ns"));
}

}  // namespace rejoin::reports
