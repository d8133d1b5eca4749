#include "sim/app/portrait.hpp"

#include <algorithm>
#include <deque>
#include <limits>

#include "model/time.hpp"
#include "sim/app/guard.hpp"
#include "sim/app/trace.hpp"
#include "sim/run/run.hpp"

namespace rejoin::app {

namespace {

constexpr std::size_t kLines = 200;

// The last lines up to an event.
class Tail final : public sim::TraceSink {
 public:
  explicit Tail(std::uint64_t until) : until_(until) {}

  void on_event(const sim::TraceEvent& event) override {
    if (event.kind != sim::EventKind::io) put(event.event, line_of(event));
  }
  void on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
               const Fact& fact) override {
    put(event, line_of(at, event, source, fact));
  }
  void on_send(MonotonicTime /*at*/, std::uint64_t /*event*/, Address /*from*/, Address /*to*/,
               ByteView /*frame*/, const Tag& /*tag*/) override {}
  void on_drop(MonotonicTime /*at*/, std::uint64_t /*event*/, Address /*from*/, Address /*to*/,
               const Tag& /*tag*/, sim::DropReason /*reason*/) override {}

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const TraceLine& line : lines_) {
      out += to_text(line);
      if (!out.ends_with('\n')) out += '\n';
    }
    return out;
  }

 private:
  void put(std::uint64_t event, TraceLine line) {
    if (event > until_) return;
    lines_.push_back(std::move(line));
    if (lines_.size() > kLines) lines_.pop_front();
  }

  std::uint64_t until_;
  std::deque<TraceLine> lines_;
};

}  // namespace

sim::Portrait portrait_of(const Schedule& schedule, const sim::Signature& signature) {
  sim::Portrait out;
  sim::RunOptions options{.expectations = false, .dispatch = guarded_dispatch()};
  const RunRecord record = sim::run(schedule, options);
  for (const Transition& transition : record.transitions) {
    out.notes.push_back({.label = transition.label,
                         .what = to_seconds_text(transition.at) + ": " + transition.what});
  }
  const auto broken = std::find_if(
      record.violations.begin(), record.violations.end(), [&signature](const Violation& violation) {
        return !violation.expected && sim::signature_of(violation) == signature;
      });
  Tail tail(broken == record.violations.end() ? std::numeric_limits<std::uint64_t>::max()
                                              : broken->event);
  options.trace = &tail;
  (void)sim::run(schedule, options);
  out.trace = tail.text();
  return out;
}

}  // namespace rejoin::app
