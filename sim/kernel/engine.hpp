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
#include <optional>
#include <string>
#include <vector>

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
  Purpose purpose{};       // deliver
  MessageKind message{};   // deliver
  Address host{};          // to whom; none for control
  Address from{};          // deliver
  std::uint32_t aux = 0;   // deliver: attempt; io: file
  std::uint64_t life = 0;  // io, start: of the host, for which it counts
  std::uint64_t id = 0;    // deliver: identity; io: token; control: id
  Bytes frame{};           // deliver
};

struct TimerRecord {
  TimerId id;
  Address host;
  bool armed = false;
  FlatMap<std::uint32_t>* table = nullptr;  // of its host, which has it by id
  std::int64_t queued_at_ns = 0;            // where its entry is
  std::uint64_t queued_sequence = 0;        // of its entry; 0: none
  std::int64_t deadline_ns = 0;
  std::uint64_t order = 0;     // reserved by the last arm
  std::uint64_t sequence = 0;  // likewise
};

// The timers of one host: TimerId to slot.
using TimerTable = FlatMap<std::uint32_t>;

struct Engine {
  Engine(const KernelOptions& with, KernelListener& listening_to, TraceSink* shown_to)
      : options(with),
        listener(listening_to),
        trace(shown_to),
        network(with.network, with.topology, with.seed) {}

  // ---- Events ----
  [[nodiscard]] std::uint64_t order_of(EventKind kind, Address host, std::uint64_t what,
                                       std::uint64_t attempt) const;
  void schedule(MonotonicTime at, std::uint64_t order, EventRecord&& record);
  // Counts the event, folds it and shows it to the trace.
  void begin_event(const TraceEvent& event);
  void publish(const FactSource& source, const Fact& fact);
  void send(Address from, Address to, Transport transport, Bytes frame, const Tag& tag);
  void drop(Address from, Address to, const Tag& tag, DropReason reason);

  // ---- Timers ----
  void arm(TimerTable& table, Address host, TimerId timer, MonotonicTime deadline);
  void disarm(TimerTable& table, TimerId timer);
  // True when the timer of the front entry fires at that entry's time. When not, the entry was
  // disposed of: pushed again where it belongs now, or dropped.
  [[nodiscard]] bool timer_is_due(const QueueEntry& front);
  // After it fired and its process has been told: forgotten, unless it was armed again.
  void finish_timer(std::uint32_t slot);
  void drop_timers(TimerTable& table);

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
  Network network;
  Chain chain;
  Writer scratch;  // for what is folded next; kept for its memory
  Traffic traffic;
  std::uint32_t listening = 0;  // on_fact calls on the stack
  bool dispatching = false;     // a process is on the stack
};

}  // namespace rejoin::sim
