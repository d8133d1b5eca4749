// `rejoin fuzz` and `rejoin shrink` as a user and a continuous integration run them.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "tests/support/golden.hpp"
#include "tests/support/process.hpp"

namespace rejoin {
namespace {

using namespace test;
namespace fs = std::filesystem;

const std::string kFuzz = "scenarios/fuzz/partition-rejoin.yaml";
const std::string kProgram = REJOIN_BINARY_DIR "/rejoin";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// However it was wrapped.
std::string in_one_line(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  for (std::string word; in >> word;) out += word + ' ';
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::vector<std::string> files_named(const std::string& folder, const std::string& name) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == name) out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Whatever was saved is a scenario, from its first line to its last.
void check_saved_is_whole(const std::string& folder) {
  std::size_t files = 0;
  for (const char* const name : {"schedule.yaml", "shrunk.yaml"}) {
    for (const std::string& file : files_named(folder, name)) {
      ++files;
      CHECK(has(read_file(file), "\nfound:\n"));
      const Finished valid = rejoin({"validate", file});
      CHECK_MESSAGE(valid.status == 0, file << ": " << valid.err);
    }
  }
  CHECK(files > 0);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    CHECK(entry.path().extension() != ".part");
  }
}

// Waits until the campaign has saved something and gone on for a while.
void wait_for_journal(const std::string& folder, const Running& running, std::size_t lines) {
  const std::string journal = folder + "/journal.jsonl";
  while (!fs::exists(journal) || lines_of(read_file(journal)).size() < lines) {
    REQUIRE(running.alive());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

TEST_CASE("fuzz command: what it cannot do is said before the first seed, with exit status 2") {
  struct Mistake {
    std::vector<std::string> words;
    std::string err;
  };
  const std::vector<Mistake> mistakes = {
      {{"fuzz"}, "error: `rejoin fuzz` needs a scenario file"},
      {{"fuzz", kFuzz, "--seeds", "9..3"}, "`9..3` is empty: the first seed is behind the last"},
      {{"fuzz", kFuzz, "--seeds", "7"}, "`7` is no range\n  hint: A..B"},
      {{"fuzz", kFuzz, "--seeds", "a..9"}, "`a..9` is no range of seeds"},
      {{"fuzz", kFuzz, "--seeds", "1..9", "--runs", "4"},
       "--seeds says which seeds; so does --run"},
      {{"fuzz", kFuzz, "--seeds", "1..9", "--seed", "4"},
       "--seeds says which seeds; so does --see"},
      {{"fuzz", kFuzz, "--runs", "0"}, "--runs: `0` is not what it takes"},
      {{"fuzz", kFuzz, "--seed", "18446744073709551615"}, "there are not 1000 seeds from"},
      {{"fuzz", kFuzz, "-j", "0"}, "-j: `0` is not what it takes\n  hint: a whole number from 1"},
      {{"fuzz", kFuzz, "-x", "--max-failures", "3"}, "-x is --max-failures 1"},
      {{"fuzz", kFuzz, "--max-time", "ten"}, "--max-time: `ten` is not a time"},
      {{"fuzz", kFuzz, "--max-time", "0s"}, "--max-time: `0s` is not a time"},
      {{"fuzz", kFuzz, "--out", "junitt"}, "did you mean `junit`?"},
      {{"fuzz", kFuzz, "--out", "json=/nowhere/x"}, "--out: cannot write `/nowhere/x`"},
      {{"fuzz", kFuzz, "--save-dir", "/proc/none"}, "the folder `/proc/none` cannot be made"},
      {{"fuzz", kFuzz, "--save-dir", "README.md"}, "README.md"},
      {{"fuzz", "scenarios/none.yaml"}, "scenarios/none.yaml"},
      {{"fuzz", kFuzz, "--sync", "rejoin-snc"}, "did you mean `rejoin-sync`?"},
      {{"shrink", kFuzz, kFuzz}, "`rejoin shrink` takes one file at a time"},
      {{"shrink", kFuzz}, "does not fail: there is nothing to shrink"},
      {{"hunt", "--bug", "raft-no-prevote"}, "did you mean `raft-no-pre-vote`?"},
      {{"hunt", "--stretches", "none"}, "--stretches: `none` is not what it takes"},
  };
  for (const Mistake& mistake : mistakes) {
    std::string line;
    for (const std::string& word : mistake.words) line += word + ' ';
    CAPTURE(line);
    const Finished refused = rejoin(mistake.words);
    CHECK(refused.status == 2);
    CHECK(refused.out.empty());
    CHECK_MESSAGE(has(refused.err, mistake.err), refused.err);
  }
}

TEST_CASE("fuzz command: 1 and 2 workers, and shards joined, write the same bytes") {
  const Scratch scratch;
  const auto lines = [&](const std::string& seeds, const std::string& jobs) {
    const Finished done =
        rejoin({"fuzz", kFuzz, "--sync", "none", "--seeds", seeds, "-j", jobs, "--no-shrink",
                "--save-dir", scratch.path(seeds + "-" + jobs), "--out", "jsonl=-"});
    CHECK_MESSAGE((done.status == 0 || done.status == 1), done.err);
    return done.out;
  };
  const std::string whole = lines("1..60", "1");
  CHECK(lines_of(whole).size() == 60);
  CHECK(has(whole, "\"verdict\":\"fail\""));
  CHECK(lines("1..60", "2") == whole);
  CHECK(lines("1..7", "2") + lines("8..33", "1") + lines("34..60", "2") == whole);
}

TEST_CASE("fuzz command: a failure is saved, shrunk, runs red, and green once a sync mends it") {
  const Scratch scratch;
  const std::vector<std::string> words = {"fuzz",   kFuzz,   "--sync",     "none",
                                          "--runs", "10",    "--save-dir", scratch.path("found"),
                                          "--out",  "junit", "--out",      "json"};
  const Finished first = rejoin(words);
  CHECK(first.status == 1);
  CHECK(has(first.out, "FAIL partition-rejoin, none, seeds 1..10"));
  CHECK(has(first.out, "reproduce  rejoin run " + scratch.path("found")));
  CHECK(has(first.out, "shrunk to  "));
  check_saved_is_whole(scratch.path("found"));
  CHECK(has(read_file(scratch.path("found/junit.xml")), "<failure type="));
  const auto report = nlohmann::json::parse(read_file(scratch.path("found/campaign.json")));
  CHECK(report["ran"] == 10);
  bool stale = false;
  for (const std::string& file : files_named(scratch.path("found"), "shrunk.yaml")) {
    CAPTURE(file);
    CHECK(rejoin({"run", file}).status == 1);
    CHECK_FALSE(read_file(fs::path(file).replace_filename("trace.txt").string()).empty());
    if (!has(file, "no-stale-read-after-repair")) continue;
    stale = true;
    CHECK(rejoin({"run", file, "--sync", "rejoin-sync", "--set", "versions=timestamp"}).status ==
          0);
  }
  CHECK(stale);
  // The next campaign begins with what this one saved, and keeps it.
  const Finished second =
      rejoin({"fuzz", kFuzz, "--runs", "1", "--save-dir", scratch.path("found")});
  CHECK(second.status == 1);
  CHECK(has(second.out, "still fails"));
  CHECK(has(second.out, "reproduce  rejoin run " + scratch.path("found")));
  CHECK(has(second.out, "0 of 1 seed failed"));
}

TEST_CASE("fuzz command: what --sync and --set make of a scenario has failures of its own") {
  const Scratch scratch;
  const std::string file = REJOIN_SOURCE_DIR "/" + kFuzz;
  const auto there = [&](const std::string& words) {
    return run_program("/bin/sh",
                       {"-c", "cd " + scratch.path("") + " && exec " + kProgram + " " + words});
  };
  const Finished none = there("fuzz " + file + " --sync none --runs 10 --no-shrink");
  CHECK(none.status == 1);
  const std::string folder = scratch.path("results/fuzz/partition-rejoin/");
  REQUIRE(fs::exists(folder + "sync=none"));
  const auto saved = files_named(folder + "sync=none", "schedule.yaml");
  REQUIRE_FALSE(saved.empty());
  CHECK(has(read_file(saved.front()), "\n  flags: \"--sync none\"\n"));
  CHECK(has(none.out, "reproduce  rejoin run results/fuzz/partition-rejoin/sync=none/"));
  // The scenario itself has nothing to do with them.
  const Finished plain = there("fuzz " + file + " --runs 10");
  CHECK_MESSAGE(plain.status == 0, plain.out << plain.err);
  CHECK_FALSE(has(plain.out, "Saved before"));
  CHECK_FALSE(has(plain.out, "sync=none"));
  (void)there("fuzz " + file + " --set 'name=a b' --runs 1");
  CHECK(fs::exists(scratch.path("results/fuzz")));
}

TEST_CASE("fuzz command: one seed without a schedule is a finding, a file without any is refused") {
  const Scratch scratch;
  // For some seeds a machine would die while it is dead.
  const std::string head =
      "format: 1\ntimeline:\n"
      "  - { label: a, write: { keys: key-1 } }\n"
      "  - { label: b, at: 5s, crash: node-3, for: 5s }\n"
      "  - { label: c, at: ";
  const std::string tail = ", crash: node-3, for: 1s }\ncheck: [raft-election-safety]\n";
  const std::string some = scratch.write("some of them.yaml", head + "{ pick: [6s, 20s] }" + tail);
  std::string seed;  // the first that draws 6s
  for (int i = 1; i <= 20 && seed.empty(); ++i) {
    if (rejoin({"run", some, "--seed", std::to_string(i)}).status == 2) seed = std::to_string(i);
  }
  REQUIRE_FALSE(seed.empty());
  const Finished done = rejoin({"fuzz", some, "--seed", seed, "--runs", "8", "--no-shrink",
                                "--save-dir", scratch.path("some"), "--out", "jsonl=-"});
  CHECK_MESSAGE(done.status == 1, done.err);
  CHECK(lines_of(done.out).size() == 8);
  CHECK(has(done.out.substr(0, done.out.find('\n')), "\"broke\":\"no-schedule\""));
  // There is no file of it that could be run: the command names the seed.
  const Finished text = rejoin({"fuzz", some, "--seed", seed, "--runs", "8", "--no-shrink",
                                "--save-dir", scratch.path("text")});
  CHECK(has(in_one_line(text.out),
            "reproduce rejoin run '" + some + "' --seed " + seed + " --no-expect"));
  const std::string none = scratch.write("none.yaml", head + "6s" + tail);
  const Finished refused =
      rejoin({"fuzz", none, "--runs", "8", "--save-dir", scratch.path("none")});
  CHECK(refused.status == 2);
  CHECK(has(refused.err, "contradicts crash of step b"));
  CHECK_FALSE(fs::exists(scratch.path("none/journal.jsonl")));
}

TEST_CASE("fuzz command: a name that is no UTF-8 ends nothing") {
  const Scratch scratch;
  const std::string file = scratch.path("bad\xff.yaml");
  fs::copy_file(REJOIN_SOURCE_DIR "/" + kFuzz, file);
  const Finished done =
      rejoin({"fuzz", file, "--sync", "none", "--runs", "5", "--no-shrink", "--save-dir",
              scratch.path("found"), "--out", "jsonl=" + scratch.path("seeds.jsonl"), "--out",
              "json=" + scratch.path("campaign.json"), "--out", "junit"});
  CHECK_MESSAGE(done.status == 1, done.err);
  CHECK(lines_of(read_file(scratch.path("seeds.jsonl"))).size() == 5);
  check_saved_is_whole(scratch.path("found"));
}

TEST_CASE("fuzz command: what a planted bug broke is reproduced by the program that has it") {
  const Scratch scratch;
  const Finished done =
      run_program(REJOIN_BINARY_DIR "/rejoin-hunt",
                  {"--bug", "raft-no-pre-vote", "fuzz", kFuzz, "--sync", "none", "--runs", "10",
                   "--no-shrink", "--save-dir", scratch.path("found")});
  CHECK(done.status == 1);
  CHECK(has(done.out, "reproduce  rejoin-hunt --bug raft-no-pre-vote run " + scratch.path("")));
}

TEST_CASE("fuzz command: it stops at the first failure, or after so many, and says so") {
  const Scratch scratch;
  const Finished one = rejoin(
      {"fuzz", kFuzz, "--sync", "none", "-x", "--no-shrink", "--save-dir", scratch.path("one")});
  CHECK(one.status == 1);
  CHECK(has(one.out, "Stopped early: 1 failure is enough."));
  const Finished three = rejoin({"fuzz", kFuzz, "--sync", "none", "--max-failures", "3",
                                 "--no-shrink", "--save-dir", scratch.path("three")});
  CHECK(has(three.out, "3 of "));
  CHECK(has(three.out, "Stopped early: 3 failures is enough."));
}

TEST_CASE("fuzz command: the seed of a run may be the hash of a commit") {
  const Scratch scratch;
  const Finished done = rejoin({"fuzz", kFuzz, "--seed", "c66f405d2f1e", "--runs", "2", "--out",
                                "jsonl=-", "--save-dir", scratch.path("found")});
  CHECK(done.status != 2);
  CHECK(has(done.out, "\"seed\":" + std::to_string(0xc66f405d2f1eULL)));
}

TEST_CASE("fuzz command: GitHub gets its annotations, and its summary where it says") {
  const Scratch scratch;
  const Finished done =
      run_program("/usr/bin/env", {"GITHUB_STEP_SUMMARY=" + scratch.path("summary.md"), kProgram,
                                   "fuzz", kFuzz, "--sync", "none", "--runs", "5", "--no-shrink",
                                   "--save-dir", scratch.path("found"), "--out", "github=-"});
  CHECK(done.status == 1);
  CHECK(done.out.starts_with("::error file=" + kFuzz + ",title="));
  CHECK(has(read_file(scratch.path("summary.md")), "### ❌ partition-rejoin with none"));
}

TEST_CASE("fuzz command: the workflow that is there to be copied runs") {
  const Scratch scratch;
  std::string command;
  for (const std::string& line :
       lines_of(read_file(REJOIN_SOURCE_DIR "/.github/workflows/fuzz.yml"))) {
    if (has(line, "build/release/rejoin fuzz ")) command = line.substr(line.find_first_not_of(' '));
  }
  REQUIRE_FALSE(command.empty());
  const auto replace = [&](const std::string& from, const std::string& to) {
    REQUIRE(has(command, from));
    for (auto at = command.find(from); at != std::string::npos;
         at = command.find(from, at + to.size())) {
      command.replace(at, from.size(), to);
    }
  };
  replace("build/release/rejoin", kProgram);
  replace("--runs 1000000", "--runs 3");
  replace("results/fuzz/", scratch.path("out-"));
  const std::string environment = "SEED=c66f405d2f1e3b07d1e2f3a4b5c6d7e8f9a0b1c2 MAX_TIME=5m ";
  const Finished done = run_program("/bin/sh", {"-c", "export " + environment + "; " + command +
                                                          " --save-dir " + scratch.path("found")});
  CHECK_MESSAGE(done.status == 0, done.err);
  const std::filesystem::directory_iterator files(REJOIN_SOURCE_DIR "/scenarios/fuzz");
  const auto searched = std::distance(begin(files), end(files));
  CHECK(lines_of(read_file(scratch.path("out-seeds.jsonl"))).size() ==
        3 * static_cast<std::size_t>(searched));
  CHECK(has(read_file(scratch.path("out-junit.xml")), " seeds that passed\""));
}

TEST_CASE(
    "fuzz command: a saved schedule says when it fits no longer, and how much of it was played") {
  const Scratch scratch;
  const std::string yaml =
      "format: 1\n"
      "timeline:\n"
      "  - { label: load, write: { keys: key-1 } }\n"
      "  - { label: gone, when: { removed: node-3 }, read: { keys: key-1 } }\n"
      "  - { label: after, read: { keys: key-1 } }\n"
      "check: [no-stale-read]\n"
      "limits: { patience: 30s }\n"
      "found:\n"
      "  signature: no-stale-read-1\n";
  fs::create_directories(scratch.path("found/no-stale-read-1"));
  fs::create_directories(scratch.path("found/unknown-2"));
  const std::string file = scratch.write("found/no-stale-read-1/shrunk.yaml", yaml);
  scratch.write("found/unknown-2/shrunk.yaml", "format: 7\n");
  const Finished ran = rejoin({"run", file});
  CHECK(ran.status == 1);
  CHECK(has(ran.out, "step gone never fired"));
  CHECK(has(in_one_line(ran.out), "1 of 3 steps were applied"));
  const Finished done = rejoin({"fuzz", kFuzz, "--runs", "1", "--save-dir", scratch.path("found")});
  CHECK(done.status == 1);
  CHECK(has(done.out, "no longer fits"));
  CHECK(has(done.out, "unknown-2/shrunk.yaml: "));
  CHECK(has(in_one_line(done.out), "1 of 3 steps were applied"));
}

TEST_CASE("fuzz command: kill -9 loses nothing that had ended, and the next campaign knows") {
  const Scratch scratch;
  const std::string folder = scratch.path("found");
  {
    Running campaign(
        {"fuzz", kFuzz, "--sync", "none", "--runs", "1000000", "-j", "2", "--save-dir", folder});
    wait_for_journal(folder, campaign, 120);
    CHECK(campaign.end(SIGKILL) == 128 + SIGKILL);
  }
  check_saved_is_whole(folder);
  std::set<std::uint64_t> begun;
  std::set<std::uint64_t> ended;
  for (const std::string& line : lines_of(read_file(folder + "/journal.jsonl"))) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (entry.is_discarded()) continue;  // half of the last line
    if (entry.contains("begin")) begun.insert(entry["begin"].get<std::uint64_t>());
    if (entry.contains("end")) ended.insert(entry["end"].get<std::uint64_t>());
  }
  CHECK(ended.size() >= 50);
  REQUIRE(begun.size() > ended.size());
  // What was under way is run first: it is in the journal as ended then.
  const Finished next = rejoin(
      {"fuzz", kFuzz, "--sync", "none", "--seeds", "1..1", "--no-shrink", "--save-dir", folder});
  CHECK(next.status == 1);
  const std::string journal = read_file(folder + "/journal.jsonl");
  for (const std::uint64_t seed : begun) {
    CHECK(has(journal, "\"end\":" + std::to_string(seed) + ","));
  }
}

TEST_CASE("fuzz command: the first signal ends it with what it has") {
  const Scratch scratch;
  const std::string folder = scratch.path("found");
  Running campaign({"fuzz", kFuzz, "--sync", "none", "--runs", "1000000", "-j", "2", "--save-dir",
                    folder, "--out", "json"});
  wait_for_journal(folder, campaign, 60);
  CHECK(campaign.end(SIGINT) == 130);
  check_saved_is_whole(folder);
  const auto report = nlohmann::json::parse(read_file(folder + "/campaign.json"));
  CHECK(report["stopped"] == "interrupted");
  CHECK(report["ran"] >= 20);
}

TEST_CASE("fuzz command: a disk that is full midway is said, and what was saved is whole") {
  const Scratch scratch;
  const std::string folder = scratch.path("found");
  // No file may be longer than this: to the program it is what a full disk is.
  const auto limited = [&](const std::string& flags) {
    return run_program("/bin/sh", {"-c", "ulimit -f 24; exec " + kProgram + " fuzz " + kFuzz +
                                             " --sync none --save-dir " + folder + " " + flags});
  };
  const Finished full = limited("--runs 5000 --no-shrink");
  CHECK(full.status == 4);
  CHECK_MESSAGE(has(full.err, "/journal.jsonl` cannot be written: "), full.err);
  CHECK(has(full.out, "Stopped early"));
  check_saved_is_whole(folder);
  // Nobody waits for a million seeds to hear that their lines cannot be written.
  const Finished report = run_program(
      "/bin/sh", {"-c", "exec " + kProgram + " fuzz " + kFuzz + " --runs 1000000 --save-dir " +
                            scratch.path("other") + " --out jsonl=/dev/full"});
  CHECK(report.status == 4);
  CHECK_MESSAGE(has(report.err, "cannot write `/dev/full`: No space left on device"), report.err);
}

TEST_CASE("shrink command: it writes a file that fails, with what it showed at its top") {
  const Scratch scratch;
  const std::string file = scratch.path("small.yaml");
  const Finished done =
      rejoin({"shrink", "scenarios/seed/t0-t5.yaml", "--no-expect", "--save", file});
  CHECK(done.status == 0);
  CHECK(has(done.out, "Shrunk to 3 nodes, 1 key, "));
  CHECK(has(read_file(file), "  seed: 1\n"));
  CHECK(rejoin({"run", file}).status == 1);
  CHECK(has(read_file(file), "\n  minimal: true\n"));
  // Said before the work, not behind it.
  const Finished nowhere =
      rejoin({"shrink", "scenarios/seed/t0-t5.yaml", "--no-expect", "--save", "/nowhere/x.yaml"});
  CHECK(nowhere.status == 2);
  CHECK(nowhere.out.empty());
  CHECK(has(nowhere.err, "--save: `/nowhere/x.yaml` cannot be written"));
}

TEST_CASE("shrink command: a violation that stays away is nothing that a smaller file could show") {
  const Finished done = rejoin({"shrink", "scenarios/seed/t0-t5.yaml", "--sync", "rejoin-sync"});
  CHECK(done.status == 2);
  CHECK(done.out.empty());
  CHECK(has(done.err, "fails by what it expects alone"));
  CHECK(has(done.err, "hint: --no-expect"));
}

TEST_CASE("run --bisect: what cannot be judged exits with 125, whatever is wrong") {
  const Scratch scratch;
  const std::string wrong = scratch.write("wrong.yaml", "format: 1\nclster: {}\n");
  CHECK(rejoin({"run", "scenarios/seed/t0-t5.yaml", "--bisect"}).status == 0);
  CHECK(rejoin({"run", "scenarios/seed/t0-t5.yaml", "--bisect", "--no-expect"}).status == 1);
  CHECK(rejoin({"run", wrong}).status == 2);
  CHECK(rejoin({"run", wrong, "--bisect"}).status == 125);
  CHECK(rejoin({"run", "--bisect"}).status == 125);
  CHECK(rejoin({"run", "--bisect", "--sede", "3", "scenarios/seed/t0-t5.yaml"}).status == 125);
  // What fails in time, but never came to a step, says nothing of the commit.
  const std::string waits =
      scratch.write("waits.yaml",
                    "format: 1\ntimeline:\n  - { label: a, write: { keys: key-1 } }\n"
                    "  - { label: b, when: { removed: node-3 }, read: { keys: key-1 } }\n"
                    "check: [no-stale-read]\nlimits: { patience: 5s }\n");
  CHECK(rejoin({"run", waits}).status == 1);
  CHECK(rejoin({"run", waits, "--bisect"}).status == 125);
  const std::string endless =
      scratch.write("endless.yaml",
                    "format: 1\ntimeline:\n  - { label: a, write: { keys: key-1 } }\n"
                    "check: [no-stale-read]\nlimits: { events: 100 }\n");
  CHECK(rejoin({"run", endless}).status == 1);
  CHECK(rejoin({"run", endless, "--bisect"}).status == 125);
  // A failure of our own: the program to compare with is none.
  CHECK(rejoin({"run", "scenarios/seed/t0-t5.yaml", "--verify-with", "/bin/true"}).status == 4);
  CHECK(rejoin({"run", "scenarios/seed/t0-t5.yaml", "--verify-with", "/bin/true", "--bisect"})
            .status == 125);
}

TEST_CASE("run --bisect: a saved failure is bad while it shows what it was saved for, no other") {
  const Scratch scratch;
  const std::string file = scratch.path("small.yaml");
  REQUIRE(rejoin({"shrink", "scenarios/seed/t0-t5.yaml", "--no-expect", "--save", file}).status ==
          0);
  const Finished bad = rejoin({"run", file, "--bisect"});
  CHECK(bad.status == 1);
  CHECK(has(bad.out, "bad: " + file + ": shows no-stale-read"));
  CHECK(rejoin({"run", file, "--bisect", "--sync", "rejoin-sync"}).status == 0);
  const std::string yaml = read_file(file);
  const std::size_t at = yaml.find("  signature: ");
  const std::size_t end = yaml.find("\n  role:", at);
  const auto saved_for = [&](const std::string& signature, const std::string& broke) {
    return scratch.write("other.yaml", yaml.substr(0, at) + "  signature: " + signature +
                                           "\n  broke: " + broke + yaml.substr(end));
  };
  // It fails, but that is another bug.
  CHECK(rejoin({"run", saved_for("one-map-an-epoch-0", "one-map-an-epoch")}).status == 1);
  const Finished good =
      rejoin({"run", saved_for("one-map-an-epoch-0", "one-map-an-epoch"), "--bisect"});
  CHECK(good.status == 0);
  CHECK(has(good.out, "does not show one-map-an-epoch-0, but no-stale-read"));
  // The same invariant in other words: perhaps.
  CHECK(rejoin({"run", saved_for("no-stale-read-0", "no-stale-read"), "--bisect"}).status == 125);
}

}  // namespace rejoin
