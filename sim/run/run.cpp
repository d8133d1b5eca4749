#include "sim/run/run.hpp"

#include <algorithm>
#include <memory>

#include "sim/invariants/judges.hpp"
#include "sim/kernel/network.hpp"
#include "sim/run/cluster.hpp"
#include "sim/run/event_recorder.hpp"
#include "sim/run/last_phase.hpp"
#include "sim/run/recorder.hpp"
#include "sim/run/timeline.hpp"
#include "sim/run/verdict.hpp"

namespace rejoin::sim {

namespace {

std::string sync_name(const SyncOptions& sync) {
  std::string out;
  for (const SyncOptions::Mechanism& mechanism : sync.mechanisms) {
    out += (out.empty() ? "" : "+") + mechanism.name;
  }
  return out.empty() ? "none" : out;
}

RunRecord describe_run(const Schedule& schedule) {
  RunRecord record;
  record.scenario = schedule.name;
  record.file = schedule.file;
  record.about = schedule.about;
  record.seed = schedule.seed;
  record.profile = schedule.profile;
  record.sync = sync_name(schedule.node.sync);
  record.versions = to_name(schedule.node.store.versions);
  record.nodes = schedule.cluster.nodes;
  record.partitions = schedule.node.partitioning.partitions;
  record.replication = schedule.node.partitioning.replication;
  return record;
}

std::string_view phase_of(const World& world) {
  if (world.leader().is_none()) return "electing";
  const auto any = [&world](auto is) {
    return std::any_of(world.nodes().begin(), world.nodes().end(),
                       [&is](const auto& item) { return is(item.second); });
  };
  if (any([](const ShadowNode& node) { return node.up && !node.repairing.empty(); })) {
    return "repairing";
  }
  if (any([](const ShadowNode& node) { return node.up && !node.member; })) return "joining";
  if (any([](const ShadowNode& node) { return !node.up && node.member; })) return "member down";
  return "steady";
}

// One run: facts flow from the kernel to the judges (whose world is the shadow of the cluster), to
// the recorder and to the timeline, which acts on the kernel.
class Runner final : public KernelListener, public TimelineListener {
 public:
  Runner(const Schedule& schedule, const RunOptions& options)
      : schedule_(schedule),
        options_(options),
        record_(describe_run(schedule)),
        events_(options.events == nullptr
                    ? nullptr
                    : std::make_unique<EventRecorder>(*options.events, options.trace)),
        kernel_({.seed = schedule.seed,
                 .fifo = schedule.fifo,
                 .network = schedule.network,
                 .topology = schedule.topology,
                 .host = schedule.host,
                 .disk = schedule.disk,
                 .dispatching = options.dispatch ? &options.dispatch->under_way : nullptr},
                *this, events_ == nullptr ? options.trace : events_.get()),
        judges_({.nodes = schedule.cluster.nodes,
                 .partitions = schedule.node.partitioning.partitions,
                 .copies = schedule.node.partitioning.replication},
                invariants_to_check(schedule), schedule.check_params),
        recorder_(schedule, judges_.world(), record_, events_.get()),
        timeline_(schedule, kernel_, judges_.world(), *this),
        last_phase_(schedule, kernel_, judges_.world(), timeline_) {
    if (options.dispatch != nullptr) options.dispatch->kernel = &kernel_;
    if (events_ != nullptr) {
      events_->attach(kernel_, judges_.world(), schedule.cluster.clients);
    }
  }
  ~Runner() override {
    if (options_.dispatch != nullptr) *options_.dispatch = {};
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  RunRecord run() {
    build_cluster(kernel_, schedule_);
    // Clients start at the first instant, in whatever order; steps ask something of them.
    while (!clients_are_up() && kernel_.step()) {}
    timeline_.begin();
    End end = play();
    if (end == End::settled) end = settle();
    finish(end);
    return std::move(record_);
  }

  void on_fact(MonotonicTime at, std::uint64_t event, const FactSource& source,
               const Fact& fact) override {
    judges_.on_fact(at, event, source, fact);
    if (events_ != nullptr) events_->after_fact(at, source, fact);
    recorder_.on_fact(at, source, fact);
    last_phase_.on_fact(source, fact);
    timeline_.on_fact(at, source, fact);
  }
  void on_control(std::uint64_t id) override { timeline_.on_control(id); }
  void on_fired(std::size_t step) override {
    if (options_.phases != nullptr) phase_ = phase_of(judges_.world());
    recorder_.on_step_fired(step, kernel_.now());
  }
  void on_completed(std::size_t step) override { recorder_.on_step_completed(step, kernel_.now()); }
  void on_injected(std::size_t step, const std::string& says, const Injection& injection) override {
    recorder_.on_step_injected(step, says, injection);
    if (options_.phases == nullptr || injection.touched == 0) return;
    const auto& inject = std::get<action::Inject>(schedule_.timeline[step].action);
    ++(*options_.phases)[inject.fault][std::string(phase_)];
  }

 private:
  [[nodiscard]] bool clients_are_up() const {
    for (std::uint32_t c = 1; c <= schedule_.cluster.clients; ++c) {
      if (!kernel_.is_up(client_address(ClientId(c)))) return false;
    }
    return true;
  }

  [[nodiscard]] bool within_bounds() const {
    return kernel_.events() < schedule_.limits.events &&
           kernel_.next_event_at().time_since_epoch() <= schedule_.limits.virtual_time;
  }

  // Until the timeline is done, or waits in vain.
  End play() {
    while (!timeline_.done() && !timeline_.stuck(kernel_.now(), schedule_.limits.patience)) {
      if (!within_bounds()) return End::bound_reached;
      if (!kernel_.step()) break;
    }
    return End::settled;
  }

  End settle() {
    last_phase_.begin();
    const MonotonicTime until = kernel_.now() + schedule_.limits.settle;
    while (kernel_.next_event_at() <= until && !last_phase_.is_over(kernel_.next_event_at())) {
      if (!within_bounds()) return End::bound_reached;
      if (!kernel_.step()) break;
    }
    return End::settled;
  }

  void finish(End end) {
    note_unfired();
    last_phase_.finish(record_);
    judges_.at_end(kernel_.now(), kernel_.events());
    for (std::size_t step = 0; step < schedule_.timeline.size(); ++step) {
      recorder_.on_step_did(step, timeline_.done_by(step));
    }
    recorder_.finish(kernel_, replicas_agree());
    if (events_ != nullptr) events_->finish(kernel_.now());
    record_.violations = judges_.violations();
    record_.judged = judges_.judged();
    record_.digest = kernel_.digest();
    record_.virtual_end = kernel_.now();
    record_.events = kernel_.events();
    judge(schedule_, end, options_.expectations, record_);
  }

  // What the first of them waits for, and how much of the schedule was played without it: an edit
  // of the code may have taken away what a saved schedule is anchored to.
  void note_unfired() {
    const std::vector<std::size_t> unfired = timeline_.unfired();
    const std::size_t all = schedule_.timeline.size();
    for (const std::size_t step : unfired) {
      const Step& what = schedule_.timeline[step];
      std::string says = "step " + what.label + " never fired" +
                         (what.where.empty() ? "" : " (" + what.where + ")");
      if (step == unfired.front()) {
        says += ": " + std::string(why_unfired(what.trigger)) + "; " +
                std::to_string(all - unfired.size()) + " of " + std::to_string(all) +
                " steps were applied";
      }
      record_.unmet.push_back(std::move(says));
    }
  }

  [[nodiscard]] static std::string_view why_unfired(const Trigger& trigger) {
    if (std::holds_alternative<trigger::When>(trigger)) return "what it waits for did not happen";
    if (std::holds_alternative<trigger::Quiet>(trigger)) return "it was never quiet for so long";
    return "what comes before it did not end";
  }

  // No up member misses or holds an old version of anything that it owns.
  [[nodiscard]] bool replicas_agree() const {
    const World& world = judges_.world();
    return std::all_of(world.nodes().begin(), world.nodes().end(), [&](const auto& item) {
      const NodeSnapshot snapshot = world.snapshot(item.first, kernel_.now());
      return snapshot.stale_keys == 0 && snapshot.missing_keys == 0;
    });
  }

  const Schedule& schedule_;
  const RunOptions& options_;
  RunRecord record_;
  std::unique_ptr<EventRecorder> events_;  // null: nobody wants them
  Kernel kernel_;
  Judges judges_;
  Recorder recorder_;
  Timeline timeline_;
  LastPhase last_phase_;
  std::string_view phase_;  // in which the step that strikes fired
};

}  // namespace

RunRecord run(const Schedule& schedule, const RunOptions& options) {
  return Runner(schedule, options).run();
}

}  // namespace rejoin::sim
