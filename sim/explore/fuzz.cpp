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

double seconds_since(Clock::time_point time) {
  return std::chrono::duration<double>(Clock::now() - time).count();
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
      : vocabulary_(vocabulary),
        findings_(place.findings),
        journal_(place.journal),
        options_(options),
        work_(options.work ? options.work : trial_work(scenario, options.run, options.portray)),
        workers_({.count = options.jobs, .patience = options.patience}, work_),
        aside_({.count = 1, .patience = options.patience}, work_) {
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
    result_.record.seconds = seconds_since(started_);
    if (options_.shrinks) shrink_all();
    if (no_process()) fail("no process can be made for the runs");
    if (journal_.failure()) fail(*journal_.failure());
    // What it did not finish, it did not want; unless it could not.
    if (!no_process()) journal_.close(options_.file);
    for (Group& group : groups_) result_.record.groups.push_back(std::move(group.report));
    for (Saved& saved : saved_) result_.record.replayed.push_back(std::move(saved.report));
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
      FuzzProgress progress{.doing = "seeds",
                            .done = result_.record.ran,
                            .all = options_.seeds.count(),
                            .seconds = seconds_since(started_),
                            .seconds_max = seconds_max()};
      for (const Group& group : groups_) progress.failures[group.report.what] += group.report.count;
      options_.on_progress(progress);
    }
    if (options_.interrupted()) {
      interrupt();
    } else if (options_.time_max && Clock::now() - started_ >= *options_.time_max) {
      result_.record.stopped = "the time is over";
    } else if (journal_.failure()) {
      result_.record.stopped = *journal_.failure();
    } else if (const auto trouble = options_.trouble()) {
      result_.record.stopped = *trouble;
    } else {
      return true;
    }
    return false;
  }

 private:
  // A way of failing that seeds showed.
  struct Group {
    Signature signature;
    FailureGroup report;
    std::optional<Schedule> schedule;  // the smallest that shows it; none: nothing can be saved
    bool minimal = false;              // it is known to be
  };
  // A file of an earlier campaign.
  struct Saved {
    ReplayedFailure report;
    std::optional<Signature> shows;    // its own, in this campaign
    std::optional<Schedule> schedule;  // what it holds
    std::uint64_t seed = 0;            // of the scenario that it was drawn from
    bool minimal = false;
  };

  [[nodiscard]] bool no_process() const { return workers_.failed() || aside_.failed(); }
  void fail(const std::string& why) {
    if (!result_.failure) result_.failure = why;
  }
  void interrupt() {
    result_.interrupted = true;
    result_.record.stopped = "interrupted";
  }
  [[nodiscard]] double seconds_max() const {
    return options_.time_max ? std::chrono::duration<double>(*options_.time_max).count() : 0;
  }

  // ---- What was saved before ----

  void replay_saved() {
    for (const Findings::Saved& saved : findings_.saved()) {
      if (options_.interrupted() || no_process()) return;
      saved_.push_back(replayed(saved));
    }
  }

  Saved replayed(const Findings::Saved& saved) {
    using Outcome = ReplayedFailure::Outcome;
    Saved out;
    out.report = {.slug = saved.slug,
                  .file = saved.file,
                  .outcome = Outcome::no_longer_fits,
                  .says = {},
                  .shrunk_to = {},
                  .reproduce = options_.reproduce ? options_.reproduce(saved.file) : ""};
    auto schedule = load_saved(saved.file, vocabulary_);
    if (!schedule) {
      out.report.says = schedule.error();
      return out;
    }
    const std::optional<Workers::Answer> answer = ask(workers_, task_of_schedule(*schedule));
    if (!answer) {
      out.report.says = "it could not be run";
      return out;
    }
    const std::string yaml = content_of(saved.file);
    // By hand, a file may be saved without what it showed: then any failure is what it is for.
    const std::optional<std::string> found = found_signature(yaml);
    const Trial trial = trial_of(schedule->seed, *answer);
    const auto own = std::find_if(
        trial.signatures.begin(), trial.signatures.end(),
        [&](const Signature& signature) { return !found || to_slug(signature) == *found; });
    if (own != trial.signatures.end()) {
      out.report.outcome = Outcome::fails;
      out.report.says = trial.says_of(*own);
      out.shows = *own;
      out.seed = found_seed(yaml).value_or(schedule->seed);
      out.minimal = is_minimal(yaml);
    } else if (trial.failed()) {
      // Something that it is anchored to happens no more; or it fails, but not as it did.
      const bool fits = trial.signatures.front().what != "step-never-fired";
      out.report.outcome = fits ? Outcome::differs : Outcome::no_longer_fits;
      out.report.says = trial.broke.front();
    } else {
      out.report.outcome = Outcome::mended;
      out.report.reproduce.clear();
    }
    out.schedule = *std::move(schedule);
    return out;
  }

  // The file of that signature that showed it in this campaign.
  [[nodiscard]] const Saved* still_shown(const Signature& signature) const {
    const auto found = std::find_if(saved_.begin(), saved_.end(), [&](const Saved& saved) {
      return saved.shows == signature && saved.report.slug == to_slug(signature);
    });
    return found == saved_.end() ? nullptr : &*found;
  }

  // ---- The seeds ----

  void run_seeds() {
    for (const std::uint64_t seed : journal_.unfinished(options_.file)) {
      const bool is_in_range = seed >= options_.seeds.first && seed <= options_.seeds.last;
      if (is_in_range || options_.interrupted() || no_process()) continue;
      journal_.begin(options_.file, seed);
      Left left(*this);
      (void)run_campaign({.first = seed, .last = seed}, workers_, left);
    }
    if (!no_process()) (void)run_campaign(options_.seeds, workers_, *this);
  }

  // A seed that is not in the range: its failure counts, the seed does not.
  class Left final : public CampaignListener {
   public:
    explicit Left(Fuzz& fuzz) : fuzz_(fuzz) {}
    bool on_trial(const Trial& trial) override {
      fuzz_.journal_.end(fuzz_.options_.file, trial);
      CampaignRecord& record = fuzz_.result_.record;
      ++record.left_ran;
      if (trial.failed()) ++record.left_failed;
      if (fuzz_.options_.on_trial) fuzz_.options_.on_trial(trial);
      fuzz_.take_failures(trial);
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
    for (const auto& [fault, phases] : trial.injected_in) {
      for (const auto& [phase, count] : phases) record.injected_in[fault][phase] += count;
    }
    if (trial.failed()) record.failing.push_back(trial.seed);
    if (options_.on_trial) options_.on_trial(trial);
    ++(trial.failed() ? record.failed : record.passed);
    if (trial.verdict == Verdict::vacuous) ++record.vacuous;
    take_failures(trial);
  }

  // Each way in which it failed counts: one that is frequent hides none that is rare.
  void take_failures(const Trial& trial) {
    for (std::size_t i = 0; i < trial.signatures.size(); ++i) {
      const Signature& signature = trial.signatures[i];
      const auto known = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) {
        return group.signature == signature;
      });
      if (known != groups_.end()) {
        ++known->report.count;
        continue;
      }
      Group group{.signature = signature,
                  .report = {.slug = to_slug(signature),
                             .what = signature.what,
                             .role = signature.role,
                             .says = trial.broke[i],
                             .first_seed = trial.seed,
                             .count = 1,
                             .saved = {},
                             .shrunk_to = {},
                             .reproduce = {}},
                  .schedule = {}};
      save_as_found(group);
      groups_.push_back(std::move(group));
    }
  }

  [[nodiscard]] Provenance provenance_of(const Signature& signature, std::uint64_t seed) const {
    return {.signature = signature,
            .says = {},
            .file = options_.file,
            .seed = seed,
            .flags = options_.flags,
            .version = options_.version,
            .commit = options_.commit};
  }

  // Of what an earlier campaign saved and what was found now, the smaller one stays; but only what
  // still shows it is saved at all.
  void save_as_found(Group& group) {
    if (options_.reproduce_seed) {
      group.report.reproduce = options_.reproduce_seed(group.report.first_seed);
    }
    if (group.signature.what == "no-schedule") return;
    auto schedule = drawn(aside_, group.report.first_seed);
    if (!schedule) return;  // drawing it is what fails
    schedule->expect = {};
    if (const Saved* before = still_shown(group.signature)) {
      if (weight_of(*before->schedule) <= weight_of(*schedule)) {
        group.schedule = before->schedule;
        group.minimal = before->minimal;
        point_at(group, before->report.file);
        return;
      }
    } else {
      findings_.set_aside(group.signature);
    }
    Provenance from = provenance_of(group.signature, group.report.first_seed);
    from.says = group.report.says;
    const std::string yaml = failure_file(*schedule, from, {"As it was found."}, {}, nullptr);
    if (const auto problem = findings_.save_schedule(group.signature, yaml)) {
      fail(*problem);
      return;
    }
    group.schedule = *std::move(schedule);
    point_at(group, findings_.folder_of(group.signature) + "/schedule.yaml");
  }

  void point_at(Group& group, const std::string& file) {
    group.report.saved = file;
    if (options_.reproduce) group.report.reproduce = options_.reproduce(file);
  }

  // ---- Shrinking ----

  void shrink_all() {
    shrinking_since_ = Clock::now();
    std::vector<Group*> groups;
    for (Group& group : groups_) {
      if (group.minimal) group.report.shrunk_to = "nothing more can be left out of it";
      if (group.schedule && !group.minimal) groups.push_back(&group);
    }
    std::vector<Saved*> rest;
    for (Saved& saved : saved_) {
      const bool is_grouped = std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) {
        return saved.shows == group.signature;
      });
      if (saved.shows && !saved.minimal && !is_grouped) rest.push_back(&saved);
    }
    behind_ = groups.size() + rest.size();
    for (Group* group : groups) {
      if (!may_go_on()) return;
      shrink_group(*group);
      --behind_;
    }
    for (Saved* saved : rest) {
      if (!may_go_on()) return;
      shrink_saved(*saved);
      --behind_;
    }
    (void)may_go_on();
  }

  // False: interrupted, now or while the last one was shrunk; or the time is over.
  bool may_go_on() {
    if (options_.interrupted()) interrupt();
    return !result_.interrupted && !no_process() && !is_time_over();
  }
  [[nodiscard]] bool is_time_over() const {
    return options_.time_max && Clock::now() - shrinking_since_ >= *options_.time_max;
  }

  struct Smaller {
    std::string text;  // for reports
    std::string file;  // empty: what is there stays
  };

  void shrink_group(Group& group) {
    const Saved* before = still_shown(group.signature);
    const bool is_saved = before != nullptr && before->report.file == group.report.saved;
    Provenance from =
        provenance_of(group.signature, is_saved ? before->seed : group.report.first_seed);
    from.says = group.report.says;
    const Smaller smaller = shrunk(*group.schedule, from);
    group.report.shrunk_to = smaller.text;
    if (!smaller.file.empty()) point_at(group, smaller.file);
  }

  // What an earlier campaign found and had no time to shrink.
  void shrink_saved(Saved& saved) {
    Provenance from = provenance_of(*saved.shows, saved.seed);
    from.says = saved.report.says;
    const Smaller smaller = shrunk(*saved.schedule, from);
    saved.report.shrunk_to = smaller.text;
    if (smaller.file.empty()) return;
    saved.report.file = smaller.file;
    if (options_.reproduce) saved.report.reproduce = options_.reproduce(smaller.file);
  }

  Smaller shrunk(const Schedule& schedule, Provenance from) {
    const Signature signature = from.signature;
    FuzzProgress progress{.doing = "shrinking " + signature.what,
                          .seconds_max = seconds_max(),
                          .behind = behind_ - 1};
    const auto show = [&](const Schedule&, std::uint64_t runs) {
      progress.done = runs;
      progress.seconds = seconds_since(shrinking_since_);
      if (options_.on_progress) options_.on_progress(progress);
    };
    const std::optional<Shrunk> found =
        shrink(schedule, signature, vocabulary_, workers_,
               {.runs_max = options_.shrink_runs_max,
                .stop = [this] { return options_.interrupted() || is_time_over(); },
                .progress = show});
    if (!found) return {.text = "not shrunk: it did not show again", .file = {}};
    const std::string file = findings_.folder_of(signature) + "/shrunk.yaml";
    Smaller out{.text = to_text(*found), .file = file};
    const std::size_t weight = weight_of(found->schedule);
    if (!found->minimal && weight >= weight_of(schedule)) return {.text = out.text, .file = {}};
    if (const Saved* before = still_shown(signature)) {
      const std::size_t there = weight_of(*before->schedule);
      if (there < weight || (there == weight && before->minimal)) return {out.text, {}};
    }
    Portrait look;
    const bool is_safe = signature.what != "crash" && signature.what != "hang";
    if (is_safe) look = portrait(aside_, found->schedule, signature);
    from.says = found->trial.says_of(signature);
    from.minimal = found->minimal;
    if (!is_safe) look.trace = from.says;
    const std::string yaml =
        failure_file(found->schedule, from,
                     {"Shrunk to " + out.text + ".", "Found in " + options_.file + " with seed " +
                                                         std::to_string(from.seed) + "."},
                     look.notes, &vocabulary_);
    if (const auto problem = findings_.save_shrunk(signature, yaml, look.trace)) {
      fail(*problem);
      out.file.clear();
    }
    return out;
  }

  const Vocabulary& vocabulary_;
  Findings& findings_;
  Journal& journal_;
  const FuzzOptions& options_;
  Work work_;
  Workers workers_;
  Workers aside_;  // for draws and portraits, while the others are at work
  Clock::time_point started_{};
  Clock::time_point shrinking_since_{};
  std::size_t behind_ = 0;  // to be shrunk, with what is being shrunk
  std::vector<Saved> saved_;
  std::vector<Group> groups_;
  FuzzResult result_;
};

}  // namespace

std::string to_text(const Shrunk& shrunk) {
  return to_text(size_of(shrunk.schedule)) + " (from " + to_text(shrunk.from) + "), " +
         std::to_string(shrunk.runs) + " runs" +
         (shrunk.unstable  ? ", unstable: smaller ones do not show it every time"
          : shrunk.minimal ? ""
                           : ", not minimal yet");
}

tl::expected<FuzzPlace, std::string> FuzzPlace::open(const std::string& folder) {
  auto findings = Findings::open(folder);
  if (!findings) return tl::unexpected(findings.error());
  auto journal = Journal::open(folder);
  if (!journal) return tl::unexpected(journal.error());
  if (journal->is_alone()) findings->remove_parts();
  return FuzzPlace{.findings = *std::move(findings), .journal = *std::move(journal)};
}

FuzzResult fuzz(const Scenario& scenario, const Vocabulary& vocabulary, FuzzPlace& place,
                const FuzzOptions& options) {
  return Fuzz(scenario, vocabulary, place, options).run();
}

}  // namespace rejoin::sim
