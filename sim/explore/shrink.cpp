#include "sim/explore/shrink.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sim/faults/fault.hpp"
#include "sim/invariants/invariant.hpp"
#include "sim/run/canonical.hpp"
#include "sim/run/run.hpp"
#include "sim/run/verdict.hpp"
#include "sim/scenario/scenario.hpp"

namespace rejoin::sim {

namespace {

// A candidate may take longer than what it was made from, within reason.
constexpr std::uint64_t kEventsFactor = 4;
constexpr std::uint64_t kEventsFree = 100'000;

// None: it waits for nothing.
std::optional<Schedule> with_longer_waits(const Schedule& schedule) {
  constexpr Duration kMore = 2s;
  Schedule out = schedule;
  bool waits = false;
  for (Step& step : out.timeline) {
    if (auto* after = std::get_if<trigger::After>(&step.trigger)) {
      after->delay += kMore;
      waits = true;
    } else if (auto* quiet = std::get_if<trigger::Quiet>(&step.trigger)) {
      quiet->length += kMore;
      waits = true;
    }
  }
  if (!waits) return std::nullopt;
  return out;
}

// Reads that follow at once wait for a while. None: there are none.
std::optional<Schedule> with_later_reads(const Schedule& schedule) {
  constexpr Duration kWait = 5s;
  Schedule out = schedule;
  bool any = false;
  for (Step& step : out.timeline) {
    const auto* const operate = std::get_if<action::Operate>(&step.action);
    const bool reads = operate != nullptr && operate->kind == OperationKind::read;
    if (!reads || !std::holds_alternative<trigger::Next>(step.trigger)) continue;
    step.trigger = trigger::After{kWait};
    any = true;
  }
  if (!any) return std::nullopt;
  return out;
}

// Faults last longer, and what came at a time after the first of them was over comes later by as
// much: what was left out may have kept somebody away. None: no fault has an end.
std::optional<Schedule> with_longer_faults(const Schedule& schedule) {
  constexpr Duration kMore = 2s;
  Schedule out = schedule;
  MonotonicTime over = kForever;
  MonotonicTime now{};
  for (Step& step : out.timeline) {
    if (const auto* const at = std::get_if<trigger::At>(&step.trigger)) now = at->time;
    auto* const inject = std::get_if<action::Inject>(&step.action);
    if (inject == nullptr || !inject->lasts) continue;
    over = std::min(over, now + *inject->lasts);
    *inject->lasts += kMore;
  }
  if (over == kForever) return std::nullopt;
  for (Step& step : out.timeline) {
    auto* const at = std::get_if<trigger::At>(&step.trigger);
    if (at != nullptr && at->time >= over) at->time += kMore;
  }
  return out;
}

// Every operation that may choose its coordinator asks that node. None: there is no such operation.
std::optional<Schedule> with_coordinator(const Schedule& schedule, NodeId node) {
  Schedule out = schedule;
  bool any = false;
  for (Step& step : out.timeline) {
    if (auto* const workload = std::get_if<action::Workload>(&step.action)) {
      any = any || workload->via != node;
      workload->via = node;
      continue;
    }
    auto* const operate = std::get_if<action::Operate>(&step.action);
    const bool chooses =
        operate != nullptr && !operate->direct && operate->kind != OperationKind::configure;
    if (!chooses || operate->via == node) continue;
    operate->via = node;
    any = true;
  }
  if (!any) return std::nullopt;
  return out;
}

// Draws of messages and timeouts that the part that was left out had a hand in: with another seed
// they may fall as they did.
std::vector<Schedule> with_other_seeds(const Schedule& schedule) {
  constexpr std::uint64_t kSeeds = 2;
  std::vector<Schedule> out;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    if (seed == schedule.seed) continue;
    out.push_back(schedule);
    out.back().seed = seed;
  }
  return out;
}

// Each step that waits for the one before it begins when it did, to the next full unit: its times
// are for people to read. None: no step waits.
std::optional<Schedule> in_time(const Schedule& schedule,
                                std::map<std::string, MonotonicTime> began, Duration unit) {
  for (auto& [label, time] : began) {
    time = MonotonicTime((time.time_since_epoch() + unit - 1ns) / unit * unit);
  }
  return timed(schedule, began);
}

// The same with what a part that was left out may have been good for alone: the time that it took,
// its turn among those who coordinate, and its luck. `began`: when each step did, with that part.
std::vector<Schedule> made_up_for(const Schedule& candidate,
                                  const std::map<std::string, MonotonicTime>& began) {
  std::vector<Schedule> out;
  for (const Duration unit : {Duration(1s), Duration(10ms)}) {
    if (auto kept = in_time(candidate, began, unit)) out.push_back(*std::move(kept));
  }
  if (auto slower = with_longer_waits(candidate)) out.push_back(*std::move(slower));
  if (auto later = with_later_reads(candidate)) out.push_back(*std::move(later));
  if (auto longer = with_longer_faults(candidate)) out.push_back(*std::move(longer));
  constexpr std::uint32_t kMost = 5;
  for (std::uint32_t n = 1; n <= std::min(candidate.cluster.nodes, kMost); ++n) {
    if (auto pinned = with_coordinator(candidate, NodeId(n))) out.push_back(*std::move(pinned));
  }
  for (Schedule& other : with_other_seeds(candidate)) out.push_back(std::move(other));
  return out;
}

// What a failure of this invariant rests on: who promises it, faults that do not end, and the time
// that there is for repairs after the last one.
class Ground {
 public:
  Ground(const Schedule& schedule, const std::string& invariant)
      : invariant_(invariant),
        promised_(promised(schedule)),
        endless_(endless(schedule)),
        dead_(dead(schedule)),
        settle_(schedule.limits.settle),
        settle_quiet_(schedule.limits.settle_quiet) {
    const InvariantSpec* const spec = Invariants::find(invariant);
    judged_last_ = spec != nullptr && spec->liveness;
  }

