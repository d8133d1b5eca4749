#include "sim/app/replay.hpp"

#include <fmt/format.h>

#include <array>

#include "model/wire.hpp"
#include "sim/app/second_process.hpp"
#include "sim/app/trace.hpp"
#include "sim/run/run.hpp"

namespace rejoin::app {

namespace {

// Far beyond any message: a length that is larger is no length.
constexpr std::uint32_t kStepBytesMax = 256U << 20U;

std::string chain_text(const ReplayStep& step) {
  return to_hex({.high = step.chain_high, .low = step.chain_low});
}

// The events say the same but the chain does not: what was done before it differs.
bool differ_in_chain_only(const ReplayStep& a, ReplayStep b) {
  b.chain_high = a.chain_high;
  b.chain_low = a.chain_low;
  return a == b;
}

std::string told(const ReplayStep& here, const std::optional<ReplayStep>& there) {
  std::string out = there && differ_in_chain_only(here, *there)
                        ? "two replays part before this event: both take it, but what was written "
                          "to disk or published before it differs\n"
                        : "two replays part here:\n";
  out += "  here:    " + to_text(here) + "\n";
  out += "  replay:  " + (there ? to_text(*there) : "ended before that") + "\n";
  return out;
}

class StepWriter final : public StepSink {
 public:
  void on_step(ReplayStep step) override { write_step(stdout, step); }
};

}  // namespace

std::string to_text(const ReplayStep& step) {
  if (step.what == ReplayStep::What::end) {
    return "the end: " + step.text + ", digest " + chain_text(step);
  }
  if (step.what == ReplayStep::What::fact) {
    return to_text(TraceLine{.at = step.at,
                             .event = step.event,
                             .host = step.host,
                             .other = {},
                             .kind = {},
                             .purpose = {},
                             .what = "  = " + step.text});
  }
  const sim::TraceEvent event{.at = step.at,
                              .event = step.event,
                              .kind = step.kind,
                              .host = step.to,
                              .from = step.from,
                              .id = step.id,
                              .message = MessageKind(step.message),
                              .payload = step.payload,
                              .chain = {}};
  return to_text(line_of(event)) + "  chain " + chain_text(step);
}

void write_step(std::FILE* out, const ReplayStep& step) {
  const Bytes bytes = encode(step);
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::fwrite(&size, sizeof size, 1, out);
  std::fwrite(bytes.data(), 1, bytes.size(), out);
}

std::optional<ReplayStep> read_step(std::FILE* in) {
  std::uint32_t size = 0;
  if (std::fread(&size, sizeof size, 1, in) != 1 || size > kStepBytesMax) return std::nullopt;
  Bytes bytes(size);
  if (std::fread(bytes.data(), 1, size, in) != size) return std::nullopt;
  return decode<ReplayStep>(bytes);
}

ReplayStep step_of(const sim::TraceEvent& event) {
  ReplayStep step;
  step.what = ReplayStep::What::event;
  step.at = event.at;
  step.event = event.event;
  step.kind = event.kind;
  step.to = event.host;
  step.from = event.from;
  step.id = event.id;
  step.message = event.message.value;
  step.payload.assign(event.payload.begin(), event.payload.end());
  step.chain_high = event.chain.high;
  step.chain_low = event.chain.low;
  return step;
}

ReplayStep step_of(const RunRecord& record) {
  ReplayStep step;
  step.what = ReplayStep::What::end;
  step.at = record.virtual_end;
  step.event = record.events;
  step.text = std::string(to_name(record.verdict)) + ", " + record.verdict_says;
  step.chain_high = record.digest.high;
  step.chain_low = record.digest.low;
  return step;
}

void StepSink::on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
                       const Fact& fact) {
  ReplayStep step;
  step.what = ReplayStep::What::fact;
  step.at = at;
  step.event = event;
  step.host = line_of(at, event, source, fact).host;
  step.text = describe(fact);
  step.payload = encode_fact(fact);
  on_step(std::move(step));
}

void Comparer::on_step(ReplayStep step) {
  if (difference_) return;
  const std::optional<ReplayStep> there = read_step(other_);
  if (!there || step != *there) difference_ = told(step, there);
}

// The second process: what it does goes to standard output, which is the pipe.
ExitStatus execute(const ReplayCommand& command) {
  const auto jobs = load(command.selection);
  if (!jobs) {
    print_error(jobs.error());
    return ExitStatus::bad_input;
  }
  const Job& job = jobs->front();
  StepWriter writer;
  const RunRecord record =
      sim::run(job.schedule(job.first_seed),
               {.expectations = command.selection.expectations, .trace = &writer});
  writer.on_step(step_of(record));
  return ExitStatus::as_expected;
}

Verification verify(const Job& job, std::uint64_t seed, const Selection& selection,
                    const RunRecord& record) {
  std::vector<std::string> words = {"replay-chain", job.file, "--seed", std::to_string(seed)};
  for (const sim::Override& set : selection.overrides) {
    words.insert(words.end(), {"--set", set.path + "=" + set.value});
  }
  if (selection.sync) words.insert(words.end(), {"--sync", *selection.sync});
  if (!selection.expectations) words.emplace_back("--no-expect");
  SecondProcess second(words);
  if (!second.started()) return {.difference = {}, .failure = "no second process can be started"};
  Comparer comparer(second.output());
  const RunRecord again =
      sim::run(job.schedule(seed), {.expectations = selection.expectations, .trace = &comparer});
  comparer.on_step(step_of(again));
  const std::optional<std::string> ended = second.finish();
  Verification out{.difference = comparer.difference(), .failure = {}};
  if (out.difference && ended) *out.difference += "  the second process " + *ended + "\n";
  if (!out.difference && ended) out.difference = "the second process " + *ended + "\n";
  // Twice in one process is a replay, too.
  if (!out.difference && step_of(record) != step_of(again)) {
    out.difference =
        "two replays in one process end differently:\n  first:   " + to_text(step_of(record)) +
        "\n  second:  " + to_text(step_of(again)) + "\n";
  }
  return out;
}

}  // namespace rejoin::app
