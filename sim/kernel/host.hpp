// One machine: its disk, its clocks, its timers, and the process that runs on it while it is up. It
// is the Env and the Observer of that process.
//
// Invariants:
// 1. Lives are counted from 1; each start is a new one. Timers and completions are of one life.
// 2. A crash or halt takes effect when nothing of the process is on the stack.
// 3. What happens to a host that is paused, slow or behind (messages, timers, completions, a start)
//    waits and is handled in the order in which it came: a queue with one server. A host that is
//    none of these handles each event as it comes, and has no queue.
// 4. The disk and the clocks go on while the host is paused: what was being synced becomes durable
//    in its time, and the process hears of it later.
// 5. The process lives in the time of its own clock, everyone else in true time: times are
//    translated here, in arm and in on_fact, and nowhere else.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/clock.hpp"
#include "sim/kernel/disk.hpp"
#include "sim/kernel/engine.hpp"

namespace rejoin::sim {

// What ends a life, in the order in which it was asked for.
struct Stop {
  class Host* host = nullptr;
  Fact fact;  // ProcessCrashed or ProcessHalted
  CrashScope scope{};
};

class Host final : public Env, public Observer {
 public:
  // A twin is a second machine with the id of another one's node.
  Host(Engine& engine, HostSpec spec, std::vector<Stop>& stops, bool is_twin = false);

  // ---- Env ----
  [[nodiscard]] MonotonicTime now() const override {
    if (clock_.is_troubled()) clock_.count_monotonic(engine_.now, engine_.effect_counts);
    return clock_.monotonic(engine_.now);
  }
  [[nodiscard]] WallTime wall_now() const override {
    if (clock_.is_troubled()) clock_.count_wall(engine_.now, engine_.effect_counts);
    return clock_.wall(engine_.now);
  }
  [[nodiscard]] Address self() const override { return spec_.address; }
  void send(Address to, Transport transport, Bytes frame, const Tag& tag) override;
  void arm(TimerId timer, MonotonicTime deadline) override;
  void disarm(TimerId timer) override;
  void append(std::string_view file, ByteView data) override;
  void sync(std::string_view file, IoToken token) override;
  void read(std::string_view file, IoToken token) override;
  void replace(std::string_view file, ByteView data, IoToken token) override;
  void remove(std::string_view file, IoToken token) override;
  [[nodiscard]] std::uint64_t random(std::string_view label, std::uint64_t what,
                                     std::uint64_t attempt) override;
  void halt(std::string_view reason) override;

  // ---- Observer ----
  void on_fact(const FactSource& source, const Fact& fact) override;

  // ---- For the kernel ----
  [[nodiscard]] const HostSpec& spec() const { return spec_; }
  [[nodiscard]] FactSource source() const {
    return {.node = spec_.node, .client = spec_.client, .incarnation = {}, .twin = twin_};
  }
  [[nodiscard]] bool is_twin() const { return twin_; }
  [[nodiscard]] bool is_up() const { return process_ != nullptr && !doomed_; }
  [[nodiscard]] const Installed& installed() const { return installed_; }
  [[nodiscard]] Process* process() const { return is_up() ? process_.get() : nullptr; }
  [[nodiscard]] const Disk& disk() const { return disk_; }
  [[nodiscard]] Disk& disk() { return disk_; }
  // An event that was scheduled for this host still counts.
  [[nodiscard]] bool expects(const EventRecord& record) const;

  void provision(std::string_view file, ByteView data);
  bool schedule_start(RestartOptions options);
  bool crash(CrashScope scope);
  void end_life(const Fact& fact, CrashScope scope);
  void move_to(Address address) { spec_.address = address; }
  // Folds what became durable, or was damaged; how many bytes that is.
  std::uint64_t fold(const std::vector<DurableWrite>& writes);

  // ---- Effects ----
  void pause(EffectId id);
  void slow(EffectId id, const HostOptions& options);
  void trouble_clock(EffectId id, const ClockTrouble& trouble);
  void step_wall_clock(Duration by) { clock_.step_wall(by); }
  bool end(EffectId id);  // false when it is none of its own

  // ---- Events ----
  void on_event(EventRecord&& record);
  void on_timer(std::uint32_t slot);

 private:
  void request_stop(const Fact& fact, CrashScope scope);
  void wipe();
  void requeue_timers();
  void complete_io(EventRecord&& record);
  void begin_io(const IoDone& done);
  [[nodiscard]] Fact in_true_time(const Fact& fact) const;

  // ---- What waits ----
  [[nodiscard]] bool defers() const {
    return !loads_.empty() || !pauses_.empty() || !waiting_.empty();
  }
  void wait(EventRecord&& record);
  void serve_next();
  void on_turn();
  [[nodiscard]] Duration service_of(const EventRecord& record);
  void handle(const EventRecord& record);
  void handle_start(const EventRecord& record);
  void handle_deliver(const EventRecord& record);
  void handle_timer(std::uint32_t slot);
  void handle_io(const IoDone& done);
  void schedule_io(const Disk::Requested& requested, IoToken token);
  void fold(const DurableWrite& write);

  Engine& engine_;
  HostSpec spec_;
  const bool twin_;
  // Whose draws these are. A node keeps them when it moves; a twin and a client have the first
  // address that they had, which is above all node ids.
  const std::uint32_t entropy_;
  std::vector<Stop>& stops_;
  Clock clock_;
  Disk disk_;
  TimerTable timers_;
  std::vector<EffectId> pauses_;
  std::vector<std::pair<EffectId, HostOptions>> loads_;  // no id: the machine is so
  // Of an io the frame is what was read and `aux` the status; of a timer `life` is how it was
  // armed.
  std::deque<EventRecord> waiting_;
  bool served_ = false;      // the first that waits has been given its time
  std::uint64_t turn_ = 0;   // whose entry in the queue counts; 0: none
  std::uint64_t turns_ = 0;  // ever
  std::unique_ptr<Process> process_;
  std::uint64_t life_ = 0;
  std::uint64_t starts_ = 0;         // requested
  std::uint64_t start_pending_ = 0;  // which of them; 0: none
  Wipe wipe_at_start_ = Wipe::none;
  std::uint64_t wipe_key_ = 0;
  Installed installed_;
  bool doomed_ = false;  // a stop waits
};

}  // namespace rejoin::sim
