// Plainer schedules: each candidate says one thing more simply.
#include <algorithm>
#include <set>
#include <utility>

#include "sim/explore/reductions.hpp"
#include "sim/faults/fault.hpp"
#include "sim/scenario/fields.hpp"

namespace rejoin::sim {

namespace {

constexpr Share kAll{.ppm = 1'000'000};

// Durations that say less than this one, shortest first: of one digit, in the unit in which people
// would give it.
std::vector<Duration> shorter(Duration duration) {
  std::vector<Duration> out;
  constexpr std::pair<Duration, Duration> kSteps[] = {// up to, in steps of
                                                      {10ms, 1ms},
                                                      {100ms, 10ms},
                                                      {1s, 100ms},
                                                      {10s, 1s},
                                                      {60s, 10s}};
  const auto offer = [&](Duration candidate) {
    if (candidate >= 0ns && candidate < duration &&
        std::find(out.begin(), out.end(), candidate) == out.end()) {
      out.push_back(candidate);
    }
  };
  offer(duration / 4);
  offer(duration / 2);
  Duration step = 60s;
  for (const auto& [up_to, in] : kSteps) {
    if (duration <= up_to) {
      step = in;
      break;
    }
  }
  for (Duration& half : out) half -= half % step;
  offer(duration - duration % step);
  if (duration % step == 0ns) offer(duration - step);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  std::erase_if(out, [duration](Duration each) { return each >= duration || each < 0ns; });
  return out;
}

class Plainer {
 public:
  explicit Plainer(const Schedule& schedule) : schedule_(schedule) {}

  std::vector<Schedule> take() {
    structures();
    clients();
    order();
    gaps();
    for (std::size_t i = 0; i < schedule_.timeline.size(); ++i) {
      trigger(i);
      if (std::holds_alternative<action::Operate>(schedule_.timeline[i].action)) operate(i);
      if (std::holds_alternative<action::Workload>(schedule_.timeline[i].action)) workload(i);
      if (std::holds_alternative<action::Inject>(schedule_.timeline[i].action)) inject(i);
    }
    return std::move(out_);
  }

 private:
  template <class Change>
  void offer(const Change& change) {
    Schedule candidate = schedule_;
    change(candidate);
    out_.push_back(std::move(candidate));
  }
  template <class Change>
  void offer_step(std::size_t step, const Change& change) {
    offer([&](Schedule& candidate) { change(candidate.timeline[step]); });
  }

  // What has no list of its own.
  void structures() {
    Schedule defaults;
    defaults.profile = schedule_.profile;
    apply_profile(defaults);
    if (schedule_.topology != defaults.topology) {
      offer([&](Schedule& candidate) { candidate.topology = {}; });
    }
    if (schedule_.network.latency != defaults.network.latency) {
      offer([&](Schedule& candidate) { candidate.network.latency = defaults.network.latency; });
    }
    for (std::size_t i = 0; i < schedule_.network.latency_by_purpose.size(); ++i) {
      if (!schedule_.network.latency_by_purpose[i]) continue;
      offer([i](Schedule& candidate) { candidate.network.latency_by_purpose[i].reset(); });
    }
    for (std::size_t i = 0; i < schedule_.topology.sites.size(); ++i) {
      const std::string& name = schedule_.topology.sites[i].name;
      offer([&](Schedule& candidate) {
        auto& topology = candidate.topology;
        topology.sites.erase(topology.sites.begin() + static_cast<std::ptrdiff_t>(i));
        std::erase_if(topology.links,
                      [&](const auto& link) { return link.a == name || link.b == name; });
        for (auto& site : topology.sites) {
          if (site.within == name) site.within.clear();
        }
      });
    }
    if (!schedule_.limits.core.empty()) {
      offer([](Schedule& candidate) { candidate.limits.core.clear(); });
    }
  }

  void clients() {
    if (schedule_.cluster.clients == 1) return;
    offer([](Schedule& candidate) {
      candidate.cluster.clients = 1;
      for (Step& step : candidate.timeline) {
        if (auto* operate = std::get_if<action::Operate>(&step.action)) operate->clients = 1;
      }
    });
    std::uint32_t most = 1;
    for (const Step& step : schedule_.timeline) {
      const auto* operate = std::get_if<action::Operate>(&step.action);
      if (operate != nullptr) most = std::max(most, operate->clients);
    }
    if (most < schedule_.cluster.clients) {
      offer([most](Schedule& candidate) { candidate.cluster.clients = most; });
    }
  }

