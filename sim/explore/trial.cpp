#include "sim/explore/trial.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "model/check.hpp"
#include "model/utf8.hpp"
#include "model/wire.hpp"
#include "sim/run/canonical.hpp"

namespace rejoin::sim {

namespace {

enum class Question : std::uint8_t { run_seed, run_schedule, draw, portrait };

struct Task {
  Question question{};
  std::uint64_t seed = 0;
  Bytes schedule;
  Signature signature;
  REJOIN_FIELDS(question, seed, schedule, signature)
};

struct Drawn {
  Bytes schedule;
  std::string why;  // there is none; empty: there is
  REJOIN_FIELDS(schedule, why)
};

Trial without_schedule(std::uint64_t seed, const std::string& why) {
  Trial out;
  out.seed = seed;
  out.verdict = Verdict::fail;
  out.says = "there is no schedule to run";
  out.broke = {why};
  out.signatures.push_back({.what = "no-schedule", .role = {}, .shape = shape_of(why)});
  return out;
}

// What the seed draws, if it can be run; else why not.
tl::expected<Schedule, std::string> draw(const Scenario& scenario, std::uint64_t seed) {
  auto schedule = scenario.materialise(seed);
  if (!schedule) return tl::unexpected(schedule.error().front().message);
  const std::vector<std::string> complaints = check_schedule(*schedule);
  if (!complaints.empty()) return tl::unexpected(complaints.front());
  return *std::move(schedule);
}

Bytes drawn_of(const Scenario& scenario, std::uint64_t seed) {
  const auto schedule = draw(scenario, seed);
  Drawn out;
  if (schedule) {
    out.schedule = encode_schedule(*schedule);
  } else {
    out.why = schedule.error();
  }
  return encode(out);
}

// What a worker has to know. `scenario` is null where only schedules are run.
struct Trade {
  const Scenario* scenario = nullptr;
  const RunOptions& options;
  const Portray& portray;
};

Bytes answer_to(ByteView bytes, const Trade& trade) {
  const std::optional<Task> task = decode<Task>(bytes);
  CHECK_THAT(task.has_value());
  switch (task->question) {
    case Question::run_seed: {
      CHECK_THAT(trade.scenario != nullptr);
      const auto schedule = draw(*trade.scenario, task->seed);
      return encode(schedule ? run_trial(*schedule, trade.options)
                             : without_schedule(task->seed, schedule.error()));
    }
    case Question::run_schedule: {
      const auto schedule = decode_schedule(task->schedule);
      return encode(schedule ? run_trial(*schedule, trade.options)
                             : without_schedule(0, schedule.error()));
    }
    case Question::draw:
      CHECK_THAT(trade.scenario != nullptr);
      return drawn_of(*trade.scenario, task->seed);
    case Question::portrait: {
      const auto schedule = decode_schedule(task->schedule);
      const bool can = schedule && trade.portray;
      return encode(can ? trade.portray(*schedule, task->signature) : Portrait{});
    }
  }
  CHECK_THAT(false);
}

// What a process wrote before it died goes into files that must be read again.
std::string readable(std::string_view text) {
  return as_utf8(text, "?");
}

}  // namespace

bool Trial::shows(const Signature& signature) const {
  return std::find(signatures.begin(), signatures.end(), signature) != signatures.end();
}

Trial run_trial(const Schedule& schedule, const RunOptions& options) {
  std::map<std::string, std::map<std::string, std::uint64_t>> phases;
  RunOptions counting = options;
  counting.phases = &phases;
  const RunRecord record = run(schedule, counting);
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
            .injected = record.injected,
            .injected_in = std::move(phases),
            .began = {}};
  for (const Transition& transition : record.transitions) {
    out.began[transition.label] = transition.at;
  }
  for (const Signature& signature : out.signatures) {
    const auto first = std::find_if(
        record.violations.begin(), record.violations.end(), [&](const Violation& violation) {
          return !violation.expected && signature_of(violation) == signature;
        });
    out.broke.push_back(first == record.violations.end() ? out.says : first->says);
  }
  return out;
}

std::string Trial::says_of(const Signature& signature) const {
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    if (signatures[i] == signature) return broke[i];
  }
  return broke.empty() ? "" : broke.front();
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
    out.signatures.push_back(crash_signature(readable(death.last_words), death.ending));
  }
  out.broke = {death.last_words.empty() ? out.says : readable(death.last_words)};
  return out;
}

Bytes task_of_seed(std::uint64_t seed) {
  return encode(
      Task{.question = Question::run_seed, .seed = seed, .schedule = {}, .signature = {}});
}
Bytes task_of_schedule(const Schedule& schedule) {
  return encode(Task{.question = Question::run_schedule,
                     .seed = 0,
                     .schedule = encode_schedule(schedule),
                     .signature = {}});
}
Bytes task_of_draw(std::uint64_t seed) {
  return encode(Task{.question = Question::draw, .seed = seed, .schedule = {}, .signature = {}});
}
Bytes task_of_portrait(const Schedule& schedule, const Signature& signature) {
  return encode(Task{.question = Question::portrait,
                     .seed = 0,
                     .schedule = encode_schedule(schedule),
                     .signature = signature});
}

Work trial_work(const Scenario& scenario, const RunOptions& options, Portray portray) {
  return [scenario, options, portray = std::move(portray)](ByteView task) {
    return answer_to(task, {.scenario = &scenario, .options = options, .portray = portray});
  };
}
Work trial_work(const RunOptions& options, Portray portray) {
  return [options, portray = std::move(portray)](ByteView task) {
    return answer_to(task, {.scenario = nullptr, .options = options, .portray = portray});
  };
}

Trial trial_of(std::uint64_t seed, const Workers::Answer& answer) {
  if (answer.death) return trial_of(seed, *answer.death);
  std::optional<Trial> out = decode<Trial>(answer.reply);
  CHECK_THAT(out.has_value());
  return *std::move(out);
}

std::optional<Workers::Answer> ask(Workers& workers, Bytes task) {
  CHECK_THAT(workers.open() == 0);
  workers.submit(0, std::move(task));
  while (!workers.failed()) {
    if (auto answer = workers.next(std::chrono::seconds(1))) return answer;
  }
  return std::nullopt;
}

tl::expected<Schedule, NoSchedule> drawn(Workers& workers, std::uint64_t seed) {
  const std::optional<Workers::Answer> answer = ask(workers, task_of_draw(seed));
  if (!answer) return tl::unexpected(NoSchedule{.why = "no process can be made"});
  if (answer->death) {
    return tl::unexpected(
        NoSchedule{.why = trial_of(seed, *answer->death).broke.front(), .died = true});
  }
  const std::optional<Drawn> found = decode<Drawn>(answer->reply);
  CHECK_THAT(found.has_value());
  if (!found->why.empty()) return tl::unexpected(NoSchedule{.why = found->why});
  auto schedule = decode_schedule(found->schedule);
  CHECK_THAT(schedule.has_value());
  return *std::move(schedule);
}

Portrait portrait(Workers& workers, const Schedule& schedule, const Signature& signature) {
  const auto answer = ask(workers, task_of_portrait(schedule, signature));
  if (!answer || answer->death) return {};
  return decode<Portrait>(answer->reply).value_or(Portrait{});
}

}  // namespace rejoin::sim
