// `rejoin fuzz` and `rejoin shrink`: the search for failures, and what is left of them.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "reports/campaign.hpp"
#include "reports/page.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/guard.hpp"
#include "sim/app/load.hpp"
#include "sim/app/portrait.hpp"
#include "sim/explore/fuzz.hpp"

namespace rejoin::app {

namespace {

// ---- Interrupts --------------------------------------------------------------------------------

volatile std::sig_atomic_t interrupts = 0;

extern "C" void on_interrupt(int /*signal*/) {
  interrupts = 1;
}

// The first SIGINT or SIGTERM asks for an end; the second is the system's own.
class Interruptible {
 public:
  Interruptible() {
    struct ::sigaction action {};
    action.sa_handler = on_interrupt;
    action.sa_flags = SA_RESETHAND;
    ::sigaction(SIGINT, &action, &before_[0]);
    ::sigaction(SIGTERM, &action, &before_[1]);
  }
  ~Interruptible() {
    ::sigaction(SIGINT, &before_[0], nullptr);
    ::sigaction(SIGTERM, &before_[1], nullptr);
  }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  struct ::sigaction before_[2]{};
};

// ---- Progress ----------------------------------------------------------------------------------

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::max(0.0, seconds));
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

// One line that is written over again, on a terminal.
class ProgressLine {
 public:
  ProgressLine() : on_(::isatty(STDERR_FILENO) == 1) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const sim::FuzzProgress& progress) {
    if (!on_) return;
    std::string line = progress.doing + ": " + reports::grouped(progress.done);
    if (progress.all != 0) line += " of " + reports::grouped(progress.all);
    if (progress.seconds > 0.2 && progress.done != 0) {
      const double rate = static_cast<double>(progress.done) / progress.seconds;
      line += fmt::format(", {:.0f}/s", rate);
      if (progress.all > progress.done) {
        line +=
            ", " + clock_text(static_cast<double>(progress.all - progress.done) / rate) + " left";
      }
    }
    for (const auto& [slug, count] : progress.failures) {
      line += fmt::format(", {} x{}", slug, count);
    }
    constexpr std::size_t kWidth = 110;
    if (line.size() > kWidth) line = line.substr(0, kWidth - 3) + "...";
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
    shown_ = true;
  }
  void clear() {
    if (shown_) std::fputs("\r\033[K", stderr);
    shown_ = false;
  }

 private:
  bool on_;
  bool shown_ = false;
};

// ---- What is written ----------------------------------------------------------------------------

// A line a seed: the same whatever the number of workers, so that files of shards can be joined.
std::string json_line(const std::string& scenario, const sim::Trial& trial) {
  nlohmann::ordered_json out{{"scenario", scenario},
                             {"seed", trial.seed},
                             {"verdict", trial.failed() ? "fail" : to_name(trial.verdict)},
                             {"digest", trial.digest},
                             {"events", trial.events},
                             {"virtual_ns", trial.virtual_end.time_since_epoch().count()}};
  if (trial.failed()) {
    out["signature"] = sim::to_slug(trial.signatures.front());
    out["broke"] = trial.signatures.front().what;
    out["says"] =
        trial.signatures.front().what == "crash" ? trial.signatures.front().shape : trial.broke;
  }
  return out.dump() + "\n";
}

// Files that were opened before the first seed; `-` is standard output.
class CampaignOutputs {
 public:
  ~CampaignOutputs() {
    for (Target& target : targets_) {
      if (target.file > STDERR_FILENO) ::close(target.file);
    }
  }
  CampaignOutputs() = default;
  CampaignOutputs(const CampaignOutputs&) = delete;
  CampaignOutputs& operator=(const CampaignOutputs&) = delete;