  // Steps in the order in which they begin: those that follow another one stay behind it.
  void order() {
    struct Block {
      MonotonicTime begin{};
      std::vector<Step> steps;
    };
    std::vector<Block> blocks;
    for (const Step& step : schedule_.timeline) {
      const auto* at = std::get_if<trigger::At>(&step.trigger);
      if (at != nullptr || blocks.empty()) blocks.emplace_back();
      if (at != nullptr) blocks.back().begin = at->time;
      blocks.back().steps.push_back(step);
    }
    const auto is_earlier = [](const Block& a, const Block& b) { return a.begin < b.begin; };
    if (std::is_sorted(blocks.begin(), blocks.end(), is_earlier)) return;
    std::stable_sort(blocks.begin(), blocks.end(), is_earlier);
    offer([&](Schedule& candidate) {
      candidate.timeline.clear();
      for (const Block& block : blocks) {
        candidate.timeline.insert(candidate.timeline.end(), block.steps.begin(), block.steps.end());
      }
    });
  }

  // Time in which no step begins, with all that comes after it.
  void gaps() {
    std::set<MonotonicTime> times;
    for (const Step& step : schedule_.timeline) {
      if (const auto* at = std::get_if<trigger::At>(&step.trigger)) times.insert(at->time);
    }
    MonotonicTime before{};
    for (const MonotonicTime time : times) {
      const Duration gap = time - before;
      before = time;
      for (const Duration less : shorter(gap)) {
        offer([&](Schedule& candidate) {
          for (Step& step : candidate.timeline) {
            auto* at = std::get_if<trigger::At>(&step.trigger);
            if (at != nullptr && at->time >= time) at->time -= gap - less;
          }
        });
      }
    }
  }

  void trigger(std::size_t i) {
    const Trigger& trigger = schedule_.timeline[i].trigger;
    if (std::holds_alternative<trigger::Next>(trigger)) return;
    offer_step(i, [](Step& step) { step.trigger = trigger::Next{}; });
    if (const auto* at = std::get_if<trigger::At>(&trigger)) {
      for (const Duration time : shorter(at->time.time_since_epoch())) {
        offer_step(i, [time](Step& step) { step.trigger = trigger::At{MonotonicTime(time)}; });
      }
    } else if (const auto* after = std::get_if<trigger::After>(&trigger)) {
      for (const Duration delay : shorter(after->delay)) {
        offer_step(i, [delay](Step& step) { step.trigger = trigger::After{delay}; });
      }
    } else if (const auto* quiet = std::get_if<trigger::Quiet>(&trigger)) {
      for (const Duration length : shorter(quiet->length)) {
        if (length == 0ns) continue;
        offer_step(i, [length](Step& step) { step.trigger = trigger::Quiet{length}; });
      }
    }
  }

  void operate(std::size_t i) {
    const auto& operate = std::get<action::Operate>(schedule_.timeline[i].action);
    const auto offer_operate = [&](const auto& change) {
      offer_step(i, [&](Step& step) { change(std::get<action::Operate>(step.action)); });
    };
    if (operate.background) {
      offer_operate([](action::Operate& candidate) { candidate.background = false; });
    }
    if (operate.clients > 1) {
      offer_operate([](action::Operate& candidate) { candidate.clients = 1; });
    }
    if (operate.every != 0ns) {
      offer_operate([](action::Operate& candidate) { candidate.every = {}; });
    }
    if (operate.level) offer_operate([](action::Operate& candidate) { candidate.level.reset(); });
    if (!operate.via.is_none() && !operate.direct) {
      offer_operate([](action::Operate& candidate) { candidate.via = {}; });
    }
    if (operate.expect) offer_operate([](action::Operate& candidate) { candidate.expect.reset(); });
  }