  // Whether a candidate that fails would show the same.
  [[nodiscard]] bool holds(const Schedule& candidate) const {
    const auto& limits = candidate.limits;
    const bool settles = limits.settle >= settle_ && limits.settle_quiet >= settle_quiet_;
    if (judged_last_ && (!settles || !ends_as_much(candidate))) return false;
    return promised_.empty() || std::ranges::includes(promised(candidate), promised_);
  }

 private:
  // Mechanisms of which no condition is given up.
  [[nodiscard]] std::set<std::string> promised(const Schedule& schedule) const {
    std::set<std::string> out;
    for (const Promise& promise : promises_of(schedule)) {
      if (promise.invariant == invariant_ && promise.unmet.empty()) out.insert(promise.mechanism);
    }
    return out;
  }
  [[nodiscard]] bool ends_as_much(const Schedule& candidate) const {
    return std::ranges::includes(endless_, endless(candidate)) && dead(candidate) <= dead_;
  }
  // How many more steps leave somebody dead than start somebody.
  static std::ptrdiff_t dead(const Schedule& schedule) {
    std::ptrdiff_t out = 0;
    for (const Step& step : schedule.timeline) {
      const auto* const inject = std::get_if<action::Inject>(&step.action);
      if (inject == nullptr) continue;
      for (const Claim& claim : Faults::find(inject->fault)->claims) {
        if (claim.hold == Hold::kills && !inject->lasts) ++out;
        if (claim.hold == Hold::renews) --out;
      }
    }
    return out;
  }
  // Labels of faults that go on for ever.
  static std::set<std::string> endless(const Schedule& schedule) {
    std::set<std::string> ended;
    for (const Step& step : schedule.timeline) {
      const auto* const end = std::get_if<action::End>(&step.action);
      if (end != nullptr) ended.insert(end->label);
    }
    std::set<std::string> out;
    for (const Step& step : schedule.timeline) {
      const auto* const inject = std::get_if<action::Inject>(&step.action);
      if (inject == nullptr || !Faults::find(inject->fault)->ends) continue;
      if (!inject->lasts && !ended.contains(step.label)) out.insert(step.label);
    }
    return out;
  }

  std::string invariant_;
  bool judged_last_ = false;
  std::set<std::string> promised_;
  std::set<std::string> endless_;
  std::ptrdiff_t dead_ = 0;
  Duration settle_{};
  Duration settle_quiet_{};
};

class Shrinker {
 public:
  Shrinker(Schedule schedule, const Signature& signature, const Vocabulary& vocabulary,
           Workers& workers, const ShrinkOptions& options)
      : schedule_(std::move(schedule)),
        signature_(signature),
        ground_(schedule_, signature.what),
        vocabulary_(vocabulary),
        workers_(workers),
        options_(options) {}

