// `rejoin run`: replays scenario files and reports what was seen.
#include <algorithm>
#include <chrono>

#include "protocols/sync/preset.hpp"
#include "protocols/sync/promises.hpp"
#include "reports/page.hpp"
#include "reports/report.hpp"
#include "sim/app/bisect.hpp"
#include "sim/app/browser.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/guard.hpp"
#include "sim/app/load.hpp"
#include "sim/app/outputs.hpp"
#include "sim/app/replay.hpp"
#include "sim/app/shell.hpp"
#include "sim/app/trace.hpp"
#include "sim/run/check.hpp"
#include "sim/run/run.hpp"
#include "sim/run/verdict.hpp"

namespace rejoin::app {

namespace {

// A mechanism that promises what was broken: one whose conditions hold here before any other.
const MechanismSpec* other_mechanism(const RunRecord& record, const Schedule& schedule) {
  const NodeOptions& options = schedule.node;
  const MechanismSpec* found = nullptr;
  for (const MechanismSpec& spec : Mechanisms::all()) {
    const bool used = std::any_of(options.sync.mechanisms.begin(), options.sync.mechanisms.end(),
                                  [&spec](const auto& m) { return m.name == spec.name; });
    const bool helps = std::any_of(
        record.violations.begin(), record.violations.end(), [&spec](const Violation& violation) {
          return std::find(spec.promises.begin(), spec.promises.end(), violation.invariant) !=
                 spec.promises.end();
        });
    if (used || !helps) continue;
    const Params params = default_params(spec.params);
    const bool complete = params.all().size() == spec.params.size();
    const bool holds =
        complete &&
        std::any_of(record.violations.begin(), record.violations.end(),
                    [&](const Violation& violation) {
                      return sim::would_promise(schedule, spec.name, params, violation.invariant);
                    });
    if (holds) return &spec;
    // Else the simplest: a full copy.
    if (found == nullptr || spec.name == "rejoin-sync") found = &spec;
  }
  return found;
}

// A preset says more than its mechanisms: without it, other things change, too.
bool names_preset(const std::optional<std::string>& sync) {
  return sync && std::any_of(Presets::all().begin(), Presets::all().end(), [&](const auto& preset) {
           return normal_name(*sync) == normal_name(preset.name);
         });
}

reports::TextOptions text_options(const RunCommand& command, const std::vector<RunRecord>& trials,
                                  const Schedule& schedule) {
  const Selection& selection = command.selection;
  reports::TextOptions out;
  out.colour = wants_colour();
  if (selection.sync) out.sync_flag = " --sync " + shell_word(*selection.sync);
  // The report of trials names the seed of one of them itself.
  if (selection.seed && trials.size() == 1) {
    out.flags += " --seed " + std::to_string(*selection.seed);
  }
  for (const sim::Override& set : selection.overrides) {
    out.flags += " --set " + shell_word(set.path + "=" + set.value);
  }
  if (!selection.expectations) out.flags += " --no-expect";
  Schedule none = schedule;
  none.node.sync.mechanisms.clear();
  out.none_runs = sim::complaints_about(none).empty() && !names_preset(selection.sync);
  if (const MechanismSpec* other = other_mechanism(trials.front(), schedule)) {
    out.other_sync = other->name;
    out.other_sync_conditions = conditions_text(*other);
  }
  return out;
}

struct Outcome {
  std::vector<RunRecord> trials;
  std::optional<ExitStatus> stopped;   // what --verify found
  std::optional<std::string> failure;  // a picture could not be written; text for standard error
};

// Runs one seed, beside a second process if that was asked for.
Verification run_seed(const RunCommand& command, const Schedule& schedule, TracePrinter* trace,
                      RunEvents* events) {
  const sim::RunOptions options{.expectations = command.selection.expectations,
                                .trace = trace,
                                .dispatch = guarded_dispatch(),
                                .events = events};
  const auto start = std::chrono::steady_clock::now();
  Verification out;
  if (command.verify) {
    out = run_verified(schedule, options, command.verify_with);
  } else {
    out.record = sim::run(schedule, options);
  }
  out.record.wall_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start)
          .count();
  return out;
}

bool asks_for_histories(const RunCommand& command) {
  return std::any_of(command.outputs.begin(), command.outputs.end(), [](const OutRequest& request) {
    return request.kind == OutKind::edn || request.kind == OutKind::jsonl;
  });
}

// That shows one seed of it again.
std::string command_of(const RunCommand& command, const Job& job, std::uint64_t seed) {
  const std::string flags = flags_of(command.selection);
  return program_words() + " run " + shell_word(job.file) + " --seed " + std::to_string(seed) +
         (flags.empty() ? "" : " " + flags) +
         (command.selection.expectations ? "" : " --no-expect");
}

// `index`: of the job among all of them.
Outcome run_job(const RunCommand& command, const Job& job, std::size_t index, TracePrinter* trace,
                Outputs& outputs) {
  Outcome out;
  for (std::uint32_t trial = 0; trial < job.trials; ++trial) {
    const std::uint64_t seed = job.first_seed + trial;
    RunEvents events;
    Verification found =
        run_seed(command, job.schedule(seed), trace, outputs.wants_events() ? &events : nullptr);
    RunRecord& record = found.record;
    record.file = job.file;
    const std::string which = job.file + ", seed " + std::to_string(seed) + ": ";
    if (found.failure) print_error(error_text(which + *found.failure));
    if (found.difference) print_error(error_text(which + *found.difference));
    if (found.failure) out.stopped = ExitStatus::own_failure;
    if (found.difference) out.stopped = ExitStatus::replays_differ;
    if (outputs.wants_events()) {
      out.failure = outputs.draw(index, {.record = record,
                                         .events = std::move(events),
                                         .command = command_of(command, job, seed)});
      if (out.failure) return out;
    }
    // Of many trials only what their summary needs.
    if (job.trials > 1 && !asks_for_histories(command)) record.history = {};
    out.trials.push_back(std::move(record));
  }
  return out;
}

void report_text(const RunCommand& command, const Job& job, const Outcome& outcome) {
  const Schedule schedule = job.schedule(job.first_seed);
  print(reports::text_report(outcome.trials, text_options(command, outcome.trials, schedule)));
  if (!command.verify || outcome.stopped) return;
  print("Verified: a second process did the same, event for event" +
        std::string(job.trials == 1 ? "" : ", in every trial") + ".\n");
}

// For files: without colours.
std::string plain_text(const RunCommand& command, const Job& job,
                       const std::vector<RunRecord>& trials) {
  reports::TextOptions options = text_options(command, trials, job.schedule(job.first_seed));
  options.colour = false;
  return reports::text_report(trials, options);
}

// What of `--trace`, `--from` and `--until` can show nothing.
std::optional<std::string> trace_problem(const RunCommand& command, const TraceFilter& filter,
                                         const std::vector<Job>& jobs) {
  if (command.trace_from > command.trace_until) {
    return error_text("--from " + to_text(command.trace_from) + " is after --until " +
                          to_text(command.trace_until),
                      "nothing happens in between: turn them round");
  }
  if (!command.trace) return std::nullopt;
  TraceFilter::Known known;
  for (const Job& job : jobs) known.add(job.schedule(job.first_seed));
  auto problem = filter.problem(known);
  // Another seed may pick another key.
  for (const Job& job : jobs) {
    for (std::uint32_t trial = 1; problem && trial < job.trials; ++trial) {
      known.add(job.schedule(job.first_seed + trial));
      problem = filter.problem(known);
    }
  }
  return problem;
}

bool all_pass(const std::vector<RunRecord>& trials) {
  return std::all_of(trials.begin(), trials.end(),
                     [](const RunRecord& record) { return record.verdict == Verdict::pass; });
}

}  // namespace

