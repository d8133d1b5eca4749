#include "sim/explore/fuzz.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "model/wire.hpp"
#include "sim/run/run.hpp"
#include "sim/run/vocabulary.hpp"

namespace rejoin::sim {
namespace {

namespace fs = std::filesystem;

const Vocabulary& words() {
  static const Vocabulary all = linked_vocabulary();
  return all;
}

class Folder {
 public:
  Folder() {
    std::string pattern = fs::temp_directory_path() / "rejoin-fuzz-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Scenario partition_rejoin(const std::string& sync) {
  auto scenario = load_scenario(REJOIN_SOURCE_DIR "/scenarios/fuzz/partition-rejoin.yaml", words(),
                                {{.path = "sync", .value = sync}});
  REQUIRE(scenario.has_value());
  return *std::move(scenario);
}

FuzzResult run_fuzz(const Scenario& scenario, const std::string& folder, FuzzOptions options) {
  auto place = FuzzPlace::open(folder);
  REQUIRE(place.has_value());
  options.file = "partition-rejoin.yaml";
  options.sync = "none";
  options.version = "0";
  options.reproduce = [](const std::string& file) { return "rejoin run " + file; };
  return fuzz(scenario, words(), *place, options);
}

// Every answer, in the order in which it was told.
std::vector<Trial> trials_of(const Scenario& scenario, SeedRange seeds, std::uint32_t jobs) {
  const Folder folder;
  std::vector<Trial> out;
  FuzzOptions options{.seeds = seeds};
  options.jobs = jobs;
  options.shrinks = false;
  options.on_trial = [&out](const Trial& trial) { out.push_back(trial); };
  (void)run_fuzz(scenario, folder.path(), options);
  return out;
}

Trial run_saved(const std::string& file, const std::vector<Override>& overrides = {}) {
  const auto scenario = load_scenario(file, words(), overrides);
  REQUIRE(scenario.has_value());
  const auto schedule = scenario->materialise(scenario->seed());
  REQUIRE(schedule.has_value());
  return run_trial(*schedule, {});
}

}  // namespace

TEST_CASE("fuzz: without sync the stale read is found, shrunk, saved, and gone with a sync in it") {
  const Folder folder;
  FuzzOptions options{.seeds = {1, 20}};
  options.jobs = 2;
  options.failures_max = 1;
  const FuzzResult result = run_fuzz(partition_rejoin("none"), folder.path(), options);
  CHECK_FALSE(result.failure.has_value());
  REQUIRE(result.record.groups.size() == 1);
  const FailureGroup& group = result.record.groups.front();
  MESSAGE(group.shrunk_to);
  REQUIRE(group.saved == folder.path() + "/" + group.slug + "/shrunk.yaml");
  const std::string yaml = content_of(group.saved);
  MESSAGE(yaml);
  CHECK(found_signature(yaml) == group.slug);
  CHECK(fs::exists(folder.path() + "/" + group.slug + "/schedule.yaml"));
  CHECK(fs::exists(folder.path() + "/" + group.slug + "/trace.txt"));

  const Trial again = run_saved(group.saved);
  REQUIRE(again.failed());
  CHECK(to_slug(again.signatures.front()) == group.slug);
  CHECK_FALSE(run_saved(group.saved, {{.path = "sync", .value = "rejoin-sync"}}).failed());

  SUBCASE("the next campaign runs it first") {
    FuzzOptions next{.seeds = {1, 1}};
    const FuzzResult second = run_fuzz(partition_rejoin("none"), folder.path(), next);
    REQUIRE(second.record.replayed.size() == 1);
    CHECK(second.record.replayed[0].outcome == ReplayedFailure::Outcome::fails);
    CHECK(second.record.replayed[0].file == group.saved);
  }
  SUBCASE("what does not fit any more is said") {
    std::ofstream(group.saved, std::ios::app) << "no-such-key: 1\n";
    const FuzzResult second = run_fuzz(partition_rejoin("none"), folder.path(), {.seeds = {1, 1}});
    REQUIRE(second.record.replayed.size() == 1);
    CHECK(second.record.replayed[0].outcome == ReplayedFailure::Outcome::no_longer_fits);
    CHECK(second.record.replayed[0].says.find("no-such-key") != std::string::npos);
  }
}

TEST_CASE("fuzz: of two campaigns into one folder the smaller file of a signature stays") {
  const Folder folder;
  const Scenario scenario = partition_rejoin("none");
  FuzzOptions options{.seeds = {1, 10}};
  options.jobs = 2;
  const FuzzResult first = run_fuzz(scenario, folder.path(), options);
  REQUIRE_FALSE(first.record.groups.empty());
  const std::string small = first.record.groups.front().saved;
  REQUIRE(small.ends_with("/shrunk.yaml"));
  const std::string kept = content_of(small);
  const std::string large = fs::path(small).replace_filename("schedule.yaml").string();
  CHECK(kept.size() < content_of(large).size());
  // A smaller one is there already: the next campaign keeps it.
  options.seeds = {11, 40};
  (void)run_fuzz(scenario, folder.path(), options);
  CHECK(content_of(small) == kept);
  // A larger one gives way.
  fs::copy_file(large, small, fs::copy_options::overwrite_existing);
  options.seeds = {1, 10};
  (void)run_fuzz(scenario, folder.path(), options);
  CHECK(content_of(small) == kept);
}

TEST_CASE("fuzz: what is told of seeds depends neither on workers nor on shards") {
  const Scenario scenario = partition_rejoin("none");
  const std::vector<Trial> one = trials_of(scenario, {1, 12}, 1);
  REQUIRE(one.size() == 12);
  CHECK(trials_of(scenario, {1, 12}, 3) == one);
  std::vector<Trial> shards = trials_of(scenario, {1, 5}, 2);
  for (Trial& trial : trials_of(scenario, {6, 12}, 2)) shards.push_back(std::move(trial));
  CHECK(shards == one);
}

TEST_CASE("fuzz: a seed that kills its process is a finding, and the campaign goes on") {
  const Folder folder;
  const Scenario scenario = partition_rejoin("rejoin-sync");
  FuzzOptions options{.seeds = {1, 6}};
  options.jobs = 2;
  const Work honest = trial_work(scenario, options.run);
  const Bytes bad = task_of_seed(3);
  options.work = [honest, bad](ByteView task) {
    if (std::ranges::equal(task, bad)) {
      std::fputs("raft.cpp:7: CHECK failed: index < size\n", stderr);
      std::abort();
    }
    return honest(task);
  };
  options.shrinks = false;
  std::vector<std::uint64_t> seeds;
  options.on_trial = [&seeds](const Trial& trial) { seeds.push_back(trial.seed); };
  const FuzzResult result = run_fuzz(scenario, folder.path(), options);
  CHECK(seeds == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6});
  CHECK(result.record.passed == 5);
  REQUIRE(result.record.groups.size() == 1);
  CHECK(result.record.groups[0].what == "crash");
  CHECK(result.record.groups[0].first_seed == 3);
  CHECK(fs::exists(result.record.groups[0].saved));
}

TEST_CASE("fuzz: the journal tells what was under way when a campaign was killed") {
  const Folder folder;
  {
    auto journal = Journal::open(folder.path());
    REQUIRE(journal.has_value());
    journal->begin("a.yaml", 1);
    journal->begin("a.yaml", 2);
    journal->begin("b.yaml", 2);
    Trial trial;
    trial.seed = 1;
    journal->end("a.yaml", trial);
  }
  // Killed in the middle of a line.
  std::ofstream(folder.path() + "/journal.jsonl", std::ios::app) << "{\"scenario\":\"a.ya";
  auto next = Journal::open(folder.path());
  REQUIRE(next.has_value());
  CHECK(next->unfinished("a.yaml") == std::vector<std::uint64_t>{2});
  CHECK(next->unfinished("b.yaml") == std::vector<std::uint64_t>{2});
  next->close("a.yaml");
  const auto last = Journal::open(folder.path());
  REQUIRE(last.has_value());
  CHECK(last->unfinished("a.yaml").empty());
  CHECK(last->unfinished("b.yaml") == std::vector<std::uint64_t>{2});
}

TEST_CASE("fuzz: a folder that cannot be written to is known before the first seed") {
  const Folder folder;
  std::ofstream(folder.path() + "/file") << "x";
  const auto place = FuzzPlace::open(folder.path() + "/file/below");
  REQUIRE_FALSE(place.has_value());
  CHECK(place.error().find("cannot be made") != std::string::npos);
}

}  // namespace rejoin::sim