  void workload(std::size_t i) {
    if (auto plain = with_plain_operations(schedule_, i)) out_.push_back(*std::move(plain));
    const auto& workload = std::get<action::Workload>(schedule_.timeline[i].action);
    const action::Workload defaults;
    const auto offer_workload = [&](const auto& change) {
      offer_step(i, [&](Step& step) { change(std::get<action::Workload>(step.action)); });
    };
    // What comes after the last that is kept takes time, and nothing else.
    std::uint64_t needed = 0;
    for (const auto& each : workload.keep.value_or(std::vector<action::Workload::Range>{})) {
      needed = std::max(needed, (each.last - 1) * workload.clients + each.client.value);
    }
    if (needed != 0 && workload.operations && needed < *workload.operations) {
      offer_workload([needed](action::Workload& candidate) { candidate.operations = needed; });
    }
    for (const Duration lasts : shorter(workload.lasts.value_or(0ns))) {
      if (lasts == 0ns) continue;
      offer_workload([lasts](action::Workload& candidate) { candidate.lasts = lasts; });
    }
    if (workload.background) {
      offer_workload([](action::Workload& candidate) { candidate.background = false; });
    }
    if (workload.value_size != defaults.value_size) {
      offer_workload([](action::Workload& candidate) { candidate.value_size = {}; });
    }
    if (workload.popularity != defaults.popularity) {
      offer_workload([](action::Workload& candidate) { candidate.popularity = {}; });
    }
    if (workload.read_level) {
      offer_workload([](action::Workload& candidate) { candidate.read_level.reset(); });
    }
    if (workload.write_level) {
      offer_workload([](action::Workload& candidate) { candidate.write_level.reset(); });
    }
    if (!workload.via.is_none()) {
      offer_workload([](action::Workload& candidate) { candidate.via = {}; });
    }
  }

  void inject(std::size_t i) {
    const auto& inject = std::get<action::Inject>(schedule_.timeline[i].action);
    const auto offer_inject = [&](const auto& change) {
      offer_step(i, [&](Step& step) { change(std::get<action::Inject>(step.action)); });
    };
    if (inject.may_miss) {
      offer_inject([](action::Inject& candidate) { candidate.may_miss = false; });
    }
    if (inject.lasts) {
      offer_inject([](action::Inject& candidate) { candidate.lasts.reset(); });
      for (const Duration lasts : shorter(*inject.lasts)) {
        if (lasts == 0ns) continue;
        offer_inject([lasts](action::Inject& candidate) { candidate.lasts = lasts; });
      }
    }
    replace(i, inject);
    for (const auto& [name, value] : inject.params.all()) {
      const auto* const share = std::get_if<Share>(&value);
      if (share != nullptr && *share != kAll) {
        offer_inject(
            [&name = name](action::Inject& candidate) { candidate.params.set(name, kAll); });
      }
      const auto* duration = std::get_if<Duration>(&value);
      if (duration == nullptr) continue;
      for (const Duration each : shorter(*duration)) {
        if (each == 0ns) continue;
        offer_inject(
            [&name = name, each](action::Inject& candidate) { candidate.params.set(name, each); });
      }
    }
  }

  // A fault that says the same more plainly: dead, or cut off. Of the hosts that it is about; one
  // of links, which strikes whom it happens to, becomes one of a single node, and with its luck
  // goes all that was there to meet it.
  void replace(std::size_t i, const action::Inject& inject) {
    const FaultSpec* const from = Faults::find(inject.fault);
    // What lasts until the end is another matter: nobody comes back.
    if (from == nullptr || !inject.lasts) return;
    std::vector<Selectors> targets;
    const auto target = inject.params.all().find("target");
    if (target != inject.params.all().end() && std::holds_alternative<Selectors>(target->second)) {
      targets.push_back(std::get<Selectors>(target->second));
    } else if (from->kind == FaultClass::network) {
      constexpr std::uint32_t kMost = 5;
      for (std::uint32_t n = 1; n <= std::min(schedule_.cluster.nodes, kMost); ++n) {
        targets.push_back({Selector{.kind = Selector::Kind::node, .node = NodeId(n)}});
      }
    }
    for (const std::string_view name : {"crash", "isolate"}) {
      if (inject.fault == name) return;
      const FaultSpec* const spec = Faults::find(name);
      if (spec == nullptr) continue;
      for (const Selectors& hosts : targets) {
        offer_step(i, [&](Step& step) {
          auto& candidate = std::get<action::Inject>(step.action);
          candidate.fault = std::string(name);
          candidate.params = default_params(spec->params);
          candidate.params.set("target", hosts);
        });
      }
    }
  }

  const Schedule& schedule_;
  std::vector<Schedule> out_;
};

}  // namespace

std::vector<Schedule> plainer(const Schedule& schedule) {
  return Plainer(schedule).take();
}

}  // namespace rejoin::sim
