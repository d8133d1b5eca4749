#include "sim/app/bisect.hpp"

#include <algorithm>
#include <optional>

#include "sim/app/guard.hpp"
#include "sim/explore/findings.hpp"
#include "sim/explore/trial.hpp"

namespace rejoin::app {

namespace {

struct Judged {
  ExitStatus status{};
  std::string why;
};

bool has(const sim::Trial& trial, std::string_view what) {
  return std::any_of(trial.signatures.begin(), trial.signatures.end(),
                     [what](const sim::Signature& signature) { return signature.what == what; });
}

// What makes a run say nothing; empty when it says something.
std::string excuse(const sim::Trial& trial) {
  if (trial.verdict == Verdict::vacuous) return trial.says;
  for (const std::string_view what : {"no-schedule", "step-never-fired", "unbounded"}) {
    if (has(trial, what)) return trial.says;
  }
  return "";
}

// `found`: the signature's name, `broke`: its first part, as the file says.
Judged judged_by_found(const sim::Trial& trial, const std::string& found,
                       const std::string& broke) {
  const auto is_it = [&found](const sim::Signature& signature) {
    return sim::to_slug(signature) == found;
  };
  if (std::any_of(trial.signatures.begin(), trial.signatures.end(), is_it)) {
    return {ExitStatus::not_as_expected, "shows " + found};
  }
  const std::string reason = excuse(trial);
  if (!reason.empty()) return {ExitStatus::not_judged, reason};
  // Signatures are made of sentences, and commits change those.
  if (has(trial, broke)) return {ExitStatus::not_judged, "breaks " + broke + ", in another way"};
  const std::string other = trial.failed() ? ", but " + trial.signatures.front().what : "";
  return {ExitStatus::as_expected, "does not show " + found + other};
}

Judged judged_by_verdict(const sim::Trial& trial, bool died) {
  // Whose fault it is that a program dies, a scenario that expects nothing of the kind cannot say.
  if (died) return {ExitStatus::not_judged, trial.says};
  const std::string reason = excuse(trial);
  if (!reason.empty()) return {ExitStatus::not_judged, reason};
  return {trial.failed() ? ExitStatus::not_as_expected : ExitStatus::as_expected, trial.says};
}

// Bad is bad, whatever else there is; what cannot be judged is not good.
ExitStatus worse(ExitStatus one, ExitStatus other) {
  for (const ExitStatus status : {ExitStatus::not_as_expected, ExitStatus::not_judged}) {
    if (one == status || other == status) return status;
  }
  return ExitStatus::as_expected;
}

std::string_view word_of(ExitStatus status) {
  if (status == ExitStatus::as_expected) return "good";
  return status == ExitStatus::not_as_expected ? "bad" : "not to be judged";
}

}  // namespace

BisectVerdict judge_for_bisect(const std::vector<Job>& jobs, const Selection& selection) {
  sim::Workers worker({.count = 1}, sim::trial_work({.expectations = selection.expectations,
                                                     .dispatch = guarded_dispatch()}));
  BisectVerdict out{.status = ExitStatus::as_expected, .died = false, .says = {}};
  for (const Job& job : jobs) {
    const std::string yaml = sim::content_of(job.file);
    const std::optional<std::string> found = sim::found_signature(yaml);
    for (std::uint32_t i = 0; i < job.trials; ++i) {
      const std::uint64_t seed = job.first_seed + i;
      const auto answer = sim::ask(worker, sim::task_of_schedule(job.schedule(seed)));
      if (!answer) return {ExitStatus::own_failure, true, "no process can be made for the runs\n"};
      const sim::Trial trial = sim::trial_of(seed, *answer);
      out.died = out.died || answer->death.has_value();
      const Judged judged =
          found ? judged_by_found(trial, *found, sim::found_broke(yaml).value_or(""))
                : judged_by_verdict(trial, answer->death.has_value());
      out.status = worse(out.status, judged.status);
      out.says += std::string(word_of(judged.status)) + ": " + job.file + ": " + judged.why + "\n";
    }
  }
  return out;
}

}  // namespace rejoin::app
