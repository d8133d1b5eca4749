#include "sim/run/timeline.hpp"

#include <algorithm>
#include <utility>

#include "model/check.hpp"
#include "model/hash.hpp"
#include "model/random.hpp"
#include "sim/faults/fault.hpp"
#include "sim/run/cluster.hpp"
#include "sim/run/targets.hpp"

namespace rejoin::sim {

Timeline::Timeline(const Schedule& schedule, Kernel& kernel, const World& world,
                   TimelineListener& listener)
    : schedule_(schedule),
      kernel_(kernel),
      world_(world),
      listener_(listener),
      workload_(schedule.client),
      steps_(schedule.timeline.size()) {
  for (std::size_t s = 0; s < schedule.timeline.size(); ++s) {
    by_label_[schedule.timeline[s].label] = s;
  }
}

void Timeline::begin() {
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    if (const auto* at = std::get_if<trigger::At>(&schedule_.timeline[s].trigger)) {
      steps_[s].phase = Phase::scheduled;
      control_at(at->time, s, 0, 0);
    }
  }
  if (!steps_.empty()) reach(0);
}

void Timeline::reach(std::size_t step) {
  State& state = steps_[step];
  if (state.phase == Phase::completed && step + 1 < steps_.size()) {
    // An `at` step that is over already.
    return reach(step + 1);
  }
  if (state.phase != Phase::unreached) return;
  state.reached = kernel_.now();
  state.phase = Phase::waiting;
  const Trigger& trigger = schedule_.timeline[step].trigger;
  if (std::holds_alternative<trigger::Next>(trigger)) {
    schedule(step, kernel_.now());
  } else if (const auto* after = std::get_if<trigger::After>(&trigger)) {
    schedule(step, kernel_.now() + after->delay);
  } else if (const auto* quiet = std::get_if<trigger::Quiet>(&trigger)) {
    check_quiet(step, quiet->length);
  } else if (const auto* when = std::get_if<trigger::When>(&trigger)) {
    begin_to_wait(step, *when);
    if (holds(step, *when)) schedule(step, kernel_.now());
  }
}

void Timeline::begin_to_wait(std::size_t step, const trigger::When& when) {
  State& state = steps_[step];
  state.committed = committed_;
  if (!when.node.is_none()) state.awaits = {{.node = when.node, .twin = false}};
  const Moment moment{.schedule = schedule_,
                      .kernel = kernel_,
                      .world = world_,
                      .label = schedule_.timeline[step].label};
  for (const Selector& selector : when.who) {
    if (selector.kind == Selector::Kind::twin) {
      state.awaits.push_back({.node = selector.node, .twin = true});
    }
  }
  for (const NodeId node : resolve_nodes(when.who, moment)) {
    state.awaits.push_back({.node = node, .twin = false});
  }
  // Nobody is not anybody: no node has this id.
  if (state.awaits.empty() && !when.who.empty()) state.awaits = {{.node = {}, .twin = true}};
}

// What is so already, of the triggers that are states.
bool Timeline::holds(std::size_t step, const trigger::When& when) const {
  using What = trigger::When::What;
  const State& state = steps_[step];
  if (when.what == What::ended) return steps_[by_label_.at(when.text)].taken_back;
  if (when.what == What::committed_index) return committed_.value >= when.count;
  if (when.what != What::leader) return false;
  if (state.awaits.empty()) {
    return std::any_of(world_.nodes().begin(), world_.nodes().end(),
                       [](const auto& item) { return item.second.leader; });
  }
  return std::any_of(state.awaits.begin(), state.awaits.end(), [this](const Awaited& awaited) {
    return !awaited.node.is_none() && world_.leader() == awaited.node;
  });
}

void Timeline::schedule(std::size_t step, MonotonicTime at) {
  steps_[step].phase = Phase::scheduled;
  control_at(at, step, 0, 0);
}

void Timeline::control_at(MonotonicTime at, std::size_t step, std::size_t act, std::uint64_t key) {
  kernel_.control_at(at, step + act * steps_.size(),
                     mix(hash64(schedule_.timeline[step].label), key));
}

