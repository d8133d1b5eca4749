// The timeline: which step fires when, and when it has completed.
//
// Steps form a chain: a step is reached when the step before it in the list has completed, and
// fires by its trigger from then on. `at` steps fire at their time whatever went before; the step
// after one of them still waits for it. A step that injects or waits completes as it fires; one
// that operates, or is a workload, completes when its last operation has returned or was abandoned
// (at once, when it runs in the background).
//
// Invariants:
// 1. A step fires inside a control event of its own, never inside a node's handler.
// 2. A trigger sees only facts published after its step was reached, except for those that are
//    states: `leader` fires at once when that node leads already, `ended` when that fault is over
//    already, `committed` of an index when it is committed already.
// 3. A fault is taken back once: by the end of its duration, by a step, or by the last phase,
//    whichever is first. Only a fault that touched something is in force.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/facts.hpp"
#include "model/schedule.hpp"
#include "sim/faults/fault.hpp"
#include "sim/invariants/world.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/run/workload.hpp"

namespace rejoin::sim {

class TimelineListener {
 public:
  virtual ~TimelineListener() = default;
  virtual void on_fired(std::size_t step) = 0;      // before its action
  virtual void on_completed(std::size_t step) = 0;  // after its action and all its operations
  // `says` names whom it hit: `the leader (node-2) pauses`. The injection outlives the call.
  virtual void on_injected(std::size_t step, const std::string& says,
                           const Injection& injection) = 0;
};

class Timeline final : public Agenda {
 public:
  Timeline(const Schedule& schedule, Kernel& kernel, const World& world,
           TimelineListener& listener);

  void begin();  // reaches the first step
  void on_fact(MonotonicTime at, const FactSource& source, const Fact& fact);
  void on_control(std::uint64_t id);
  // Agenda: in a control event, that much later.
  void after(Duration delay, std::function<void()> act) override;
  // Ends every fault that is in force and can be taken back.
  void take_back_all();

  // Every step and operation has completed, and every duration is over.
  [[nodiscard]] bool done() const {
    return completed_ == steps_.size() && operations_open_ == 0 && awaited_ == 0;
  }
  // What the fault of that step has done so far; 0 of one that touched nothing.
  [[nodiscard]] std::uint64_t done_by(std::size_t step) const;
  // Steps that have not fired, in order.
  [[nodiscard]] std::vector<std::size_t> unfired() const;
  // The chain has waited for a fact for longer than `patience`, and nothing else is to come.
  [[nodiscard]] bool stuck(MonotonicTime now, Duration patience) const;

 private:
  enum class Phase : std::uint8_t { unreached, waiting, scheduled, fired, completed };
  // A process, by whose it is.
  struct Awaited {
    NodeId node;
    bool twin = false;
  };
  struct Act {
    std::function<void()> run{};
    bool awaited = false;
  };
  struct State {
    Phase phase = Phase::unreached;
    MonotonicTime reached{};
    // Whom its trigger waits for: who they were when the waiting began. Empty: any node.
    std::vector<Awaited> awaits{};
    LogIndex committed{};             // by then
    std::size_t operations_left = 0;  // of a workload, one for each that is yet to begin, too
    std::optional<Load> load{};       // of a workload, once it has fired
    Injection injection{};            // `end` is empty when it is not in force
    bool lasts = false;               // until its duration is over
    bool taken_back = false;
    // What its fault does later. The n-th is the control event step + (n + 1) * steps. A deque: an
    // act may add another.
    std::deque<Act> acts{};
  };

  void reach(std::size_t step);
  void schedule(std::size_t step, MonotonicTime at);
  void check_quiet(std::size_t step, Duration length);
  void fire(std::size_t step);
  void operate(std::size_t step, const action::Operate& operate);
  void begin_load(std::size_t step, const action::Workload& workload);
  void plan_next(std::size_t step, ClientId client, MonotonicTime ended);
  void arrive(std::size_t step, ClientId client, const Load::Next& next);
  void strike(std::size_t step, const action::Inject& inject);
  void take_back(std::size_t step);
  void plan(std::size_t step, MonotonicTime at, Act act, std::uint64_t key);
  // The event of a step, or (from 1) of an act of its fault. Among those of its instant its place
  // is by the label: another step moves nothing.
  void control_at(MonotonicTime at, std::size_t step, std::size_t act, std::uint64_t key);
  void complete(std::size_t step);
  void count_down(const Operation& operation);
  void count_down(std::size_t step);
  void begin_to_wait(std::size_t step, const trigger::When& when);
  [[nodiscard]] bool holds(std::size_t step, const trigger::When& when) const;
  [[nodiscard]] bool matches(std::size_t step, const trigger::When& when, const FactSource& source,
                             const Fact& fact) const;
  // Of what the steps wait for, as facts have it.
  void absorb(const FactSource& source, const Fact& fact);

  const Schedule& schedule_;
  Kernel& kernel_;
  const World& world_;
  TimelineListener& listener_;
  Workload workload_;
  std::vector<State> steps_;
  std::map<std::string, std::size_t> by_label_;
  std::size_t acting_ = 0;  // whose fault strikes or acts now
  // Ends of durations and acts of faults that do not end, to come: the timeline waits for them.
  // What a fault that ends does again and again while it lasts is not waited for.
  std::uint64_t awaited_ = 0;
  std::size_t completed_ = 0;
  std::uint64_t operations_open_ = 0;
  LogIndex committed_{};                      // of the cluster group, as far as any server knows
  std::map<NodeId, std::uint32_t> software_;  // the version that each runs, or ran last
  bool upgraded_ = false;                     // the fact under way is a start with another
};

}  // namespace rejoin::sim
