// What a run does, step by step, as bytes: so that two processes can compare their runs while both
// are under way, whatever compiler built them and on whatever machine they are.
//
// A stream of steps is, for each, its length in 4 bytes (little-endian) and the step.
//
// Invariants:
// 1. Steps are equal exactly when their bytes are.
// 2. A step is complete enough to be shown by the other process.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <variant>

#include "model/facts.hpp"
#include "model/run_record.hpp"
#include "model/wire.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/run/run.hpp"

namespace rejoin::sim {

struct EventStep {
  MonotonicTime at{};
  std::uint64_t event = 0;
  EventKind kind{};
  Address host;
  Address from;
  std::uint64_t id = 0;
  MessageKind message;
  Bytes payload;
  Hash128 chain;
};
struct FactStep {
  MonotonicTime at{};
  std::uint64_t event = 0;
  FactSource source;
  Fact fact;
};
struct EndStep {
  MonotonicTime at{};
  std::uint64_t events = 0;
  std::string verdict;  // `pass, as expected`
  Hash128 digest;
};
using RunStep = std::variant<EventStep, FactStep, EndStep>;
// None when the bytes are no step.
[[nodiscard]] std::optional<RunStep> decode_step(ByteView bytes);

// Turns what a run does into steps.
class StepSink : public TraceSink {
 public:
  void on_event(const TraceEvent& event) override;
  void on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
               const Fact& fact) override;
  // What is sent or dropped follows from the events, and shows in those that come of it.
  void on_send(MonotonicTime /*at*/, std::uint64_t /*event*/, Address /*from*/, Address /*to*/,
               ByteView /*frame*/, const Tag& /*tag*/) override {}
  void on_drop(MonotonicTime /*at*/, std::uint64_t /*event*/, Address /*from*/, Address /*to*/,
               const Tag& /*tag*/, DropReason /*reason*/) override {}
  // To be called with what the run came to.
  void on_end(const RunRecord& record);

 protected:
  virtual void on_step(ByteView step) = 0;

 private:
  Writer scratch_;  // kept for its memory
};

class StepWriter final : public StepSink {
 public:
  explicit StepWriter(std::FILE* out) : out_(out) {}

 private:
  void on_step(ByteView step) override;
  std::FILE* out_;
};

// The next step of a stream, into `step`; false at its end, or when what is there is no stream.
[[nodiscard]] bool read_step(std::FILE* in, Bytes& step);

// The second process of a comparison: reads one canonical schedule to the end of `in`, runs it and
// writes its steps to `out`. Says on standard error why not, if not; `options.trace` is ignored.
[[nodiscard]] bool replay_steps(std::FILE* in, std::FILE* out, const RunOptions& options = {});

}  // namespace rejoin::sim
