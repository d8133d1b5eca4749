// Pages that commands write and open: of a run, a campaign, a hunt.
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tests/support/golden.hpp"
#include "tests/support/process.hpp"

namespace rejoin {
namespace {

using namespace test;
using nlohmann::json;
namespace fs = std::filesystem;

const std::string kProgram = REJOIN_BINARY_DIR "/rejoin";
const std::string kSeed = "scenarios/seed/t0-t5.yaml";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

json data_of(const std::string& file) {
  const std::string page = read_file(file);
  const std::string begins = "id=\"rejoin-data\">";
  const std::size_t from = page.find(begins);
  REQUIRE(from != std::string::npos);
  const std::size_t at = from + begins.size();
  return json::parse(page.substr(at, page.find("</script>", at) - at));
}

Finished with_browser(const std::string& environment, const std::string& command) {
  return run_program("/bin/sh", {"-c", environment + " exec " + kProgram + " " + command});
}

// A browser that writes down what it was asked to open.
std::string browser_in(const Scratch& scratch) {
  const std::string file = scratch.write(
      "browser", "#!/bin/sh\nprintf '%s\\n' \"$@\" > " + scratch.path("part") + "\nmv " +
                     scratch.path("part") + " " + scratch.path("opened") + "\n");
  fs::permissions(file, fs::perms::owner_all);
  return file;
}

// The browser is not waited for by who starts it.
std::string opened_in(const Scratch& scratch) {
  for (int i = 0; i < 6'000 && !fs::exists(scratch.path("opened")); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return read_file(scratch.path("opened"));
}

}  // namespace

TEST_CASE("--open shows the page that was written, by the first browser that is there") {
  const Scratch scratch;
  const std::string page = scratch.path("a page.html");
  const Finished done =
      with_browser("BROWSER='/nowhere/browser %s:" + browser_in(scratch) + " --new %s'",
                   "run " + kSeed + " --out 'html=" + page + "' --open");
  CHECK(done.status == 0);
  CHECK(done.err.empty());
  CHECK(opened_in(scratch) == "--new\n" + page + "\n");
  CHECK(data_of(page).at("kind") == "run");
}

TEST_CASE("--open opens pages of comparisons and campaigns, too") {
  for (const std::string command :
       {"compare scenarios/compare/rejoin.yaml --sync none,merkle --seeds 1",
        "fuzz scenarios/fuzz/partition-rejoin.yaml --sync merkle --runs 2"}) {
    CAPTURE(command);
    const Scratch scratch;
    const std::string page = scratch.path("page.html");
    const std::string saved =
        command.starts_with("fuzz") ? " --save-dir " + scratch.path("found") : "";
    const Finished done = with_browser("BROWSER=" + browser_in(scratch),
                                       command + saved + " --out html=" + page + " --open");
    INFO(done.err);
    CHECK(done.status == 0);
    CHECK(opened_in(scratch) == page + "\n");
  }
}

TEST_CASE("--open without a browser says where the page is, and is no failure") {
  const Scratch scratch;
  const std::string page = scratch.path("page.html");
  const Finished none =
      with_browser("BROWSER= PATH=/nowhere", "run " + kSeed + " --out html=" + page + " --open");
  CHECK(none.status == 0);
  CHECK(has(none.err, "there is no browser here"));
  CHECK(has(none.err, "open it by hand: " + page));
  const Finished nowhere = rejoin({"run", kSeed, "--out", "html=-", "--open"});
  CHECK(nowhere.status == 2);
  CHECK(has(nowhere.err, "standard output"));
}

TEST_CASE("the page of a campaign has its failures, each with a command that shows it") {
  const Scratch scratch;
  const std::string page = scratch.path("page.html");
  const std::string report = scratch.path("report.json");
  const Finished done = rejoin({"fuzz", "scenarios/fuzz/partition-rejoin.yaml", "--sync", "none",
                                "--runs", "40", "--no-shrink", "--save-dir", scratch.path("found"),
                                "--out", "html=" + page, "--out", "json=" + report});
  CHECK(done.status == 1);
  const json data = data_of(page);
  const json said = json::parse(read_file(report));
  CHECK(data.at("kind") == "campaign");
  CHECK(data.at("seeds") == 40);
  CHECK(data.at("failed") == said.at("failed"));
  REQUIRE_FALSE(data.at("failures").empty());
  std::uint64_t failed = 0;
  for (const json& bin : data.at("rate")) failed += bin.at("failed").get<std::uint64_t>();
  CHECK(failed == data.at("failed"));
  for (const json& failure : data.at("failures")) {
    const std::string command = failure.at("command");
    REQUIRE(command.starts_with("rejoin run "));
    const Finished shown = run_program("/bin/sh", {"-c", REJOIN_BINARY_DIR "/" + command});
    CHECK_MESSAGE(shown.status == 1, command);
    CHECK_MESSAGE(has(shown.out, failure.at("invariant").get<std::string>()), command);
  }
  std::set<std::string> faults;
  for (const json& cell : data.at("coverage")) faults.insert(cell.at("fault").get<std::string>());
  CHECK(faults.contains("crash"));
}

TEST_CASE("the page of a hunt has a row a bug, with the seeds that it took") {
  const Scratch scratch;
  const std::string page = scratch.path("page.html");
  const Finished done = rejoin({"hunt", "--bug", "sync-blind-hook", "--bug", "sync-no-tombstones",
                                "--runs", "20", "--stretches", "2", "--out", "html=" + page});
  INFO(done.err);
  CHECK(done.status == 0);
  const json planted = data_of(page).at("planted");
  REQUIRE(planted.size() == 2);
  CHECK(planted[0].at("bug") == "sync-blind-hook");
  CHECK(planted[0].at("invariant") == "merge-never-regresses");
  CHECK(planted[1].at("bug") == "sync-no-tombstones");
  for (const json& bug : planted) {
    CHECK(bug.at("found") == 2);
    CHECK(bug.at("of") == 2);
    CHECK(bug.at("median") >= 1);
    CHECK(bug.at("median") <= 20);
  }
}

}  // namespace rejoin
