#include "sim/explore/trial.hpp"

#include <algorithm>
#include <optional>
#include <variant>

#include "model/check.hpp"
#include "model/wire.hpp"
#include "sim/run/canonical.hpp"

namespace rejoin::sim {

namespace {

struct Task {
  bool of_seed = false;
  std::uint64_t seed = 0;
  Bytes schedule;
  REJOIN_FIELDS(of_seed, seed, schedule)
};

Trial without_schedule(std::uint64_t seed, const std::string& why) {
  Trial out;
  out.seed = seed;
  out.verdict = Verdict::fail;
  out.says = "there is no schedule to run";
  out.broke = why;
  out.signatures.push_back({.what = "no-schedule", .role = {}, .shape = shape_of(why)});
  return out;
}

// `scenario` is null where only schedules are run.
Trial run_task(ByteView bytes, const Scenario* scenario, const RunOptions& options) {
  const std::optional<Task> task = decode<Task>(bytes);
  CHECK_THAT(task.has_value());
  if (!task->of_seed) {
    const auto schedule = decode_schedule(task->schedule);
    if (!schedule) return without_schedule(0, schedule.error());
    return run_trial(*schedule, options);
  }
  CHECK_THAT(scenario != nullptr);
  const auto schedule = scenario->materialise(task->seed);
  if (!schedule) {
    const Diagnostic& first = schedule.error().front();
    return without_schedule(task->seed, first.message);
  }
  const std::vector<std::string> complaints = check_schedule(*schedule);
  if (!complaints.empty()) return without_schedule(task->seed, complaints.front());
  return run_trial(*schedule, options);
}

}  // namespace

bool Trial::shows(const Signature& signature) const {
  return std::find(signatures.begin(), signatures.end(), signature) != signatures.end();
}

Trial run_trial(const Schedule& schedule, const RunOptions& options) {
  const RunRecord record = run(schedule, options);
  Trial out{.seed = schedule.seed,
            .verdict = record.verdict,
            .says = record.verdict_says,
            .digest = to_hex(record.digest),
            .events = record.events,
            .messages = record.messages,
            .virtual_end = record.virtual_end,
            .signatures = signatures_of(record),
            .broke = {},
            .judged = record.judged,
            .injected = record.injected};
  for (const Violation& violation : record.violations) {
    if (violation.expected || !out.broke.empty()) continue;
    out.broke = violation.says;
  }
  if (out.broke.empty() && out.failed()) out.broke = out.says;
  return out;
}

Trial trial_of(std::uint64_t seed, const Workers::Death& death) {
  Trial out;
  out.seed = seed;
  out.verdict = Verdict::fail;
  if (death.hung) {
    out.says = "the run hung, and was ended";
    out.signatures.push_back({.what = "hang", .role = {}, .shape = {}});
  } else {
    out.says = "the process that ran it died: " + death.ending;
    out.signatures.push_back(crash_signature(death.last_words, death.ending));
  }
  out.broke = death.last_words.empty() ? out.says : death.last_words;
  return out;
}

Bytes task_of_seed(std::uint64_t seed) {
  return encode(Task{.of_seed = true, .seed = seed, .schedule = {}});
}
Bytes task_of_schedule(const Schedule& schedule) {
  return encode(Task{.of_seed = false, .seed = 0, .schedule = encode_schedule(schedule)});
}

Work trial_work(const Scenario& scenario, const RunOptions& options) {
  return [scenario, options](ByteView task) { return encode(run_task(task, &scenario, options)); };
}
Work trial_work(const RunOptions& options) {
  return [options](ByteView task) { return encode(run_task(task, nullptr, options)); };
}

Trial trial_of(std::uint64_t seed, const Workers::Answer& answer) {
  if (answer.death) return trial_of(seed, *answer.death);
  std::optional<Trial> out = decode<Trial>(answer.reply);
  CHECK_THAT(out.has_value());
  return *std::move(out);
}

}  // namespace rejoin::sim
