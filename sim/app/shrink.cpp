// `rejoin shrink`: the smallest scenario file that still fails in the same way.
#include "sim/app/commands.hpp"
#include "sim/app/guard.hpp"
#include "sim/app/load.hpp"
#include "sim/app/portrait.hpp"
#include "sim/app/shell.hpp"
#include "sim/app/terminal.hpp"
#include "sim/explore/fuzz.hpp"

namespace rejoin::app {

namespace {

// A file that expects what does not happen fails by what it says, not by what it does: nothing of
// it is needed for that.
bool is_missed(const sim::Signature& signature) {
  return signature.what == "unmet" && !signature.shape.starts_with("step ");
}

// What is to be kept: what broke first. The error, text for standard error: there is no such thing.
tl::expected<sim::Signature, std::string> signature_to_keep(const sim::Trial& trial,
                                                            const std::string& file,
                                                            bool expectations) {
  if (!trial.failed()) {
    return tl::unexpected(error_text(file + " does not fail: there is nothing to shrink",
                                     expectations
                                         ? "--no-expect: what was expected is a failure, too"
                                         : "another seed, or another --sync"));
  }
  // Violations come before expectations.
  if (!is_missed(trial.signatures.front())) return trial.signatures.front();
  return tl::unexpected(
      error_text(file + " fails by what it expects alone (" + trial.broke.front() +
                     "): an empty file would, too",
                 "--no-expect: every violation is a failure, and nothing is expected"));
}

std::string file_of(const sim::Shrunk& shrunk, const sim::Signature& signature,
                    const sim::Portrait& portrait, const ShrinkCommand& command, const Job& job) {
  return sim::failure_file(shrunk.schedule,
                           {.signature = signature,
                            .says = shrunk.trial.says_of(signature),
                            .file = job.file,
                            .seed = job.first_seed,
                            .flags = flags_of(command.selection),
                            .version = std::string(kVersion),
                            .commit = build_commit(),
                            .minimal = shrunk.minimal},
                           {"Shrunk to " + to_text(shrunk) + ".",
                            "From " + job.file + ", seed " + std::to_string(job.first_seed) + "."},
                           portrait.notes, &vocabulary());
}

}  // namespace

ExitStatus execute(const ShrinkCommand& command) {
  const auto jobs = load(command.selection);
  if (!jobs) {
    print_error(jobs.error());
    return ExitStatus::bad_input;
  }
  if (!command.save.empty()) {
    if (const auto problem = sim::try_to_write(command.save)) {
      print_error(error_text("--save: " + *problem));
      return ExitStatus::bad_input;
    }
  }
  const Job& job = jobs->front();
  const Schedule schedule = job.schedule(job.first_seed);
  const sim::RunOptions run{.expectations = command.selection.expectations,
                            .dispatch = guarded_dispatch()};
  sim::Workers workers({.count = command.jobs != 0 ? command.jobs : all_cores()},
                       sim::trial_work(run, portrait_of));
  const auto answer = sim::ask(workers, sim::task_of_schedule(schedule));
  if (!answer) {
    print_error(error_text("no process can be made for the runs"));
    return ExitStatus::own_failure;
  }
  const auto signature = signature_to_keep(sim::trial_of(schedule.seed, *answer), job.file,
                                           command.selection.expectations);
  if (!signature) {
    print_error(signature.error());
    return ExitStatus::bad_input;
  }
  const Interruptible interruptible;
  ProgressLine progress;
  const auto shrunk =
      sim::shrink(schedule, *signature, vocabulary(), workers,
                  {.stop = is_interrupted, .progress = [&](const Schedule&, std::uint64_t runs) {
                     progress.show(progress_text({.doing = "shrinking", .done = runs}));
                   }});
  progress.clear();
  if (!shrunk) {
    print_error(error_text(job.file + " did not fail a second time as it did the first",
                           "rejoin run " + shell_word(job.file) + " --verify"));
    return ExitStatus::own_failure;
  }
  const sim::Portrait portrait = sim::portrait(workers, shrunk->schedule, *signature);
  const std::string yaml = file_of(*shrunk, *signature, portrait, command, job);
  if (command.save.empty()) {
    print(yaml);
  } else if (const auto problem = sim::write_file(command.save, yaml)) {
    // It could be written when this began: what it took long to find is not lost.
    print(yaml);
    print_error(error_text(*problem));
    return ExitStatus::own_failure;
  } else {
    print("Shrunk to " + to_text(*shrunk) + ": " + command.save + "\n");
  }
  return is_interrupted() ? ExitStatus::interrupted : ExitStatus::as_expected;
}

}  // namespace rejoin::app
