#include <doctest/doctest.h>

#include "reports/page.hpp"
#include "reports/report.hpp"
#include "tests/reports/hand_record.hpp"
#include "tests/support/golden.hpp"

namespace rejoin::reports {

namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

// The text without its line breaks: what a reader takes in, however it was wrapped.
std::string unwrapped(const std::string& text) {
  std::string out;
  for (const std::string& line : lines_of(text)) {
    const std::size_t start = line.find_first_not_of(' ');
    if (start != std::string::npos) out += line.substr(start) + " ";
  }
  return out;
}

// node-3 was repaired: nothing is wrong any more.
RunRecord repaired() {
  RunRecord record = test::t0_t5();
  record.sync = "rejoin-sync";
  record.verdict_says = "every invariant held";
  record.violations.clear();
  record.warnings.clear();
  record.transitions[4].nodes[2] = test::in_state(3, NodeState::syncing, 120);
  record.transitions[4].nodes[2].missing_keys = 30;
  record.transitions[5].nodes[2] = test::alive(3, 150);
  ReadRecord& read = record.reads.front();
  read.stale = false;
  read.expected_value.clear();
  read.why.clear();
  read.operation.result = ResultKind::value;
  read.operation.value = "client-1/125";
  record.messages_by_purpose[static_cast<std::size_t>(Purpose::repair)] = 128;
  record.bytes_by_purpose[static_cast<std::size_t>(Purpose::repair)] = 20'000;
  record.metrics["converged_after_ns"] = 1'250'000'000;
  record.metrics["missing_reads"] = 0;
  return record;
}

RunRecord of_many_nodes(std::uint32_t nodes) {
  RunRecord record = test::t0_t5();
  record.nodes = nodes;
  for (Transition& step : record.transitions) {
    for (std::uint32_t node = 4; node <= nodes; ++node) {
      const bool down = step.label == "T3" && node >= 10;
      step.nodes.push_back(test::in_state(node, down ? NodeState::dead : NodeState::alive, 40));
    }
  }
  return record;
}

}  // namespace

TEST_CASE("the report of T0-T5 tells what was lost, where and why") {
  TextOptions options;
  options.other_sync = "rejoin-sync";
  options.other_sync_conditions = "versions: timestamp";
  test::check_golden("t0-t5.txt", text_report(test::t0_t5(), options));
}

TEST_CASE("the report of a repaired run says that no read was wrong and what the repair cost") {
  test::check_golden("t0-t5-repaired.txt", text_report(repaired(), {}));
}

TEST_CASE("the first line and the last are the verdict") {
  for (const Verdict verdict :
       {Verdict::pass, Verdict::fail, Verdict::vacuous, Verdict::unbounded}) {
    RunRecord record = test::t0_t5();
    record.verdict = verdict;
    const std::vector<std::string> lines = lines_of(text_report(record, {}));
    CHECK(lines.front() == lines.back());
    CHECK(has(lines.front(), ", seed 1: "));
  }
}

TEST_CASE("a failure shows the command that repeats it, with the flags it was run with") {
  RunRecord record = test::t0_t5();
  record.verdict = Verdict::fail;
  record.violations.front().expected = false;
  record.unmet = {"metric missing_reads is 1, expected exactly 0"};
  TextOptions options;
  options.flags = " --seed 7 --set timeline.T4.after=20s";
  options.sync_flag = " --sync hook-copy";
  const std::string text = text_report(record, options);
  CHECK(has(text,
            "\n  rejoin run scenarios/seed/t0-t5.yaml --sync hook-copy --seed 7 "
            "--set timeline.T4.after=20s\n"));
  CHECK(has(text, "no-stale-read: 1 time, UNEXPECTED"));
  CHECK(has(text, "metric missing_reads is 1, expected exactly 0"));
}

TEST_CASE("an outdated value is told with the write that it came from") {
  RunRecord record = test::t0_t5();
  ReadRecord& read = record.reads.front();
  record.history[124].key = "key-7";
  read.operation.key = "key-7";
  read.operation.result = ResultKind::value;
  read.operation.value = "client-1/7";
  const std::string text = unwrapped(text_report(record, {}));
  CHECK(has(text, "node-3, read directly, answered \"client-1/7\" for key-7."));
  CHECK(has(text, "It should have answered \"client-1/125\", written through node-2 at 46.025s."));
  CHECK(has(text, "What it answered is what client-1 wrote at 1.235s (T0)"));
}

