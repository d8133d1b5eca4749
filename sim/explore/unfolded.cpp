#include <algorithm>
#include <string>
#include <utility>

#include "model/random.hpp"
#include "sim/explore/reductions.hpp"
#include "sim/run/workload.hpp"

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

// That many are easier to read one by one than as a workload of which most was left out.
constexpr std::size_t kPlainMax = 16;

struct Alone {
  MonotonicTime at{};
  OperationRequest request;
};

// Those that are kept, by when they begin. Empty: too many, or none.
std::vector<Alone> kept_of(const Schedule& schedule, const Step& step,
                           const action::Workload& workload, MonotonicTime fired) {
  std::vector<Alone> out;
  Load load(schedule.seed, step, workload, fired);
  for (std::uint32_t c = 1; c <= workload.clients; ++c) {
    for (auto next = load.next(ClientId(c), {}); next; next = load.next(ClientId(c), {})) {
      if (!next->kept) continue;
      out.push_back({.at = next->at, .request = load.request(ClientId(c), next->number)});
      if (out.size() > kPlainMax) return {};
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Alone& a, const Alone& b) { return a.at < b.at; });
  return out;
}

Step plain_step(const Step& step, const action::Workload& workload, const Alone& alone,
                std::size_t number) {
  const bool reads = alone.request.kind == OperationKind::read;
  action::Operate operate;
  operate.kind = alone.request.kind;
  operate.keys = {alone.request.key};
  operate.level = reads ? workload.read_level : workload.write_level;
  operate.via = workload.via;
  operate.background = true;
  // What is written is named after its request; an element is what it is.
  if (operate.kind == OperationKind::add || operate.kind == OperationKind::discard) {
    operate.value = alone.request.value;
  }
  Step out = step;
  out.label += "-" + std::to_string(number);
  out.trigger = trigger::At{alone.at};
  out.action = std::move(operate);
  return out;
}

}  // namespace

std::optional<Schedule> timed(const Schedule& schedule,
                              const std::map<std::string, MonotonicTime>& began) {
  Schedule out = schedule;
  bool any = false;
  for (Step& step : out.timeline) {
    const auto time = began.find(step.label);
    const bool follows = std::holds_alternative<trigger::Next>(step.trigger) ||
                         std::holds_alternative<trigger::After>(step.trigger);
    if (!follows || time == began.end() || time->second == MonotonicTime{}) continue;
    step.trigger = trigger::At{time->second};
    any = true;
  }
  if (!any) return std::nullopt;
  return out;
}

std::optional<Schedule> with_plain_operations(const Schedule& schedule, std::size_t step) {
  const Step& what = schedule.timeline[step];
  const auto* const at = std::get_if<trigger::At>(&what.trigger);
  const auto& workload = std::get<action::Workload>(what.action);
  if (at == nullptr || workload.rate_per_hour == 0) return std::nullopt;
  const std::vector<Alone> kept = kept_of(schedule, what, workload, at->time);
  if (kept.empty()) return std::nullopt;
  std::vector<Step> steps;
  for (const Alone& each : kept) {
    steps.push_back(plain_step(what, workload, each, steps.size() + 1));
  }
  std::get<action::Operate>(steps.back().action).background = workload.background;
  Schedule out = schedule;
  const auto place = out.timeline.erase(out.timeline.begin() + static_cast<std::ptrdiff_t>(step));
  out.timeline.insert(place, steps.begin(), steps.end());
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
