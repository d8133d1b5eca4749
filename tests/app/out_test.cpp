// What `--out` writes, and where; `schema`; what a trace shows of faults.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/support/golden.hpp"
#include "tests/support/process.hpp"

namespace rejoin {

namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;
const std::string kSeed = "scenarios/seed/t0-t5.yaml";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string digest_of(const std::string& file) {
  return Json::parse(test::rejoin({"run", file, "--format", "json"}).out)["digest"];
}

// A name that no other process uses, and its folder of results, gone with it.
struct OwnResults {
  std::string name = "out-test-" + std::to_string(::getpid());
  fs::path folder = fs::path(REJOIN_SOURCE_DIR) / "results" / name;
  ~OwnResults() { fs::remove_all(folder); }
};

}  // namespace

TEST_CASE("a schedule on standard output stands alone there, and runs to the same digest") {
  const test::Scratch scratch;
  const test::Finished written = test::rejoin(
      {"run", kSeed, "--seed", "5", "--sync", "rejoin-sync", "--no-expect", "--out", "schedule=-"});
  CHECK(written.status == 0);
  CHECK(written.err.empty());
  CHECK(written.out.starts_with("format: 1\n"));
  const std::string file = scratch.write("again.yaml", written.out);
  const Json first = Json::parse(test::rejoin({"run", kSeed, "--seed", "5", "--sync", "rejoin-sync",
                                               "--no-expect", "--format", "json"})
                                     .out);
  CHECK(digest_of(file) == first["digest"]);
}

TEST_CASE("reports go to the files that are named, besides the usual one") {
  const test::Scratch scratch;
  const std::string json = scratch.write("old.json", std::string(1'000'000, 'x'));
  const std::string text = scratch.path("new.txt");
  const test::Finished finished =
      test::rejoin({"run", kSeed, "--out", "json=" + json, "--out", "text=" + text});
  CHECK(finished.status == 0);
  CHECK(finished.err.empty());
  CHECK(test::read_file(text) == finished.out);
  CHECK(Json::parse(test::read_file(json))["verdict"] == "pass");
}

TEST_CASE("a history is written for checkers elsewhere, as EDN and as JSON lines") {
  const test::Finished edn = test::rejoin({"run", kSeed, "--out", "edn=-"});
  CHECK(edn.status == 0);
  CHECK(edn.out.starts_with("{:index 0, :time "));
  CHECK(has(edn.out, ":type :invoke, :f :write, :value [\"key-1\" \"client-1/"));
  CHECK(has(edn.out, ":type :ok, :f :direct-read, :value [\"key-125\" "));
  const test::Finished lines = test::rejoin({"run", kSeed, "--out", "jsonl=-"});
  std::istringstream in(lines.out);
  std::size_t count = 0;
  for (std::string line; std::getline(in, line); ++count) {
    const Json operation = Json::parse(line);
    REQUIRE(operation["call"] <= operation["return"]);
  }
  CHECK(count > 100);
  const auto invokes = [&] {
    std::size_t out = 0;
    for (std::size_t at = 0; (at = edn.out.find(":type :invoke", at)) != std::string::npos; ++at) {
      ++out;
    }
    return out;
  }();
  CHECK(invokes == count);
}

TEST_CASE("without a file they go below results/, one folder a run, and latest points there") {
  const OwnResults own;
  for (int run = 1; run <= 2; ++run) {
    const test::Finished finished =
        test::rejoin({"run", kSeed, "--set", "name=" + own.name, "--set", "trials=2", "--out",
                      "json", "--out", "schedule", "--out", "text", "--out", "edn"});
    CHECK(has(finished.err, "results are in results/" + own.name + "/"));
    const fs::path latest = own.folder / "latest";
    CHECK(fs::is_symlink(latest));
    CHECK(has(finished.err, fs::read_symlink(latest).string() + "/\n"));
    std::set<std::string> files;
    for (const auto& entry : fs::directory_iterator(latest)) files.insert(entry.path().filename());
    CHECK(files == std::set<std::string>{"history-1.edn", "history-2.edn", "report.json",
                                         "report.txt", "schedule-1.yaml", "schedule-2.yaml"});
    CHECK_FALSE(test::read_file((latest / "history-2.edn").string()).empty());
    CHECK(std::distance(fs::directory_iterator(own.folder), fs::directory_iterator()) == run + 1);
  }
  CHECK(test::rejoin({"validate", (own.folder / "latest" / "schedule-2.yaml").string()}).status ==
        0);
}

