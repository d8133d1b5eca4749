#include "sim/explore/fuzz.hpp"

#include <algorithm>
#include <utility>

namespace rejoin::sim {

namespace {

using Clock = std::chrono::steady_clock;

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}
std::string to_text(const ScheduleSize& size) {
  return counted(size.nodes, "node") + ", " + counted(size.keys, "key") + ", " +
         counted(size.faults, "fault") + ", " + counted(size.steps, "step");
}

// Less is better: what a reader has to take in.
std::size_t weight_of(const Schedule& schedule) {
  const ScheduleSize size = size_of(schedule);
  return size.steps + size.nodes + size.operations;
}

// A saved file, if it still is a schedule; else why not.
tl::expected<Schedule, std::string> load_saved(const std::string& file,
                                               const Vocabulary& vocabulary) {
  const auto scenario = load_scenario(file, vocabulary);
  if (!scenario) return tl::unexpected(scenario.error().front().message);
  auto schedule = scenario->materialise(scenario->seed());
  if (!schedule) return tl::unexpected(schedule.error().front().message);
  const std::vector<std::string> complaints = check_schedule(*schedule);
  if (!complaints.empty()) return tl::unexpected(complaints.front());
  return *std::move(schedule);
}

class Fuzz final : public CampaignListener {
 public:
  Fuzz(const Scenario& scenario, const Vocabulary& vocabulary, FuzzPlace& place,
       const FuzzOptions& options)
      : scenario_(scenario),
        vocabulary_(vocabulary),
        findings_(place.findings),
        journal_(place.journal),
        options_(options),
        workers_({.count = options.jobs, .patience = options.patience},
                 options.work ? options.work : trial_work(scenario, options.run)) {
    CampaignRecord& record = result_.record;
    record.scenario = scenario.name();
    record.file = options.file;
    record.sync = options.sync;
    record.commit = options.commit;
    record.first_seed = options.seeds.first;
    record.last_seed = options.seeds.last;
  }

  FuzzResult run() {
    replay_saved();
    started_ = Clock::now();
    run_seeds();
    result_.record.seconds = std::chrono::duration<double>(Clock::now() - started_).count();
    if (options_.shrinks) shrink_all();
    if (workers_.failed()) fail("no process can be made for the runs");
    if (journal_.failure()) fail(*journal_.failure());
    journal_.close(options_.file);
    for (Group& group : groups_) result_.record.groups.push_back(std::move(group.report));
    return std::move(result_);
  }

  void on_begin(std::uint64_t seed) override { journal_.begin(options_.file, seed); }

  bool on_trial(const Trial& trial) override {
    take(trial);
    if (options_.failures_max == 0 || result_.record.failed < options_.failures_max) return true;
    result_.record.stopped =
        counted(static_cast<std::size_t>(options_.failures_max), "failure") + " is enough";
    return false;
  }

  bool on_tick() override {
    if (options_.on_progress) {
      FuzzProgress progress{
          .doing = "seeds",
          .done = result_.record.ran,
          .all = options_.seeds.count(),
          .seconds = std::chrono::duration<double>(Clock::now() - started_).count(),
          .failures = {}};
      for (const Group& group : groups_) progress.failures[group.report.slug] = group.report.count;
      options_.on_progress(progress);
    }
    if (options_.interrupted()) {
      result_.interrupted = true;
      result_.record.stopped = "interrupted";
    } else if (options_.time_max && Clock::now() - started_ >= *options_.time_max) {
      result_.record.stopped = "the time is over";
    } else if (journal_.failure()) {
      result_.record.stopped = *journal_.failure();
    } else {
      return true;
    }
    return false;
  }

 private:
  struct Group {
    Signature signature;
    FailureGroup report;
    bool is_new = false;  // to be shrunk
  };

  void fail(const std::string& why) {
    if (!result_.failure) result_.failure = why;
  }

  // ---- What was saved before ----

