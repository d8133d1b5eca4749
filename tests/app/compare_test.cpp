// `rejoin compare` as a user runs it.
#include <doctest/doctest.h>
#include <signal.h>

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
using nlohmann::json;
namespace fs = std::filesystem;

const std::string kFile = "scenarios/compare/rejoin.yaml";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Finished compare(std::vector<std::string> words) {
  words.insert(words.begin(), {"compare", kFile});
  return rejoin(std::move(words));
}

// What is said of wrong words, with nothing run.
void check_refused(std::vector<std::string> words, const std::vector<std::string>& parts) {
  const Finished done = compare(std::move(words));
  INFO(done.err);
  CHECK(done.status == 2);
  CHECK(done.out.empty());
  for (const std::string& part : parts) CHECK(has(done.err, part));
}

// A scenario of its own, so that what is kept below results/ is of this test alone.
struct Own {
  Own() {
    const std::string base = fs::path(REJOIN_SOURCE_DIR) / kFile;
    name = fs::path(scratch.path("x")).parent_path().filename().string();
    file = scratch.write("own.yaml", "format: 1\nextends: " + base + "\nname: " + name + "\n");
  }
  ~Own() {
    fs::remove_all(REJOIN_SOURCE_DIR "/results/baselines/" + name);
    fs::remove_all(REJOIN_SOURCE_DIR "/results/" + name);
  }
  Own(const Own&) = delete;
  Own& operator=(const Own&) = delete;
  Finished run(std::vector<std::string> words) const {
    words.insert(words.begin(), {"compare", file});
    return rejoin(std::move(words));
  }
  Scratch scratch;
  std::string name;
  std::string file;
};

}  // namespace

TEST_CASE("compare: the report, JSON and CSV are the same bytes whatever -j") {
  for (const std::string kind : {"text", "json", "csv", "markdown", "svg"}) {
    const std::vector<std::string> words = {"--sync", "none,rejoin-sync", "--seeds", "7",
                                            "--out",  kind + "=-"};
    std::vector<std::string> one = words;
    one.emplace_back("-j1");
    std::vector<std::string> three = words;
    three.emplace_back("-j3");
    const Finished a = compare(one);
    CHECK(a.status == 0);
    CHECK(a.out.size() > 100);
    CHECK(a.out == compare(three).out);
  }
}

TEST_CASE("compare: removing a strategy changes no other strategy's numbers") {
  const auto of = [](const std::string& sync) {
    const Finished done = compare({"--sync", sync, "--seeds", "8", "--out", "json=-"});
    std::map<std::string, json> out;
    json found = json::parse(done.out);
    for (json& each : found.at("strategies")) {
      each.erase("front");  // whether others are better is about the others
      const std::string name = each.at("name");
      out[name] = std::move(each);
    }
    return out;
  };
  auto all = of("none,merkle,hook-copy,rejoin-sync");
  auto fewer = of("none,rejoin-sync");
  CHECK(all.size() == 4);
  CHECK(all["none"] == fewer["none"]);
  CHECK(all["rejoin-sync"] == fewer["rejoin-sync"]);
  CHECK(all["merkle"]["summary"] != all["none"]["summary"]);
}

