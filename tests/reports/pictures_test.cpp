// What other programs read: each picture keeps the rules of its reader.
#include "reports/pictures.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "reports/campaign_page.hpp"
#include "reports/run_page.hpp"
#include "reports/tables.hpp"
#include "tests/reports/hand_record.hpp"

using namespace rejoin;
using Json = nlohmann::json;

namespace {

constexpr const char* kNasty = "a|b; #1 <x>&\"y\" `end`\n%%{}, \\";

// Nodes 1 to 3 and a client: a write through node-1 that reached node-2, was lost to node-3, and
// messages of one instant.
RunEvents hand_events() {
  RunEvents events;
  events.hosts = {"node-1", "node-2", "node-3", "client-1"};
  events.nodes = 3;
  events.clients = 1;
  events.kinds = {"ClientRequest", "ReplicaWrite", "ClientReply", "Heartbeats"};
  events.fates = {"delivered", "under way at the end", "loss"};
  events.keys = {"key-125", kNasty};
  events.strings = {"", "ReplicaWrite{key: \"key-125\"}", kNasty};
  events.fact_kinds = {"ProcessCrashed", "FaultInjected", "RepairStarted"};
  const auto send = [&events](std::uint32_t from, std::uint32_t to, std::uint32_t kind,
                              Purpose purpose, Duration sent, Duration arrived, std::uint32_t key,
                              std::uint64_t event) {
    events.messages.push_back(
        {.sent = test::at(sent),
         .arrived = arrived == 0ns ? std::optional<MonotonicTime>{} : test::at(arrived),
         .from = from,
         .to = to,
         .kind = kind,
         .purpose = purpose,
         .bytes = 40,
         .fate = arrived == 0ns ? 2U : 0U,
         .key = key,
         .send_event = event,
         .arrive_event = arrived == 0ns ? 0 : event + 5,
         .text = key == 1 ? 2U : 1U,
         .serial = events.messages.size()});
  };
  send(3, 0, 0, Purpose::foreground, 46s, 46s + 1ms, 0, 9000);
  send(0, 1, 1, Purpose::foreground, 46s + 1ms, 46s + 2ms, 0, 9005);
  send(0, 2, 1, Purpose::foreground, 46s + 1ms, 0ns, 0, 9005);
  send(0, 1, 3, Purpose::consensus, 46s + 1ms, 46s + 2ms, RunEvents::kNone, 9005);
  send(0, 3, 2, Purpose::foreground, 46s + 1ms, 46s + 2ms, 1, 9005);
  send(3, 2, 0, Purpose::foreground, 68s + 200ms, 68s + 201ms, 0, 9100);
  send(2, 3, 2, Purpose::foreground, 68s + 201ms, 68s + 202ms, 0, 9105);
  events.messages[6].arrive_event = 9120;
  events.facts.push_back({.at = test::at(30s), .event = 8000, .host = 2, .kind = 0, .text = 2});
  events.facts.push_back({.at = test::at(30s), .event = 8000, .kind = 1, .text = 2});
  for (std::uint32_t n = 1; n <= 3; ++n) {
    RunEvents::NodeSpan span{.from = {}, .to = test::at(50s), .what = test::alive(n, 100)};
    events.spans.push_back({span});
    span.from = span.to;
    span.to = test::at(98202ms);
    if (n == 3) span.what.missing_keys = 50;
    span.claims = true;
    events.spans.back().push_back(span);
  }
  RunEvents::Held held;
  held.from = test::at(46s);
  held.to = test::at(98202ms);
  held.origin = {.client = ClientId(1), .n = 125};
  events.stores["key-125"].replicas[NodeId(1)].push_back(held);
  events.stale_reads[{.client = ClientId(1), .n = 1125}] = {{.client = ClientId(1), .n = 125},
                                                            "node-3 was down"};
  events.ghosts.push_back({.at = test::at(46s), .from = 0, .to = 2, .key = 0, .says = "never"});
  return events;
}

RunRecord nasty_record() {
  RunRecord record = test::t0_t5();
  record.scenario = kNasty;
  record.verdict_says = kNasty;
  record.transitions[1].what = kNasty;
  record.transitions[1].label = kNasty;
  return record;
}

// A reader of CSV as RFC 4180 defines it.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, {""});
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      rows.back().back() += text[++i];
    } else if (c == '"') {
      CHECK((quoted || rows.back().back().empty()));
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      rows.back().emplace_back();
    } else if (!quoted && c == '\r') {
      REQUIRE(text[++i] == '\n');
      if (i + 1 < text.size()) rows.push_back({""});
    } else {
      CHECK((quoted || c != '\n'));
      rows.back().back() += c;
    }
  }
  CHECK_FALSE(quoted);
  return rows;
}