ExitStatus execute(const RunCommand& command) {
  const auto filter = TraceFilter::parse(command.trace.value_or(""));
  if (!filter) {
    print_error(filter.error());
    return ExitStatus::bad_input;
  }
  const auto jobs = load(command.selection);
  if (!jobs) {
    print_error(jobs.error());
    return ExitStatus::bad_input;
  }
  if (const auto problem = trace_problem(command, *filter, *jobs)) {
    print_error(*problem);
    return ExitStatus::bad_input;
  }
  std::optional<BisectVerdict> bisected;
  if (command.bisect) bisected = judge_for_bisect(*jobs, command.selection);
  // What died once would take this process along, too.
  if (bisected && bisected->died) {
    print(bisected->says);
    return bisected->status;
  }
  auto outputs = Outputs::open(command.outputs, *jobs);
  if (!outputs) {
    print_error(outputs.error());
    return ExitStatus::bad_input;
  }
  const bool json = command.format == Format::json;
  const bool text = !json && !outputs->takes_standard_output();
  TracePrinter printer({.filter = *filter,
                        .from = command.trace_from,
                        .until = command.trace_until,
                        .to_stderr = !text});
  ExitStatus status = ExitStatus::as_expected;
  std::vector<Finished> all;
  std::size_t passed = 0;
  for (const Job& job : *jobs) {
    const auto index = static_cast<std::size_t>(&job - &jobs->front());
    Outcome outcome = run_job(command, job, index, command.trace ? &printer : nullptr, *outputs);
    if (outcome.failure) {
      print_error(*outcome.failure);
      return ExitStatus::own_failure;
    }
    if (all_pass(outcome.trials)) {
      ++passed;
    } else if (status == ExitStatus::as_expected) {
      status = ExitStatus::not_as_expected;
    }
    if (outcome.stopped) status = std::max(status, *outcome.stopped);
    if (text) {
      if (&job != &jobs->front() || command.trace) print("\n");
      report_text(command, job, outcome);
    }
    // Nothing of a run is kept that nobody will ask for.
    if (!json && command.outputs.empty()) continue;
    std::string report = command.outputs.empty() ? "" : plain_text(command, job, outcome.trials);
    all.push_back({&job, std::move(outcome.trials), std::move(report)});
  }
  if (json) {
    print(json_of(all));
  } else if (text && jobs->size() > 1) {
    print("\n" + reports::counted(jobs->size(), "file") + ": " + std::to_string(passed) +
          " as expected, " + std::to_string(jobs->size() - passed) + " not\n");
  }
  if (const auto failure = outputs->write(all)) {
    print_error(*failure);
    return ExitStatus::own_failure;
  }
  if (command.open && !outputs->page().empty()) print_error(open_page(outputs->page()));
  if (!bisected || status > ExitStatus::not_as_expected) return status;
  if (text) print("\n" + bisected->says);
  return bisected->status;
}

}  // namespace rejoin::app
