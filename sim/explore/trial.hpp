// What a worker is asked, and what it answers: one run, of a seed or of a schedule; what a seed
// draws; how a run looks to people. All that runs code of a scenario's plugins is asked of workers,
// so that no campaign ends by it.
//
// Invariant: an answer is a function of the question and of the program alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "model/bytes.hpp"
#include "model/fields.hpp"
#include "model/run_record.hpp"
#include "model/schedule.hpp"
#include "sim/explore/signature.hpp"
#include "sim/explore/workers.hpp"
#include "sim/run/run.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {

// What a run came to, in little: kept for each seed of a campaign while it is reported.
struct Trial {
  std::uint64_t seed = 0;
  Verdict verdict{};
  std::string says;    // the verdict in one line
  std::string digest;  // 32 hex digits; empty when the run did not end by itself
  std::uint64_t events = 0;
  std::uint64_t messages = 0;
  MonotonicTime virtual_end{};
  // Every way in which it failed, in order of time; empty when it did not.
  std::vector<Signature> signatures;
  std::vector<std::string> broke;  // for each of them, as a sentence; or why the process died
  std::map<std::string, std::uint64_t> judged;    // by invariant
  std::map<std::string, std::uint64_t> injected;  // by fault
  // By fault and by the phase of the cluster (RunOptions::phases).
  std::map<std::string, std::map<std::string, std::uint64_t>> injected_in;
  std::map<std::string, MonotonicTime> began;  // steps that fired, by label

  [[nodiscard]] bool failed() const { return !signatures.empty(); }
  [[nodiscard]] bool shows(const Signature& signature) const;
  // What it says of that signature, or of the first that it has; empty when it did not fail.
  [[nodiscard]] std::string says_of(const Signature& signature) const;
  friend bool operator==(const Trial&, const Trial&) = default;
  REJOIN_FIELDS(seed, verdict, says, digest, events, messages, virtual_end, signatures, broke,
                judged, injected, injected_in, began)
};

// Runs it here. `options.expectations` false: every violation is a failure.
[[nodiscard]] Trial run_trial(const Schedule& schedule, const RunOptions& options);
// Of a run that took its process along.
[[nodiscard]] Trial trial_of(std::uint64_t seed, const Workers::Death& death);

// What the step with that label came to.
struct StepNote {
  std::string label;
  std::string what;
  friend bool operator==(const StepNote&, const StepNote&) = default;
  REJOIN_FIELDS(label, what)
};

// A run as people look at it: for files.
struct Portrait {
  std::string trace;            // the last events up to the violation of a signature, a line each
  std::vector<StepNote> notes;  // what each step came to
  REJOIN_FIELDS(trace, notes)
};
using Portray = std::function<Portrait(const Schedule&, const Signature&)>;

// Tasks of a worker: a run of what a seed draws; of a schedule; what a seed draws; a portrait.
[[nodiscard]] Bytes task_of_seed(std::uint64_t seed);
[[nodiscard]] Bytes task_of_schedule(const Schedule& schedule);
[[nodiscard]] Bytes task_of_draw(std::uint64_t seed);
[[nodiscard]] Bytes task_of_portrait(const Schedule& schedule, const Signature& signature);
// Does any of them. A seed that gives no schedule fails with `no-schedule`. `options.dispatch` is
// of the worker's thread. Without `portray`, portraits are empty.
[[nodiscard]] Work trial_work(const Scenario& scenario, const RunOptions& options,
                              Portray portray = {});
// For schedules alone.
[[nodiscard]] Work trial_work(const RunOptions& options, Portray portray = {});
// What a worker answered to that task.
[[nodiscard]] Trial trial_of(std::uint64_t seed, const Workers::Answer& answer);

// Asked of workers with nothing open; each waits for the answer. None: no process can be made.
[[nodiscard]] std::optional<Workers::Answer> ask(Workers& workers, Bytes task);
// What the seed draws. The error says why there is no schedule that can be run: `died` when drawing
// it took the worker along.
struct NoSchedule {
  std::string why;
  bool died = false;
};
[[nodiscard]] tl::expected<Schedule, NoSchedule> drawn(Workers& workers, std::uint64_t seed);
// Empty when looking takes the worker along.
[[nodiscard]] Portrait portrait(Workers& workers, const Schedule& schedule,
                                const Signature& signature);

}  // namespace rejoin::sim
