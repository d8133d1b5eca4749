// What a worker is asked, and what it answers: one run, of a seed or of a schedule.
//
// Invariant: an answer is a function of the question and of the program alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
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
  std::string broke;  // the first violation, as a sentence; or why the process died
  std::map<std::string, std::uint64_t> judged;    // by invariant
  std::map<std::string, std::uint64_t> injected;  // by fault

  [[nodiscard]] bool failed() const { return !signatures.empty(); }
  [[nodiscard]] bool shows(const Signature& signature) const;
  friend bool operator==(const Trial&, const Trial&) = default;
  REJOIN_FIELDS(seed, verdict, says, digest, events, messages, virtual_end, signatures, broke,
                judged, injected)
};

// Runs it here. `options.expectations` false: every violation is a failure.
[[nodiscard]] Trial run_trial(const Schedule& schedule, const RunOptions& options);
// Of a run that took its process along.
[[nodiscard]] Trial trial_of(std::uint64_t seed, const Workers::Death& death);

// Tasks of a worker.
[[nodiscard]] Bytes task_of_seed(std::uint64_t seed);
[[nodiscard]] Bytes task_of_schedule(const Schedule& schedule);
// Does either. A seed that gives no schedule fails with `no-schedule`. `options.dispatch` is of the
// worker's thread.
[[nodiscard]] Work trial_work(const Scenario& scenario, const RunOptions& options);
// For schedules alone.
[[nodiscard]] Work trial_work(const RunOptions& options);
// What a worker answered to that task.
[[nodiscard]] Trial trial_of(std::uint64_t seed, const Workers::Answer& answer);

}  // namespace rejoin::sim
