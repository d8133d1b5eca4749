#include "sim/explore/fuzz.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

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

Scenario scenario_of(const std::string& file, const std::vector<Override>& overrides) {
  auto scenario = load_scenario(REJOIN_SOURCE_DIR "/scenarios/fuzz/" + file, words(), overrides);
  REQUIRE(scenario.has_value());
  return *std::move(scenario);
}

Scenario partition_rejoin(const std::string& sync) {
  return scenario_of("partition-rejoin.yaml", {{.path = "sync", .value = sync}});
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

const ReplayedFailure* replayed_of(const CampaignRecord& record, const std::string& slug) {
  for (const ReplayedFailure& each : record.replayed) {
    if (each.slug == slug) return &each;
  }
  return nullptr;
}

void replace_in(const std::string& file, const std::string& from, const std::string& to) {
  std::string text = content_of(file);
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  std::ofstream(file, std::ios::trunc) << text.replace(at, from.size(), to);
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
  REQUIRE_FALSE(result.record.groups.empty());
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
    const ReplayedFailure* const replayed = replayed_of(second.record, group.slug);
    REQUIRE(replayed != nullptr);
    CHECK(replayed->outcome == ReplayedFailure::Outcome::fails);
    CHECK(replayed->file == group.saved);
    CHECK(replayed->reproduce == "rejoin run " + group.saved);
    // It is minimal: there is nothing to do about it.
    CHECK(replayed->shrunk_to.empty());
  }
  SUBCASE("what does not fit any more is said") {
    std::ofstream(group.saved, std::ios::app) << "no-such-key: 1\n";
    const FuzzResult second = run_fuzz(partition_rejoin("none"), folder.path(), {.seeds = {1, 1}});
    const ReplayedFailure* const replayed = replayed_of(second.record, group.slug);
    REQUIRE(replayed != nullptr);
    CHECK(replayed->outcome == ReplayedFailure::Outcome::no_longer_fits);
    CHECK(replayed->says.find("no-such-key") != std::string::npos);
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

TEST_CASE("fuzz: a delete comes back where it is forgotten too early, and nowhere else") {
  struct Rule {
    std::string name;
    std::vector<Override> delay;
    bool forgets_early;
  };
  const std::vector<Rule> rules = {
      {"keep", {}, false},
      {"none", {}, true},
      {"grace", {{.path = "tombstones.grace", .value = "4s"}}, true},
      {"after-repair", {{.path = "tombstones.repair-delay", .value = "1s"}}, false},
      {"all-ack", {{.path = "tombstones.ack-delay", .value = "1s"}}, false}};
  for (const Rule& rule : rules) {
    CAPTURE(rule.name);
    std::vector<Override> overrides = rule.delay;
    overrides.push_back({.path = "tombstones.rule", .value = rule.name});
    std::size_t risen = 0;
    std::size_t failed = 0;
    for (const Trial& trial : trials_of(scenario_of("deletes.yaml", overrides), {1, 60}, 2)) {
      CHECK(trial.judged.at("no-resurrection") > 0);
      failed += trial.failed() ? 1 : 0;
      risen += std::any_of(trial.signatures.begin(), trial.signatures.end(),
                           [](const Signature& each) { return each.what == "no-resurrection"; });
    }
    CHECK((risen > 0) == rule.forgets_early);
    CHECK((failed > 0) == rule.forgets_early);
  }
}

TEST_CASE("fuzz: with more nodes than copies, what others acknowledged meanwhile is not missed") {
  // Seeds around those that showed it while a node that returned counted itself among the majority.
  for (const SeedRange seeds : {SeedRange{580, 600}, SeedRange{965, 985}, SeedRange{1710, 1720}}) {
    const Scenario scenario =
        scenario_of("spare-nodes.yaml", {{.path = "sync", .value = "merkle"}});
    for (const Trial& trial : trials_of(scenario, seeds, 2)) {
      CAPTURE(trial.seed);
      CHECK(trial.judged.at("acknowledged-writes-survive") > 0);
      CHECK_FALSE(trial.failed());
    }
  }
}

TEST_CASE("fuzz: each change of owners is repaired once, by every mechanism that repairs") {
  for (const std::string sync : {"hook-copy", "merkle", "rejoin-sync", "rejoin-sync+digest-list"}) {
    CAPTURE(sync);
    const std::vector<Override> overrides = {{.path = "sync", .value = sync},
                                             {.path = "check", .value = "[owner-change-synced]"}};
    std::uint64_t judged = 0;
    for (const Trial& trial :
         trials_of(scenario_of("partition-rejoin.yaml", overrides), {931, 970}, 2)) {
      judged += trial.judged.at("owner-change-synced");
      for (const Signature& each : trial.signatures) CHECK(each.what != "owner-change-synced");
    }
    CHECK(judged > 80);
  }
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
  // The end of another campaign is not the end of what this one began.
  next->close("a.yaml");
  auto third = Journal::open(folder.path());
  REQUIRE(third.has_value());
  CHECK(third->unfinished("a.yaml") == std::vector<std::uint64_t>{2});
  Trial trial;
  trial.seed = 2;
  third->end("a.yaml", trial);
  const auto last = Journal::open(folder.path());
  REQUIRE(last.has_value());
  CHECK(last->unfinished("a.yaml").empty());
  CHECK(last->unfinished("b.yaml") == std::vector<std::uint64_t>{2});
}

TEST_CASE(
    "fuzz: a journal in which nothing is open begins anew, one at which others write does not") {
  const Folder folder;
  const std::string file = folder.path() + "/journal.jsonl";
  {
    auto journal = Journal::open(folder.path());
    REQUIRE(journal.has_value());
    journal->begin("a.yaml", 1);
    journal->begin("a.yaml", 2);
    journal->close("a.yaml");
  }
  CHECK_FALSE(content_of(file).empty());
  // A lock is of a process: another one is at work.
  int go[2] = {-1, -1};
  int ready[2] = {-1, -1};
  REQUIRE((::pipe(go) == 0 && ::pipe(ready) == 0));
  const ::pid_t other = ::fork();
  char byte = 0;
  if (other == 0) {
    ::close(go[1]);
    auto journal = Journal::open(folder.path());
    if (journal) journal->begin("a.yaml", 7);
    (void)!::write(ready[1], &byte, 1);
    (void)!::read(go[0], &byte, 1);
    ::_exit(journal && journal->is_alone() ? 0 : 1);
  }
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(content_of(file).find("\"begin\":7") != std::string::npos);
  CHECK(content_of(file).find("\"begin\":1") == std::string::npos);
  {
    const auto beside = Journal::open(folder.path());
    REQUIRE(beside.has_value());
    CHECK_FALSE(beside->is_alone());
    CHECK(beside->unfinished("a.yaml").empty());  // seed 7 is being run
  }
  ::close(go[1]);
  int status = -1;
  ::waitpid(other, &status, 0);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  const auto after = Journal::open(folder.path());
  REQUIRE(after.has_value());
  CHECK(after->is_alone());
  CHECK(after->unfinished("a.yaml") == std::vector<std::uint64_t>{7});
  for (const int end : {go[0], ready[0], ready[1]}) ::close(end);
}

TEST_CASE("fuzz: a saved file that shows its failure no longer gives way to one that does") {
  const Folder folder;
  const Scenario scenario = partition_rejoin("none");
  FuzzOptions options{.seeds = {1, 20}};
  options.failures_max = 1;
  const FuzzResult first = run_fuzz(scenario, folder.path(), options);
  REQUIRE_FALSE(first.record.groups.empty());
  const FailureGroup& group = first.record.groups.front();
  REQUIRE(group.saved.ends_with("/shrunk.yaml"));
  // As a file that was mended would be: the same signature, in a world where it does not happen.
  std::string mended = content_of(group.saved);
  const auto stale =
      load_scenario(group.saved, words(), {{.path = "sync", .value = "rejoin-sync"}});
  REQUIRE(stale.has_value());
  std::ofstream(group.saved, std::ios::trunc)
      << to_yaml(*stale->materialise(stale->seed())) << mended.substr(mended.find("found:\n"));
  const std::string before = content_of(group.saved);
  REQUIRE_FALSE(run_saved(group.saved).failed());

  const FuzzResult second = run_fuzz(scenario, folder.path(), options);
  const ReplayedFailure* const replayed = replayed_of(second.record, group.slug);
  REQUIRE(replayed != nullptr);
  CHECK(replayed->outcome == ReplayedFailure::Outcome::mended);
  REQUIRE_FALSE(second.record.groups.empty());
  CHECK(second.record.groups.front().slug == group.slug);
  const Trial now = run_saved(second.record.groups.front().saved);
  REQUIRE(now.failed());
  CHECK(to_slug(now.signatures.front()) == group.slug);
  CHECK(content_of(fs::path(group.saved).replace_filename("shrunk.old.yaml").string()) == before);
}

TEST_CASE("fuzz: a saved file that fails in another way than it did is told apart") {
  const Folder folder;
  const Scenario scenario = partition_rejoin("none");
  FuzzOptions options{.seeds = {1, 20}};
  options.failures_max = 1;
  options.shrinks = false;
  const FuzzResult first = run_fuzz(scenario, folder.path(), options);
  REQUIRE_FALSE(first.record.groups.empty());
  const FailureGroup& group = first.record.groups.front();
  replace_in(group.saved, "signature: " + group.slug, "signature: raft-election-safety-0");
  options.seeds = {1, 1};
  const FuzzResult second = run_fuzz(partition_rejoin("rejoin-sync"), folder.path(), options);
  const ReplayedFailure* const replayed = replayed_of(second.record, group.slug);
  REQUIRE(replayed != nullptr);
  CHECK(replayed->outcome == ReplayedFailure::Outcome::differs);
  CHECK_FALSE(replayed->says.empty());
  CHECK(failed(second.record));
}

TEST_CASE("fuzz: what was found and not shrunk is shrunk by the next campaign, once") {
  const Folder folder;
  FuzzOptions options{.seeds = {1, 20}};
  options.failures_max = 1;
  options.shrinks = false;
  const FuzzResult first = run_fuzz(partition_rejoin("none"), folder.path(), options);
  REQUIRE_FALSE(first.record.groups.empty());
  const std::string slug = first.record.groups.front().slug;
  CHECK(first.record.groups.front().saved.ends_with("/schedule.yaml"));
  // Its seeds show nothing; what is there is still to be done.
  FuzzOptions next{.seeds = {1, 1}};
  const Scenario quiet = partition_rejoin("rejoin-sync");
  const FuzzResult second = run_fuzz(quiet, folder.path(), next);
  const ReplayedFailure* replayed = replayed_of(second.record, slug);
  REQUIRE(replayed != nullptr);
  CHECK(replayed->shrunk_to.find(" runs") != std::string::npos);
  CHECK(replayed->file.ends_with("/shrunk.yaml"));
  CHECK(is_minimal(content_of(replayed->file)));
  CHECK(found_seed(content_of(replayed->file)) == first.record.groups.front().first_seed);
  const FuzzResult third = run_fuzz(quiet, folder.path(), next);
  replayed = replayed_of(third.record, slug);
  REQUIRE(replayed != nullptr);
  CHECK(replayed->shrunk_to.empty());
}

TEST_CASE("fuzz: an interrupt while the last failure is shrunk is one, and saves nothing larger") {
  const Folder folder;
  FuzzOptions options{.seeds = {1, 20}};
  options.failures_max = 1;
  bool stop = false;
  options.interrupted = [&stop] { return stop; };
  options.on_progress = [&stop](const FuzzProgress& now) {
    stop = stop || now.doing.starts_with("shrinking");
  };
  const FuzzResult result = run_fuzz(partition_rejoin("none"), folder.path(), options);
  CHECK(result.interrupted);
  REQUIRE_FALSE(result.record.groups.empty());
  for (const FailureGroup& group : result.record.groups) {
    CHECK(group.saved.ends_with("/schedule.yaml"));
    CHECK(run_saved(group.saved).failed());
  }
}

TEST_CASE("fuzz: a seed whose drawing kills or hangs its process is a finding like any other") {
  const Folder folder;
  const Scenario scenario = partition_rejoin("rejoin-sync");
  FuzzOptions options{.seeds = {1, 4}};
  const Work honest = trial_work(scenario, options.run);
  const Bytes run = task_of_seed(3);
  const Bytes draw = task_of_draw(3);
  options.work = [=](ByteView task) {
    if (std::ranges::equal(task, run) || std::ranges::equal(task, draw)) {
      std::fputs("crash.cpp:7: CHECK failed: share <= 1\nbad \xff byte\x1b[0m\n", stderr);
      std::abort();
    }
    return honest(task);
  };
  options.reproduce_seed = [](std::uint64_t seed) { return "seed " + std::to_string(seed); };
  const FuzzResult result = run_fuzz(scenario, folder.path(), options);
  CHECK_FALSE(result.failure.has_value());
  CHECK(result.record.passed == 3);
  REQUIRE(result.record.groups.size() == 1);
  CHECK(result.record.groups[0].saved.empty());
  CHECK(result.record.groups[0].reproduce == "seed 3");
  CHECK(result.record.groups[0].says.find('\xff') == std::string::npos);
}

TEST_CASE("fuzz: what a process said before it died does not spoil the file that is saved") {
  const Folder folder;
  const Scenario scenario = partition_rejoin("rejoin-sync");
  FuzzOptions options{.seeds = {1, 1}};
  options.shrinks = false;
  const Work honest = trial_work(scenario, options.run);
  const Bytes run = task_of_seed(1);
  options.work = [=](ByteView task) {
    if (std::ranges::equal(task, run)) {
      std::fputs("one: {\n\x1b[31mtwo \xff \"three\"\n", stderr);
      std::abort();
    }
    return honest(task);
  };
  const FuzzResult result = run_fuzz(scenario, folder.path(), options);
  REQUIRE(result.record.groups.size() == 1);
  const auto saved = load_scenario(result.record.groups[0].saved, words());
  CHECK_MESSAGE(saved.has_value(), content_of(result.record.groups[0].saved).substr(0, 500));
}

TEST_CASE("fuzz: every way in which a run failed is a group, so that none hides another") {
  const Folder folder;
  FuzzOptions options{.seeds = {1, 40}};
  options.shrinks = false;
  std::map<std::string, std::uint64_t> shown;
  options.on_trial = [&shown](const Trial& trial) {
    for (const Signature& signature : trial.signatures) ++shown[to_slug(signature)];
  };
  const FuzzResult result = run_fuzz(partition_rejoin("none"), folder.path(), options);
  std::map<std::string, std::uint64_t> grouped;
  std::set<std::string> sentences;
  for (const FailureGroup& group : result.record.groups) {
    grouped[group.slug] = group.count;
    sentences.insert(group.says);
  }
  CHECK(grouped == shown);
  CHECK(grouped.size() > 1);
  CHECK(sentences.size() == grouped.size());  // each says what it is about
}

TEST_CASE("fuzz: a folder that cannot be written to is known before the first seed") {
  const Folder folder;
  std::ofstream(folder.path() + "/file") << "x";
  const auto place = FuzzPlace::open(folder.path() + "/file/below");
  REQUIRE_FALSE(place.has_value());
  CHECK(place.error().find("cannot be made") != std::string::npos);
}

}  // namespace rejoin::sim
