// `--verify`: the same run in a second process, with other addresses, another allocator fill and
// another environment, compared step by step while both are under way.
//
// The second process writes what it does to a pipe; the first reads it while it runs and stops at
// the first difference, which it can then show from both sides. Nothing is stored.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

#include "model/fields.hpp"
#include "model/run_record.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/load.hpp"
#include "sim/kernel/kernel.hpp"

namespace rejoin::app {

// One thing that a run did, complete enough to compare and to be shown by the other process.
struct ReplayStep {
  enum class What : std::uint8_t { event, fact, end };
  What what{};
  MonotonicTime at{};
  std::uint64_t event = 0;
  std::string text;       // of a fact, described; of the end, the verdict
  std::string host;       // of a fact
  sim::EventKind kind{};  // of an event, from here on
  Address to;
  Address from;
  std::uint64_t id = 0;
  std::uint16_t message = 0;
  Bytes payload;
  std::uint64_t chain_high = 0;  // of an event, and of the end: the digest
  std::uint64_t chain_low = 0;

  friend bool operator==(const ReplayStep&, const ReplayStep&) = default;
  REJOIN_FIELDS(what, at, event, text, host, kind, to, from, id, message, payload, chain_high,
                chain_low)
};
[[nodiscard]] std::string to_text(const ReplayStep& step);

// Neither reads from nor writes to anything it does not own; a stream is bytes of steps, each
// after its length.
void write_step(std::FILE* out, const ReplayStep& step);
// None at the end of the stream, or when what is there is no step.
[[nodiscard]] std::optional<ReplayStep> read_step(std::FILE* in);

[[nodiscard]] ReplayStep step_of(const sim::TraceEvent& event);
[[nodiscard]] ReplayStep step_of(const RunRecord& record);

// Hands on what a run does, as steps.
class StepSink : public sim::TraceSink {
 public:
  void on_event(const sim::TraceEvent& event) override { on_step(step_of(event)); }
  void on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
               const Fact& fact) override;
  void on_send(MonotonicTime /*at*/, std::uint64_t /*event*/, Address /*from*/, Address /*to*/,
               ByteView /*frame*/, const Tag& /*tag*/) override {}
  void on_drop(MonotonicTime /*at*/, std::uint64_t /*event*/, Address /*from*/, Address /*to*/,
               const Tag& /*tag*/, sim::DropReason /*reason*/) override {}

 protected:
  virtual void on_step(ReplayStep step) = 0;
};

// Compares what this process does with the steps of a stream.
class Comparer final : public StepSink {
 public:
  explicit Comparer(std::FILE* other) : other_(other) {}

  void on_step(ReplayStep step) override;
  // What differed, from both sides; none when nothing has.
  [[nodiscard]] const std::optional<std::string>& difference() const { return difference_; }

 private:
  std::FILE* other_;
  std::optional<std::string> difference_;
};

// Runs `seed` of the job twice, here and in a second process. What differed, or none; `failure`
// says why the second process could not be had.
struct Verification {
  std::optional<std::string> difference;
  std::optional<std::string> failure;
};
[[nodiscard]] Verification verify(const Job& job, std::uint64_t seed, const Selection& selection,
                                  const RunRecord& record);

}  // namespace rejoin::app