TEST_CASE("a name of a scenario leads nowhere else") {
  const test::Finished finished =
      test::rejoin({"run", kSeed, "--set", "name=../../out", "--out", "text"});
  CHECK(has(finished.err, "results are in results/-..-..-out/"));
  fs::remove_all(fs::path(REJOIN_SOURCE_DIR) / "results" / "-..-..-out");
}

TEST_CASE("the schema is draft 7, on standard output") {
  const test::Finished finished = test::rejoin({"schema"});
  CHECK(finished.status == 0);
  CHECK(finished.err.empty());
  CHECK(Json::parse(finished.out)["$schema"] == "http://json-schema.org/draft-07/schema#");
}

TEST_CASE("list tells of each fault what class it is of, whether it lasts and what it holds") {
  const std::string faults = test::rejoin({"list", "faults"}).out;
  CHECK(has(faults, "class: host\n"));
  CHECK(has(faults, "lasts: `for` so long, until `end`, or for good\n"));
  CHECK(has(faults, "holds: process of its hosts"));
  CHECK(has(faults, "counts: links that it touches; messages lost\n"));
  CHECK(has(faults, "counts: hosts that it touches\n"));
  CHECK(has(test::rejoin({"list", "distributions"}).out, "exponential: memoryless"));
  CHECK(has(test::rejoin({"list", "selectors"}).out, "owner(key-7): the first owner"));
}

TEST_CASE("faults stand out in a trace, also in one of the node that they name") {
  const std::string seed = "scenarios/faults/crash.yaml";
  const test::Finished all = test::rejoin({"run", seed, "--trace", "node=node-2"});
  CHECK(has(all.out, "world     ### FaultInjected{fault: \"crash\", target: \"node-2 crashes\"}"));
  CHECK_FALSE(has(test::rejoin({"run", seed, "--trace", "node=node-3"}).out, "FaultInjected"));
  const std::string raft = test::rejoin({"run", seed, "--trace", "group=1"}).out;
  CHECK(has(raft, "group: 1"));
  CHECK_FALSE(has(raft.substr(0, raft.find("\nPASS")), "timer"));
}

TEST_CASE("a trace names all hosts that a fault hit, however long that list is") {
  const std::string target =
      "the network splits into {node-1, node-2, node-3} | {the others (node-4, node-5)}";
  const test::Finished split =
      test::rejoin({"run", "scenarios/faults/partition.yaml", "--set", "cluster.nodes=5", "--set",
                    "timeline.cut.partition=[[node-1, node-2, node-3], [others]]", "--no-expect",
                    "--trace", "kind=FaultInjected"});
  CHECK(has(split.out, "### FaultInjected{fault: \"partition\", target: \"" + target + "\"}\n"));
}

TEST_CASE("a trace says why messages do not arrive, and what else befell them") {
  const test::Finished loss =
      test::rejoin({"run", "scenarios/faults/loss.yaml", "--trace", "never arrives"});
  CHECK(has(loss.out, "never arrives: lost\n"));
  const test::Finished cut =
      test::rejoin({"run", "scenarios/faults/partition.yaml", "--trace", "never arrives"});
  CHECK(has(cut.out, "never arrives: cut off\n"));
  const test::Finished twice =
      test::rejoin({"run", "scenarios/faults/duplicate.yaml", "--trace", "is duplicated"});
  CHECK(has(twice.out, "is duplicated\n"));
}

}  // namespace rejoin