// Elements that close in order, attributes in quotes, no bare `&` or `<`.
bool is_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < xml.size();) {
    if (xml[at] != '<') {
      static const std::regex entity("^&(amp|lt|gt|quot|#[0-9]+);");
      if (xml[at] == '&' && !std::regex_search(xml.substr(at, 10), entity)) return false;
      ++at;
      continue;
    }
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    static const std::regex opens("[a-zA-Z]+(\\s+[a-zA-Z0-9:-]+=\"[^\"<]*\")*\\s*/?");
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else {
      if (!std::regex_match(tag, opens)) return false;
      if (!tag.ends_with("/")) open.push_back(tag.substr(0, tag.find_first_of(" \n")));
    }
    at = end + 1;
  }
  return open.empty();
}

}  // namespace

TEST_CASE("every flow of a Perfetto trace begins and ends inside slices, in order of time") {
  const Json trace = Json::parse(reports::perfetto_json(nasty_record(), hand_events()));
  std::map<std::uint64_t, double> begun;
  std::size_t ended = 0;
  using Thread = std::pair<int, int>;
  std::map<Thread, std::vector<std::pair<double, double>>> slices;
  for (const Json& event : trace["traceEvents"]) {
    CHECK(event.contains("ph"));
    CHECK(event.contains("pid"));
    if (event["ph"] != "X") continue;
    slices[{event["pid"], event["tid"]}].emplace_back(event["ts"], event["dur"]);
  }
  const auto in_slice = [&slices](const Json& event) {
    const double at = event["ts"];
    const auto& list = slices[{event["pid"], event["tid"]}];
    return std::any_of(list.begin(), list.end(), [at](const auto& slice) {
      return slice.first <= at && at <= slice.first + slice.second;
    });
  };
  for (const Json& event : trace["traceEvents"]) {
    if (event["ph"] == "s") {
      CHECK(begun.emplace(event["id"], event["ts"]).second);
      CHECK(in_slice(event));
    }
  }
  for (const Json& event : trace["traceEvents"]) {
    if (event["ph"] != "f") continue;
    ++ended;
    REQUIRE(begun.contains(event["id"]));
    CHECK(event["bp"] == "e");
    CHECK(double{event["ts"]} > begun[event["id"]]);
    CHECK(in_slice(event));
  }
  CHECK(begun.size() == 6);  // seven were sent, one was lost
  CHECK(ended == begun.size());
  for (auto& [thread, list] : slices) {
    std::sort(list.begin(), list.end());
    for (std::size_t i = 1; i < list.size(); ++i) {
      CHECK(list[i].first >= list[i - 1].first + list[i - 1].second - 1e-6);
    }
  }
}

TEST_CASE("vector clocks of a ShiViz log grow by one, and a receipt knows what its sender knew") {
  const std::string log = reports::shiviz_log(nasty_record(), hand_events());
  std::istringstream in(log);
  std::string parser;
  std::string delimiter;
  std::getline(in, parser);
  std::getline(in, delimiter);
  CHECK(parser == "(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)");
  CHECK(delimiter.empty());
  std::map<std::string, std::map<std::string, std::uint64_t>> clocks;
  std::map<std::string, std::uint64_t> sent;  // the sender's clock, by what was sent last
  std::size_t events = 0;
  std::size_t merged = 0;
  for (std::string line; std::getline(in, line); ++events) {
    const std::size_t space = line.find(' ');
    REQUIRE(space != std::string::npos);
    const std::string host = line.substr(0, space);
    const Json clock = Json::parse(line.substr(space + 1));
    std::string what;
    REQUIRE(std::getline(in, what));
    CHECK_FALSE(what.empty());
    auto& mine = clocks[host];
    for (const auto& [other, count] : clock.items()) {
      const std::uint64_t now = count;
      if (other == host) {
        CHECK(now == mine[host] + 1);
      } else {
        CHECK(now >= mine[other]);
        CHECK(now <= clocks[other][other]);  // nobody knows more of it than it has done
        merged += now > mine[other] ? 1 : 0;
      }
      mine[other] = now;
    }
  }
  CHECK(events == 14);  // 7 sent, 6 received, 1 fact of a host
  CHECK(merged >= 6);
  // The answer of node-3 knows the write that client-1 had sent, but no more of node-1 than that.
  CHECK(clocks["node-3"].contains("node-1"));
  CHECK(clocks["client-1"]["node-3"] == 3);
}