TEST_CASE("compare: wrong words are said, with what is allowed") {
  check_refused({}, {"needs --sync", "--sync none,rejoin-sync"});
  check_refused({"--sync", "none,merkel"},
                {"there is no mechanism `merkel`", "did you mean `merkle`?"});
  check_refused({"--sync", "none,,merkle"}, {"has an empty name"});
  check_refused({"--sync", "merkle,merkle"}, {"`merkle` twice"});
  check_refused({"--sync", "none", "--seeds", "0"}, {"--seeds: `0`", "A..B"});
  check_refused({"--sync", "none", "--seeds", "9..3"}, {"is empty"});
  check_refused({"--sync", "none", "--seeds", "x"}, {"--seeds: `x`"});
  check_refused({"--sync", "none,merkle", "--reference", "riak"},
                {"`riak` is not compared", "none, merkle"});
  check_refused({"--sync", "none", "--metrics", "repair-bites"},
                {"there is no metric `repair-bites`", "did you mean `repair_bytes`?"});
  check_refused({"--sync", "none", "--vary", "timeline.nowhere.after=1s,2s"},
                {"--vary timeline.nowhere.after=1s", "no step has the label `nowhere`"});
  check_refused({"--sync", "none", "--vary", "network.losses=1%,2%"}, {"losses", "loss"});
  check_refused({"--sync", "none", "--vary", "timeline.back.after=10,20"},
                {"--vary timeline.back.after=10", "duration"});
  check_refused({"--sync", "none", "--vary", "timeline.back.after"}, {"is not PATH=A,B"});
  check_refused({"--sync", "none", "--vary", "cluster.nodes=3,1"},
                {"with cluster.nodes=1:", "there is no node-3"});
  check_refused({"--sync", "none", "--vary", "sync=none,merkle"}, {"--sync A,B"});
  check_refused({"--sync", "none", "--out", "pdf"}, {"no kind `pdf`", "csv, markdown, svg"});
  check_refused({"--sync", "none", "--out", "json=/nowhere/x"}, {"cannot write `/nowhere/x`"});
  check_refused({"--sync", "none", "--out", "json=" + kFile}, {"is the scenario"});
  check_refused({"--sync", "none", "--baseline", "../x"}, {"is no name of a baseline"});
  check_refused({"--sync", "none", "--baseline", "never"}, {"there is no baseline `never`"});
  const Finished two = rejoin({"compare", kFile, kFile, "--sync", "none"});
  CHECK(two.status == 2);
  CHECK(has(two.err, "one file at a time"));
}

TEST_CASE("compare: a strategy that a scenario refuses is bad input that says why") {
  check_refused({"--sync", "none,versioned-merge", "--set", "versions=none"},
                {"versioned-merge", "version"});
}

TEST_CASE("compare: too few seeds give no interval, and it is said how many it takes") {
  const Finished few = compare({"--sync", "none,rejoin-sync", "--seeds", "5"});
  CHECK(few.status == 0);
  CHECK(has(few.out, "too few seeds"));
  CHECK(has(few.out, "An interval takes 6 seeds"));
  const Finished enough = compare({"--sync", "none,rejoin-sync", "--seeds", "6"});
  CHECK_FALSE(has(enough.out, "too few seeds"));
}

TEST_CASE("compare: what is varied makes cells, and fits where there are sizes enough") {
  const Finished done =
      rejoin({"compare", "scenarios/compare/size.yaml", "--sync", "rejoin-sync,merkle", "--vary",
              "timeline.load.write.keys=key-1..key-30,key-1..key-300,key-1..key-3000", "--seeds",
              "1", "--out", "json=-"});
  REQUIRE(done.status == 0);
  const json found = json::parse(done.out);
  CHECK(found.at("cells").size() == 3);
  std::map<std::string, double> exponents;
  for (const json& fit : found.at("fits")) {
    if (fit.at("metric") == "repair_bytes") exponents[fit.at("strategy")] = fit.at("exponent");
  }
  CHECK(exponents.at("rejoin-sync") > 0.7);
  CHECK(exponents.at("merkle") < 0.3);
}

TEST_CASE("compare: thresholds are printed with the actual value, and fail the comparison") {
  const Own own;
  const std::string text = read_file(own.file);
  const auto with = [&](const std::string& limit) {
    own.scratch.write("own.yaml", text + "thresholds:\n  - { metric: repair-bytes, of: p90, " +
                                      limit + ", sync: rejoin-sync }\n");
    return own.run({"--sync", "none,rejoin-sync", "--seeds", "6"});
  };
  const Finished missed = with("at-most: 1KiB");
  CHECK(missed.status == 1);
  CHECK(has(missed.out, "p90 of repair bytes at most 1.0 KiB"));
  CHECK(has(missed.out, "MISSED"));
  CHECK(has(missed.out, "FAIL"));
  const Finished held = with("at-most: 1MiB");
  CHECK(held.status == 0);
  CHECK(has(held.out, "held"));
  const Finished wrong = with("at-most: 1lightyear");
  CHECK(wrong.status == 2);
  CHECK(has(wrong.err, "own.yaml:5:"));
}