  std::optional<Shrunk> run() {
    const ScheduleSize from = size_of(schedule_);
    if (!confirm()) return std::nullopt;
    events_max_ = confirmed_->trial.events * kEventsFactor + kEventsFree;
    take_if_it_shows(timed(schedule_, confirmed_->trial.began));
    take_if_it_shows(unfolded(schedule_));
    bool minimal = false;
    bool stable = true;
    while (stable && !minimal && !is_over()) {
      bool changed = false;
      for (const Removal& removal : removals()) changed = remove(removal) || changed;
      changed = simplify() || changed;
      minimal = !changed && !is_over();
      // What was taken was run once each; chance has no part in a run, but in what ends its process
      // it may have.
      stable = confirm();
    }
    const bool is_it = stable && is_confirmed();
    return Shrunk{.schedule = std::move(confirmed_->schedule),
                  .trial = std::move(confirmed_->trial),
                  .from = from,
                  .runs = runs_,
                  .minimal = minimal && is_it,
                  .unstable = !stable};
  }

 private:
  [[nodiscard]] bool is_confirmed() const {
    return confirmed_ && encode_schedule(confirmed_->schedule) == encode_schedule(schedule_);
  }

  // Whether the schedule shows it twice: then it is what there is to go back to. One that became
  // larger on the way to something small (unfolded) is not asked.
  bool confirm() {
    if (is_confirmed()) return true;
    if (confirmed_ && weight_of(schedule_) > weight_of(confirmed_->schedule)) return true;
    std::optional<Trial> trial = shows_twice(schedule_);
    if (!trial) return false;
    confirmed_ = Confirmed{.schedule = schedule_, .trial = *std::move(trial)};
    return true;
  }

  void take_if_it_shows(std::optional<Schedule> candidate) {
    if (!candidate) return;
    std::vector<Schedule> only = {*std::move(candidate)};
    (void)take_first(only);
  }

  [[nodiscard]] bool is_over() const {
    return runs_ >= options_.runs_max || workers_.failed() || (options_.stop && options_.stop());
  }

  // Chunks of half the list, then of a quarter, and so on; the whole list first.
  bool remove(const Removal& removal) {
    bool changed = false;
    for (std::size_t chunk = removal.size(schedule_); chunk > 0 && !is_over();) {
      const bool removed = remove_chunks(removal, chunk);
      changed = changed || removed;
      const std::size_t size = removal.size(schedule_);
      // Once more with single elements, until none can go.
      if (chunk == 1 && !removed) break;
      chunk = chunk == 1 ? std::min<std::size_t>(size, 1) : std::min(chunk / 2, size);
    }
    return changed;
  }

  // From the end to the beginning: what comes later hangs on what comes before.
  bool remove_chunks(const Removal& removal, std::size_t chunk) {
    bool changed = false;
    std::size_t end = removal.size(schedule_);
    while (end > 0 && !is_over()) {
      std::vector<Schedule> candidates;
      std::vector<std::size_t> begins;
      for (std::size_t at = end; at > 0 && candidates.size() < batch();) {
        const std::size_t from = at > chunk ? at - chunk : 0;
        if (auto candidate = removal.without(schedule_, from, at - from)) {
          std::vector<Schedule> instead;
          if (chunk == 1) instead = made_up_for(*candidate, confirmed_->trial.began);
          instead.insert(instead.begin(), *std::move(candidate));
          for (Schedule& each : instead) {
            candidates.push_back(std::move(each));
            begins.push_back(from);
          }
        }
        at = from;
        if (at == 0 && candidates.empty()) return changed;
      }
      if (candidates.empty()) return changed;
      const std::optional<std::size_t> taken = take_first(candidates);
      end = taken ? begins[*taken] : begins.back();
      if (!taken) continue;
      changed = true;
      end = std::min(end, removal.size(schedule_));
    }
    return changed;
  }