// Fires when nothing has changed for `length`; else looks again when that could be so.
void Timeline::check_quiet(std::size_t step, Duration length) {
  const MonotonicTime since = std::max(steps_[step].reached, world_.last_change());
  const bool open = world_.open_operations() != 0;
  steps_[step].phase = Phase::scheduled;
  control_at(open ? kernel_.now() + length : since + length, step, 0, 0);
}

void Timeline::on_control(std::uint64_t id) {
  const auto step = static_cast<std::size_t>(id % steps_.size());
  const auto act = static_cast<std::size_t>(id / steps_.size());
  if (act != 0) {
    CHECK_THAT(act <= steps_[step].acts.size());
    Act& planned = steps_[step].acts[act - 1];
    if (planned.awaited) --awaited_;
    acting_ = step;
    return std::exchange(planned.run, {})();
  }
  if (steps_[step].phase != Phase::scheduled) return;
  if (const auto* quiet = std::get_if<trigger::Quiet>(&schedule_.timeline[step].trigger)) {
    const MonotonicTime since = std::max(steps_[step].reached, world_.last_change());
    if (world_.open_operations() != 0 || kernel_.now() < since + quiet->length) {
      return check_quiet(step, quiet->length);
    }
  }
  fire(step);
}

void Timeline::fire(std::size_t step) {
  const Step& what = schedule_.timeline[step];
  steps_[step].phase = Phase::fired;
  listener_.on_fired(step);
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    const auto* when = std::get_if<trigger::When>(&schedule_.timeline[s].trigger);
    if (when != nullptr && steps_[s].phase == Phase::waiting &&
        when->what == trigger::When::What::started && when->text == what.label) {
      schedule(s, kernel_.now());
    }
  }
  if (const auto* inject = std::get_if<action::Inject>(&what.action)) {
    strike(step, *inject);
    complete(step);
  } else if (const auto* end = std::get_if<action::End>(&what.action)) {
    take_back(by_label_.at(end->label));
    complete(step);
  } else if (const auto* operate_action = std::get_if<action::Operate>(&what.action)) {
    operate(step, *operate_action);
  } else if (const auto* workload = std::get_if<action::Workload>(&what.action)) {
    begin_load(step, *workload);
  } else {
    complete(step);
  }
}

void Timeline::strike(std::size_t step, const action::Inject& inject) {
  const FaultSpec* const fault = Faults::find(inject.fault);
  CHECK_THAT(fault != nullptr);
  const std::string& label = schedule_.timeline[step].label;
  Targets targets =
      find_targets(*fault, inject.params,
                   {.schedule = schedule_, .kernel = kernel_, .world = world_, .label = label});
  const std::string says = fault->says(targets.said);
  kernel_.publish({}, fact::FaultInjected{.fault = inject.fault, .target = says});
  FaultSite site{.kernel = kernel_,
                 .params = inject.params,
                 .key = {.seed = schedule_.seed, .domain = Domain::fault, .who = hash64(label)},
                 .agenda = *this,
                 .hosts = std::move(targets.hosts),
                 .sets = std::move(targets.sets)};
  acting_ = step;
  State& state = steps_[step];
  state.injection = fault->inject(site);
  listener_.on_injected(step, says, state.injection);
  if (state.injection.touched == 0) {
    if (state.injection.end) state.injection.end();
    state.injection = {};
    return;
  }
  if (!inject.lasts || !state.injection.end) return;
  state.lasts = true;
  ++awaited_;
  const MonotonicTime now = kernel_.now();
  const MonotonicTime over = *inject.lasts > kForever - now ? kForever : now + *inject.lasts;
  plan(step, over, {.run = [this, step] { take_back(step); }}, state.acts.size() + 1);
}

void Timeline::take_back(std::size_t step) {
  State& state = steps_[step];
  if (!state.injection.end) return;
  acting_ = step;
  std::exchange(state.injection.end, {})();
  state.taken_back = true;
  if (std::exchange(state.lasts, false)) --awaited_;
  const auto& inject = std::get<action::Inject>(schedule_.timeline[step].action);
  kernel_.publish({},
                  fact::FaultEnded{.fault = inject.fault, .label = schedule_.timeline[step].label});
}

void Timeline::take_back_all() {
  for (std::size_t step = 0; step < steps_.size(); ++step) {
    if (!steps_[step].injection.end) continue;
    const auto& inject = std::get<action::Inject>(schedule_.timeline[step].action);
    if (inject.lasts || !Faults::find(inject.fault)->stays) take_back(step);
  }
}