TEST_CASE("compare: a baseline is kept, compared with, and refused to other comparisons") {
  const Own own;
  const Finished saved =
      own.run({"--sync", "none,rejoin-sync", "--seeds", "6", "--save-baseline", "before"});
  CHECK(saved.status == 0);
  CHECK(has(saved.err, "results/baselines/" + own.name + "/before.json"));
  const Finished same =
      own.run({"--sync", "none,rejoin-sync", "--seeds", "6", "--baseline", "before"});
  CHECK(same.status == 0);
  CHECK(has(same.out, "Against the baseline before"));
  CHECK_FALSE(has(same.out, "WORSE"));

  // Names are of files, so what was kept can be made to be of something else.
  const std::string path = REJOIN_SOURCE_DIR "/results/baselines/" + own.name + "/before.json";
  json file = json::parse(read_file(path));
  for (json& run : file["runs"]) {
    if (run["metrics"]["repair_bytes"] != 0) run["metrics"]["repair_bytes"] = 17;
  }
  const auto keep = [&](const json& what) {
    std::ostringstream text;
    text << what;
    fs::remove(path);
    Scratch scratch;
    fs::copy_file(scratch.write("x", text.str()), path);
  };
  keep(file);
  const Finished worse =
      own.run({"--sync", "none,rejoin-sync", "--seeds", "6", "--baseline", "before"});
  CHECK(worse.status == 1);
  CHECK(has(worse.out, "WORSE"));
  CHECK(has(worse.out, "worse than the baseline in repair bytes"));

  const auto refused = [&](std::vector<std::string> words, const std::string& why) {
    words.insert(words.end(), {"--baseline", "before"});
    const Finished done = own.run(words);
    INFO(done.err);
    CHECK(done.status == 2);
    CHECK(has(done.err, why));
  };
  refused({"--sync", "merkle", "--seeds", "6"}, "has none of these strategies");
  refused({"--sync", "none", "--seeds", "7..9"}, "has none of these seeds");
  refused({"--sync", "none", "--seeds", "6", "--set", "client.read=one"}, "is of another scenario");
  refused({"--sync", "none", "--vary", "timeline.back.after=1s,2s"}, "has none of these cells");
  json other = file;
  other["scenario"] = "another";
  keep(other);
  refused({"--sync", "none"}, "is of the scenario `another`");
  file["runs"].erase(0);
  keep(file);
  refused({"--sync", "none"}, "is damaged");
  const Finished unknown = own.run({"--sync", "none", "--baseline", "befor"});
  CHECK(has(unknown.err, "did you mean `before`?"));
}

TEST_CASE("compare: without a file outputs go below results/, with latest beside them") {
  const Own own;
  const Finished done =
      own.run({"--sync", "none", "--seeds", "2", "--out", "html", "--out", "csv", "--out", "svg",
               "--out", "markdown", "--out", "json", "--out", "text"});
  CHECK(done.status == 0);
  const std::string folder = REJOIN_SOURCE_DIR "/results/" + own.name + "/latest/";
  for (const char* const name : {"comparison.html", "runs.csv", "comparison.svg", "comparison.md",
                                 "comparison.json", "comparison.txt"}) {
    CHECK_MESSAGE(fs::file_size(folder + name) > 100, name);
  }
  CHECK(has(read_file(folder + "comparison.html"), "\"kind\":\"comparison\""));
}

TEST_CASE("compare: the first signal ends it with the seeds that are whole") {
  const Own own;
  const std::string report = own.scratch.path("comparison.json");
  Running running({"compare", own.file, "--sync", "none,merkle", "--seeds", "1..100000", "-j", "1",
                   "--out", "json=" + report});
  while (!running.has_children()) {
    REQUIRE(running.alive());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));  // most often some seeds have ended
  CHECK(running.end(SIGINT) == 130);
  const json said = json::parse(read_file(report));
  CHECK(said.at("seeds_asked") == 100'000);
  CHECK(said.at("seeds") < 100'000);
  for (const json& strategy : said.at("strategies")) {
    CHECK(strategy.at("runs").size() == said.at("seeds").get<std::size_t>());
  }
}

}  // namespace rejoin