  bool simplify() {
    bool changed = false;
    for (bool again = true; again && !is_over();) {
      again = false;
      std::vector<Schedule> all = plainer(schedule_);
      for (std::size_t at = 0; at < all.size() && !again && !is_over();) {
        const std::size_t end = std::min(all.size(), at + batch());
        std::vector<Schedule> candidates(
            std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(at)),
            std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(end)));
        again = take_first(candidates).has_value();
        at = end;
      }
      changed = changed || again;
    }
    return changed;
  }

  [[nodiscard]] std::size_t batch() const { return workers_.count(); }

  // The first candidate that fails in the same way becomes the schedule. Later ones were run for
  // nothing, and are not counted.
  std::optional<std::size_t> take_first(std::vector<Schedule>& candidates) {
    std::map<std::uint64_t, std::size_t> asked;
    std::vector<std::optional<bool>> shows(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (!check_schedule(candidates[i]).empty() || !ground_.holds(candidates[i])) {
        shows[i] = false;
        continue;
      }
      asked[task_] = i;
      workers_.submit(task_++, task_of_schedule(bounded(candidates[i])));
    }
    while (!asked.empty()) {
      const std::optional<Workers::Answer> answer = workers_.next(std::chrono::seconds(1));
      if (workers_.failed()) return std::nullopt;
      if (!answer) continue;
      const auto found = asked.find(answer->task);
      if (found == asked.end()) continue;
      shows[found->second] = trial_of(schedule_.seed, *answer).shows(signature_);
      asked.erase(found);
    }
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      ++runs_;
      if (!*shows[i] || !is_runnable(candidates[i], vocabulary_)) continue;
      schedule_ = std::move(candidates[i]);
      if (options_.progress) options_.progress(schedule_, runs_);
      return i;
    }
    return std::nullopt;
  }

  // A run that goes on for ever is not smaller; unless that is what is wrong.
  [[nodiscard]] Schedule bounded(const Schedule& candidate) const {
    Schedule out = candidate;
    const bool endless = signature_.what == "unbounded" || signature_.what == "hang";
    if (!endless) out.limits.events = std::min(out.limits.events, events_max_);
    return out;
  }

  std::optional<Trial> shows_twice(const Schedule& schedule) {
    std::optional<Trial> first;
    for (int i = 0; i < 2; ++i) {
      workers_.submit(task_++, task_of_schedule(schedule));
      std::optional<Workers::Answer> answer;
      while (!answer) {
        if (workers_.failed()) return std::nullopt;
        answer = workers_.next(std::chrono::seconds(1));
        if (answer && answer->task + 1 != task_) answer.reset();
      }
      const Trial trial = trial_of(schedule.seed, *answer);
      if (!trial.shows(signature_)) return std::nullopt;
      if (first && first->digest != trial.digest) return std::nullopt;
      first = trial;
    }
    return first;
  }

  struct Confirmed {
    Schedule schedule;
    Trial trial;
  };

  Schedule schedule_;
  std::optional<Confirmed> confirmed_;
  const Signature& signature_;
  Ground ground_;
  const Vocabulary& vocabulary_;
  Workers& workers_;
  const ShrinkOptions& options_;
  std::uint64_t runs_ = 0;
  std::uint64_t task_ = 0;
  std::uint64_t events_max_ = 0;
};

// The parts that decide what a run does; where a step was written does not.
Bytes essence(Schedule schedule) {
  schedule.file.clear();
  schedule.about.clear();
  schedule.expect.nothing = false;  // of `found`, which is written around it
  for (Step& step : schedule.timeline) step.where.clear();
  for (auto& [name, bound] : schedule.expect.metrics) bound.where.clear();
  return encode_schedule(schedule);
}

}  // namespace

bool is_runnable(const Schedule& schedule, const Vocabulary& vocabulary) {
  if (!check_schedule(schedule).empty()) return false;
  const auto scenario =
      read_scenario("shrunk.yaml", to_short_yaml(schedule, vocabulary), vocabulary);
  if (!scenario) return false;
  const auto read = scenario->materialise(schedule.seed);
  return read && essence(*read) == essence(schedule);
}

std::optional<Shrunk> shrink(const Schedule& schedule, const Signature& signature,
                             const Vocabulary& vocabulary, Workers& workers,
                             const ShrinkOptions& options) {
  return Shrinker(schedule, signature, vocabulary, workers, options).run();
}

}  // namespace rejoin::sim