  void replay_saved() {
    for (const Findings::Saved& saved : findings_.saved()) {
      if (options_.interrupted()) return;
      const auto schedule = load_saved(saved.file, vocabulary_);
      ReplayedFailure replayed{.slug = saved.slug, .file = saved.file, .outcome = {}, .says = {}};
      if (!schedule) {
        replayed.outcome = ReplayedFailure::Outcome::no_longer_fits;
        replayed.says = schedule.error();
      } else if (const Trial trial = run_one(*schedule); trial.failed()) {
        // Something that it is anchored to happens no more.
        const bool fits = trial.signatures.front().what != "step-never-fired";
        replayed.outcome =
            fits ? ReplayedFailure::Outcome::fails : ReplayedFailure::Outcome::no_longer_fits;
        replayed.says = trial.broke;
      } else {
        replayed.outcome = ReplayedFailure::Outcome::mended;
      }
      result_.record.replayed.push_back(std::move(replayed));
    }
  }

  Trial run_one(const Schedule& schedule) {
    workers_.submit(0, task_of_schedule(schedule));
    for (;;) {
      if (const auto answer = workers_.next(std::chrono::seconds(1))) {
        return trial_of(schedule.seed, *answer);
      }
      if (workers_.failed()) return {};
    }
  }

  // ---- The seeds ----

  void run_seeds() {
    for (const std::uint64_t seed : journal_.unfinished(options_.file)) {
      const bool is_in_range = seed >= options_.seeds.first && seed <= options_.seeds.last;
      if (is_in_range || options_.interrupted()) continue;
      journal_.begin(options_.file, seed);
      Again again(*this);
      (void)run_campaign({.first = seed, .last = seed}, workers_, again);
    }
    (void)run_campaign(options_.seeds, workers_, *this);
  }

  // A seed that is not in the range: its failure counts, the seed does not.
  class Again final : public CampaignListener {
   public:
    explicit Again(Fuzz& fuzz) : fuzz_(fuzz) {}
    bool on_trial(const Trial& trial) override {
      fuzz_.journal_.end(fuzz_.options_.file, trial);
      if (trial.failed()) fuzz_.take_failure(trial);
      return true;
    }

   private:
    Fuzz& fuzz_;
  };

  void take(const Trial& trial) {
    journal_.end(options_.file, trial);
    CampaignRecord& record = result_.record;
    ++record.ran;
    record.events += trial.events;
    for (const auto& [name, count] : trial.judged) record.judged[name] += count;
    for (const auto& [name, count] : trial.injected) record.injected[name] += count;
    if (options_.on_trial) options_.on_trial(trial);
    if (!trial.failed()) {
      ++record.passed;
      return;
    }
    ++record.failed;
    take_failure(trial);
  }