void Timeline::after(Duration delay, std::function<void()> act) {
  const auto& inject = std::get<action::Inject>(schedule_.timeline[acting_].action);
  const bool awaited = !Faults::find(inject.fault)->ends;
  awaited_ += awaited ? 1U : 0U;
  plan(acting_, kernel_.now() + delay, {.run = std::move(act), .awaited = awaited},
       steps_[acting_].acts.size() + 1);
}

void Timeline::plan(std::size_t step, MonotonicTime at, Act act, std::uint64_t key) {
  steps_[step].acts.push_back(std::move(act));
  control_at(at, step, steps_[step].acts.size(), key);
}

void Timeline::operate(std::size_t step, const action::Operate& operate) {
  const auto requests = workload_.begin(schedule_.timeline[step], operate);
  for (const auto& [client, its] : requests) steps_[step].operations_left += its.size();
  operations_open_ += steps_[step].operations_left;
  for (const auto& [client, its] : requests) {
    Client& program = client_program(kernel_, client);
    for (const OperationRequest& request : its) program.submit(request);
  }
  if (operate.background || requests.empty()) complete(step);
}

void Timeline::begin_load(std::size_t step, const action::Workload& workload) {
  State& state = steps_[step];
  state.load.emplace(schedule_.seed, schedule_.timeline[step], workload, kernel_.now());
  for (std::uint32_t c = 1; c <= workload.clients; ++c) {
    plan_next(step, ClientId(c), kernel_.now());
  }
  if (workload.background || state.operations_left == 0) complete(step);
}

// Counted as open from here on, so that nobody takes the workload for done between two operations.
void Timeline::plan_next(std::size_t step, ClientId client, MonotonicTime ended) {
  State& state = steps_[step];
  const std::optional<Load::Next> next = state.load->next(client, ended);
  if (!next) return;
  ++state.operations_left;
  ++operations_open_;
  plan(step, next->at, {.run = [this, step, client, it = *next] { arrive(step, client, it); }},
       mix(client.value, next->number));
}

void Timeline::arrive(std::size_t step, ClientId client, const Load::Next& next) {
  const Load& load = *steps_[step].load;
  const auto& workload = std::get<action::Workload>(schedule_.timeline[step].action);
  if (next.kept) {
    client_program(kernel_, client).submit(workload_.begin(load, workload, client, next.number));
  } else {
    workload_.skip(load, client, next.number);
  }
  // In a closed loop the answer to this one leads to the next.
  if (load.is_open() || !next.kept) plan_next(step, client, kernel_.now());
  if (!next.kept) count_down(step);
}

void Timeline::complete(std::size_t step) {
  if (steps_[step].phase == Phase::completed) return;
  steps_[step].phase = Phase::completed;
  ++completed_;
  listener_.on_completed(step);
  if (step + 1 < steps_.size()) reach(step + 1);
}

void Timeline::count_down(const Operation& operation) {
  const auto at = by_label_.find(operation.label);
  CHECK_THAT(at != by_label_.end());
  const State& state = steps_[at->second];
  if (state.load && !state.load->is_open()) {
    plan_next(at->second, operation.id.client, kernel_.now());
  }
  count_down(at->second);
}

void Timeline::count_down(std::size_t step) {
  State& state = steps_[step];
  CHECK_THAT(state.operations_left != 0);
  --operations_open_;
  if (--state.operations_left == 0) complete(step);
}

