// What the hosts and the kernel share: the clock, the queue and the records of its events, timers,
// the network, the digest and whoever listens.
//
// Invariants:
// 1. A queue entry names its record by slot. It is stale when the record's own sequence differs
//    (the timer was moved earlier, or is gone); stale entries are skipped where they surface, and
//    swept when they outnumber the others.
// 2. A timer has one entry that counts. Arming it for later only writes the deadline and reserves
//    a sequence; the entry is pushed again, with that sequence, when it surfaces.
// 3. Structural changes (crash, halt) asked for while a process or a listener is on the stack
//    wait until it has returned: see `busy`, and Stop in host.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/carrier.hpp"
#include "sim/kernel/chain.hpp"
#include "sim/kernel/event_queue.hpp"
#include "sim/kernel/flat_map.hpp"
#include "sim/kernel/kernel.hpp"
#include "sim/kernel/network.hpp"
#include "sim/kernel/slot_pool.hpp"

namespace rejoin::sim {

// An event that will be dispatched, apart from timers.
struct EventRecord {
  EventKind kind{};
  Purpose purpose{};        // deliver
  MessageKind message{};    // deliver
  Address host{};           // to whom; none for control
  Address from{};           // deliver
  std::uint32_t aux = 0;    // deliver: attempt; io: file
  std::uint64_t life = 0;   // io, start: of the host, for which it counts; turn: which;
                            // deliver: stream << 32 | number; network: ticket
  std::uint64_t id = 0;     // deliver: identity; io: token; control: id; network: link
  std::uint32_t round = 0;  // deliver: see Parcel
  bool turn = false;        // what waits longest at the host is to be handled; see Host
  Bytes frame{};            // deliver
};

// What its sender said of a message.
[[nodiscard]] inline Tag tag_of(const EventRecord& record) {
  return {.kind = record.message,
          .purpose = record.purpose,
          .identity = record.id,
          .attempt = record.aux};
}

// When a timer is due: in true time, and as the clock of its host shows it.
struct Deadline {
  MonotonicTime due{};
  MonotonicTime shown{};
};

// Armed without an entry in the queue: it is due, and waits for its host to handle it.
struct TimerRecord {
  TimerId id;
  Address host;
  bool armed = false;
  FlatMap<std::uint32_t>* table = nullptr;  // of its host, which has it by id
  std::int64_t queued_at_ns = 0;            // where its entry is
  std::uint64_t queued_sequence = 0;        // of its entry; 0: none
  std::int64_t deadline_ns = 0;
  MonotonicTime shown{};       // the deadline on its host's clock
  std::uint64_t order = 0;     // reserved by the last arm
  std::uint64_t sequence = 0;  // likewise
};

// The timers of one host: TimerId to slot.
using TimerTable = FlatMap<std::uint32_t>;

// Raises a flag that may be absent until it goes out of scope, however that comes about.
class Raised {
 public:
  explicit Raised(bool* flag) : flag_(flag) {
    if (flag_ != nullptr) before_ = std::exchange(*flag_, true);
  }
  ~Raised() {
    if (flag_ != nullptr) *flag_ = before_;
  }
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;

 private:
  bool* flag_;
  bool before_ = false;
};

struct Engine final : Carrier {
  Engine(const KernelOptions& with, KernelListener& listening_to, TraceSink* shown_to)
      : options(with),
        listener(listening_to),
        trace(shown_to),
        network(with.network, with.topology, with.seed, *this) {}

  // ---- Events ----
  [[nodiscard]] std::uint64_t order_of(EventKind kind, Address host, std::uint64_t what,
                                       std::uint64_t attempt) const;
  void schedule(MonotonicTime at, std::uint64_t order, EventRecord&& record);
  // Counts the event, folds it and shows it to the trace.
  void begin_event(const TraceEvent& event);
  void publish(const FactSource& source, const Fact& fact);
  void send(Address from, Address to, Transport transport, Bytes frame, const Tag& tag);
  void drop(Address from, Address to, const Tag& tag, DropReason reason);
  // Of what was carried to now: whether its process is to handle it. `up`: there is a process.
  [[nodiscard]] bool arrives(EventRecord& record, bool up) {
    const auto stream = static_cast<std::uint32_t>(record.life >> 32U);
    const auto number = static_cast<std::uint32_t>(record.life);
    return (up && network.arrives_direct(stream, number)) || arrives_judged(record, up);
  }

  // ---- Carrier ----
  [[nodiscard]] MonotonicTime time() const override { return now; }
  [[nodiscard]] EffectId next_effect() override { return EffectId(++last_effect); }
  [[nodiscard]] EffectCounts& counts() override { return effect_counts; }
  void carry(MonotonicTime at, Parcel&& parcel) override;
  void wake(MonotonicTime at, std::uint64_t link, std::uint64_t ticket) override;
  void lose(const Parcel& parcel, DropReason reason) override;
  void note(const Parcel& parcel, Mishap mishap) override;

  // ---- Timers ----
  void arm(TimerTable& table, Address host, TimerId timer, Deadline deadline);
  void arm(TimerTable& table, Address host, TimerId timer, MonotonicTime deadline) {
    arm(table, host, timer, {.due = deadline, .shown = deadline});
  }
  void disarm(TimerTable& table, TimerId timer);
  // True when the timer of the front entry fires at that entry's time. When not, the entry was
  // disposed of: pushed again where it belongs now, or dropped.
  [[nodiscard]] bool timer_is_due(const QueueEntry& front);
  // After it fired and its process has been told: forgotten, unless it was armed again.
  void finish_timer(const TimerTable& table, TimerId timer);
  void drop_timers(TimerTable& table);
  // The timer has come due and its entry was taken, but its host handles it later.
  void defer_timer(std::uint32_t slot);
  // The slot of a deferred timer, unless it was disarmed or moved since.
  [[nodiscard]] std::optional<std::uint32_t> deferred_timer(const TimerTable& table, TimerId timer,
                                                            std::uint64_t armed_as);
  // The host's clock has changed its pace: every pending timer is due when `due` says so of the
  // time that it waits for. In the order in which they were armed.
  void requeue_timers(TimerTable& table, Address host,
                      const std::function<MonotonicTime(MonotonicTime)>& due);

  [[nodiscard]] bool arrives_judged(EventRecord& record, bool up);
  // Pushes the timer's entry as it was last armed.
  void enqueue_timer(std::uint32_t slot);
  void sweep_timers();
  void forget_timer(std::uint32_t slot);

  [[nodiscard]] bool busy() const { return dispatching || listening != 0; }

  static constexpr std::uint32_t kTimerBit = 1U << 31U;

  const KernelOptions options;
  KernelListener& listener;
  TraceSink* const trace;
  MonotonicTime now{};
  std::uint64_t events = 0;
  std::uint64_t sequence = 0;  // of the last entry that was scheduled
  LadderQueue queue;
  SlotPool<EventRecord> records;
  SlotPool<TimerRecord> timers;
  std::uint64_t dead = 0;  // entries of timers that will not fire
  EffectCounts effect_counts;
  Network network;
  Chain chain;
  Writer scratch;  // for what is folded next; kept for its memory
  Traffic traffic;
  std::uint64_t last_effect = 0;  // of every kind
  std::uint32_t listening = 0;    // on_fact calls on the stack
  bool dispatching = false;       // a process is on the stack
};

}  // namespace rejoin::sim
