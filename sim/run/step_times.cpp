#include "sim/run/step_times.hpp"

#include <algorithm>

namespace rejoin::sim {
namespace {

constexpr Duration kLongest = kForever.time_since_epoch();

Duration plus(Duration a, Duration b) {
  return b > kLongest - a ? kLongest : a + b;
}

// Whether the step has completed as it fires.
bool is_over_at_once(const Step& step) {
  if (const auto* const workload = std::get_if<action::Workload>(&step.action)) {
    return workload->background;
  }
  const auto* const operate = std::get_if<action::Operate>(&step.action);
  return operate == nullptr || operate->background || operate->keys.empty();
}

}  // namespace

StepTime later(const StepTime& time, Duration by) {
  return {.origin = time.origin,
          .since = plus(time.since, by),
          .least = plus(time.least, by),
          .step = kNoStep};
}

StepTimes::StepTimes(const Schedule& schedule) {
  StepTime reached;  // when the step before has completed
  std::size_t chain = 0;
  for (std::size_t s = 0; s < schedule.timeline.size(); ++s) {
    const Step& step = schedule.timeline[s];
    StepTime fires = reached;
    if (const auto* at = std::get_if<trigger::At>(&step.trigger)) {
      fires = {.since = at->time.time_since_epoch(), .least = at->time.time_since_epoch()};
      chain = s;
    } else if (const auto* after = std::get_if<trigger::After>(&step.trigger)) {
      fires = later(reached, after->delay);
    } else if (!std::holds_alternative<trigger::Next>(step.trigger)) {
      fires = {.origin = 2 * s, .since = {}, .least = reached.least};
    }
    fires.step = s;
    times_.push_back(fires);
    chain_begins_.push_back(chain);
    reached = fires;
    if (!is_over_at_once(step)) {
      reached = {.origin = 2 * s + 1, .since = {}, .least = fires.least};
    }
  }
}

bool StepTimes::in_order(const StepTime& a, const StepTime& b) const {
  const bool steps = a.step != kNoStep && b.step != kNoStep;
  if (a.origin == b.origin && a.since != b.since) return a.since < b.since;
  if (a.origin == b.origin) return steps && a.step < b.step;
  if (steps && chain_begins_[b.step] <= a.step && a.step < b.step) return true;
  return a.is_known() && a.since < b.least;
}

}  // namespace rejoin::sim