  void take_failure(const Trial& trial) {
    const Signature& signature = trial.signatures.front();
    const auto known = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) {
      return group.signature == signature;
    });
    if (known != groups_.end()) {
      ++known->report.count;
      return;
    }
    Group group{.signature = signature,
                .report = {.slug = to_slug(signature),
                           .what = signature.what,
                           .role = signature.role,
                           .says = trial.broke,
                           .first_seed = trial.seed,
                           .count = 1,
                           .saved = {},
                           .shrunk_to = {},
                           .reproduce = {}},
                .is_new = true};
    save_as_found(group);
    groups_.push_back(std::move(group));
  }

  [[nodiscard]] Provenance provenance_of(const Group& group) const {
    return {.signature = group.signature,
            .says = group.report.says,
            .file = options_.file,
            .seed = group.report.first_seed,
            .version = options_.version,
            .commit = options_.commit};
  }

  // Whatever is there already was found by an earlier campaign; the smaller one stays.
  void save_as_found(Group& group) {
    const auto schedule = scenario_.materialise(group.report.first_seed);
    if (!schedule) return;
    std::optional<Findings::Saved> before = findings_.find(group.signature);
    if (before) {
      const auto there = load_saved(before->file, vocabulary_);
      if (there && weight_of(*there) <= weight_of(*schedule)) {
        point_at(group, before->file);
        return;
      }
    }
    const std::string yaml =
        failure_file(*schedule, provenance_of(group), {"As it was found."}, {}, nullptr);
    if (const auto problem = findings_.save_schedule(group.signature, yaml)) {
      fail(*problem);
      return;
    }
    point_at(group, findings_.folder_of(group.signature) + "/schedule.yaml");
  }

  void point_at(Group& group, const std::string& file) {
    group.report.saved = file;
    if (options_.reproduce) group.report.reproduce = options_.reproduce(file);
  }

  // ---- Shrinking ----

  void shrink_all() {
    for (Group& group : groups_) {
      if (options_.interrupted()) {
        result_.interrupted = true;
        return;
      }
      if (group.is_new) shrink_group(group);
    }
  }

  void shrink_group(Group& group) {
    auto schedule = scenario_.materialise(group.report.first_seed);
    if (!schedule) return;
    schedule->expect = {};
    FuzzProgress progress{.doing = "shrinking " + group.report.slug,
                          .done = 0,
                          .all = 0,
                          .seconds = 0,
                          .failures = {}};
    const std::optional<Shrunk> shrunk =
        shrink(*schedule, group.signature, vocabulary_, workers_,
               {.runs_max = options_.shrink_runs_max,
                .stop = options_.interrupted,
                .progress = [&](const Schedule&, std::uint64_t runs) {
                  progress.done = runs;
                  if (options_.on_progress) options_.on_progress(progress);
                }});
    if (!shrunk) {
      group.report.shrunk_to = "not shrunk: it did not show again";
      return;
    }
    group.report.shrunk_to = to_text(*shrunk);
    const std::string smallest = findings_.folder_of(group.signature) + "/shrunk.yaml";
    const auto before = load_saved(smallest, vocabulary_);
    if (before && weight_of(*before) <= weight_of(shrunk->schedule)) {
      point_at(group, smallest);
      return;
    }
    Portrait portrait;
    const bool is_safe = group.signature.what != "crash" && group.signature.what != "hang";
    if (is_safe && options_.portray) portrait = options_.portray(shrunk->schedule);
    if (!is_safe) portrait.trace = shrunk->trial.broke;
    Provenance from = provenance_of(group);
    from.says = shrunk->trial.broke;
    const std::string yaml = failure_file(shrunk->schedule, from,
                                          {"Shrunk to " + group.report.shrunk_to + ".",
                                           "Found in " + options_.file + " with seed " +
                                               std::to_string(group.report.first_seed) + "."},
                                          portrait.notes, &vocabulary_);
    if (const auto problem = findings_.save_shrunk(group.signature, yaml, portrait.trace)) {
      fail(*problem);
      return;
    }
    point_at(group, smallest);
  }

  const Scenario& scenario_;
  const Vocabulary& vocabulary_;
  Findings& findings_;
  Journal& journal_;
  const FuzzOptions& options_;
  Workers workers_;
  Clock::time_point started_{};
  std::vector<Group> groups_;
  FuzzResult result_;
};

}  // namespace

std::string to_text(const Shrunk& shrunk) {
  return to_text(size_of(shrunk.schedule)) + " (from " + to_text(shrunk.from) + "), " +
         std::to_string(shrunk.runs) + " runs" + (shrunk.minimal ? "" : ", not minimal yet");
}

tl::expected<FuzzPlace, std::string> FuzzPlace::open(const std::string& folder) {
  auto findings = Findings::open(folder);
  if (!findings) return tl::unexpected(findings.error());
  auto journal = Journal::open(folder);
  if (!journal) return tl::unexpected(journal.error());
  return FuzzPlace{.findings = *std::move(findings), .journal = *std::move(journal)};
}

FuzzResult fuzz(const Scenario& scenario, const Vocabulary& vocabulary, FuzzPlace& place,
                const FuzzOptions& options) {
  return Fuzz(scenario, vocabulary, place, options).run();
}

}  // namespace rejoin::sim
