#include "sim/app/replay.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/hash.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/guard.hpp"
#include "sim/app/second_process.hpp"
#include "sim/app/trace.hpp"
#include "sim/run/canonical.hpp"

namespace rejoin::app {

namespace {

std::string text_of(const sim::EventStep& step) {
  return to_text(line_of(sim::TraceEvent{.at = step.at,
                                         .event = step.event,
                                         .kind = step.kind,
                                         .host = step.host,
                                         .from = step.from,
                                         .id = step.id,
                                         .message = step.message,
                                         .payload = step.payload,
                                         .chain = step.chain})) +
         "  chain " + to_hex(step.chain);
}
std::string text_of(const sim::FactStep& step) {
  return to_text(line_of(step.at, step.event, step.source, step.fact));
}
std::string text_of(const sim::EndStep& step) {
  return "the end: " + step.verdict + ", digest " + to_hex(step.digest);
}

// The events are alike but for their chains: what was done before them differs.
bool differ_in_chain_only(const sim::RunStep& a, const sim::RunStep& b) {
  const auto* here = std::get_if<sim::EventStep>(&a);
  const auto* there = std::get_if<sim::EventStep>(&b);
  return here != nullptr && there != nullptr && here->chain != there->chain &&
         here->at == there->at && here->event == there->event && here->kind == there->kind &&
         here->host == there->host && here->from == there->from && here->id == there->id &&
         here->message == there->message && here->payload == there->payload;
}

std::string told(ByteView here_bytes, const std::optional<sim::RunStep>& there) {
  const std::optional<sim::RunStep> here = sim::decode_step(here_bytes);
  if (!here) return "a step of this run cannot be read\n";
  std::string out = "two replays part here:\n";
  if (there && differ_in_chain_only(*here, *there)) {
    out =
        "two replays part before this event: both take it, but what was written to disk or "
        "published before it differs\n";
  }
  const std::string theirs = there ? to_text(*there) : "ended before that";
  out += "  here:    " + to_text(*here) + "\n  replay:  " + theirs + "\n";
  if (to_text(*here) == theirs) out += "  they differ in bytes that no text shows\n";
  return out;
}

}  // namespace

std::string to_text(const sim::RunStep& step) {
  return std::visit([](const auto& known) { return text_of(known); }, step);
}

void Comparer::on_step(ByteView step) {
  if (difference_) return;
  const bool is_there = sim::read_step(other_, there_);
  took_ = took_ || (is_there && sim::decode_step(there_));
  if (is_there && std::equal(step.begin(), step.end(), there_.begin(), there_.end())) return;
  difference_ = told(step, is_there ? sim::decode_step(there_) : std::nullopt);
}

void Comparer::on_event(const sim::TraceEvent& event) {
  if (next_ != nullptr) next_->on_event(event);
  StepSink::on_event(event);
}
void Comparer::on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
                       const Fact& fact) {
  if (next_ != nullptr) next_->on_fact(at, event, source, fact);
  StepSink::on_fact(at, event, source, fact);
}
void Comparer::on_send(MonotonicTime at, std::uint64_t event, Address from, Address to,
                       ByteView frame, const Tag& tag) {
  if (next_ != nullptr) next_->on_send(at, event, from, to, frame, tag);
}
void Comparer::on_drop(MonotonicTime at, std::uint64_t event, Address from, Address to,
                       const Tag& tag, sim::DropReason reason) {
  if (next_ != nullptr) next_->on_drop(at, event, from, to, tag, reason);
}

// The second process: what it does goes to standard output, which is the pipe.
ExitStatus execute(const ReplayCommand& command) {
  const bool done = sim::replay_steps(
      stdin, stdout, {.expectations = command.expectations, .dispatch = guarded_dispatch()});
  return done ? ExitStatus::as_expected : ExitStatus::bad_input;
}

Verification run_verified(const Schedule& schedule, const sim::RunOptions& options,
                          const std::string& program) {
  std::vector<std::string> words = {"replay-steps"};
  if (!options.expectations) words.emplace_back("--no-expect");
  SecondProcess second(program, words, sim::encode_schedule(schedule));
  Verification out;
  if (!second.started()) out.failure = "no second process can be started";
  Comparer comparer(second.output(), options.trace);
  sim::RunOptions compared = options;
  if (second.started()) compared.trace = &comparer;
  out.record = sim::run(schedule, compared);
  if (!second.started()) return out;
  comparer.on_end(out.record);
  const std::optional<std::string> ended = second.finish();
  out.difference = comparer.difference();
  if (!second.was_found()) {
    out.failure = "there is no program `" + program + "`";
    out.difference.reset();
  } else if (!comparer.took()) {
    out.failure =
        (program.empty() ? "the second process" : "`" + program + "`") +
        " did not take the schedule: it " + ended.value_or("ended") +
        " without a step of a run that this program can read\n  hint: --verify-with "
        "takes a `rejoin` or `rejoin_digests` that was built from the same source: "
        "`./dev digests` builds the latter (schedules are handed over as format " +
        fmt::format("{}, shape {:016x})", sim::kCanonicalFormat, hash64(sim::schedule_shape()));
    out.difference.reset();
  } else if (ended) {
    out.difference = out.difference.value_or("") + "  the second process " + *ended + "\n";
  }
  return out;
}

}  // namespace rejoin::app