bool Timeline::matches(std::size_t step, const trigger::When& when, const FactSource& source,
                       const Fact& fact) const {
  using What = trigger::When::What;
  const State& state = steps_[step];
  const auto awaits = [&state](NodeId node, bool twin) {
    if (state.awaits.empty()) return !twin && !node.is_none();
    return std::any_of(state.awaits.begin(), state.awaits.end(), [&](const Awaited& awaited) {
      return awaited.node == node && awaited.twin == twin;
    });
  };
  const bool of_node = awaits(source.node, source.twin);
  switch (when.what) {
    case What::removed: {
      const auto* f = std::get_if<fact::MemberRemoved>(&fact);
      return f != nullptr && f->on_leader && awaits(f->node, false);
    }
    case What::joined: {
      const auto* f = std::get_if<fact::MemberAdded>(&fact);
      return f != nullptr && f->on_leader && awaits(f->member.node, false);
    }
    case What::leader: {
      const auto* f = std::get_if<fact::BecameLeader>(&fact);
      return f != nullptr && f->group == kClusterGroup && of_node;
    }
    case What::rebalanced: {
      const auto* f = std::get_if<fact::MapApplied>(&fact);
      return f != nullptr && f->on_leader;
    }
    case What::repair_started:
      return std::holds_alternative<fact::RepairStarted>(fact) && of_node;
    case What::repair_completed:
      return std::holds_alternative<fact::RepairCompleted>(fact) && of_node;
    case What::sync_requested: {
      const auto* f = std::get_if<fact::SyncRequested>(&fact);
      return f != nullptr && of_node && f->count == when.count;
    }
    case What::sync_completed: {
      const auto* f = std::get_if<fact::SyncCompleted>(&fact);
      return f != nullptr && of_node && f->count == when.count;
    }
    case What::ended: {
      const auto* f = std::get_if<fact::FaultEnded>(&fact);
      return f != nullptr && f->label == when.text;
    }
    case What::crashed:
      return of_node && (std::holds_alternative<fact::ProcessCrashed>(fact) ||
                         std::holds_alternative<fact::ProcessHalted>(fact));
    case What::halted:
      return std::holds_alternative<fact::ProcessHalted>(fact) && of_node;
    case What::storage_corrupt:
      return std::holds_alternative<fact::StorageCorrupt>(fact) && of_node;
    case What::gate_opened:
      return std::holds_alternative<fact::GateOpened>(fact) && of_node;
    case What::hook_fired:
      return std::holds_alternative<fact::HookFired>(fact) && of_node;
    case What::upgraded:
      return upgraded_ && of_node;
    case What::committed_index:
      return committed_.value >= when.count;
    case What::committed_count:
      return committed_.value - state.committed.value >= when.count;
    case What::started:
      return false;  // decided where steps fire
  }
  return false;
}

void Timeline::absorb(const FactSource& source, const Fact& fact) {
  upgraded_ = false;
  if (source.node.is_none() || source.twin) return;
  if (const auto* committed = std::get_if<fact::Committed>(&fact)) {
    if (committed->group == kClusterGroup) committed_ = std::max(committed_, committed->index);
  } else if (std::holds_alternative<fact::ProcessStarted>(fact)) {
    const std::uint32_t version = kernel_.version_of(kernel_.address_of(source.node));
    const auto [at, is_first] = software_.emplace(source.node, version);
    upgraded_ = !is_first && at->second != version;
    at->second = version;
  }
}

void Timeline::on_fact(MonotonicTime at, const FactSource& source, const Fact& fact) {
  absorb(source, fact);
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    if (steps_[s].phase != Phase::waiting) continue;
    const auto* when = std::get_if<trigger::When>(&schedule_.timeline[s].trigger);
    if (when != nullptr && matches(s, *when, source, fact)) schedule(s, at);
  }
  if (const auto* returned = std::get_if<fact::OperationReturned>(&fact)) {
    count_down(returned->operation);
  } else if (const auto* abandoned = std::get_if<fact::OperationAbandoned>(&fact)) {
    count_down(abandoned->operation);
  }
}

std::uint64_t Timeline::done_by(std::size_t step) const {
  return sim::done_by(steps_[step].injection, kernel_);
}

bool Timeline::stuck(MonotonicTime now, Duration patience) const {
  if (operations_open_ != 0 || awaited_ != 0) return false;
  bool late = false;
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    const bool quiet = std::holds_alternative<trigger::Quiet>(schedule_.timeline[s].trigger);
    const Phase phase = steps_[s].phase;
    if (phase == Phase::scheduled && !quiet) return false;  // its time will come
    const bool waits = phase == Phase::waiting || phase == Phase::scheduled;
    if (waits && now - steps_[s].reached > patience) late = true;
  }
  return late;
}

std::vector<std::size_t> Timeline::unfired() const {
  std::vector<std::size_t> out;
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    if (steps_[s].phase != Phase::fired && steps_[s].phase != Phase::completed) out.push_back(s);
  }
  return out;
}

}  // namespace rejoin::sim
