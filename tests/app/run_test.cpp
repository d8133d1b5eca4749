#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/support/process.hpp"

namespace rejoin {

namespace {

using Json = nlohmann::json;
const std::string kSeed = "scenarios/seed/t0-t5.yaml";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Json json_of(std::vector<std::string> words) {
  words.insert(words.begin(), "run");
  words.insert(words.end(), {"--format", "json"});
  const test::Finished finished = test::rejoin(words);
  CHECK(finished.err.empty());
  return Json::parse(finished.out);
}

}  // namespace

TEST_CASE("T0-T5 is as expected, and its report tells that key-125 is not found at node-3") {
  const test::Finished finished = test::rejoin({"run", kSeed});
  CHECK(finished.status == 0);
  CHECK(finished.err.empty());
  CHECK(finished.out.starts_with("PASS t0-t5, seed 1: "));
  CHECK(has(finished.out, "node-3, read directly, answered NOT FOUND for key-125."));
  CHECK(has(finished.out, "--sync rejoin-sync --no-expect"));
  CHECK_FALSE(has(finished.out, "\x1b"));
}

TEST_CASE("without its expectations T0-T5 fails with exit status 1 and the command to repeat it") {
  const test::Finished finished = test::rejoin({"run", kSeed, "--no-expect", "--seed", "3"});
  CHECK(finished.status == 1);
  CHECK(finished.out.starts_with("FAIL t0-t5, seed 3: "));
  CHECK(has(finished.out, "\n  rejoin run scenarios/seed/t0-t5.yaml --seed 3 --no-expect\n"));
}

TEST_CASE("an expectation that is missed is exit status 1") {
  const test::Finished finished =
      test::rejoin({"run", kSeed, "--set", "expect.metrics.missing-reads.at-least=2"});
  CHECK(finished.status == 1);
  CHECK(has(finished.out, "metric missing_reads is 1, expected at least 2"));
}

TEST_CASE("the JSON of a run is one object, of two files an array; a seed changes the digest") {
  const Json one = json_of({kSeed});
  CHECK(one["verdict"] == "pass");
  CHECK(one["reads"][0]["result"] == "not-found");
  CHECK(one["transitions"].size() == 6);
  const Json two = json_of({kSeed, kSeed});
  REQUIRE(two.is_array());
  CHECK(two[0]["digest"] == one["digest"]);
  CHECK(two[1]["digest"] == one["digest"]);
  CHECK(json_of({kSeed, "--seed", "2"})["digest"] != one["digest"]);
}

TEST_CASE("trials run seeds from the file's on, and their digests fold into one") {
  const Json all = json_of({kSeed, "--set", "trials=3", "--seed", "4"});
  CHECK(all["trials"] == 3);
  CHECK(all["runs"][2]["seed"] == 6);
  CHECK(all["metrics"]["missing_reads"]["count"] == 3);
  CHECK(all["runs"][1]["digest"] == json_of({kSeed, "--seed", "5"})["digest"]);
  const test::Finished text = test::rejoin({"run", kSeed, "--set", "trials=3", "--seed", "4"});
  CHECK(has(text.out, "digest of the digests " + all["digest"].get<std::string>()));
}

TEST_CASE("what --set says of a mechanism holds for the one that --sync names, in any order") {
  for (const bool sync_first : {true, false}) {
    std::vector<std::string> words = {"run", kSeed, "--no-expect", "--out", "schedule=-"};
    const std::vector<std::string> sync = {"--sync", "rejoin-sync"};
    if (sync_first) words.insert(words.end(), sync.begin(), sync.end());
    words.insert(words.end(), {"--set", "sync.rejoin-sync.source=all", "--set", "versions=hlc"});
    if (!sync_first) words.insert(words.end(), sync.begin(), sync.end());
    const test::Finished done = test::rejoin(words);
    CAPTURE(done.err);
    CHECK(done.out.find("source: all") != std::string::npos);
  }
}

TEST_CASE("a second process, in another environment, does the same event for event") {
  const test::Finished finished =
      test::rejoin({"run", kSeed, "--verify", "--sync", "none", "--set", "trials=2"});
  CHECK(finished.status == 0);
  CHECK(finished.err.empty());
  CHECK(has(finished.out,
            "Verified: a second process did the same, event for event, in every "
            "trial.\n"));
}

// The program with planted bugs is another program. Until one is planted it does the same.
TEST_CASE(
    "another program is compared event by event, and where it parts is told from both sides") {
  const test::Finished same =
      test::rejoin({"run", kSeed, "--verify-with", REJOIN_BINARY_DIR "/rejoin-hunt"});
  CHECK(same.status == 0);
  CHECK(has(same.out, "Verified: "));

  const test::Scratch scratch;
  const std::string buggy = scratch.write(
      "buggy", "#!/bin/sh\nexec " REJOIN_BINARY_DIR "/rejoin-hunt --bug raft-no-pre-vote \"$@\"\n");
  std::filesystem::permissions(buggy, std::filesystem::perms::owner_all);
  const test::Finished other = test::rejoin({"run", kSeed, "--verify-with", buggy});
  CHECK(other.status == 3);
  CHECK(has(other.err, "seed 1: two replays part "));
  CHECK(has(other.err, "\n  here:    "));
  CHECK(has(other.err, "\n  replay:  "));
  CHECK_FALSE(has(other.out, "Verified"));
}

TEST_CASE("a program to compare with that is not there, or is another, is told") {
  const test::Finished absent = test::rejoin({"run", kSeed, "--verify-with", "/no/such/program"});
  CHECK(absent.status == 4);
  CHECK(has(absent.err, "there is no program `/no/such/program`"));
}

// 3 says that two replays differ; these replay nothing.
TEST_CASE("a program that does not take the schedule is no replay that differs") {
  const test::Scratch scratch;
  const auto script = [&](const std::string& name, const std::string& text) {
    const std::string program = scratch.write(name, "#!/bin/sh\n" + text + "\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    return program;
  };
  const std::string stale =
      script("stale", "echo 'replay-steps: this canonical schedule is of format 0' >&2; exit 2");
  const std::string killed = script("killed", "kill -9 $$");
  const std::vector<std::pair<std::string, std::string>> programs = {
      {"/bin/true", "it ended without a step"},
      {"/bin/false", "it ended with status 1 without a step"},
      {"/bin/echo", "it ended without a step"},
      {stale, "it ended with status 2 without a step"},
      {killed, "it was killed by signal 9 without a step"}};
  for (const auto& [program, how] : programs) {
    const test::Finished finished = test::rejoin({"run", kSeed, "--verify-with", program});
    INFO(program << ": " << finished.err);
    CHECK(finished.status == 4);
    CHECK(has(finished.err, "`" + program + "` did not take the schedule: " + how));
    CHECK(has(finished.err, "schedules are handed over as format 1, shape "));
    CHECK_FALSE(has(finished.err, "two replays part"));
    CHECK_FALSE(has(finished.out, "Verified"));
  }
  // What it says itself stays to be read.
  CHECK(has(test::rejoin({"run", kSeed, "--verify-with", stale}).err, "is of format 0"));
}

TEST_CASE("a trace has a line an event, and its filter leaves only what matches") {
  const test::Finished all = test::rejoin({"run", "--trace", kSeed});
  CHECK(all.status == 0);
  CHECK(has(all.out, "  = ProcessCrashed{}"));
  CHECK(has(all.out, "AppendEntries{"));
  // Values by their names, times as people tell them.
  CHECK(has(all.out, "operation: write"));
  CHECK(has(all.out, "expires: 2024-01-01T00:0"));
  CHECK_FALSE(has(all.out, "expires: 19723d"));
  const std::size_t report = all.out.find("\nPASS t0-t5");
  REQUIRE(report != std::string::npos);

  const test::Finished some =
      test::rejoin({"run", kSeed, "--trace", "key=key-125,node=node-3", "--from", "30s"});
  std::istringstream lines(some.out.substr(0, some.out.find("\nPASS t0-t5")));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    CHECK_MESSAGE((has(line, "key-125") && has(line, "node-3")), line);
  }
  CHECK(count > 0);
}

TEST_CASE("with JSON the trace goes to standard error") {
  const test::Finished finished =
      test::rejoin({"run", kSeed, "--format", "json", "--trace", "kind=ProcessCrashed"});
  CHECK(Json::parse(finished.out)["verdict"] == "pass");
  CHECK(has(finished.err, "node-3      = ProcessCrashed{}"));
}

}  // namespace rejoin