TEST_CASE("a diagram shows what led to the violation, and keeps the grammar whatever a key is") {
  RunRecord record = test::t0_t5();
  const std::string text = reports::mermaid_diagram(record, hand_events());
  CHECK(text.find("h3->>h0: ClientRequest key-125") != std::string::npos);
  CHECK(text.find("h0-xh2: ReplicaWrite key-125") != std::string::npos);
  CHECK(text.find("h0--xh2: never sent: key-125") != std::string::npos);
  CHECK(text.find("no-stale-read broken") != std::string::npos);
  CHECK(text.find("Heartbeats") == std::string::npos);
  record.violations.front().key = kNasty;
  RunEvents events = hand_events();
  events.hosts[0] = kNasty;
  const std::string few = reports::mermaid_diagram(record, events, 1);
  RunRecord whole = record;
  whole.violations.clear();
  static const std::regex line(
      "sequenceDiagram|  participant h\\d+ as [^;#]*(#\\d+;[^;#]*)*|"
      "  h\\d+(->>|-x|--x)h\\d+: [^;#]*(#\\d+;[^;#]*)*|  Note over h\\d+: [^;#]*(#\\d+;[^;#]*)*");
  for (const std::string& each : {text, few, reports::mermaid_diagram(whole, events)}) {
    std::istringstream in(each);
    for (std::string row; std::getline(in, row);) {
      CAPTURE(row);
      CHECK(std::regex_match(row, line));
      CHECK_FALSE(std::regex_search(row, std::regex("\\bend\\b")));
    }
  }
  record.violations.front().key.clear();
  CHECK(reports::mermaid_diagram(record, hand_events(), 2).find("earlier messages are left out") !=
        std::string::npos);
}

TEST_CASE("the strip is well-formed, has its text as text, and marks the stale read") {
  RunRecord record = nasty_record();
  record.history.push_back(test::direct_read(125, NodeId(3), 68200ms));
  const std::string svg = reports::staleness_svg(record, hand_events());
  CHECK(is_well_formed(svg));
  CHECK(svg.find(">node-3</text>") != std::string::npos);
  CHECK(svg.find("stale or missing keys, up to 50") != std::string::npos);
  CHECK(svg.find("stale read of key-125") != std::string::npos);
  // What was short does not stain what came after it, nor is it lost.
  RunEvents events = hand_events();
  events.spans[0].front().to = test::at(1ms);
  events.spans[0].front().what.missing_keys = 1;
  events.spans[0].back().from = test::at(1ms);
  events.spans[0].insert(events.spans[0].begin() + 1, events.spans[0].back());
  events.spans[0][1].to = events.spans[0][2].from = test::at(30s);
  const std::string healthy = reports::staleness_svg(record, events);
  const std::regex whole("width=\"7[0-9]{2}\\.[0-9]+\" height=\"24\" fill=\"#dfe8e4\"");
  CHECK(std::distance(std::sregex_iterator(healthy.begin(), healthy.end(), whole), {}) == 2);
  CHECK_FALSE(is_well_formed("<a>&</a>"));
  CHECK_FALSE(is_well_formed("<a><b></a></b>"));
}

TEST_CASE("CSV reads back as it was written, a row a run, with quotes, commas and line breaks") {
  RunRecord record = nasty_record();
  record.seed = 7;
  const auto rows = parse_csv(reports::metrics_csv({{record, test::t0_t5()}, {record}}));
  REQUIRE(rows.size() == 4);
  for (const auto& row : rows) CHECK(row.size() == rows.front().size());
  CHECK(rows[1][1] == kNasty);
  CHECK(rows[1][2] == "7");
  const auto column = std::find(rows[0].begin(), rows[0].end(), "converged_after_ns");
  REQUIRE(column != rows[0].end());
  CHECK(rows[1][static_cast<std::size_t>(column - rows[0].begin())].empty());
  CHECK(std::set<std::string>(rows[0].begin(), rows[0].end()).size() == rows[0].size());
  const auto steps = parse_csv(reports::steps_csv({record}));
  CHECK(steps.size() == 1 + 6 * 3);
  CHECK(steps[4][5] == kNasty);
  const auto reads = parse_csv(reports::reads_csv({record}));
  CHECK(reads.size() == 1 + record.reads.size());
}

