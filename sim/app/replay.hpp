// `--verify`: the same run in a second process, with other addresses, another allocator fill and
// another environment, compared step by step while both are under way.
//
// The second process is given the schedule as bytes and writes what it does to a pipe; the first
// reads it while it runs itself, and stops to compare at the first difference, which it can then
// show from both sides. Nothing is stored, and nothing is run a third time. The second process may
// be another build of the program, which shows where two builds part.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

#include "model/run_record.hpp"
#include "model/schedule.hpp"
#include "sim/run/run.hpp"
#include "sim/run/steps.hpp"

namespace rejoin::app {

// A line, as traces have them; of a message, what is in it.
[[nodiscard]] std::string to_text(const sim::RunStep& step);

// Compares what this process does with the steps of a stream, and hands all on to `next`.
class Comparer final : public sim::StepSink {
 public:
  // Neither is owned; `next` may be null.
  explicit Comparer(std::FILE* other, sim::TraceSink* next = nullptr)
      : other_(other), next_(next) {}

  // What differed, from both sides; none when nothing has.
  [[nodiscard]] const std::optional<std::string>& difference() const { return difference_; }
  // The stream began with a step: whoever wrote it replays something.
  [[nodiscard]] bool took() const { return took_; }

 private:
  void on_step(ByteView step) override;
  void on_event(const sim::TraceEvent& event) override;
  void on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
               const Fact& fact) override;
  void on_send(MonotonicTime at, std::uint64_t event, Address from, Address to, ByteView frame,
               const Tag& tag) override;
  void on_drop(MonotonicTime at, std::uint64_t event, Address from, Address to, const Tag& tag,
               sim::DropReason reason) override;

  std::FILE* other_;
  sim::TraceSink* next_;
  Bytes there_;  // the other's step; kept for its memory
  std::optional<std::string> difference_;
  bool took_ = false;
};

// A run of the schedule here and in a second process. What differed, or none; `failure` says why
// the second process could not be had.
struct Verification {
  RunRecord record;  // of the run here
  std::optional<std::string> difference;
  std::optional<std::string> failure;
};
// `program` is asked to `replay-steps`; empty: this one. `options.trace` sees the run here.
[[nodiscard]] Verification run_verified(const Schedule& schedule, const sim::RunOptions& options,
                                        const std::string& program = {});

}  // namespace rejoin::app