  // Text for standard error, or none.
  [[nodiscard]] std::optional<std::string> open(const std::vector<CampaignOut>& asked,
                                                const std::string& folder) {
    for (const CampaignOut& each : asked) {
      Target target{.kind = each.kind, .path = each.file.value_or(""), .file = STDOUT_FILENO};
      if (target.path != "-") {
        if (target.path.empty()) target.path = folder + "/" + file_name(each.kind);
        target.file = ::open(target.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (target.file < 0) {
          return error_text("--out: cannot write `" + target.path + "`: " + std::strerror(errno));
        }
      }
      targets_.push_back(target);
    }
    return std::nullopt;
  }
  [[nodiscard]] bool takes_standard_output() const {
    return std::any_of(targets_.begin(), targets_.end(),
                       [](const Target& target) { return target.file == STDOUT_FILENO; });
  }
  void line(const std::string& text) {
    for (const Target& target : targets_) {
      if (target.kind == CampaignOutKind::jsonl) put(target, text);
    }
  }
  void finish(const std::vector<CampaignRecord>& records) {
    for (const Target& target : targets_) {
      switch (target.kind) {
        case CampaignOutKind::jsonl:
          break;
        case CampaignOutKind::text:
          for (const CampaignRecord& record : records) {
            put(target, reports::campaign_text(record, {}));
          }
          break;
        case CampaignOutKind::json:
          put(target, reports::campaign_json(records));
          break;
        case CampaignOutKind::junit:
          put(target, reports::campaign_junit(records));
          break;
        case CampaignOutKind::github:
          put(target, reports::campaign_github(records));
          write_summary(reports::campaign_markdown(records));
          break;
      }
    }
  }
  [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }

 private:
  struct Target {
    CampaignOutKind kind{};
    std::string path;
    int file = -1;
  };

  static std::string file_name(CampaignOutKind kind) {
    switch (kind) {
      case CampaignOutKind::text:
        return "campaign.txt";
      case CampaignOutKind::json:
        return "campaign.json";
      case CampaignOutKind::jsonl:
        return "seeds.jsonl";
      case CampaignOutKind::junit:
        return "junit.xml";
      case CampaignOutKind::github:
        return "github.txt";
    }
    return {};
  }

  void put(const Target& target, std::string_view text) {
    while (!text.empty() && !failure_) {
      const ::ssize_t n = ::write(target.file, text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        failure_ = "cannot write `" + target.path + "`: " + std::strerror(errno);
        return;
      }
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  // Where GitHub Actions says that the summary of a step is.
  void write_summary(const std::string& text) {
    const char* const path = std::getenv("GITHUB_STEP_SUMMARY");
    if (path == nullptr || *path == '\0') return;
    Target summary{.kind = CampaignOutKind::github, .path = path, .file = -1};
    summary.file = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (summary.file < 0) {
      failure_ = "cannot write `" + summary.path + "`: " + std::strerror(errno);
      return;
    }
    put(summary, text);
    ::close(summary.file);
  }

  std::vector<Target> targets_;
  std::optional<std::string> failure_;
};

std::uint32_t jobs_of(std::uint32_t asked) {
  return asked != 0 ? asked : all_cores();
}

bool failed(const CampaignRecord& record) {
  return record.failed != 0 || !record.groups.empty() ||
         std::any_of(record.replayed.begin(), record.replayed.end(), [](const auto& each) {
           return each.outcome != ReplayedFailure::Outcome::mended;
         });
}

// Invariants that no seed of the whole campaign gave anything to judge.
std::vector<std::string> never_judged(const CampaignRecord& record) {
  std::vector<std::string> out;
  for (const auto& [name, count] : record.judged) {
    if (count == 0) out.push_back(name);
  }
  return out;
}

}  // namespace

std::uint32_t all_cores() {
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  return cores > 0 ? static_cast<std::uint32_t>(cores) : 1;
}

ExitStatus execute(const FuzzCommand& command) {
  Selection selection = command.selection;
  selection.expectations = false;
  selection.seed = command.seeds.first;
  const auto jobs = load(selection);
  if (!jobs) {
    print_error(jobs.error());
    return ExitStatus::bad_input;
  }
  std::vector<sim::FuzzPlace> places;
  std::vector<std::string> folders;
  for (const Job& job : *jobs) {
    const std::string folder = command.save_dir.empty() ? "results/fuzz/" + job.scenario.name()
                               : jobs->size() == 1      ? command.save_dir
                                                   : command.save_dir + "/" + job.scenario.name();
    auto place = sim::FuzzPlace::open(folder);
    if (!place) {
      print_error(error_text(place.error(), "--save-dir DIR: a folder that can be written to"));
      return ExitStatus::bad_input;
    }
    places.push_back(*std::move(place));
    folders.push_back(folder);
  }
  CampaignOutputs outputs;
  if (const auto problem = outputs.open(command.outputs, folders.front())) {
    print_error(*problem);
    return ExitStatus::bad_input;
  }

  const Interruptible interruptible;
  ProgressLine progress;
  ExitStatus status = ExitStatus::as_expected;
  std::vector<CampaignRecord> records;
  for (std::size_t i = 0; i < jobs->size(); ++i) {
    const Job& job = (*jobs)[i];
    sim::FuzzOptions options{.seeds = command.seeds, .file = job.file};
    options.jobs = jobs_of(command.jobs);
    options.failures_max = command.failures_max;
    options.time_max = command.time_max;
    options.shrinks = command.shrinks;
    const Schedule first = job.schedule(command.seeds.first);
    for (const auto& mechanism : first.node.sync.mechanisms) {
      options.sync += (options.sync.empty() ? "" : "+") + mechanism.name;
    }
    if (options.sync.empty()) options.sync = "none";
    options.version = kVersion;
    options.commit = build_commit();
    options.run = {.expectations = false, .dispatch = guarded_dispatch()};
    options.interrupted = [] { return interrupts != 0; };
    options.on_trial = [&](const sim::Trial& trial) {
      outputs.line(json_line(job.scenario.name(), trial));
    };
    options.on_progress = [&](const sim::FuzzProgress& now) { progress.show(now); };
    options.portray = portrait_of;
    options.reproduce = [](const std::string& file) { return "rejoin run " + file; };
    sim::FuzzResult result = sim::fuzz(job.scenario, vocabulary(), places[i], options);
    progress.clear();
    if (!outputs.takes_standard_output()) {
      if (i != 0) print("\n");
      print(reports::campaign_text(result.record, {.colour = wants_colour()}));
    }
    const std::vector<std::string> never = never_judged(result.record);
    const bool whole = result.record.stopped.empty();
    if (failed(result.record)) {
      status = std::max(status, ExitStatus::not_as_expected);
    } else if (whole && !never.empty()) {
      for (const std::string& name : never) {
        print_error(error_text(job.file + ": no seed gave " + name + " anything to judge",
                               "more seeds, or a `check` without it"));
      }
      status = std::max(status, ExitStatus::not_as_expected);
    }
    if (result.failure) {
      print_error(error_text(*result.failure));
      status = std::max(status, ExitStatus::own_failure);
    }
    records.push_back(std::move(result.record));
    if (result.interrupted) {
      outputs.finish(records);
      return ExitStatus::interrupted;
    }
  }
  outputs.finish(records);
  if (outputs.failure()) {
    print_error(error_text(*outputs.failure()));
    return ExitStatus::own_failure;
  }
  return status;
}

ExitStatus execute(const ShrinkCommand& command) {
  const auto jobs = load(command.selection);
  if (!jobs) {
    print_error(jobs.error());
    return ExitStatus::bad_input;
  }
  const Job& job = jobs->front();
  const Schedule schedule = job.schedule(job.first_seed);
  const sim::RunOptions run{.expectations = command.selection.expectations,
                            .dispatch = guarded_dispatch()};
  sim::Workers workers({.count = jobs_of(command.jobs)}, sim::trial_work(run));
  workers.submit(0, sim::task_of_schedule(schedule));
  std::optional<sim::Workers::Answer> answer;
  while (!answer && !workers.failed()) answer = workers.next(std::chrono::seconds(1));
  if (!answer) {
    print_error(error_text("no process can be made for the runs"));
    return ExitStatus::own_failure;
  }
  const sim::Trial trial = sim::trial_of(schedule.seed, *answer);
  if (!trial.failed()) {
    print_error(error_text(job.file + " does not fail: there is nothing to shrink",
                           command.selection.expectations
                               ? "--no-expect: what was expected is a failure, too"
                               : "another seed, or another --sync"));
    return ExitStatus::bad_input;
  }
  const sim::Signature& signature = trial.signatures.front();
  const Interruptible interruptible;
  ProgressLine progress;
  const auto shrunk =
      sim::shrink(schedule, signature, vocabulary(), workers,
                  {.stop = [] { return interrupts != 0; },
                   .progress =
                       [&](const Schedule&, std::uint64_t runs) {
                         progress.show({.doing = "shrinking", .done = runs, .failures = {}});
                       }});
  progress.clear();
  if (!shrunk) {
    print_error(error_text(job.file + " did not fail a second time as it did the first",
                           "rejoin run " + job.file + " --verify"));
    return ExitStatus::own_failure;
  }
  sim::Portrait portrait;
  if (signature.what != "crash" && signature.what != "hang") {
    portrait = portrait_of(shrunk->schedule);
  }
  const std::string yaml =
      sim::failure_file(shrunk->schedule,
                        {.signature = signature,
                         .says = shrunk->trial.broke,
                         .file = job.file,
                         .seed = job.first_seed,
                         .version = std::string(kVersion),
                         .commit = build_commit()},
                        {"Shrunk to " + to_text(*shrunk) + ".",
                         "From " + job.file + ", seed " + std::to_string(job.first_seed) + "."},
                        portrait.notes, &vocabulary());
  if (command.save.empty()) {
    print(yaml);
  } else if (const auto problem = sim::write_file(command.save, yaml)) {
    print_error(error_text(*problem));
    return ExitStatus::own_failure;
  } else {
    print("Shrunk to " + to_text(*shrunk) + ": " + command.save + "\n");
  }
  return interrupts != 0 ? ExitStatus::interrupted : ExitStatus::as_expected;
}

}  // namespace rejoin::app