TEST_CASE("tables for a pull request keep their columns, whatever is in a cell") {
  for (const auto& files : {std::vector<std::vector<RunRecord>>{{nasty_record()}},
                            {{nasty_record(), test::t0_t5()}, {nasty_record()}}}) {
    std::istringstream in(reports::markdown_report(files));
    std::size_t columns = 0;
    std::size_t tables = 0;
    for (std::string row; std::getline(in, row);) {
      if (!row.starts_with("|")) {
        columns = 0;
        CHECK(row.find("<x>") == std::string::npos);
        continue;
      }
      std::size_t bars = 0;
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i] == '\\')
          ++i;
        else if (row[i] == '|')
          ++bars;
      }
      if (columns == 0) ++tables;
      if (columns != 0) CHECK(bars == columns);
      columns = bars;
    }
    CHECK(tables >= 1);
  }
}

TEST_CASE("the data of a page keeps to its contract") {
  RunRecord record = nasty_record();
  record.history.push_back(test::direct_read(125, NodeId(3), 68200ms));
  const Json data = Json::parse(
      reports::run_page_json(record, hand_events(), {.version = "1", .command = "rejoin run x"}));
  CHECK(data["kind"] == "run");
  CHECK(data["says"] == kNasty);
  const std::size_t messages = data["messages"]["sent"].size();
  CHECK(messages == 7);
  for (const auto& [name, column] : data["messages"].items()) CHECK(column.size() == messages);
  for (const auto& [name, column] : data["facts"].items()) CHECK(column.size() == 2);
  for (const Json& text : data["messages"]["text"]) CHECK(text < data["strings"].size());
  for (const Json& key : data["messages"]["key"])
    CHECK(key < static_cast<int>(data["keys"].size()));
  CHECK(data["messages"]["arrived"][2].is_null());
  CHECK(data["facts"]["host"][1] == -1);
  CHECK(data["nodes"].size() == 3);
  const Json& read = data["operations"].back();
  CHECK(read["kind"] == "direct-read");
  CHECK(read["stale"] == true);
  CHECK(read["missed"] == "client-1/125");
  CHECK(data["stores"][0]["replicas"].size() == 3);
  CHECK(data["ghosts"][0]["to"] == 2);
  CHECK(data["metrics"]["converged_after_ns"].is_null());
}

TEST_CASE("a page stays within its limits, and counts what it leaves out") {
  RunEvents events = hand_events();
  for (int i = 0; i < 5'000; ++i) {
    events.spans[0].insert(events.spans[0].end() - 1, events.spans[0].front());
    auto& span = *(events.spans[0].end() - 2);
    span.from = test::at(Duration(i) * 1'000'000);
    span.to = span.from + 1ms;
    span.what.missing_keys = static_cast<std::uint64_t>(i % 2);
  }
  const RunRecord record = test::t0_t5();
  const Json data = Json::parse(reports::run_page_json(record, events,
                                                       {.version = "1",
                                                        .command = "x",
                                                        .limits = {.messages = 3,
                                                                   .facts = 1,
                                                                   .operations = 10,
                                                                   .spans_a_node = 100,
                                                                   .violations = 4,
                                                                   .text_bytes = 1}}));
  CHECK(data["messages"]["sent"].size() == 3);
  CHECK(data["hidden"]["messages"] == 4);
  CHECK(data["hidden"]["facts"] == 1);
  CHECK(data["operations"].size() == 10);
  CHECK(data["hidden"]["operations"] == record.history.size() - 10);
  CHECK(data["violations"].size() == 4);
  CHECK(data["nodes"][0]["spans"].size() <= 110);
  std::uint64_t worst = 0;
  for (const Json& span : data["nodes"][0]["spans"]) {
    worst = std::max(worst, span["missing"].get<std::uint64_t>());
  }
  CHECK(worst == 1);  // what was joined shows the worst of it
}

TEST_CASE("the page of a campaign bins every seed once") {
  CampaignRecord record;
  record.scenario = "swarm";
  record.first_seed = 11;
  record.ran = 120;
  record.failed = 3;
  record.failing = {11, 12, 130};
  record.injected_in["crash"]["electing"] = 4;
  record.planted.push_back(
      {.bug = "b", .invariant = "i", .median = 3, .p90 = 9, .found = 4, .of = 5});
  FailureGroup group;
  group.slug = "s";
  group.what = "no-stale-read";
  record.groups.push_back(group);
  const Json data = Json::parse(reports::campaign_page_json(record, "1"));
  std::uint64_t failed = 0;
  for (const Json& bin : data["rate"]) failed += bin["failed"].get<std::uint64_t>();
  CHECK(failed == 3);
  CHECK(data["rate"].back()["seed"] == 130);
  CHECK(data["rate"].front()["failed"] == 2);
  CHECK(data["coverage"][0]["phase"] == "electing");
  CHECK(data["planted"][0]["of"] == 5);
  CHECK(data["failures"][0]["shrunk"].is_null());
}
