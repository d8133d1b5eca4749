#include <string>

#include "sim/explore/reductions.hpp"

namespace rejoin::sim {

namespace {

// Its operations side by side, when their pace is what decides when they happen.
bool is_paced(const Step& step) {
  const auto* const operate = std::get_if<action::Operate>(&step.action);
  return operate != nullptr && operate->every != 0ns && operate->keys.size() > 1 &&
         operate->kind != OperationKind::configure &&
         std::holds_alternative<trigger::At>(step.trigger);
}

void unfold(const Step& step, std::vector<Step>& out) {
  const auto& operate = std::get<action::Operate>(step.action);
  const MonotonicTime begin = std::get<trigger::At>(step.trigger).time;
  for (std::size_t i = 0; i < operate.keys.size(); ++i) {
    // Clients take turns (Workload), each at its own pace.
    const auto turn = static_cast<std::int64_t>(i / operate.clients);
    Step one = step;
    one.label += "-" + std::to_string(i + 1);
    one.trigger = trigger::At{begin + turn * operate.every};
    auto& alone = std::get<action::Operate>(one.action);
    alone.keys = {operate.keys[i]};
    alone.clients = 1;
    alone.every = {};
    alone.background = operate.background || i + 1 < operate.keys.size();
    out.push_back(std::move(one));
  }
}

}  // namespace

std::optional<Schedule> timed(const Schedule& schedule,
                              const std::map<std::string, MonotonicTime>& began) {
  Schedule out = schedule;
  bool any = false;
  for (std::size_t i = 1; i < out.timeline.size(); ++i) {
    Step& step = out.timeline[i];
    const auto time = began.find(step.label);
    const bool follows = std::holds_alternative<trigger::Next>(step.trigger) ||
                         std::holds_alternative<trigger::After>(step.trigger);
    if (!follows || time == began.end()) continue;
    step.trigger = trigger::At{time->second};
    any = true;
  }
  if (!any) return std::nullopt;
  return out;
}

std::optional<Schedule> unfolded(const Schedule& schedule) {
  Schedule out = schedule;
  out.timeline.clear();
  for (const Step& step : schedule.timeline) {
    if (is_paced(step)) {
      unfold(step, out.timeline);
    } else {
      out.timeline.push_back(step);
    }
  }
  if (out.timeline.size() == schedule.timeline.size()) return std::nullopt;
  return out;
}

}  // namespace rejoin::sim