TEST_CASE("faults are told by what they touched and did, summed up by fault") {
  RunRecord record = test::t0_t5();
  const auto loss = [&record](std::uint64_t touched, std::uint64_t did) {
    record.faults.push_back({.label = "rain",
                             .fault = "loss",
                             .may_miss = true,
                             .touched = touched,
                             .unit = "link",
                             .did = did,
                             .of = "message lost"});
  };
  loss(20, 495);
  CHECK(has(text_report(record, {}), "  loss         1  20 links  495 messages lost\n"));
  loss(6, 1);
  loss(6, 0);
  const std::string text = text_report(record, {});
  CHECK(has(text, "  loss     2 of 3  32 links  496 messages lost\n"));
  CHECK(has(text, "  crash         1  1 host\n"));
  CHECK(has(text, "1 of 3: of 3 steps, 1 did something."));
  CHECK(counted_of(1, "message lost") == "1 message lost");
  CHECK(counted_of(2, "crash") == "2 crashes");
  CHECK(counted_of(1'000, "sync that lied") == "1,000 syncs that lied");
}

TEST_CASE("many wrong reads are told in part and counted in full") {
  RunRecord record = test::t0_t5();
  for (std::uint32_t key = 126; key <= 150; ++key) {
    ReadRecord read = test::stale_read_of_125();
    read.operation.key = "key-" + std::to_string(key);
    record.reads.push_back(read);
  }
  const std::string text = unwrapped(text_report(record, {}));
  CHECK(has(text, "Reads that were wrong: 26 of 26"));
  CHECK(has(text, "21 more like it in T5: node-3 answered not-found for key-130..key-150"));
}

TEST_CASE("more nodes than fit get a summary, and those that stand out are named") {
  const std::string text = text_report(of_many_nodes(1000), {});
  test::check_golden("many-nodes.txt", text);
  CHECK(has(text, "node-10..node-1000:"));
  CHECK(has(text, "dead (40 on disk);"));
}

TEST_CASE("a table is as wide as asked when its words allow it") {
  for (const std::uint32_t nodes : {3U, 5U, 6U, 7U, 40U}) {
    for (const std::string& line : lines_of(text_report(of_many_nodes(nodes), {}))) {
      if (has(line, "rejoin run")) continue;  // to be copied: never wrapped
      CHECK_MESSAGE(display_width(line) <= 100, line);
    }
  }
}

TEST_CASE("nothing is cut: a long name stays whole, however narrow the page") {
  RunRecord record = test::t0_t5();
  const std::string name = "a-name-" + std::string(150, 'x');
  record.transitions[1].label = name;
  record.violations[0].key = name + "-key";
  record.reads[0].operation.key = name + "-read";
  record.judged[name + "-judge"] = 3;
  TextOptions options;
  options.width = 20;
  const std::string text = text_report(record, options);
  for (const char* end : {" ", "-key", "-read", "-judge"}) CHECK(has(text, name + end));
}

TEST_CASE("colour only when asked, and names cannot steer the terminal") {
  RunRecord record = test::t0_t5();
  record.scenario = "t0\x1b[2J";
  CHECK_FALSE(has(text_report(record, {}), "\x1b"));
  CHECK(has(text_report(record, {}), "t0\\x1b[2J"));
  record.about = "one line\nand another";
  CHECK(has(text_report(record, {}), "one line and another\n"));
  TextOptions colour;
  colour.colour = true;
  CHECK(has(text_report(record, colour), "\x1b[32m"));
  CHECK_FALSE(has(text_report(record, colour), "\x1b[2J"));
}

TEST_CASE("names are counted by the columns that they take") {
  CHECK(display_width("key-1") == 5);
  CHECK(display_width("\xc3\xa9t\xc3\xa9") == 3);  // e with an accent
  CHECK(display_width("\xe9\x8d\xb5-1") == 4);     // a wide character
  CHECK(display_width("e\xcc\x81") == 1);          // a combining accent
  CHECK(wrap("one two three", 7) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("", 7) == std::vector<std::string>{""});
}

TEST_CASE("runs of names are joined, in order of number") {
  CHECK(name_ranges({"key-3", "key-1", "key-2", "key-10", "other"}) ==
        "key-1..key-3, key-10, other");
  CHECK(name_ranges({"1", "2"}) == "1, 2");
  CHECK(name_ranges({"key-01", "key-02", "key-03"}) == "key-01, key-02, key-03");
  CHECK(name_ranges({"a", "c", "b"}, 2) == "a, b and 1 more");
  CHECK(name_ranges({}).empty());
}

TEST_CASE("figures are grouped and sized for people") {
  CHECK(grouped(std::uint64_t{1234567}) == "1,234,567");
  CHECK(grouped(std::int64_t{-1000}) == "-1,000");
  CHECK(grouped(std::uint64_t{999}) == "999");
  CHECK(readable_bytes(1023) == "1023 B");
  CHECK(readable_bytes(1536) == "1.5 KiB");
  CHECK(counted(1, "read") == "1 read");
  CHECK(counted(2, "read") == "2 reads");
}

TEST_CASE("several trials are summed up by verdict, violation and metric") {
  std::vector<RunRecord> trials;
  for (std::uint64_t seed = 5; seed >= 1; --seed) {
    RunRecord record = seed % 2 == 0 ? repaired() : test::t0_t5();
    record.seed = seed;
    record.digest.low += seed;
    if (seed == 3) {
      record.verdict = Verdict::fail;
      record.verdict_says = "broke raft-log-matching";
      record.violations.front().invariant = "raft-log-matching";
      record.violations.front().expected = false;
    }
    trials.push_back(record);
  }
  test::check_golden("trials.txt", text_report(trials, {}));
}

}  // namespace rejoin::reports
